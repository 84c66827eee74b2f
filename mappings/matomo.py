"""Matomo (formerly Piwik): visits with their actions, as JSON of the HTTP API `Live.getLastVisitsDetails`.

A record is a visit, and each of its `actionDetails` an event; numbers are numbers or texts at random, words that are
made for a screen are in the language of whoever asked (plugins/Live, plugins/Actions and plugins/Goals of
github.com/matomo-org/matomo, and its test expectations of this method, read 2026-11-29).

* An action's `timestamp` is not UTC, but the site's wall clock: see `_matomo_times`.
* A visit is `idSite` and `idVisit`; an action `pageId`, a goal its number and its page, an order its `orderId`.
* Who logs in has a `userId`, and `visitorId` from then on is made of it, unless Matomo was told otherwise.
* The CSV of the same method has a column for each field of each action, and is refused.
"""

from typing import Final

import polars as pl

from mappings._matomo_actions import OURS, action, others, snake, variables
from mappings._matomo_properties import (
    GONE,
    LOOKED_AT,
    UTM,
    came,
    hardware,
    is_,
    money,
    of,
    page,
    place,
    visit,
)
from mappings._matomo_times import happened
from migrate.kit import events, expr, links
from migrate.kit.declare import POSITION, PROPERTIES, REST, Bag, Options, Platform, Table, has, inside, words

NAMES: Final = {
    "action": "$pageview",
    "search": "site_search",
    "ecommerceOrder": "Order Completed",
    "ecommerceAbandonedCart": "Cart Abandoned",
}
CONTENT: Final = ("13", "content")
COLUMNS: Final = words(
    "idSite idVisit visitIp visitorId userId fingerprint firstActionTimestamp lastActionTimestamp serverTimePretty"
    " serverTimePrettyFirstAction actionDetails customVariables siteCurrency referrerType referrerName referrerKeyword"
    " referrerUrl languageCode deviceType deviceTypeIcon deviceBrand deviceModel operatingSystemName"
    " operatingSystemCode operatingSystemVersion browserName browserCode browserVersion continentCode countryCode"
    " region regionCode city latitude longitude resolution"
)
DROPPED: Final = frozenset(
    words(
        "lastActionDateTime serverDate serverTimestamp visitServerHour serverDatePretty serverDatePrettyFirstAction"
        " actions interactions searches events referrerTypeName browser browserFamily browserFamilyDescription"
        " operatingSystem language continent country location visitLocalHour goalConversions plugins pluginsIcons"
        " siteCurrencySymbol visitorTypeIcon visitConvertedIcon visitEcommerceStatusIcon visitDurationPretty"
        " referrerSearchEngineIcon operatingSystemIcon browserIcon countryFlag deviceBrandIcon"
    )
)
"""Sums of the actions, clocks of the server, pictures, and words for what has a code."""
RENAME: Final = {
    name: OURS + snake(name)
    for name in words(
        "siteName visitorType visitCount visitDuration visitConverted visitEcommerceStatus visitLocalTime"
        " daysSinceFirstVisit daysSinceLastVisit daysSinceLastEcommerceOrder secondsSinceFirstVisit"
        " secondsSinceLastVisit secondsSinceLastEcommerceOrder totalEcommerceRevenue totalEcommerceConversions"
        " totalEcommerceItems totalAbandonedCarts totalAbandonedCartsRevenue totalAbandonedCartsItems"
        " referrerKeywordPosition referrerSearchEngineUrl referrerSocialNetworkUrl provider providerName providerUrl"
        " truncatedActionsCount"
    )
}


def seconds(name: str) -> pl.Expr:
    """Return a time of the visit, a number of seconds, UTC."""
    return expr.integer(pl.col(name))


def user() -> pl.Expr:
    """Return the id that the site gave the user."""
    return visit("userId")


def visitor() -> pl.Expr:
    """Return which browser it was; a token without rights to see it gets `false`."""
    return visit("visitorId")


def nobody() -> pl.Expr:
    """Return whether a visit has no id."""
    return user().is_null() & visitor().is_null()


def single() -> pl.Expr:
    """Return an id for a visit that has none, which is nobody's but its own."""
    return pl.when(nobody()).then(pl.format("matomo-visit-{}-{}", pl.col("idSite"), pl.col("idVisit")))


def name() -> pl.Expr:
    """Return what an action is called: an event by category and action, a goal by its name."""
    event = pl.concat_str(of("event_category"), of("event_action"), separator=": ", ignore_nulls=True)
    shown = pl.when(of("content_interaction").is_null()).then(pl.lit("content_impression"))
    return (
        pl.when(is_("event"))
        .then(event)
        .when(is_("goal"))
        .then(pl.concat_str(pl.lit("goal: "), pl.coalesce(of("goal_name"), of("goal_id"))))
        .when(is_(*CONTENT))
        .then(shown.otherwise(pl.lit("content_interaction")))
        .otherwise(expr.lookup(of("type"), NAMES))
    )


