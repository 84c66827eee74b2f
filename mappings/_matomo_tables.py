"""Matomo's tables: actions and conversions, joined with visits, with what actions name, with sites, goals and products.

`log_link_visit_action` has a row for each action, `log_conversion` for each goal that was reached, each order and each
cart. Each of the two is read in two ways: as it is, with `log_visit`, `log_action` and `site` held in memory beside it,
or joined beforehand, with a column for each that a join would have found, of the same name.
"""

from typing import Final

import polars as pl

from mappings import _matomo_columns as columns
from mappings._matomo_actions import OURS
from mappings._matomo_columns import VISIT, joined
from mappings._matomo_events import CONTENT, made
from mappings._matomo_rest import ITEM, RENAME, rest
from migrate.kit import events, expr, links, objects
from migrate.kit.declare import (
    EVERY_ROW,
    REST,
    Bag,
    Join,
    Lookup,
    Options,
    Table,
    ToFrame,
    has,
    inside,
    words,
)

NULLS: Final = ("NULL",)
QUERY: Final = (
    "join it in SQL before the export, as docs/platforms/matomo.md says how, and leave the file out"
)
NAMED: Final = {
    "url": "idaction_url",
    "title": "idaction_name",
    **{
        name: f"idaction_{name}"
        for name in words(
            "event_category event_action content_name content_piece content_target content_interaction product_sku"
            " product_name product_cat product_cat2 product_cat3 product_cat4 product_cat5"
        )
    },
}
"""What an action names -> the column that holds its number."""
OF_ADDRESSES: Final = {"url": ("name", "type", "url_prefix"), "title": ("name", "type")}
ACTION: Final = (
    *words(
        "idlink_va idsite idvisitor idvisit server_time idpageview pageview_position custom_float search_cat"
    ),
    *words("search_count product_price"),
    *columns.TIMINGS,
)
CONVERSION: Final = (
    *words(
        "idvisit idsite idvisitor server_time idlink_va idgoal idorder items url revenue revenue_subtotal"
    ),
    *words("revenue_tax revenue_shipping revenue_discount"),
    *columns.COPIED,
)
ITEMS: Final = words("sku name category category2 category3 category4 category5")


def _visits(*, on: str = "idvisit") -> dict[str, Join]:
    """Return the joins that say whose a row is, and of which site."""
    return {
        "visit": Join(table="log_visit", on=on, columns=VISIT, required=True),
        "site": Join(table="site", on="idsite", columns=("name", "currency")),
    }


def _named(join: str, on: str) -> Join:
    """Return the join that finds what an action names; Matomo writes 0 where it names nothing."""
    found = OF_ADDRESSES.get(join, ("name",))
    return Join(table="log_action", on=on, columns=found, required=True, nothing=("0",))


ACTION_JOINS: Final = _visits() | {join: _named(join, on) for join, on in NAMED.items()}
ITEM_JOINS: Final = {join: _named(join, f"idaction_{join}") for join in ITEMS}
LINKS: Final = tuple(inside("visit", one) for one in ("idvisitor", "user_id", "visit_first_action_time"))


def _found(joins: dict[str, Join]) -> tuple[str, ...]:
    """Return what joins find, as columns of a table that was joined beforehand."""
    return tuple(inside(name, column) for name, join in joins.items() for column in join.columns)


