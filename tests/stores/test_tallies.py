from hypothesis import given
from hypothesis import strategies as st

from migrate.stores.tallies import BLOCK, Tally, spans


def test_blocks_are_named_and_told_by_their_digests():
    """Whatever the order in which they were read, and however many at once; what was read twice counts once."""
    data = memoryview(bytes(BLOCK) + b"1" * BLOCK + b"2" * BLOCK + b"3" * 10)
    one, two = Tally(), Tally()
    one.add(0, data[: 2 * BLOCK])
    one.add(3 * BLOCK, data[3 * BLOCK :])
    for start in (3 * BLOCK, BLOCK, 0, BLOCK):
        two.add(start, data[start : start + BLOCK])
    assert one.text() == two.text()
    assert one.text().startswith("0-1,3-3:")
    assert [*spans(one.text())] == [(0, 2 * BLOCK), (3 * BLOCK, 4 * BLOCK)]
    two.add(2 * BLOCK, data[2 * BLOCK : 3 * BLOCK])
    assert two.text().startswith("0-3:")
    three = Tally()
    three.add(0, memoryview(b"1" * BLOCK))
    assert three.text().partition(":")[0] == "0-0"
    assert three.text() != one.text()


@given(st.sets(st.integers(0, 40)))
def test_the_names_of_blocks_lead_back_to_them(numbers):
    """Also where none was read."""
    tally = Tally()
    for number in numbers:
        tally.add(number * BLOCK, memoryview(b"%d" % number))
    named = {place // BLOCK for start, end in spans(tally.text()) for place in range(start, end, BLOCK)}
    assert named == numbers
    assert [*spans("0f" * 32)] == []  # the digest of a file
