"""Lines that several screens share: most first, no more than a screen takes, one and many in the right number."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.report import sections
from migrate.report.numbers import NOTHING, RowCounts
from migrate.report.sections import labelled

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**9))
NOBODY = {
    "people": 3,
    "links": 0,
    "merges": 0,
    "resolved": 0,
    "clusters": {},
    "largest": [],
    "conflicts": 0,
    "conflicting": [],
    "anonymous": 0,
    "refused": {},
}


def texts(lines):
    """The lines as they are read."""
    return [line.text for line in lines]


def number(text):
    """The first number of a line."""
    return int(next(word for word in text.split() if word[0].isdigit()).replace(",", ""))


@COMPARED
@given(mapped=st.integers(0, 10**9), filtered=COUNTS, rejected=COUNTS)
def test_the_reasons_add_up_to_the_line_above_them(mapped, filtered, rejected):
    """Each once, those of a kind together, most first."""
    left_out = sum(filtered.values()) + sum(rejected.values())
    head, *rest = texts(sections.rows(RowCounts(mapped + left_out, mapped, filtered, rejected), {}))
    assert head == (
        f"rows     {mapped + left_out:,} read: {mapped:,} mapped, {sum(filtered.values()):,} filtered, "
        f"{sum(rejected.values()):,} rejected"
    )
    for kind, reasons in (("filtered", filtered), ("rejected", rejected)):
        its = [text for text in rest if f" {kind}: " in text]
        assert {text.rpartition(": ")[2]: number(text) for text in its} == reasons
        assert [number(text) for text in its] == sorted(reasons.values(), reverse=True)
    assert len(rest) == len(filtered) + len(rejected)


@pytest.mark.parametrize("identity", [None, NOBODY])
def test_where_nobody_is_linked_nothing_is_said_of_people(identity):
    """Whether they were looked at or not."""
    assert list(sections.people(identity)) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"links": 1}, "3 known: 1 link between ids, 0 merges planned, 0 ids resolved by the source itself"),
        (
            {"links": 5, "merges": 1},
            "3 known: 5 links between ids, 1 merge planned, 0 ids resolved by the source itself",
        ),
        (
            {"resolved": 2},
            "3 known: 0 links between ids, 0 merges planned, 2 ids resolved by the source itself",
        ),
        (
            {"refused": {"x": 4}},
            "3 known: 0 links between ids, 0 merges planned, 0 ids resolved by the source itself",
        ),
    ],
)
def test_one_is_not_many(more, said):
    """One thing is said in the singular, and any of links, resolved ids and refused links is worth a line."""
    first, *_ = texts(sections.people(NOBODY | more))
    assert first == f"people   {said}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"conflicts": 1_002},
            (
                "conflict 1,002 of the clusters with several known people, who stay apart; an anonymous id went "
                "to the first it was seen with"
            ),
        ),
        ({"anonymous": 1_003}, "         1,003 clusters in which nobody is known, left as they are"),
        (
            {"clusters": {"2": 1_004, "3": 5}},
            "clusters 1,009 of ids that belong together: 1,004 of 2, 5 of 3 ids",
        ),
        ({"largest": [{"size": 2, "ids": ["a", "b"]}]}, "         2 ids: a, b"),
        ({"conflicting": [{"size": 3, "ids": ["a", "b"]}]}, "         3 ids: a, b, …"),
    ],
)
def test_each_line_on_people_stands_by_itself(more, said):
    """What there is none of is not said."""
    assert texts(sections.people(NOBODY | {"links": 1} | more))[1:] == [said]


def test_no_more_names_are_shown_than_a_screen_takes():
    """Fifteen; of columns it is said that there are more."""
    names = [f"n{n:02}" for n in range(17)]
    fifteen = ", ".join(names[:15])
    numbers = replace(
        NOTHING,
        damaged_files=names,
        set_aside=dict.fromkeys(names, "why"),
        dropped_columns=dict.fromkeys(names, 1),
    )
    assert texts([*sections.notes(numbers), *sections.warnings(numbers, {})]) == [
        f"dropped  17 columns, not carried over: {fifteen}, …",
        *(f"         {name}" for name in names[:15]),
        *(f"aside    not planned: {name}: why" for name in names[:15]),
    ]
    fewer = replace(NOTHING, dropped_columns=dict.fromkeys(names[:15], 1))
    assert texts(sections.notes(fewer)) == [f"dropped  15 columns, not carried over: {fifteen}"]


def test_large_numbers_are_read_easily():
    """Of columns and of files, too."""
    columns = {f"n{n:04}": 1 for n in range(1_234)}
    numbers = replace(
        NOTHING, dropped_columns=columns, skipped_files={"hidden": 4_321}, skipped_names={"hidden": ["x"]}
    )
    dropped, skipped = texts(sections.notes(numbers))
    assert dropped.startswith("dropped  1,234 columns, not carried over: n0000, ")
    assert skipped == "skipped  4,321 files, not read: hidden  (x, …)"


def test_where_rows_are_stands_behind_the_reason():
    """Of warnings as of rows; nothing where it is not known."""
    where = {"odd": ["a:1", "b:2"]}
    numbers = replace(NOTHING, warnings={"odd": 1_002, "even": 3})
    assert list(sections.warnings(numbers, where)) == [
        labelled("warning", "1,002 odd  (at a:1, b:2)", sections.WARNING),
        labelled("warning", "3 even", sections.WARNING),
    ]


def test_what_posthog_says_of_accepted_events_is_shown():
    """By its words."""
    numbers = replace(NOTHING, accepted_with_warning={"person_processing_disabled": 1_234})
    assert texts(sections.warnings(numbers, {})) == [
        "warning  1,234 events accepted, and PostHog says: person_processing_disabled"
    ]
