"""Matomo (formerly Piwik): visits with their actions, as JSON of the HTTP API `Live.getLastVisitsDetails`.

A record is a visit, and each of its `actionDetails` an event; numbers are numbers or texts at random, words that are
made for a screen are in the language of whoever asked (plugins/Live, plugins/Actions and plugins/Goals of
github.com/matomo-org/matomo, and its test expectations of this method, read 2026-11-29).

* An action's `timestamp` is not UTC, but the site's wall clock: see `_matomo_times`.
* A visit is `idSite` and `idVisit`; an action `pageId`, a goal its number and its page, an order its `orderId`.
* Who logs in has a `userId`, and `visitorId` from then on is made of it, unless Matomo was told otherwise.
* The CSV of the same method has a column for each field of each action, and is refused.
* Matomo's tables are joined here, and become the same events (`_matomo_tables`).
"""

from typing import Final

import polars as pl

from mappings._matomo_actions import OURS, action, others, snake, variables
from mappings._matomo_events import CONTENT, NAMES, made, nobody, user, visitor
from mappings._matomo_properties import GONE, LOOKED_AT, UTM, is_, of
from mappings._matomo_tables import TABLES
from mappings._matomo_times import happened
from migrate.kit import events, expr, links
from migrate.kit.declare import REST, Bag, Options, Platform, Table, has, inside, words

__all__ = ("MAPPING", "NAMES")
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


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each action is."""
    first, last = seconds("firstActionTimestamp"), seconds("lastActionTimestamp")
    clocks = pl.col("serverTimePrettyFirstAction"), pl.col("serverTimePretty")
    known = rows.with_columns_seq(
        happened(expr.integer(of("timestamp")), first, last, options, *clocks).alias("_time"),
        first.alias("_first"),
    )
    return made(known)


def to_links(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return which browsers a user was seen in."""
    time = expr.unix(expr.stripped(pl.col("firstActionTimestamp")), "s")
    return links.linked(rows, anonymous=visitor(), identified=user(), time=time, why="seen together")


MAPPING: Final = Platform(
    title="Matomo",
    reads="visits with their actions, as JSON of the API's Live.getLastVisitsDetails; log tables of the database",
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
        *TABLES,
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
