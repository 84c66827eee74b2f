"""Adobe Analytics: the data feed, hit_data.tsv and its parts, with the lookups that explain its numbers.

Columns have no header: column_headers.tsv of the same day names them; browser.tsv, event.tsv and other lookups have two
columns, a number and what it means. As in the sources of Adobe's guide (github.com/AdobeDocs/analytics.en,
help/export/analytics-data-feed/c-df-contents: datafeeds-contents, -page-event, -hit-source, -calculate, -spec-chars,
dynamic-lookups; of datafeeds-reference the columns down to `plugins`; all read 2026-11-29, in stored versions that need
not be the newest). No real file was to be had.

* Most columns have a twin, `post_…`, after processing, which is what reports count: it is taken where it says anything.
* `hit_time_gmt` and `cust_hit_time_gmt` are Unix times; `date_time` is the wall clock of the report suite.
* A person is `post_visid_high` and `post_visid_low`; who has logged in stands in an eVar, which `--user-id` names.
* A hit may carry several events (`event_list`): it is one event here, with their names in a list.
* Rows that reports do not count are marked: `exclude_hit`, `customer_perspective`, `hit_source`.
"""

from typing import Final

import polars as pl

from mappings._adobe_columns import (
    COLUMNS,
    DEVICE,
    DEVICES,
    EVENTS,
    LOOKUPS,
    MEANING,
    device,
    page,
    place,
    positive,
    said,
    unexplained,
)
from mappings._adobe_lists import IDS, USER, reader
from mappings._adobe_sales import BAGS, JOINS, listed, money, told
from migrate.kit import events, expr, links, objects
from migrate.kit.declare import (
    EVERY_ROW,
    PROPERTIES,
    REST,
    Bag,
    Headerless,
    Join,
    Lookup,
    Options,
    Platform,
    Table,
    has,
    inside,
    words,
)

KINDS: Final = {
    **dict.fromkeys(("10", "100"), "Custom Link"),
    **dict.fromkeys(("11", "101"), "Download Link"),
    **dict.fromkeys(("12", "102"), "Exit Link"),
    **dict.fromkeys(("31", "76"), "Media Start"),
    **dict.fromkeys(("32", "33", "77", "78"), "Media Update"),
    **dict.fromkeys(("40", "80"), "Survey"),
    **dict.fromkeys(("50", "60"), "Media Stream Start"),
    **dict.fromkeys(("51", "61"), "Media Stream Close"),
    **dict.fromkeys(("52", "62"), "Media Stream Scrubbing"),
    **dict.fromkeys(("53", "63"), "Media Stream Keep Alive"),
    **dict.fromkeys(("54", "64"), "Media Stream Ad Start"),
    **dict.fromkeys(("55", "65"), "Media Stream Ad Close"),
    **dict.fromkeys(("56", "66"), "Media Stream Ad Scrubbing"),
    "70": "Analytics for Target",
}
"""`page_event` and `post_page_event`, but for 0, which is a page or a screen."""
OTHERS: Final = words(
    "browser_type color_depth country javascript_version plugins carrier operating_system_type"
)
"""Lookups that nothing is looked up in: their columns are told better by others, or say enough themselves."""
FEATURES: Final = tuple(f"feature_{number}" for number in range(6, 51))
"""What else mobile_attributes.tsv tells of a device: its screen, and formats that it can show."""
ADOBES: Final = words(
    """
    date_time userid user_hash sourceid service prev_page namespace homepage partner_plugins product_merchandising
    stats_server ip2 ua_color ua_os ua_pixels p_plugins plugins j_jscript javascript click_action click_action_type
    click_context click_context_type click_sourceid click_tag daily_visitor hourly_visitor weekly_visitor
    monthly_visitor quarterly_visitor yearly_visitor new_visit visid_new visid_timestamp visid_type sampled_hit
    secondary_hit truncated_hit last_hit_time_gmt first_hit_time_gmt curr_factor color c_color country
    java_enabled cookies persistent_cookie t_time_info code_ver
    """
)
"""What Adobe notes for itself, or tells a second time."""
IDENTITY: Final = words("post_visid_high post_visid_low visid_high visid_low hitid_high hitid_low mcvisid")
TIMES: Final = words("hit_time_gmt post_cust_hit_time_gmt cust_hit_time_gmt")


