"""Output that nobody reads any more, as behind `| head`: work goes on to its end, what only prints ends well.

Nor does it end where stdout or stderr is closed, or where stderr goes to a disk that is full.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import click

from migrate.errors import Stopped


class Lasting:
    """A text stream to which writing goes on, into nothing, when nobody reads it any more or its disk is full.

    Work whose talk is cut off (`2>&1 | head`) is done to its end.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process

    def write(self, text: str) -> int:
        """Write a text, as far as anybody reads it; nothing is always written, as who asks what a stream is does."""
        with self._checked():
            return 0 if text == "" else self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is held back, as far as anybody reads it."""
        with self._checked():
            self._stream.flush()

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


class Data(Lasting):
    """A text stream for data, in UTF-8 whatever the machine's language is; what cannot be written is an error.

    Raises BrokenPipeError where nobody reads any more, Stopped where its disk is full, or where it is closed.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self._is_closed = stream is None
        if isinstance(self._stream, TextIOWrapper):
            self._stream.reconfigure(encoding="utf-8")

    def write(self, text: str) -> int:
        """Write a text."""
        if self._is_closed and text:
            self._is_closed = False  # it is said once
            raise Stopped("stdout: cannot be written, found it closed; leave '>&-' out, or write to a file")
        return super().write(text)

    def finish(self) -> None:
        """Write what is held back at the end of the process."""
        try:
            self.flush()
        except BrokenPipeError:
            self._give_up()

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self._give_up()
            raise Stopped(
                f"stdout: cannot be written, found '{error.strerror}'; see to space, then run the same command again"
            ) from error


class Unbroken(click.Group):
    """The commands. One whose output nobody reads any more (`| head`) has done what it was for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Read what was typed; the help may be what nobody reads."""
        with _ending_unread():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        with _ending_unread():
            return super().invoke(ctx)


@contextmanager
def _ending_unread() -> Iterator[None]:
    """End well where nobody reads stdout any more."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None
