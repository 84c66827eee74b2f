"""A project is found by the key that events are sent with; another one's key is refused."""

import pytest
from asks import asked
from posting import batch, event, post

from migrate.asking.project import Project, find
from migrate.errors import Refused, Unasked
from migrate.sandbox.server import Sandbox

MINE = "phc_mine"
FACTS = {
    "fault": "project",
    "id": 7,
    "name": "Acme",
    "api_token": MINE,
    "timezone": "Europe/Berlin",
    "event_retention_months": 12,
    "events_retention_enforced": True,
    "drop_events_older_than_seconds": 86_400,
}


@pytest.fixture
def sandbox():
    """A project with two group types."""
    with Sandbox(app_port=0, faults=[FACTS]) as running:
        post(running, batch(event(properties={"$groups": {"company": "a", "team": "b"}})))
        yield running


def found(sandbox, key=MINE, project_id=None, **choices):
    """What is known of the project."""
    return asked(sandbox.app_url, lambda api: find(api, key, project_id), **choices)


def test_all_that_is_known_of_it(sandbox):
    """By its key, by its number, or as the only one there is."""
    known = Project(7, "Acme", "Europe/Berlin", 12, True, 86_400.0, {"company": 0, "team": 1})
    assert [found(sandbox), found(sandbox, project_id="7"), found(sandbox, None)] == [known] * 3


@pytest.mark.parametrize(
    ("key", "project_id", "said"),
    [
        (
            "phc_other",
            None,
            "--api-key: of no project that the personal API key sees at {url}, found 1; PostHog takes",
        ),
        (
            "phc_other",
            "7",
            "--api-key: not the key of project 7 (Acme) at {url}; give that project's own key",
        ),
    ],
)
def test_the_key_of_another_project_is_refused(sandbox, key, project_id, said):
    """Its events would go elsewhere, or nowhere, without a word."""
    with pytest.raises(Refused) as refused:
        found(sandbox, key, project_id)
    assert str(refused.value).startswith(said.format(url=sandbox.app_url))
    assert key not in str(refused.value)


def test_what_may_not_be_seen_is_named(sandbox):
    """Of a secret key that asks queries alone the settings, of a key without a scope the groups."""
    detail = "(found 403 'API key missing required scope '{}'')"
    secret = found(sandbox, project_id="7", key="phc_mine") and asked(
        sandbox.app_url, lambda api: find(api, MINE, "7"), key="phs_secret"
    )
    assert secret == Project("7", unseen=("the project's settings " + detail.format("project:read"),))
    with pytest.raises(Unasked, match=r"give the project's number in POSTHOG_PROJECT_ID"):
        asked(sandbox.app_url, lambda api: find(api, MINE, None), key="phs_secret")
    sandbox.faults([FACTS, {"fault": "missing_scope", "scope": "group:read"}])
    known = found(sandbox)
    assert (known.group_types, known.unseen) == (None, ("group types " + detail.format("group:read"),))
    sandbox.faults([FACTS, {"fault": "missing_scope", "scope": "project:read"}])
    with pytest.raises(
        Unasked, match=r"give it the scopes project:read, query:read and group:read of this project$"
    ):
        found(sandbox)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30 00:00:00", 2_592_000.0),
        ("01:00:05", 3_605.0),
        ("never", None),
        (0, None),
        (True, None),
        (90, 90.0),
        (-90, None),
    ],
)
def test_an_age_is_a_number_or_a_duration(value, seconds):
    """As servers of several years write it; what is none is no age."""

    class Told:
        """An API that says what it is told to; only its form is of interest here."""

        app_host = "https://ph.example"

        async def get(self, _path):
            return {"id": 1, "drop_events_older_than": value, "event_retention_months": "12", "name": "a\nb"}

        async def all(self, _path):
            return [{"group_type": "a"}, {"group_type": "b", "group_type_index": 0}]

    async def ask(_api):
        return await find(Told(), None, "1")

    known = asked("http://127.0.0.1:1", ask)
    assert (known.oldest_seconds, known.retention_months, known.group_types) == (seconds, None, {"b": 0})
    assert known.name == "a b"


@pytest.mark.parametrize("odd", [None, True, "../../x?y=", -1, [7]])
def test_no_path_is_made_of_what_is_no_number(odd):
    """What answers says which project is asked about next, and is another's."""

    class Told:
        """An API with a list of one such project."""

        app_host = "https://ph.example"

        async def all(self, _path):
            return [{"id": odd, "api_token": MINE}]

    async def ask(_api):
        return await find(Told(), MINE, None)

    with pytest.raises(Unasked, match="found a project without a number"):
        asked("http://127.0.0.1:1", ask)
