"""A platform of the tests' own, whose files have no header, and lie beside files that tell of them."""

import importlib
import sys

import pytest

import mappings

ACME = '''"""Acme: hits without a header, beside their column names and lookups."""

import polars as pl

from migrate.kit import expr
from migrate.kit.declare import PROPERTIES, REST, WHOLE, Headerless, Options, Platform, Table, has
from migrate.kit.events import events

LOGS = ("at", "user", "what", "data", "more")


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    return events(
        rows,
        event=pl.col("what"),
        distinct_id=expr.first(pl.col("user")),
        timestamp=expr.timestamp(pl.col("at"), zone="UTC"),
        dedup_key=expr.key(*map(pl.col, ("at", "user", "what", WHOLE))),
        laid=pl.col(PROPERTIES),
    )


def table(name, *columns):
    return Table(
        name=name,
        columns=dict.fromkeys(columns, pl.String),
        matches=has(*columns),
        to_events=to_events,
        ids=["user"],
        times=["at"],
        properties=[REST],
        whole=True,
    )


MAPPING = Platform(
    title="Acme",
    reads="hits",
    tables=[table("hits", "at", "user", "what")],
    headerless=[
        Headerless(header_file="names.tsv", files=["hit_data.tsv", "*-acme_*.tsv"], dialect="clickhouse",
                   encoding="latin-1"),
        Headerless(columns=LOGS),
    ],
)
'''


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """The platform `acme`, there for one test; other text of its module may be written by the test."""

    def written(text=ACME):
        folder = tmp_path / "platforms"
        folder.mkdir(exist_ok=True)
        (folder / "acme.py").write_text(text)
        monkeypatch.setattr(mappings, "__path__", [*mappings.__path__, str(folder)])
        sys.modules.pop("mappings.acme", None)
        importlib.invalidate_caches()
        return folder

    yield written
    sys.modules.pop("mappings.acme", None)
