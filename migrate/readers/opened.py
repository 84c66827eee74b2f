"""Objects in cells → columns of the keys a table knows, and one text of what is left: each is opened once."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final, Self

import msgspec
import polars as pl

from migrate.jsontext.build import object_text, strings
from migrate.jsontext.canonical import canonical_text
from migrate.jsontext.careful import BadJSON, careful_members
from migrate.jsontext.parse import NULL, Raw, cells, encoded, texts
from migrate.jsontext.parse import sound_members as decoded
from migrate.jsontext.repairs import scrubbed
from migrate.kit.cells import FAILURES
from migrate.kit.declare import OWN, PROPERTIES, REST, ROW, WHOLE, Bag, Options, Table, inside
from migrate.kit.distinct import distinct
from migrate.readers.objects import FORBIDDEN, Fields
from migrate.readers.records import Part, reject

_REMEMBERED: Final = 100_000
_SHAPES: Final = 1_000
_OFTEN: Final = 20
"""So often objects of the same keys are met before it is worked out what becomes of them, which takes 0.2 ms."""
_SOME: Final = 64
"""So many cells say whether a column holds few texts, each many times."""
_EMPTY: Final = ("", "null", "[]")
_text: Final = msgspec.json.Decoder(str).decode


class _Object(msgspec.Struct, gc=False):
    """A JSON object whose members are checked and skipped."""


_object: Final = msgspec.json.Decoder(_Object).decode

Members = dict[str, Any]


class Opener:
    """Opens the objects of a table's rows, whatever format they come from."""

    def __init__(  # noqa: PLR0913 - what a table says of its objects, by name
        self,
        *,
        bags: Mapping[str, Bag],
        laid: Sequence[str] = (),
        objects: Sequence[str] = (),
        rename: Mapping[str, str | None] | None = None,
        claims: frozenset[str] = frozenset(),
        whole: bool = False,
    ) -> None:
        self._rename = {old: new for old, new in (rename or {}).items() if old != new}
        self._claims = claims
        self._bags = [
            _Opened(name, bags.get(name, Bag()), laid=name in laid)
            for name in dict.fromkeys((*laid, *bags, *objects))
        ]
        self._gone = frozenset({*self._rename, *claims})
        self._marks = _marks({*self._gone, *(name for bag in self._bags if bag.laid for name in bag.drops)})
        self._rank = {name: place for place, name in enumerate(self._rename)}
        self._targets = {name: target for name, target in self._rename.items() if target is not None}
        self._lays, self._whole = bool(laid), whole

    @classmethod
    def of(cls, table: Table) -> Self:
        """Return what opens the objects of a table's rows."""
        bags = table.bags(Options()) if callable(table.bags) else table.bags
        return cls(
            bags=bags,
            laid=table.properties,
            objects=table.objects,
            rename=table.rename,
            claims=table.claims,
            whole=table.whole,
        )

    def opened(self, part: Part) -> pl.DataFrame:
        """Return a part's rows with what is in their objects; rows with a cell that is none are rejects.

        The columns, beside those of the part: `inside` for each key of a bag, and if the table has any properties
        `PROPERTIES` and `OWN`.
        """
        rows = part.rows
        flat = None if part.flat is None else _Flat(part.flat, part.json, rows.height)
        if flat is not None:
            rows = rows.hstack([flat.text({name: name for name in flat.columns}).alias(REST)])
        sheet = _Sheet(rows.height)
        for bag in self._bags:
            sheet.columns |= dict.fromkeys(bag.inside.values())
            if bag.whole is not None:
                sheet.columns[bag.whole] = None
        here = [bag for bag in self._bags if flat is None or bag.column != REST]
        asked = [bag for bag in here if rows[bag.column].null_count() < rows.height]
        self._open(
            rows, [bag for bag in asked if bag.column not in part.sound or not bag.is_looked_at], sheet, part
        )
        rows = rows.with_columns_seq(sheet.mended(rows)).hstack(sheet.found())
        if self._lays:
            rows = rows.hstack(
                [_one_line(sheet.laid_column()).alias(PROPERTIES), texts(sheet.own).alias(OWN)]
            )
        if self._whole:
            rows = rows.hstack([(_canonical(rows[REST]) if flat is None else flat.whole()).alias(WHOLE)])
        if flat is not None:
            rows = self._with_flat(rows, flat, sheet)
        return rows if all(sheet.kept) else rows.filter(pl.Series(sheet.kept))

    def _open(self, rows: pl.DataFrame, bags: Sequence["_Opened"], sheet: "_Sheet", part: Part) -> None:
        """Open the cells of each row; a row with one that holds no object is a reject."""
        cells = {bag: bag.cells(rows, sheet, part) for bag in bags}
        some = [bag for bag in bags if cells[bag].null_count() < rows.height]
        left = [bag for bag in some if not bag.by_field(cells[bag], sheet)]
        if not left:
            return
        columns = [cells[bag] for bag in left]
        places: Iterable[int] = range(rows.height)
        are_sound = all(bag.laid and bag.is_sound(part) for bag in left)
        if are_sound:
            closer = self._laid_as_they_are(columns, sheet)
            places, columns = closer.arg_true(), [column.filter(closer) for column in columns]
        numbers = rows[ROW]
        for place, *row in zip(places, *columns, strict=True):
            found = self._written(left, row) if are_sound else None
            try:
                sheet.laid[place], sheet.own[place] = found or self._together(left, row, place, sheet, part)
            except BadJSON as error:
                sheet.reject(place, numbers[place], str(error), part)

    def _laid_as_they_are(self, objects: Sequence[pl.Series], sheet: "_Sheet") -> pl.Series:
        """Lay sound objects of which surely nothing is taken out; return which rows have others.

        It takes a tenth of what it takes to open them (0.25 µs for 190 bytes, measured).
        """
        alone, *others = objects
        is_one = alone.is_not_null()
        are_several = pl.repeat(False, alone.len(), dtype=pl.Boolean, eager=True)
        for column in others:
            are_several |= is_one & column.is_not_null()
            is_one |= column.is_not_null()
            alone = alone.zip_with(alone.is_not_null(), column)
        closer = are_several | alone.str.contains_any(self._marks).fill_null(False)
        sheet.as_written = alone.set(closer, None)
        return closer

    def _written(
        self, bags: Sequence["_Opened"], row: Sequence[str | None]
    ) -> tuple[bytes | None, bytes | None] | None:
        """Return what `_together` does of a row with one object whose keys are those of many, else None."""
        if len(bags) == 1:
            return bags[0].shapes(self._parted).written(row[0] or "")
        if row.count(None) < len(row) - 1:
            return None
        bag, text = next((bag, text) for bag, text in zip(bags, row, strict=True) if text is not None)
        return bag.shapes(self._parted).written(text)

    def _together(
        self, bags: Sequence["_Opened"], row: Sequence[str | None], place: int, sheet: "_Sheet", part: Part
    ) -> tuple[bytes | None, bytes | None]:
        """Return what is left of a row's objects as one, and what they say under names that are claimed.

        An object of which nothing is taken out, and which stands alone, stays the text it is.
        """
        laid: Members = {}
        whole: str | None = None
        own: Members = {}
        for bag, text in zip(bags, row, strict=True):
            if text is None:
                continue
            found, is_as_written = bag.members(text, place, sheet, part)
            if not bag.laid or not found:
                continue
            left = self._left(bag, found, own, may_hold_null=not is_as_written or "null" in text)
            if laid:
                laid = laid | {key: value for key, value in left.items() if key not in laid}
                whole = None
            else:
                laid, whole = left, text if left is found and is_as_written else None
        text_of_laid = whole.encode() if whole else encoded(laid)
        return text_of_laid if laid else None, encoded(own) if own else None

    def _parted(self, bag: "_Opened", found: Members) -> tuple[Members, Members]:
        """Return what is left of an object without nulls, and what of it is claimed."""
        own: Members = {}
        left = self._left(bag, found, own, may_hold_null=False)
        return left, own

    def _left(self, bag: "_Opened", found: Members, own: Members, *, may_hold_null: bool) -> Members:
        """Return what is left of an object, the very same where nothing is taken out; add what is claimed to `own`."""
        if may_hold_null:
            some = {key: value for key, value in found.items() if value != NULL}
            found = found if len(some) == len(found) else some
        if bag.drops and not bag.drops.isdisjoint(found):
            found = {key: value for key, value in found.items() if key not in bag.drops}
        hits = self._gone.intersection(found)
        return self._taken(found, hits, own) if hits else found

    def _taken(self, found: Members, hits: Collection[str], own: Members) -> Members:
        """Return what is left of an object where these keys are renamed, dropped or claimed; claimed ones join `own`.

        Where a rename meets a key that is there already, the key under its own name stays and the other keeps its
        old name, so that neither is lost. The renamed come last.
        """
        left = dict(found)
        renamed = []
        for key in hits:
            value = left.pop(key)
            if key not in self._rename:
                own.setdefault(key, value)
            elif key in self._targets:
                renamed.append(key)
        for key in sorted(renamed, key=self._rank.__getitem__) if len(renamed) > 1 else renamed:
            target = self._targets[key]
            is_taken = target in left or (target in hits and target not in self._rename)
            name = key if is_taken else target
            (own if name in self._claims else left).setdefault(name, found[key])
        return left

    def _with_flat(self, rows: pl.DataFrame, flat: "_Flat", sheet: "_Sheet") -> pl.DataFrame:
        """Return the rows with what their undeclared columns are to the table: known by name, without a look inside."""
        rest = next((bag for bag in self._bags if bag.column == REST), None)
        if rest is None:
            return rows
        called = {rest.called(name, flat.columns): name for name in flat.columns}
        told = [flat.cell(called[key]).alias(rest.inside[key]) for key in rest.keys if key in called]
        rows = rows.with_columns_seq(told)
        if not rest.laid:
            return rows
        as_read, flat = flat, self._settled(flat, called)
        named = self._names(called, rest.drops)
        left = {name: column for name, column in named.items() if name not in self._claims}
        claimed = {name: column for name, column in named.items() if name in self._claims}
        is_all = flat is as_read and list(left.items()) == [(name, name) for name in flat.columns]
        return rows.with_columns_seq(
            (whole if rows[name].null_count() == rows.height else _completed(those, whole)).alias(name)
            for name, those, whole in (
                (PROPERTIES, sheet.laid_column(), rows[REST] if is_all else flat.text(left)),
                (OWN, texts(sheet.own), flat.text(claimed)),
            )
        )

    def _settled(self, flat: "_Flat", called: Mapping[str, str]) -> "_Flat":
        """Return the columns with those that are renamed into the empty cells of another moved there."""
        for key, target in self._targets.items():
            if key in called and target in called and target not in self._rename:
                mine, other = flat.json(called[key]), flat.json(called[target])
                moved = other.is_null() & mine.is_not_null()
                flat = flat.replaced(called[target], other.zip_with(~moved, mine))
                flat = flat.replaced(called[key], mine.set(moved, None))
        return flat

    def _names(self, called: Mapping[str, str], drops: frozenset[str]) -> dict[str, str]:
        """Return property -> column, renamed and dropped as `_taken` does."""
        named = {
            key: column for key, column in called.items() if key not in drops and key not in self._rename
        }
        for key, target in self._rename.items():
            if key in called and key not in drops and target is not None:
                named[target if target not in named else key] = called[key]
        return named


