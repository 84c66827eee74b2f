"""A JSON text is read as one of capture's three shapes, with its token, or it is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from posting import batch, event

from migrate.sandbox.requests import request
from migrate.sandbox.syntax import MAX_DEPTH
from migrate.sandbox.wire import Refusal

NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5), min_size=1, max_size=4
)


def read(value):
    """What is read of a value, written as JSON."""
    return request(json.dumps(value).encode())


@COMPARED
@given(NAMES, st.sampled_from([{}, {"historical_migration": False}, {"historical_migration": True}]))
def test_every_shape_holds_its_events_in_order(names, flag):
    """A batch has its token and what it says of all events at its root; a list and one event bring their own."""
    events = [event(event=name) for name in names]
    own = [one | {"token": "phc_own"} for one in events]
    found = read({"api_key": "phc_key", "batch": events} | flag)
    assert [one.event for one in found.events] == names
    assert (found.token, found.historical) == ("phc_key", flag.get("historical_migration", False))
    listed = read(own)
    assert [one.event for one in listed.events] == names
    assert (listed.token, listed.historical) == ("phc_own", False)
    single = read(own[0])
    assert ([one.event for one in single.events], single.token) == (names[:1], "phc_own")


@pytest.mark.parametrize("name", ["token", "$token", "api_key"])
def test_an_event_brings_its_token(name):
    """Under any of its names, else in its properties."""
    one, other = {name: "phc_a"}, {"properties": {"token": "phc_b"}}
    assert [read(event(**more)).token for more in (one, one | other, other)] == ["phc_a", "phc_a", "phc_b"]


@COMPARED
@given(st.sampled_from(["event", "distinct_id", "timestamp", "uuid", "properties"]))
def test_a_field_that_comes_twice_refuses_the_batch(name):
    """Whichever it is, and though it says the same: also where the batch is the plain one that is read fast."""
    good = json.dumps(batch(event(properties={"a": 1})), separators=(",", ":"))
    assert request(good.encode()).events[0].event == "seen"
    field = f'"{name}":{json.dumps(event(properties={"a": 1})[name], separators=(",", ":"))}'
    assert good.count(field) == 1
    with pytest.raises(Refusal) as refused:
        request(good.replace(field, f"{field},{field}").encode())
    assert refused.value.status == 400


@pytest.mark.parametrize("place", ["properties", "$set", "$set_once"])
def test_nesting_is_read_as_deep_as_serde_reads(place):
    """Wherever it is: the depth of the batch, its list and its event included."""

    def nested(depth):
        value = {}
        for _ in range(depth - 1):
            value = {"a": value}
        return batch(event(**{place: value}))

    around = 3
    assert read(nested(MAX_DEPTH - around)).events[0].event == "seen"
    with pytest.raises(Refusal) as refused:
        read(nested(MAX_DEPTH - around + 1))
    assert refused.value.text.startswith(
        "failed to parse request: recursion limit exceeded at line 1 column "
    )


TOKENS = [
    pytest.param("  ", "empty", id="blank"),
    pytest.param("p" * 65, "too_long", id="long"),
    pytest.param("phc_ä", "not_ascii", id="letters"),
    pytest.param("phx_key", "personal_api_key", id="personal"),
    pytest.param("phc_\0", "null_byte", id="zero"),
]


@pytest.mark.parametrize(("token", "reason"), TOKENS)
def test_a_token_of_another_shape_is_refused(token, reason):
    """Of a batch as of an event; blanks around a good one do not harm, and stay."""
    for value in (batch(event(), api_key=token), event(token=token), [event(token=token)]):
        with pytest.raises(Refusal) as refused:
            read(value)
        assert (refused.value.status, refused.value.text) == (401, f"API key is not valid: {reason}")
    longest = " " + "p" * 64
    for value in (batch(event(), api_key=longest), event(token=longest), [event(token=longest)]):
        assert read(value).token == longest
