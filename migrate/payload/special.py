"""Events and properties with a meaning of their own in PostHog: what it would refuse, drop or misread of them."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import polars as pl

from migrate.kit import nulls
from migrate.kit.declare import ROW

MERGE_EVENTS: Final = ("$identify", "$create_alias", "$merge_dangerously")
"""Events that make two ids one person (posthog-ingestion.md §3.7)."""

MAX_MERGE_ID: Final = 400
"""Code points of an id that may still be merged (posthog-ingestion.md §3.7)."""
MAX_GROUP_KEY: Final = 400
"""UTF-16 units, as JavaScript counts, of a `$group_key` (posthog-ingestion.md §3.1), and of a `$group_type`."""

ILLEGAL_IDS: Final = frozenset(
    {
        "",
        "0",
        "00000000-0000-0000-0000-000000000000",
        "[object object]",
        "anonymous",
        "anonymous-user",
        "backend",
    }
    | {
        "distinct_id",
        "distinctid",
        "email",
        "false",
        "guest",
        "id",
        "nan",
        "none",
        "not_authenticated",
        "null",
    }
    | {"system", "true", "undefined", "user"}
)
"""Ids PostHog merges with no other, in lower case: capture's list and ingestion's (posthog-ingestion.md §2.5, §3.7)."""

NOT_IMPORTABLE: Final = ("$performance_event", "$$client_ingestion_warning")
"""Events that PostHog drops, or makes a warning of and no event (posthog-ingestion.md §1.5, §9.2)."""

QUOTES: Final = "\"'"
"""What may stand around an illegal id, which stays illegal."""

REJECTS: Final = pl.Schema({ROW: pl.Int64, "reason": pl.String, "value": pl.String})

OTHER_ID: Final = {"$identify": "$anon_distinct_id", "$create_alias": "alias", "$merge_dangerously": "alias"}
_IDS: Final = {"$anon_distinct_id": "anon_distinct_id_not_string", "alias": "alias_not_string"}
_OBJECTS: Final = {f"${name}": f"{name}_not_object" for name in ("set", "set_once", "groups")}
_UUID: Final = "-".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12))
_SESSION: Final = rf'"\$session_id"\s*:\s*(?:null(?-u:\b)|"{_UUID}")'
_PREVIOUS: Final = "$prev_pageview_pathname"
_PATTERNS: Final = {"$cookieless_mode": r'"\$cookieless_mode"'} | {
    key: rf'"\${key[1:]}"\s*:\s*[^{{\s]' for key in _OBJECTS
}
"""A pattern for each: what begins with a literal is found nine times as fast as what may begin with one of three."""
_DISLIKED: Final = {"$session_id", "$heatmap_data", _PREVIOUS}
WATCHED: Final = {*_PATTERNS, *_DISLIKED}
"""Names of members whose values are looked at in any event."""
_NO_ID: Final = re.compile(nulls.NO_ID)
_FALSE: Final = msgspec.Raw(b"false")
_TRUE: Final = msgspec.Raw(b"true")
_NULL: Final = msgspec.Raw(b"null")


class _Event(msgspec.Struct):
    """A payload, as far as it is looked into."""

    event: str
    distinct_id: str
    properties: dict[str, msgspec.Raw]


_event: Final = msgspec.json.Decoder(_Event).decode


class _Page(msgspec.Struct):
    """The members of an event's properties that PostHog makes a heatmap of."""

    data: msgspec.Raw = msgspec.field(name="$heatmap_data", default=_NULL)
    before: object = msgspec.field(name=_PREVIOUS, default=None)
    url: object = msgspec.field(name="$current_url", default=None)


class _Seen(msgspec.Struct):
    """A payload, as far as heatmaps go."""

    properties: _Page


_seen: Final = msgspec.json.Decoder(_Seen).decode
_NOTHING: Final = (None, "", False, 0)
"""What is as good as not there to PostHog."""