class _Opened:
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
        self._shapes: _Shapes | None = None

    def cells(self, rows: pl.DataFrame, sheet: "_Sheet", part: Part) -> pl.Series:
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
        self, rows: pl.DataFrame, read: Callable[[str], str | None], sheet: "_Sheet", part: Part
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

    def shapes(self, parted: Callable[["_Opened", Members], tuple[Members, Members]]) -> "_Shapes":
        """Return what writes objects of keys that are met often."""
        if self._shapes is None:
            self._shapes = _Shapes(partial(parted, self))
        return self._shapes

    def by_field(self, objects: pl.Series, sheet: "_Sheet") -> bool:
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

    def members(self, text: str, place: int, sheet: "_Sheet", part: Part) -> tuple[Members, bool]:
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
        found = decoded(text)
        return (
            found
            if self.bag.name is None
            else {self.called(key, found): value for key, value in found.items()}
        )

    def _careful(self, text: str, place: int, sheet: "_Sheet", part: Part) -> Members:
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
        return (
            found
            if self.bag.name is None
            else {self.called(key, found): value for key, value in found.items()}
        )

    def called(self, key: str, beside: Collection[str]) -> str:
        """Return what a key is called; one whose new name is taken by a key `beside` it keeps its own."""
        name = self._names.get(key)
        if name is None:
            name = key if self.bag.name is None else self.bag.name(key)
            if len(self._names) < _REMEMBERED:
                self._names[key] = name
        return key if name in beside else name


