"""The undeclared columns of a flat file → JSON text, without a look at what is plain text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

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


@dataclass(frozen=True)
class _Texts:
    """A column, as JSON and as text."""

    json: pl.Series
    cell: pl.Series

    def with_those(self, others: "_Texts", places: pl.Series) -> "_Texts":
        return _Texts(self.json.zip_with(~places, others.json), self.cell.zip_with(~places, others.cell))

    def without(self, places: pl.Series) -> "_Texts":
        return _Texts(self.json.set(places, None), self.cell.set(places, None))


def _unlike(name: str, columns: Sequence[str]) -> str:
    """Return a name for one more column."""
    while name in columns:
        name += "'"
    return name


class Flat:
    """The undeclared columns of a flat file, as values that JSON has, or (`json`) as JSON text already."""

    def __init__(
        self,
        frame: pl.DataFrame,
        json: frozenset[str],
        height: int,
        cells: Mapping[str, pl.Series] = MappingProxyType({}),
    ) -> None:
        """`cells`: what columns that are JSON are as text."""
        self._frame, self._json, self._height, self._cells = frame, json, height, cells

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._frame.columns

    def shared(
        self, called: Mapping[str, str], wanted: Mapping[str, Sequence[str]]
    ) -> tuple["Flat", dict[str, str]]:
        """Return the columns, and name -> column, where of several that want one name each row's first has got it.

        `called`: name -> column. `wanted`: name -> the names of those that want it, in order; one that is called so
        already comes before them. What does not get the name stays where it is.
        """
        names = dict(called)
        now: dict[str, _Texts] = {}
        for name, wanting in wanted.items():
            column = called.get(name, _unlike(name, [*self._frame.columns, *now]))
            before = self._texts(column)
            is_taken = before.json.is_not_null()
            for other in (called[one] for one in wanting):
                mine = self._texts(other)
                moves = mine.json.is_not_null() & ~is_taken
                if moves.any():
                    is_taken |= moves
                    now[column] = now.get(column, before).with_those(mine, moves)
                    now[other] = now.get(other, mine).without(moves)
            if column in now and name not in called:
                at = min(place for place, one in enumerate(names) if one in wanting)
                pairs = list(names.items())
                names = dict([*pairs[:at], (name, column), *pairs[at:]])
        if not now:
            return self, names
        frame = self._frame.with_columns(texts.json.alias(column) for column, texts in now.items())
        cells = {**self._cells, **{column: texts.cell for column, texts in now.items()}}
        return Flat(frame, self._json | {*now}, self._height, cells), names

    def _texts(self, column: str) -> "_Texts":
        """Return a column as JSON and as text; one that is not there has nothing."""
        if column in self._frame.columns:
            return _Texts(self.json(column), self.cell(column))
        nothing = pl.repeat(None, self._height, dtype=pl.String, eager=True)
        return _Texts(nothing, nothing)

    def cell(self, column: str) -> pl.Series:
        """Return a column as text."""
        if column in self._cells:
            return self._cells[column]
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
