"""What PostHog would refuse, drop or misread of its own events and properties."""

import json

import pytest
from frames import event_frame, made, strict

UUID = "018ea3d4-8e00-7b59-9c99-4d99b5f81579"


def sent(event, bag, distinct_id="u-1"):
    """What becomes of one event with these properties."""
    return made(event_frame({"event": event, "distinct_id": distinct_id, "properties": json.dumps(bag)}))


@pytest.mark.parametrize(
    ("event", "bag", "reason", "value"),
    [
        pytest.param(
            "e", {"$cookieless_mode": "on"}, "cookieless_mode_not_boolean", '"on"', id="cookieless_text"
        ),
        pytest.param(
            "e", {"$cookieless_mode": 1}, "cookieless_mode_not_boolean", "1", id="cookieless_number"
        ),
        pytest.param(
            "$identify", {"$anon_distinct_id": 7}, "anon_distinct_id_not_string", "7", id="identify"
        ),
        pytest.param("$create_alias", {"alias": ["a"]}, "alias_not_string", '["a"]', id="alias"),
        pytest.param("$merge_dangerously", {"alias": {}}, "alias_not_string", "{}", id="merge"),
        pytest.param("$identify", {"alias": True}, "alias_not_string", "true", id="alias_on_identify"),
        pytest.param(
            "$groupidentify", {"$group_key": "k" * 401}, "group_key_too_long", "k" * 401, id="group_key"
        ),
        pytest.param(
            "$groupidentify", {"$group_key": "😀" * 201}, "group_key_too_long", "😀" * 201, id="utf_16"
        ),
    ],
)
def test_refused(event, bag, reason, value):
    """An event PostHog would refuse with its batch, or drop after its 200, is a reject."""
    done = sent(event, bag)
    assert done.rejects.rows() == [(1, reason, value)]
    assert done.frame.height == 0


@pytest.mark.parametrize(
    ("event", "bag"),
    [
        pytest.param("e", {"$cookieless_mode": False, "a": {"$cookieless_mode": 1}}, id="cookieless"),
        pytest.param("$identify", {"$anon_distinct_id": "a-1"}, id="identify"),
        pytest.param("e", {"$anon_distinct_id": 7, "alias": 8}, id="no_merge_event"),
        pytest.param(
            "$groupidentify", {"$group_type": "t", "$group_key": "k" * 400, "a": "b" * 900}, id="group_key"
        ),
        pytest.param("e", {"$group_key": "k" * 401}, id="no_group_event"),
        pytest.param("e", {"$session_id": UUID}, id="session"),
        pytest.param("e", {"$session_id": None, "$cookieless_mode": None}, id="nulls"),
        pytest.param("e", {"$current_url": "https://x.example"}, id="url"),
        pytest.param("e", {"$set": {"a": 1}, "$groups": {}, "a": {"$set": 1}}, id="objects"),
        pytest.param("e", {"$set": None, "$set_once": None}, id="null_objects"),
        pytest.param("$identify", {"$anon_distinct_id": "u-1"}, id="same_id"),
        pytest.param("$identify", {}, id="no_other_id"),
        pytest.param("$identify", {"$process_person_profile": True}, id="profile"),
    ],
)
def test_taken_as_it_is(event, bag):
    """What PostHog takes gets neither a reject nor a repair nor a warning, and every property but nulls stays."""
    done = sent(event, bag)
    assert (done.rejects.height, dict(done.repairs), dict(done.warnings)) == (0, {}, {})
    found = strict(done.frame["payload"][0])["properties"]
    assert {key: found.get(key) for key in bag} == bag


@pytest.mark.parametrize(
    ("event", "bag", "name", "left"),
    [
        pytest.param(
            "$identify",
            {"a": 1, "$process_person_profile": False},
            "process_person_profile_removed",
            {"a": 1},
            id="profile",
        ),
    ],
)
def test_repaired(event, bag, name, left):
    """A member for which PostHog would drop the event goes, counted; the event stays."""
    done = sent(event, bag)
    found = strict(done.frame["payload"][0])
    assert done.repairs == {name: 1}
    assert list(found) == ["event", "distinct_id", "timestamp", "uuid", "properties"]
    assert {key: value for key, value in found["properties"].items() if key in bag} == left


