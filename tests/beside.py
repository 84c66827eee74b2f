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


SHOP = '''"""Acme: clicks, joined with pages, visits and systems."""

import polars as pl

from migrate.kit import events as made
from migrate.kit import expr, links
from migrate.kit.declare import PROPERTIES, REST, Headerless, Join, Lookup, Options, Platform, Table, has, inside
from migrate.kit.events import events

def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    return events(
        rows,
        event=pl.coalesce(pl.col(inside("title", "name")), pl.lit("click")),
        distinct_id=expr.first(pl.col(inside("visit", "visitor"))),
        timestamp=expr.timestamp(pl.col("at"), zone="UTC"),
        dedup_key=pl.col("id"),
        laid=pl.col(PROPERTIES),
        extra={
            "url": pl.col(inside("url", "name")),
            "$os": pl.col(inside("os", "name")),
        },
    )


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    return links.linked(
        rows,
        anonymous=pl.col(inside("visit", "visitor")),
        identified=pl.col(inside("visit", "user")),
        time=expr.timestamp(pl.col("at"), zone="UTC"),
        why="visit",
    )


CLICKS = Table(
    name="clicks",
    columns=dict.fromkeys(["id", "at", "visit_id", "url_id", "title_id"], pl.String),
    matches=has("id", "at", "visit_id"),
    to_events=to_events,
    to_links=to_links,
    link_columns=["at", inside("visit", "visitor"), inside("visit", "user")],
    times=["at"],
    properties=[REST],
    joins={
        "visit": Join(table="visits", on="visit_id", columns=["visitor", "user", "os_id"], required=True),
        "url": Join(table="pages", on="url_id", columns=["name"]),
        "title": Join(table="pages", on="title_id", columns=["name"]),
        "os": Join(table="systems", on="visit.os_id", columns=["name"]),
    },
    filters={"robots": pl.col(inside("os", "name")) == "Robot"},
)


def lookup(name, key, *columns, files):
    return Table(
        name=name,
        columns=dict.fromkeys([key, *columns], pl.String),
        matches=has(key, *columns),
        to_events=made.none,
        lookup=Lookup(key=key, files=files),
    )


MAPPING = Platform(
    title="Acme",
    reads="clicks",
    tables=[
        CLICKS,
        lookup("visits", "visit", "visitor", "user", "os_id", files=["visits*.csv"]),
        lookup("pages", "page", "name", files=["pages*.csv"]),
        lookup("systems", "os", "name", files=["os.tsv"]),
    ],
    headerless=[Headerless(columns=["os", "name"], files=["os.tsv"])],
)
'''
