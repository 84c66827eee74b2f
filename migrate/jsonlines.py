"""Stderr as JSON objects, one a line: whatever is written to it, by whomever, is the line of a log."""

import re
import sys
import traceback
from threading import RLock
from typing import TYPE_CHECKING, Final, TextIO, cast

from migrate.logline import Record, as_json, of_screen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


class JsonLines:
    """A text stream that is no terminal: each line that is written becomes a record, each record an object."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = RLock()  # a signal is told of in the thread that it interrupts
        self._rest = ""
        self._last: list[Record] = []
        self.context: Mapping[str, object] = {}
        """Which command tells what is told: fields of every object."""

    def write(self, text: str) -> int:
        """Tell each line that is whole by now; empty ones are none."""
        with self._lock:
            *lines, self._rest = (self._rest + _COLOUR.sub("", text)).split("\n")
            for line in lines:
                if line.strip():
                    self.tell(of_screen(line.rstrip()))
        return len(text)

    def tell(self, record: Record) -> None:
        """Write a record."""
        with self._lock:
            self._stream.write(as_json(record, self.context))
            self._stream.flush()

    def tell_last(self, record: Record) -> None:
        """Write a record once all else of its command is said."""
        self._last.append(record)

    def settle(self) -> None:
        """Write what was to be the last."""
        if self._rest:
            self.write("\n")
        while self._last:
            self.tell(self._last.pop(0))

    def tell_bug(
        self, kind: type[BaseException], error: BaseException, trace: "TracebackType | None"
    ) -> None:
        """Tell of an error that nobody foresaw, its traceback whole (`sys.excepthook`)."""
        whole = "".join(traceback.format_exception(kind, error, trace))
        self.tell(Record("bug", f"{kind.__name__}: {error}", {"traceback": whole}, level="critical"))

    def isatty(self) -> bool:
        """Return that nobody looks at it."""
        return False

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def speak_json() -> JsonLines:
    """Make stderr speak JSON from now on, and return it; once it does, it stays."""
    if not isinstance(sys.stderr, JsonLines):
        spoken = JsonLines(sys.stderr)
        sys.stderr, sys.excepthook = cast("TextIO", spoken), spoken.tell_bug
    return cast("JsonLines", sys.stderr)


def spoken() -> JsonLines | None:
    """Return stderr where it speaks JSON."""
    return sys.stderr if isinstance(sys.stderr, JsonLines) else None
