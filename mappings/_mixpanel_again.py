"""Mixpanel's events whose `$insert_id` stands on an earlier one, too."""

import polars as pl

from mappings._mixpanel_ids import identifier
from mappings._mixpanel_shapes import Shape, moment
from migrate.kit import expr
from migrate.kit.declare import Options


def again(shape: Shape) -> pl.Expr:
    """Return whether a row's `$insert_id` stands on an earlier event of that day, too, of the same name and person.

    Mixpanel takes the two for one, and so counts one; here they are two, as the time belongs to what makes an event
    one. Only rows that are read together are compared.
    """
    ids = ("$distinct_id_before_identity", "mp_original_distinct_id", "distinct_id")
    known = {
        "name": shape.name(Options()),
        **{name: shape.told(name) for name in (*ids, "$insert_id", "time")},
    }
    given = pl.struct(text.alias(name) for name, text in known.items())
    return given.map_batches(_again, return_dtype=pl.Boolean)


def _again(rows: pl.Series) -> pl.Series:
    """Return which rows come again, of a struct of the texts that make an event one."""
    frame = rows.struct.unnest().with_row_index("_place")
    inserted = pl.col("$insert_id")
    alike = frame.filter(inserted.is_not_null() & (inserted != "") & inserted.is_duplicated())
    found = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    if not alike.height:
        return found.alias(rows.name)
    ids = [
        pl.col(name) for name in ("$distinct_id_before_identity", "mp_original_distinct_id", "distinct_id")
    ]
    one = ("name", "_id", "$insert_id", pl.col("_time").dt.date())
    later = alike.with_columns(
        expr.first(*map(identifier, ids)).alias("_id"), moment(pl.col("time")).alias("_time")
    ).filter(pl.col("_time") > pl.col("_time").min().over(*one))
    return found.scatter(later["_place"], True).alias(rows.name)
