"""The screen of `migrate rejects`: what is open, by reason and in whose words, where it is, and how it is mended."""

import itertools
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from migrate import numbering
from migrate.inputs.names import archive_of, source_name
from migrate.report import commands
from migrate.report.numbers import Summary
from migrate.report.sections import Line, labelled, places
from migrate.screen import counted, plural
from migrate.workdir import origins, parked, rejects, standing
from migrate.workdir.checkpoint import REJECTS, Checkpoint
from migrate.workdir.parked import PARKED
from migrate.workdir.records import BEFORE
from migrate.workdir.typed import operand

_MOST: Final = 15
_FEW: Final = 3
_NO_ROW: Final = "mend their `value`, the text that was no row, to a JSON object (or give them a `source`)"
_OF_FILE: Final = "the file itself is to be mended or fetched again, and planned --again"
_THEN: Final = "fetch the file again, or mend it, and plan it anew; or --dismiss REASON, if it is meant:"
_HOW: Final = {
    "malformed_json": _NO_ROW,
    "ragged_row": _NO_ROW,
    **dict.fromkeys(standing.OF_FILE, _OF_FILE),
}
"""Reason -> what is to be mended, where that is no column."""
_TIME: Final = ("wanted in their `source`: a time that can be read, in", ", or where that is empty ")
_LACKING: Final = {
    "no_distinct_id": ("wanted in their `source`: an id, in", " or "),
    "no_timestamp": _TIME,
    "bad_timestamp": _TIME,
}
"""Reason -> what is wanted, and what stands between the columns that decide it."""


def lines(checkpoint: Checkpoint, numbers: Summary) -> Iterator[Line]:
    """Yield rejected rows with where the first of them are, files with why they are set aside, parked events."""
    yield from _rejected(checkpoint, numbers)
    yield from _aside(checkpoint, numbers)
    yield from refused(checkpoint)
    if numbers.open_parked:
        needs = commands.needs(commands.to_target(checkpoint, "resend"))
        yield from (labelled("", need) for need in needs)
        yield labelled("", "or --dismiss parked, if they are not to be sent")
    if not (numbers.open_rejects or numbers.set_aside or numbers.open_parked):
        yield Line("nothing is open: no row is rejected, no file set aside, no event refused by PostHog")
    yield from _closed(numbers)


def how(reason: str, wanted: Mapping[str, Sequence[str]]) -> str:
    """Return what is to be mended of rows rejected for a reason: `wanted` are the columns that decide it, by table."""
    if reason not in _LACKING:
        return _HOW.get(reason, "")
    what, between = _LACKING[reason]
    names = {between.join(f"`{name}`" for name in columns): table for table, columns in wanted.items()}
    some = [f"{columns} (of {table})" if len(names) > 1 else columns for columns, table in names.items()]
    return f"{what} {'; '.join(some[:_FEW])}{'; …' if len(some) > _FEW else ''}" if some else ""


def _rejected(checkpoint: Checkpoint, numbers: Summary) -> Iterator[Line]:
    """Yield what is rejected, by reason, and how it is mended."""
    wanted = checkpoint.numbers().wanted
    for reason, count in sorted(numbers.open_rejects.items(), key=lambda item: -item[1]):
        at = places(standing.places(checkpoint, reason))
        yield labelled("rejected", f"{counted(count, 'row')}: {reason}{at}")
        if way := commands.fetched(checkpoint, [reason]):
            yield labelled("", _THEN)
            yield labelled("", "", command=way)
        elif mending := how(reason, wanted.get(reason, {})):
            yield labelled("", mending)
    if numbers.open_rejects.keys() - standing.OF_FILE:
        yield from _mending(checkpoint)


def _aside(checkpoint: Checkpoint, numbers: Summary) -> Iterator[Line]:
    """Yield what is set aside, and how that is set right."""
    for name, one in checkpoint.set_aside().items():
        if not one.is_dismissed:
            yield labelled("aside", f"{one.reason}: {name}: {one.why}")
    if numbers.set_aside and "--again" in (way := commands.set_right(checkpoint)):
        yield labelled("", "to plan what is there now: ", command=way)
    if numbers.set_aside:
        yield labelled("", "or --dismiss REASON, if what is planned is all that is wanted of them")


def left_aside(names: Sequence[str], way: str | None) -> str:
    """Return that these files are set aside, with the command that goes on, in a sentence."""
    some = ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")
    return f"{counted(len(names), 'file')} set aside, not planned: {some}" + (f"; next: {way}" if way else "")


def left_open(numbers: Summary, way: str | None) -> str:
    """Return what is open, with the command that lists it, in a sentence."""
    rows, events, files = sum(numbers.open_rejects.values()), numbers.open_parked, len(numbers.set_aside)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in numbers.open_rejects.items())
    found = [
        *([f"{counted(rows, 'row')} rejected ({reasons})"] if rows else []),
        *([f"{counted(events, 'event')} parked"] if events else []),
        *([f"{counted(files, 'file')} set aside"] if files else []),
    ]
    text = ", ".join(found) or "rows were rejected or events parked that are not open any more"
    return f"{text}{f'; next: {way}' if way else ''}"


