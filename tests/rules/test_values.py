"""What stands in the place of a value."""

import hashlib
import hmac
import json

import pytest

from migrate.jsontext.parse import Raw
from migrate.rules.values import Hash, shortened, trace

SALT = "a salt of many letters"


def hashed(value):
    """What stands in its place."""
    return json.loads(bytes(Hash(SALT).of(Raw(json.dumps(value).encode()))))


def digest(text):
    """What anybody who knows the salt makes of a text."""
    return hmac.new(SALT.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ada@example.com", digest("ada@example.com")),
        ("é", digest("é")),
        (7, digest("7")),
        (7.0, digest("7")),
        (True, digest("true")),
        (["a", None, 7], [digest("a"), None, digest("7")]),
        ({"b": 1, "a": 2}, digest('{"a":2e0,"b":1e0}')),
    ],
)
def test_a_value_is_hashed_as_anybody_can_do_it_who_has_the_salt(value, expected):
    """HMAC-SHA-256 of its text."""
    assert hashed(value) == expected


def test_the_same_value_in_another_spelling_is_the_same():
    """As two kinds of files may spell it."""
    one = Hash(SALT)
    assert one.of(Raw(b'"\\u0061"')) == one.of(Raw(b'"a"'))
    assert one.of(Raw(b'{"a":1,"b":2.0}')) == one.of(Raw(b'{"b":2,"a":1}'))
    assert one.of(Raw(b"0.5")) == one.of(Raw(b"5e-1"))


def test_another_salt_is_another_hash_and_is_seen():
    """The trace tells neither."""
    assert Hash("b" * 16).of(Raw(b'"a"')) != Hash(SALT).of(Raw(b'"a"'))
    assert trace(SALT) == trace(SALT) != trace("b" * 16)
    assert SALT not in trace(SALT) + repr(Hash(SALT))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("203.0.113.7", "203.0.113.0"),
        (" 203.0.113.7 ", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2002:cb00:714d::1", "2002:cb00:7100::"),
        ("64:ff9b::203.0.113.77", "64:ff9b::"),
        ("::ffff:203.0.113.7", "203.0.113.0"),
        (["203.0.113.7", "x", None], ["203.0.113.0"]),
        ("203.0.113.7:80", None),
        ("203.0.113.7, 10.0.0.1", None),
        ("fe80::1%eth0", "fe80::"),
        (7, None),
        ({"a": "203.0.113.7"}, None),
    ],
)
def test_an_address_loses_what_tells_one_machine_from_others(value, expected):
    """What is no address is nothing."""
    found = shortened(Raw(json.dumps(value).encode()))
    assert (None if found is None else json.loads(bytes(found))) == expected
