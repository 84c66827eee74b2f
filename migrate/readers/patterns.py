"""Where the match of a pattern ends."""

import re


def end_of(pattern: re.Pattern[bytes], data: bytes, start: int) -> int:
    """Return where the match that begins at `start` ends, `start` itself where there is none."""
    match = pattern.match(data, start)
    return start if match is None else match.end()
