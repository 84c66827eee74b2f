"""Properties as the rules want them, whatever they come in."""

import json
from collections import Counter

import pytest

from migrate.rules.bags import Bags
from migrate.rules.declared import read

SALT = "sixteen letters!"
FORCED = {"$geoip_disable": True, "$import_job_id": "i"}


def made(rules, properties, event="e", who="u", **counted):
    """What a payload's properties become; what is counted is as expected."""
    counts = Counter()
    whole = {
        "event": event,
        "distinct_id": who,
        "timestamp": "t",
        "uuid": "i",
        "properties": properties | FORCED,
    }
    text = json.dumps(whole, separators=(",", ":"))
    found = json.loads(Bags(read({"hash_salt": SALT} | rules, "f")).payload(text, counts))
    left = found.pop("properties")
    assert found == {name: value for name, value in whole.items() if name != "properties"}
    assert {name: left.pop(name) for name in FORCED} == FORCED
    assert counts == {(f"rule:{name}" if name != "personal_id" else name): n for name, n in counted.items()}
    return left


PERSONAL = {"email": "ada@example.com", "n": 1}


@pytest.mark.parametrize("holder", ["$set", "$set_once", "$group_set"])
def test_what_is_left_out_of_events_is_left_out_of_what_persons_are_told(holder):
    """In any case of letters."""
    found = made({"drop": ["E*"]}, PERSONAL | {holder: PERSONAL, "other": {"email": 1}}, drop=2)
    assert found == {"n": 1, holder: {"n": 1}, "other": {"email": 1}}


def test_left_out_at_any_depth():
    """In objects and lists, and of no other value a digit is lost."""
    value = {"a": [{"Token": 1, "n": 12345678901234567890}], "token": [], "s": "token"}
    found = made({"drop_anywhere": ["token"]}, {"x": value, "$set": {"y": value}}, drop_anywhere=4)
    assert found == {
        "x": {"a": [{"n": 12345678901234567890}], "s": "token"},
        "$set": {"y": {"a": [{"n": 12345678901234567890}], "s": "token"}},
    }


def test_only_what_is_kept():
    """What an import must have stays, and what PostHog acts upon, with what of it is kept."""
    found = made(
        {"keep_only": ["n"]},
        {"$os": 1, "n": {"x": 1}, "$set": PERSONAL, "$lib": "l", "$groups": {"company": "acme"}},
        keep_only=2,
    )
    assert found == {"n": {"x": 1}, "$set": {"n": 1}, "$lib": "l", "$groups": {"company": "acme"}}


def test_hashed_at_any_depth():
    """The same value is the same hash wherever it stands."""
    found = made(
        {"hash": ["email"]}, {**PERSONAL, "$set": PERSONAL, "a": [{"Email": "ada@example.com"}]}, hash=3
    )
    assert found["email"] == found["$set"]["email"] == found["a"][0]["Email"] != PERSONAL["email"]
    assert len(found["email"]) == 64


def test_addresses_are_shortened_or_left_out():
    """Those of `$ip` and `ip`, and of names that are given."""
    rules = {"shorten_ip": ["client"]}
    bag = {"$ip": "203.0.113.7", "client": "no address", "a": {"IP": "203.0.113.7"}, "b": "203.0.113.7"}
    found = made(rules, bag, shorten_ip=3)
    assert found == {"$ip": "203.0.113.0", "a": {"IP": "203.0.113.0"}, "b": "203.0.113.7"}


def test_renamed_unless_the_name_is_taken():
    """Of persons, too, also where they lose one; two names can be exchanged."""
    rules = {"rename": {"a": "b", "b": "a", "x": "y", "z": "y"}}
    found = made(
        rules,
        {"a": 1, "b": 2, "z": 3, "x": 4, "$set": {"a": 5}, "$unset": ["a", "c"]},
        rename=4,
        rename_taken=1,
    )
    assert found == {"a": 2, "b": 1, "y": 4, "$set": {"b": 5}, "$unset": ["b", "c"]}
    assert made({"rename": {"a": "b"}}, {"a": 1, "b": 2}, rename_taken=1) == {"b": 2}


