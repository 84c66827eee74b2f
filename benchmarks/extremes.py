"""Write files that hold much more than they look like: few bytes, many columns, days or keys, or all of it at once.

python benchmarks/extremes.py dictionary-table --out FOLDER
"""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from formats import jsonl
from world import World

_SPEC: Final = """\
event = "event"
distinct_id = "distinct_id"
timestamp = "timestamp"
dedup_key = ["row"]
"""
_TEXTS: Final = 5
_TEXT_BYTES: Final = 22_000
_COLUMNS: Final = 20_000
_LAST_DAY: Final = date(2025, 1, 1)
_INSTANT: Final = datetime(2024, 4, 1, 12, tzinfo=UTC)
_BLOCK_ROWS: Final = 50_000
_WORDS: Final = pl.Series([f"{number * 2654435761 % (1 << 32):08x}" for number in range(4_096)])


def dictionary_table(folder: Path, rows: int) -> None:
    """Write a Parquet file with five long texts, each kept once, in a column of their own."""
    (folder / "spec.toml").write_text(_SPEC)
    _dictionary(folder, rows, "note", [_note(place) for place in range(_TEXTS)])


def dictionary_posthog(folder: Path, rows: int) -> None:
    """Write the same with the texts inside of `properties`, and uuids."""
    bags = [f'{{"note":"{_note(place)}"}}' for place in range(_TEXTS)]
    _dictionary(folder, rows, "properties", bags, _world(rows).uuid("event", "row").alias("uuid"))


def wide_csv(folder: Path, rows: int) -> None:
    """Write a CSV file of 20,000 columns, all of them filled."""
    (folder / "spec.toml").write_text(_SPEC)
    _wide(rows).with_columns(pl.col("timestamp").dt.to_string("iso")).write_csv(folder / "part-0.csv")


def wide_parquet(folder: Path, rows: int) -> None:
    """Write the same columns as Parquet."""
    (folder / "spec.toml").write_text(_SPEC)
    pq.write_table(_wide(rows).to_arrow(compat_level=pl.CompatLevel.oldest()), folder / "part-0.parquet")


def days(folder: Path, rows: int) -> None:
    """Write rows that each lie on a day of their own, in no order of time."""
    world = _world(rows, shuffled=True)
    ago = pl.duration(days=pl.col("row"), minutes=pl.col("row") % 1_440)
    _lines(folder, world, (pl.lit(_LAST_DAY).cast(pl.Datetime("us", "UTC")) - ago).alias("time"))


def instant(folder: Path, rows: int) -> None:
    """Write rows of one instant, each of another person."""
    time = pl.lit(_INSTANT).dt.cast_time_unit("us").alias("time")
    _lines(folder, _world(rows), time, pl.col("row").alias("person"))


def objects(folder: Path, rows: int, *, keys: int, others: bool = False) -> None:
    """Write JSON lines whose properties are of so many keys, the same in each row or others."""
    with (folder / "part-0.jsonl").open("w") as file:
        for row in range(rows):
            name = f"{row:03d}" if others else "k"
            members = ",".join(f'"{name}{key:06d}":{(key * 7919 + row) % 1000}' for key in range(keys))
            time = f"2024-04-{1 + row % 30:02d}T12:00:00Z"
            file.write(f'{{"event":"e","distinct_id":"user_{row}","timestamp":"{time}",')
            file.write(f'"uuid":"0f9c1a52-0000-4000-8000-{row:012d}","properties":{{{members}}}}}\n')


WRITERS: Final[dict[str, tuple[int, Callable[[Path, int], None]]]] = {
    "dictionary-table": (40_000, dictionary_table),
    "dictionary-posthog": (40_000, dictionary_posthog),
    "wide-csv": (300, wide_csv),
    "wide-parquet": (300, wide_parquet),
    "days": (30_000, days),
    "instant": (2_000_000, instant),
    "keys": (200, partial(objects, keys=100_000)),
    "fewer-keys": (600, partial(objects, keys=30_000)),
    "other-keys": (600, partial(objects, keys=30_000, others=True)),
}
"""How many rows there are of each, and what writes them."""


def _world(rows: int, *, shuffled: bool = False) -> World:
    """Return the shop that a file of so many rows is drawn from."""
    return World(rows=rows, people=max(1, rows // 50), days=90, shuffled=shuffled)


def _note(place: int) -> str:
    """Return a long text that is unlike others."""
    start = _WORDS.len() * place // _TEXTS
    words = _WORDS.gather((pl.int_range(_TEXT_BYTES // 8, eager=True) + start) % _WORDS.len())
    return f"{place}{''.join(words)}"[:_TEXT_BYTES]


def _flat(rows: int) -> pl.DataFrame:
    """Return the columns that an event needs, drawn from the shop."""
    return _world(rows).frame(0, rows)


def _needed() -> list[pl.Expr]:
    """Return event, person, time and number of the rows of a shop."""
    return [
        pl.lit("Page Viewed").alias("event"),
        pl.format("user_{}", "person").alias("distinct_id"),
        pl.col("time").alias("timestamp"),
        pl.col("row").cast(pl.Int64),
    ]


def _dictionary(folder: Path, rows: int, name: str, texts: list[str], *more: pl.Expr) -> None:
    """Write one row group in which a column's rows are numbers of the texts, as no reader need be told."""
    table = _flat(rows).select(*_needed(), *more).to_arrow(compat_level=pl.CompatLevel.oldest())
    indices = pa.array((place % len(texts) for place in range(rows)), pa.int32())
    table = table.append_column(name, pa.DictionaryArray.from_arrays(indices, pa.array(texts)))
    packed = dict.fromkeys(("timestamp", "row"), "DELTA_BINARY_PACKED")
    pq.write_table(
        table,
        folder / "part-0.parquet",
        compression="zstd",
        use_dictionary=["event", "distinct_id", name],
        column_encoding=packed,
        store_schema=False,
    )


def _wide(rows: int) -> pl.DataFrame:
    """Return rows of many columns, a third of them numbers."""
    column = pl.col("row").cast(pl.Int64)
    return _flat(rows).select(
        *_needed(),
        *(
            (column + place).alias(f"c{place:05d}")
            if place % 3 == 0
            else pl.format("v{}", column * place % 10_007).alias(f"c{place:05d}")
            for place in range(_COLUMNS - len(_needed()))
        ),
    )


def _blocks(world: World) -> Iterator[pl.DataFrame]:
    """Yield the rows of a shop, some at a time."""
    for start in range(0, world.rows, _BLOCK_ROWS):
        yield world.frame(start, min(world.rows, start + _BLOCK_ROWS))


def _lines(folder: Path, world: World, *instead: pl.Expr) -> None:
    """Write JSON lines of a shop with some columns of its own."""
    with (folder / "part-0.jsonl").open("wb") as file:
        for frame in _blocks(world):
            lines = jsonl(world, frame.with_columns(*instead), large=False)
            lines.write_csv(file, include_header=False, quote_style="never")


def main() -> None:
    """Write the file the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shape", choices=WRITERS)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--rows", type=int, help="other than the usual number of rows")
    choices = parser.parse_args()
    usual, write = WRITERS[choices.shape]
    choices.out.mkdir(parents=True, exist_ok=True)
    write(choices.out, choices.rows or usual)


if __name__ == "__main__":
    main()
