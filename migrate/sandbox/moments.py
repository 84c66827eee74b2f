"""When an event happened, as PostHog computes it from timestamp, sent_at, offset and its own clock."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

_FUTURE: Final = timedelta(hours=23)
_CANONICAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_TIME: Final = r"(?:(?:T|\s+)(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?)?"
_ISO: Final = re.compile(r"(?P<y>\d{4})[-/](?P<m>\d\d?)[-/](?P<d>\d\d?)" + _TIME, re.ASCII)
_MONTH_FIRST: Final = re.compile(r"(?P<m>\d\d?)/(?P<d>\d\d?)/(?P<y>\d{4})" + _TIME, re.ASCII)
_LETTERS: Final = re.compile(r"[A-Za-z]{3}")


def canonical(moment: datetime) -> str:
    """Return `moment` as UTC text with microseconds and a Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant(text: str) -> datetime | None:
    """Read the date forms PostHog reads; a text without a zone is UTC, a numeric text is no date at all."""
    text = text.strip()
    found = _ISO.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    try:
        if found:
            return _composed(found)
        if _LETTERS.search(text):
            moment = parsedate_to_datetime(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    return None


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
                return None
            return timestamp
        moment = instant(timestamp)
        return _in_range(moment)

    def _shifted(self, timestamp: str | None, offset: int | None, *, ignores_sent_at: bool) -> str | None:
        try:
            if offset is not None:
                return canonical(self.now - timedelta(milliseconds=offset))
            moment = None if timestamp is None else instant(timestamp)
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