Writer = Callable[[Members], bytes | None]


class _Shapes:
    """Objects of the same keys in the same order, as many are: what becomes of them is worked out once.

    It takes half as long as to take their members out of each (2.9 → 5.0 µs for one of 20 keys, measured).
    """

    def __init__(self, parted: Callable[[Members], tuple[Members, Members]]) -> None:
        """`parted` returns what is left of an object, and what is claimed."""
        self._parted = parted
        self._met: Counter[tuple[str, ...]] = Counter()
        self._known: dict[tuple[str, ...], tuple[Writer | None, Writer]] = {}

    def written(self, text: str) -> tuple[bytes | None, bytes | None] | None:
        """Return what is left of a sound object and what is claimed, both as text; None where it has to be opened."""
        try:
            found = decoded(text)
        except (*FAILURES, UnicodeEncodeError):
            return None
        keys = tuple(found)
        known = self._known.get(keys) or self._worked_out(keys)
        if known is None or ("null" in text and NULL in found.values()):
            return None
        left, own = known
        return text.encode() if left is None else left(found), own(found)

    def _worked_out(self, keys: tuple[str, ...]) -> tuple[Writer | None, Writer] | None:
        """Return what writes objects of these keys, once they are met often; None first where they stay as they are."""
        if len(self._known) >= _SHAPES or len(self._met) >= _REMEMBERED:
            return None
        self._met[keys] += 1
        if self._met[keys] < _OFTEN or any(FORBIDDEN.intersection(key) for key in keys):
            return None
        found = dict(zip(keys, keys, strict=True))
        left, own = self._parted(found)
        self._known[keys] = None if left is found and keys else _writer(left), _writer(own)
        return self._known[keys]