def dedup_key() -> pl.Expr:
    """Return what makes an action one: its visit, its type and its number; without one, its place and all it says."""
    numbers = [of(one) for one in ("page_id", "goal_id", "goal_page_id", "order_id")]
    without = pl.all_horizontal(one.is_null() for one in numbers) & ~is_("ecommerceAbandonedCart")
    of_visit = [pl.col("idSite"), pl.col("idVisit"), of("type")]
    said = expr.canonical(pl.col("actionDetails"), where=without)
    return pl.coalesce(
        expr.key(*of_visit, *numbers, where=~without),
        expr.key(pl.lit("row"), *of_visit, pl.col(POSITION), said, where=without),
    )


def kept() -> dict[str, pl.Expr]:
    """Return the session, and what is called after Matomo; a visit of no one makes no person."""
    start = pl.col("_first") * expr.SECOND_MS
    session = expr.session_id(start, pl.col("_time"), pl.col("idSite"), pl.col("idVisit"))
    return {
        "$session_id": session,
        "matomo_site": expr.stripped(pl.col("idSite")),
        "matomo_visit": expr.stripped(pl.col("idVisit")),
        "matomo_fingerprint": visit("fingerprint"),
        "matomo_referrer_type": visit("referrerType"),
        "matomo_referrer_name": visit("referrerName"),
        "matomo_referrer_keyword": visit("referrerKeyword"),
        "$process_person_profile": pl.when(nobody()).then(pl.lit(False)),
    }


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each action is."""
    first, last = seconds("firstActionTimestamp"), seconds("lastActionTimestamp")
    clocks = pl.col("serverTimePrettyFirstAction"), pl.col("serverTimePretty")
    known = rows.with_columns_seq(
        happened(expr.integer(of("timestamp")), first, last, options, *clocks).alias("_time"),
        first.alias("_first"),
    )
    return events.events(
        known,
        event=name(),
        distinct_id=pl.coalesce(user(), visitor(), single()),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(),
        laid=pl.col(PROPERTIES),
        extra=page() | came() | hardware() | place() | money() | kept(),
    )


def to_links(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return which browsers a user was seen in."""
    time = expr.unix(expr.stripped(pl.col("firstActionTimestamp")), "s")
    return links.linked(rows, anonymous=visitor(), identified=user(), time=time, why="seen together")


MAPPING: Final = Platform(
    title="Matomo",
    reads="visits with their actions, as JSON of the API's Live.getLastVisitsDetails",
    tables=[
        Table(
            name="visits",
            columns=dict.fromkeys((*COLUMNS, *UTM.values()), pl.String),
            matches=has("idVisit", "actionDetails"),
            unfold="actionDetails",
            to_events=to_events,
            to_links=to_links,
            link_columns=("visitorId", "userId", "firstActionTimestamp"),
            ids=("idSite", "idVisit", "visitorId", "userId", "fingerprint"),
            times=(inside("actionDetails", f"{OURS}timestamp"),),
            bags={
                "actionDetails": Bag(
                    read=action,
                    keys=["url", "pageTitle", *(OURS + one for one in LOOKED_AT)],
                    drops=frozenset(("url", "pageTitle", *(OURS + one for one in GONE))),
                ),
                "customVariables": Bag(read=variables),
                REST: Bag(read=others),
            },
            properties=("actionDetails", "customVariables", REST),
            rename=RENAME,
            filters={
                "without_actions": pl.col("actionDetails").is_null(),
                "content_impressions": is_(*CONTENT) & of("content_interaction").is_null(),
            },
            warnings={"without_ids": nobody()},
            dropped=DROPPED,
        ),
        Table(
            name="flat_visits",
            columns={},
            matches=lambda columns: "idvisit" in columns and "visitip" in columns,
            to_events=events.none,
            refusal="this is the visits log as CSV or TSV, which has a column for each field of each action, or none of"
            " them; export it as JSON, with format=JSON of Live.getLastVisitsDetails",
        ),
        Table(
            name="log_tables",
            columns={},
            matches=lambda columns: "idvisit" in columns and bool(columns & {"idvisitor", "idlink_va"}),
            to_events=events.none,
            refusal="this is a table of Matomo's database, which this tool does not join yet; export the visits with"
            " their actions as JSON, with format=JSON of Live.getLastVisitsDetails",
        ),
        Table(
            name="report",
            columns={},
            matches=lambda columns: "nb_visits" in columns,
            to_events=events.none,
            refusal="this is a report saved from Matomo: it holds counts, not events; export the visits with their"
            " actions instead, with format=JSON of Live.getLastVisitsDetails",
        ),
    ],
)
