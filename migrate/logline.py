"""One line of a log: what happened by its stable name, in words and in fields; as text, or as a JSON object."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from migrate.screen import shown

_START: Final = re.compile(
    rb"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z migrate\[\d+\]: "
    rb'|\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","logger":"migrate","pid":\d+,"level":)'
)
"""How each line of a log begins; so a log is told from an export, and from any file that is to stay as it is."""
_WORD: Final = re.compile(r"(error|warning|note): ")
"""What a line of the screen is, where it says so itself."""
_LEVELS: Final = {"error": "error", "warning": "warning"}


@dataclass(frozen=True)
class Record:
    """What is told: `event` and the names of `fields` stay as they are, the words of `text` may change."""

    event: str
    text: str
    fields: Mapping[str, object] = field(default_factory=dict)
    level: str = "info"
    """info, warning, error, or critical: a bug."""


def of_screen(text: str) -> Record:
    """Return a line that stands on the screen as it is told: an error, a warning, a note, or what else is shown."""
    found = _WORD.match(text)
    event = found[1] if found else "screen"
    return Record(event, text, level=_LEVELS.get(event, "info"))


def as_text(record: Record) -> bytes:
    """Return a record as a line of text, with the time in UTC."""
    return f"{_now()} migrate[{os.getpid()}]: {single(record.text)}\n".encode(errors="backslashreplace")


def as_json(record: Record, context: Mapping[str, object]) -> str:
    """Return a record as a JSON object on a line, in ASCII; `context`: which command tells it.

    No text in it has secrets, control characters or halves of surrogates, wherever it comes from.
    """
    head = {"time": _now(), "logger": "migrate", "pid": os.getpid(), "level": record.level}
    said = {"event": record.event, "message": record.text, **context, **record.fields}
    return (
        json.dumps(head | {name: _clean(value) for name, value in said.items()}, separators=(",", ":")) + "\n"
    )


def begins_log(line: bytes) -> bool:
    """Return whether a line, or its beginning, is one of a log of ours."""
    return _START.match(line) is not None


def single(text: str) -> str:
    """Return a text as it may be shown, on one line."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")


def _now() -> str:
    """Return the time in UTC, as RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clean(value: object) -> object:
    """Return a value whose texts may be shown, as every reader of JSON takes them."""
    if isinstance(value, str):
        return shown(value).encode(errors="backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_clean(name): _clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value
