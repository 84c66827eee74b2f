"""Sources that are set aside: noted when found unfit, set right when they are planned, dismissed by people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import Aside

MISREAD: Final = ("wrong_encoding", "nul_bytes", "unclear_dialect", "cut_short")
"""Why text is not to be read as its start shows, which is seen by who reads all of it."""


def note(checkpoint: Checkpoint, found: Mapping[str, Aside]) -> list[str]:
    """Note sources that are set aside; return the names of those that were not, or not as they are now."""
    known = checkpoint.set_aside()
    new = [
        name
        for name, one in found.items()
        if name not in known or (known[name].reason, known[name].stamp) != (one.reason, one.stamp)
    ]
    _keep(checkpoint, known | {name: found[name] for name in new})
    return new


def note_passed_over(checkpoint: Checkpoint, skipped: Mapping[str, Sequence[str]]) -> None:
    """Note the names of sources that a command passes over, by reason."""
    checkpoint.note(
        skipped={reason: len(names) for reason, names in skipped.items()},
        skipped_names={reason: [*names] for reason, names in skipped.items()},
    )


def note_misread(
    checkpoint: Checkpoint, skipped: Mapping[str, Sequence[str]], found: Mapping[str, Aside]
) -> None:
    """Note those of what was found that are misread as passed over, too, and as no inputs: others are asked for."""
    misread = {name: one.reason for name, one in found.items() if one.reason in MISREAD}
    if misread:
        names = {reason: [*some] for reason, some in skipped.items()}
        for name, reason in misread.items():
            names.setdefault(reason, []).append(name)
        note_passed_over(checkpoint, names)
        checkpoint.unregister(misread)


def set_right(checkpoint: Checkpoint, names: Iterable[str]) -> None:
    """Set these sources aside no more: they are again what was planned."""
    right = set(names)
    _keep(checkpoint, {name: one for name, one in checkpoint.set_aside().items() if name not in right})


def dismiss(checkpoint: Checkpoint, reason: str) -> int:
    """Dismiss the sources that are set aside for this reason; return how many they are."""
    known = checkpoint.set_aside()
    meant = [name for name, one in known.items() if one.reason == reason and not one.is_dismissed]
    _keep(checkpoint, known | {name: replace(known[name], is_dismissed=True) for name in meant})
    return len(meant)


def _keep(checkpoint: Checkpoint, sources: Mapping[str, Aside]) -> None:
    checkpoint.note(set_aside={name: [*vars(one).values()] for name, one in sources.items()})
