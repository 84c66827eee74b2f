"""Sources that are set aside: noted when found unfit, set right when they are planned, dismissed by people."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import Aside


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