def moment() -> pl.Expr:
    """Return when it happened: the device's own time where the suite takes it, else that of Adobe's server."""
    return expr.unix(pl.coalesce(positive("cust_hit_time_gmt"), positive("hit_time_gmt")), "s")


def visitor() -> pl.Expr:
    """Return the visitor of Adobe's reports; without one, the Experience Cloud ID."""
    both = pl.concat_str([said("visid_high"), said("visid_low")], separator=":")
    return pl.coalesce(pl.when(both != "0:0").then(both), said("mcvisid"))


def user() -> pl.Expr:
    """Return the id in the column that `--user-id` names."""
    return expr.identifier(pl.col(inside(REST, USER)))


def event_name() -> pl.Expr:
    """Return what a hit is called by its kind; an app's hit has a name of a screen and no URL."""
    kind = pl.coalesce(said("page_event"), pl.lit("0"))
    url, name = said("page_url"), said("pagename")
    seen = pl.when(url.is_null() & name.is_not_null()).then(pl.lit("$screen")).otherwise(pl.lit("$pageview"))
    nothing = pl.when(url.is_null() & name.is_null()).then(pl.lit("Hit")).otherwise(seen)
    other = pl.coalesce(
        kind.replace_strict(KINDS, default=None, return_dtype=pl.String),
        pl.format("page_event {}", kind),
    )
    return pl.when(kind == "0").then(nothing).otherwise(other)


def dedup_key() -> pl.Expr:
    """Return the hit's two numbers; where the feed has them not, what tells a hit of a visit from others."""
    high, low = positive("hitid_high"), said("hitid_low")
    known = high.is_not_null() & low.is_not_null()
    row = (
        *(pl.col("_visitor"), pl.col("_time").dt.epoch("us")),
        *(
            said(name)
            for name in words("visit_num visit_start_time_gmt visit_page_num page_event page_url pagename")
        ),
        *(said(name) for name in words("page_event_var1 page_event_var2")),
        *(told("event_list", IDS), expr.canonical(pl.col(REST), where=~known)),
    )
    return pl.coalesce(
        expr.key(pl.lit("hit"), high, low, where=known), expr.key(pl.lit("row"), *row, where=~known)
    )


def session_id() -> pl.Expr:
    """Return `$session_id`, of the visit; a hit before its visit's start has none."""
    start = expr.unix(positive("visit_start_time_gmt"), "s")
    begun = pl.when((start <= pl.col("_time")) & pl.col("_visitor").is_not_null()).then(start.dt.epoch("ms"))
    return expr.session_id(begun, pl.col("_time"), pl.col("_visitor"), said("visit_num"))


