"""The uuids of payloads as one text, as an answer has them that takes all events of a request.

Capture v1 speaks of each event by its uuid, in the order of the request (PostHog's `v1/analytics/response.rs` promises
it). So the answer that is expected can be laid beside the one that came; a text of Python's for each uuid, and a
verdict, would take a tenth of the time that sending takes, measured.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import polars as pl

from migrate.apply.texts import text_of


class Uuids(NamedTuple):
    """Uuids of events, all of one length, with what stands between two of them; none where nobody asks."""

    text: memoryview = memoryview(b"")
    between: str = ""
    stride: int = 0
    """Bytes from the beginning of one to that of the next."""
    may_repeat: bool = False
    """Whether two events may have the same."""

    @classmethod
    def of(cls, series: pl.Series, between: str) -> Self:
        """Return those of a column; raise ValueError where they are not all as long as each other."""
        if not (between and len(series)):
            return cls()
        text = text_of(series.str.join(between))
        stride, rest = divmod(len(text) + len(between), len(series))
        if rest or series.null_count() or (series.str.len_bytes() != stride - len(between)).any():
            raise ValueError("uuids are not all of one length")
        return cls(text, between, stride, may_repeat=series.n_unique() < len(series))

    def part(self, start: int, stop: int) -> Self:
        """Return the uuids `start` to `stop` (excluded), not copied."""
        return self._replace(text=self.spoken(start, stop))

    def some(self, which: Sequence[int]) -> Self:
        """Return those with these numbers, copied."""
        names = self.names()
        return self.of(
            pl.Series([names[number] for number in which] if names else [], dtype=pl.String), self.between
        )

    def spoken(self, start: int, stop: int) -> memoryview:
        """Return their text, not copied."""
        return self.text[
            start * self.stride : max(start * self.stride, stop * self.stride - len(self.between))
        ]

    def names(self) -> list[str]:
        """Return them one by one."""
        return str(self.text, "utf-8").split(self.between) if self.text else []
