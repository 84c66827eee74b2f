"""One bag of a table → the columns of its known keys, and the members that are left of each object."""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import polars as pl

from migrate.jsontext.careful import BadJSON, careful_members
from migrate.jsontext.parse import NULL, encoded
from migrate.jsontext.parse import sound_members as decoded
from migrate.kit.cells import FAILURES
from migrate.kit.declare import ROW, Bag, inside
from migrate.kit.distinct import distinct
from migrate.readers.fields import Fields
from migrate.readers.records import Part
from migrate.readers.shapes import REMEMBERED, Members, Shapes
from migrate.readers.sheet import Sheet

_SOME: Final = 64
"""So many cells say whether a column holds few texts, each many times."""
_EMPTY: Final = ("", "null", "[]")
_text: Final = msgspec.json.Decoder(str).decode


class _Object(msgspec.Struct, gc=False):
    """A JSON object whose members are checked and skipped."""


_object: Final = msgspec.json.Decoder(_Object).decode


class BagOpener:
    """One bag of a table: what is taken out of it."""

    def __init__(self, column: str, bag: Bag, *, laid: bool) -> None:
        self.column, self.bag, self.laid, self.drops = column, bag, laid, bag.drops
        self.keys = frozenset(bag.keys)
        self.is_plain = bag.name is None
        """Whether an object of which nothing is taken out can stay the text it is."""
        self.is_looked_at = not laid and not bag.keys and self.is_plain
        """Whether it is only to be made sure that it holds objects."""
        self.inside = {key: inside(column, key) for key in bag.keys}
        self.whole = None if bag.whole is None else inside(column, bag.whole)
        self.is_row_by_row = bool(bag.keys)
        """Whether its keys are still to be taken out of each object."""
        self._fields = Fields(bag.keys, bag.keys, (), strict=False) if bag.keys and bag.name is None else None
        self._names: dict[str, str] = {}
        self._shapes: Shapes | None = None

    def cells(self, rows: pl.DataFrame, sheet: Sheet, part: Part) -> pl.Series:
        """Return the cells as objects; rows with one that cannot be made an object are rejects."""
        texts, read = rows[self.column], self.bag.read
        if read is None:
            return texts
        first = texts.head(_SOME)
        objects = self._read_once(texts, read) if first.n_unique() < first.len() // 2 else None
        objects = self._read(rows, read, sheet, part) if objects is None else objects
        if self.whole is not None:
            sheet.columns[self.whole] = objects
        return objects

    def _read_once(self, texts: pl.Series, read: Callable[[str], str | None]) -> pl.Series | None:
        """Return the cells as objects, each of many that are alike made once; None where one cannot be made."""
        found = distinct([texts])
        try:
            made = [text and read(text) for text in texts.gather(found.places)]
        except FAILURES:
            return None
        return pl.Series(self.column, made, dtype=pl.String).gather(found.codes)

    def _read(
        self, rows: pl.DataFrame, read: Callable[[str], str | None], sheet: Sheet, part: Part
    ) -> pl.Series:
        """Return the cells as objects; rows with one that cannot be made an object are rejects."""
        found: list[str | None] = []
        for place, text in enumerate(rows[self.column]):
            try:
                found.append(text and read(text))
            except FAILURES:
                sheet.reject(place, rows[ROW][place], f"{self.column}: {text}", part)
                found.append(None)
        return pl.Series(self.column, found, dtype=pl.String)

    def is_sound(self, part: Part) -> bool:
        """Return whether all cells are known to be objects as they stand."""
        if self.bag.name is not None or self.is_row_by_row:
            return False
        return self._fields is not None or self.bag.read is not None or self.column in part.sound

    def shapes(self, parted: Callable[["BagOpener", Members], tuple[Members, Members]]) -> "Shapes":
        """Return what writes objects of keys that are met often."""
        if self._shapes is None:
            self._shapes = Shapes(partial(parted, self))
        return self._shapes

    def by_field(self, objects: pl.Series, sheet: Sheet) -> bool:
        """Decode the keys of all cells at once, where they are simply objects; return whether that is all to be done.

        In half the time that it takes to look for them in each object.
        """
        self.is_row_by_row = bool(self.keys)
        if self._fields is None:
            return False
        columns = self._fields.columns(objects.drop_nulls().to_list())
        if columns is None:
            return False
        places = objects.is_not_null().arg_true() if objects.null_count() else None
        for key, column in columns.items():
            sheet.columns[self.inside[key]] = sheet.spread(column, places)
        self.is_row_by_row = False
        return not self.laid

    def members(self, text: str, place: int, sheet: Sheet, part: Part) -> tuple[Members, bool]:
        """Return the members of a cell, and whether they are as its text has them.

        Raises `BadJSON` with column and text where it holds something else than an object.
        """
        try:
            found = self._members(text)
            is_as_written = self.is_plain
        except (*FAILURES, UnicodeEncodeError):
            found, is_as_written = self._careful(text, place, sheet, part), False
        if self.is_row_by_row:
            for key in self.keys.intersection(found):
                sheet.note(self.inside[key], place, found[key])
        return found, is_as_written

    def _members(self, text: str) -> Members:
        """Return the members of a cell, none where it is only to be made sure that it holds an object."""
        if self.is_looked_at:
            _object(text)
            return {}
        return self._named(decoded(text))

    def _careful(self, text: str, place: int, sheet: Sheet, part: Part) -> Members:
        """Return the members of an object in another way than as its text, which it then is; none for an empty one.

        It may be JSON inside a JSON string, or hold what costs a value.
        """
        try:
            bare = text.strip()
            bare = _text(bare).strip() if bare.startswith('"') else bare
            before = part.counts.total()
            found = (
                {} if bare in _EMPTY else careful_members(bare.encode("utf-8", "surrogatepass"), part.counts)
            )
        except (BadJSON, msgspec.DecodeError) as error:
            raise BadJSON(f"{self.column}: {text}") from error
        is_repaired = part.counts.total() != before
        if self.bag.read is None:
            sheet.mend(
                self.column, place, (encoded(found).decode() if is_repaired else bare) if found else None
            )
        return self._named(found)

    def _named(self, found: Members) -> Members:
        """Return the members under the names they are called by; of a bag that gives names, those that say something.

        A key keeps its own name where another is called so, or where its new name is got by one that sorts before it,
        so that none is lost, and which one is called so depends on nothing but what a row holds.
        """
        if self.bag.name is None:
            return found
        some = {key: value for key, value in found.items() if value != NULL}
        names = {key: name if (name := self.called(key)) not in some else key for key in some}
        if len({*names.values()}) < len(names):
            first = {names[key]: key for key in sorted(names, reverse=True)}
            names = {key: name if first[name] == key else key for key, name in names.items()}
        return {names[key]: value for key, value in some.items()}

    def called(self, key: str) -> str:
        """Return what a key is called where no other is called so."""
        name = self._names.get(key)
        if name is None:
            name = key if self.bag.name is None else self.bag.name(key)
            if len(self._names) < REMEMBERED:
                self._names[key] = name
        return name