def _ours(named: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    return {OURS + name: value for name, value in (columns.of_visit() | named).items()}


def actions(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the event each action is."""
    live = columns.visit_columns(conversion=False) | columns.action_columns(columns.action_fields())
    known = rows.with_columns_seq(value.alias(name) for name, value in live.items())
    return made(known, extra=_ours(columns.of_action()), laid=columns.laid(conversion=False))


def conversions(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the event each conversion is."""
    live = columns.visit_columns(conversion=True) | columns.action_columns(columns.conversion_fields())
    known = rows.with_columns_seq(value.alias(name) for name, value in live.items())
    return made(known, extra=_ours(columns.of_conversion()), laid=columns.laid(conversion=True))


def seen(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return which browsers a user was seen in, as the Live API's visits tell it."""
    time = expr.timestamp(joined("visit", "visit_first_action_time"))
    user = expr.identifier(joined("visit", "user_id"))
    return links.linked(rows, anonymous=columns.visitor(), identified=user, time=time, why="seen together")


def goal_key() -> pl.Expr:
    """Return under which key a goal's name is told: its number counts from 1 in each site."""
    return links.key(
        "goal", pl.format("{} {}", expr.stripped(pl.col("idsite")), expr.stripped(pl.col("idgoal")))
    )


def site_key() -> pl.Expr:
    """Return under which key the dimensions of a site are told."""
    return links.key("dimensions", expr.stripped(pl.col("idsite")))


def dimensions(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the numbers of a site's dimensions, by scope and column."""
    name = pl.format("{} {}", expr.stripped(pl.col("scope")), expr.stripped(pl.col("index")))
    number = expr.stripped(pl.col("idcustomdimension"))
    return links.recoveries(rows, key=site_key(), name=name, value=number)


def order_key(order: pl.Expr) -> pl.Expr:
    """Return under which key the products of an order are told."""
    return links.key("order", pl.format("{} {}", expr.stripped(pl.col("idvisit")), order))


def goals(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what goals are called."""
    return links.recoveries(
        rows, key=goal_key(), name=pl.lit("goal_name"), value=expr.stripped(pl.col("name"))
    )


def items(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the products of orders and carts, each as the Live API has it; those taken out again are none."""
    all_of = pl.concat_list(expr.stripped(joined(one)) for one in ITEMS[2:]).list.drop_nulls()
    told = objects.text(
        {
            "itemSKU": joined("sku"),
            "itemName": joined("name"),
            "itemCategory": joined("category"),
            "price": expr.number(pl.col("price")),
            "quantity": expr.integer(pl.col("quantity")),
            "categories": all_of,
        }
    )
    stays = expr.integer(pl.col("deleted")).fill_null(0) == 0
    number = expr.stripped(pl.col("idaction_sku")).str.zfill(12)
    key = order_key(expr.stripped(pl.col("idorder")))
    return links.recoveries(rows, key=key, name=pl.lit(ITEM) + number, value=pl.when(stays).then(told))


def _of_order() -> pl.Expr:
    """Return the number of a conversion's order; that of a cart is 0."""
    order = pl.when(columns.conversion_kind() == "ecommerceOrder").then(expr.stripped(pl.col("idorder")))
    return pl.when(columns.conversion_kind() == "ecommerceAbandonedCart").then(pl.lit("0")).otherwise(order)


def _actions(name: str, flat: frozenset[str]) -> Table:
    """Return the table of actions, of which some joins were made beforehand."""
    return Table(
        name=name,
        columns=dict.fromkeys((*ACTION, *NAMED.values(), *(_found(ACTION_JOINS) if flat else ())), pl.String),
        matches=has("idlink_va", "idvisit", "server_time", *(flat or {"idaction_url"})),
        to_events=actions,
        to_links=seen,
        joins={} if flat else ACTION_JOINS,
        recover=site_key(),
        link_columns=("idvisit", "idvisitor", *LINKS),
        ids=("idlink_va", "idsite", "idvisit", "idvisitor", *(LINKS[:2] if flat else ())),
        times=("server_time",),
        bags={REST: Bag(read=rest)},
        properties=(REST,),
        rename=RENAME,
        nulls=NULLS,
        filters={
            "content_impressions": columns.kind().is_in(CONTENT) & joined("content_interaction").is_null()
        },
        dropped=frozenset(("idaction_url_ref", "idaction_name_ref")),
    )


def _conversions(name: str, flat: frozenset[str]) -> Table:
    """Return the table of conversions, of which some joins were made beforehand."""
    return Table(
        name=name,
        columns=dict.fromkeys((*CONVERSION, *(_found(_visits()) if flat else ())), pl.String),
        matches=has("idvisit", "idgoal", "server_time", "idsite", *flat),
        to_events=conversions,
        to_links=seen,
        joins={} if flat else _visits(),
        recover=(goal_key(), order_key(_of_order()), site_key()),
        link_columns=("idvisit", "idvisitor", *LINKS),
        ids=("idlink_va", "idsite", "idvisit", "idvisitor", "idorder", *(LINKS[:2] if flat else ())),
        times=("server_time",),
        bags={REST: Bag(read=rest)},
        properties=(REST,),
        nulls=NULLS,
        dropped=frozenset(
            words(
                "buster idaction_url visitor_days_since_first visitor_days_since_order visitor_returning"
                " visitor_count_visits visitor_seconds_since_first visitor_seconds_since_order"
                " config_client_type config_browser_engine"
            )
        ),
    )


def _items(name: str, flat: frozenset[str]) -> Table:
    """Return the table of products in orders, of which some joins were made beforehand."""
    ids = () if flat else tuple(join.on for join in ITEM_JOINS.values())
    own = tuple(dict.fromkeys((*words("idvisit idorder idaction_sku price quantity deleted"), *ids)))
    found = _found(ITEM_JOINS)
    return Table(
        name=name,
        columns=dict.fromkeys((*own, *(found if flat else ())), pl.String),
        matches=has("idorder", "idvisit", "quantity", "price", *flat),
        to_events=events.none,
        to_recoveries=items,
        joins={} if flat else ITEM_JOINS,
        link_columns=(*own, *found),
        nulls=NULLS,
        filters={"told_of_its_order": EVERY_ROW},
        left_out=bool,
    )


def _lookup(name: str, key: str, told: tuple[str, ...], of: frozenset[str]) -> Table:
    """Return a table that others are joined with; its name may begin with that of the installation."""
    files = (f"{name}.*", f"{name}[-_0-9]*", f"*[._-]{name}.*", f"*[._-]{name}[-_0-9]*")
    return Table(
        name=name,
        columns=dict.fromkeys(dict.fromkeys((key, *told)), pl.String),
        matches=has(key, *of),
        to_events=events.none,
        lookup=Lookup(key=key, files=files, otherwise=QUERY),
        nulls=NULLS,
    )


def _told(name: str, own: tuple[str, ...], to_recoveries: ToFrame, rule: str) -> Table:
    """Return a table whose rows tell of rows of others, found by more than one column."""
    return Table(
        name=name,
        columns=dict.fromkeys(own, pl.String),
        matches=has(*own),
        to_events=events.none,
        to_recoveries=to_recoveries,
        nulls=NULLS,
        filters={rule: EVERY_ROW},
        left_out=bool,
    )


TABLES: Final = (
    _actions("joined_actions", frozenset(("visit.idvisitor", "url.name"))),
    _conversions("joined_conversions", frozenset(("visit.idvisitor",))),
    _items("joined_items", frozenset(("sku.name",))),
    _conversions("log_conversion", frozenset()),
    _items("log_conversion_item", frozenset()),
    _actions("log_link_visit_action", frozenset()),
    _lookup("log_visit", "idvisit", VISIT, frozenset(("idvisitor", "visit_first_action_time"))),
    _lookup("log_action", "idaction", ("name", "type", "url_prefix"), frozenset(("name", "type"))),
    _lookup("site", "idsite", ("name", "currency"), frozenset(("name", "currency"))),
    _told("goal", ("idsite", "idgoal", "name"), goals, "told_of_its_conversions"),
    _told(
        "custom_dimensions", ("idcustomdimension", "idsite", "index", "scope"), dimensions, "told_of_its_site"
    ),
)
