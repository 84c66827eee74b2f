"""What stands inside `properties`: what is left of the source's own objects, and beside it what we computed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import polars as pl

from migrate import VERSION
from migrate.jsontext import repairs
from migrate.jsontext.build import Member, Value, embraced, inner_text, members_text, quoted, strung
from migrate.jsontext.parse import encoded, raw_object, without_nulls
from migrate.jsontext.repairs import DType
from migrate.kit import expr, objects
from migrate.kit.declare import OWN, PROPERTIES, ROW, PersonProperties, Table
from migrate.kit.distinct import distinct
from migrate.payload import special
from migrate.readers.opener import Opener
from migrate.readers.records import Part

Schema = Mapping[str, DType]
"""An event frame's; asked for once, as sixty fields take long to name."""
Fields = Mapping[str, pl.Expr]

LIBRARY: Final = {"$lib": "posthog-migrate", "$lib_version": VERSION}
"""Who sends, where the source does not say."""

TEXTS: Final = ("laid", "own", "extra", "properties", "rest", "set", "set_once", "groups")
"""Columns of the event frame that may hold JSON objects as text."""
MADE: Final = ("extra", "properties", "rest")
"""Those that a mapping may have made as text, which nobody has opened yet."""

READ: Final = ("laid", "own")
"""Those that the reader made."""

NOTHING: Final = ("", "null")
"""Texts that stand for no object."""

OBJECTS: Final = ("set", "set_once", "groups")
PERSON: Final = ("$set", "$set_once", "$unset")
"""What tells of a person, also where the source itself says it."""
_LIB, _LIB_VERSION = (f"{quoted(key)}:{quoted(value)}" for key, value in LIBRARY.items())


def texts(frame: pl.DataFrame, schema: Schema) -> list[str]:
    """Return which of `TEXTS` are text in an event frame of this schema, and not null throughout."""
    return [name for name in TEXTS if schema[name] == pl.String and frame[name].null_count() < frame.height]


def sound(
    frame: pl.DataFrame, table: Table, forced: Mapping[str, Value], counts: Counter[str]
) -> pl.DataFrame:
    """Return the event frame with its objects as JSON can carry and PostHog keep them; repairs are counted.

    Objects that a mapping made are opened as the reader opens others: `laid` and `OWN` hold all there is.
    """
    schema = frame.schema
    names = [name for name in texts(frame, schema) if name not in READ]
    bare = [pl.col(name).str.strip_chars() for name in names]
    if names:
        frame = frame.with_columns_seq(pl.when(~text.is_in(NOTHING)).then(text) for text in bare)
    made = [name for name in MADE if name in names]
    if made:
        frame = frame.with_columns_seq(repairs.mended(frame[name], counts) for name in made)
        frame = _opened(frame, made, table, claimed(schema, forced) | table.claims, counts)
    changed = [_mended(frame[name], counts) for name in (*READ, "extra", *OBJECTS)]
    return frame.with_columns_seq(column for column in changed if column is not frame[column.name])


def _mended(column: pl.Series, counts: Counter[str]) -> pl.Series:
    """Return objects as JSON can carry and PostHog keep them; of the reader's no member is null."""
    if column.dtype != pl.String:
        return repairs.plain(column, counts)
    mended = repairs.mended(column, counts)
    if mended is column or column.name not in READ:
        return mended
    where = ((mended != column) & mended.str.contains("null", literal=True)).arg_true()
    return mended.scatter(where, pl.Series(map(without_nulls, mended.gather(where)), dtype=pl.String))


def as_wanted(frame: pl.DataFrame, wanted: PersonProperties, counts: Counter[str]) -> pl.DataFrame:
    """Return an event frame that is `sound` with what it tells of persons as the user wants it told.

    That is `set` and `set_once`, and what the source itself says under their names: all of it as `set_once`, so that it
    does not overwrite what a live project knows (of one key what was `set_once` counts), or none of it. What is left
    out is counted: with `set_once`, what would take a property away, and what is no object.
    """
    if wanted == "set":
        return frame
    nothing = pl.lit(None, pl.String)
    parted = pl.Struct(dict.fromkeys((*PERSON[:2], *(f"{name} left" for name in PERSON), "own"), pl.String))
    own = frame.select_seq(expr.each(pl.col("own"), _parted, parted).alias("own")).to_series().struct
    if wanted == "none":
        present = {
            name: own.field(name).is_not_null() | own.field(f"{name} left").is_not_null()
            for name in PERSON[:2]
        }
        some = frame["set"].is_not_null() | frame["set_once"].is_not_null()
        some |= present["$set"] | present["$set_once"] | own.field("$unset left").is_not_null()
        counts["person_properties_left_out"] += int(some.sum())
        return frame.with_columns_seq(own.field("own").alias("own"), set=nothing, set_once=nothing)
    for name in PERSON:
        counts[f"{name[1:]}_left_out"] += own.field(f"{name} left").count()
    schema = frame.schema
    both = {
        f"${name}": objects.completed(
            _object(name, {name: _fields(frame, schema, name, ())}, schema), pl.lit(own.field(f"${name}"))
        )
        for name in ("set", "set_once")
    }
    once = objects.completed(both["$set_once"], both["$set"])
    return frame.with_columns_seq(own.field("own").alias("own"), set=nothing, set_once=once)


