"""Paths into JSON values → what stands there, in its own text."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from migrate.jsontext.parse import NULL, Raw, cells, raw_object

Step = str | int
"""A key of an object, or a place in a list, from 0."""

_FAILURES: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
_FORBIDDEN: Final = frozenset(map(chr, range(32))) | {'"', "\\"}
"""msgspec takes no field names with these."""
_list: Final = msgspec.json.Decoder(list[Raw]).decode
_text: Final = msgspec.json.Decoder(str).decode


def at(texts: pl.Series, steps: Sequence[Step]) -> pl.Series:
    """Return what stands in JSON texts behind these steps, as `cells` has it; null where nothing does.

    An object or a list in a JSON string is gone into as if it stood there itself.
    """
    find = _finder(steps)
    return cells([None if text is None else find(text) for text in texts.to_list()]).alias(texts.name)


def _finder(steps: Sequence[Step]) -> Callable[[str], Raw | None]:
    """Return what finds a value in a text: what is sound and of the shape asked for is decoded at once."""
    if any(_FORBIDDEN.intersection(step) for step in steps if isinstance(step, str)):
        return lambda text: _step_by_step(text, steps)
    decode = msgspec.json.Decoder(_shape(steps)).decode

    def find(text: str) -> Raw | None:
        if not text.startswith(("{", "[")):
            return _step_by_step(text, steps)
        try:
            value: Any = decode(text)
        except _FAILURES:
            return _step_by_step(text, steps)
        for step in steps:
            if value is None:
                return None
            if isinstance(step, str):
                value = value.member
            elif step < len(value):
                value = value[step]
            else:
                return None
        return None if value is None else Raw(value)

    return find


def _shape(steps: Sequence[Step]) -> Any:  # noqa: ANN401 - a type, made
    """Return the type of a value that has these steps; all beside them is skipped."""
    if not steps:
        return Raw
    inner: Any = _shape(steps[1:])
    if isinstance(steps[0], int):
        return list[inner]
    inner = inner if inner is Raw else inner | None
    return msgspec.defstruct("Object", [("member", inner, None)], rename={"member": steps[0]}, gc=False)


def _step_by_step(text: str, steps: Sequence[Step]) -> Raw | None:
    """Return what stands behind these steps in a text that may hold anything."""
    value = text
    for place, step in enumerate(steps):
        try:
            if place and value.startswith('"'):
                value = _text(value)
            if isinstance(step, int):
                members = _list(value)
                found = members[step] if step < len(members) else None
            else:
                found = raw_object(value).get(step)
        except _FAILURES:
            return None
        if found is None or found == NULL:
            return None
        value = bytes(found).decode()
    return Raw(value.encode())
