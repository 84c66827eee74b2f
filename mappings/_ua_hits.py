"""The hits of a session of Universal Analytics, each as one flat object of properties.

A record's fields are `ua_<record>_<field>` in snake case (`eventInfo.eventCategory` is `ua_event_category`), custom
dimensions and metrics `ua_dimension_<index>` and `ua_metric_<index>`. What Google writes for nothing is nothing. Money
comes in millionths, and is divided digit by digit, since a float would not hold it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from migrate.kit import cells, nulls
from migrate.kit.cells import Json

OURS: Final = "ua_"
NOTHING: Final = frozenset((*nulls.NOTHING, "(entrance)"))
MONEY: Final = frozenset(
    (
        *("transactionRevenue", "transactionTax", "transactionShipping", "itemRevenue", "refundAmount"),
        *("localTransactionRevenue", "localTransactionTax", "localTransactionShipping", "localItemRevenue"),
        *("localRefundAmount", "productRevenue", "localProductRevenue", "productPrice", "localProductPrice"),
        *("productRefundAmount", "localProductRefundAmount"),
    )
)
"""Fields that hold millionths."""
NUMBERS: Final = frozenset(
    (
        *(
            "hitNumber",
            "eventValue",
            "itemQuantity",
            "productQuantity",
            "productListPosition",
            "step",
            "screenDepth",
        ),
        *("userTimingValue", "userTimingSample", "pageLoadTime", "pageLoadSample"),
    )
)
"""Whole numbers, which BigQuery writes as text in JSON alone."""
GONE: Final = frozenset(
    (
        *("hour", "minute", "pagePathLevel1", "pagePathLevel2", "pagePathLevel3", "pagePathLevel4"),
        *(
            "socialInteractions",
            "uniqueSocialInteractions",
            "hasSocialSourceReferral",
            "exceptions",
            "fatalExceptions",
        ),
    )
)
"""The view's clock, and what only says again what stands beside it."""
RECORDS: Final = {
    "eCommerceAction": "ecommerce",
    "eventInfo": "event",
    "appInfo": "app",
    "exceptionInfo": "exception",
}
LISTS: Final = {"customDimensions": "dimension", "customMetrics": "metric"}
ACTIONS: Final = dict(
    enumerate(("click", "detail", "add", "remove", "checkout", "purchase", "refund", "checkout_option"), 1)
)
"""`eCommerceAction.action_type` in words."""
_DIGITS: Final = re.compile(r"-?\d{1,15}\Z")
_BORDER: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def hit(text: str) -> str | None:
    """Return a hit as one flat object; raises one of `cells.FAILURES` where a list in it is none."""
    given = cells.value_of(text)
    products = given.pop("product", None) or []
    told = dict(_flat(given))
    action = told.pop(f"{OURS}ecommerce_action_type", None)
    if action in {None, "0", 0}:
        told.pop(f"{OURS}ecommerce_step", None)
    else:
        told[f"{OURS}ecommerce_action"] = ACTIONS.get(int(action), action)
    shown = [_product(one) for one in products if one.get("isImpression")]
    others = [_product(one) for one in products if not one.get("isImpression")]
    told |= {"products": others} if others else {}
    told |= {f"{OURS}product_impressions": shown} if shown else {}
    return _text(told)


def session(text: str) -> str | None:
    """Return a session's custom dimensions, which stand in a list."""
    return _text(dict(_indexed("dimension", cells.value_of(text) or [])))


def record(name: str, known: Sequence[str]) -> Callable[[str], str | None]:
    """Return what reads a record of the session: `known` fields keep their names, others are `ua_<name>_<field>`."""

    def read(text: str) -> str | None:
        given = cells.value_of(text) or {}
        plain = {field: given.pop(field) for field in known if field in given}
        told = {field: value for field, value in plain.items() if _says(value)}
        return _text(told | dict(_flat(given, name)))

    return read


def _flat(given: dict[str, Any], parent: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a record, and of the records in it, that say something."""
    for field, value in given.items():
        if (
            field in GONE
            or value is None
            or value in ({}, [])
            or (isinstance(value, str) and value in NOTHING)
        ):
            continue
        if field in LISTS and isinstance(value, list):
            yield from _indexed(LISTS[field], value)
        elif isinstance(value, dict):
            yield from _flat(value, RECORDS.get(field, snake(field)))
        else:
            yield _named(parent, snake(field)), _amount(field, value)


def _amount(field: str, value: object) -> object:
    """Return a field's value, a number as the number that it is."""
    if field in MONEY:
        return divided(value)
    return _whole(value) if field in NUMBERS else value


def _whole(value: object) -> object:
    """Return the number that a text of digits is."""
    return int(value) if isinstance(value, str) and _DIGITS.match(value) else value


def _named(parent: str, field: str) -> str:
    """Return what a field is called, its record before it unless it says that itself."""
    if not parent and field.startswith(OURS):
        return field
    return OURS + (field if not parent or field.startswith(parent) else f"{parent}_{field}")


def _says(value: object) -> bool:
    """Return whether a value says something."""
    return value not in NOTHING if isinstance(value, str) else value is not None and value not in ({}, [])


def _indexed(kind: str, values: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield custom dimensions or metrics by their index."""
    for one in values:
        if _says(one.get("value")):
            yield (
                f"{OURS}{kind}_{int(one['index'])}",
                _whole(one["value"]) if kind == "metric" else one["value"],
            )


def _product(one: dict[str, Any]) -> dict[str, Any]:
    """Return a product, its own dimensions among its fields, without what says nothing."""
    return {
        name.removeprefix(OURS): value
        for name, value in _flat({field: value for field, value in one.items() if field != "isImpression"})
    }


def snake(name: str) -> str:
    """Return a name in snake case: `eventCategory` -> `event_category`."""
    return _BORDER.sub("_", name).lower()


def divided(value: object) -> object:
    """Return millionths as a decimal in its own digits, as `Json`; what is no number stays what it is."""
    try:
        amount = Decimal(str(value)).scaleb(-6)
    except InvalidOperation:
        return value
    if not amount.is_finite():
        return value
    text = f"{amount:f}"
    return Json((text.rstrip("0").rstrip(".") if "." in text else text).encode())


def _text(told: dict[str, Any]) -> str | None:
    """Return an object of these values as JSON, None where there are none."""
    return cells.object_text({name: _json(value) for name, value in told.items()})


def _json(value: object) -> Json:
    """Return a value as JSON; one that holds decimals is written around them."""
    if isinstance(value, Json):
        return value
    if isinstance(value, dict):
        return Json((_text(value) or "{}").encode())
    if isinstance(value, list):
        return Json(b"[" + b",".join(bytes(_json(one)) for one in value) + b"]")
    return cells.json_of(value)
