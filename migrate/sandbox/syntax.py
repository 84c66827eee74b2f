"""Strict JSON as serde_json reads it: the first fault of a body, in serde's words."""

import re
from typing import Final

# serde_json: `remaining_depth` starts at 128 and the container that brings it to zero is refused.
MAX_DEPTH: Final = 127

_SPACE: Final = re.compile(rb"[ \t\n\r]*")
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX: Final = re.compile(rb"\\u([0-9a-fA-F]{4})")
_WORDS: Final = (b"true", b"false", b"null")
_HIGH_SURROGATES: Final = range(0xD800, 0xDC00)
_LOW_SURROGATES: Final = range(0xDC00, 0xE000)
_DIGITS: Final = bytes(ord("0") if bytes([byte]).isdigit() else byte for byte in range(256))
_FLAT: Final = _DIGITS.replace(b"E", b"e")
_LONG_RUN: Final = b"0" * 200
_NUMBER_TAIL: Final = b"0123456789.+-eE"


class Broken(Exception):  # noqa: N818 - the word serde's users know; it never leaves this package
    """The body is not JSON; `str()` is serde's message with line and column."""

    def __init__(self, message: str, body: bytes, at: int) -> None:
        at = min(at, len(body) - 1)
        line = body.count(b"\n", 0, at) + 1
        column = at - body.rfind(b"\n", 0, at)
        super().__init__(f"{message} at line {line} column {column}")


def needs_scan(body: bytes) -> bool:
    """Whether a number of `body` may overflow a double, which msgspec does not see in values it skips."""
    flat = body.translate(_FLAT)
    if _LONG_RUN in flat:
        return True
    for mark in (b"0e000", b"0e+000"):
        at = flat.find(mark)
        while at >= 0:
            start = len(body[max(0, at - 400) : at + 1].rstrip(_NUMBER_TAIL)) + max(0, at - 400)
            if body[start - 1 : start] in {b":", b",", b"[", b" ", b"\n", b"\t", b"\r"}:
                return True
            at = flat.find(mark, at + 1)
    return False


def scan(body: bytes) -> None:
    """Read the whole of `body` as one JSON text and raise `Broken` at its first fault."""
    closers: list[bytes] = []
    at = _value(body, _skip(body, 0), closers)
    while closers:
        at = _next(body, _skip(body, at), closers)
    at = _skip(body, at)
    if at < len(body):
        raise Broken("trailing characters", body, at)


def _skip(body: bytes, at: int) -> int:
    space = _SPACE.match(body, at)
    return space.end() if space else at


def _value(body: bytes, at: int, closers: list[bytes]) -> int:
    """Read one scalar, or open one container and read its first value; return where reading goes on."""
    first = body[at : at + 1]
    if first in {b"[", b"{"}:
        if len(closers) >= MAX_DEPTH:
            raise Broken("recursion limit exceeded", body, at)
        closers.append(b"]" if first == b"[" else b"}")
        return _first(body, _skip(body, at + 1), closers)
    if first == b'"':
        return _string(body, at + 1)
    if first == b"-" or first.isdigit():
        return _number(body, at)
    for word in _WORDS:
        if first == word[:1]:
            return _word(body, at, word)
    raise Broken("expected value" if first else "EOF while parsing a value", body, at)


def _first(body: bytes, at: int, closers: list[bytes]) -> int:
    closer = closers[-1]
    if body[at : at + 1] == closer:
        closers.pop()
        return at + 1
    if at >= len(body):
        raise Broken(_eof(closer), body, at)
    return _member(body, at, closers)


def _member(body: bytes, at: int, closers: list[bytes]) -> int:
    if closers[-1] == b"]":
        return _value(body, at, closers)
    if body[at : at + 1] != b'"':
        raise Broken("key must be a string" if at < len(body) else "EOF while parsing a value", body, at)
    at = _skip(body, _string(body, at + 1))
    if body[at : at + 1] != b":":
        raise Broken("expected `:`" if at < len(body) else "EOF while parsing an object", body, at)
    return _value(body, _skip(body, at + 1), closers)


def _next(body: bytes, at: int, closers: list[bytes]) -> int:
    closer, found = closers[-1], body[at : at + 1]
    if found == closer:
        closers.pop()
        return at + 1
    if found != b",":
        raise Broken(f"expected `,` or `{closer.decode()}`" if found else _eof(closer), body, at)
    at = _skip(body, at + 1)
    if body[at : at + 1] == closer:
        raise Broken("trailing comma", body, at)
    return _member(body, at, closers)


def _eof(closer: bytes) -> str:
    return f"EOF while parsing {'a list' if closer == b']' else 'an object'}"


def _word(body: bytes, at: int, word: bytes) -> int:
    for index, byte in enumerate(word):
        found = body[at + index : at + index + 1]
        if found != bytes([byte]):
            raise Broken("expected ident" if found else "EOF while parsing a value", body, at + index)
    return at + len(word)


def _number(body: bytes, at: int) -> int:
    number = _NUMBER.match(body, at)
    end = number.end() if number else at + 1
    after = body[end : end + 1]
    if number is None or after.isdigit() or after in {b".", b"e", b"E"}:
        signed = body[end + 1 : end + 2] in {b"+", b"-"} and after in {b"e", b"E"}
        wrong = end if number is None or after.isdigit() else end + (2 if signed else 1)
        message = "invalid number" if wrong < len(body) else "EOF while parsing a value"
        raise Broken(message, body, wrong)
    if float(number.group()) in {float("inf"), float("-inf")}:
        raise Broken("number out of range", body, end - 1)
    return end


def _string(body: bytes, at: int) -> int:
    while True:
        plain = _PLAIN.match(body, at)
        at = plain.end() if plain else at
        found = body[at : at + 1]
        if found == b'"':
            return at + 1
        if found != b"\\":
            words = "control character (\\u0000-\\u001F) found while parsing a string"
            raise Broken(words if found else "EOF while parsing a string", body, at)
        at = _escape(body, at)


def _escape(body: bytes, at: int) -> int:
    kind = body[at + 1 : at + 2]
    if kind != b"u":
        if not kind:
            raise Broken("EOF while parsing a string", body, at + 1)
        if kind not in b'"\\/bfnrt':
            raise Broken("invalid escape", body, at + 1)
        return at + 2
    unit = _unit(body, at)
    if unit in _LOW_SURROGATES:
        raise Broken("lone leading surrogate in hex escape", body, at + 5)
    if unit not in _HIGH_SURROGATES:
        return at + 6
    if body[at + 6 : at + 8] != b"\\u":
        raise Broken("unexpected end of hex escape", body, at + 6)
    if _unit(body, at + 6) not in _LOW_SURROGATES:
        raise Broken("lone leading surrogate in hex escape", body, at + 11)
    return at + 12


def _unit(body: bytes, at: int) -> int:
    found = _HEX.match(body, at)
    if found is None:
        short = len(body) < at + 6
        raise Broken("EOF while parsing a string" if short else "invalid escape", body, at + 5)
    return int(found.group(1), 16)
