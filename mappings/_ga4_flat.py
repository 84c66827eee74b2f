"""How others flatten the BigQuery export of Google Analytics 4: names of columns, and rows that are one parameter."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl

from mappings._ga4_schema import (
    BAG,
    BATCH,
    COLUMNS,
    DROPPED,
    FIVETRAN,
    NUMBERS,
    OTHERS,
    RECORDS,
    RENAME,
    TEXTS,
)
from migrate.kit import events, expr, links, nulls
from migrate.kit.declare import EVERY_ROW, ROW, Options, Table, ToFrame

# How a row of UNNEST spells one parameter.
PREFIXES: Final = ("", "event_params_", "event_params.", "event_param_", "param_")
PLACES: Final = (*PREFIXES, "value.", *(f"{prefix}value{prefix[-1:] or '_'}" for prefix in PREFIXES))
KEYS: Final = tuple(f"{prefix}key" for prefix in PREFIXES)
UNTYPED: Final = tuple(f"{prefix}value" for prefix in PREFIXES)
TYPED: Final = {
    one: tuple(f"{at}{one}_value" for at in PLACES) for one in ("string", "int", "double", "float")
}


def pivoted(rest: pl.Expr) -> pl.Expr:
    """Return undeclared columns under the names that parameters and fields of records have; numbers are numbers.

    Only a key can stand between an opening quote and a colon, so text in values is safe.
    """
    numbers, records = "|".join(sorted(NUMBERS)), "|".join(RECORDS)
    nothing = "|".join(re.escape(word) for word in nulls.NOTHING if word)
    return (
        rest.str.replace_all(r'([{,])"(?:event_)?params?[_.]', '$1"')
        .str.replace_all(rf'([{{,]")({records})[_.]', "${1}ga_${2}_")
        .str.replace_all(rf'([{{,]"(?:ga_[a-z_]+_)?(?:{numbers})"):"(-?(?:0|[1-9]\d*)(?:\.\d+)?)"', "$1:$2")
        .str.replace_all(rf',?"ga_[^"]*":"(?:{nothing})"', "")
        .str.replace(r"^\{,", "{")
    )


def spellings(name: str, one: str) -> tuple[str, str]:
    """Return what a flattened field of a record is called: `device_web_info_browser`, `device.web_info.browser`."""
    return f"{name}_{one}", f"{name}.{one.replace('web_info_', 'web_info.')}"


def joint(batch: Sequence[str] = BATCH) -> pl.Expr:
    """Return what rows of one event have in common where each is one of its parameters."""
    same = (
        "stream_id",
        "user_pseudo_id",
        "event_timestamp",
        "event_name",
        "event_bundle_sequence_id",
        *batch,
    )
    told = pl.concat_str((pl.col(name).fill_null("") for name in same), separator="|")
    return pl.coalesce(expr.stripped(pl.col("event_id")), told)


def unnested(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the parameters of rows that are events too."""
    return param_recoveries(rows.with_columns_seq(joint().alias("event_id")), _options)


def param_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the parameters that rows hold one each; `name` says the type too, which text cannot."""
    text, *numbers = (
        [pl.col(column) for column in TYPED[kind]] for kind in ("string", "int", "double", "float")
    )
    number = [column for columns in numbers for column in columns]
    plain = [pl.col(column) for column in UNTYPED]
    typed = (
        pl.when(pl.any_horizontal(column.is_not_null() for column in text))
        .then(pl.lit("text"))
        .when(pl.any_horizontal(column.is_not_null() for column in number))
        .then(pl.lit("number"))
        .otherwise(pl.lit("any"))
    )
    name = pl.format("params:{}:{}", typed, expr.first(*map(pl.col, KEYS)))
    value = pl.coalesce(*text, expr.first(*number), *plain)
    return links.recoveries(rows, key=pl.col("event_id"), name=name, value=value)


def user_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the user properties that rows hold one each; all are text, their types are lost."""
    name = pl.format("user:text:{}", expr.stripped(pl.col("user_properties_key")))
    return links.recoveries(rows, key=pl.col("event_id"), name=name, value=pl.col("user_properties_value"))


def item_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the items that rows hold one each, in the order of the file."""
    name = pl.format("items:any:{}", pl.col(ROW).cast(pl.String).str.zfill(12))
    value = pl.struct(pl.col(f"items_{one}").alias(one) for one in COLUMNS["item"]).struct.json_encode()
    return links.recoveries(rows, key=pl.col("event_id"), name=name, value=value)


def parameter_columns() -> Iterator[str]:
    """Yield the columns that hold a parameter where each has a row."""
    yield from (*KEYS, *UNTYPED, *(column for columns in TYPED.values() for column in columns))


PIVOTED: Final = RENAME | {
    **{f"param_{name}": name for name in (*BAG, *sorted(NUMBERS), *sorted(TEXTS))},
    **{f"param_{old}": new for old, new in RENAME.items()},
    **{f"{name}_{one}": f"ga_{name}_{one}" for name, fields in OTHERS.items() for one in fields},
}
"""What `pivoted` does by pattern, for the names that Google itself gives; it does the same to all others."""


def is_unnested(columns: frozenset[str]) -> bool:
    """Return whether these are columns of a table with a row for each parameter."""
    return {"event_name", "event_timestamp"} <= columns and bool(columns & {*KEYS})


def text_columns(*names: Iterable[str]) -> dict[str, type[pl.String]]:
    """Return these columns as a table declares them, all of them text."""
    return dict.fromkeys((one for some in names for one in some), pl.String)


def _joined(name: str, key: str, columns: Sequence[str], to_recoveries: ToFrame) -> Table:
    """Return one of the flattener's tables whose rows belong to the events of its main table."""
    return Table(
        name=name,
        columns=text_columns(("event_id", key), columns),
        matches=lambda found: {"event_id", key} <= found and "event_name" not in found,
        to_events=events.none,
        to_recoveries=to_recoveries,
        ids=("event_id",),
        filters={"joined_to_its_event": EVERY_ROW},
        left_out=bool,
        dropped=DROPPED | {"event_date"},
    )


JOINED: Final = (
    _joined("flat_event_params", "event_params_key", tuple(parameter_columns()), param_recoveries),
    _joined("flat_user_properties", "user_properties_key", ("user_properties_value",), user_recoveries),
    _joined("flat_items", "items_item_id", tuple(f"items_{one}" for one in COLUMNS["item"]), item_recoveries),
)
"""The flattener's tables beside the main one."""
FLAT: Final = (
    *(*COLUMNS["plain"], *COLUMNS["lists"], *FIVETRAN.values(), "event_id"),
    *(one for name, fields in RECORDS.items() for own in fields for one in spellings(name, own)),
)
