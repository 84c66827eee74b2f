"""A rule holds on every road that a value can take into PostHog, of every platform's sample."""

import json
from dataclasses import replace
from functools import cache

import pytest
from samples import EVERY, FEW, SAMPLES, settings, some
from test_preview import planned

from migrate.payload.special import OTHER_ID
from migrate.preview import preview
from migrate.rules.declared import PROTECTED, read

SALT = "sixteen letters!"
FOLDERS = [*some(FEW, 3), *(["ga4/unnested", "ga4/users", "mixpanel/pipeline"] if EVERY else [])]
IDS = {"$group_type", "$group_key", *OTHER_ID.values()}

pytestmark = pytest.mark.law


@cache
def without_rules(folder):
    """What a sample becomes as it is."""
    return payloads(folder)


def payloads(folder, **said):
    """What a sample becomes under rules."""
    chosen = replace(settings(folder.partition("/")[0]), rules=read(said, "f"))
    work = chosen.work([str(SAMPLES / folder)])
    return [json.loads(text) for row in preview(work, 10**6) for text in row.payloads]


def names(value):
    """All names in a value, at any depth."""
    if isinstance(value, dict):
        yield from value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names(one)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("rule", ["drop", "drop_anywhere", "keep_only"])
def test_without_properties_nothing_arrives_but_what_makes_an_event(folder, rule):
    """No road leads around: profiles, groups, merges, what the source itself says, what is computed."""
    said = {rule: ["*"]} if rule != "keep_only" else {rule: ["nothing is called so"]}
    before, found = without_rules(folder), payloads(folder, **said)
    assert {one["event"] for one in found} <= {one["event"] for one in before}
    assert found or folder == "ga4/users"  # which only tells of persons
    for one in found:
        others = {"$set", "$set_once", "$group_set", "$unset"} | (
            {"$groups"} if rule == "keep_only" else set()
        )
        left = {name: value for name, value in one["properties"].items() if name not in PROTECTED | IDS}
        assert set(left) <= others, one
        assert all(not left[name] for name in ("$set", "$set_once", "$group_set") if name in left), one


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_hashed_is_nowhere_as_it_was(folder):
    """Whatever it came in: of a text that stands in properties, none is left in any payload."""
    before, found = without_rules(folder), payloads(folder, hash=["*"], hash_salt=SALT)
    kept = PROTECTED | IDS | {"$groups", "$unset"}

    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for name, one in value.items():
                if name not in kept:
                    yield from texts(one)
        elif isinstance(value, list):
            for one in value:
                yield from texts(one)

    was = {text for one in before for text in texts(one["properties"])}
    now = {text for one in found for text in texts(one["properties"])}
    assert was
    assert was & now == set()
    assert {one["uuid"] for one in found if one["event"] not in {"$set", "$groupidentify"}} <= {
        one["uuid"] for one in before
    }


@pytest.mark.parametrize("folder", ["amplitude", "heap", "segment", "posthog"])
def test_of_an_id_nothing_is_imported(folder):
    """No event, no person, no merge; the others' events are the same."""
    before = without_rules(folder)
    known = {one["distinct_id"] for one in before if one["event"] == "$identify"} or {
        before[0]["distinct_id"]
    }
    never = min(known)
    found = payloads(folder, never_import=[never])

    def others(one):
        return {one["properties"][name] for name in OTHER_ID.values() if name in one["properties"]}

    assert all(one["distinct_id"] != never and never not in others(one) for one in found)
    uuids = {one["uuid"] for one in before}
    assert {
        one["uuid"] for one in found if one["event"] not in {"$set", "$groupidentify", "$identify"}
    } <= uuids


@pytest.mark.parametrize("folder", ["amplitude", "segment"])
def test_the_books_balance_under_rules(tmp_path, folder):
    """Rows that rules left out are counted under the rules' names, in the plan as in the preview."""
    said = {"drop_events": ["*a*"], "drop": ["*"], "never_import": ["x"], "tags": {"t": 1}}
    work = replace(settings(folder), rules=read(said, "f")).work([str(SAMPLES / folder)])
    texts, left_out, _ = planned(tmp_path / "w", work)
    shown = list(preview(work, 10**6))
    assert sorted(text for one in shown for text in one.payloads) == texts
    whys = [one.why.split(",")[0] for one in shown if one.why and not one.why.startswith("mapped")]
    assert {why: whys.count(why) for why in whys} == left_out
    assert left_out["filtered: rule:drop_events"] > 0
    assert all(json.loads(text)["properties"]["t"] == 1 for text in texts)
