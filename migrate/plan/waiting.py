"""Files of states that wait in the workdir until all events are planned, when they are told."""

from pathlib import Path
from typing import Final

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.disk import sync
from migrate.workdir.seals import Kept, Seal

STATES: Final = "states"
"""The folder they wait in."""


def keep_states(workdir: Path, states: Path) -> Kept:
    """Move one source's states to where they wait, sealed and durably."""
    seal = Seal.of(states)
    sync(states)
    folder = workdir / STATES
    folder.mkdir(exist_ok=True)
    place = states.replace(folder / states.name)
    sync(folder)
    return Kept(place, seal)


def tidy_states(checkpoint: Checkpoint) -> None:
    """Remove files of states that are told, or that were never noted."""
    folder = checkpoint.workdir / STATES
    waiting = {kept.path for kept in checkpoint.states()}
    for path in folder.glob("*.states"):
        if path not in waiting:
            path.unlink()
    if not waiting and folder.exists():
        folder.rmdir()
