"""Clicked elements as PostHog writes them, `$elements_chain`."""

import polars as pl
import pytest

from migrate.kit import values


def chain(**known):
    """The chain of one element."""
    told = {
        name: pl.lit(known.get(name), pl.String)
        for name in ("hierarchy", "tag", "classes", "identifier", "href", "text")
    }
    return pl.DataFrame({"x": [1]}).select(values.elements_chain(**told)).item()


def test_elements_chain_of_one_element():
    """Classes sorted after the tag, then keys sorted, link and id twice, as PostHog writes them."""
    assert chain(tag="a", classes="small btn", identifier="buy", href="/cart", text="Buy now") == (
        'a.btn.small:attr__class="small btn"attr__href="/cart"attr__id="buy"attr_id="buy"href="/cart"text="Buy now"'
    )


def test_elements_chain_of_a_hierarchy():
    """The element, then its ancestors, places counted from 1; what is said of the element itself wins."""
    hierarchy = (
        '[{"tag":"i","index":0,"indexOfType":0,"attrs":{"aria-label":"L","@x":"y"}},null,{"tag":"body","index":1,'
        '"indexOfType":0,"prevSib":"head"}]'
    )
    assert chain(hierarchy=hierarchy, tag="button") == (
        'button:attr__aria-label="L"nth-child="1"nth-of-type="1";body:nth-child="2"nth-of-type="1"'
    )


def test_elements_chain_escapes():
    """Quotes are escaped, lines joined, and no backslash swallows the closing quote."""
    assert chain(tag="a", text='say "hi"\n now\\', classes='a"b;c') == (
        'a.abc:attr__class="a\\"b;c"text="say \\"hi\\" now"'
    )


@pytest.mark.parametrize("hierarchy", [None, "[]", "[{", '{"tag":"a"}', '[{"tag":1}]'])
def test_elements_chain_of_nothing(hierarchy):
    """Nothing known, or nothing readable, is no chain."""
    assert chain(hierarchy=hierarchy) is None
