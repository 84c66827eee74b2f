"""All laws in their order, with what each means; what a mapping raises under one breaks it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from migrate.errors import MigrateError
from migrate.laws.alone import alone
from migrate.laws.columns import columns
from migrate.laws.contract import contract
from migrate.laws.ids import ids
from migrate.laws.sample import Broken, Sample
from migrate.own import named_error

Law = Callable[[Sample], Iterable[Broken]]
LAWS: Final[dict[str, tuple[str, Law]]] = {
    "contract": ("what the mapping makes of rows has the columns and types it is to have", contract),
    "columns": (
        "what a row says is passed on, renamed, or dropped by name: nothing is lost without a word",
        columns,
    ),
    "ids": ("a word that means nothing is nobody, and a time that cannot be read is no other time", ids),
    "alone": ("what becomes of a row depends on that row alone", alone),
}
"""Name -> what it means, and what yields what breaks it."""
GOLDEN: Final = ("golden", "the payloads of the sample are those that a person has read and kept")


class Judged(NamedTuple):
    """A law, and what breaks it."""

    name: str
    meaning: str
    broken: Sequence[Broken]


def judged(sample: Sample, place: Callable[[BaseException], str]) -> Iterator[Judged]:
    """Yield every law but the golden; `place` tells where in the mapping an exception comes from."""
    for name, (meaning, law) in LAWS.items():
        yield Judged(name, meaning, [*_tried(law, sample, place)])


def _tried(law: Law, sample: Sample, place: Callable[[BaseException], str]) -> Iterator[Broken]:
    try:
        yield from law(sample)
    except MigrateError as error:
        yield Broken(place(error), str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's functions raise is the user's to mend
        yield Broken(place(error), f"{named_error(error)}; mend it there")
