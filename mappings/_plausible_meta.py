"""Plausible's own properties: two lists of text, one of keys and one of values, put together as an object."""

import re
from typing import Final

import polars as pl

from migrate.kit import expr
from migrate.kit.cells import FAILURES, reader, text_of

_ITEM: Final = re.compile(r"'((?:[^'\\]|\\.|'')*)'", re.DOTALL)
_LIST: Final = re.compile(rf"\[\s*(?:{_ITEM.pattern}\s*(?:,\s*(?!\]))?)*\]", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)|''", re.DOTALL)
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_texts: Final = reader(list[str])
_KEYS: Final = "plausible_meta_key"
_VALUES: Final = "plausible_meta_value"
"""Under which names lists are kept that cannot be read."""


def meta() -> pl.Expr:
    """Return the object of both lists, null where there are none."""
    return expr.each(
        pl.struct(pl.col("meta.key").alias("keys"), pl.col("meta.value").alias("values")), together
    )


def is_unread() -> pl.Expr:
    """Return whether the lists cannot be read, and are kept as they are."""
    return meta().str.starts_with(f'{{"{_KEYS}"') | meta().str.starts_with(f'{{"{_VALUES}"')


def together(keys: str | None, values: str | None) -> str | None:
    """Return the object of a list of keys and a list of values; of a key that stands there twice the first value."""
    try:
        names, texts = listed(keys), listed(values)
        pairs = dict(zip(reversed(names), reversed(texts), strict=True))
    except ValueError:
        kept = {_KEYS: keys, _VALUES: values}
        return text_of({name: text for name, text in kept.items() if text is not None})
    return text_of({name: pairs[name] for name in dict.fromkeys(names)}) if pairs else None


def listed(text: str | None) -> list[str]:
    """Return the texts of a list as ClickHouse writes it in a CSV (`['a','b']`), or as JSON has it.

    Raises `ValueError` where it is neither.
    """
    bare = (text or "").strip() or "[]"
    try:
        return _texts(bare)
    except FAILURES:
        pass
    if not _LIST.fullmatch(bare):
        raise ValueError(text)
    return [_ESCAPED.sub(_plain, item) for item in _ITEM.findall(bare)]


def _plain(escaped: re.Match[str]) -> str:
    return _LETTERS.get(escaped[1], escaped[1]) if escaped[1] else "'"
