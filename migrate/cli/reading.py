"""How files are written, where they do not show it themselves; what may be typed to look at some, or describe them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.kinds import Blank, Input
from migrate.cli.params import arguments, flag, option, preset

if TYPE_CHECKING:
    from migrate.readers.dialects import Name as Dialect


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How files are written, where they do not show it themselves."""

    encoding: str | None = option(click.STRING, "Encoding of text files that do not say it, e.g. latin-1.")
    delimiter: str | None = option(Blank(), "Delimiter of CSV files, where guessing is wrong.")
    dialect: Dialect | None = option(
        click.Choice(["plain", "spark", "clickhouse", "raw"]),
        "How CSV files are written: quotes doubled, quotes behind a backslash (Spark), all that would end a cell "
        "behind one (ClickHouse, Postgres' COPY, MySQL), or quotes and all as data.  [default: as the file shows]",
    )
    quote: str | None = option(click.STRING, 'Quote of CSV files.  [default: "]', metavar="CHAR")
    escape: str | None = option(click.STRING, "What stands before a quote inside of quotes.", metavar="CHAR")
    no_header: bool = flag("The first line of CSV files is a row; columns are numbered.")
    no_partitions: bool = flag("Folders called name=value are only folders, and no columns of files.")
    columns: str | None = option(
        click.STRING, "Names of the columns of CSV files without a header.", metavar="A,B,…"
    )


@dataclass(frozen=True, kw_only=True)
class InspectOptions(ReadingOptions):
    """What to look at, and how it is told."""

    inputs: tuple[str, ...] = arguments(Input(), "INPUT...")
    as_json: bool = flag("Print one JSON object with all of it, and nothing else.", word="json")
    verbose: bool = flag("Show all columns, and name every file.", short="v")


@dataclass(frozen=True, kw_only=True)
class SpecOptions(ReadingOptions):
    """Of which files a spec is written, and where."""

    inputs: tuple[str, ...] = arguments(Input(), "FILE...")
    output: Path = preset(
        click.Path(path_type=Path, dir_okay=False),
        "-",
        "File to write, which must not be there yet; - is stdout.",
        metavar="FILE",
        short="o",
    )
    as_mapping: bool = flag("Write a mapping in Python to begin from, instead of a spec.")
