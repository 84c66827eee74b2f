"""Sources that are planned anew: what was harmed is put back where it is the same, what was not sent is replaced."""

from collections import Counter
from pathlib import Path

from migrate import dayfile
from migrate.checkpoint import Checkpoint, Part, synced
from migrate.seals import Harmed, Seal, present


def settle(checkpoint: Checkpoint) -> None:
    """Settle what was planned anew, file by file, once it is planned whole.

    Where it comes to the very files that were planned before, those that are harmed are put back and all goes on where
    it was. Where it does not, what was planned before and not sent gives way; what was sent stays, and what is the same
    in both is a duplicate.
    """
    if checkpoint.unplanned():
        return
    for before, now in dict.fromkeys(checkpoint.superseded()):
        old, new = checkpoint.parts_of(before), checkpoint.parts_of(now)
        if [_content(part) for part in old] == [_content(part) for part in new]:
            _put_back(checkpoint.workdir, old, new)
            paths = [checkpoint.workdir / part.path for part in new]
            checkpoint.restored(before, now, sum(map(dayfile.names, paths), Counter[str]()))
        else:
            paths = [checkpoint.workdir / path for path in checkpoint.unsent(before)]
            checkpoint.replaced(before, sum(map(dayfile.names, paths), Counter[str]()))
        for path in paths:
            path.unlink(missing_ok=True)
    checkpoint.done_again()


def _content(part: Part) -> tuple[object, ...]:
    """Return what is the same of two parts that hold the same events."""
    return part.day, part.events, part.bytes, part.first, part.last, part.leads, part.seal


def _put_back(workdir: Path, old: list[Part], new: list[Part]) -> None:
    """Put the files that are harmed back, durably."""
    for part, other in zip(old, new, strict=True):
        path = workdir / part.path
        try:
            present(path, part.seal)
            is_sound = Seal.of(path) == part.seal
        except (Harmed, OSError):
            is_sound = False
        if is_sound:
            continue
        beside = path.with_suffix(".new")
        beside.write_bytes((workdir / other.path).read_bytes())
        synced(beside)
        if path.is_dir():
            path.rmdir()
        beside.replace(path)
        synced(path.parent)
