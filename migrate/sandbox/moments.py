"""When an event happened, as PostHog computes it from timestamp, sent_at, offset and its own clock."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

_FUTURE: Final = timedelta(hours=23)
_CANONICAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_TIME: Final = r"(?:(?:T|\s+)(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?)?"
_ISO: Final = re.compile(r"(?P<y>\d{4})[-/](?P<m>\d\d?)[-/](?P<d>\d\d?)" + _TIME, re.ASCII)
_MONTH_FIRST: Final = re.compile(r"(?P<m>\d\d?)/(?P<d>\d\d?)/(?P<y>\d{4})" + _TIME, re.ASCII)
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LETTERS: Final = re.compile(r"[A-Za-z]{3}")
_EPOCH: Final = re.compile(r"\d{10}(?:\.\d{1,9})?|\d{13}|\d{19}", re.ASCII)
_UNITS: Final = {13: 1_000, 19: 1_000_000_000}
"""The digits of a number of seconds since 1970 that is written in parts of them → how many parts a second has."""
_LEAP: Final = "60"


def canonical(moment: datetime) -> str:
    """Return `moment` as UTC text with microseconds and a Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def rfc3339(text: str) -> datetime | None:
    """Read a time as RFC 3339 has it, with its zone; None where it is no such thing."""
    found = _ISO.fullmatch(text.upper()) if _RFC3339.fullmatch(text) else None
    try:
        return _composed(found) if found else None
    except ValueError:
        return None


def instant(text: str, now: datetime) -> datetime | None:
    """Read the date forms PostHog reads; a text without a zone is UTC, a day alone is that day at `now`'s time of day.

    Seconds since 1970 are read, too, with ten digits, and thousandths and billionths of them with 13 and 19.
    """
    text = text.strip()
    found = _ISO.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    try:
        if found:
            moment = _composed(found)
            return moment if found[4] else datetime.combine(moment, now.astimezone(UTC).timetz())
        if _EPOCH.fullmatch(text):
            parts = Decimal(text) / _UNITS.get(len(text.partition(".")[0]), 1)
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(parts * 1_000_000))
        if _LETTERS.search(text):
            moment = parsedate_to_datetime(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    return None


def nearest(text: str) -> datetime:
    """Return the moment of a canonical text, a leap second or one of the year 0000 as near as a datetime has it."""
    year, second = text[:4], text[17:19]
    near = f"{'0004' if year == '0000' else year}{text[4:17]}{'59' if second == _LEAP else second}{text[19:]}"
    return datetime.fromisoformat(near)


def _kept(text: str) -> str | None:
    """Return a time in the year 0000, or in a leap second, as canonical text, which is what PostHog keeps of it."""
    found = _ISO.fullmatch(text.strip())
    if not found or not found[4] or found[8] not in {"Z", "z", "+00:00"}:
        return None
    year, month, day, hour, minute, second, fraction = (part or "" for part in found.groups()[:7])
    time = f"{hour:>02}:{minute:>02}:{second or '0':>02}.{fraction[:6]:<06}Z"
    whole = f"{year}-{month:>02}-{day:>02}T{time}"
    try:
        nearest(whole)
    except ValueError:
        return None
    return whole if year == "0000" or second == _LEAP else None


def _composed(found: re.Match[str]) -> datetime:
    hour, minute, second, fraction, zone = found.groups()[3:]
    return datetime(
        int(found["y"]),
        int(found["m"]),
        int(found["d"]),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
        _zone(zone),
    )


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


class Clock:
    """One request's view of time: the server's now, and the client's `sent_at` if it gave a valid one."""

    def __init__(self, now: datetime, sent_at: datetime | None) -> None:
        self.now = now
        self.text = canonical(now)
        self._sent_at = sent_at
        self._limit = canonical(now + _FUTURE)

    def moment(self, timestamp: str | None, *, offset: int | None, ignores_sent_at: bool) -> str:
        """Return the event's moment as canonical text: microseconds, UTC."""
        if offset is None and (self._sent_at is None or ignores_sent_at) and timestamp is not None:
            text = self._as_sent(timestamp)
        else:
            text = self._shifted(timestamp, offset, ignores_sent_at=ignores_sent_at)
        return self.text if text is None or text > self._limit else text

    def _as_sent(self, timestamp: str) -> str | None:
        if _CANONICAL.fullmatch(timestamp):
            try:
                datetime.fromisoformat(timestamp)
            except ValueError:
                return _kept(timestamp)
            return timestamp
        return _in_range(instant(timestamp, self.now)) or _kept(timestamp)

    def _shifted(self, timestamp: str | None, offset: int | None, *, ignores_sent_at: bool) -> str | None:
        try:
            if offset is not None:
                return canonical(self.now - timedelta(milliseconds=offset))
            moment = None if timestamp is None else instant(timestamp, self.now)
            if moment is None or self._sent_at is None or ignores_sent_at:
                return None
            return canonical(self.now + (moment - self._sent_at))
        except OverflowError:
            return None


def _in_range(moment: datetime | None) -> str | None:
    try:
        return None if moment is None else canonical(moment)
    except OverflowError:
        return None
