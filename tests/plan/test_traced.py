"""A property's columns are told by taking them away: what it is a copy of, and what it is made of."""

import polars as pl
from frames import IMPRINT, LATER

from migrate.kit import expr, values
from migrate.kit.declare import REST, ROW, Table, has
from migrate.kit.events import events
from migrate.plan.finished import finished
from migrate.plan.traced import trace
from migrate.plan.transform import Transform
from migrate.readers.records import Chunk
from migrate.rules.declared import read
from migrate.rules.frames import Ruling
from migrate.workdir.looks import Look, _packed, _unpacked

NAMES = ("user", "at", "city", "country", "device", "page", "none")
AT = expr.timestamp(pl.col("at"), zone="UTC")


def mapped(rows, _options):
    """Events with properties made in several ways, one of them in a column of the mapping's own."""
    rows = rows.with_columns(pl.col("device").str.to_uppercase().alias("_device"))
    return events(
        rows,
        event=pl.col("name"),
        distinct_id=pl.col("user"),
        timestamp=AT,
        dedup_key=pl.col("user"),
        laid=None,
        extra={
            "$geoip_city_name": expr.stripped(pl.col("city")),
            "$geoip_country_code": values.country_code(pl.col("country")),
            "$device_type": pl.concat_str("_device", "city"),
            "title": pl.when(pl.col("name") == "view").then(pl.col("page")),
            "page": pl.col("page"),
            "constant": pl.lit("x"),
            "never": pl.col("none"),
            "owner": pl.col("user"),
        },
        set={"email": pl.col("user")},
    )


def table(to_events):
    """A table of rows with these columns."""
    return Table(
        name="t", columns=dict.fromkeys((*NAMES, "name"), pl.String), matches=has("at"), to_events=to_events
    )


def rows(count):
    """So many rows; one in fifty is a view."""
    row = {
        "at": "2024-04-03T12:00:00Z",
        "city": " Berlin",
        "country": "Germany",
        "device": "ios",
        "page": "Home",
    }
    found = [row | {"user": f"u{n}", "name": "x" if n % 50 else "view", "none": None} for n in range(count)]
    frame = pl.DataFrame(found, schema=dict.fromkeys((*NAMES, "name"), pl.String))
    return frame.with_columns(pl.int_range(1, count + 1).alias(ROW), pl.lit(None, pl.String).alias(REST))


def traced(to_events=mapped, count=300, **more):
    """What is told of some rows."""
    transform = Transform(table=table(to_events), imprint=IMPRINT, **more)
    chunk, look = Chunk(rows(count), [], {}), Look()
    trace(
        look,
        chunk.rows,
        finished(chunk, Transform(table=table(mapped), imprint=IMPRINT), LATER).frame,
        transform,
    )
    return look.renamed, look.made


def test_what_a_mapping_makes_of_columns_is_told():
    """A value under another name is renamed; what is another value, or of several columns, is made of them."""
    renamed, made = traced()
    assert renamed == {"owner": {"user"}, "$set.email": {"user"}}
    assert made == {
        "$geoip_city_name": {"city"},
        "$geoip_country_code": {"country"},
        "$device_type": {"device", "city"},
        "title": {"name", "page"},
    }


def test_the_users_rules_name_it_last():
    """As it is called in PostHog."""
    ruling = Ruling.of(read({"rename": {"owner": "account"}}, "f"))
    assert traced(ruling=ruling)[0]["account"] == {"user"}


def test_a_mapping_that_fails_without_a_column_is_not_asked():
    """Nor are few rows."""

    def careful(rows, options):
        return mapped(
            rows.with_columns(pl.col("city").map_elements(len, pl.Int64, skip_nulls=False)), options
        )

    assert traced(careful) == traced(count=150) == ({}, {})


def test_it_is_kept():
    """What an earlier version kept lacks it."""
    look = Look(made={"b": {"y", "x"}}, renamed={"a": {"z"}})
    assert _unpacked(_packed(look)) == look