@dataclass(frozen=True)
class Examined:
    """`frame`: the events that may go; `rejects`: `REJECTS`, a row each; what was repaired and what is disliked.

    `examples`: of what is disliked, the first row.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    repairs: Counter[str]
    warnings: Counter[str]
    examples: dict[str, int]


def examined(frame: pl.DataFrame, watched: set[str]) -> Examined:
    """Return finished events as PostHog will neither refuse nor drop them; `frame` needs `_row`, `event`, `payload`.

    `watched`: the names of `WATCHED` that sources gave to members, of any of the events. Of a row with several events
    all are rejected when one is: a row is never half migrated.
    """
    repairs: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    refused: list[tuple[int, str, str]] = []
    worth = frame.lazy().select_seq(_worth_a_look(watched)).collect().to_series()
    if worth.any():
        frame, refused = _looked_into(frame, worth.arg_true(), repairs, warnings)
    rejects = pl.DataFrame(refused, REJECTS, orient="row")
    if rejects.height:
        rejects = rejects.unique(ROW, keep="first", maintain_order=True)
        frame = frame.filter(~pl.col(ROW).is_in(rejects[ROW].implode()))
    disliked = _disliked(frame, watched)
    warnings += Counter({name: rows.len() for name, rows in disliked.items()})
    return Examined(frame, rejects, repairs, warnings, {name: rows[0] for name, rows in disliked.items()})


def units(text: str) -> int:
    """Return how long a text is in UTF-16 units, as JavaScript counts."""
    return len(text.encode("utf-16-le")) // 2


def is_longer(text: pl.Expr, most: int) -> pl.Expr:
    """Return whether texts are longer than so many UTF-16 units; null where that is surely not so."""
    suspect = pl.when(text.str.len_bytes() > most).then(text)
    return suspect.str.len_chars() + suspect.str.count_matches(r"[\x{10000}-\x{10FFFF}]") > most


def _worth_a_look(watched: set[str]) -> pl.Expr:
    """Return whether an event may have to be repaired, refused or warned of for what it says."""
    event, payload = pl.col("event"), pl.col("payload")
    long_key = (event == "$groupidentify") & (payload.str.len_bytes() > MAX_GROUP_KEY)
    patterns = [pattern for name, pattern in _PATTERNS.items() if name in watched]
    suspects = [payload.str.contains(pattern) for pattern in patterns]
    return pl.any_horizontal(event.is_in(MERGE_EVENTS), long_key, *suspects)


def _looked_into(
    frame: pl.DataFrame, where: pl.Series, repairs: Counter[str], warnings: Counter[str]
) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """Return the frame with the events at these places repaired, and those refused as row, reason and value."""
    refused, texts = [], []
    for row, payload in frame.select_seq(ROW, "payload").gather(where).iter_rows():
        event = _event(payload)
        texts.append(_repaired(payload, event, repairs))
        if found := _refusal(event):
            refused.append((row, *found))
        else:
            warnings.update(_unheard(event))
    return frame.with_columns_seq(frame["payload"].scatter(where, pl.Series(texts, dtype=pl.String))), refused


def _repaired(payload: str, event: _Event, repairs: Counter[str]) -> str:
    """Return the payload, and `event`, without `false` where events about persons must not say so.

    PostHog drops such an event. Nor does it merge with a word for nothing that PostHog takes for an id.
    """
    bag = event.properties
    if event.event not in MERGE_EVENTS:
        return payload
    before = len(bag)
    if bag.get("$process_person_profile") == _FALSE:
        del bag["$process_person_profile"]
        repairs["process_person_profile_removed"] += 1
    other = _value(bag, OTHER_ID[event.event])
    if isinstance(other, str) and other and _NO_ID.match(other) and not _is_unmergeable(other):
        del bag[OTHER_ID[event.event]]
        repairs["null_text"] += 1
    if len(bag) == before:
        return payload
    head = payload[: payload.index(',"properties":{')]
    return f'{head},"properties":{msgspec.json.encode(event.properties).decode()}}}'


def _refusal(event: _Event) -> tuple[str, str] | None:
    """Return why PostHog would refuse the batch (§1.4) or drop the event (§3.1), and what was found."""
    bag = event.properties
    if bag.get("$cookieless_mode", _FALSE) not in (_FALSE, _TRUE):
        return "cookieless_mode_not_boolean", _text(bag["$cookieless_mode"])
    if event.event in MERGE_EVENTS:
        for key, reason in _IDS.items():
            if key in bag and not isinstance(_value(bag, key), str):
                return reason, _text(bag[key])
    if event.event == "$groupidentify":
        for key in ("group_key", "group_type"):
            name = _value(bag, f"${key}")
            if isinstance(name, str) and units(name) > MAX_GROUP_KEY:
                return f"{key}_too_long", name
    return None


def _unheard(event: _Event) -> Iterator[str]:
    """Yield what PostHog would take and not act upon: merges of illegal ids, objects that are none."""
    other = _value(event.properties, OTHER_ID.get(event.event, ""))
    if isinstance(other, str) and other != event.distinct_id:
        yield from ["unmergeable_id"] * (_is_unmergeable(other) or _is_unmergeable(event.distinct_id))
    for key, reason in _OBJECTS.items():
        if not isinstance(_value(event.properties, key), dict | None):
            yield reason


def _is_unmergeable(text: str) -> bool:
    """Return whether PostHog refuses to merge this id with another."""
    return len(text) > MAX_MERGE_ID or text.strip().strip(QUOTES).lower() in ILLEGAL_IDS


def _value(bag: dict[str, msgspec.Raw], key: str) -> object:
    """Return what a member holds, None where there is none."""
    return msgspec.json.decode(bag[key]) if key in bag else None


def _text(raw: msgspec.Raw) -> str:
    """Return a value's own text."""
    return bytes(raw).decode()


def _disliked(frame: pl.DataFrame, watched: set[str]) -> dict[str, pl.Series]:
    """Return what PostHog would take but not like, each with the rows that have it, at least one."""
    if watched.isdisjoint(_DISLIKED):
        return {}
    payload, never = pl.col("payload"), pl.lit(False)
    session = pl.when(payload.str.contains('"$session_id"', literal=True)).then(payload)
    heatmap = payload.str.contains('"$heatmap_data"', literal=True)
    moved = [payload.str.contains(f'"{name}"', literal=True) for name in (_PREVIOUS, "$current_url")]
    rules = {"$session_id": ~session.str.contains(_SESSION), "$heatmap_data": heatmap}
    rules[_PREVIOUS] = pl.all_horizontal(moved)
    asked = {name: rule if name in watched else never for name, rule in rules.items()}
    suspects = frame.filter(asked["$heatmap_data"] | asked[_PREVIOUS])
    found = {
        "session_id_not_uuid": frame.filter(asked["$session_id"])[ROW],
        "heatmap_side_effect": suspects[ROW].filter(
            pl.Series([_makes_heatmap(text) for text in suspects["payload"]], dtype=pl.Boolean)
        ),
    }
    return {name: rows for name, rows in found.items() if rows.len()}


def _makes_heatmap(payload: str) -> bool:
    """Return whether PostHog makes a heatmap of an event: of members of its properties, and not at any depth (§1.6)."""
    page = _seen(payload).properties
    return page.data != _NULL or (page.before not in _NOTHING and page.url not in _NOTHING)
