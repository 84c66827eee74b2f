"""Source rows beside the payloads they become, a field a line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from migrate.preview import Preview

_MOST_FIELDS: Final = 24
_MOST_LETTERS: Final = 300
_INDENT: Final = "  "


class Sample(NamedTuple):
    """A source row and what becomes of it, as lines of two columns under a title."""

    title: str
    source: list[str]
    becomes: list[str]


class _Number(str):
    """A number as it was written: none of its digits is lost."""

    __slots__ = ()


def samples(previews: "Iterable[Preview]", *, whole: bool = False) -> Iterator[Sample]:
    """Yield rows beside their payloads; long values and long rows are cut, unless they are wanted `whole`."""
    for one in previews:
        payloads = [_fields(payload, whole=whole) for payload in one.payloads]
        becomes = [line for payload in payloads for line in ("", *payload)][1:]
        if one.source == "{}":
            yield Sample("not from one row: what rows tell of people and groups", [], becomes)
            continue
        why = [] if payloads else [f"no event: {one.why}"]
        yield Sample(f"row {one.place}", _fields(one.source, whole=whole), becomes + why)


def _fields(text: str, *, whole: bool) -> list[str]:
    """Return the fields of a JSON object, those of an inner one indented below its name."""
    try:
        found = json.loads(text, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return [text if whole else _cut(text)]
    if not isinstance(found, Mapping):
        return [text if whole else _cut(text)]
    lines = list(_lines(found, "", whole=whole))
    if whole or len(lines) <= _MOST_FIELDS:
        return lines
    return [*lines[:_MOST_FIELDS], f"… {len(lines) - _MOST_FIELDS:,} more"]


def _lines(fields: Mapping[str, object], indent: str, *, whole: bool) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}"
            yield from _lines(value, indent + _INDENT, whole=whole)
        else:
            text = _json(value)
            yield f"{indent}{name}: {text if whole else _cut(text)}"


def _json(value: object) -> str:
    """Return a value as JSON, its numbers as they were written."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)}: {_json(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}… ({len(text):,} characters)"