@pytest.mark.parametrize("rule", ["drop", "drop_anywhere", "hash"])
@pytest.mark.parametrize("named", ["mail", "email"])
def test_a_name_is_protected_under_both_its_names(rule, named):
    """As it was, and as it is renamed."""
    found = made(
        {rule: [named], "rename": {"email": "mail"}},
        PERSONAL,
        **{rule: 1},
        **({"rename": 1} if rule == "hash" else {}),
    )
    assert "ada@example.com" not in found.values()


def test_constants_where_there_is_none_and_tags_always():
    """On events alone, after all other rules."""
    rules = {"drop": ["a"], "constants": {"a": 1, "b": 2}, "tags": {"c": [3]}}
    found = made(rules, {"a": 0, "b": 0, "c": 0, "$set": {"n": 1}}, drop=1, constants=1, tags=1)
    assert found == {"a": 1, "b": 0, "c": [3], "$set": {"n": 1}}


@pytest.mark.parametrize("rule", ["drop", "drop_anywhere", "hash"])
def test_groups_by_what_is_to_be_left_out_are_left_out(rule):
    """Their keys are its values."""
    bag = {"$groups": {"email": "ada@example.com", "company": "acme"}}
    assert made({rule: ["email"]}, bag, groups=1) == {"$groups": {"company": "acme"}}
    assert made({rule: ["email"]}, {"$groups": {"email": "a"}}, groups=1) == {}
    numbered = {"$group_0": "acme", "$group_1": "ada@example.com", "$group_5": "ada@example.com"}
    left = {"$groups": {"company": "acme"}, "$group_0": "acme", "$group_5": "ada@example.com"}
    assert made({rule: ["email"]}, bag | numbered, groups=1) == left


@pytest.mark.parametrize(
    ("event", "other"),
    [("$identify", "$anon_distinct_id"), ("$create_alias", "alias"), ("$merge_dangerously", "alias")],
)
@pytest.mark.parametrize("rule", ["never_link", "never_import"])
def test_ids_are_linked_by_no_event(event, other, rule):
    """Whichever of the two is named; what makes others one is no property to be left out."""
    bag = {other: "anon", "n": 1}
    for who in ("anon", "u"):
        assert made({rule: [who]}, bag, event=event, never_link=1) == {"n": 1}
    left = made({rule: ["x"], "drop": ["*a*"], "hash": ["*"]}, {other: "anon"}, event=event)
    assert left == {other: "anon"}


@pytest.mark.parametrize("rule", ["constants", "tags", "rename"])
def test_no_rule_makes_two_ids_one(rule):
    """What would be the other id on such an event is not put there."""
    counted = {"rename": {"rename_taken": 1}}.get(rule, {})
    assert "alias" not in made(
        {rule: {"n": "alias"} if rule == "rename" else {"alias": "x"}},
        {"n": 1},
        event="$create_alias",
        **counted,
    )


def test_an_id_that_is_personal_is_counted():
    """It is sent as it is: a property is no id."""
    made({"hash": ["email"]}, PERSONAL, who="ada@example.com", hash=1, personal_id=1)
    made({"drop": ["email"]}, PERSONAL | {"$groups": {"of": "ada@example.com"}}, drop=1, personal_id=1)


def test_what_is_no_object_goes_through_the_rules_as_well():
    """A list of objects under `$set` is none that PostHog heeds, and is on the event."""
    found = made({"drop_anywhere": ["email"]}, {"$set": [PERSONAL], "$unset": "x"}, drop_anywhere=1)
    assert found == {"$set": [{"n": 1}], "$unset": "x"}


def test_what_is_told_is_nothing_where_nothing_is_left():
    """A state that says nothing is none."""
    bags = Bags(read({"drop": ["email"]}, "f"))
    assert bags.told('{"email":"a"}', Counter()) is None
    assert bags.told('{"email":"a","n":1}', Counter()) == '{"n":1}'
    assert bags.told(None, Counter()) is None
