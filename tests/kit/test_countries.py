"""A country is known by every code and name that exports have for it, and is called as MaxMind calls it."""

import pytest

from migrate.kit import countries


@pytest.mark.parametrize(
    "text", ["nl", "NLD", "Netherlands", "the netherlands", "Kingdom of the Netherlands", "HOLLAND"]
)
def test_a_country_is_known_by_any_code_or_name(text):
    """In any case, with "the" and the kind of state or without."""
    assert (countries.code(text), countries.name(text)) == ("NL", "The Netherlands")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("C\u00f4te d\u2019Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"),
        ("St. Lucia", "LC"),
        ("Saint Lucia", "LC"),
        ("Trinidad & Tobago", "TT"),
        ("Moldova, Republic of", "MD"),
        ("Congo", "CG"),
        ("Democratic Republic of the Congo", "CD"),
        ("U.S.A.", "US"),
    ],
)
def test_accents_signs_and_short_words_make_no_difference(text, code):
    """Two countries of nearly one name stay two."""
    assert countries.code(text) == code


def test_what_we_call_a_country_is_known_as_that_country():
    """No two countries have one name."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = [one + other for one in letters for other in letters]
    named = {code: countries.name(code) for code in codes if countries.code(code) == code}
    assert "DE" in named
    assert {code: countries.code(name) for code, name in named.items()} == {code: code for code in named}


@pytest.mark.parametrize(("text", "name"), [("ZZ", None), ("EU", None), ("", None), ("Atlantis", "Atlantis")])
def test_of_what_is_no_country_a_name_stays_and_a_code_does_not(text, name):
    """A code says nothing to anyone who does not know it."""
    assert (countries.code(text), countries.name(text)) == (None, name)
