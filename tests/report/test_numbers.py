"""The numbers of a workdir: they add up, whatever was planned, settled, held and parked."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from workdirs import applied, delivery, events, on_record, planned

from migrate.report.numbers import Events, RowCounts, moment, summary
from migrate.sandbox.server import Sandbox
from migrate.workdir import asides, parked, rounds
from migrate.workdir.parked import Parked
from migrate.workdir.records import Aside, Numbers, Settled

NOON = datetime(2024, 4, 6, 12, tzinfo=UTC)
NUMBERS = Numbers(
    read=100,
    mapped=61,
    filtered=Counter(old=19, a=3),
    rejected=Counter(no_id=9, bad_json=8),
    repairs=Counter(z=21, big_integer=22),
    warnings=Counter(z=31, before_1970=32),
    dropped=Counter(z=41, b=42),
    group_types=set("abcdef"),
    damaged=["x.gz", "y.gz"],
)


@pytest.fixture
def checkpoint(tmp_path):
    """Three days of a plan: 30, 20 and 11 events, of which the first is settled and the last too young at noon."""
    with on_record(tmp_path, events(40, days=3), NUMBERS, (30, 300), (20, 200), (11, 100)) as checkpoint:
        (begun,) = rounds.of_day(checkpoint, "2024-04-03")
        refused = [Parked(f"{n:032x}", "2024-04-03T00:00:00Z", 400, "bad", "{}") for n in range(7)]
        rounds.settle(
            checkpoint,
            [rounds.Outcome(begun, Settled(accepted=18, duplicate=5, parked=7), is_last=True)],
            also=lambda db: parked.add(db, refused, is_later=False),
            requests=51,
            retries=52,
            bytes_sent=53,
            seconds=5.46789,
        )
        checkpoint.note(min_age=86_400.0, import_id="i")
        yield checkpoint


def test_what_was_planned_is_what_became_of_it(checkpoint):
    """Accepted, duplicate, parked, held and pending are all of the planned."""
    found = summary(checkpoint, NOON)
    assert found.events == Events(planned=61, accepted=18, duplicate=5, parked=7, held=11, pending=20)
    assert found.held_until == "2024-04-07T00:00+00:00"
    later = summary(checkpoint, NOON + timedelta(days=2))
    assert later.events == Events(planned=61, accepted=18, duplicate=5, parked=7, held=0, pending=31)
    assert later.held_until is None


def test_what_was_read_is_told_by_reason(checkpoint):
    """In the order of names, as programs compare reports."""
    found = summary(checkpoint, NOON)
    assert found.rows == RowCounts(100, 61, {"a": 3, "old": 19}, {"bad_json": 8, "no_id": 9})
    assert found.rows.left_out == 39
    assert found.balanced
    for kind, counts in (
        (found.rows.filtered, ["a", "old"]),
        (found.rows.rejected, ["bad_json", "no_id"]),
        (found.repairs, ["big_integer", "z"]),
        (found.dropped_columns, ["b", "z"]),
        (found.warnings, ["before_1970", "damaged_file", "more_than_five_group_types", "z"]),
    ):
        assert list(kind) == counts
    assert found.repairs == {"big_integer": 22, "z": 21}
    assert found.warnings == {
        "before_1970": 32,
        "damaged_file": 2,
        "more_than_five_group_types": 6,
        "z": 31,
    }
    assert found.dropped_columns == {"b": 42, "z": 41}
    assert found.damaged_files == ["x.gz", "y.gz"]


def test_what_sending_took_is_told_as_it_was_noted(checkpoint):
    """Requests, retries, bytes; seconds to the thousandth."""
    found = summary(checkpoint, NOON)
    assert (found.requests, found.retries, found.bytes_sent, found.seconds) == (51, 52, 53, 5.468)
    assert (found.first_timestamp, found.last_timestamp) == (
        "2024-04-03T00:00:00.000000Z",
        "2024-04-05T22:23:28.000000Z",
    )
    assert (found.import_id, found.workdir) == ("i", str(checkpoint.workdir))


@pytest.mark.parametrize(
    ("more", "is_balanced"),
    [
        ({}, True),
        ({"read": 1}, False),
        ({"mapped": 1}, False),
        ({"read": 1, "mapped": 1}, True),
        ({"read": 2, "filtered": Counter(a=2)}, True),
        ({"read": 2, "rejected": Counter(a=1)}, False),
    ],
)
def test_a_row_that_is_lost_is_told(tmp_path, more, is_balanced):
    """Rows read are rows mapped, filtered and rejected, or the numbers do not balance."""
    with planned(tmp_path, events(4)) as checkpoint:
        checkpoint.register(["b.jsonl"])
        checkpoint.note_planned(checkpoint.inputs()["b.jsonl"], Numbers(**more), [])
        assert summary(checkpoint).balanced is is_balanced


def test_more_settled_than_planned_is_told(tmp_path):
    """All settled is in balance, and one more is not."""
    with on_record(tmp_path, events(2), Numbers(), (2, 20)) as checkpoint:
        (begun,) = rounds.of_day(checkpoint, "2024-04-03")
        for pending in (0, -1):
            rounds.settle(
                checkpoint, [rounds.Outcome(begun, Settled(accepted=2 if pending == 0 else 1), is_last=False)]
            )
            found = summary(checkpoint)
            assert (found.events.pending, found.balanced) == (pending, pending == 0)


def test_five_group_types_are_not_too_many(tmp_path):
    """PostHog keeps as many."""
    with on_record(tmp_path, events(2), Numbers(group_types=set("abcde")), (2, 20)) as checkpoint:
        assert summary(checkpoint).warnings == {}


NOTES = [
    pytest.param({"payload_versions": [3]}, [], id="one version"),
    pytest.param(
        {"payload_versions": [3, 5]},
        [
            (
                "planned with payload versions 3, 5 of the mapping, one after another: the same events, some of them "
                "with other properties; see the changelog"
            )
        ],
        id="versions",
    ),
    pytest.param(
        {"partial": True}, ["events were sent before the plan was whole, with --partial"], id="partial"
    ),
    pytest.param({"skipped": {}}, [], id="rows"),
    pytest.param(
        {"people_taken_over": True},
        ["who is who was taken over from the people.sqlite that was there when this workdir was begun"],
        id="people",
    ),
]


@pytest.mark.parametrize(("facts", "notes"), NOTES)
def test_what_is_to_be_known_is_noted(checkpoint, facts, notes):
    """Each in a sentence; nothing of what is as usual."""
    checkpoint.note(**facts)
    assert summary(checkpoint, NOON).notes == notes


def test_inputs_without_a_row_are_noted(tmp_path):
    """Once they were looked through, and where none is set aside: that says why there is no row."""
    with planned(tmp_path, events(0)) as checkpoint:
        assert summary(checkpoint).notes == []
        checkpoint.note(skipped={})
        assert summary(checkpoint).notes == ["none of the inputs has a row, so that there is nothing to send"]
        asides.note(checkpoint, {"b": Aside("changed", "other bytes")})
        assert summary(checkpoint).notes == []


def test_rows_that_are_all_rejected_are_rows(tmp_path):
    """That there is nothing to send has another reason then."""
    with on_record(tmp_path, events(0), Numbers(read=2, rejected=Counter(bad_json=2))) as checkpoint:
        checkpoint.note(skipped={})
        assert summary(checkpoint).notes == []


def test_a_dismissed_source_is_set_aside_no_more(checkpoint):
    """The others are told with why they are."""
    asides.note(checkpoint, {"b": Aside("changed", "other bytes"), "c": Aside("gone", "no file")})
    asides.dismiss(checkpoint, "gone")
    assert summary(checkpoint, NOON).set_aside == {"b": "other bytes"}


def test_numbers_are_those_of_a_real_sending(tmp_path):
    """As the sandbox has them: what it stored is accepted, what it refused is parked, and nothing is pending."""
    frame = events(40, days=2, poison=(3, 30))
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox, planned(tmp_path, frame) as checkpoint:
        assert applied(checkpoint, delivery(sandbox.url))
        found, stored = summary(checkpoint), sandbox.summary()
        assert found.events == Events(planned=40, accepted=stored["raw"]["events"], parked=2)
        assert (found.requests, found.bytes_sent) == (stored["requests"], stored["bytes_received"])


@COMPARED
@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - in UTC, below
def test_a_moment_is_spelled_to_the_microsecond(time):
    """RFC 3339 in UTC, from which the same moment is read."""
    time = time.replace(tzinfo=UTC)
    spelled = moment((time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
    assert datetime.fromisoformat(spelled) == time
    assert (len(spelled), spelled[-1]) == (len("2024-04-03T00:00:00.000000Z"), "Z")
