"""Campaigns of Google Analytics 4: what a row says of them itself, else the address of its page."""

import polars as pl

from mappings._ga4_properties import CAMPAIGNS, OF_RECORDS, of
from migrate.kit import values
from migrate.kit.declare import OWN


def addressed() -> pl.Expr:
    """Return a struct of the `CAMPAIGNS` of events: what the address says counts where the row itself says nothing."""
    record, url = pl.col("_of_collected_traffic_source"), of("page", "_query")
    return pl.struct(record.alias("record"), url.alias("url"), OWN).map_batches(
        _campaigns, return_dtype=pl.Struct(CAMPAIGNS), is_elementwise=True
    )


def _campaigns(given: pl.Series) -> pl.Series:
    """Return the campaigns of a struct of record, address and own properties; most chunks of rows have none."""
    table = given.struct.unnest()
    if all(table[name].null_count() == table.height for name in ("record", "url")):
        return pl.repeat(None, table.height, dtype=pl.Struct(CAMPAIGNS), eager=True)
    told = {name: pl.col("record").struct.field(name) for name in OF_RECORDS["collected_traffic_source"]}
    for name in values.CAMPAIGN:
        own = pl.col(OWN).str.contains(f'"{name}":', literal=True).fill_null(value=False)
        url = pl.when(~own).then(pl.col("url").struct.field(name))
        told[name] = pl.coalesce(told[name], url) if name in told else url
    return table.select_seq(pl.struct(told[name].alias(name) for name in CAMPAIGNS)).to_series()