def resent(checkpoint: Checkpoint, before: int) -> Iterator[Line]:
    """Yield what became of events that were parked `before` they were sent again: what is still refused, and why."""
    left = sum(one.events for one in parked.refusals(checkpoint))
    if not before:
        yield labelled("resent", "nothing: no event was refused by PostHog")
        return
    still = f"{left:,} still refused" if left else "none is refused any more"
    yield labelled(
        "resent", f"{counted(before, 'event')} refused before: {before - left:,} accepted, {still}"
    )
    yield from refused(checkpoint)


def mended(checkpoint: Checkpoint, copies: Sequence[str], before: Summary, now: Summary) -> Iterator[Line]:
    """Yield how many rejected rows a command has mended with copies, if any, what is rejected again, and still."""
    count = now.mended_rejects - before.mended_rejects
    again, (late, found) = standing.again(checkpoint, copies), origins.sent_otherwise(checkpoint, copies)
    if count <= 0 and not again and not late:
        return
    left = ", ".join(f"{count:,} {reason}" for reason, count in now.open_rejects.items())
    still = f"still rejected: {left}" if left else "none is rejected any more"
    yield labelled("mended", f"{max(count, 0):,} rejected {plural(count, 'row')}; {still}")
    for one in again:
        what = (
            "rejected again" if not one.is_dismissed else "dismissed before, rejected again: stays dismissed"
        )
        rows = f"{counted(one.rows, 'row')} of the copy {what}"
        yield labelled("", f"{rows}: {one.reason}{places(one.places)}")
    if late:
        at = places([numbering.place(archive_of(name), row) for name, row in found])
        yield labelled(
            "",
            f"{counted(late, 'event')} of the copy sent before in another form: PostHog keeps that, this is a "
            f"duplicate{at}",
        )


def refused(checkpoint: Checkpoint) -> Iterator[Line]:
    """Yield what PostHog refused, in its own words, and where it is."""
    found = parked.refusals(checkpoint)
    for one in found[:_MOST]:
        some, at = parked.first(checkpoint, one)
        more = ", …" if one.events > len(some) else ""
        yield labelled("parked", f"{counted(one.events, 'event')} refused; PostHog says: {one.words}")
        yield labelled("", f"uuid {', '.join(some)}{more}{places(at)}")
    if rest := found[_MOST:]:
        left = sum(one.events for one in rest)
        yield labelled("parked", f"{counted(left, 'event')} refused in {counted(len(rest), 'other word')}")
    if found:
        file = shlex.quote(operand(str(checkpoint.workdir / PARKED)))
        yield labelled("", f"all of them, each with PostHog's words and its payload: {file}")
        yield labelled(
            "", "once the cause is fixed, or their payloads are mended in that file, send them again:"
        )
        yield labelled("", "", command=commands.to_target(checkpoint, "resend"))


def _mending(checkpoint: Checkpoint) -> Iterator[Line]:
    """Yield how rejected rows are mended."""
    file, copy = shlex.quote(operand(str(checkpoint.workdir / REJECTS))), _free(checkpoint)
    yield labelled("", "to mend them, copy the file, mend the `source` of its lines, and plan the copy:")
    yield labelled("", "", command=f"cp {file} {copy}")
    yield labelled("", "", command=rejects.planning(checkpoint, copy))
    yield labelled(
        "", "or mend the file they come from and plan it --again; or --dismiss REASON, if they are meant"
    )


def _free(checkpoint: Checkpoint) -> str:
    """Return a name for a copy that no file here has, and no input had."""
    planned = {archive_of(name.partition(BEFORE)[0]) for name in checkpoint.inputs()}
    names = itertools.chain(["mended.jsonl"], (f"mended-{number}.jsonl" for number in itertools.count(2)))
    paths = ((name, Path(name).absolute()) for name in names)
    return next(
        name
        for name, path in paths
        if source_name(path.as_posix()) not in planned and not os.path.lexists(path)
    )


def _closed(numbers: Summary) -> Iterator[Line]:
    """Yield how many rejected rows and parked events are open no more."""
    if mended := numbers.mended_rejects:
        yield labelled("mended", f"{counted(mended, 'row')} that had been rejected")
    if dismissed := numbers.dismissed_rejects:
        yield labelled(
            "closed", f"{dismissed:,} rejected {plural(dismissed, 'row')}, dismissed, said no more of"
        )
    if dismissed := numbers.dismissed_parked:
        yield labelled("closed", f"{counted(dismissed, 'parked event')}, dismissed, said no more of")
