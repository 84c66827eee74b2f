"""What Google Analytics 4 knows of whole users: so far, as its events say it, and at the end of a day."""

import polars as pl

from mappings._ga4_columns import browser_or_app, flat_record, moment, user
from mappings._ga4_nested import audiences, newest, object_text, parts, text_of, timed
from mappings._ga4_properties import ONCE, first_touch, worth
from migrate.kit import events, expr, objects, values
from migrate.kit.declare import REST, Options


def snapshots(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what each event says of its user as a whole: the `_worth` so far, and how the user first `_came`.

    Intraday tables say neither, but when that was: that is as of then, and yields to all that says more.
    """
    known = rows.with_columns_seq(
        moment("event_timestamp", options).alias("_time"),
        moment("user_first_touch_timestamp", options).alias("_first"),
    )
    is_whole = pl.col("_worth").is_not_null() | pl.col("_came").is_not_null() | pl.col("_first").is_null()
    first = timed("ga_first_touch_timestamp", pl.col("_first"))
    return events.profiles(
        known.with_columns_seq(objects.joined(pl.col("_came"), first).alias("_once")).filter(
            pl.col("_time").is_not_null()
        ),
        distinct_id=pl.coalesce(user(), browser_or_app()),
        timestamp=pl.when(is_whole).then("_time").otherwise("_first"),
        set=pl.col("_worth"),
        set_once=pl.col("_once"),
    )


def nested_snapshots(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the snapshots of rows as BigQuery has them."""
    told = {"_worth": "user_ltv", "_came": "traffic_source"}
    found = (ONCE[record].told(pl.col(record)).struct.field(name) for name, record in told.items())
    return snapshots(rows.with_columns_seq(found), options)


def flat_snapshots(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the snapshots of flattened rows."""
    time = expr.first(pl.col("event_timestamp"), pl.col("timestamp")).alias("event_timestamp")
    known = rows.with_columns_seq(time, flat_record("user_ltv"), flat_record("traffic_source"))
    told = object_text(worth()).alias("_worth"), object_text(first_touch()).alias("_came")
    return snapshots(known.with_columns_seq(told), options)


def to_profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what Google knew of each user at the end of a day; device and place are those of events."""
    day = expr.first(pl.col("last_updated_date"), pl.col("occurrence_date"))
    dashed = day.str.replace(r"^(\d{4})(\d\d)(\d\d)$", "$1-$2-$3")
    times = ("user_first_touch_timestamp_micros", "last_active_timestamp_micros")
    info = parts("user_info", times).struct
    first, last = (expr.unix(info.field(name), "us") for name in times)
    told = [parts(name, ()).struct.field("more") for name in ("user_ltv", "predictions")]
    stream = objects.text({"ga_stream_id": expr.stripped(pl.col("stream_id"))})
    properties = expr.each(pl.col("user_properties"), text_of(newest))
    sound = [
        pl.when(properties.str.starts_with("{")).then(properties),
        expr.each(pl.col("audiences"), audiences),
    ]
    return events.profiles(
        rows,
        distinct_id=pl.coalesce(user(), values.known(pl.col("pseudo_user_id"))),
        timestamp=expr.timestamp(dashed, zone=options.source_timezone).dt.offset_by("1d"),
        set=objects.completed(
            objects.joined(
                timed("ga_last_active_timestamp", last), stream, info.field("more"), *told, *sound
            ),
            pl.col(REST),
        ),
        set_once=timed("ga_first_touch_timestamp", first),
    )
