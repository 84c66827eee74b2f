"""A file of the plan that is harmed → what is said of it: its day, its sources, and what to do."""

import re
import shlex
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from migrate.errors import Refused
from migrate.workdir import lost, rounds, spans
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.depot import DAYS
from migrate.workdir.records import BEFORE
from migrate.workdir.seals import Harmed, Kept, Seal
from migrate.workdir.typed import RESEND_LOST, operand

COST: Final = (
    "sends again what is planned of its events: PostHog keeps the same event once, but one whose time or person has "
    "changed since then twice"
)
"""What it means to go on without a file that was sent."""
HALF: Final = "what was not sent of a day that is half sent does not go, unless its source is planned anew"
"""What it means beside, where not all of it was sent."""
_SHOWN: Final = 3


def unsent(checkpoint: Checkpoint, *, under_way: bool = True) -> Generator[Kept]:
    """Yield the file of each part with events that are not settled, the oldest day first; to be closed.

    Those that are `lost.needed`, as they are `under_way`, are left out where that is said.
    """
    sql = f"""
        SELECT path, size, sums FROM parts LEFT JOIN rounds USING (day, round)
        WHERE NOT coalesce(done, 0) AND (? OR NOT coalesce({lost.UNDER_WAY}, 0)) ORDER BY parts.day, path
    """  # noqa: S608 - our own words
    for path, size, sums in checkpoint.query(sql, (under_way,)):
        yield Kept(checkpoint.workdir / path, Seal(size, sums))


def sources(checkpoint: Checkpoint, path: str) -> list[str]:
    """Return the names of the inputs whose events (or states) are in the file with this path."""
    sql = """
        SELECT name FROM inputs WHERE home IN (SELECT input FROM parts WHERE path = ?1)
        OR lead IN (SELECT input FROM spans WHERE path = ?1 UNION SELECT ?2) ORDER BY id
    """
    states = re.fullmatch(r"states/(\d+)\.states", path)
    rows = checkpoint.query(sql, (path, states and int(states[1])))
    return [name.partition(BEFORE)[0] for (name,) in rows]


@contextmanager
def explaining(checkpoint: Checkpoint) -> Iterator[None]:
    """Raise what is `explained` of a file that is found harmed."""
    try:
        yield
    except Harmed as error:
        raise explained(checkpoint, error) from error


def _others_lost(checkpoint: Checkpoint, path: Path) -> list[str]:
    """Return the paths of spans that are gone, too, where one is harmed: the next would be found after the first."""
    if path.parts[0] != spans.FOLDER:
        return []
    there = {name for some in checkpoint.depot.listed(f"{spans.FOLDER}/") for name in some}
    needed = [one.span.path for one in spans.noted(checkpoint) if not one.is_parted]
    return [one for one in needed if one not in there and one != path.as_posix()]


def explained(checkpoint: Checkpoint, error: Harmed) -> Refused:
    """Return the error with what the checkpoint knows of the file; as it is where that is nothing."""
    path = error.path.relative_to(checkpoint.workdir)
    of_each = [sources(checkpoint, one) for one in [path.as_posix(), *_others_lost(checkpoint, path)]]
    if not of_each[0]:
        return error
    if lost.is_sent(checkpoint, path.as_posix()) or lost.is_under_way(checkpoint, path.as_posix()):
        return _of_sent(checkpoint, error, path.as_posix(), of_each[0])
    names = [*dict.fromkeys(name for of_one in of_each for name in of_one)]
    shown = _shown(names)
    firsts = dict.fromkeys(
        of_one[0] for of_one in of_each
    )  # what was planned together is planned anew together
    way = f"plan {'it' if len(firsts) == 1 else 'them'} anew, with {' '.join(f'--again {one}' for one in firsts)}"
    if names[0].startswith("("):
        shown = "what all sources together say of people"
        way = "plan them into a new --workdir: what was sent already collapses with what is sent again"
    is_part = path.parts[0] in {DAYS, spans.FOLDER}
    where, left = checkpoint.depot.shown(path.as_posix()) if is_part else str(error.path), ""
    if path.parts[0] == DAYS:
        left = f"; nothing of this day ({path.parts[1]}) or a later one is sent any more"
    return Refused(f"{where}: harmed since it was planned, {error.why}{left}; it is of {shown}: {way}")


def _of_sent(checkpoint: Checkpoint, error: Harmed, path: str, names: Sequence[str]) -> Refused:
    """Return what is said of a file that was sent: its source puts it back, or what it held may be sent again."""
    day = path.split("/")[1]
    of_all = "what all sources together say of people"
    shown = of_all if names[0].startswith("(") else _shown(names)
    where = f"{checkpoint.depot.shown(path)}: harmed since it was sent, {error.why}; it is of {shown}"
    again = f"plan it anew, with --again {names[0]}"
    if day not in rounds.days(checkpoint):  # it is read for nothing but to be compared
        way = again if standing(checkpoint, path) else "put it back from a copy of the workdir"
        return Refused(f"{where}: {way}; what was sent stays in PostHog")
    resend = shlex.join(["migrate", "apply", operand(str(checkpoint.workdir)), RESEND_LOST])
    way = f"'{resend}' {COST}" + (f"; {HALF}" if lost.is_under_way(checkpoint, path) else "")
    if standing(checkpoint, path):
        way = f"{again}; where that is not there, or not what it was, {way}"
    return Refused(
        f"{where}, and tells which events of {day} are sent already; nothing of this day or a later one is sent any "
        f"more: {way}"
    )


def standing(checkpoint: Checkpoint, path: str) -> str | None:
    """Return the first source of a file that was sent; None where it cannot put it back: one is planned anew by now.

    What was planned together is planned anew together, so that one is enough.
    """
    return next(iter(all_standing(checkpoint, path)), None)


def all_standing(checkpoint: Checkpoint, path: str) -> list[str]:
    """Return all of its sources; none where it cannot be put back."""
    sql = "SELECT name FROM inputs WHERE home = (SELECT input FROM parts WHERE path = ?) ORDER BY id"
    names = [name for (name,) in checkpoint.query(sql, (path,))]
    is_gone = any(BEFORE in name or name.startswith("(") for name in names)
    return [] if is_gone else names


def _shown(names: Sequence[str]) -> str:
    """Return the first of some names."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
