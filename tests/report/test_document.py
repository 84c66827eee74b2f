"""The JSON summary: which names, in which order, programs may rely on; and what one process did of the numbers."""

import json
from datetime import UTC, datetime

from migrate.report.document import document, early, write
from migrate.report.numbers import NOTHING, Events, RowCounts, Summary, of_run

BEFORE = Summary(
    rows=RowCounts(read=10, mapped=7, filtered={"a": 2}, rejected={"c": 1}),
    events=Events(planned=100, accepted=60, duplicate=20, parked=9, held=5, pending=6),
    requests=11,
    retries=12,
    bytes_sent=13,
)
NOW = Summary(
    rows=RowCounts(read=25, mapped=18, filtered={"a": 2, "b": 3}, rejected={"c": 2}),
    events=Events(planned=200, accepted=171, duplicate=22, parked=3, held=4, pending=0),
    requests=111,
    retries=212,
    bytes_sent=313,
)
STARTED = datetime(2024, 4, 3, 12, tzinfo=UTC)


def test_the_names_and_their_order_are_a_contract():
    """Those of the command line's page, those that came since, and what this process did last."""
    found = document(NOW, of_run(BEFORE, NOW, STARTED, 0, None))
    assert " ".join(found) == (
        "rows events requests retries bytes_sent first_timestamp last_timestamp held_until seconds balanced whole "
        "workdir parts import_id repairs warnings dropped_columns notes set_aside skipped_files skipped_names "
        "damaged_files replanned lost identity open_rejects mended_rejects dismissed_rejects dismissed_parked "
        "rejects_read_again rows_read_again protocol accepted_with_warning state also next stopped run"
    )
    assert " ".join(found["rows"]) == "read mapped filtered rejected"
    assert " ".join(found["events"]) == "planned accepted duplicate parked held pending"


def test_a_process_tells_what_it_did_itself():
    """All that is more or less than it found; a count that is the same is left out."""
    found = document(NOW, of_run(BEFORE, NOW, STARTED, 3, "why"))["run"]
    assert found.pop("ended") >= "2024"
    assert found == {
        "rows": {"read": 15, "mapped": 11, "filtered": {"b": 3}, "rejected": {"c": 1}},
        "events": {"planned": 100, "accepted": 111, "duplicate": 2, "parked": -6, "held": -1, "pending": -6},
        "requests": 100,
        "retries": 200,
        "bytes_sent": 300,
        "started": "2024-04-03T12:00:00+00:00",
        "exit_code": 3,
        "error": "why",
    }


def test_a_command_without_a_workdir_has_its_numbers_too():
    """The least there is to rely on, all of it nothing."""
    found = early(of_run(NOTHING, NOTHING, STARTED, 2, "wrong"))
    assert " ".join(found) == (
        "rows events requests retries bytes_sent first_timestamp last_timestamp held_until workdir import_id seconds "
        "balanced whole state next run"
    )
    assert (found["balanced"], found["whole"], found["run"]["exit_code"]) == (True, False, 2)


def test_the_report_of_a_workdir_is_its_summary(tmp_path):
    """Without what one process did of it."""
    write(tmp_path, NOW)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == json.loads(
        json.dumps(document(NOW))
    )
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
