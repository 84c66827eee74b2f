"""Sources that are being planned: what is written aside of them until they are noted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TextIO

from migrate import numbering
from migrate.errors import Unfit
from migrate.inputs.source import Source, fingerprint, stamp
from migrate.jsontext.parse import encoded
from migrate.people.statefiles import States
from migrate.plan.bundles import Bundle
from migrate.plan.finished import Finished
from migrate.plan.jobs import Job
from migrate.workdir.days import DayWriter
from migrate.workdir.looks import Look
from migrate.workdir.records import Input, Numbers

_OF_A_CELL: Final = ("rounded_id", "invalid_text", "bad_json")
"""Reasons of rejects that are rows, though the reader could not deliver them."""
DAMAGE: Final = ("truncated_file", "unreadable_file")
"""Reasons of rejects behind which nothing of a file was read."""


@dataclass
class Attempt:
    """Sources planned aside; what is kept under an input's number is kept under the first's."""

    inputs: list[Input]
    writer: DayWriter
    states: States
    bundle: Bundle
    numbers: Numbers = field(default_factory=Numbers)
    look: Look = field(default_factory=Look)
    examined: object | None = None
    """What `Setup.examine` found of its first rows."""

    def __post_init__(self) -> None:
        self.originals = self.bundle.originals()
        self.places = self.bundle.places()

    def begin(self) -> None:
        """Remove what an attempt that was lost has written aside."""
        self.writer.discard()
        self.states.path.unlink(missing_ok=True)
        self.rejects.parent.mkdir(parents=True, exist_ok=True)

    def read(self) -> int:
        """Return how many bytes of the sources, as they lie on the disk, are read."""
        return self.bundle.read()

    @property
    def rejects(self) -> Path:
        """Where the rejects are until the inputs are noted."""
        return self.writer.aside.with_suffix(".rejects")

    def take(self, piece: Finished, lines: TextIO, names: Collection[str]) -> None:
        """Write one chunk's events and rejects, and keep its numbers.

        A row of a rejects.jsonl has the place it had in its own file, where that is one of the inputs' `names`.
        """
        bundle = self.bundle
        examples = {
            reason: [numbering.place(*bundle.whence(int(number))) for number in numbers]
            for reason, numbers in piece.numbers.examples.items()
        }
        damaged = []
        rejected = [one["row"] for one in piece.rejects if "source" in one or one["reason"] in _OF_A_CELL]
        originals = self.originals(rejected) if rejected else {}
        places = self.places([one["row"] for one in piece.rejects])
        for reject in piece.rejects:
            name, row = bundle.whence(reject["row"])
            if reject["row"] in originals:
                reject["source"] = originals[reject["row"]]
            first = places.get(reject["row"])
            if reject["reason"] in DAMAGE and first is None:
                damaged.append(name)
            if first is not None and first.file in names:
                name, row = first
            lines.write(encoded({"file": name} | reject | {"row": row} | _told(row)).decode() + "\n")
        self.numbers.go_on(replace(piece.numbers, examples=examples, damaged=damaged))
        self.look.add(piece.look)
        self.states.write(piece.states)
        if piece.frame.height:
            self.writer.write(piece.frame.with_columns(bundle.files(piece.frame["row"]).alias("file")))

    def seal(self) -> None:
        """Seal what is written, and count the events of each name in it."""
        self.writer.seal()
        self.numbers.names = self.writer.names()


def _told(row: int | None) -> dict[str, object]:
    """Return what people are told of a row whose number is made of its record's and of its place in it.

    The key sorts behind `row`: a copy whose keys were put in order is known by those up to there.
    """
    if row is None or row < numbering.UNFOLDED:
        return {}
    element = numbering.element_of(row)
    return {"unfolded": {"record": numbering.record_of(row)} | ({"element": element} if element else {})}


def fingerprinted(known: Input, job: Job, stamps: Mapping[str, str]) -> Input:
    """Return what is to be noted of an input whose rows were read; raise Unfit where it is not what it was."""
    pinned, stamp_ = fingerprint(job.source), stamps[job.source.name]
    check_unchanged(job.source, stamp_)
    return known._replace(stamp=stamp_, size=pinned.size, digest=pinned.digest, window=job.window)


def check_unchanged(source: Source, before: str) -> None:
    """Raise Unfit when a file is not what it was."""
    if stamp(source) != before:
        why = "changed while it was being planned; wait until it is written, then run again"
        raise Unfit(source.name, "changed", why)
