"""The status screen of numbers no small input has: each another, beyond a thousand, one and none."""

from dataclasses import replace

import pytest

from migrate.report import status
from migrate.report.numbers import NOTHING, Events, RowCounts, Summary
from migrate.report.sections import ACCEPTED
from migrate.report.states import Found, State

FULL = Summary(
    rows=RowCounts(read=91_111, mapped=82_222, filtered={"a": 1_003, "b": 2_004}, rejected={"c": 5_882}),
    events=Events(planned=78_001, accepted=60_002, duplicate=9_003, parked=5_004, held=2_005, pending=1_987),
    requests=1_234,
    retries=5_678,
    bytes_sent=9_876_543,
    held_until="2024-04-05T00:00+00:00",
    seconds=12.34,
    whole=True,
    workdir="w",
    repairs={"big_integer": 1_301},
    warnings={"before_1970": 1_402, "of_a_platform": 1_403},
    dropped_columns={f"c{n:02}": n for n in range(16)},
    notes=["known beside it"],
    set_aside={"in/a.csv": "changed"},
    skipped_files={"marker": 3, "empty": 1},
    skipped_names={"marker": ["x", "y"], "empty": ["z"]},
    damaged_files=["in/b.gz"],
    identity={
        "people": 4_001,
        "links": 4_002,
        "merges": 4_003,
        "resolved": 1,
        "clusters": {"2": 1_501, "11-100": 22},
        "largest": [{"size": 4_444, "ids": ["i" * 50, "j"]}],
        "conflicts": 1_601,
        "conflicting": [{"size": 2, "ids": ["k", "l"]}],
        "anonymous": 1_701,
        "refused": {"illegal_id": 1_801, "hashed_device_id": 1},
    },
    open_rejects={"c": 5},
)
SCREEN = """\
people   4,001 known: 4,002 links between ids, 4,003 merges planned, 1 id resolved by the source itself
clusters 1,523 of ids that belong together: 1,501 of 2, 22 of 11-100 ids
         4,444 ids: iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii, j, …
conflict 1,601 of the clusters with several known people, who stay apart; an anonymous id went to the first \
it was seen with
         2 ids: k, l
         1,701 clusters in which nobody is known, left as they are
refused  1,801 links between ids, not used: illegal_id
refused  1 link between ids, not used: hashed_device_id
changed  1,301 values, big_integer: integers beyond 2^53, sent as text so that no digit is lost
dropped  16 columns, not carried over: c00, c01, c02, c03, c04, c05, c06, c07, c08, c09, c10, c11, \
c12, c13, c14, …
skipped  3 files, not read: marker  (x, y, …)
skipped  1 file, not read: empty  (z)
warning  1,402 before_1970: check the timestamps: these events are from before 1970
warning  1,403 of_a_platform
         in/b.gz
aside    not planned: in/a.csv: changed
note     known beside it
rows     91,111 read: 82,222 mapped, 3,007 filtered, 5,882 rejected
          2,004 filtered: b
          1,003 filtered: a
          5,882 rejected: c
events   78,001 planned: 60,002 accepted, 9,003 duplicate, 5,004 parked, 2,005 held, 1,987 pending
         an event that is planned twice is found when its day is sent: it is pending until then
         accepted: acknowledged by PostHog's endpoint; not yet stored, and what it drops later it does not say
sent     1,234 requests, 5,678 retries, 9.9 MB, 12.3 s
workdir  w
         rejected rows, to mend and plan again: rejects.jsonl there
         parked events, with PostHog's own words: parked.jsonl there
state    planned: 987 events to send
also     rejects open: 5 rejected rows, neither mended nor dismissed: migrate rejects w
next     migrate apply w --host …
then     another
         … is us
"""
FOUND = [
    Found(State.PLANNED, "planned: 987 events to send", ["migrate apply w --host …", "another"]),
    Found(
        State.REJECTS_OPEN,
        "rejects open: 5 rejected rows, neither mended nor dismissed",
        ["migrate rejects w"],
    ),
]
SENT = [Found(State.ALL_SENT, "all sent")]


