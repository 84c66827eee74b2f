"""Numbers of rows tell record and element, and stay numbers that every program can hold."""

from migrate import numbering


def test_numbers_tell_record_and_element():
    """Below 2^53, as far as files go; of a row that is no element the number is its place."""
    number = numbering.number(800_000_000, numbering.ELEMENTS - 1)
    assert number < 2**53
    assert (numbering.record_of(number), numbering.element_of(number)) == (800_000_000, 9_999_999)
    assert (numbering.record_of(12), numbering.element_of(12)) == (12, 0)


def test_files_that_are_planned_together_have_room_for_their_rows():
    """64 of them, in 64 bits."""
    assert 64 * numbering.FILE < numbering.UNFOLDED
    assert numbering.number(1_000_000_000) < numbering.UNFOLDED_FILE
    assert 64 * numbering.UNFOLDED_FILE < 2**63


def test_places_are_for_people():
    """A file, a row of it, a record that is unfolded, an element of it."""
    rows = [None, 0, 12, numbering.number(12), numbering.number(12, 3)]
    assert [numbering.place("a", row) for row in rows] == ["a", "a", "a:12", "a:12", "a:12#3"]


def test_an_element_of_a_copy_is_one_of_the_record_that_it_was_of():
    """Whatever the line of the copy was rejected as; a row that is none stays what it was."""
    record, element = numbering.number(12), numbering.number(12, 3)
    assert numbering.within(record, numbering.number(1, 2)) == numbering.number(12, 2)
    assert numbering.within(element, numbering.number(1, 3)) == element
    assert numbering.within(element, numbering.number(1)) == element
    assert numbering.within(12, 1) == 12