def _parted(text: str) -> dict[str, str | None]:
    """Return what an object says of persons, as objects, and what of that is none; and what is left of it, `own`."""
    members = raw_object(text)
    left = {name: value for name, value in members.items() if name not in PERSON}
    found = {name: bytes(members[name]).decode() for name in PERSON if name in members}
    bags = {name: one for name, one in found.items() if name in PERSON[:2] and one.startswith("{")}
    others = {f"{name} left": one for name, one in found.items() if name not in bags}
    empty: dict[str, str | None] = dict.fromkeys((*PERSON[:2], *(f"{name} left" for name in PERSON)))
    return empty | bags | others | {"own": encoded(left).decode() if left else None}


def claimed(schema: Schema, forced: Mapping[str, object]) -> frozenset[str]:
    """Return the names that an event frame of this schema computes, and those that each event gets."""
    extra = schema["extra"]
    own = [field.name for field in extra.fields] if isinstance(extra, pl.Struct) else []
    return frozenset((*own, *(f"${name}" for name in OBJECTS), *forced, *LIBRARY))


def _opened(
    frame: pl.DataFrame, made: Sequence[str], table: Table, claims: frozenset[str], counts: Counter[str]
) -> pl.DataFrame:
    """Return the frame with the objects that its mapping made opened, and laid together with what is laid already."""
    first = [name for name in made if name == "extra"]
    order = [*first, *READ, *(name for name in made if name not in first)]
    opener = Opener(bags={}, laid=order, rename=table.rename, claims=claims)
    opened = opener.open(Part(frame.select_seq(ROW, *order), counts=counts))
    return frame.with_columns_seq(opened[PROPERTIES].alias("laid"), opened[OWN].alias("own"))


def inner(
    frame: pl.DataFrame, schema: Schema, forced: Mapping[str, Value], counts: Counter[str]
) -> pl.DataFrame:
    """Return the members of each event's `properties` as columns of text to be strung together; `frame` is `sound`.

    From the weakest to the strongest: `laid`, which holds no name that is computed; `OWN`; `extra`; `set`, `set_once`
    and `groups`; `forced`; and `LIBRARY` where none of them names one.
    """
    needed = _needed(frame, schema, forced)
    frame = frame.with_columns_seq(column.alias(f"own {name}") for name, column in needed.items())
    own = {name: pl.col(f"own {name}") for name in needed}
    fields = {name: _fields(frame, schema, name, own) for name in ("extra", *OBJECTS)}
    mine = _computed(schema, fields, forced, own)
    computed = frame.lazy().select_seq(mine.alias("computed")).collect().to_series()
    if _is_suspect(frame, schema, computed):
        computed = repairs.mended(computed, counts)
    inside = inner_text(pl.col("laid"))
    comma = pl.when(inside.is_not_null()).then(pl.lit(","))
    pieces = frame.with_columns_seq(computed).lazy()
    return pieces.select_seq(
        inside, comma.alias("comma"), "computed", **_library(fields["extra"], own)
    ).collect()


def _needed(frame: pl.DataFrame, schema: Schema, forced: Mapping[str, Value]) -> dict[str, pl.Series]:
    """Return what the source itself says, as JSON text, under names for which nothing is computed on some row."""
    if frame["own"].null_count() == frame.height:
        return {}
    found = distinct([frame["own"]])
    said = [
        {} if text is None else {name: bytes(raw).decode() for name, raw in raw_object(text).items()}
        for text in frame["own"].gather(found.places)
    ]
    names = sorted({name for members in said for name in members})
    needed = [name for name in names if _lacks(name, frame, schema, forced)]
    return {
        name: pl.Series([members.get(name) for members in said], dtype=pl.String).gather(found.codes)
        for name in needed
    }


def _lacks(name: str, frame: pl.DataFrame, schema: Schema, forced: Mapping[str, Value]) -> bool:
    """Return whether there is a row on which nothing is computed under a name."""
    extra = _fields(frame, schema, "extra", ()).get(name)
    bare = name.removeprefix("$")
    found = [] if extra is None else [extra]
    if name in forced:
        value = forced[name]
        found.append(value if isinstance(value, pl.Expr) else pl.lit(True))
    elif name == f"${bare}" and bare in OBJECTS:
        found.append(_object(bare, {bare: _fields(frame, schema, bare, ())}, schema))
    return not found or bool(
        frame.select_seq(pl.all_horizontal(value.is_null() for value in found).any()).item()
    )


