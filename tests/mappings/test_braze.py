"""Braze: kinds of events by folder, file or columns, floats of 32 bits, types around values, who is who."""

import json

import pytest
from commands import migrate

from mappings._braze_types import called, spelled
from mappings._braze_values import shortened, untagged


def shown(*paths):
    """The payloads of files."""
    done = migrate("preview", "braze", *paths, "--limit", "1000")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def lines(path, *rows):
    """A file of these rows, which have an id and a time if they say none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    base = {"time": 1712138400}
    if "user" not in rows[0]:
        base |= {"user_id": "u1", "external_user_id": None}
    told = ({"id": f"i{number}"} | base | row for number, row in enumerate(rows))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in told))
    return path


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("users.messages.email.Click", "users.messages.email.Click", "Email Click"),
        ("messages.email.MarkAsSpam", "users.messages.email.MarkAsSpam", "Email Mark As Spam"),
        (
            "USERS_MESSAGES_INAPPMESSAGE_CLICK_SHARED",
            "users.messages.inappmessage.Click",
            "In-App Message Click",
        ),
        ("users.behaviors.app.FirstSession", "users.behaviors.app.FirstSession", "First Session"),
        (
            "users.canvas.exit.PerformedEvent",
            "users.canvas.exit.PerformedEvent",
            "Canvas Exit Performed Event",
        ),
        ("users.RandomBucketNumberUpdate", "users.RandomBucketNumberUpdate", "Random Bucket Number Update"),
        ("users.messages.pigeon.ArrivedLate", "users.messages.pigeon.ArrivedLate", "Pigeon Arrived Late"),
        ("agentconsole.AgentExecuted", "agentconsole.AgentExecuted", "Agent Executed"),
    ],
)
def test_a_kind_has_one_spelling_and_one_name(text, kind, name):
    """Whatever a folder, a file or a table calls it."""
    assert (spelled(text), called(kind)) == (kind, name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3.140000104904175", "3.14"),
        ("3.1400001", "3.14"),
        ("-19.899999618530273", "-19.9"),
        ("3.14", "3.14"),
        ("1234567.89", "1234567.89"),
        ("0.1", "0.1"),
        ("16777.216", "16777.216"),
        ("1000000.5", "1000000.5"),
        ("20", "20"),
        ("1e300", "1e300"),
        ("nan", "nan"),
        ("free", "free"),
    ],
)
def test_a_float_of_32_bits_is_as_it_was_meant(text, found):
    """And a double that is none stays what it is, to the last digit."""
    assert shortened(text) == found


def test_a_type_around_a_value_is_taken_off():
    """Objects of the customer's own, and of more than one member, are none."""
    text = (
        '{"a":{"string":"x"},"b":{"boolean":false},"c":null,"d":{"string":"x","int":1},"e":{"own":1},"f":[1]}'
    )
    assert json.loads(untagged(text)) == {
        "a": "x",
        "b": False,
        "c": None,
        "d": {"string": "x", "int": 1},
        "e": {"own": 1},
        "f": [1],
    }


def test_ids_with_a_type_around_them_are_the_same_ids(tmp_path):
    """In the key, of persons and in links."""
    row = {"name": "Seen", "properties": "{}"}
    bare = lines(tmp_path / "bare.jsonl", row | {"external_user_id": "ada"}, row)
    tagged = lines(tmp_path / "tagged.jsonl", row | {"external_user_id": {"string": "ada"}}, row)
    assert [(one["uuid"], one["distinct_id"]) for one in shown(bare)] == [
        (one["uuid"], one["distinct_id"]) for one in shown(tagged)
    ]
    assert {one["distinct_id"] for one in shown(tagged)} == {"ada"}


def test_events_of_one_who_was_merged_into_another_are_the_others(tmp_path):
    """Of a chain of such, the last; her own id comes from any of her rows."""
    seen = {"name": "Seen", "properties": "{}"}
    lines(
        tmp_path / "events.jsonl",
        seen | {"user_id": "old"},
        seen | {"user_id": "middle"},
        seen | {"user_id": "new", "external_user_id": "ada"},
        seen | {"user_id": "other"},
    )
    lines(
        tmp_path / "users.UserOrphan.jsonl",
        {"id": "o1", "user_id": "old", "orphaned_by_id": "middle"},
        {"id": "o2", "user_id": "middle", "orphaned_by_id": "new"},
    )
    assert [one["distinct_id"] for one in shown(tmp_path)] == ["ada", "ada", "ada", "other"]


@pytest.mark.parametrize(
    "path", ["event_type=users.messages.sms.Send/a.jsonl", "USERS_MESSAGES_SMS_SEND.jsonl"]
)
def test_a_folder_or_a_file_says_the_kind(tmp_path, path):
    """As Currents writes folders, and warehouses call tables."""
    (one,) = shown(lines(tmp_path / path, {"send_id": "s1"}))
    assert (one["event"], one["properties"]["braze_event_type"]) == ("SMS Send", "users.messages.sms.Send")


def test_a_price_that_is_no_number_is_counted(tmp_path):
    """Nothing is lost without a word."""
    file = lines(
        tmp_path / "a.jsonl", *({"product_id": "oak", "price": price} for price in ("free", 3, None))
    )
    done = migrate("plan", "braze", file, "--workdir", tmp_path / "w", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["warnings"] == {"no_number": 1}
    assert [one["properties"].get("price") for one in shown(file)] == [None, 3.0, None]


def test_own_properties_may_be_called_as_columns_are(tmp_path):
    """In a file and from the connector: nothing of them is lost."""
    own = {"name": "Oak", "platform": "ours", "user_id": "seven", "price": "free"}
    filed = lines(tmp_path / "a.jsonl", {"name": "Seen", "properties": json.dumps(own)})
    sent = {
        "event_type": "users.behaviors.CustomEvent",
        "user": {"user_id": "u1"},
        "properties": {"name": "Seen", "custom_properties": own},
    }
    connected = lines(tmp_path / "b.jsonl", sent)
    for (one,) in (shown(filed), shown(connected)):
        assert one["event"] == "Seen"
        assert own.items() <= one["properties"].items()


def test_an_agents_event_may_be_of_no_one(tmp_path):
    """It makes no person; another kind's row without anybody is rejected."""
    nobody = {"user_id": None, "external_user_id": None}
    lines(tmp_path / "agentconsole.AgentExecuted.jsonl", nobody | {"agent_name": "Oak"})
    lines(tmp_path / "users.messages.sms.Send.jsonl", nobody)
    (one,) = shown(tmp_path)
    assert one["event"] == "Agent Executed"
    assert one["distinct_id"].startswith("no-id-")
    assert one["properties"]["$process_person_profile"] is False
