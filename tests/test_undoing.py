"""What of an import there is, and its people deleted: never anybody who has an event of another origin."""

import pytest
from asks import PERSONAL
from imported import EVENTS, IMPORT, sent, store
from posting import OK, batch, event, post

from migrate.asking import api
from migrate.asking.target import Access
from migrate.errors import Unasked
from migrate.sandbox.server import Sandbox
from migrate.session import Session
from migrate.undoing import delete_people, look_there


@pytest.fixture
def there(tmp_path, monkeypatch):
    """An import, and somebody of it who is seen elsewhere, too: (session, access, sandbox)."""
    monkeypatch.setattr(api, "A_SECOND", 10_000.0)
    with Sandbox(tmp_path / "s") as sandbox, sent(tmp_path / "w", sandbox, EVENTS) as checkpoint:
        live = event(distinct_id="u7", uuid="018ea3c1-0000-7000-8000-0000000000aa")
        assert post(sandbox, batch(live, api_key="phc_secret")) == OK
        yield Session(checkpoint), Access(sandbox.app_url, PERSONAL), sandbox


def test_what_there_is_of_an_import(there):
    """Its events and no others, of which days, of how many ids; also where PostHog cannot count all at once."""
    session, access, sandbox = there
    for rules in ([], [{"fault": "time_out", "hours": 200}]):
        sandbox.faults(rules)
        found = look_there(session, access)
        assert (found.events, found.ids, found.since, found.until) == (1_000, 40, "2024-04-03", "2024-04-08")
        assert (found.import_id, found.project) == (IMPORT, 1)


def test_people_of_the_import_alone_are_deleted(there, tmp_path):
    """With all of their events; again, nobody is left to be deleted."""
    session, access, _ = there
    found = look_there(session, access)
    told = delete_people(session, access, found)
    assert (told.people, told.others, told.unasked, told.failed) == (39, 1, 0, 0)
    with store(tmp_path / "s") as db:
        assert db.execute("SELECT DISTINCT distinct_id FROM events").fetchall() == [("u7",)]
    again = delete_people(session, access, found)
    assert (again.people, again.others) == (0, 1)
    assert look_there(session, access).events == 28


def test_whom_posthog_cannot_tell_of_in_time_stays(there):
    """And so does everybody where the key may not delete."""
    session, access, sandbox = there
    found = look_there(session, access)
    sandbox.faults([{"fault": "time_out"}])
    told = delete_people(session, access, found)
    assert (told.people, told.unasked) == (0, 40)
    sandbox.faults([{"fault": "missing_scope", "scope": "person:write"}])
    with pytest.raises(Unasked, match=r"API key missing required scope 'person:write'"):
        delete_people(session, access, found)


def test_a_session_that_is_to_end_asks_no_more(there):
    """Nothing is deleted then."""
    session, access, _ = there
    session.stop()
    assert look_there(session, access) is None
