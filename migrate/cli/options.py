"""Everything that may be typed, as frozen objects: what to read and how, what to plan, how to send, how to talk.

The order of the fields is their order in the help. What `schedule` takes stands in `nights`, how
files are read and what `inspect` takes in `reading`, what shows a workdir in `showing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

import click

from migrate.cli.asking import TargetOptions
from migrate.cli.executors import Executors
from migrate.cli.fetching import FirstOptions
from migrate.cli.kinds import (
    SOME,
    Blank,
    Count,
    Day,
    Duration,
    Folder,
    Hours,
    Input,
    Moment,
    Name,
    PlatformName,
    Real,
    Samples,
    Shown,
    Whole,
)
from migrate.cli.params import Argument, argument, arguments, flag, option, preset, repeated, switch
from migrate.cli.reading import ReadingOptions

if TYPE_CHECKING:
    from datetime import datetime

    from migrate.apply.delivery import Protocol
    from migrate.apply.pacing import Window
    from migrate.kit.declare import PersonProperties, UuidCompat
    from migrate.plan.changed import OnChanged

GROUP_TYPE: Final = "company"
_FILE: Final = click.Path(path_type=Path)
_FOLDER: Final = Folder()
WORKDIR: Final = click.argument("workdir", cls=Argument, type=_FOLDER)
"""The argument of commands that work on a plan which is there."""
MAYBE_WORKDIR: Final = click.argument("workdir", cls=Argument, type=_FOLDER, required=False)
"""The argument of a command that looks at a plan, too, where one is there."""
WORKDIRS: Final = click.argument(
    "workdirs", cls=Argument, type=Folder(is_any=True), nargs=-1, required=True, metavar="WORKDIR..."
)
"""The argument of commands that look at plans which are there, one after another; what is none is shown as that."""


@dataclass(frozen=True, kw_only=True)
class SourceOptions(ReadingOptions):
    """What to read, how it is written, and what is to become of it; decides payloads, but for `max_cluster`."""

    platform: str = argument(PlatformName())
    inputs: tuple[str, ...] = arguments(Input(), "INPUT...")
    spec: Path | None = option(_FILE, "TOML file that describes the columns (table).")
    since: datetime | Day | None = option(
        Moment(), "Leave out events before this time: ISO 8601, yesterday, or -3d (three days before today)."
    )
    until: datetime | Day | None = option(Moment(), "Leave out events from this time on, told likewise.")
    lookback: int | None = option(
        Count(1), "Days before --since to look at once more, for what came late or was rewritten."
    )
    source_timezone: str | None = option(
        click.STRING, "IANA zone, or offset such as +02:00, of times without one.  [default: UTC]"
    )
    person_properties: PersonProperties = preset(
        click.Choice(["set", "set_once", "none"]), "set", "How person properties of the source arrive."
    )
    identity: Literal["link", "none"] = preset(
        click.Choice(["link", "none"]),
        "link",
        "Make one person of a human's ids, or leave every row under the id it carries.",
    )
    max_cluster: int = preset(Count(2), 1_000, "Ids one person may have before planning stops and asks.")
    user_id: str | None = option(
        click.STRING,
        "Property that holds the user's id, where the source itself does not say which id is the user's.",
        metavar="PROPERTY",
    )
    uuid_compat: UuidCompat | None = option(
        click.Choice(["posthog-worker"]), "Give events the uuids that PostHog's managed migration gives them."
    )
    labels: Path | None = option(
        click.Path(path_type=Path, exists=True, dir_okay=False),
        "JSON file of what names in the export are really called.",
    )
    group_key: tuple[str, ...] = repeated(
        click.STRING,
        "Property that holds the key of a group of this type (may be repeated).",
        metavar="PROPERTY=TYPE",
    )
    group_type: str = preset(click.STRING, GROUP_TYPE, "Type of groups of sources whose groups have none.")
    keep: tuple[str, ...] = repeated(
        click.STRING, "Turn a named filter off (may be repeated).", metavar="FILTER"
    )
    skip_unknown: bool = flag(
        "Pass over files that no table of the platform takes, and folders that cannot be read."
    )
    nulls: tuple[str, ...] = repeated(
        Blank(),
        "What stands for nothing in cells of CSV files, beside \\N (may be repeated).",
        metavar="TEXT",
        word="null",
    )
    import_id: str | None = option(Name(), "Name of this import in every event ($import_job_id).")


@dataclass(frozen=True, kw_only=True)
class PreviewOptions:
    """How much is shown."""

    limit: int = preset(Count(1), 20, "Source rows to show.")
    pretty: bool = flag("Show source rows beside their payloads, for people.")
    verbose: bool = flag("Name every file that is passed over.", short="v")
    watch: bool = flag(
        "Show it again whenever the spec, the mapping or an input is saved.", is_typed_only=True
    )


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """How much is tried, and where the page is."""

    limit: int = preset(Count(1), 1_000, "Source rows to try.")
    port: int = preset(Whole(0, 65_535), 0, "Port; 0 for any free one.")


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """Where a plan is kept, how much is planned, with whom, and what of it anew."""

    workdir: Path | None = option(
        _FOLDER,
        "Where plan and checkpoint are kept.  [default: ./PLATFORM.workdir; of a trial, a folder that goes]",
    )
    parts: str | None = option(
        Input(),
        "Folder in a storage, such as s3://bucket/folder, for the files of the plan; the workdir is bound to it.  "
        "[default: the workdir]",
        metavar="ADDRESS",
    )
    limit: int | None = option(
        Count(1),
        "Only the first N rows: a trial, whose workdir goes when it ends unless one is named.",
    )
    people: Path | None = option(
        _FOLDER,
        "Folder of who is who, shared by the workdirs that feed one project; the first one's workdir will do.  "
        "[default: the workdir]",
    )
    existing: bool = flag("Go on in a workdir that is there, and never begin one: for schedules.")
    again: tuple[str, ...] = repeated(
        Input(), "Plan this source anew, one of the inputs (may be repeated).", metavar="FILE"
    )
    on_changed: OnChanged | None = option(
        click.Choice(["replan", "set-aside", "skip"]),
        "What becomes of a file that has changed since it was planned.  [default: replan, or set-aside where rows "
        "have no id to know them again by]",
    )
    resend_changed: bool = flag(
        "Send rows that changed after they were sent once more, where PostHog keeps the later version.",
    )
    executor: str | None = option(
        Executors(),
        "Plan in this process, in several, or on a Dask cluster.  [default: processes where there is much to plan, and "
        "two cores, for flat files four]",
        metavar="inline|processes|dask://HOST:PORT",
    )
    workers: int | None = option(
        Count(1),
        "Processes, or threads, that plan at once; of a cluster, units.  [default: one a core, 512 MB of memory for "
        "each; one a thread of each Dask worker]",
    )


@dataclass(frozen=True, kw_only=True)
class PlanOptions(WorkOptions):
    """Work that ends with the plan."""


@dataclass(frozen=True, kw_only=True)
class RunOptions(FirstOptions, WorkOptions):
    """Work that may be a rehearsal, and may begin with what is fetched."""

    dry_run: bool = flag(
        "Plan only and show what would be sent; nothing is sent, nothing stays.", is_typed_only=True
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class SendOptions(TargetOptions):
    """Where to send, with how much haste and patience. Sizes are bytes, times seconds; the key is in no repr."""

    protocol: Protocol = preset(
        click.Choice(["auto", "v0", "v1"]),
        "auto",
        "Version of PostHog's capture endpoint; auto asks once whether there is v1, and a workdir keeps to it.",
    )
    rate: float | None = option(
        Real(0.001, 1_000_000),
        "Events per second.  [default: 1000 for PostHog Cloud, else no limit]",
    )
    concurrency: int = preset(Whole(1, 1_000), 8, "Requests at once at the most.")
    max_batch_bytes: int = preset(
        Whole(1_000, 20_000_000), 5_242_880, "Bytes of a request body, uncompressed."
    )
    max_batch_events: int = preset(Whole(1, 1_000_000), 1_000, "Events of a request.")
    gzip: bool = switch("gzip", "Compress request bodies.", default=True)
    max_attempts: int | None = option(Count(1), "Attempts per request.  [default: no limit but the deadline]")
    deadline: float = preset(Duration(), "15m", "How long to go on without any progress.")
    timeout: float = preset(Duration(0.01), "60s", "How long to wait for an answer.")
    min_age: float | None = option(
        Duration(),
        "Hold days that are not wholly older than this; what is sent younger than 48h PostHog Cloud bills as live "
        "events.  [default: 48h for PostHog Cloud, else 0]",
    )
    max_duration: float | None = option(Duration(SOME), "Stop after so long, to be gone on with.")
    window: Window | None = option(
        Hours(),
        "Send in these hours of the day only, such as 01:00-06:00, by this machine's clock.",
        metavar="FROM-TO",
    )
    keep_days: int | None = option(
        Whole(0, 100_000),
        "Remove payloads of events so many days after PostHog has acknowledged them.  [default: keep all]",
    )
    dedup_days: int = preset(
        Whole(0, 100_000),
        35,
        "With --keep-days: know for so many days what was sent, so as not to send it again.",
    )
    yes: bool = flag("Do not ask before sending; where there is no terminal, once a workdir.")
    partial: bool = flag("Send a plan though it is not whole.", is_typed_only=True)
    resend_lost: bool = flag(
        "Send again what files that were sent and are lost may have held.", is_typed_only=True
    )


@dataclass(frozen=True, kw_only=True)
class TalkOptions:
    """How much is said, and whether for a program."""

    as_json: bool = flag("Print a JSON summary as the last line of stdout.", word="json")
    quiet: bool = flag("Show warnings and errors only.")
    verbose: bool = flag("Tell each file, each request and each wait on stderr, too.", short="v")
    log_file: Path | None = option(
        click.Path(path_type=Path, dir_okay=False),
        "Tell them in this file, too, which grows.",
        metavar="FILE",
    )
    log_json: bool = flag(
        "Write the log as JSON, one object a line; without --log-file all that is said on stderr."
    )
    samples: Shown = preset(
        Samples(),
        "3",
        "Rows to show beside what they become; full: ids and long values whole.",
        metavar="N|full",
    )


@dataclass(frozen=True, kw_only=True)
class InitOptions:
    """For which platform a configuration file is written, and where."""

    platform: str = argument(PlatformName())
    output: Path = preset(
        click.Path(path_type=Path, dir_okay=False),
        "migrate.toml",
        "File to write; - is stdout.",
        metavar="FILE",
        short="o",
    )


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """Where the sandbox listens, what it keeps, and how it misbehaves."""

    port: int = preset(Whole(0, 65_535), 8010, "Port; 0 for any free one.")
    app_port: int | None = option(
        Whole(0, 65_535),
        "Port of its own for the private API, as PostHog Cloud has it; 0 for any.  [default: beside capture]",
    )
    data: Path | None = option(
        _FOLDER, "Folder that keeps what arrives.  [default: a temporary one, removed at the end]"
    )
    bind: str = preset(click.STRING, "127.0.0.1", "Address to listen on.")
    v1: bool = switch("v1", "Have capture v1 beside v0, as PostHog Cloud has.", default=True)
    faults: IO[str] | None = option(click.File(), "JSON file of misbehaviours; see docs/reliability.md.")
