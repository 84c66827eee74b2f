"""Where a JSON object ends, told by its brackets, strings, commas and colons alone."""

import re
from typing import Final, NamedTuple

from migrate.patterns import kept, woven

BLANK: Final = rb"[ \t\r\n]*+"
_DEEPEST: Final = 1_000
"""No parser here takes more; what opens more is no record."""
_CHARACTERS: Final = woven(rb'[^"\\\r\n]', rb"\\[^\r\n]")
_STRING: Final = rb'"' + _CHARACTERS + rb'"'
_HALF: Final = rb'"' + _CHARACTERS + rb"\\?"
"""A string, as far as it is there."""
_SIMPLE: Final = rb"(?:" + _STRING + rb'|[^ \t\r\n"{}\[\],:]++)'
_MEMBER: Final = rb"%(s)s%(b)s:%(b)s" % {b"s": _STRING, b"b": BLANK}
_STRINGS_CLOSED: Final = re.compile(rb'[^"]*+' + kept(_STRING + rb'[^"]*+'))
_TO_SPACES: Final = bytes.maketrans(b"\r\n", b"  ")
_TO_TABS: Final = bytes.maketrans(b"\r\n", b"\t\t")


def one_line(record: bytes) -> bytes:
    """Return a record on one line; its line breaks stand between values."""
    return record.translate(_TO_SPACES) if b"\n" in record or b"\r" in record else record


def checked_line(text: bytes) -> bytes:
    """Return what may be a record on one line; a line break inside of a text, where JSON has none, stays an error."""
    if (b"\n" in text or b"\r" in text) and not _STRINGS_CLOSED.fullmatch(text):
        return text.translate(_TO_TABS)
    return one_line(text)


class _Expected(NamedTuple):
    """What may stand in an object or a list: up to the next bracket, and as far as the text goes."""

    whole: re.Pattern[bytes]
    begun: re.Pattern[bytes]


def _expected(value: bytes, key: bytes, close: bytes) -> tuple[_Expected, _Expected]:
    """Return what may stand after an opening bracket, and after a bracket that was closed inside."""
    parts = {b"v": value, b"k": key, b"c": close, b"b": BLANK, b"h": _HALF, b"s": _STRING}
    parts[b"m"] = kept(rb"%(k)s%(v)s%(b)s,%(b)s" % parts)
    whole = rb"%(b)s%(m)s(?:%(k)s(?:%(v)s%(b)s%(c)s|[{\[])|%(c)s)" % parts
    member = rb"(?:%(h)s|%(s)s%(b)s(?::%(b)s(?:%(h)s|%(v)s%(b)s)?)?)" if key else rb"(?:%(h)s|%(v)s%(b)s)"
    begun = (rb"%(b)s%(m)s(?:" + member + rb")?") % parts
    return (
        _Expected(re.compile(whole), re.compile(begun + rb"\Z")),
        _Expected(
            re.compile(rb"%(b)s(?:%(c)s|," % parts + whole + rb")"),
            re.compile(rb"%(b)s(?:," % parts + begun + rb")?\Z"),
        ),
    )


_IN_OBJECT, _ON_IN_OBJECT = _expected(_SIMPLE, _MEMBER, rb"\}")
_IN_LIST, _ON_IN_LIST = _expected(_SIMPLE, b"", rb"\]")
_OPENED: Final = {b"{": _IN_OBJECT, b"[": _IN_LIST}
_CLOSED: Final = {b"{": _ON_IN_OBJECT, b"[": _ON_IN_LIST}


class Structure:
    """Follows an object to its end by strings, brackets, commas and colons; its words and numbers are not looked at."""

    def __init__(self, start: int) -> None:
        self.at = start + 1
        self.starts = [start]
        """Where what is open begins."""
        self._open = [b"{"]
        self._expected = _IN_OBJECT

    def follow(self, data: bytes) -> bool | None:
        """Go on; return whether there is an object, which ends at `at`, None if more text has to tell."""
        while self._open:
            found = self._expected.whole.match(data, self.at)
            if found is None:
                return None if self._expected.begun.match(data, self.at) else False
            self.at = found.end()
            bracket = data[self.at - 1 : self.at]
            if bracket in _OPENED:
                self.starts.append(self.at - 1)
                self._open.append(bracket)
                self._expected = _OPENED[bracket]
                if len(self._open) > _DEEPEST:
                    return False
            else:
                self.starts.pop()
                self._open.pop()
                self._expected = _CLOSED[self._open[-1]] if self._open else self._expected
        return True

    def shift(self, count: int) -> None:
        """Take note that so much of the text before was let go."""
        self.at -= count
        self.starts = [start - count for start in self.starts]
