"""What stands out, the most grave first, and nothing where nothing does."""

from dataclasses import replace

import pytest
from filled import Shape, made

from migrate.page.findings import Weight, findings
from migrate.page.gathered import gather
from migrate.page.names import Name
from migrate.page.rejected import Reason
from migrate.page.render import SECTIONS
from migrate.report.numbers import RowCounts
from migrate.report.states import Found, State
from migrate.workdir.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A workdir in which little stands out."""
    shape = Shape(days=60, names=2, planted=False, sent=False)
    with made(tmp_path_factory.mktemp("quiet"), shape) as checkpoint:
        found = gather(checkpoint)
    people = replace(found.people, identity=None)
    return replace(found, people=people, numbers=replace(found.numbers, warnings={}))


def test_nothing_stands_out_of_what_is_as_it_should_be(quiet):
    """Weekends, small clusters and rare names are no news."""
    assert findings(quiet) == []


def test_grave_things_come_first(quiet):
    """Each says in which section more is; of many of a kind the first are told, and how many more there are."""
    gone = [Name(f"{place}", 9, "2022-03-01", "2022-03-20") for place in range(7)]
    numbers = replace(
        quiet.numbers,
        warnings={"long_decimal": 2, "no_screen_name": 3, "damaged_file": 1},
        set_aside={"b.json": "why", "c.json": "why"},
        damaged_files=["d.gz"],
        balanced=False,
    )
    numbers = replace(numbers, events=replace(numbers.events, held=4), held_until="2024-02-03T00:00+00:00")
    found = findings(
        replace(
            quiet,
            numbers=numbers,
            found=[Found(State.HARMED, "harmed: one file", ["migrate plan x"])],
            names=replace(quiet.names, vanished=gone),
            zones=replace(quiet.zones, warning="--source-timezone: UTC was given"),
        )
    )
    assert [one.weight for one in found] == sorted((one.weight for one in found), key=list(Weight).index)
    assert {one.section for one in found} <= SECTIONS.keys()
    texts = [one.text for one in found if one.weight is Weight.AGAINST]
    assert texts[:5] == [
        "harmed: one file",
        "the sums do not balance",
        "2 files set aside, not planned: b.json, c.json",
        "1 file that could not be read to the end: d.gz",
        "--source-timezone: UTC was given",
    ]
    assert found[0].command == "migrate plan x"
    assert texts[5:] == [
        *(f"{n} vanished: 9 events until 2022-03-20, none since, others go on" for n in range(5)),
        "2 more event names vanished",
    ]
    assert [one.text.split(":")[0] for one in found if one.weight is Weight.LOOK] == ["2 long_decimal"]
    assert [one.text.split(":")[0] for one in found if one.weight is Weight.KNOW] == [
        "3 no_screen_name",
        "4 events held",
    ]


def test_what_may_be_meant_is_to_be_looked_at(quiet):
    """Single days of a product that is used at work, and an event that came late and went."""
    days = replace(quiet.days, holes=["2022-03-15", "2022-03-24"], are_of_work=True)
    came = Name("Sale", 9, "2022-03-10", "2022-03-30")
    names = replace(quiet.names, vanished=[came], appeared=[came])
    told = [(one.weight, one.text) for one in findings(replace(quiet, days=days, names=names))]
    assert told == [
        (
            Weight.LOOK,
            "2 days without any event, where there should be some: 2022-03-15, 2022-03-24; holidays, perhaps",
        ),
        (Weight.LOOK, "Sale vanished: 9 events from 2022-03-10 until 2022-03-30, none since, others go on"),
    ]
    (lost,) = findings(replace(quiet, days=replace(days, holes=["2022-03-15", "2022-03-16", "2022-03-17"])))
    assert lost.weight is Weight.AGAINST


def test_what_is_left_is_told_in_numbers(quiet):
    """Stragglers of a name that vanished; a single row that is rejected is one to mend, however few there are."""
    name = Name("Trial", 901, "2022-03-01", "2022-03-20", stragglers=1)
    rows = replace(quiet.numbers, rows=RowCounts(read=20, mapped=19))

    def told(rejected):
        reasons = [Reason("no_distinct_id", rejected, [], "")]
        names = replace(quiet.names, vanished=[name])
        return [
            (one.weight, one.text)
            for one in findings(replace(quiet, numbers=rows, names=names, reasons=reasons))
        ]

    vanished = Weight.AGAINST, "Trial vanished: 900 events until 2022-03-20, 1 since, others go on"
    assert told(1) == [vanished, (Weight.LOOK, "1 row rejected: no_distinct_id")]
    assert told(5) == [vanished, (Weight.AGAINST, "5 rows rejected: no_distinct_id")]


def test_a_new_workdir_has_no_findings(tmp_path):
    """There is nothing to speak against."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        assert findings(gather(checkpoint)) == []
