"""First rows are the same, whoever plans which file, and in whatever order it is told of."""

from itertools import permutations

from migrate.examples import Example, Examples
from migrate.plan.handing import packed, unpacked
from migrate.preview import Preview
from migrate.settings import Settings


def example(rank, kind="events"):
    """Rows of one file."""
    return Example((kind, True), rank, [Preview(str(rank), [])])


def test_the_first_file_with_a_payload_is_shown_in_whatever_order_files_are_told_of():
    """Of one that is told of twice, as whoever planned it died, nothing is lost."""
    told = [example((True, 0)), example((False, 2)), example((False, 1)), example((False, 1))]
    for order in permutations(told):
        examples = unpacked(packed(Examples(Settings(platform="posthog"), ["a", "b", "c"], 3)))
        taken = [one for one in order if examples.take(one)]
        assert taken[-1] == told[2]
        assert not examples.take(told[0])
