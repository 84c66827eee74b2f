"""What was counted is noted range by range: a verification that was stopped goes on, and asks for nothing twice."""

from datetime import UTC, datetime, timedelta

import pytest
from imported import DAYS, causes, events, sent, verified

from migrate.sandbox.server import Sandbox
from migrate.verifying.counting import Difference
from migrate.verifying.ledger import NONE, Count
from migrate.verifying.progress import FILE, Progress, Step, Tally

NOW = datetime(2026, 1, 2, tzinfo=UTC)
STEP = Step(
    until=NOW,
    planned=Count(3, 3),
    there=Count(2, 2),
    found={DAYS[0]: 2},
    by_day={DAYS[0]: 3},
    by_event={"e": 3},
    merging={},
    differences=[Difference(DAYS[0], "e", Count(3, 3), Count(2, 2))],
    uncounted=[],
)


class Gone(Exception):  # noqa: N818 - the word says what happened
    """The process."""


def test_it_goes_on_where_it_was(tmp_path):
    """Of 90 days three ranges are asked for; after the first one the process has gone."""

    def go(_done, _days):
        raise Gone

    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, events(900, days=90)) as checkpoint:
        sandbox.faults([{"fault": "lost", "day": DAYS[0]}])
        with pytest.raises(Gone):
            verified(checkpoint, sandbox, on_counted=go)
        assert len((tmp_path / "w" / FILE).read_text().splitlines()) == 2
        asked = len(sandbox.questions())
        assert causes(verified(checkpoint, sandbox)) == {"not_there_yet": 10}
        counts = [one for one in sandbox.questions()[asked:] if "group by day" in str(one.body)]
        assert len(counts) == 2 + 1  # and once more for what is missing
        assert not (tmp_path / "w" / FILE).exists()


@pytest.mark.parametrize(
    ("question", "hours", "torn", "steps"),
    [
        pytest.param("q", 1, b"", [STEP, STEP], id="as it was"),
        pytest.param("q", 1, b'{"until":"20', [STEP, STEP], id="torn by a kill"),
        pytest.param("other", 1, b"", [], id="another question"),
        pytest.param("q", 25, b"", [], id="of yesterday"),
    ],
)
def test_what_is_gone_on_with(tmp_path, question, hours, torn, steps):
    """The same question, of the last day; a torn line is the last one."""
    progress = Progress(tmp_path, "q", NOW)
    progress.add(STEP)
    progress.add(STEP)
    with (tmp_path / FILE).open("ab") as file:
        file.write(torn)
    assert Progress(tmp_path, question, NOW + timedelta(hours=hours)).steps == steps
    again = Progress(tmp_path, question, NOW + timedelta(hours=hours))
    again.add(STEP)
    assert len(Progress(tmp_path, question, NOW + timedelta(hours=hours)).steps) == len(steps) + 1


def test_what_is_counted_again_stands_for_what_was():
    """By day."""
    tally = Tally()
    tally.add(STEP)
    tally.replace([DAYS[0]], [Difference(DAYS[0], "e", Count(3, 3), NONE)])
    assert (tally.there, len(tally.differences), tally.found[DAYS[0]]) == (NONE, 1, 0)
    tally.replace([DAYS[0]], [])
    assert (tally.there, tally.differences, tally.found[DAYS[0]]) == (Count(3, 3), [], 3)
