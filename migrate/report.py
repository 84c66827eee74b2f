"""Numbers → screen and JSON."""

import json
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from migrate.apply import age
from migrate.screen import amount, shown
from migrate.workdir import parked, rejects
from migrate.workdir.checkpoint import REJECTS, Checkpoint, Settled, synced

if TYPE_CHECKING:
    from rich.console import Console

    from migrate.plan.progress import Progress
    from migrate.preview import Preview
    from migrate.sandbox.server import Sandbox

REPORT: Final = "report.json"
MAX_GROUP_TYPES: Final = 5
_PLAIN_SECONDS: Final = 5.0
_BAR: Final = 30
_SHOWN: Final = 15
_FIRST: Final = 5
_EVENTS: Final = 1_000
"""Events of a request, where it is not said how many."""
_RATE: Final = 1_000.0
"""Events a second, where it is not said where they go."""
_WHY: Final = {
    "younger_than_48h": "PostHog asks that history be at least 48 hours old",
    "before_1970": "check the timestamps: these events are from before 1970",
    "junk_distinct_id": "placeholder ids many people share; sent without a person profile",
    "more_than_five_group_types": "PostHog keeps five group types a project and ignores the others",
    "unmergeable_id": "PostHog refuses to merge these ids; the events arrive, the people stay apart",
    "session_id_not_uuid": "PostHog's session analytics ignore these sessions",
    "heatmap_side_effect": "PostHog makes an extra heatmap row of these, again on every retry",
    "set_not_object": "PostHog ignores a $set that is no object",
    "set_once_not_object": "PostHog ignores a $set_once that is no object",
    "groups_not_object": "PostHog ignores $groups that are no object",
    "several_group_values": "PostHog keeps one group per type and event: the first was taken",
    "source_timezone_disagrees": "rows that carry a UTC time beside their own say another zone than was given",
    "profile_of_no_one": "person properties of placeholder ids many people share; not sent",
    "original_timestamp_for_timestamp": "the device's own clock, since there is no other time",
    "client_event_time_for_event_time": "the device's own clock, since there is no other time",
    "float_like_id": "ids like 123.0, which may be the 123 of another file; they are kept as they are",
    "damaged_file": "could not be read to the end; what was readable is planned",
}


def summary(checkpoint: Checkpoint, now: datetime | None = None) -> dict[str, Any]:
    """Return the numbers of the whole migration in a workdir, as `--json` prints them.

    `now`: when it is judged whether days are old enough to be sent, if that was judged before.
    """
    numbers, settled, facts = checkpoint.numbers(), checkpoint.settled(), checkpoint.facts()
    planned, _, first, last = checkpoint.extent()
    held = _held(checkpoint, facts.get("min_age", 0.0), now or datetime.now(UTC))
    pending = planned - settled.accepted - settled.duplicate - settled.parked - held.events
    warnings = Counter(numbers.warnings)
    if len(numbers.group_types) > MAX_GROUP_TYPES:
        warnings["more_than_five_group_types"] = len(numbers.group_types)
    if numbers.damaged:
        warnings["damaged_file"] = len(numbers.damaged)
    if facts.get("clock"):
        warnings["source_timezone_disagrees"] = 1
    left_out = sum(numbers.filtered.values()) + sum(numbers.rejected.values())
    found: dict[str, Any] = {
        "rows": {
            "read": numbers.read,
            "mapped": numbers.mapped,
            "filtered": dict(sorted(numbers.filtered.items())),
            "rejected": dict(sorted(numbers.rejected.items())),
        },
        "events": {
            "planned": planned,
            "accepted": settled.accepted,
            "duplicate": settled.duplicate,
            "parked": settled.parked,
            "held": held.events,
            "pending": pending,
        },
        "requests": facts["requests"],
        "retries": facts["retries"],
        "bytes_sent": facts["bytes_sent"],
        "first_timestamp": _moment(first),
        "last_timestamp": _moment(last),
        "held_until": held.until and held.until.isoformat(timespec="minutes"),
        "seconds": round(facts["seconds"], 3),
        "balanced": numbers.read == numbers.mapped + left_out and pending >= 0,
        "whole": checkpoint.is_whole(),
        "workdir": str(checkpoint.workdir),
        "import_id": facts.get("import_id"),
        "repairs": dict(sorted(numbers.repairs.items())),
        "warnings": dict(sorted(warnings.items())),
        "dropped_columns": dict(sorted(numbers.dropped.items())),
        "notes": list(_remarks(facts, numbers.read)),
        "set_aside": {name: one.why for name, one in checkpoint.set_aside().items() if not one.is_dismissed},
        "skipped_files": facts.get("skipped", {}),
        "skipped_names": facts.get("skipped_names", {}),
        "damaged_files": numbers.damaged,
        "identity": facts.get("identity"),
        "open_rejects": rejects.by_reason(checkpoint),
    }
    return found


