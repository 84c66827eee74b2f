"""Write realistic rows of any number as export files: the same seed gives the same bytes."""

import argparse
import io
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq
from formats import FORMATS, SPEC
from isal import igzip
from world import BEGINNING, World

_BLOCK_ROWS: Final = 50_000
_BLOCK_ROWS_LARGE: Final = 100
_PROJECT: Final = 104_832
_EXTENSIONS: Final = {
    "parquet": "parquet",
    "csv": "csv",
    "jsonl": "jsonl",
    "mixpanel": "jsonl",
    "ga4": "parquet",
}


def main() -> None:
    """Write the files the command line asks for."""
    choices = _arguments()
    days = 1 if choices.one_day else choices.days
    people = choices.people or max(1, choices.rows // 50)
    world = World(
        rows=choices.rows,
        people=people,
        days=days,
        seed=choices.seed,
        shuffled=choices.shuffled,
        one_person_half=choices.one_person_half,
    )
    choices.out.mkdir(parents=True, exist_ok=True)
    if choices.format in ("parquet", "csv"):
        (choices.out / "spec.toml").write_text(SPEC)
    bounds = [choices.rows * place // choices.files for place in range(choices.files + 1)]
    total = 0
    for place in range(choices.files):
        path = choices.out / _name(choices.format, place, plain=choices.plain)
        path.parent.mkdir(exist_ok=True)
        total += _write(path, choices, _blocks(world, choices, bounds[place], bounds[place + 1]))
    print(f"{choices.rows} rows, {choices.files} files, {total} bytes, {total // max(1, choices.rows)} a row")


def _arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=FORMATS, required=True, help="what kind of export")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--files", type=int, default=1, help="how many files the rows are spread over")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--people", type=int, help="how many people there are (default: a 50th of the rows)")
    parser.add_argument("--days", type=int, default=90, help="how many days the rows span (default: 90)")
    parser.add_argument("--shuffled", action="store_true", help="in no order of time")
    parser.add_argument("--one-person-half", action="store_true", help="one person owns half of the events")
    parser.add_argument("--one-day", action="store_true", help="everything on one day")
    parser.add_argument("--large-events", action="store_true", help="500 KB of text in an event")
    parser.add_argument("--plain", action="store_true", help="Amplitude files without gzip")
    return parser.parse_args()


def _name(kind: str, place: int, *, plain: bool) -> str:
    """Return a file's name; Amplitude's as its Export API gives them."""
    if kind in _EXTENSIONS:
        return f"part-{place:05d}.{_EXTENSIONS[kind]}"
    hour = BEGINNING + timedelta(hours=place)
    return f"{_PROJECT}/{_PROJECT}_{hour:%Y-%m-%d}_{hour.hour}#0.json{'' if plain else '.gz'}"


def _blocks(world: World, choices: argparse.Namespace, start: int, stop: int) -> Iterator[pl.DataFrame]:
    """Yield a file's rows in the columns of its format, some at a time."""
    step = _BLOCK_ROWS_LARGE if choices.large_events else _BLOCK_ROWS
    for first in range(start, stop, step):
        frame = world.frame(first, min(stop, first + step))
        yield FORMATS[choices.format](world, frame, large=choices.large_events)


def _write(path: Path, choices: argparse.Namespace, blocks: Iterator[pl.DataFrame]) -> int:
    """Write one file; return how many bytes its rows take up before compression (Parquet: stored)."""
    if _EXTENSIONS.get(choices.format) == "parquet":
        return _write_parquet(path, blocks)
    is_gzip = choices.format not in _EXTENSIONS and not choices.plain
    total, has_header = 0, choices.format == "csv"
    with ExitStack() as stack:
        file: Any = stack.enter_context(path.open("wb"))
        if is_gzip:
            file = stack.enter_context(igzip.IGzipFile("", "wb", compresslevel=2, fileobj=file, mtime=0))
        for block in blocks:
            text = _text(block, has_header=has_header)
            total += file.write(text)
            has_header = False
    return total


def _text(block: pl.DataFrame, *, has_header: bool) -> bytes:
    """Return rows as lines: CSV cells, or the JSON lines there are already."""
    lines = io.BytesIO()
    quotes = "never" if block.columns == ["line"] else "necessary"
    block.write_csv(lines, include_header=has_header, quote_style=quotes)
    return lines.getvalue()


def _write_parquet(path: Path, blocks: Iterator[pl.DataFrame]) -> int:
    """Write one Parquet file, a row group for each block; return its size."""
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for block in blocks:
            table = block.to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(path, table.schema))
            writer.write_table(table)
    return path.stat().st_size if path.exists() else 0


if __name__ == "__main__":
    main()
