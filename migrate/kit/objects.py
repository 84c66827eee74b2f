"""Expressions over JSON objects in a column: taken apart, put together, completed; as text in, as text out.

A column holds one object a row, as JSON text (String); null is no object, and null comes of it. Keys keep their
order, values their own spelling and digits. Objects named in `Table.objects` or opened by `Table.bags` are sound by
the time a mapping sees them. What is not said to be of another row's making depends on its row alone.

Most mappings need none of this: a `Bag` opens objects once, when a row is read, and `PROPERTIES` is laid together
there. It is for what a row tells of persons and groups, and for the formats of one vendor.
"""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from migrate.jsontext import paths
from migrate.jsontext.build import Member, inner_text, object_text, strings, strung
from migrate.jsontext.parse import fields_of
from migrate.kit import bags
from migrate.kit.expr import each, each_row


def fields(bag: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """Return a struct of these keys of an object, as String, null where a key is missing, null, or there is no object.

    Text comes unescaped, all else in its own JSON text. `objects.fields(pl.col("geo"), ["city"]).struct.field("city")`.
    Where the column is one of the table's, `Bag(keys=…)` costs less: objects are then opened once for all.
    """
    dtype = pl.Struct(dict.fromkeys(names, pl.String))
    return bag.map_batches(lambda texts: fields_of(texts, names), return_dtype=dtype, is_elementwise=True)


def at(json: pl.Expr, steps: Sequence[str | int]) -> pl.Expr:
    """Return what stands in JSON texts behind these steps: keys of objects, places in lists from 0; null for nothing.

    Text comes unescaped, all else in its own JSON text. `objects.at(pl.col("user"), ["emails", 0])`.
    """
    return json.map_batches(lambda texts: paths.at(texts, steps), return_dtype=pl.String, is_elementwise=True)


def text(columns: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return an object of these expressions by key, without nulls; null where all are null.

    The expressions may be text, numbers (floats finite), Booleans, lists or structs; times as `expr.iso` writes them.
    `objects.text({"plan": pl.col("plan"), "seats": expr.integer(pl.col("seats"))})`.
    """
    return object_text(columns)


def text_with(
    columns: Mapping[str, pl.Expr], *, json: Collection[str] = (), rest: pl.Expr | None = None
) -> pl.Expr:
    """Return an object of these expressions by key, without nulls; "{}" where there is nothing in it.

    Those named in `json` are JSON text already. The members of `rest`, an object with none of these keys, follow.
    """
    members = [Member(name, value, name in json) for name, value in columns.items()]
    if rest is not None:
        members.append(Member(None, inner_text(rest), is_json=True))
    return pl.concat_str(pl.lit("{"), strung(members), pl.lit("}"))


def quoted(text: pl.Expr) -> pl.Expr:
    """Return text as a JSON string, null as null."""
    return text.map_batches(strings, return_dtype=pl.String, is_elementwise=True)


def joined(*objects: pl.Expr) -> pl.Expr:
    """Return the members of several objects as one object, null where there are none; no key may stand in two."""
    inside = pl.concat_str([inner_text(text) for text in objects], separator=",", ignore_nulls=True)
    return pl.when(inside != "").then(pl.concat_str([pl.lit("{"), inside, pl.lit("}")]))


def completed(bag: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Return an object with the members of another that it lacks; null where both are."""
    both = pl.struct(bag.alias("bag"), other.alias("other"))
    return each(both, bags.completed)


def parted(bag: pl.Expr, *, prefix: str, empty: Sequence[str] = ()) -> pl.Expr:
    """Return a struct of two objects: `once`, the keys with the prefix as `$key`, and `rest`, the others.

    For `set_once` and `set`: with the prefix `"initial_"`, `initial_referrer` becomes `$initial_referrer` of `once`.
    Null where there are none. Members of `once` that are blank or among `empty` are left out; what an object holds
    under `$set` and `$setOnce` counts as its own members.
    """
    nothing = frozenset(empty)
    dtype = pl.Struct({"rest": pl.String, "once": pl.String})
    return each(bag, lambda text: bags.parted(text, prefix, nothing), dtype)


def first_values(bag: pl.Expr) -> pl.Expr:
    """Return an object with each list reduced to its first value, as text; null where nothing is left.

    For `groups`: PostHog has one group of a type. `{"company":["a","b"],"seats":[5]}` -> `{"company":"a","seats":"5"}`.
    """
    return each(bag, bags.first_values)


def group_updates(groups: pl.Expr, properties: pl.Expr) -> pl.Expr:
    """Return a list of structs `{type, key, properties}`: each group a row tells of, and what it tells.

    `groups` is `{type: [key, …]}`; `properties` is `{type: {key: {name: value}}}`; or, as SDKs send it,
    `{name: value}` or `{"$set": …}`, which holds for every group in `groups`. Explode it for `events.groups`.
    """
    both = pl.struct(groups.alias("groups"), properties.alias("properties"))
    return each(both, bags.group_updates, pl.List(bags.GROUP))


def with_query(bag: pl.Expr, url: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """Return the object with these query parameters of the URL, where it holds none of them itself.

    `objects.with_query(pl.col(PROPERTIES), pl.col("_url"), values.CAMPAIGN)`; of a parameter given twice the first
    counts, and it is decoded.
    """
    both = pl.struct(bag.alias("bag"), url.alias("url"))
    return both.map_batches(
        lambda given: bags.with_query(given, names), return_dtype=pl.String, is_elementwise=True
    )


def with_nested(bag: pl.Expr) -> pl.Expr:
    """Return an object in which texts that are JSON objects or lists are these: a cell of CSV has no other way."""
    return pl.when(bag.str.contains(bags.NESTED)).then(each_row(bag, bags.with_nested)).otherwise(bag)


def bare_names(bag: pl.Expr) -> pl.Expr:
    """Return an object with the `_` before its keys taken off, and in lower case where all are in upper case.

    Heap's newer exports mark custom properties so, and Snowflake writes columns so. A key stays where a name is taken.
    """
    return each_row(bag, lambda text: text and bags.bare_names(text))
