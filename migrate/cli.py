"""The commands; the only module that knows click.

Heavy modules are imported inside the commands: `migrate --help` answers at once.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from migrate import VERSION
from migrate.errors import MigrateError, Refused, Stopped, UsageError
from migrate.screen import masked, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from migrate.apply.pacing import Window
    from migrate.apply.sender import Delivery
    from migrate.kit.declare import Options
    from migrate.readers.dialects import Layout
    from migrate.report import Talk
    from migrate.sandbox.server import Sandbox
    from migrate.session import Session
    from migrate.settings import Settings, Work

SANDBOX: Final = "sandbox"
_OURS: Final = {
    "rejects.jsonl": "it has no effect there; 'migrate rejects' keeps it under another name, and says how to plan it",
    "parked.jsonl": "'migrate resend' sends what was mended in it",
}
"""Files of a workdir that people read and edit, and what becomes of one that was edited."""
INTERRUPTED: Final = 130
LEFT_OUT: Final = 3
AS_ASKED: Final = 6
SET_ASIDE: Final = 5
_PREVIEWED_BYTES: Final = 8 << 20
_CLOUD_RATE: Final = 1_000.0
_DURATION: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[float]):
    """Seconds, or a number with s, m, h or d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value.strip())
        if not found:
            self.fail(f"a number of seconds, or one with s, m, h or d; found '{value}'", param, ctx)
        return float(found[1]) * _DURATION[found[2]]


class Hours(click.ParamType["Window"]):
    """Hours of the day, 01:00-06:00."""

    name = "hours"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Window:
        """Return the window."""
        from datetime import time  # noqa: PLC0415

        from migrate.apply.pacing import Window  # noqa: PLC0415

        if isinstance(value, Window):
            return value
        try:
            start, end = (time.fromisoformat(part.strip()) for part in value.split("-"))
        except ValueError:
            self.fail(f"two times of day such as 01:00-06:00; found '{value}'", param, ctx)
        return Window(start, end)


class Moment(click.ParamType["datetime"]):
    """ISO 8601; a time without a zone is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return an aware time."""
        from datetime import UTC, datetime  # noqa: PLC0415

        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"an ISO 8601 date or time such as 2024-04-03T12:00:00Z; found '{value}'", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Return a click option that is also the environment variable MIGRATE_<NAME>."""
    name = max(names, key=len).partition("/")[0].removeprefix("--").replace("-", "_").upper()
    own = settings.pop("envvar", [])
    return click.option(*names, envvar=[*own, f"MIGRATE_{name}"], **settings)


def grouped(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return several options as one decorator, in the order they are to be shown."""

    def decorate(command: Any) -> Any:
        for each in reversed(options):
            command = each(command)
        return command

    return decorate


