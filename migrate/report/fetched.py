"""What was fetched from a vendor → a screen, a document, and how far it is while it goes on."""

from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING

from migrate.report.live import Part
from migrate.report.sections import BOLD, WARNING, Line, labelled
from migrate.screen import amount, counted

if TYPE_CHECKING:
    from migrate.download import Download
    from migrate.fetching.fetcher import Tally


def lines(download: "Download", *, is_alone: bool) -> Iterator[Line]:
    """Yield the screen; `is_alone`: nothing else follows in this command."""
    tally, vendor = download.tally, download.vendor
    if not tally.wanted:
        yield labelled(
            "fetched", f"nothing: all that {vendor.title} has{_when(download)} is in {download.target}"
        )
    else:
        yield labelled(
            "fetched",
            f"{counted(tally.new, 'new file')} and {tally.replaced:,} that changed, {counted(tally.rows, 'row')}, "
            f"{amount(tally.bytes)} of {vendor.title}{_when(download)}",
        )
    if tally.same:
        yield labelled("", f"{counted(tally.same, 'file')} asked for again, as they were")
    if tally.empty:
        yield labelled("", f"{counted(tally.empty, 'stretch')} of time of which there is nothing")
    if tally.left:
        yield labelled("", f"{tally.left:,} still to be asked for", WARNING)
    if is_nothing(download):
        yield labelled("warning", nothing(download), WARNING)
    elif is_alone and download.has_files:
        yield labelled("next", "", BOLD, command=download.next)


def is_nothing(download: "Download") -> bool:
    """Return whether all that was asked for was empty, and always was."""
    return bool(download.tally.empty) and not download.has_files


def nothing(download: "Download") -> str:
    """Return what that may mean."""
    return (
        f"{download.vendor.title} has nothing{_when(download)}; check --since, and whether the keys are those of the "
        "project that is meant"
    )


def document(download: "Download") -> dict[str, object]:
    """Return what was done as JSON has it, under `fetch`."""
    stretch, tally = download.stretch, download.tally
    return {
        "platform": download.vendor.name,
        "target": download.target,
        "since": stretch and stretch.start.isoformat(timespec="minutes"),
        "until": stretch and stretch.end.isoformat(timespec="minutes"),
        "wanted": tally.wanted,
        "left": tally.left,
        "files": {"new": tally.new, "replaced": tally.replaced, "same": tally.same},
        "empty": tally.empty,
        "rows": tally.rows,
        "bytes": tally.bytes,
        "requests": tally.requests,
        "next": download.next,
    }


def _when(download: "Download") -> str:
    if (stretch := download.stretch) is None:
        return ""
    form = "%Y-%m-%d" if download.vendor.calendar.word == "day" else "%Y-%m-%dT%H"
    return f" from {stretch.start:{form}} until {stretch.end:{form}}"


class Fetching:
    """How far fetching is; it may be told of from any thread."""

    def __init__(self) -> None:
        self._done = self._wanted = self._rows = 0
        self._why = ""
        self._lock = Lock()

    def note(self, tally: "Tally") -> None:
        """Note what is settled."""
        with self._lock:
            self._done, self._wanted, self._rows = tally.wanted - tally.left, tally.wanted, tally.rows
            self._why = ""

    def wait(self, seconds: float, why: str) -> None:
        """Note that it waits for so many seconds, and why."""
        with self._lock:
            self._why = f"waits {seconds:,.0f} s: {why}" if seconds >= 1 else ""

    def parts(self, _now: float) -> Iterator[Part]:
        """Yield the parts of its line."""
        with self._lock:
            yield Part(
                f"fetching {self._done:,}/{counted(self._wanted, 'file')}" if self._wanted else "fetching"
            )
            yield Part(counted(self._rows, "row"), ((2, ""),))
            if self._why:
                yield Part(self._why, ((1, ""),))
