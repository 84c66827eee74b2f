"""The screen of a dry run of numbers no small input has: each another, beyond a thousand."""

from collections import Counter

import pytest
from workdirs import events, on_record, planned

from migrate.preview import Preview
from migrate.report import dryrun, estimates
from migrate.report.numbers import summary
from migrate.workdir.records import Numbers

NUMBERS = Numbers(
    read=5_009_010,
    mapped=5_001_003,
    filtered=Counter(old=3_004),
    rejected=Counter(bad_timestamp=1_001, no_distinct_id=4_002),
    warnings=Counter(before_1970=1_505),
    names=Counter(Paid=3_600_000, Seen=1_401_003),
    examples={"old": ["a:1", "a:2"], "no_distinct_id": ["a:3"], "before_1970": ["a:4"]},
)
SIZES = [(1_401_003, 1_200_000_000), (3_600_000, 3_456_000_000)]
SCREEN = """\
events by day
  2024-04-03    1,401,003 ████████████
  2024-04-04    3,600,000 ██████████████████████████████
events by event
  Paid    3,600,000 ██████████████████████████████
  Seen    1,401,003 ████████████
people   {people:>12} distinct ids (estimated)
time     2024-04-03T00:00:00.000000Z to 2024-04-04T23:59:38.000000Z
size     4.7 GB of payloads in about 5,002 batches
sending  about 1:23:21 at 1,000 events/s

rows        5,009,010 read: 5,001,003 mapped, 3,004 filtered, 5,003 rejected
                3,004 filtered: old  (at a:1, a:2)
                4,002 rejected: no_distinct_id  (at a:3)
                1,001 rejected: bad_timestamp
warning         1,505 before_1970: check the timestamps: these events are from before 1970  (at a:4)

row {{"n":1}}
  → payload one
  → payload two

row {{"n":2}}
  → no event: filtered: old

nothing was sent
"""


def test_every_number_is_in_its_place(tmp_path):
    """As a person reads it, to the last line."""
    rows = [
        Preview('{"n":1}', ["payload one", "payload two"], "a:1"),
        Preview('{"n":2}', [], "a:2", "filtered: old"),
    ]
    with on_record(tmp_path, events(2_000, days=2, people=1_500), NUMBERS, *SIZES) as checkpoint:
        shown = dryrun.lines(checkpoint, summary(checkpoint), rows)
        people = f"{estimates.people(checkpoint):,}"
        assert "".join(f"{line.text}\n" for line in shown) == SCREEN.format(people=people)


def test_of_no_events_there_is_no_extent(tmp_path):
    """What became of the rows stands there alone."""
    with planned(tmp_path, events(0)) as checkpoint:
        assert [line.text for line in dryrun.lines(checkpoint, summary(checkpoint), [])] == [
            "",
            "rows                0 read: 0 mapped, 0 filtered, 0 rejected",
            "\nnothing was sent",
        ]


@pytest.mark.parametrize("count", [1, 3])
def test_the_time_is_that_of_the_plan(tmp_path, count):
    """From its first event to its last."""
    frame = events(count)
    with planned(tmp_path, frame) as checkpoint:
        (line,) = (
            line.text for line in dryrun.lines(checkpoint, summary(checkpoint), []) if line.text[:4] == "time"
        )
    first, last = (
        moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        for moment in (frame["timestamp"].min(), frame["timestamp"].max())
    )
    assert line == f"time     {first} to {last}"