@dataclass(frozen=True)
class Held:
    """Events of days that are too young to be sent, and when the first of these days may be."""

    events: int = 0
    until: datetime | None = None


def _held(checkpoint: Checkpoint, min_age: float, now: datetime) -> Held:
    """Return what of a workdir is held at a time."""
    first = age.first_held(now, min_age)
    days = [day for day in checkpoint.days() if first is not None and day >= first]
    return Held(checkpoint.unsettled(days[0]), age.goes(days[0], min_age)) if days else Held()


NOTHING: Final[Mapping[str, Any]] = {
    "rows": {"read": 0, "mapped": 0, "filtered": {}, "rejected": {}},
    "events": dict.fromkeys(("planned", "accepted", "duplicate", "parked", "held", "pending"), 0),
    **dict.fromkeys(("requests", "retries", "bytes_sent"), 0),
    **dict.fromkeys(("first_timestamp", "last_timestamp", "held_until", "workdir", "import_id"), None),
    "seconds": 0.0,
    "balanced": True,
    "whole": False,
}
"""The summary of a command that did not come to a workdir."""


def of_run(
    before: Mapping[str, Any], now: Mapping[str, Any], started: datetime, code: int, error: str | None
) -> dict[str, Any]:
    """Return what this process alone did, as `--json` has it under `run`."""
    rows = {name: now["rows"][name] - before["rows"][name] for name in ("read", "mapped")}
    by_reason = {
        name: {
            reason: count - before["rows"][name].get(reason, 0)
            for reason, count in now["rows"][name].items()
            if count != before["rows"][name].get(reason, 0)
        }
        for name in ("filtered", "rejected")
    }
    return {
        "rows": rows | by_reason,
        "events": {name: count - before["events"][name] for name, count in now["events"].items()},
        **{name: now[name] - before[name] for name in ("requests", "retries", "bytes_sent")},
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "exit_code": code,
        "error": error,
    }


def _remarks(facts: Mapping[str, Any], read: int) -> Iterator[str]:
    """Yield what is to be known of a workdir beside its numbers."""
    versions = facts.get("payload_versions", [])
    if len(versions) > 1:
        yield (
            f"planned with payload versions {', '.join(map(str, versions))} of the mapping, one after another: the "
            "same events, some of them with other properties; see the changelog"
        )
    if facts.get("partial"):
        yield "events were sent before the plan was whole, with --partial"
    if not read and "skipped" in facts and not facts.get("set_aside"):
        yield "none of the inputs has a row, so that there is nothing to send"
    if facts.get("people_taken_over"):
        yield "who is who was taken over from the people.sqlite that was there when this workdir was begun"


