"""What an Adobe hit tells in lists: its events, its products, and what was earned with them."""

from typing import Final

import polars as pl

from mappings._adobe_columns import EVENTS, MEANING, positive, said
from mappings._adobe_lists import (
    IDS,
    NUMBERS,
    PRODUCTS,
    REVENUE,
    SERIALS,
    VALUES,
    event_list,
    names,
    product_list,
)
from migrate.kit import expr
from migrate.kit.declare import Bag, Join, inside

BAGS: Final = {
    **dict.fromkeys(
        ("post_event_list", "event_list"), Bag(read=event_list, keys=(IDS, NUMBERS, VALUES, SERIALS))
    ),
    **dict.fromkeys(("post_product_list", "product_list"), Bag(read=product_list, keys=(PRODUCTS, REVENUE))),
}
JOINS: Final = {
    f"{twin}{EVENTS}": Join(
        table=EVENTS, on=inside(f"{twin}event_list", IDS), columns=MEANING[1:], several=","
    )
    for twin in ("post_", "")
}


def told(column: str, key: str) -> pl.Expr:
    """Return what the reader has found in a list: of twins in the one that counts, if it holds anything, alone."""
    counts, mark = f"post_{column}", IDS if column == "event_list" else PRODUCTS
    return (
        pl.when(pl.col(inside(counts, mark)).is_null())
        .then(pl.col(inside(column, key)))
        .otherwise(pl.col(inside(counts, key)))
    )


def listed() -> dict[str, pl.Expr]:
    """Return the events and products of a hit, as JSON."""
    known = (
        pl.when(pl.col(inside("post_event_list", IDS)).is_null())
        .then(pl.col(inside(EVENTS, MEANING[1])))
        .otherwise(pl.col(inside(f"post_{EVENTS}", MEANING[1])))
    )
    return {
        "adobe_event_ids": told("event_list", NUMBERS),
        "adobe_events": expr.each(known, names),
        "adobe_event_values": told("event_list", VALUES),
        "adobe_event_serials": told("event_list", SERIALS),
        "products": told("product_list", PRODUCTS),
    }


def money() -> dict[str, pl.Expr]:
    """Return what was earned: only of a purchase, and not of one that Adobe has seen before."""
    ids = told("event_list", IDS)
    bought = ids.str.contains(r"(^|,)1(,|$)").fill_null(value=False)
    again = positive("duplicate_purchase").is_not_null()
    return {
        "revenue": pl.when(bought & ~again).then(expr.number(told("product_list", REVENUE))),
        "adobe_currency": said("currency"),
        "adobe_purchase_id": said("purchaseid"),
        "transaction_id": said("transactionid"),
        "adobe_duplicate_purchase": pl.when(again).then(pl.lit(True)),
    }
