"""Text that strangers wrote → as a page can show it: short, on one line, and without what turns a page around."""

import json
import re
from html import escape
from typing import Final

from markupsafe import Markup

from migrate.screen import shortened, shown

MARK: Final = '<!doctype html>\n<html lang="en">\n<!-- a report of migrate -->\n'
"""What a page begins with, by which it is known again."""
NAME: Final = 60
"""Letters of a name that are shown."""
_WEIGHT: Final = 1.5
"""Bytes a letter of what is shown may have, as HTML, all together: most scripts stay whole, a thousand names small."""
_LOOKED_AT: Final = 20
"""So many times more letters are looked at than are shown: a secret is masked also where it would be cut."""
_PERSONAL: Final = re.compile(
    r"(?i:(?:^|[^a-z])(?:u?u?ids?|e_?mails?|phone|address|name|ip|token|password|login)(?:$|[^a-z]))|[a-z]I[dD]s?$"
)
"""Names of fields whose values are people's, as a rule; `userId`, too."""
_EMAIL: Final = re.compile(r"[^\s@\"<>,;:]{1,64}@[^\s@\"<>,;:]{1,255}")
"""An address as RFC 5321 bounds it, and a little more; without bounds a long text would take for ever."""


def cut(text: str, letters: int = NAME) -> str:
    """Return the beginning of a text on one line: control characters as their escapes, secrets masked, `…` if cut.

    It has so many letters at the most, and as HTML not many more bytes.
    """
    line = _line(text[: letters * _LOOKED_AT])
    room = letters * _WEIGHT
    for place, letter in enumerate(line):
        room -= len(escape(letter).encode())
        if place >= letters or room < 0:
            return line[:place] + "…"
    return line if len(text) <= letters * _LOOKED_AT else f"{line}…"


def clean(value: object) -> object:
    """Return a value with what a page cannot take as escapes, and secrets masked, if it is a text."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if value.isprintable() and "/" not in value and "ph" not in value:  # as nearly all are, and most often
        return value
    return _line(value)


def of_person(name: str, text: str, *, is_whole: bool) -> str:
    """Return the value of a field without what says whose it is, unless it is wanted `is_whole`."""
    if is_whole or not text:
        return text
    if _PERSONAL.search(name):
        return shortened(text)
    return _EMAIL.sub(lambda found: shortened(found[0]), text)


def of_row(text: str, *, is_whole: bool) -> str:
    """Return a JSON object, or whatever else the text is, without what says whose it is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return of_person("", text, is_whole=is_whole)
    if is_whole:
        return text
    return json.dumps(_masked("", found), ensure_ascii=False)


def _line(text: str) -> str:
    """Return a text on one line, as UTF-8 can have it."""
    line = shown(text).replace("\n", "\\n").replace("\t", "\\t")
    return line.encode(errors="backslashreplace").decode()


def _masked(name: str, value: object) -> object:
    """Return a value, all that is in it likewise."""
    if isinstance(value, dict):
        return {key: _masked(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(name, one) for one in value]
    if isinstance(value, str):
        return of_person(name, value, is_whole=False)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return shortened(str(value)) if is_number and _PERSONAL.search(name) else value
