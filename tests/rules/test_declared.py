"""What may be said as a rule."""

from dataclasses import fields

import pytest

from migrate.errors import UsageError
from migrate.rules.declared import ON_EVENTS, Rules, read

SALT = "sixteen letters!"
SAID = {
    "drop": ["b", "a"],
    "drop_anywhere": ["x"],
    "keep_only": ["y"],
    "hash": ["email"],
    "hash_salt": SALT,
    "shorten_ip": True,
    "rename": {"a": "b"},
    "constants": {"a": 1},
    "tags": {"a": {"b": [True, 1.5]}},
    "event_names": {"a": "b"},
    "drop_events": ["a"],
    "only_events": ["a"],
    "never_import": ["a"],
    "never_link": ["a"],
}


def test_each_rule_can_be_said():
    """With hyphens, too; the order of names is none."""
    assert set(SAID) == {one.name for one in fields(Rules)}
    rules = read(SAID, "f: [rules]")
    assert rules == read({name.replace("_", "-"): value for name, value in SAID.items()}, "f: [rules]")
    assert rules.drop == ("a", "b")
    assert SALT not in repr(rules)


def test_nothing_said_is_no_rule():
    """Nor is an empty list; nor shorten_ip = false."""
    for said in ({}, {"drop": []}, {"rename": {}}, {"shorten_ip": False}, {"hash_salt": SALT}):
        rules = read(said, "f")
        assert (rules.identity, rules.rest, rules.changes_properties) == (None, None, False)


@pytest.mark.parametrize("name", [name for name in SAID if name not in {"hash", "hash_salt"}])
def test_each_rule_has_its_digest(name):
    """Those that decide which events there are have one of their own."""
    rules = read({name: SAID[name]}, "f")
    assert (rules.identity is not None, rules.rest is not None) == (name in ON_EVENTS, name not in ON_EVENTS)


def test_another_salt_is_another_digest():
    """Which tells no more."""
    one, other = (read({"hash": ["a"], "hash_salt": salt}, "f").rest for salt in (SALT, SALT + "!"))
    assert one != other


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"dorp": []}, "f: [rules] dorp: no such rule; is drop meant? (rules are drop, "),
        ({"drop-events": [], "drop_events": []}, "f: [rules] drop_events: said twice, "),
        ({"drop": "email"}, 'f: [rules] drop: not a list of names, found "email"; write drop = ["…"]'),
        ({"drop": [1]}, 'f: [rules] drop: not a name, found 1; write it as "…"'),
        ({"drop": [" "]}, 'f: [rules] drop: not a name, found " "; write it as "…"'),
        ({"rename": ["a"]}, 'f: [rules] rename: not a table, found ["a"]; write { name = "…" }'),
        ({"rename": {"a": 1}}, 'f: [rules] rename.a: not a name, found 1; write it as "…"'),
        ({"tags": {"": 1}}, "f: [rules] tags: a name that is empty; name the property"),
        (
            {"tags": {"a": float("nan")}},
            "f: [rules] tags.a: neither text nor true, false or a number up to 2^53, found NaN",
        ),
        (
            {"hash": ["a"]},
            "f: [rules] hash_salt: hash needs one of 16 letters or more, found nothing, as whoever guesses it finds",
        ),
        (
            {"hash": ["a"], "hash_salt": "short"},
            "f: [rules] hash_salt: hash needs one of 16 letters or more, found 5",
        ),
        (
            {"drop": ["$set"]},
            "f: [rules] drop: $set is what PostHog acts upon, and stays as it is; see --person-pr",
        ),
        (
            {"tags": {"$geoip_disable": False}},
            "f: [rules] tags: $geoip_disable is what every import must have, and",
        ),
        (
            {"rename": {"a": "$anon_distinct_id"}},
            "f: [rules] rename: $anon_distinct_id is what PostHog acts upon",
        ),
        (
            {"event_names": {"a": "$identify"}},
            "f: [rules] event_names: $identify is an event that PostHog changes ",
        ),
        ({"event_names": {"a": "😀" * 101}}, "f: [rules] event_names: longer than 200 characters, found '😀"),
    ],
)
def test_what_cannot_be_meant_is_refused(said, message):
    """Where it stands, what was found, what to do."""
    with pytest.raises(UsageError) as refused:
        read(said, "f: [rules]")
    assert str(refused.value).startswith(message)