def _writer(members: Mapping[str, str]) -> Writer:
    """Return what writes an object of some members of another: name -> key there."""
    if not members:
        return lambda _: None
    names = {f"f{place}": name for place, name in enumerate(members)}
    made = msgspec.defstruct("Members", [(name, Raw) for name in names], rename=names, gc=False)
    taken = itemgetter(*members.values())
    if len(members) == 1:
        return lambda found: encoded(made(taken(found)))
    return lambda found: encoded(made(*taken(found)))


class _Sheet:
    """What is found in the rows of a part, column by column."""

    def __init__(self, height: int) -> None:
        self._height = height
        self.columns: dict[str, pl.Series | None] = {}
        self._noted: dict[str, tuple[list[int], list[Any]]] = {}
        self._mended: dict[str, dict[int, str | None]] = {}
        self.as_written: pl.Series | None = None
        """Objects that are laid as they stand in their column."""
        self.laid: list[bytes | None] = [None] * height
        self.own: list[bytes | None] = [None] * height
        self.kept = [True] * height

    def note(self, name: str, place: int, value: Raw | bytes) -> None:
        """Take note of a value of a column."""
        places, values = self._noted.setdefault(name, ([], []))
        places.append(place)
        values.append(value)

    def reject(self, place: int, number: int, value: str, part: Part) -> None:
        """Leave out a row with a cell that holds no object; it is one reject, whatever else is wrong with it."""
        if self.kept[place]:
            part.rejects.append(reject(number, "bad_json", value))
        self.kept[place] = False

    def mend(self, column: str, place: int, text: str | None) -> None:
        """Take note of the object that a cell really holds."""
        self._mended.setdefault(column, {})[place] = text

    def laid_column(self) -> pl.Series:
        """Return what is laid of each row."""
        laid = texts(self.laid)
        return (
            laid if self.as_written is None else self.as_written.zip_with(self.as_written.is_not_null(), laid)
        )

    def mended(self, rows: pl.DataFrame) -> list[pl.Series]:
        """Return the columns of which cells are to be another text."""
        return [
            rows[name].scatter(list(cells), pl.Series(list(cells.values()), dtype=pl.String))
            for name, cells in self._mended.items()
        ]

    def found(self) -> list[pl.Series]:
        """Return the columns."""
        for name, (places, values) in self._noted.items():
            self.columns[name] = self.spread(cells(values), places)
        nothing = pl.repeat(None, self._height, dtype=pl.String, eager=True)
        return [(nothing if column is None else column).alias(name) for name, column in self.columns.items()]

    def spread(self, values: pl.Series, places: Sequence[int] | pl.Series | None) -> pl.Series:
        """Return a column with these values at these places, if not at all, and nothing elsewhere."""
        if places is None:
            return values
        return pl.repeat(None, self._height, dtype=pl.String, eager=True).scatter(places, values)


