"""What stands inside `properties`: the source's own bag, and over it what we computed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import msgspec
import polars as pl

from migrate import VERSION, jsontext, repairs, special
from migrate.repairs import DType

Schema = Mapping[str, DType]
"""An event frame's; asked for once, as sixty fields take long to name."""
Fields = Mapping[str, pl.Expr]

LIBRARY: Final = {"$lib": "posthog-migrate", "$lib_version": VERSION}
"""Who sends, where the source does not say."""

TEXTS: Final = ("properties", "rest", "extra", "set", "set_once", "groups")
"""Columns of the event frame that may hold JSON objects as text."""

NOTHING: Final = ("", "null")
"""Texts that stand for no object."""

_OBJECTS: Final = ("set", "set_once", "groups")
_LIB, _LIB_VERSION = (f"{jsontext.quoted(key)}:{jsontext.quoted(value)}" for key, value in LIBRARY.items())
_RAW_LIBRARY: Final = {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in LIBRARY.items()}
_NULL: Final = msgspec.Raw(b"null")
_FEW: Final = 12
"""So many literals are found one by one before they are found faster together."""
_NULL_MEMBER: Final = r'"\s*:\s*null\s*[,}]'
"""RE2 pattern found in every object with a null member; it errs on the side of looking."""


class _Root(msgspec.Struct):
    """What an object says of the library at its root."""

    lib: Any = msgspec.field(name="$lib", default=msgspec.UNSET)
    lib_version: Any = msgspec.field(name="$lib_version", default=msgspec.UNSET)


_root: Final = msgspec.json.Decoder(_Root).decode


def texts(frame: pl.DataFrame, schema: Schema) -> list[str]:
    """Return which of `TEXTS` are text in an event frame of this schema, and not null throughout."""
    return [name for name in TEXTS if schema[name] == pl.String and frame[name].null_count() < frame.height]


def sound(frame: pl.DataFrame, counts: Counter[str]) -> pl.DataFrame:
    """Return the event frame with its objects as JSON can carry and PostHog keep them; repairs are counted.

    Objects as text come without blanks around them, null where they hold nothing.
    """
    schema = frame.schema
    names = texts(frame, schema)
    bare = [pl.col(name).str.strip_chars() for name in names]
    frame = (
        frame.with_columns_seq(pl.when(~text.is_in(NOTHING)).then(text) for text in bare) if names else frame
    )
    found = {name: frame[name] for name in TEXTS}
    mended = {name: repairs.mended(found[name], counts) for name in names}
    mended |= {name: repairs.plain(found[name], counts) for name in TEXTS if schema[name] != pl.String}
    changed = [column for name, column in mended.items() if column is not found[name]]
    return frame.with_columns_seq(changed) if changed else frame


def inner(
    frame: pl.DataFrame,
    schema: Schema,
    forced: Mapping[str, jsontext.Value],
    rename: Mapping[str, str | None],
    counts: Counter[str],
) -> pl.DataFrame:
    """Return the members of each event's `properties` as columns of text to be strung together; `frame` is `sound`.

    From the weakest to the strongest: `rest`, `properties`, `extra`, `set`, `set_once` and `groups`, `forced`; and
    `LIBRARY` where none of them names one. No key comes twice unless the bag itself has it twice.
    """
    fields = {name: _fields(frame, schema, name) for name in ("extra", *_OBJECTS)}
    mine = _computed(schema, fields, forced).alias("computed")
    computed = frame.lazy().select_seq(mine).collect().to_series()
    if _is_suspect(frame, schema, computed):
        computed = repairs.mended(computed, counts)
    wins = _winning(fields["extra"], forced, rename)
    bags = _Bags.of(frame, schema, wins)
    merge = _contested(bags, wins, frame, _names(schema))
    bag = bags.text
    if merge.any():
        where = merge.arg_true()
        rows = (column.gather(where) for column in (frame["properties"], frame["rest"], computed))
        merged = [
            _merged(properties, rest, mine, rename) for properties, rest, mine in zip(*rows, strict=True)
        ]
        computed = computed.scatter(where, pl.Series(merged, dtype=pl.String))
        bag = bag.set(merge, None)
    inside = jsontext.inside(pl.col("bag"))
    comma = pl.when(inside.is_not_null()).then(pl.lit(","))
    pieces = pl.DataFrame([bag.alias("bag"), computed, merge.alias("merged"), frame["extra"]])
    return (
        pieces.lazy()
        .select_seq(
            inside, comma.alias("comma"), "computed", **_library(fields["extra"], bag, bags.names_library)
        )
        .collect()
    )


