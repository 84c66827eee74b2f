"""No value that opens a door or pays stands on a screen; all others do."""

import pytest

from migrate.inspection.columns import column_of
from migrate.inspection.values import Value
from migrate.report.inspected import example
from migrate.report.secrets import is_secret, veiled

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "userPassword",
            "passwd_hash",
            "client secret",
            "access_token",
            "accessToken",
            "Authorization",
        ),
        *(
            "credit_card",
            "cardNumber",
            "card_no",
            "SSN",
            "api_key",
            "apiKey",
            "X-Api-Key",
            "auth.token",
            "cvv",
            "iban",
        ),
    ],
)
def test_a_column_that_is_called_like_a_secret_is_not_shown(name):
    """Nor a key inside of an object, nor a parameter of an address."""
    assert is_secret(name)
    assert example(column_of(name, [Value("text", "abc")], 1)) == "***"
    assert "abc" not in veiled(f'{{"a": {{"{name}": "abc\\"abc"}}, "n": 1}}')


@pytest.mark.parametrize(
    "name", ["discard", "author", "token_count", "event", "cards_total", "spinner", "company", "note"]
)
def test_a_column_that_is_called_otherwise_is_shown(name):
    """Though a word for a secret is part of another."""
    assert not is_secret(name)
    assert veiled("abc", name) == "abc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-123456", "Authorization: ***"),
        ("key AKIAABCDEFGHIJKLMNOP.", "key ***."),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "***"),
        (f"paid with {CARD}", "paid with ***"),
        (CARD.replace(" ", "-"), "***"),
        (CARD.replace(" ", ""), "***"),
        ("postgres://me:hunter2@db/x", "postgres://***@db/x"),
        ("https://a.example/?utm_source=x&token=abc#b", "https://a.example/?utm_source=x&token=***#b"),
        ('{"a":1,"password":"x"}', '{"a":1,"password":"***"}'),
    ],
)
def test_a_value_of_the_shape_of_a_secret_is_not_shown(text, shown):
    """In whatever column it stands; what is around it is."""
    assert veiled(text, "note") == shown


@pytest.mark.parametrize(
    "text",
    ["1709645400123", "4111 1111 1111 1112", "u-4111111111111111", "https://a.example/?q=1", "basic plan"],
)
def test_other_values_are_shown(text):
    """Numbers that are no card's, ids, addresses, words."""
    assert veiled(text, "note") == text
