"""Sources that are set aside: noted when found unfit, set right when they are planned, dismissed by people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import Aside

MISREAD: Final = ("wrong_encoding", "nul_bytes", "unclear_dialect", "cut_short")
"""Why text is not to be read as its start shows, which is seen by who reads all of it."""
_NOTHING: Final[Mapping[str, Sequence[str]]] = {}
_NO_INPUTS: Final = "DELETE FROM inputs WHERE numbers IS NULL AND name IN (SELECT value FROM json_each(?))"
"""They are not planned, and are not to be as they are."""


def note(
    checkpoint: Checkpoint, found: Mapping[str, Aside], skipped: Mapping[str, Sequence[str]] = _NOTHING
) -> list[str]:
    """Note sources that are set aside; return the names of those that were not, or not as they are now.

    Those that are misread are passed over as the `skipped` are, and are no inputs: others are asked for.
    """
    known = checkpoint.set_aside()
    new = [
        name
        for name, one in found.items()
        if name not in known or (known[name].reason, known[name].stamp) != (one.reason, one.stamp)
    ]
    names = {reason: [*some] for reason, some in skipped.items()}
    misread = [name for name, one in found.items() if one.reason in MISREAD]
    for name in misread:
        if name not in (some := names.setdefault(found[name].reason, [])):
            some.append(name)
    facts = _set_aside(known | {name: found[name] for name in new})
    with checkpoint.change(facts | (_passed_over(names) if misread else {})) as db:
        db.execute(_NO_INPUTS, (json.dumps(misread),))
    return new


def note_passed_over(checkpoint: Checkpoint, skipped: Mapping[str, Sequence[str]]) -> None:
    """Note the names of sources that a command passes over, by reason."""
    checkpoint.note(**_passed_over(skipped))


def set_right(checkpoint: Checkpoint, names: Iterable[str]) -> None:
    """Set these sources aside no more: they are again what was planned."""
    right = set(names)
    left = {name: one for name, one in checkpoint.set_aside().items() if name not in right}
    checkpoint.note(**_set_aside(left))


def dismiss(checkpoint: Checkpoint, reason: str) -> int:
    """Dismiss the sources that are set aside for this reason; return how many they are."""
    known = checkpoint.set_aside()
    meant = [name for name, one in known.items() if one.reason == reason and not one.is_dismissed]
    dismissed = {name: replace(known[name], is_dismissed=True) for name in meant}
    checkpoint.note(**_set_aside(known | dismissed))
    return len(meant)


def _set_aside(sources: Mapping[str, Aside]) -> dict[str, object]:
    """Return the fact that these are set aside."""
    return {"set_aside": {name: [*vars(one).values()] for name, one in sources.items()}}


def _passed_over(names: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Return the facts that these are passed over, by reason."""
    counts = {reason: len(some) for reason, some in names.items()}
    return {"skipped": counts, "skipped_names": {reason: [*some] for reason, some in names.items()}}
