"""Which events, states and links the rules let through."""

import json
from collections import Counter

import polars as pl
import pytest
from frames import IMPRINT, NOON, event_frame, table

from migrate.kit import schemas
from migrate.payload.payloads import payloads
from migrate.people.states import SCHEMA
from migrate.rules.declared import NO_RULES, read
from migrate.rules.frames import Ruling


def ruling(**said):
    """The rules, ready."""
    return Ruling.of(read(said, "f"))


FRAME = event_frame(
    {"event": "seen", "distinct_id": "a"},
    {"event": " seen ", "distinct_id": " b "},
    {"event": "$identify", "distinct_id": "c"},
    {"event": None, "distinct_id": None},
)


def out(rules):
    """Name of a rule -> the rows of the events that it leaves out."""
    return {name: FRAME.filter(is_out(FRAME))["_row"].to_list() for name, is_out in rules.events_out()}


def test_without_rules_there_is_nothing_to_do():
    """So that it costs nothing."""
    assert Ruling.of(NO_RULES) is None
    assert Ruling.of_told(read({"rename": {"a": "b"}, "keep_only": ["a"], "drop_events": ["e"]}, "f")) is None


@pytest.mark.parametrize("said", [{"tags": {"a": 1}}, {"drop": ["a"]}, {"shorten_ip": True}])
def test_what_can_be_done_twice_is_done_of_what_is_told(said):
    """Another night, or another workdir that shares its people, may have noted it under other rules."""
    assert Ruling.of_told(read(said, "f")) is not None


def test_events_are_left_out_by_name_and_by_id():
    """Blanks around them are none of their letters; what tells who is who is left out by its own name alone."""
    assert out(ruling(drop_events=["se*"])) == {"rule:drop_events": [1, 2]}
    assert out(ruling(drop_events=["$identify"])) == {"rule:drop_events": [3]}
    assert out(ruling(only_events=["x"])) == {"rule:only_events": [1, 2]}
    assert out(ruling(never_import=["b"])) == {"rule:never_import": [2]}


TYPES = [("email", True), ("EMAIL", True), ("company", False), (None, False)]


@pytest.mark.parametrize("rule", [{"drop": ["email"]}, {"drop_anywhere": ["e*"]}, {"hash": ["email"]}])
@pytest.mark.parametrize("column", ["laid", "own", "properties", "rest"])
def test_groups_of_a_type_that_is_personal_are_not_told_of(rule, column):
    """Their keys are its values; events that only happened in such a group are others' work."""
    salt = {"hash_salt": "0123456789abcdef"} if "hash" in rule else {}
    bags = [json.dumps({"$group_type": kind, "$group_key": "ada@example.com"}) for kind, _ in TYPES]
    told = [{"event": " $groupidentify ", column: bag} for bag in [*bags, None]]
    frame = event_frame(*told, {"event": "seen", column: bags[0]})
    ((name, is_out),) = ruling(**rule, **salt).events_out()
    assert (name, is_out(frame).to_list()) == ("rule:groups", [gone for _, gone in TYPES] + [False, False])


def test_events_are_renamed():
    """Others stay as they are."""
    found = ruling(event_names={"seen": "viewed"}).renamed(FRAME)["event"].to_list()
    assert found == ["viewed", "viewed", "$identify", None]


@pytest.mark.parametrize("rule", ["never_link", "never_import"])
def test_links_are_refused(rule):
    """Whichever end is named; who is known stays known, and what is refused already keeps its reason."""
    kinds = ["linked", "same", "resolved", "identified", "refused"]
    rows = [(kind, "a" if kind != "identified" else None, "b", NOON, "why") for kind in kinds]
    frame = pl.DataFrame(rows, schemas.LINK_SCHEMA, orient="row")
    for who in ("a", "b"):
        found = ruling(**{rule: [who]}).unlinked(frame)
        # Of whom nothing is imported the source may say that a row is: it is left out as that person's.
        is_kept = (rule, who) == ("never_import", "b")
        third = ("resolved", "why") if is_kept else ("refused", "rule:never_link")
        assert found["kind"].to_list() == ["refused", "refused", third[0], "identified", "refused"]
        assert found["why"].to_list() == ["rule:never_link"] * 2 + [third[1]] + ["why"] * 2
    assert ruling(**{rule: ["c"]}).unlinked(frame).equals(frame)


def test_what_the_rules_name_and_nothing_was_called_is_told():
    """Ids, names of events and of properties, and patterns of them; what was there is not."""
    rules = ruling(
        drop=["email", "nosuch", "*_x"],
        rename={"n": "m", "o": "p"},
        never_import=["b ", "bot"],
        never_link=["c"],
        drop_events=["se*", "other"],
        event_names={"seen": "viewed", "gone": "y"},
        shorten_ip=["address"],
    )
    out(rules)
    rules.renamed(FRAME)
    rules.bags.told('{"Email":1,"a_x":1,"n":1}', Counter())
    links = pl.DataFrame([("linked", "a", " c", NOON, "why")], schemas.LINK_SCHEMA, orient="row")
    rules.unlinked(links)
    assert rules.unmet() == {
        "drop": ["nosuch"],
        "shorten_ip": ["address"],
        "rename": ["o"],
        "event_names": ["gone"],
        "never_import": ["bot"],
        "drop_events": ["other"],
    }


def states(*rows):
    """States, numbered."""
    return pl.DataFrame(
        [(number, *row) for number, row in enumerate(rows, 1)],
        pl.Schema({"_row": pl.Int64, **SCHEMA}),
        orient="row",
    )


STATES = states(
    ("pada", "state", NOON, "ada", '{"email":"a","n":1}'),
    ("pbob", "state", NOON, "bob", '{"email":"b"}'),
    ("pbob", "first", NOON, "bob", None),
    ("gteam\x1fx", "state", NOON, "bob", '{"email":"t"}'),
    ("gemail\x1fx@y", "state", NOON, None, '{"n":1}'),
)


def test_what_is_told_goes_through_the_rules_on_properties():
    """A person of whom nothing is left is not told of; a group is there, with what is left."""
    counts = Counter()
    found = ruling(drop=["email"]).told(STATES, counts)
    assert found.select("_row", "told").rows() == [(1, '{"n":1}'), (3, None), (4, "{}")]
    assert counts == {"rule:drop": 3, "rule:groups": 1}
    assert ruling(tags={"a": 1}).told(STATES, counts) is STATES


def test_of_some_ids_nothing_is_told():
    """Nor is a group told of by them."""
    found = ruling(never_import=["bob"]).imported(STATES)
    assert found.select("_row", "distinct_id").rows() == [(1, "ada"), (4, None), (5, None)]
    assert ruling(drop=["x"]).imported(STATES) is STATES


def test_a_name_that_a_rule_makes_is_looked_at():
    """PostHog would refuse a whole batch for it."""
    frame = event_frame({"laid": '{"cookies":"yes"}'})
    rules = ruling(rename={"cookies": "$cookieless_mode"})
    made = payloads(frame.with_columns(junk=False), table(), IMPRINT, "set", rules.ruled)
    assert made.rejects.select("reason", "value").rows() == [("cookieless_mode_not_boolean", '"yes"')]
    assert not payloads(
        frame.with_columns(junk=False), table(), IMPRINT, "set", ruling(drop=["x"]).ruled
    ).rejects.height
