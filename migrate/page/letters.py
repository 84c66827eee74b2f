"""Text that strangers wrote → as a page can show it: short, on one line, and without what turns a page around."""

import json
import re
from html import escape
from typing import Final

from markupsafe import Markup

from migrate.report.secrets import veiled
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
    r"(?:^|_)(?:u?u?ids?|(?:user|device|visitor|client|customer|account|anonymous|distinct|person|profile|member)ids?"
    r"|(?:[a-z]*e_?)?mails?|[a-z]*(?:phone|user_?name|address)(?:number|s)?|mobile|tel|telephone|msisdn"
    r"|(?:first|last|full|sur|nick)?name|ip(?:v?[46]|addr)?|login|birth_?(?:day|date)|dob)(?:$|_)"
)
"""Names of fields whose values are people's, as a rule; their words in lower case with lines between them."""
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_EMAIL: Final = re.compile(r"[^\s@\"'<>,;:/\\=?&()\[\]{}|*]{1,64}@[^\s@\"'<>,;:/\\=?&()\[\]{}|]{1,255}")
"""An address as RFC 5321 bounds it, and a little more; without bounds a long text would take for ever."""
_MEMBER: Final = re.compile(
    r"""(\\*"(?P<name>[^"\\]{1,200})\\*"\s*:\s*\\*"?)(?P<value>(?:[^"\\,{}\[\]\s]|(?<![\s:])[ ]){1,4000})"""
)
"""A name and a value of JSON that cannot be read as a whole, or stands in a text of JSON."""
_IDS: Final = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?:(?=[\w-]*[A-Za-z])[\w-]{6,}|\d{6,})(?![\w-])")
"""What looks like an id where no name of a field says what it is."""
_VALUE: Final = 4_000
"""Letters of a value that are looked at; no page shows as many."""


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
    """Return the value of a field without what opens a door, and, unless it is wanted `is_whole`, whose it is.

    A value that is JSON, or the beginning of it, is told by the names in it.
    """
    text = veiled(text[:_VALUE], name) + ("…" if len(text) > _VALUE else "")
    if is_personal(name) and text and not is_whole:
        return shortened(text)
    if text[:1] in {"{", "["}:
        try:
            return json.dumps(_masked(name, json.loads(text), is_whole=is_whole), ensure_ascii=False)
        except (ValueError, RecursionError):
            text = _members(text, is_whole=is_whole)
    return text if is_whole else without_addresses(text)


def of_json(name: str, text: str, *, is_whole: bool) -> str:
    """Return the beginning of a value's JSON text likewise."""
    if text[:1] != '"':
        return of_person(name, text, is_whole=is_whole)
    inner = text[1:].removesuffix('"')
    if inner[:1] in {"{", "["}:  # JSON in a text of JSON
        inner = inner.replace('\\"', '"')
    return f'"{of_person(name, inner, is_whole=is_whole)}"'


def of_row(text: str, *, is_whole: bool) -> str:
    """Return a JSON object, or whatever else the text is, likewise."""
    try:
        return json.dumps(_masked("", json.loads(text), is_whole=is_whole), ensure_ascii=False)
    except (ValueError, RecursionError):
        return of_no_row(text, is_whole=is_whole)


def of_no_row(text: str, *, is_whole: bool) -> str:
    """Return a text that is no row, in which whatever looks like an id may be one."""
    text = _members(of_person("", text, is_whole=is_whole), is_whole=is_whole)
    return text if is_whole else _IDS.sub(lambda found: shortened(found[0]), text)


def without_addresses(text: str) -> str:
    """Return a text with each address of a person shortened."""
    return _EMAIL.sub(lambda found: shortened(found[0]), text) if "@" in text else text


def is_personal(name: str) -> bool:
    """Return whether a field is called like one whose values are people's."""
    return _PERSONAL.search(_WORDS.sub("_", name).lower()) is not None


def _members(text: str, *, is_whole: bool) -> str:
    """Return a text with those values in it changed whose names stand before them."""
    return _MEMBER.sub(
        lambda found: f"{found[1]}{of_person(found['name'], found['value'], is_whole=is_whole)}", text
    )


def _line(text: str) -> str:
    """Return a text on one line, as UTF-8 can have it."""
    line = shown(text).replace("\n", "\\n").replace("\t", "\\t")
    return line.encode(errors="backslashreplace").decode()


def _masked(name: str, value: object, *, is_whole: bool) -> object:
    """Return a value, all that is in it likewise; what stands under an address is nobody's business, either."""
    if isinstance(value, dict):
        return {
            key if is_whole else without_addresses(key): _masked(key, one, is_whole=is_whole)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_masked(name, one, is_whole=is_whole) for one in value]
    if isinstance(value, str):
        return of_person(name, value, is_whole=is_whole)
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = of_person(name, str(value), is_whole=is_whole)
        return value if text == str(value) else text
    return value
