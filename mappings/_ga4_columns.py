"""Columns of Google Analytics 4's rows, read: times, ids, and records that were flattened."""

import polars as pl

from mappings._ga4_flat import spellings
from mappings._ga4_schema import RECORDS
from migrate.kit import expr, values
from migrate.kit.declare import Options


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
    """Return a struct of a record's fields, as `fields` does, of flattened columns."""
    columns = (
        values.known(expr.first(*map(pl.col, spellings(name, one)))).alias(one) for one in RECORDS[name]
    )
    return pl.struct(columns).alias(f"_{name}")