def _moment(microseconds: int | None) -> str | None:
    """Return microseconds since 1970 as RFC 3339."""
    if microseconds is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def written(workdir: Path, numbers: Mapping[str, Any]) -> None:
    """Write report.json, all of it or nothing."""
    beside = workdir / f"{REPORT}.new"
    beside.write_text(json.dumps(numbers, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    synced(beside)
    beside.replace(workdir / REPORT)


def command(checkpoint: Checkpoint, numbers: Mapping[str, Any], *, sending: bool = True) -> str | None:
    """Return the command that goes on with a workdir, None when everything is settled."""
    facts = checkpoint.facts()
    if not numbers["whole"]:
        return str(next(iter(facts.get("plan_commands", [])), facts.get("command")))
    if sending and numbers["events"]["pending"] and facts.get("sending"):
        return str(facts["command"])
    workdir = shlex.quote(str(checkpoint.workdir))
    host = f" --host {facts['target']}" if "target" in facts else " --host …"
    if (min_age := facts.get("min_age")) is not None and min_age != age.usual(facts.get("target", "")):
        host += f" --min-age {min_age:g}"
    if numbers["events"]["pending"]:
        return f"migrate apply {workdir}{host}"
    if numbers["events"]["parked"]:
        return f"migrate resend {workdir}{host}"
    if numbers["events"]["held"]:
        return f"migrate apply {workdir}{host}"
    return None


@dataclass
class Talk:
    """What the user hears on stderr, and the JSON summary on stdout."""

    quiet: bool = False
    as_json: bool = False
    _last: float = field(default=0.0, init=False)

    @property
    def console(self) -> "Console":
        """The terminal, or what stands in for one."""
        from rich.console import Console  # noqa: PLC0415 - slow to import

        class Screen(Console):
            """A terminal on which text from elsewhere stays text."""

            def print(self, *objects: Any, **how: Any) -> None:  # noqa: ANN401
                """Print what is shown of these texts."""
                super().print(*(shown(one) if isinstance(one, str) else one for one in objects), **how)

        return Screen(stderr=True, highlight=False, soft_wrap=True)

    def json(self, numbers: Mapping[str, Any]) -> None:
        """Print the summary, if it was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(numbers, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def warn(self, text: str) -> None:
        """Tell what is worth knowing while work goes on, also where only warnings and errors are wanted."""
        sys.stderr.write(f"warning: {shown(text)}\n")

    @contextmanager
    def planning(self) -> "Iterator[Callable[[Progress], None]]":
        """Show how far planning is."""
        with self._line("planning", "rows") as show:
            yield lambda now: show(
                now.rows,
                None,
                f"{now.done_files}/{now.total_files} files",
                now.done_bytes,
                now.total_bytes,
                now.phase,
            )

    @contextmanager
    def applying(self, numbers: Mapping[str, Any]) -> Iterator[Callable[[Settled], None]]:
        """Show how far sending is."""
        events = numbers["events"]
        total = events["planned"] - events["held"]
        done = total - events["pending"]
        with self._line("sending", "events") as show:

            def settled(more: Settled) -> None:
                nonlocal done
                done += more.accepted + more.duplicate + more.parked
                show(done, total, "", done, total)

            yield settled

    @contextmanager
    def _line(self, phase: str, unit: str) -> Iterator[Callable[..., None]]:
        """Give a function that shows progress: a live line on a terminal, plain lines elsewhere."""
        began = time.monotonic()
        if self.quiet:
            yield lambda *_: None
            return
        console = self.console
        if not console.is_terminal:
            yield lambda *now: self._plain(phase, unit, began, *now)
            return
        with console.status(phase) as live:
            yield lambda *now: live.update(_progress(phase, unit, began, *now))

    def _plain(self, phase: str, unit: str, began: float, *now: Any) -> None:  # noqa: ANN401
        """Print a line every few seconds."""
        if time.monotonic() - self._last >= _PLAIN_SECONDS:
            if self._last:
                self.console.print(_progress(phase, unit, began, *now), markup=False)
            self._last = time.monotonic()

    def status(self, numbers: Mapping[str, Any], next_command: str | None) -> None:
        """Show what became of every row and event, and what to do next."""
        if self.quiet:
            return
        console = self.console
        _rows(console, numbers)
        events = numbers["events"]
        console.print(
            f"events   {events['planned']:>12,} planned: {events['accepted']:,} accepted, {events['duplicate']:,} "
            f"duplicate, {events['parked']:,} parked, {events['held']:,} held, {events['pending']:,} pending"
        )
        if events["held"]:
            console.print(
                f"held     {events['held']:>12,} events that are too young; the first of them may go from "
                f"{numbers['held_until']} on"
            )
        _people(console, numbers["identity"])
        _notes(console, numbers)
        if numbers["requests"]:
            console.print(
                f"sent     {numbers['requests']:>12,} requests, {numbers['retries']:,} retries, "
                f"{amount(numbers['bytes_sent'])}, {numbers['seconds']:.1f} s"
            )
        if numbers["workdir"]:
            console.print(f"workdir  {numbers['workdir']}", markup=False)
            if numbers["open_rejects"]:
                console.print("         rejected rows, to mend and plan again: rejects.jsonl there")
            if events["parked"]:
                console.print("         parked events, with PostHog's own words: parked.jsonl there")
        if next_command:
            console.print(f"next     {next_command}", markup=False)

    def rejects(self, checkpoint: Checkpoint, numbers: Mapping[str, Any]) -> None:
        """List what is open, by reason: rows with where the first of them are, files with why, parked events."""
        if self.quiet:
            return
        console = self.console
        for reason, count in sorted(numbers["open_rejects"].items(), key=lambda item: -item[1]):
            places = {reason: rejects.places(checkpoint, reason)}
            console.print(f"rejected {count:>12,} {reason}{_places(places, reason)}", markup=False)
        if numbers["open_rejects"]:
            _mending(console, checkpoint)
        for name, one in checkpoint.set_aside().items():
            if not one.is_dismissed:
                console.print(f"aside    {one.reason}: {name}: {one.why}", markup=False)
        for words, count in parked.by_words(checkpoint).items():
            console.print(f"parked   {count:>12,} {words}", markup=False)
        if numbers["events"]["parked"]:
            console.print(
                "         to send them again, once the cause is fixed or their payloads are mended in parked.jsonl: "
                f"migrate resend {shlex.quote(str(checkpoint.workdir))}",
                markup=False,
            )
        if not (numbers["open_rejects"] or numbers["set_aside"] or numbers["events"]["parked"]):
            console.print("nothing is open")

    def arrived(self, sandbox: "Sandbox") -> None:
        """Show what a sandbox has stored."""
        if self.quiet:
            return
        stored = sandbox.summary()["collapsed"]
        console = self.console
        console.print(
            f"arrived in the sandbox: {stored['events']:,} events of {stored['distinct_ids']:,} people"
        )
        _bars(console, "event", stored["by_event"])
        console.print("the first of them", style="bold")
        for event in sandbox.events("collapsed", limit=_FIRST):
            texts = (event[name] for name in ("timestamp", "event", "distinct_id"))
            console.print(" ", *texts, f"({len(event['properties'])} properties)", markup=False)
        console.print()

    def plan(self, checkpoint: Checkpoint) -> None:
        """Show what is planned: by day and event name, and how long sending takes."""
        console = self.console
        _bars(console, "day", checkpoint.by_day())
        names = checkpoint.numbers().names
        _bars(console, "event", dict(names.most_common()))
        planned, payloads, first, last = checkpoint.extent()
        if not planned:
            return
        console.print(f"people   {people(checkpoint):>12,} distinct ids (estimated)")
        console.print(f"time     {_moment(first)} to {_moment(last)}")
        console.print(
            f"size     {amount(payloads)} of payloads in about {batches(checkpoint, _EVENTS):,} batches"
        )
        console.print(f"sending  about {timedelta(seconds=round(planned / _RATE))} at {_RATE:,.0f} events/s")

    def dry_run(self, checkpoint: Checkpoint, numbers: Mapping[str, Any], previews: "list[Preview]") -> None:
        """Show everything there is to know before sending."""
        if self.quiet:
            return
        console = self.console
        self.plan(checkpoint)
        console.print()
        _rows(console, numbers, checkpoint.numbers().examples)
        _people(console, numbers["identity"])
        _notes(console, numbers, checkpoint.numbers().examples)
        for one in previews:
            console.print("\nrow", one.source, markup=False)
            for payload in one.payloads:
                console.print("  →", payload, markup=False)
            if not one.payloads:
                console.print(f"  → no event: {one.why}", markup=False)
        console.print("\nnothing was sent", markup=False)


def people(checkpoint: Checkpoint) -> int:
    """Return about how many distinct ids are planned, in flat memory."""
    import polars as pl  # noqa: PLC0415 - slow to import

    paths = [checkpoint.workdir / path for path in sorted(checkpoint.part_paths())]
    frame = pl.scan_parquet(paths).select(pl.col("distinct_id").approx_n_unique())
    return int(frame.collect(engine="streaming").item())


def batches(checkpoint: Checkpoint, events: int) -> int:
    """Return about how many requests of so many events the plan takes: a batch never mixes days."""
    return sum(-(-count // events) for count in checkpoint.by_day().values())


def _rows(
    console: "Console", numbers: Mapping[str, Any], examples: Mapping[str, list[str]] | None = None
) -> None:
    """Print what became of the rows."""
    rows = numbers["rows"]
    filtered, rejected = sum(rows["filtered"].values()), sum(rows["rejected"].values())
    console.print(
        f"rows     {rows['read']:>12,} read: {rows['mapped']:,} mapped, {filtered:,} filtered, {rejected:,} rejected"
    )
    for kind in ("filtered", "rejected"):
        for reason, count in sorted(rows[kind].items(), key=lambda item: -item[1]):
            console.print(f"         {count:>12,} {kind}: {reason}{_places(examples, reason)}", markup=False)


def _several(count: int, what: str) -> str:
    """Return a count of things in words."""
    return f"{count:,} {_named(count, what)}"


def _named(count: int, what: str) -> str:
    """Return what so many things are called."""
    return what if count == 1 else f"{what}s"


def _people(console: "Console", identity: Mapping[str, Any] | None) -> None:
    """Print who is who: how many people, which ids they have, who could not be made one."""
    if not identity or not (identity["links"] or identity["resolved"] or identity["refused"]):
        return
    console.print(
        f"people   {identity['people']:>12,} known: {_several(identity['links'], 'link')}, "
        f"{_several(identity['merges'], 'merge')} planned, {_several(identity['resolved'], 'id')} resolved by the "
        "source itself"
    )
    if identity["clusters"]:
        sizes = ", ".join(f"{count:,} of {size}" for size, count in identity["clusters"].items())
        console.print(
            f"clusters {sum(identity['clusters'].values()):>12,} of ids that belong together: {sizes} ids"
        )
    for cluster in identity["largest"]:
        _cluster(console, cluster)
    if identity["conflicts"]:
        console.print(
            f"conflict {identity['conflicts']:>12,} of the clusters with several known people, who stay apart; an "
            "anonymous id went to the first it was seen with",
            style="yellow",
        )
    for cluster in identity["conflicting"]:
        _cluster(console, cluster)
    if identity["anonymous"]:
        console.print(
            f"         {identity['anonymous']:>12,} clusters in which nobody is known, left as they are"
        )
    for reason, count in identity["refused"].items():
        console.print(f"refused  {count:>12,} {_named(count, 'link')}: {reason}")


def _cluster(console: "Console", cluster: Mapping[str, Any]) -> None:
    """Print one cluster's size and first ids."""
    ids = ", ".join(name[:40] for name in cluster["ids"])
    more = ", …" if cluster["size"] > len(cluster["ids"]) else ""
    console.print(f"         {cluster['size']:>12,} ids: {ids}{more}", markup=False)


def _places(examples: Mapping[str, list[str]] | None, reason: str) -> str:
    """Return where rows of this reason are, in brackets."""
    places = ", ".join((examples or {}).get(reason, []))
    return f"  (at {places})" if places else ""


def _mending(console: "Console", checkpoint: Checkpoint) -> None:
    """Print how rejected rows are mended."""
    workdir = shlex.quote(str(checkpoint.workdir))
    platform = checkpoint.facts().get("platform", "PLATFORM")
    console.print(
        f"         to mend them: cp {shlex.quote(str(checkpoint.workdir / REJECTS))} mended.jsonl, mend what its lines "
        "have as `source`, and plan it, with the options of the first plan: migrate plan "
        f"{platform} mended.jsonl --workdir {workdir}; or mend the file they come from and plan it --again; "
        "or --dismiss REASON",
        markup=False,
    )


def _notes(
    console: "Console", numbers: Mapping[str, Any], examples: Mapping[str, list[str]] | None = None
) -> None:
    """Print what was changed, what to be aware of, what was passed over."""
    for reason, count in numbers["repairs"].items():
        console.print(f"changed  {count:>12,} {reason}")
    for reason, count in numbers["warnings"].items():
        why = f": {_WHY[reason]}" if reason in _WHY else ""
        console.print(
            f"warning  {count:>12,} {reason}{why}{_places(examples, reason)}", style="yellow", markup=False
        )
    for name in numbers["damaged_files"][:_SHOWN]:
        console.print(f"         {name}", style="yellow", markup=False)
    if dropped := numbers["dropped_columns"]:
        some = ", ".join(list(dropped)[:_SHOWN]) + (", …" if len(dropped) > _SHOWN else "")
        console.print(f"dropped  {len(dropped):>12,} {_named(len(dropped), 'column')}: {some}", markup=False)
    for name, why in list(numbers["set_aside"].items())[:_SHOWN]:
        console.print(f"aside    {name}: {why}", style="yellow", markup=False)
    for note in numbers["notes"]:
        console.print(f"note     {note}", markup=False)
    for reason, count in numbers["skipped_files"].items():
        names = numbers["skipped_names"].get(reason, [])
        places = f"  ({', '.join(names)}{', …' if count > len(names) else ''})" if names else ""
        console.print(f"skipped  {count:>12,} {_named(count, 'file')}: {reason}{places}", markup=False)


def _bars(console: "Console", title: str, counts: Mapping[str, int]) -> None:
    """Print counts as bars; of many days neighbours are put together, of many names the rest."""
    if not counts:
        return
    shown = _grouped(counts) if title == "day" else _topped(counts)
    width = max(len(name) for name in shown)
    most = max(shown.values())
    console.print(f"events by {title}", style="bold")
    for name, count in shown.items():
        bar = "█" * max(1, round(count * _BAR / most))
        console.print(f"  {name:<{width}} {count:>12,} {bar}", markup=False)


def _grouped(by_day: Mapping[str, int]) -> dict[str, int]:
    """Return counts by day, month or year: the finest that still fits a screen."""
    for length in (10, 7, 4):
        counts: Counter[str] = Counter()
        for day, count in by_day.items():
            counts[day[:length]] += count
        if len(counts) <= 2 * _SHOWN:
            return dict(counts)
    return dict(counts)


def _topped(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the largest counts, and the sum of the others."""
    pairs = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = {name[:60]: count for name, count in pairs[:_SHOWN]}
    if rest := pairs[_SHOWN:]:
        shown[f"({len(rest)} more)"] = sum(count for _, count in rest)
    return shown


def _progress(  # noqa: PLR0913, PLR0917 - the words of one line
    phase: str,
    unit: str,
    began: float,
    done: int,
    total: int | None,
    more: str,
    part: int,
    whole: int,
    now: str = "",
) -> str:
    """Return one line of progress: done, rate, what is left."""
    elapsed = max(time.monotonic() - began, 0.001)
    of = f"/{total:,}" if total else ""
    left = timedelta(seconds=round(elapsed * (whole - part) / part)) if part else "?"
    parts = [f"{now or phase}: {done:,}{of} {unit}", f"{done / elapsed:,.0f}/s", more, f"{left} left"]
    return " · ".join(text for text in parts if text)
