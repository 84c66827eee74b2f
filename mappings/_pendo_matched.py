"""What Pendo's tags match: pages, features and track types by their names, told to the events that they match."""

from typing import Final

import polars as pl

from mappings._pendo_columns import event_key
from migrate.kit import expr, links
from migrate.kit.cells import Members, json_of, members, object_text, reader
from migrate.kit.declare import RECOVERED, Options, inside

KINDS: Final = {"page": "Page", "feature": "Feature", "trackType": "TrackType"}
"""The kinds of tags, as `matchableId` and the folders of `matchedEvents` call them."""
_SHOWN: Final = {"page": "pendo_page", "feature": "pendo_feature", "trackType": "pendo_track_type"}
_BY_PREFIX: Final = {prefix.lower(): kind for kind, prefix in KINDS.items()}
_text: Final = reader(str)


def matchable(text: str) -> str | None:
    """Return the id of a tag under its kind: `Page/q95z` is a page's; without a kind it may be any."""
    prefix, _, bare = text.strip().partition("/")
    kind = _BY_PREFIX.get(prefix.lower()) if bare else None
    told = {kind: bare} if kind is not None else dict.fromkeys(KINDS, text.strip())
    return object_text({name: json_of(number) for name, number in told.items()})


def to_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return which tags match an event: a row's tag by its kind and id, with its name where a definition gives one.

    A tag whose kind nothing tells is of the kind whose definitions know it.
    """
    numbers = {kind: expr.stripped(pl.col(inside("matchableId", kind))) for kind in KINDS}
    is_certain = pl.sum_horizontal(number.is_not_null() for number in numbers.values()) == 1
    told = []
    for kind, number in numbers.items():
        name = expr.stripped(pl.col(inside(kind, "name")))
        tag = pl.when(is_certain | name.is_not_null()).then(pl.concat_str(pl.lit(f"{kind}/"), number))
        called = name.fill_null(pl.lit(""))
        told.append(links.recoveries(rows, key=event_key(), name=tag, value=called))
    return pl.concat(told)


def tags() -> pl.Expr:
    """Return the tags that match an event as lists of an object, `pendo_pages` and `pendo_page_ids`; null for none."""
    return expr.each_row(pl.col(RECOVERED), _tags)


def _tags(recovered: str) -> str | None:
    """Return the tags in the order of their ids, those of a kind together."""
    told: Members = members(recovered) or {}
    found: dict[str, list[str]] = {}
    for key in sorted(told):
        kind, _, number = key.partition("/")
        if kind in KINDS:
            found.setdefault(f"{_SHOWN[kind]}_ids", []).append(number)
            if name := _text(bytes(told[key])):
                found.setdefault(f"{_SHOWN[kind]}s", []).append(name)
    return object_text({name: json_of(texts) for name, texts in found.items()})
