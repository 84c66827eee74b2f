"""Why planning or sending stopped before its end, noted in the checkpoint when it does."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from migrate.errors import Stopped
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.hold import writable

Phase = Literal["planning", "sending"]
KILLED: Final = "killed"
"""Why a process has stopped that could not say so."""


@dataclass(frozen=True)
class Stop:
    """Why it stopped: a word or an option; when, in UTC, as ISO 8601 (None: not known); the message that was shown."""

    why: str
    at: str | None = None
    message: str | None = None


def note(checkpoint: Checkpoint, phase: Phase, why: str, message: str | None = None) -> Stop:
    """Note why a phase stopped, and return it; a disk that takes no note is no matter, it has stopped the phase."""
    stop = Stop(why, datetime.now(UTC).isoformat(timespec="seconds"), message)
    with suppress(Stopped), writable(checkpoint.workdir):
        checkpoint.note(**{_fact(phase): vars(stop)})
    return stop


def begun(phase: Phase) -> dict[str, object]:
    """Return the facts of a phase that begins."""
    return {phase: True, _fact(phase): None}


def last(facts: Mapping[str, Any], phase: Phase) -> Stop:
    """Return why a phase, which is not under way, stopped before its end."""
    noted = facts.get(_fact(phase))
    return Stop(**noted) if noted else Stop(KILLED)


def _fact(phase: Phase) -> str:
    return f"{phase}_stop"
