"""Sources that are planned anew: what was harmed is put back where it is the same, what was not sent is replaced."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from migrate.workdir import dayfile, renewal
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.disk import sync
from migrate.workdir.records import Part
from migrate.workdir.rejects import renew
from migrate.workdir.seals import Harmed, Seal, check_present

Pair = tuple[Part, Part]
"""A part that was planned before, and the one that was planned now."""


def settle(checkpoint: Checkpoint) -> None:
    """Settle what was planned anew, as far as it is planned whole; again, if it is killed on the way.

    Where a source is what it was, or comes to the very files that it came to before, those that are harmed are put back
    and all goes on where it was: what was sent counts, also of rows that would now go under another id. Where not, or
    where sources that were planned together are planned apart by now, what was planned before and not sent gives way;
    what was sent stays, and what is the same in both is a duplicate.
    """
    found = renewal.superseded(checkpoint)
    pairs = dict.fromkeys((before, now) for _, before, now in found)
    times = Counter(before for before, _ in pairs)
    for before, now in pairs:
        old, new = checkpoint.parts_of(before), checkpoint.parts_of(now)
        renewed = renewal.renewed(checkpoint, before, now)
        if times[before] == 1 and _is_same(checkpoint, (before, now), (old, new)):
            paths = [part.path for part in new]
            put_back = _put_back(checkpoint.workdir, [*zip(old, new, strict=True)])
            events = _events(checkpoint.workdir, paths)
            with checkpoint.change() as db:
                renew(db, renewed, is_restored=True)
                renewal.restore(db, before, now, events, put_back)
        else:
            paths = renewal.unsent(checkpoint, before)
            events = _events(checkpoint.workdir, paths)
            with checkpoint.change() as db:
                renew(db, renewed, is_restored=False)
                renewal.replace(db, before, events)
        for path in paths:
            (checkpoint.workdir / path).unlink(missing_ok=True)
    if found:
        renewal.forget_superseded(checkpoint, [name for name, _, _ in found])


def _is_same(checkpoint: Checkpoint, leads: tuple[int, int], parts: tuple[list[Part], list[Part]]) -> bool:
    """Return whether what was planned before and now are the same events."""
    old, new = parts
    if [_extent(part) for part in old] != [_extent(part) for part in new]:
        return False
    before, now = (renewal.digests(checkpoint, lead) for lead in leads)
    return before == now or (bool(old) and [part.seal for part in old] == [part.seal for part in new])


def _extent(part: Part) -> tuple[object, ...]:
    """Return of which events a part is, whoever they are of."""
    return part.day, part.events, part.first, part.last, part.leads


def _put_back(workdir: Path, pairs: Sequence[Pair]) -> list[Pair]:
    """Put files in the place of those that are harmed, durably; return which."""
    harmed = [(old, new) for old, new in pairs if not _is_sound(workdir / old.path, old.seal)]
    for old, new in harmed:
        path = workdir / old.path
        beside = path.with_suffix(".new")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes((workdir / new.path).read_bytes())
        sync(beside)
        if path.is_dir():
            path.rmdir()
        beside.replace(path)
        sync(path.parent)
    return harmed


def _is_sound(path: Path, seal: Seal) -> bool:
    """Return whether a file is what it was."""
    try:
        check_present(path, seal)
        return Seal.of(path) == seal
    except (Harmed, OSError):
        return False


def _events(workdir: Path, paths: Sequence[str]) -> Counter[str]:
    """Return how many events of each name these files hold."""
    return sum((dayfile.names(workdir / path) for path in paths), Counter[str]())
