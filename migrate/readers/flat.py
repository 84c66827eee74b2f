"""The undeclared columns of a flat file → JSON text, without a look at what is plain text."""

from collections.abc import Mapping

import msgspec
import polars as pl

from migrate.jsontext.build import Member, embraced, object_text, strings, strung
from migrate.jsontext.canonical import canonical_text
from migrate.jsontext.parse import encoded, texts
from migrate.jsontext.parse import sound_members as decoded
from migrate.jsontext.repairs import scrubbed
from migrate.kit.distinct import distinct
from migrate.readers.shapes import Members


def completed(those: pl.Series, others: pl.Series) -> pl.Series:
    """Return objects with the members of others that they lack."""
    both = (those.is_not_null() & others.is_not_null()).arg_true()
    found = []
    for one, other in zip(those.gather(both), others.gather(both), strict=True):
        bag = _reopened(one)
        found.append(bag | {key: value for key, value in _reopened(other).items() if key not in bag})
    whole = those.zip_with(those.is_not_null(), others)
    return whole.scatter(both, texts(list(map(encoded, found))))


class Flat:
    """The undeclared columns of a flat file, as values that JSON has, or (`json`) as JSON text already."""

    def __init__(self, frame: pl.DataFrame, json: frozenset[str], height: int) -> None:
        self._frame, self._json, self._height = frame, json, height

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._frame.columns

    def replaced(self, column: str, json: pl.Series) -> "Flat":
        """Return the columns with other JSON text in one of them."""
        frame = self._frame.with_columns(json.alias(column))
        return Flat(frame, self._json | {column}, self._height)

    def cell(self, column: str) -> pl.Series:
        """Return a column as text."""
        series = self._frame[column]
        return series if series.dtype == pl.String else self.json(column)

    def json(self, column: str) -> pl.Series:
        """Return a column as JSON text."""
        return self._frame[column] if column in self._json else strings(self._frame[column])

    def whole(self) -> pl.Series:
        """Return objects of all columns, keys in order, as `canonical_text` does; what is plain text needs no look."""
        members: list[Member] = []
        columns: list[pl.Series] = []
        for name in sorted(self._frame.columns):
            is_json = self._frame[name].dtype != pl.String or name in self._json
            column = canonical_texts(self.json(name)) if is_json else self._frame[name]
            members.append(Member(name, pl.col(f"c{len(columns)}"), is_json=is_json))
            columns.append(column.alias(f"c{len(columns)}"))
        if not members:
            return pl.repeat(None, self._height, dtype=pl.String, eager=True)
        whole = embraced(strung(members)).cast(pl.String).alias("whole")
        return pl.DataFrame(columns).select_seq(whole).to_series()

    def text(self, named: Mapping[str, str]) -> pl.Series:
        """Return objects of columns under these names, without nulls; null where there is nothing in one."""
        some = {
            name: column for name, column in named.items() if self._frame[column].null_count() < self._height
        }
        if not some:
            return pl.repeat(None, self._height, dtype=pl.String, eager=True)
        aliased = self._frame.select(pl.Series(f"c{n}", self._frame[c]) for n, c in enumerate(some.values()))
        plain = {n: pl.col(f"c{i}") for i, (n, c) in enumerate(some.items()) if c not in self._json}
        json = {n: pl.col(f"c{i}") for i, (n, c) in enumerate(some.items()) if c in self._json}
        return aliased.select_seq(object_text(plain, json=json).cast(pl.String).alias("x")).to_series()


def _reopened(text: str) -> Members:
    """Return the members of an object that was put together, halves of surrogate pairs in it replaced."""
    try:
        return decoded(text)
    except msgspec.DecodeError:
        return decoded(scrubbed(text.encode())[0])


def canonical_texts(texts: pl.Series) -> pl.Series:
    """Return JSON texts in canonical form, each distinct one worked out once."""
    found = distinct([texts])
    made = [None if text is None else canonical_text(text) for text in texts.gather(found.places)]
    return pl.Series(texts.name, made, dtype=pl.String).gather(found.codes)
