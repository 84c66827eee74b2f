"""Kissmetrics: the data export to S3, `revisions/<n>.json`, one JSON object a line.

`_n` is the name of an event, `_p` an identity, `_p2` another one of the same person, `_t` whole seconds of UTC since
1970; all other keys are properties. A row without `_n` sets properties of a person; one with `_p2` is an alias
(https://support.kissmetrics.io/docs/data-export, https://support.kissmetrics.io/docs/json-files-as-an-external-data-source-1,
https://support.kissmetrics.io/docs/identities, https://oldsupport.kissmetrics.com/apis/javascript/javascript-settings;
exported rows in github.com/HouseTrip/km-db, km-bgh/revisions; all read 2026-11-29).

* Rows have no id. Two that say the same, in one file, are two events.
* What the export writes is in lower case, whatever was sent: `page view`, `viewed url`.
* Anonymous ids are 20 bytes as Base64: 27 characters and `=`. The library of the web writes the alias of a login with
  the anonymous id as `_p` and the user's as `_p2`.
* `index.csv` and `status.csv` lie beside the revisions and say what is in them.
"""

from typing import Final

import polars as pl

from migrate.kit import events, expr, links, values
from migrate.kit.declare import EVERY_ROW, OWN, PROPERTIES, REST, Bag, Options, Platform, Table, has, inside

NAMES: Final = {"page view": "$pageview"}
AUTOMATIC: Final = ("page view", "visited site", "search engine hit", "ad campaign hit")
"""Events of the web library itself, whose addresses are those of the page; elsewhere `url` is the caller's own."""
PAGE: Final = {"address": ("viewed url", "Viewed URL", "url", "URL"), "referrer": ("referrer", "Referrer")}
CAMPAIGN: Final = {
    "utm_source": ("campaign source", "Campaign Source"),
    "utm_medium": ("campaign medium", "Campaign Medium"),
    "utm_campaign": ("campaign name", "Campaign Name"),
    "utm_content": ("campaign content", "Campaign Content"),
    "utm_term": ("campaign terms", "Campaign Terms"),
}
"""Parameters of a campaign, and the properties that the web library keeps them in."""
NO_REFERRER: Final = ("Direct", "direct")
_GENERATED: Final = r"^[A-Za-z0-9+/]{27}=$"


def name() -> pl.Expr:
    """Return the name of a row's event, null where it is none."""
    return expr.stripped(pl.col("_n"))


def time() -> pl.Expr:
    """Return when it happened."""
    return expr.unix(pl.col("_t"), "s")


def told(names: tuple[str, ...]) -> pl.Expr:
    """Return the first of these properties as text."""
    return expr.first(*(pl.col(inside(REST, one)) for one in names))


def page() -> dict[str, pl.Expr]:
    """Return where an event of the web library happened, from where its person came, and by which campaign."""
    automatic = pl.when(name().str.to_lowercase().is_in(AUTOMATIC))
    address = automatic.then(told(PAGE["address"]))
    referrer = automatic.then(values.known(told(PAGE["referrer"]), *NO_REFERRER))
    found = values.campaign(address)
    own = {parameter: automatic.then(told(names)) for parameter, names in CAMPAIGN.items()}
    return {
        **values.page(address, referrer=referrer),
        **{parameter: pl.coalesce(own.get(parameter, value), value) for parameter, value in found.items()},
    }


def dedup_key() -> pl.Expr:
    """Return all that a row says."""
    seconds = time().dt.epoch("us")
    return expr.key(pl.lit("row"), name(), pl.col("_p"), seconds, expr.canonical(pl.col(REST)))


def to_events(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the event of each row that names one, and a `$set` of each that sets properties of its person."""
    happened = pl.when(name().is_not_null())
    told_of = pl.when(pl.col(REST).is_not_null()).then(pl.lit("$set"))
    return events.events(
        rows.with_columns_seq(happened.then(pl.col(column)).alias(column) for column in (PROPERTIES, OWN)),
        event=pl.coalesce(expr.lookup(name(), NAMES), told_of),
        distinct_id=expr.stripped(pl.col("_p")),
        timestamp=time(),
        dedup_key=dedup_key(),
        laid=pl.col(PROPERTIES),
        extra=page(),
        set=pl.when(name().is_null()).then(pl.col(REST)),
    )


def to_links(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the links of alias rows: both ids are one person, who is known by the one that no library made up.

    Where neither or both look made up it is `_p2`, as the web library writes it.
    """
    one, other = values.linkable("_p"), values.linkable("_p2")
    turned = other.str.contains(_GENERATED) & ~one.str.contains(_GENERATED)
    before, user = pl.when(turned).then(other).otherwise(one), pl.when(turned).then(one).otherwise(other)
    aliased = rows.filter(one.is_not_null() & (one != other))
    same = links.same(aliased, one=before, other=user, time=time(), why="alias")
    return links.concat([same, links.identified(aliased, user, why="alias")])


def only_identity() -> pl.Expr:
    """Return whether a row only links two ids."""
    return name().is_null() & pl.col("_p2").is_not_null() & pl.col(REST).is_null()


NOTES: Final = Table(
    name="index",
    columns={},
    matches=has("filename", "min_timestamp", "max_timestamp"),
    to_events=events.none,
    filters={"notes_only": EVERY_ROW},
    left_out=bool,
)
"""What the export writes about itself."""
MAPPING: Final = Platform(
    title="Kissmetrics",
    reads="the data export to S3 as JSON lines (revisions/<n>.json)",
    tables=[
        Table(
            name="events",
            columns=dict.fromkeys(("_n", "_p", "_p2", "_t"), pl.String),
            matches=has("_p", "_t"),
            to_events=to_events,
            to_links=to_links,
            link_columns=("_p", "_p2", "_t"),
            times=("_t",),
            ids=("_p", "_p2"),
            bags={REST: Bag(keys=[key for names in (*PAGE.values(), *CAMPAIGN.values()) for key in names])},
            properties=(REST,),
            ordinals=True,
            filters={"identity_only": only_identity()},
        ),
        NOTES,
        Table(
            name="status",
            columns={},
            matches=lambda columns: any(one.replace(" ", "_") == "total_revisions" for one in columns),
            to_events=events.none,
            filters={"notes_only": EVERY_ROW},
            left_out=bool,
        ),
    ],
)