SOURCE = grouped(
    click.argument("platform"),
    click.argument("inputs", metavar="INPUT...", nargs=-1, required=True),
    option("--spec", type=click.Path(path_type=Path), help="TOML file that describes the columns (table)."),
    option("--since", type=Moment(), help="Leave out events before this time (ISO 8601)."),
    option("--until", type=Moment(), help="Leave out events from this time on (ISO 8601)."),
    option(
        "--source-timezone", help="IANA zone, or offset such as +02:00, of times without one.  [default: UTC]"
    ),
    option(
        "--person-properties",
        type=click.Choice(["set", "set_once", "none"]),
        default="set",
        show_default=True,
        help="How person properties of the source arrive.",
    ),
    option(
        "--identity",
        type=click.Choice(["link", "none"]),
        default="link",
        show_default=True,
        help="Make one person of a human's ids, or leave every row under the id it carries.",
    ),
    option(
        "--max-cluster",
        type=click.IntRange(2),
        default=1_000,
        show_default=True,
        help="Ids one person may have before planning stops and asks.",
    ),
    option(
        "--user-id",
        metavar="PROPERTY",
        help="Property that holds the user's id, where the source itself does not say which id is the user's.",
    ),
    option(
        "--uuid-compat",
        type=click.Choice(["posthog-worker"]),
        help="Give events the uuids that PostHog's managed migration gives them.",
    ),
    option(
        "--labels",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="JSON file of what names in the export are really called.",
    ),
    option(
        "--group-key",
        multiple=True,
        metavar="PROPERTY=TYPE",
        help="Property that holds the key of a group of this type (may be repeated).",
    ),
    option(
        "--group-type",
        default="company",
        show_default=True,
        help="Type of groups of sources whose groups have none.",
    ),
    option("--keep", multiple=True, metavar="FILTER", help="Turn a named filter off (may be repeated)."),
    option(
        "--skip-unknown",
        is_flag=True,
        help="Pass over files that no table of the platform takes, and folders that cannot be read.",
    ),
    option("--encoding", help="Encoding of text files that do not say it, e.g. latin-1."),
    option("--delimiter", help="Delimiter of CSV files, where guessing is wrong."),
    option(
        "--dialect",
        type=click.Choice(["plain", "spark", "clickhouse"]),
        help="How CSV files are written: quotes doubled, quotes behind a backslash (Spark), or all that would end a "
        "cell behind one (ClickHouse, Postgres' COPY, MySQL).  [default: as the file shows]",
    ),
    option("--quote", metavar="CHAR", help='Quote of CSV files.  [default: "]'),
    option("--escape", metavar="CHAR", help="What stands before a quote inside of quotes."),
    option("--no-header", is_flag=True, help="The first line of CSV files is a row; columns are numbered."),
    option(
        "--no-partitions",
        is_flag=True,
        help="Folders called name=value are only folders, and no columns of files.",
    ),
    option("--columns", metavar="A,B,…", help="Names of the columns of CSV files without a header."),
    option(
        "--null",
        "nulls",
        multiple=True,
        metavar="TEXT",
        help="What stands for nothing in cells of CSV files, beside \\N (may be repeated).",
    ),
    option("--import-id", help="Name of this import in every event ($import_job_id)."),
)
SENDING = grouped(
    option("--host", envvar=["POSTHOG_HOST"], help="us, eu, a URL, or sandbox (a throw-away endpoint)."),
    option(
        "--api-key",
        envvar=["POSTHOG_API_KEY"],
        help="Project API key (phc_…); better as an environment variable.",
    ),
    option(
        "--rate",
        type=click.FloatRange(min=0, min_open=True),
        help="Events per second.  [default: 1000 for PostHog Cloud, else no limit]",
    ),
    option(
        "--concurrency",
        type=click.IntRange(1),
        default=8,
        show_default=True,
        help="Requests at once at the most.",
    ),
    option(
        "--max-batch-bytes",
        type=click.IntRange(1_000, 20_000_000),
        default=5_242_880,
        show_default=True,
        help="Bytes of a request body, uncompressed.",
    ),
    option(
        "--max-batch-events",
        type=click.IntRange(1),
        default=1_000,
        show_default=True,
        help="Events of a request.",
    ),
    option("--gzip/--no-gzip", default=True, show_default=True, help="Compress request bodies."),
    option(
        "--max-attempts",
        type=click.IntRange(1),
        help="Attempts per request.  [default: no limit but the deadline]",
    ),
    option(
        "--deadline",
        type=Duration(),
        default="15m",
        show_default=True,
        help="How long to go on without any progress.",
    ),
    option(
        "--timeout", type=Duration(), default="60s", show_default=True, help="How long to wait for an answer."
    ),
    option(
        "--min-age",
        type=Duration(),
        help="Hold days that are not wholly older than this; what is sent younger than 48h PostHog Cloud bills as live "
        "events.  [default: 48h for PostHog Cloud, else 0]",
    ),
    option("--max-duration", type=Duration(), help="Stop after so long, to be gone on with."),
    option(
        "--window",
        type=Hours(),
        metavar="FROM-TO",
        help="Send in these hours of the day only, such as 01:00-06:00, by this machine's clock.",
    ),
    option(
        "--yes", is_flag=True, help="Do not ask before sending; where there is no terminal, once a workdir."
    ),
    option("--partial", is_flag=True, help="Send a plan though it is not whole."),
)
PEOPLE = option(
    "--people",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of who is who, shared by the workdirs that feed one project; the first one's workdir will do.  "
    "[default: the workdir]",
)
AGAIN = option(
    "--again",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Plan this source anew, one of the inputs (may be repeated).",
)
TALKING = grouped(
    option("--json", "as_json", is_flag=True, help="Print a JSON summary as the last line of stdout."),
    option("--quiet", is_flag=True, help="Show warnings and errors only."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="migrate")
def cli() -> None:
    r"""Move years of product-analytics history into PostHog.

    Every row is planned and checked before the first byte is sent; killed at any moment, the same command goes on.

    \b
    Try it, without a key and without a network:
      migrate run amplitude sample_data/amplitude --host sandbox

    \b
    Exit codes: 0 done · 2 wrong usage · 3 done, with rows rejected or events parked that are new
                4 stopped, run again to resume · 5 refused, or a source set aside, the others done
                6 stopped as asked, goes on next time · 130 interrupted, run again to resume
    """


@cli.command()
def platforms() -> None:
    r"""List every platform: its tables and what it reads.

    \b
    Example:  migrate platforms
    """
    from migrate import platforms as known  # noqa: PLC0415

    for name in known.names():
        module = known.mapping(name)
        click.echo(f"{name:<12} {module.title}")
        if module.reads:
            click.echo(f"{'':<12} reads {module.reads}")
        tables = ", ".join(table.name for table in module.tables if not table.refusal)
        click.echo(f"{'':<12} tables: {tables or 'described by --spec'}")


@cli.command()
@SOURCE
@option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Source rows to show.")
def preview(limit: int, inputs: tuple[str, ...], **choices: Any) -> None:
    r"""Print the first payloads as they would be sent, one JSON object a line.

    \b
    Example:  migrate preview amplitude export.zip --limit 5
    """
    from migrate.preview import MAPPED, preview  # noqa: PLC0415

    settings = _settings(limit=None, **choices)
    rows = left_out = 0
    work = settings.work(inputs, checked=_PREVIEWED_BYTES)
    for row in preview(work, limit):
        rows += bool(row.place)
        left_out += not row.payloads and row.why != MAPPED
        for payload in row.payloads:
            click.echo(payload)
        if row.why is not None:
            click.echo(shown(f"{row.place}: {row.why}"), err=True)
    if left_out:
        click.echo(f"{left_out} of the first {rows} rows make no event", err=True)
    if _set_aside(work):
        sys.exit(SET_ASIDE)


@cli.command()
@SOURCE
@option(
    "--workdir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where plan and checkpoint are kept.  [default: ./PLATFORM.workdir]",
)
@option("--limit", type=click.IntRange(1), help="Only the first N rows: a trial.")
@PEOPLE
@AGAIN
@click.option(
    "--dry-run", is_flag=True, help="Plan only and show what would be sent; nothing is sent, nothing stays."
)
@SENDING
@TALKING
def run(
    *,
    dry_run: bool,
    workdir: Path | None,
    inputs: tuple[str, ...],
    again: Sequence[Any],
    people: Path | None,
    **choices: Any,
) -> NoReturn:
    r"""Plan, then apply; the same command again resumes.

    \b
    Example:  migrate run amplitude export.zip --host eu --api-key phc_…
              migrate run amplitude export.zip --dry-run
    """
    talk = _talk(choices)
    settings = _settings(**choices)
    if dry_run:
        _dry_run(settings.work(inputs), workdir, people, talk)
    workdir = workdir or Path(f"{settings.platform}.workdir")
    work, again = _work(settings, inputs, workdir, again)
    if people is not None and (choices["host"] == SANDBOX or settings.limit is not None):
        raise UsageError(
            "--people: a trial would use up the merges of the project, planned once for ever; leave it out, or use "
            "--dry-run, which works on a copy"
        )
    with ExitStack() as stack:
        delivery, local = _delivery(choices, stack)
        _check_answer(workdir, delivery, choices)
        session = stack.enter_context(_session(workdir, talk, create=True))
        stack.enter_context(_limited(session, choices["max_duration"], "--max-duration"))
        _plan(session, work, talk, again, people)
        _send(session, delivery, talk, choices)
        if local:
            talk.arrived(local)
        _end(session, talk)


@cli.command()
@SOURCE
@option(
    "--workdir",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where plan and checkpoint are kept.",
)
@option("--limit", type=click.IntRange(1), help="Only the first N rows: a trial.")
@PEOPLE
@AGAIN
@TALKING
def plan(
    workdir: Path, inputs: tuple[str, ...], again: Sequence[Any], people: Path | None, **choices: Any
) -> NoReturn:
    r"""Plan only, kept in the workdir; new files are added to it.

    \b
    Example:  migrate plan amplitude export.zip --workdir plan
    """
    talk = _talk(choices)
    work, again = _work(_settings(**choices), inputs, workdir, again)
    with _session(workdir, talk, create=True) as session:
        _plan(session, work, talk, again, people)
        _end(session, talk, sending=False)


@cli.command()
@click.argument("workdir", type=click.Path(path_type=Path, file_okay=False))
@SENDING
@TALKING
def apply(workdir: Path, **choices: Any) -> NoReturn:
    r"""Send the plan in a workdir; again to resume.

    \b
    Example:  migrate apply plan --host eu --api-key phc_…
    """
    talk = _talk(choices)
    with ExitStack() as stack:
        delivery, _ = _delivery(choices, stack)
        session = stack.enter_context(_session(workdir, talk))
        stack.enter_context(_limited(session, choices["max_duration"], "--max-duration"))
        _send(session, delivery, talk, choices)
        _end(session, talk)


@cli.command()
@click.argument("workdir", type=click.Path(path_type=Path, file_okay=False))
@SENDING
@TALKING
def resend(workdir: Path, **choices: Any) -> NoReturn:
    r"""Send the parked events again, after the cause is fixed.

    \b
    Example:  migrate resend plan --host eu --api-key phc_…
    """
    talk = _talk(choices)
    with ExitStack() as stack:
        delivery, _ = _delivery(choices, stack)
        session = stack.enter_context(_session(workdir, talk))
        stack.enter_context(_limited(session, choices["max_duration"], "--max-duration"))
        session.check_whole(partial=choices["partial"])
        _confirm(session, delivery, talk, choices, what="parked")
        with _within(session, choices):
            session.resend(delivery)
        _end(session, talk)


@cli.command()
@click.argument("workdir", type=click.Path(path_type=Path, file_okay=False))
@TALKING
def status(workdir: Path, **choices: Any) -> None:
    r"""Show what is planned, accepted, rejected, parked and pending, and the command that resumes.

    \b
    Example:  migrate status plan
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from migrate.report import command, of_run, summary  # noqa: PLC0415
    from migrate.workdir.checkpoint import Checkpoint, writable  # noqa: PLC0415
    from migrate.workdir.copies import noticed  # noqa: PLC0415

    talk = _talk(choices)
    with writable(workdir), Checkpoint.open(workdir) as checkpoint:
        numbers = summary(checkpoint)
        numbers["notes"] += noticed(checkpoint, _OURS)
        talk.status(numbers, command(checkpoint, numbers))
        code = _open_code(numbers)
        talk.json(numbers | {"run": of_run(numbers, numbers, datetime.now(UTC), code, None)})
    sys.exit(code)


@cli.command()
@click.argument("workdir", type=click.Path(path_type=Path, file_okay=False))
@click.option("--dismiss", metavar="REASON", help="Say no more of those that are open for this reason.")
@TALKING
def rejects(workdir: Path, dismiss: str | None, **choices: Any) -> None:
    r"""List what is open, by reason: rejected rows, files set aside, parked events; dismiss what is meant.

    \b
    Example:  migrate rejects plan
              migrate rejects plan --dismiss no_distinct_id
    """
    from migrate.report import summary  # noqa: PLC0415

    talk = _talk(choices)
    with _session(workdir, talk) as session:
        checkpoint = session.checkpoint
        session.refresh()
        if dismiss is not None and not _dismissed(session, dismiss):
            reasons = {
                *summary(checkpoint)["open_rejects"],
                *(one.reason for one in checkpoint.set_aside().values() if not one.is_dismissed),
            }
            found = f"; these are: {', '.join(sorted(reasons))}" if reasons else ""
            raise UsageError(f"--dismiss: nothing is open for this reason, found '{dismiss}'{found}")
        numbers = summary(checkpoint)
        talk.rejects(checkpoint, numbers)
        code = _open_code(numbers)
        _tell(session, talk, numbers, code)
    sys.exit(code)


def _dismissed(session: Session, reason: str) -> bool:
    """Say no more of what is rejected or set aside for a reason; return whether there was anything."""
    from migrate.workdir import rejects as rows  # noqa: PLC0415

    return bool(session.checkpoint.dismiss(reason) + rows.dismiss(session.checkpoint, reason))


def _open_code(numbers: dict[str, Any]) -> int:
    """Return the exit code that says whether anything is open."""
    if not numbers["whole"]:
        return SET_ASIDE
    return LEFT_OUT if numbers["open_rejects"] or numbers["events"]["parked"] or numbers["set_aside"] else 0


@cli.command()
@option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8010,
    show_default=True,
    help="Port; 0 for any free one.",
)
@option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that keeps what arrives.  [default: a temporary one, removed at the end]",
)
@option("--bind", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option(
    "--faults", type=click.File(), help="JSON file of misbehaviours; see the README's reliability section."
)
def sandbox(port: int, data: Path | None, bind: str, faults: Any) -> None:
    r"""Run a local PostHog endpoint to try against.

    \b
    Example:  migrate sandbox --port 8010
              migrate run amplitude export.zip --host http://127.0.0.1:8010 --api-key phc_test
    """
    import json  # noqa: PLC0415

    from migrate.sandbox.server import serve  # noqa: PLC0415

    def ready(url: str) -> None:
        click.echo(
            f"listening on {url}\nwhat arrived: {url}/_sandbox/summary and {url}/_sandbox/events.jsonl",
            err=True,
        )

    serve(port=port, data=data, host=bind, faults=json.load(faults) if faults else [], on_ready=ready)


def _talk(choices: dict[str, Any]) -> Talk:
    """Take the choices that decide how to talk, and return the voice."""
    from migrate.report import Talk  # noqa: PLC0415

    return Talk(quiet=choices.pop("quiet"), as_json=choices.pop("as_json"))


def _settings(platform: str, **choices: Any) -> Settings:
    """Return the settings the command line gives; raises UsageError for those that do not fit the platform."""
    from migrate import platforms  # noqa: PLC0415
    from migrate.kit.times import zone_name  # noqa: PLC0415
    from migrate.plan.census import Choices  # noqa: PLC0415
    from migrate.settings import Settings  # noqa: PLC0415

    zone = choices["source_timezone"]
    names = ("spec", "since", "until", "limit", "encoding", "nulls", "import_id", "skip_unknown")
    settings = Settings(
        platform=platform,
        options=_options(platforms.platform(platform, choices["spec"]).read_labels, choices),
        choices=Choices(
            link=choices["identity"] == "link",
            max_cluster=choices["max_cluster"],
            zone=zone and zone_name(zone, "--source-timezone"),
        ),
        layout=_layout(choices),
        partitions=not choices["no_partitions"],
        **{name: choices[name] for name in names},
    )
    _heeded(platform, settings.mapping().options, choices)
    filters = sorted({name for table in settings.mapping().tables for name in table.filters})
    for name in choices["keep"]:
        if name not in filters:
            known = ", ".join(filters) or "none"
            raise UsageError(
                f"--keep: {platform} has no such filter, found '{name}'; its filters are {known}"
            )
    return settings


def _layout(choices: dict[str, Any]) -> Layout:
    """Return how delimited files are said to be written."""
    from migrate.readers.dialects import Layout  # noqa: PLC0415

    for name in ("delimiter", "quote", "escape"):
        if choices[name] is not None and len(choices[name].encode()) != 1:
            raise UsageError(f"--{name}: one ASCII character, found '{choices[name]}'")
    columns = tuple(name.strip() for name in (choices["columns"] or "").split(",") if name.strip())
    return Layout(
        delimiter=choices["delimiter"],
        dialect=choices["dialect"],
        quote=choices["quote"],
        escape=choices["escape"],
        columns=columns,
        has_header=not (choices["no_header"] or columns),
    )


def _heeded(platform: str, options: frozenset[str], choices: dict[str, Any]) -> None:
    """Raise UsageError for an option that this platform would pass over in silence."""
    given = {
        "--labels": choices["labels"],
        "--group-key": choices["group_key"],
        "--group-type": choices["group_type"] != "company",
        "--user-id": choices["user_id"],
        "--uuid-compat": choices["uuid_compat"],
    }
    for name, value in given.items():
        if value and name not in options:
            heeded = f"; it heeds {', '.join(sorted(options))}" if options else ""
            raise UsageError(f"{name}: {platform} has no use for it{heeded}; leave it out")


def _options(read_labels: Callable[[Any], Any] | None, choices: dict[str, Any]) -> Options:
    """Return the choices that change payloads."""
    from migrate.kit.declare import Options  # noqa: PLC0415
    from migrate.kit.times import zone_name  # noqa: PLC0415

    zone = choices["source_timezone"]
    keys = dict(word.partition("=")[::2] for word in choices["group_key"])
    if wrong := [name for name, kind in keys.items() if not (name and kind)]:
        raise UsageError(
            f"--group-key: not PROPERTY=TYPE, found '{wrong[0]}'; give one such as company_id=company"
        )
    return Options(
        person_properties=choices["person_properties"],
        source_timezone="UTC" if zone is None else zone_name(zone, "--source-timezone"),
        keep=frozenset(choices["keep"]),
        labels={} if choices["labels"] is None else _labels(choices["labels"], read_labels),
        group_keys=keys,
        group_type=choices["group_type"],
        user_id=choices["user_id"],
        uuid_compat=choices["uuid_compat"],
    )


def _labels(path: Path, read: Callable[[Any], Any] | None) -> dict[str, str]:
    """Return the names of a labels file; raises UsageError where it is none."""
    import json  # noqa: PLC0415

    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        labels = read(document) if read else document
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"--labels: {path} is no JSON, {error}; give an object of names") from None
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise UsageError(
            f'--labels: {path} is no object of texts, found {type(labels).__name__}; give {{"name": "real name"}}'
        )
    return labels


def _delivery(choices: dict[str, Any], stack: ExitStack) -> tuple[Delivery, Sandbox | None]:
    """Return how and where to send, and the sandbox, which lives as long as the stack, if that is where."""
    from migrate.apply.age import usual  # noqa: PLC0415
    from migrate.apply.sender import Delivery  # noqa: PLC0415
    from migrate.apply.target import checked_key, host_url, is_cloud  # noqa: PLC0415

    host, key, rate, min_age = (choices[name] for name in ("host", "api_key", "rate", "min_age"))
    if not host:
        raise UsageError("--host: missing; give us, eu, the URL of a PostHog, or sandbox to try")
    local = None
    if host == SANDBOX:
        from migrate.sandbox.server import Sandbox  # noqa: PLC0415

        local = stack.enter_context(Sandbox())
        url, target = local.url, SANDBOX
        key = key or "phc_sandbox"
    else:
        url = target = host_url(host)
    if not key:
        raise UsageError("--api-key: missing; set POSTHOG_API_KEY to the project's key (phc_…)")
    names = (
        "concurrency",
        "max_batch_bytes",
        "max_batch_events",
        "gzip",
        "max_attempts",
        "deadline",
        "timeout",
    )
    delivery = Delivery(
        url=url,
        target=target,
        key=checked_key(key),
        rate=rate or (_CLOUD_RATE if is_cloud(url) else None),
        min_age=usual(url) if min_age is None else min_age,
        **{name: choices[name] for name in names},
    )
    return delivery, local


@contextmanager
def _session(workdir: Path, talk: Talk, *, create: bool = False) -> Iterator[Session]:
    """Hold a workdir; the first SIGINT or SIGTERM stops the work in good order, the second leaves at once.

    An error of ours is told in JSON, too, with what was done until then.
    """
    from migrate.report import summary  # noqa: PLC0415
    from migrate.session import Session  # noqa: PLC0415
    from migrate.workdir.checkpoint import Checkpoint, held, writable  # noqa: PLC0415

    if not create and not workdir.is_dir():
        raise Refused(f"{workdir}: no such workdir; plan first with 'migrate plan'")
    with writable(workdir):
        workdir.mkdir(parents=True, exist_ok=True)
    with writable(workdir), held(workdir), Checkpoint.open(workdir, create=create) as checkpoint:
        session = Session(
            checkpoint,
            before=summary(checkpoint),
            on_warning=talk.warn,
            on_remark=lambda text: click.echo(shown(f"note: {text}"), err=True),
        )
        session.tidy()

        def stop(*_: object) -> None:
            if session.interrupted:
                os._exit(INTERRUPTED)
            click.echo("interrupted: finishing what is in flight; again to leave now", err=True)
            session.stop()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield session
        except MigrateError as error:
            _tell(session, talk, summary(checkpoint), error.exit_code, str(error))
            error.is_told = True
            raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _planned(workdir: Path, again: Sequence[Path]) -> tuple[dict[str, str], list[str]]:
    """Return the names of the files planned in a workdir, with the stamps they had, and those to plan `again`."""
    from migrate.inputs.names import archive_of, path_of  # noqa: PLC0415
    from migrate.workdir.checkpoint import FILE, Checkpoint  # noqa: PLC0415

    if not (workdir / FILE).exists():
        return {}, []
    with Checkpoint.open(workdir, create=True) as checkpoint:
        if not checkpoint.extent()[0]:
            return {}, []  # without a planned event it may begin anew, under other settings
        asked = _asked(again)
        meant = [
            name
            for name in checkpoint.together(asked)
            if {name, archive_of(name)} & asked or path_of(name).exists() or checkpoint.has_unsent(name)
        ]
        planned = {name: known.stamp for name, known in checkpoint.inputs().items() if known.planned}
        return {name: stamp for name, stamp in planned.items() if name not in meant}, meant


def _asked(again: Sequence[Path]) -> set[str]:
    """Return the sources named by --again: by their files' paths, or as messages call them."""
    from migrate.inputs.names import source_name  # noqa: PLC0415

    paths = [os.path.abspath(path) for path in again]  # noqa: PTH100 - links are not followed
    return {source_name(path) if os.path.lexists(path) else path for path in paths}


def _work(
    settings: Settings, inputs: Sequence[str], workdir: Path, again: Sequence[Path]
) -> tuple[Work, list[str]]:
    """Return what there is to plan in a workdir, and which of it is to be planned again."""
    from migrate.inputs.names import archive_of  # noqa: PLC0415

    for given in inputs:
        if os.path.abspath(given) in {os.path.abspath(workdir / name) for name in _OURS}:  # noqa: PTH100
            raise UsageError(
                f"input {given}: it is written anew by migrate itself; name a copy of it, in which the rows are mended"
            )
    planned, meant = _planned(workdir, again)
    work = settings.work(inputs, planned)
    there = {job.source.name for job in work.jobs}
    if missing := [name for name in meant if name not in there]:
        raise UsageError(
            f"--again: {missing[0]} is not among the inputs; name it as an input, too (files that were planned "
            "together are planned again together; if one is gone, send what is planned first, with 'migrate apply')"
        )
    if unknown := _asked(again) - {part for name in there for part in (name, archive_of(name))}:
        raise UsageError(f"--again: {min(unknown)} is not among the inputs; name it as an input, too")
    return work, meant


def _typed() -> str:
    """Return the command as it was typed, without the key."""
    words, typed = iter(sys.argv[1:]), ["migrate"]
    for word in words:
        if word == "--api-key":
            next(words, None)
        elif not word.startswith("--api-key="):
            typed.append(word)
    return masked(shlex.join(typed))


def _plan(
    session: Session, work: Work, talk: Talk, again: Sequence[str] = (), people: Path | None = None
) -> None:
    """Plan, with progress."""
    with talk.planning() as progress:
        session.plan(work, progress, command=_typed(), again=again, shared=people)
    aside = session.checkpoint.set_aside()
    for name in session.set_aside:
        click.echo(shown(f"error: {name}: set aside: {aside[name].why}"), err=True)


@contextmanager
def _limited(session: Session, seconds: float | None, option: str) -> Iterator[None]:
    """Stop the work after so long, as this option asks."""
    from threading import Timer  # noqa: PLC0415

    if seconds is None:
        yield
        return
    timer = Timer(seconds, session.stop_as_asked, [option])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _within(session: Session, choices: dict[str, Any]) -> Iterator[None]:
    """Stop sending when the hours of --window end; begin none outside of them."""
    from datetime import datetime  # noqa: PLC0415

    if choices["window"] is None:
        yield
        return
    if not (left := choices["window"].left(datetime.now())):  # noqa: DTZ005 - hours of this machine's clock
        session.stop_as_asked("--window")
    with _limited(session, left, "--window"):
        yield


def _is_confirmed(workdir: Path, delivery: Delivery) -> bool:
    """Return whether events may leave without a question: they did, it was said that they may, or it is a trial."""
    from migrate.apply.target import is_sandbox  # noqa: PLC0415
    from migrate.workdir.checkpoint import FILE, Checkpoint  # noqa: PLC0415

    if delivery.target == SANDBOX or is_sandbox(delivery.url):
        return True
    if not (workdir / FILE).exists():
        return False
    with Checkpoint.open(workdir, create=True) as checkpoint:
        return bool(checkpoint.facts().get("confirmed") or checkpoint.settled().accepted)


def _check_answer(workdir: Path, delivery: Delivery, choices: dict[str, Any]) -> None:
    """Raise UsageError where there is nobody to be asked, and nobody has said, whether events may leave."""
    if choices["yes"] or sys.stdin.isatty() or _is_confirmed(workdir, delivery):
        return
    raise UsageError(
        f"--yes: needed before the first event goes to {delivery.url}, which cannot be undone, as there is no terminal "
        "to ask; look at 'migrate run … --dry-run' first, then give it once, this workdir remembers it"
    )


def _answered(session: Session, lines: Iterator[str], question: str) -> bool:
    """Ask, and return whether the answer is yes; an interrupt is a no, at once."""
    from migrate.question import asked  # noqa: PLC0415

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return asked(lines, question)
    except KeyboardInterrupt:
        session.interrupted = True
        return False
    finally:
        signal.signal(signal.SIGINT, before)


def _confirm(
    session: Session, delivery: Delivery, talk: Talk, choices: dict[str, Any], *, what: str = "pending"
) -> None:
    """Ask before the first event goes to a real PostHog, with what speaks against it; once a workdir."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from migrate.question import lines  # noqa: PLC0415
    from migrate.report import summary  # noqa: PLC0415

    if what == "pending":
        session.checkpoint.note(min_age=delivery.min_age)
    if choices["yes"]:
        session.checkpoint.note(confirmed=True)
    now = datetime.now(UTC)
    numbers = summary(session.checkpoint, now)
    goes = numbers["events"][what]
    if not goes or session.is_stopping or _is_confirmed(session.workdir, delivery):
        return
    _check_answer(session.workdir, delivery, choices)
    if not choices["yes"]:
        question = f"send {goes:,} events to {delivery.url}? this cannot be undone"
        if not _answered(session, lines(session.checkpoint, numbers, delivery, now), question):
            click.echo("nothing was sent", err=True)
            _end(session, talk, sending=False, code=INTERRUPTED if session.interrupted else 0)
    session.checkpoint.note(confirmed=True)


def _send(session: Session, delivery: Delivery, talk: Talk, choices: dict[str, Any]) -> None:
    """Apply, with progress; a plan that is not whole only where that is wanted."""
    from migrate.report import command, summary  # noqa: PLC0415

    if session.is_stopping:
        return
    session.check_whole(partial=choices["partial"])
    session.checkpoint.note(sending=True, command=_typed())
    _confirm(session, delivery, talk, choices)
    try:
        with talk.applying(summary(session.checkpoint)) as progress, _within(session, choices):
            session.apply(delivery, progress)
    except MigrateError:
        numbers = summary(session.checkpoint)
        talk.status(numbers, command(session.checkpoint, numbers))
        raise


def _set_aside(work: Work) -> bool:
    """Say which files were set aside, and return whether there are any."""
    for name, one in work.set_aside.items():
        click.echo(shown(f"error: {name}: set aside: {one.why}"), err=True)
    return bool(work.set_aside)


def _tell(session: Session, talk: Talk, numbers: dict[str, Any], code: int, error: str | None = None) -> None:
    """Print the JSON summary, with what this process did of it."""
    from migrate.report import of_run  # noqa: PLC0415

    notes = {"notes": [*numbers["notes"], *session.remarks]}
    run = of_run(session.before, numbers, session.started, code, error and masked(error))
    talk.json(numbers | notes | {"run": run})


def _end(session: Session, talk: Talk, *, sending: bool = True, code: int | None = None) -> NoReturn:
    """Show what was done, and exit as the numbers say, unless it is said with which code."""
    from migrate.report import command, summary, written  # noqa: PLC0415

    numbers = summary(session.checkpoint, session.judged)
    code = _exit_code(session, numbers) if code is None else code
    if sending and code in {0, LEFT_OUT} and numbers["events"]["pending"]:
        code = Stopped.exit_code  # what was sent again is; the rest waits for 'migrate apply'
    if code == AS_ASKED:
        click.echo(f"stopped as {session.asked} asks; the same command goes on", err=True)
    written(session.workdir, numbers)
    talk.status(numbers, command(session.checkpoint, numbers, sending=sending))
    _tell(session, talk, numbers, code)
    if not numbers["balanced"]:
        raise AssertionError(f"the sums do not balance, which is a bug: {numbers}")
    sys.exit(code)


def _exit_code(session: Session, numbers: dict[str, Any]) -> int:
    """Return the exit code; rejects and parked events count where they came since a run that ended well, or said so."""
    if session.interrupted:
        return INTERRUPTED
    if session.asked and (numbers["events"]["pending"] or not numbers["whole"]):
        return AS_ASKED
    if session.set_aside or not numbers["whole"]:
        return SET_ASIDE
    counts = session.checkpoint.counts()
    now = {name: counts.get(name, 0) for name in ("rejected", "parked")}
    seen = session.checkpoint.facts().get("seen", {})
    session.checkpoint.note(seen=now)
    return LEFT_OUT if any(count > seen.get(name, 0) for name, count in now.items()) else 0


def _dry_run(work: Work, workdir: Path | None, people: Path | None, talk: Talk) -> NoReturn:
    """Plan into a folder that goes away again, and show everything there is to know before sending."""
    from dataclasses import replace  # noqa: PLC0415
    from tempfile import gettempdir  # noqa: PLC0415

    from migrate.people.file import PeopleFile  # noqa: PLC0415
    from migrate.preview import examples  # noqa: PLC0415
    from migrate.report import summary  # noqa: PLC0415
    from migrate.throwaway import DRY_RUN, throwaway  # noqa: PLC0415
    from migrate.workdir.checkpoint import writable  # noqa: PLC0415

    beside = None if workdir is None or not workdir.parent.is_dir() else workdir.parent
    with (
        writable(beside or Path(gettempdir())),
        throwaway(DRY_RUN, beside) as folder,
        _session(folder, talk, create=True) as session,
    ):
        file = PeopleFile(session.checkpoint, people and PeopleFile(session.checkpoint, people).copy())
        _plan(session, work, talk, people=file.shared)
        numbers = summary(session.checkpoint) | {"workdir": None}
        code = _exit_code(session, numbers)
        if session.interrupted:
            _tell(session, talk, numbers, code)
            sys.exit(code)
        jobs = [job for job in work.jobs if job.source.name not in numbers["set_aside"]]
        with file.open() as known:
            rows = list(examples(replace(work, jobs=jobs), 3, known))
            talk.dry_run(session.checkpoint, numbers, rows)
        _tell(session, talk, numbers, code)
    sys.exit(code)


for _command in (cli, *cli.commands.values()):
    # What click takes for "leave these lines as they are" cannot stand in a raw docstring.
    _command.help = (_command.help or "").replace("\\b\n", "\b\n")


def prepare() -> None:
    """Set what Arrow and polars read when they are imported, unless the user has; none of it decides what is sent.

    What is written is the owner's alone: a plan holds what people did.
    """
    os.umask(0o077)
    # Of Arrow's pools jemalloc keeps least of what it once had: 290 MB at the peak of sending three million events,
    # where the default takes 510 (measured, pyarrow 26).
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
    # What polars has freed goes back sooner: 484 MB instead of 547 at the peak of planning Amplitude, in the same time;
    # one arena keeps 10 MB less than two (measured, polars 2.1).
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0,narenas:1")
    # Files and chunks are worked on side by side, each query in the thread that asks: a chunk is too small for several
    # threads of polars' own, or for its streaming engine, to be worth their while (a quarter of planning, measured).
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    os.environ.setdefault("POLARS_ENGINE_AFFINITY", "in-memory")


def _told_early(code: int, error: str) -> None:
    """Print the JSON summary of a command that did not come to a workdir, where one is asked for."""
    import json  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from migrate.report import NOTHING, of_run  # noqa: PLC0415

    if "--json" in sys.argv[1:]:
        run = of_run(NOTHING, NOTHING, datetime.now(UTC), code, masked(error))
        click.echo(json.dumps({**NOTHING, "run": run}))


def main() -> None:
    """Run the command line; an error of ours is one sentence and its exit code."""
    prepare()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is temporary is removed on the way out
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        click.echo(shown(text.getvalue()), nl=False, err=True)
        _told_early(error.exit_code, error.format_message())
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _told_early(INTERRUPTED, "interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    except MigrateError as error:
        click.echo(shown(f"error: {error}"), err=True)
        if not error.is_told:
            _told_early(error.exit_code, str(error))
        sys.exit(error.exit_code)
