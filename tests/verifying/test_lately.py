"""What was accepted within the last hour may be on its way; after that hour it is named why it is missing."""

from datetime import datetime, timedelta

import pytest
from imported import DAYS, EVENTS, causes, changed, events, gone, of, sent, store, verified
from workdirs import applied, delivery, planned

from migrate.sandbox.server import Sandbox


def after(checkpoint, **span):
    """A moment so long after the last events were accepted."""
    (last,) = checkpoint.query("SELECT max(ended) FROM rounds").fetchone()
    return datetime.fromisoformat(last) + timedelta(**span)


@pytest.mark.parametrize(
    ("change", "now", "later"),
    [
        pytest.param("DELETE FROM events", {"not_there_yet": 1000}, {"quota": 1000}, id="nothing yet"),
        pytest.param(
            gone(f"timestamp >= '{DAYS[3]}T18:00'"), {"not_there_yet": 250}, {"quota": 250}, id="some days"
        ),
        pytest.param(gone("event = '$exception'"), {"not_there_yet": 250}, {"lane": 250}, id="a name"),
        pytest.param(gone(of(*range(9))), {"not_there_yet": 9}, {"unexplained": 9}, id="some"),
        pytest.param(
            changed("event = 'x'", of(1, 2)), {"changed_since": 2}, {"changed_since": 2}, id="other names"
        ),
    ],
)
def test_an_hour_is_granted_to_what_was_accepted(whole, change, now, later):
    """A night that asks right after it has sent must not cry wolf; what is there under another name is no lag."""
    verdict = whole.after(change, now=after(whole.checkpoint, minutes=58))
    assert (causes(verdict), verdict.passes) == (now, set(now) == {"not_there_yet"})
    verdict = whole.after(change, now=after(whole.checkpoint, minutes=63))
    assert (causes(verdict), verdict.passes) == (later, False)


def test_it_is_said_when_to_ask_again(whole):
    """An hour after the last of them was accepted."""
    (found,) = whole.after("DELETE FROM events", now=after(whole.checkpoint, minutes=58)).findings
    again = after(whole.checkpoint, hours=1)
    assert f"ask again after {again:%H:%M} UTC, or with --wait 70m" in found.why


@pytest.mark.parametrize("change", [gone("true"), gone("seq % 5 = 0")])
def test_of_a_day_that_was_added_to_only_what_was_added_may_be_on_its_way(tmp_path, change):
    """What was accepted of the same day a day ago is missing."""
    more = events(100, start=2_000)
    with Sandbox(tmp_path / "s") as sandbox, sent(tmp_path / "w", sandbox, EVENTS) as checkpoint:
        with checkpoint.change() as db:
            db.execute("UPDATE rounds SET ended = ?", (after(checkpoint, days=-1).isoformat(),))
        checkpoint.close()
        with planned(tmp_path / "w", more, "more.jsonl") as added, store(tmp_path / "s") as db:
            assert applied(added, delivery(sandbox.url))
            taken = db.execute(change).rowcount
            left = {uuid for (uuid,) in db.execute("SELECT uuid FROM events")}
            found = causes(verified(added, sandbox, now=after(added, minutes=58)))
            young = len({*more["uuid"]} - left)
            assert found.pop("not_there_yet") == young
            assert sum(found.values()) == taken - young