@pytest.mark.parametrize(
    ("event", "bag", "person", "name"),
    [
        pytest.param("$identify", {"$anon_distinct_id": "Anonymous"}, "u-1", "unmergeable_id", id="list"),
        pytest.param("$identify", {"$anon_distinct_id": "a-1"}, "'null'", "unmergeable_id", id="own_quoted"),
        pytest.param("$create_alias", {"alias": " "}, "u-1", "unmergeable_id", id="blank"),
        pytest.param("$merge_dangerously", {"alias": "x" * 401}, "u-1", "unmergeable_id", id="long"),
        pytest.param("e", {"$session_id": "1712134800000"}, "u-1", "session_id_not_uuid", id="session"),
        pytest.param("e", {"$session_id": 17}, "u-1", "session_id_not_uuid", id="session_number"),
        pytest.param("e", {"$heatmap_data": {}}, "u-1", "heatmap_side_effect", id="heatmap"),
        pytest.param(
            "e",
            {"$prev_pageview_pathname": "/", "$current_url": "https://x.example"},
            "u-1",
            "heatmap_side_effect",
            id="heatmap_by_scrolling",
        ),
        pytest.param("e", {"$set": "Ada"}, "u-1", "set_not_object", id="set"),
        pytest.param("e", {"$set_once": ["a"]}, "u-1", "set_once_not_object", id="set_once"),
        pytest.param("e", {"$groups": 4}, "u-1", "groups_not_object", id="groups"),
    ],
)
def test_warned_of(event, bag, person, name):
    """What PostHog takes and does not act upon, or acts upon twice, is sent and said."""
    done = sent(event, bag, person)
    assert name in done.warnings
    assert done.warnings[name] == 1
    assert done.frame.height == 1


@pytest.mark.parametrize(
    "bag",
    [
        {"$heatmap_data": {}, "a": {"$heatmap_data": 1}},
        {"$prev_pageview_pathname": "/", "$current_url": "https://x.example"},
    ],
)
@pytest.mark.parametrize(
    "other",
    [
        {"note": "$heatmap_data"},
        {"o": {"$heatmap_data": 1, "$prev_pageview_pathname": "/", "$current_url": "https://x.example"}},
        {"$prev_pageview_pathname": "/", "$current_url": "", "b": "$current_url"},
    ],
)
def test_heatmaps_are_made_of_an_events_own_members(bag, other):
    """A text, a member further down, an address that is empty make none; the first row that makes one is told."""
    rows = [
        {"_row": number, "properties": json.dumps(one)} for number, one in enumerate([other, bag, other], 5)
    ]
    done = made(event_frame(*rows))
    assert (done.warnings["heatmap_side_effect"], done.examples) == (1, {"heatmap_side_effect": 6})


def test_a_renamed_property_is_looked_at_under_its_new_name():
    """The finished payload is judged, not the source's names."""
    frame = event_frame({"properties": '{"sid":"17"}'}, {"extra": '{"$cookieless_mode":"x"}'})
    done = made(frame, {"sid": "$session_id"})
    assert done.warnings == {"session_id_not_uuid": 1}
    assert done.rejects["_row"].to_list() == [2]


def test_a_name_with_an_escape_is_looked_at_too():
    """A bag that is merged key by key has its keys spelled plainly in the payload."""
    done = made(event_frame({"properties": r'{"\u0024cookieless_mode":"x","other":null}'}))
    assert done.rejects["reason"].to_list() == ["cookieless_mode_not_boolean"]


def test_a_row_is_never_half_migrated():
    """Of a row with several events all go when one is refused; other rows stay."""
    frame = event_frame({"_row": 1}, {"_row": 1, "properties": '{"$cookieless_mode":1}'}, {"_row": 2})
    done = made(frame)
    assert done.rejects["_row"].to_list() == [1]
    assert done.frame["_row"].to_list() == [2]


@pytest.mark.parametrize("word", ["(null)", r"\N", "N/A", "[]", "--", "<nil>"])
@pytest.mark.parametrize("key", ["$anon_distinct_id", "alias"])
def test_no_one_is_merged_with_a_word_for_nothing(key, word):
    """PostHog would take these for ids, and merge all who ever came with one."""
    event = "$identify" if key.startswith("$") else "$create_alias"
    done = sent(event, {key: word, "a": 1})
    (text,) = done.frame["payload"]
    bag = strict(text)["properties"]
    assert (key in bag, bag["a"]) == (False, 1)
    assert done.repairs == {"null_text": 1}
    assert done.rejects.height == 0
