"""JSON values as Python has them and back, as mappings read those that no column tells."""

import json
import math
from typing import Any


def decoded(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value; numbers that no double holds become null. Raises `ValueError` where it is none."""
    return _decoder.decode(text)


def encoded(value: object) -> str:
    """Return a value as JSON; cut emoji stay escaped, as UTF-8 has no place for them."""
    text = _encoder.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _finite(text: str) -> float | None:
    """Return the number, None where it is too large for a double."""
    value = float(text)
    return value if math.isfinite(value) else None


# Made once: `json.loads` and `json.dumps` make new ones for every call with arguments.
_decoder = json.JSONDecoder(strict=False, parse_float=_finite, parse_constant=lambda _name: None)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
