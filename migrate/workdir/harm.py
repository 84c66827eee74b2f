"""A file of the plan that is harmed → what is said of it: its day, its sources, and what to do."""

from typing import Final

from migrate.errors import Refused
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.days import DAYS
from migrate.workdir.seals import Harmed

_SHOWN: Final = 3


def explained(checkpoint: Checkpoint, error: Harmed) -> Refused:
    """Return the error with what the checkpoint knows of the file; as it is where that is nothing."""
    path = error.path.relative_to(checkpoint.workdir)
    names = checkpoint.sources(path.as_posix())
    if not names:
        return error
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    way = f"plan it anew, with --again {names[0]}"
    if names[0].startswith("("):
        shown = "what all sources together say of people"
        way = "plan them into a new --workdir: what was sent already collapses with what is sent again"
    left = (
        f"; nothing of this day ({path.parts[1]}) or a later one is sent any more"
        if path.parts[0] == DAYS
        else ""
    )
    return Refused(f"{error.path}: harmed since it was planned, {error.why}{left}; it is of {shown}: {way}")
