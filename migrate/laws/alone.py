"""What becomes of a row depends on that row alone: chunks are cut anywhere, and planned side by side."""

from collections.abc import Iterator

from migrate.kit.declare import Options
from migrate.laws.outcomes import outcomes
from migrate.laws.sample import Broken, Sample


def alone(sample: Sample) -> Iterator[Broken]:
    """Yield rows that become something else among others than by themselves, or on a second time."""
    for of in sample.rows:
        options = Options()
        whole = outcomes(of, of.rows, options, is_keyed=True)
        again = outcomes(of, of.rows[::-1], options, is_keyed=True)
        for index, row in enumerate(of.rows):
            (single,) = outcomes(of, [row], options, is_keyed=True).of_rows
            others = (single, again.of_rows[len(of.rows) - 1 - index])
            if any(other != whole.of_rows[index] for other in others):
                yield Broken(
                    of.place(index),
                    "becomes something else by itself, or in another order, than among the rows of its file: count "
                    "and look at nothing beside the row, and at no clock",
                )
