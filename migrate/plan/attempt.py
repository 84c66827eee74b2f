"""Sources that are being planned: what is written aside of them until they are noted."""

from dataclasses import dataclass, field
from pathlib import Path

from migrate.people.statefiles import States
from migrate.plan.bundles import Bundle
from migrate.workdir.checkpoint import Input, Numbers
from migrate.workdir.days import DayWriter


@dataclass
class Attempt:
    """Sources planned aside; what is kept under an input's number is kept under the first's."""

    inputs: list[Input]
    writer: DayWriter
    states: States
    bundle: Bundle
    numbers: Numbers = field(default_factory=Numbers)

    measured: int = 0
    """Bytes of the sources that were read when what is written was last counted."""

    def __post_init__(self) -> None:
        self.originals = self.bundle.originals()
        self.places = self.bundle.places()

    def read(self) -> int:
        """Return how many bytes of the sources, as they lie on the disk, are read."""
        jobs = self.bundle.jobs
        return sum(int(one.source.size * one.source.meter.share) for one in jobs if one.source.meter)

    @property
    def rejects(self) -> Path:
        """Where the rejects are until the inputs are noted."""
        return self.writer.aside.with_suffix(".rejects")
