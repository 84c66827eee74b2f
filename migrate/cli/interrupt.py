"""An interrupt (Ctrl-C, SIGTERM, a terminal that is gone): KeyboardInterrupt, but never in the middle of a module."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import click

from migrate.stores import waiting

_NOT_WITHIN: Final = ("<frozen importlib", "/polars/")
"""Parts of the names of files: what reads modules, and a library whose Rust takes an interrupt for its own fault."""
_SECONDS: Final = 0.001
_ASKED: Final = "migrate.asked_to_end"


def asking() -> list[signal.Signals]:
    """Return the signals that ask to end; SIGHUP is none where it is ignored, as `nohup` has it."""
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([] if is_ignored else [signal.SIGHUP])]


@contextmanager
def answered_by(stop: Callable[[int, FrameType | None], object]) -> Iterator[Callable[[], None]]:
    """Have whatever asks to end call this, as long as the block lasts; give what ends that before."""
    before = {number: signal.signal(number, stop) for number in asking()}

    def end() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield end
    finally:
        end()


def note_asked() -> None:
    """Take note, in a signal's handler, that somebody asked to end: nothing else is begun after what runs."""
    if (ctx := click.get_current_context(silent=True)) is not None:
        ctx.meta[_ASKED] = True


def was_asked(ctx: click.Context) -> bool:
    """Return whether somebody asked to end since the command line began."""
    return bool(ctx.meta.get(_ASKED))


def heed() -> None:
    """Interrupt the main thread from now on where SIGINT comes; SIGALRM says that one came before."""
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.signal(signal.SIGINT, interrupt)


def heed_no_more() -> None:
    """Leave an interrupt to the system: there is nothing left to say."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def broke_off(error: BaseException) -> bool:
    """Return whether an error is an interrupt, or what one became that came while Python took one of its own locks.

    That is a RuntimeError. Any other error is a bug, also where it comes while an interrupt is heeded.
    """
    found: BaseException | None = error
    while isinstance(found, RuntimeError):
        found = found.__context__
    return isinstance(found, click.Abort | KeyboardInterrupt)


def interrupt(_: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, at once or as soon as nothing is being done that must not break off.

    Half a module is none for whoever reads it next, and what breaks off a class becomes another error.
    """
    while frame is not None:
        if any(part in frame.f_code.co_filename for part in _NOT_WITHIN):
            signal.setitimer(signal.ITIMER_REAL, _SECONDS)
            return
        frame = frame.f_back
    waiting.end()
    raise KeyboardInterrupt
