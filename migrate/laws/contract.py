"""The contract: what a mapping makes of rows has the schema it is to have, which shows without any row."""

from collections.abc import Iterator

import polars as pl

from migrate.kit import schemas
from migrate.kit.declare import Options, Table
from migrate.laws.sample import Broken, Sample
from migrate.payload.payloads import claimed

_OTHERS = {
    "to_profiles": schemas.PROFILE_SCHEMA,
    "to_groups": schemas.GROUP_SCHEMA,
    "to_links": schemas.LINK_SCHEMA,
    "to_recoveries": schemas.RECOVERY_SCHEMA,
    "clock": schemas.CLOCK_SCHEMA,
}


def contract(sample: Sample) -> Iterator[Broken]:
    """Yield what is wrong with the frames that each table's functions return, of no rows."""
    for table in sample.tables:
        wrong = dict.fromkeys(
            said
            for way in ("set", "set_once", "none")
            for said in wrong_frames(table, Options(person_properties=way))
        )
        yield from (Broken(table.name, said) for said in wrong)


def wrong_frames(table: Table, options: Options) -> Iterator[str]:
    """Yield what is wrong with what a table's functions return of no rows, under these options."""
    rows = pl.LazyFrame(schema=schemas.row_schema(claimed(table, options), options))
    frame = table.to_events(rows, options)
    yield from (f"to_events: {wrong}" for wrong in schemas.schema_errors(frame.collect_schema()))
    if height := frame.collect().height:
        yield f"to_events: made {height} rows of none"
    for name, schema in _OTHERS.items():
        if (function := getattr(table, name)) is None:
            continue
        told = function(rows, options).collect()
        if told.schema != schema:
            yield f"{name}: expected columns {_shown(schema)}, found {_shown(told.schema)}"
        if told.height:
            yield f"{name}: told {told.height} rows of none"


def _shown(schema: pl.Schema) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in schema.items())