def test_every_number_is_in_its_place():
    """As a person reads it, to the last line."""
    assert "".join(f"{line.text}\n" for line in status.lines(FULL, FOUND, ["… is us"])) == SCREEN


def test_what_speaks_against_it_stands_out():
    """Warnings, what is damaged or set aside, people who stay apart; nothing else does."""
    found = [line.text.split()[0] for line in status.lines(FULL, SENT) if line.style == "yellow"]
    assert found == ["conflict", "warning", "warning", "in/b.gz", "aside"]


def test_nothing_is_said_of_nothing():
    """Of people who are not looked at, of requests that were not made, of a folder there is none of."""
    assert [line.text for line in status.lines(replace(NOTHING, identity=None), SENT)] == [
        "rows     0 read: 0 mapped, 0 filtered, 0 rejected",
        "events   0 planned: 0 accepted, 0 duplicate, 0 parked, 0 held, 0 pending",
        "state    all sent",
    ]
    assert list(status.brief(NOTHING, SENT, [], "migrate show w")) == list(status.lines(NOTHING, SENT))


def test_other_commands_leave_the_plan_to_show():
    """Who is who, what was changed, dropped and passed over; what speaks against sending stays, and all numbers."""
    found = "".join(f"{line.text}\n" for line in status.brief(FULL, FOUND, ["… is us"], "migrate show w"))
    first, rest = SCREEN[SCREEN.index("warning  ") :].split("state    ")
    assert (
        found
        == f"{first}plan     who is who, events by day, what was changed or dropped: migrate show w\nstate    {rest}"
    )


@pytest.mark.parametrize(("state", "said"), [("pending", 1), ("held", 1), ("accepted", 0)])
def test_what_is_not_sent_may_hold_duplicates(state, said):
    """They are found when a day is sent; what an accepted event is is said where there is any."""
    numbers = replace(NOTHING, events=Events(planned=3, **{state: 3}))
    texts = [line.text for line in status.lines(numbers, SENT)]
    assert sum("is found when its day is sent" in text for text in texts) == said
    assert sum(ACCEPTED in text for text in texts) == 1 - said


ALONE = [
    pytest.param(
        {"requests": 1_003, "seconds": 1_004.56},
        ["sent     1,003 requests, 0 retries, 0 B, 1004.6 s"],
        id="sent",
    ),
    pytest.param({"retries": 5, "bytes_sent": 5}, [], id="not-sent"),
    pytest.param({"workdir": "w"}, ["workdir  w"], id="workdir"),
    pytest.param(
        {"workdir": "w", "open_rejects": {"c": 1}},
        ["workdir  w", "         rejected rows, to mend and plan again: rejects.jsonl there"],
        id="rejects",
    ),
    pytest.param(
        {"workdir": "w", "events": Events(parked=1)},
        ["workdir  w", "         parked events, with PostHog's own words: parked.jsonl there"],
        id="parked",
    ),
    pytest.param({"open_rejects": {"c": 1}, "events": Events(parked=1)}, [], id="no-workdir"),
]


@pytest.mark.parametrize(("more", "said"), ALONE)
def test_each_line_stands_by_itself(more, said):
    """It is there for what it tells of, whatever else there is none of."""
    _, _, *rest, _ = status.lines(replace(NOTHING, **more), SENT)
    assert [line.text for line in rest] == said


def test_several_workdirs_are_one_table():
    """Every number is in its place; of those that are to be gone on with it is said how they are."""
    done = replace(FULL, state="sending_stopped", next="migrate apply w", open_rejects={"a": 1_101, "b": 22})
    found = [
        status.Workdir("w", done, 3, "sending stopped, one day"),
        status.Workdir("nope", replace(NOTHING, state="nothing_planned"), 5, error="no such workdir"),
    ]
    assert [line.text for line in status.several(found)] == [
        "workdir  state            planned  accepted  pending   held  parked  rejected  aside  exit",
        "w        sending stopped   78,001    60,002    1,987  2,005   5,004     1,123      1     3",
        "nope     nothing planned        0         0        0      0       0         0      0     5",
        "w: sending stopped, one day",
        "next     migrate apply w",
    ]
