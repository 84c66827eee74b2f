"""What a plan holds, in numbers no small input has: each another, beyond a thousand."""

from collections import Counter

import pytest
from workdirs import events, on_record, planned

from migrate.report import estimates
from migrate.report.planned import lines
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
ids      {ids} distinct (estimated)
time     2024-04-03T00:00:00.000000Z to 2024-04-04T23:59:38.000000Z
size     4.7 GB of payloads in about 5,002 batches
sending  about 1:23:21 at 1,000 events/s

"""


def test_every_number_is_in_its_place(tmp_path):
    """As a person reads it, to the last line."""
    with on_record(tmp_path, events(2_000, days=2, people=1_500), NUMBERS, *SIZES) as checkpoint:
        shown = lines(checkpoint)
        ids = f"{estimates.ids(checkpoint):,}"
        assert "".join(f"{line.text}\n" for line in shown) == SCREEN.format(ids=ids)


def test_of_no_events_there_is_nothing(tmp_path):
    """What became of the rows stands alone, on the screen below."""
    with planned(tmp_path, events(0)) as checkpoint:
        assert list(lines(checkpoint)) == []


@pytest.mark.parametrize("count", [1, 3])
def test_the_time_is_that_of_the_plan(tmp_path, count):
    """From its first event to its last."""
    frame = events(count)
    with planned(tmp_path, frame) as checkpoint:
        (line,) = (line.text for line in lines(checkpoint) if line.text[:4] == "time")
    first, last = (
        moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        for moment in (frame["timestamp"].min(), frame["timestamp"].max())
    )
    assert line == f"time     {first} to {last}"