def to_events(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the event each hit is; one without a visitor is of no one."""
    hits = rows.with_columns_seq(
        moment().alias("_time"), visitor().alias("_visitor"), event_name().alias("_event")
    ).with_columns_seq(dedup_key().alias("_key"))
    person = pl.coalesce(user(), pl.col("_visitor"))
    no_one = expr.id_of_no_one("adobe", pl.col("_time"), pl.col("_key"), where=person.is_null())
    kept = {
        "$process_person_profile": pl.when(person.is_null()).then(pl.lit(False)),
        "$device_id": pl.col("_visitor"),
        "$session_id": session_id(),
        "adobe_hit_id": pl.concat_str([positive("hitid_high"), said("hitid_low")], separator=":"),
        "adobe_mcvisid": said("mcvisid"),
        "adobe_visit_num": expr.integer(said("visit_num")),
        "adobe_visit_page_num": expr.integer(said("visit_page_num")),
    }
    lists = listed()
    return events.events(
        hits,
        event=pl.col("_event"),
        distinct_id=pl.coalesce(person, no_one),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_key"),
        laid=pl.col(PROPERTIES),
        properties=objects.text_with(lists, json=list(lists)),
        extra=page() | device() | place() | unexplained() | money() | kept,
    )


def to_links(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return whose visitors they are, by the hits that name both, and which of them have events of their own."""
    seen = links.linked(rows, anonymous=visitor(), identified=user(), time=moment(), why="seen together")
    alone = rows.filter(user().is_null())
    return links.concat([seen, links.own(alone, anonymous=visitor(), key=visitor())])


def bags(options: Options) -> dict[str, Bag]:
    """Return how lists are read, and the columns that no table declares."""
    others = Bag(read=reader(options.labels, options.user_id), keys=(USER,), drops=frozenset({USER}))
    return {**BAGS, REST: others}


def lookup(name: str) -> Table:
    """Return the table of a lookup."""
    return Table(
        name=name,
        columns=dict.fromkeys(MEANING, pl.String),
        matches=has(*MEANING),
        file=lambda file: file == name,
        to_events=events.none,
        lookup=Lookup(key=MEANING[0], files=[f"{name}.tsv"]),
        left_out=bool,
    )


def is_hits(columns: frozenset[str]) -> bool:
    """Return whether these are columns of hits."""
    visitor = bool(columns & {"visid_high", "post_visid_high", "mcvisid"})
    return visitor and "hit_time_gmt" in columns and bool(columns & {"post_page_event", "page_event"})


HITS: Final = Table(
    name="hits",
    columns=dict.fromkeys(COLUMNS, pl.String),
    matches=is_hits,
    to_events=to_events,
    to_links=to_links,
    tells_own=True,
    link_columns=(
        *words("post_visid_high post_visid_low visid_high visid_low mcvisid"),
        *TIMES,
        inside(REST, USER),
    ),
    ids=IDENTITY,
    times=TIMES,
    joins={
        **{name: Join(table=name, on=column, columns=MEANING[1:]) for name, column in LOOKUPS.items()},
        DEVICES: Join(table=DEVICES, on="mobile_id", columns=DEVICE[1:]),
        **JOINS,
    },
    bags=bags,
    properties=(REST,),
    nulls=("::empty::", "::hash::0"),
    filters={
        "excluded": said("exclude_hit") != "0",
        "not_seen": said("customer_perspective") != "0",
        "summaries": said("hit_source").is_in(["5", "7", "8", "9"]),
    },
    dropped=frozenset(name for one in ADOBES for name in (one, f"post_{one}")),
)
NOTES: Final = Table(
    name="manifest",
    columns={},
    matches=lambda columns: any(name.startswith("datafeed-manifest-version") for name in columns),
    to_events=events.none,
    filters={"notes_only": EVERY_ROW},
)
"""What a delivery says of its files."""
MAPPING: Final = Platform(
    title="Adobe Analytics",
    options=frozenset({"--labels", "--user-id"}),
    reads="the data feed: hit_data.tsv and its parts, with column_headers.tsv and the lookups, as they are delivered",
    headerless=[
        Headerless(
            columns=MEANING,
            files=[f"{name}.tsv" for name in (*LOOKUPS, EVENTS, *OTHERS)],
            dialect="clickhouse",
            encoding="latin-1",
        ),
        Headerless(
            columns=(*DEVICE, *FEATURES),
            files=[f"{DEVICES}.tsv"],
            dialect="clickhouse",
            encoding="latin-1",
        ),
        Headerless(
            header_file="column_headers.tsv",
            files=["hit_data.tsv", "*-*_*.tsv"],
            dialect="clickhouse",
            encoding="latin-1",
        ),
    ],
    tables=[
        *(lookup(name) for name in (*LOOKUPS, EVENTS, *OTHERS)),
        Table(
            name=DEVICES,
            columns=dict.fromkeys(DEVICE, pl.String),
            matches=has(*DEVICE),
            to_events=events.none,
            lookup=Lookup(key="mobile_id", files=[f"{DEVICES}.tsv"]),
            dropped=frozenset(FEATURES),
            left_out=bool,
        ),
        HITS,
        NOTES,
    ],
)