def watched(frame: pl.DataFrame, schema: Schema, rename: Mapping[str, str | None]) -> set[str]:
    """Return the names of `special.WATCHED` that members of any event have, at any depth; `frame` is `sound`.

    Quotes inside of texts are escaped, so that only a key can stand behind a bare one. A key with an escape may turn
    out to be any of them.
    """
    names = texts(frame, schema)
    nested = [_names_within(schema[name]) for name in ("extra", *OBJECTS) if name not in names]
    found = special.WATCHED & {*rename.values()}.union(*nested)
    if not names:
        return found
    dollars = [pl.col(name).str.contains('"$', literal=True).any().alias(name) for name in names]
    escapes = [pl.col(name).str.contains(r"\u", literal=True).any() for name in names]
    seen = frame.select_seq(*dollars, escaped=pl.any_horizontal(escapes))
    if seen["escaped"].item():
        return set(special.WATCHED)
    keys = {name: quoted(name) for name in special.WATCHED - found}
    for text in (name for name in names if seen[name].item()):
        holds = [pl.col(text).str.contains(key, literal=True).any().alias(name) for name, key in keys.items()]
        found |= {name for name, is_there in frame.select_seq(holds).row(0, named=True).items() if is_there}
    return found


def _names_within(dtype: DType) -> set[str]:
    """Return the names of members that values of a type have, at any depth."""
    if isinstance(dtype, pl.Struct):
        names = [{field.name} | _names_within(field.dtype) for field in dtype.fields]
        return set().union(*names)
    return _names_within(dtype.inner) if isinstance(dtype, pl.List | pl.Array) else set()


def _is_suspect(frame: pl.DataFrame, schema: Schema, computed: pl.Series) -> bool:
    """Return whether members that were computed have to be `mended`; those that came as text were."""
    if computed.str.contains(r"\u0000", literal=True).any():
        return True
    return any(repairs.is_suspect(frame[name]) for name in ("extra", *OBJECTS) if schema[name] != pl.String)


def _computed(
    schema: Schema, fields: Mapping[str, Fields], forced: Mapping[str, Value], own: Fields
) -> pl.Expr:
    """Return the members that stand beside what is laid; where one is null, what the source itself says."""
    last = [Member(f"${name}", _object(name, fields, schema), is_json=True) for name in OBJECTS]
    last += [Member(name, value) for name, value in forced.items()]
    stronger = {member.name: member.value for member in last}
    mine: list[Member] = []
    for name, value in fields["extra"].items():
        if name in stronger:
            mine.append(Member(name, _unless(stronger[name], value)))
        else:
            mine.append(Member(name, value, fallback=own.get(name)))
    for member in last:
        name = str(member.name)
        weaker = fields["extra"].get(name)
        fallback = own.get(name) if weaker is None or name not in own else _unless(weaker, own[name])
        mine.append(member._replace(fallback=fallback) if isinstance(member.value, pl.Expr) else member)
    computed = {member.name for member in mine}
    alone = [Member(name, value, is_json=True) for name, value in sorted(own.items()) if name not in computed]
    return strung([*alone, *mine])


def _unless(stronger: Value, value: pl.Expr) -> pl.Expr:
    """Return the value where a stronger one of the same name is null."""
    return pl.when(stronger.is_null() if isinstance(stronger, pl.Expr) else pl.lit(False)).then(value)


def _object(name: str, fields: Mapping[str, Fields], schema: Schema) -> pl.Expr:
    """Return an object's text, null where it is empty."""
    if schema[name] != pl.String:
        return embraced(members_text(fields[name]))
    return pl.concat_str([pl.lit("{"), inner_text(pl.col(name)), pl.lit("}")])


def _fields(frame: pl.DataFrame, schema: Schema, name: str, own: Collection[str]) -> Fields:
    """Return the fields of a struct column as expressions by key, none for a column of text.

    Those that hold nothing are left out, unless the source has something `own` in their place.
    """
    if not isinstance(schema[name], pl.Struct):
        return {}
    columns = frame[name].struct.unnest()
    return {
        column.name: pl.col(name).struct.field(column.name)
        for column in columns
        if column.null_count() < frame.height or (name == "extra" and column.name in own)
    }


def _library(extra: Fields, own: Fields) -> dict[str, pl.Expr]:
    """Return `,"key":value` for each of `LIBRARY`, null where the source or `extra` has its own."""
    has = {
        key: pl.any_horizontal(
            pl.lit(False), *(found[key].is_not_null() for found in (extra, own) if key in found)
        )
        for key in LIBRARY
    }
    return {
        "lib": pl.when(~has["$lib"]).then(pl.lit(f",{_LIB}")),
        "lib_version": pl.when(~(has["$lib"] | has["$lib_version"])).then(pl.lit(f",{_LIB_VERSION}")),
    }
