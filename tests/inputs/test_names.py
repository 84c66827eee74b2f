"""Names of files can be printed, lead back to their files, and no two files have the same."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.inputs.names import archive_of, natural, path_text, plain, shown, source_name

NAMES = st.binary(max_size=8).map(os.fsdecode) | st.text(
    st.sampled_from("a!\\\n\t\x1b\x85\u202en xu0f1\U000e0001") | st.characters(exclude_categories=["Cs"]),
    max_size=8,
)


@COMPARED
@given(name=NAMES)
def test_a_name_of_any_bytes_is_shown_and_read_back(name):
    """As one line that can be printed and stored anywhere."""
    assert shown(name).isprintable()
    assert shown(name).encode().decode() == shown(name)
    assert plain(shown(name)) == name


@COMPARED
@given(path=NAMES.filter(lambda one: one and "\x00" not in one), member=st.none() | NAMES)
def test_a_source_leads_back_to_its_file(path, member):
    """Whatever stands in the path or in the member's name; a `!` in a path is none between the two."""
    name = source_name(path, member)
    assert path_text(name) == path
    assert archive_of(name) == source_name(path)
    assert (name == source_name(path)) == (member is None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain é.csv", "plain é.csv"),
        ("a\nb", r"a\nb"),
        (r"a\nb", r"a\\nb"),
        ("\udcff", r"\xff"),
        ("\x85", r"\u0085"),
    ],
)
def test_how_a_name_is_shown(name, text):
    """A name without anything odd as it is."""
    assert shown(name) == text


@COMPARED
@given(numbers=st.lists(st.integers(0, 2000), max_size=6))
def test_numbers_in_names_sort_by_their_value(numbers):
    """Also among names with more of them; names that differ never sort alike."""
    names = [f"part_{number}#{number % 3}" for number in numbers]
    assert sorted(names, key=natural) == [f"part_{number}#{number % 3}" for number in sorted(numbers)]
    assert natural("a01") != natural("a1")
