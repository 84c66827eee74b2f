"""Numbers of inputs add up, and come back from the checkpoint as they were."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonvalues import COMPARED
from samples import examples

from migrate.workdir.records import Numbers

WORDS = st.sampled_from(["", "a", "é", '"', "\\", "\n"])
COUNTS = st.dictionaries(WORDS, st.integers(1, 2**40), max_size=3).map(Counter)
NUMBERS = st.builds(
    Numbers,
    read=st.integers(0, 2**40),
    mapped=st.integers(0, 2**40),
    **dict.fromkeys(("filtered", "rejected", "repairs", "warnings", "names", "dropped"), COUNTS),
    group_types=st.sets(WORDS, max_size=3),
    damaged=st.lists(WORDS, max_size=2),
    examples=st.dictionaries(st.sampled_from("abc"), st.lists(WORDS, min_size=1, max_size=3), max_size=3),
)
FEWER = settings(COMPARED, max_examples=examples(40))


@given(NUMBERS)
@FEWER
def test_numbers_come_back_as_they_were_kept(numbers):
    """All but the names of events, which are kept apart."""
    back = Numbers.from_json(numbers.to_json())
    assert (back.names, vars(back) | {"names": 0}) == (Counter(), vars(numbers) | {"names": 0})
    assert back.to_json() == numbers.to_json()


@given(st.lists(NUMBERS, max_size=4))
@FEWER
def test_numbers_add_up(several):
    """Each count of a whole is the sum of its parts'; of a reason at most three examples are kept, the first ones."""
    whole, before = Numbers(), [numbers.to_json() for numbers in several]
    for numbers in several:
        whole.add(numbers)
    assert [numbers.to_json() for numbers in several] == before
    assert whole.read == sum(numbers.read for numbers in several)
    assert whole.mapped == sum(numbers.mapped for numbers in several)
    for name in ("filtered", "rejected", "repairs", "warnings", "names", "dropped"):
        assert getattr(whole, name) == sum((getattr(numbers, name) for numbers in several), Counter())
    assert whole.group_types == {one for numbers in several for one in numbers.group_types}
    assert whole.damaged == [one for numbers in several for one in numbers.damaged]
    for reason in "abc":
        places = [place for numbers in several for place in numbers.examples.get(reason, [])]
        assert whole.examples.get(reason, []) == places[:3]