def watched(frame: pl.DataFrame, schema: Schema, rename: Mapping[str, str | None]) -> set[str]:
    """Return the names of `special.WATCHED` that members of any event have, at any depth; `frame` is `sound`.

    Quotes inside of texts are escaped, so that only a key can stand behind a bare one. A key with an escape may turn
    out to be any of them.
    """
    names = texts(frame, schema)
    nested = [_names_within(schema[name]) for name in TEXTS if name not in names]
    found = special.WATCHED & {*rename.values()}.union(*nested)
    if not names:
        return found
    own = [pl.col(name).str.contains('"$', literal=True).any().alias(name) for name in names]
    escapes = [pl.col(name).str.contains(r"\u", literal=True).any() for name in names]
    seen = frame.select_seq(*own, escaped=pl.any_horizontal(escapes))
    if seen["escaped"].item():
        return set(special.WATCHED)
    keys = {name: jsontext.quoted(name) for name in special.WATCHED - found}
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


def _contains(text: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """Return whether a text holds one of the names in quotes.

    A few are found one by one faster than together: 0.02 against 0.4 µs for a text of 500 bytes (measured).
    """
    keys = [jsontext.quoted(name) for name in names]
    if len(keys) > _FEW:
        return text.str.contains_any(keys)
    return pl.any_horizontal(pl.lit(False), *(text.str.contains(key, literal=True) for key in keys))


def _is_suspect(frame: pl.DataFrame, schema: Schema, computed: pl.Series) -> bool:
    """Return whether members that were computed have to be `mended`; those that came as text were."""
    if computed.str.contains(r"\u0000", literal=True).any():
        return True
    return any(repairs.is_suspect(frame[name]) for name in TEXTS if schema[name] != pl.String)


def _computed(schema: Schema, fields: Mapping[str, Fields], forced: Mapping[str, jsontext.Value]) -> pl.Expr:
    """Return the members that win over the bag."""
    last = [jsontext.Member(f"${name}", _object(name, fields, schema), is_json=True) for name in _OBJECTS]
    last += [jsontext.Member(name, value) for name, value in forced.items()]
    wins = {member.name: member.value for member in last}
    extra = [jsontext.Member(name, _unless(wins.get(name), value)) for name, value in fields["extra"].items()]
    computed = jsontext.joined([*extra, *last])
    if schema["extra"] != pl.String:
        return computed
    return pl.concat_str([jsontext.inside(pl.col("extra")), computed], separator=",", ignore_nulls=True)


def _unless(stronger: jsontext.Value | None, value: pl.Expr) -> pl.Expr:
    """Return the value where a stronger one of the same name is null."""
    if stronger is None:
        return value
    return pl.when(stronger.is_null() if isinstance(stronger, pl.Expr) else pl.lit(False)).then(value)


def _object(name: str, fields: Mapping[str, Fields], schema: Schema) -> pl.Expr:
    """Return an object's text, null where it is empty."""
    if schema[name] != pl.String:
        return jsontext.embraced(jsontext.members(fields[name]))
    return pl.concat_str([pl.lit("{"), jsontext.inside(pl.col(name)), pl.lit("}")])


def _fields(frame: pl.DataFrame, schema: Schema, name: str) -> Fields:
    """Return the fields of a struct column that hold anything, as expressions by key; none for a column of text."""
    if not isinstance(schema[name], pl.Struct):
        return {}
    columns = frame[name].struct.unnest()
    return {
        column.name: pl.col(name).struct.field(column.name)
        for column in columns
        if column.null_count() < frame.height
    }


def _names(schema: Schema) -> list[str]:
    """Return the keys of `extra` that any frame of the table may hold."""
    dtype = schema["extra"]
    return [field.name for field in dtype.fields] if isinstance(dtype, pl.Struct) else []


@dataclass(frozen=True)
class _Bags:
    """The source's own bag of each event, and what is found in it at first sight."""

    text: pl.Series
    """`properties`, else `rest`."""
    merged: pl.Series
    """Whether there is another beside it."""
    null: pl.Series
    escape: pl.Series
    names_library: pl.Series
    own: pl.Series
    """Whether a key begins with `$`."""
    named: pl.Series
    """Whether it may hold a name that is asked for and does not begin with `$`."""

    @classmethod
    def of(cls, frame: pl.DataFrame, schema: Schema, names: Iterable[str]) -> Self:
        """Return the bags of an event frame, all asked at once: a query of its own takes as long as 2,000 rows."""
        bag = pl.coalesce("properties", "rest")
        several = pl.col("properties").is_not_null() & pl.col("rest").is_not_null()
        if schema["extra"] == pl.String:
            several |= pl.col("extra").is_not_null()
        parts = {"null": "null", "escape": "\\", "names_library": '"$lib', "own": '"$'}
        found = {name: bag.str.contains(part, literal=True) for name, part in parts.items()}
        found["named"] = _contains(bag, sorted(name for name in names if not name.startswith("$")))
        marks = (mark.fill_null(False).alias(name) for name, mark in found.items())
        return cls(**frame.select_seq(bag.alias("text"), several.alias("merged"), *marks).to_dict())


def _winning(
    extra: Fields, forced: Mapping[str, jsontext.Value], rename: Iterable[str]
) -> dict[str, pl.Expr]:
    """Return the names that a bag's members may not keep, each with whether it is so for an event."""
    wins = dict.fromkeys(rename, pl.lit(True))
    for mine in (extra, {f"${name}": pl.col(name) for name in _OBJECTS}, forced):
        for name, value in mine.items():
            is_set = value.is_not_null() if isinstance(value, pl.Expr) else pl.lit(True)
            wins[name] = wins.get(name, pl.lit(False)) | is_set
    return wins


def _contested(
    bags: _Bags, wins: Mapping[str, pl.Expr], frame: pl.DataFrame, names: Sequence[str]
) -> pl.Series:
    """Return whether a row's bag must be merged key by key.

    That is for a rename, a drop, a null, which is not sent, or a key that is computed too.

    What is said of a row depends on that row alone, so that its payload does.
    """
    certain = bags.merged
    for mark, pattern in (
        (bags.null, _NULL_MEMBER),
        (bags.escape, _hidden((*names, *wins, *LIBRARY))),
    ):
        if mark.any():
            where = mark.arg_true()
            certain |= mark.clone().scatter(where, bags.text.gather(where).str.contains(pattern))
    suspects = bags.named
    if bags.own.any():
        own = bags.own.arg_true()
        asked = _contains(pl.col("text"), [name for name in wins if name.startswith("$")])
        suspects |= bags.own.clone().scatter(
            own, bags.text.gather(own).to_frame("text").select_seq(asked).to_series()
        )
    suspects &= ~certain
    if not suspects.any():
        return certain
    where = suspects.arg_true()
    contested, marks = bags.text.gather(where), frame.gather(where).select_seq(**wins)
    clash = pl.repeat(False, where.len(), dtype=pl.Boolean, eager=True)
    for name in wins:
        clash |= contested.str.contains(jsontext.quoted(name), literal=True) & marks[name]
    return certain.clone().scatter(where.filter(clash), True)


def _hidden(names: Iterable[str]) -> str:
    """Return an RE2 pattern found in every object with a key among the names that is not spelled plainly."""
    characters = "".join(names)
    units = characters.encode("utf-16-be").hex()
    escapes = sorted({units[start : start + 4] for start in range(0, len(units), 4)})
    return rf"\\u(?i:{'|'.join(escapes)})" + (r"|\\/" if "/" in characters else "")


def _library(extra: Fields, bag: pl.Series, suspects: pl.Series) -> dict[str, pl.Expr]:
    """Return `,"key":value` for each of `LIBRARY`, null where the bag or `extra` has its own, or they are merged."""
    skip = pl.col("merged")
    if suspects.any():
        where = suspects.arg_true()
        roots = [_root(text or "{}") for text in bag.gather(where)]
    has = {}
    for key in ("lib", "lib_version"):
        has[key] = extra[f"${key}"].is_not_null() if f"${key}" in extra else pl.lit(False)
        if suspects.any():
            named = [getattr(root, key) is not msgspec.UNSET for root in roots]
            has[key] |= pl.lit(suspects.clone().scatter(where, named))
    return {
        "lib": pl.when(~(has["lib"] | skip)).then(pl.lit(f",{_LIB}")),
        "lib_version": pl.when(~(has["lib"] | has["lib_version"] | skip)).then(pl.lit(f",{_LIB_VERSION}")),
    }


def _merged(properties: str | None, rest: str | None, computed: str, rename: Mapping[str, str | None]) -> str:
    """Return the members of bag and rest, renamed and dropped, under the computed ones."""
    bag = jsontext.merged(properties, rest, rename)
    mine = jsontext.raw_object(f"{{{computed}}}")
    if "null" in computed:
        mine = {key: raw for key, raw in mine.items() if raw != _NULL}
    members = {key: raw for key, raw in bag.items() if key not in mine and raw != _NULL}
    members.update(mine)
    if "$lib" not in members:
        members = members | {key: raw for key, raw in _RAW_LIBRARY.items() if key not in members}
    return msgspec.json.encode(members)[1:-1].decode()