def _marks(names: Iterable[str]) -> list[str]:
    """Return texts of which any object has one that has a key of these names, in any spelling, a null, or nothing."""
    escaped = "\\" if any(sign in name for name in names for sign in '"\\/\b\f\n\r\t') else "\\u"
    empty = ("{}", "{ ", "{\t", "{\r", "{\n")
    return sorted({"null", escaped, *empty, *(f'"{name}"' for name in names)})


def _completed(those: pl.Series, others: pl.Series) -> pl.Series:
    """Return objects with the members of others that they lack."""
    both = (those.is_not_null() & others.is_not_null()).arg_true()
    found = []
    for one, other in zip(those.gather(both), others.gather(both), strict=True):
        bag = _reopened(one)
        found.append(bag | {key: value for key, value in _reopened(other).items() if key not in bag})
    whole = those.zip_with(those.is_not_null(), others)
    return whole.scatter(both, texts(list(map(encoded, found))))


class _Flat:
    """The undeclared columns of a flat file, as values that JSON has, or (`json`) as JSON text already."""

    def __init__(self, frame: pl.DataFrame, json: frozenset[str], height: int) -> None:
        self._frame, self._json, self._height = frame, json, height

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._frame.columns

    def replaced(self, column: str, json: pl.Series) -> "_Flat":
        """Return the columns with other JSON text in one of them."""
        frame = self._frame.with_columns(json.alias(column))
        return _Flat(frame, self._json | {column}, self._height)

    def cell(self, column: str) -> pl.Series:
        """Return a column as text."""
        series = self._frame[column]
        return series if series.dtype == pl.String else self.json(column)

    def json(self, column: str) -> pl.Series:
        """Return a column as JSON text."""
        return self._frame[column] if column in self._json else strings(self._frame[column])

    def whole(self) -> pl.Series:
        """Return objects of all columns as `jsontext.canonical` does; what is plain text needs no look."""
        names = sorted(self._frame.columns)
        texts = {name for name in names if self._frame[name].dtype == pl.String and name not in self._json}
        columns = [self._frame[name] if name in texts else _canonical(self.json(name)) for name in names]
        canonical = _Flat(pl.DataFrame(columns), frozenset(names) - texts, self._height)
        return canonical.text({name: name for name in names})

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


def _canonical(texts: pl.Series) -> pl.Series:
    """Return JSON texts in canonical form, each distinct one worked out once."""
    found = distinct([texts])
    made = [None if text is None else canonical_text(text) for text in texts.gather(found.places)]
    return pl.Series(texts.name, made, dtype=pl.String).gather(found.codes)


def _one_line(texts: pl.Series) -> pl.Series:
    """Return JSON with spaces for its line breaks, which stand between values and never in them."""
    broken = texts.str.contains("[\r\n]").arg_true()
    if not broken.len():
        return texts
    return texts.scatter(broken, texts.gather(broken).str.replace_all("[\r\n]", " "))
