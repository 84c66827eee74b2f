"""Output that nobody reads any more, as behind `| head`: work goes on to its end, what only prints ends well."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import click


class Lasting:
    """A text stream to which writing goes on, into nothing, when nobody reads it any more.

    Work whose talk is cut off (`2>&1 | head`) is done to its end.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, as far as anybody reads it."""
        with self._unread():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is held back, as far as anybody reads it."""
        with self._unread():
            self._stream.flush()

    @contextmanager
    def _unread(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


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
