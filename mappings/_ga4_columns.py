"""Columns of Google Analytics 4's rows, read: times, ids, and records that were flattened."""

import polars as pl

from mappings._ga4_flat import pivoted, spellings
from mappings._ga4_nested import RECOVERY, bought, newest, parameters, recovered, text_of
from mappings._ga4_properties import OF_EVENTS, system
from mappings._ga4_schema import FIVETRAN, RECORDS
from migrate.kit import expr, values
from migrate.kit.declare import RECOVERED, REST, Options


def moment(column: str, options: Options) -> pl.Expr:
    """Return a time: microseconds in UTC; where someone made text of them, in UTC or the zone the user gives."""
    micros = expr.unix(pl.col(column), "us")
    text = pl.when(micros.is_null()).then(pl.col(column))
    return pl.coalesce(micros, expr.timestamp(text, zone=options.source_timezone))


def user() -> pl.Expr:
    """Return who the site says it is, known since the login only."""
    return values.known(pl.col("user_id"))


def browser_or_app() -> pl.Expr:
    """Return the browser's or the app instance's id; null without consent."""
    return values.known(pl.col("user_pseudo_id"))


def nobody() -> pl.Expr:
    """Return whether the row has no id at all, as rows of visitors who did not consent."""
    return user().is_null() & browser_or_app().is_null()


def flat_record(name: str) -> pl.Expr:
    """Return a struct of the fields of a record, each of the flattened column that holds it."""
    columns = (
        values.known(expr.first(*map(pl.col, spellings(name, one)))).alias(one) for one in RECORDS[name]
    )
    return pl.struct(columns).alias(f"_{name}")


def listed(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return flattened rows with records as structs, and as JSON objects what stands in lists and further columns."""
    told = expr.each(pl.col(RECOVERED), recovered, RECOVERY).struct
    lists = {
        "_params": (expr.each_row(pl.col("event_params"), text_of(parameters)), told.field("params")),
        "_user": (expr.each(pl.col("user_properties"), text_of(newest)), told.field("user")),
        "_bought": (expr.each(pl.col("items"), text_of(bought)), told.field("items")),
    }
    found = rows.with_columns_seq(
        *(expr.first(pl.col(name), pl.col(other)).alias(name) for name, other in FIVETRAN.items()),
        *(flat_record(name) for name in OF_EVENTS),
        *(pl.coalesce(ways).alias(name) for name, ways in lists.items()),
        pivoted(pl.col(REST)).alias("_more"),
    )
    sound = [pl.when(pl.col(name).str.starts_with("{")).then(name).alias(name) for name in lists]
    unread = [pl.when(~pl.col(name).str.starts_with("{")).then(name) for name in lists]
    return found.with_columns_seq(pl.coalesce(unread).alias("_unread"), *sound, system().alias("_system"))
