"""The terminal, or what stands in for one; the only module that knows rich."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from migrate.report.bars import BAR, bar
from migrate.report.sections import BOLD, Line
from migrate.screen import shown

if TYPE_CHECKING:
    from migrate.report.samples import Sample

_TWO_COLUMNS: Final = 80
"""Letters across that two columns need."""
_HANG: Final = 2
"""By so many letters a line goes on further in than it began, where there is no column of labels."""
_LEAST: Final = 10
"""On so many letters something can be written, however narrow the screen is."""
_WORD: Final = re.compile(r"\s*\S+")
_UNBROKEN: Final = "\ue000"
"""Stands for a blank at which no line is broken: of no script, and as wide."""
_NAME: Final = "cyan"
"""The colour of a field's name."""
_A_SECOND: Final = 4
"""How often the live line is made anew in a second."""


class Terminal:
    """Stderr, or stdout, on which text from elsewhere stays text."""

    def __init__(self, file: TextIO | None = None, *, stderr: bool = True) -> None:
        self._console = Console(file=file, stderr=stderr, emoji=False, highlight=False, soft_wrap=True)

    @property
    def is_live(self) -> bool:
        """Whether a line can be written over: on a terminal that is not a dumb one, and on nothing that is none."""
        return self._console.is_interactive and self._console.file.isatty()

    @property
    def width(self) -> int | None:
        """How many characters fit on a line, None where there is no terminal."""
        return self._console.width - 1 if self._console.file.isatty() else None

    def print(self, lines: Iterable[Line]) -> None:
        """Print lines; on a terminal those that are longer than it are broken between words."""
        for line in lines:
            self._console.print(self.fitted(line), style=line.style, markup=False)

    def fitted(self, line: Line) -> str:
        """Return a line as it is shown, on a terminal as several where it is longer than that: broken between words.

        What can be pasted stays whole, for the terminal to break: so it is copied as one.
        """
        text, command = shown(line.text), shown(line.command)
        if (width := self.width) is None or cell_len(text) <= width:
            return text
        if line.bar:
            stem = text.rstrip(BAR)
            room = width - cell_len(stem)
            text = stem + bar(line.bar, room) if room > 0 else stem.rstrip()
            if cell_len(text) <= width:
                return text
        if command:
            text = text.replace(command, command.replace(" ", _UNBROKEN))
        begin = line.hang or len(text) - len(text.lstrip())
        hang = line.hang or begin + _HANG
        lines = _broken(text[begin:], max(width - hang, _LEAST))
        return (text[:begin] + f"\n{' ' * hang}".join(lines)).replace(_UNBROKEN, " ")

    def print_samples(self, samples: "Iterable[Sample]") -> None:
        """Print rows beside what they become, in two columns where there is room for them, else one below the other."""
        for one in samples:
            self._console.print(shown(one.title), style=BOLD, markup=False)
            if not one.source or self._console.width < _TWO_COLUMNS:
                parts = (
                    [[_folded(one.source)], [_folded(one.becomes)]]
                    if one.source
                    else [[_folded(one.becomes)]]
                )
            else:
                parts = [[_folded(one.source), _folded(one.becomes)]]
            table = Table.grid(padding=(0, 0, 0, 2))
            for _ in parts[0]:
                table.add_column(ratio=1, overflow="fold")
            table.expand = len(parts[0]) > 1
            for row in parts:
                table.add_row(*row)
            with self._console.capture() as captured:
                self._console.print(table, soft_wrap=False)
            self._console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
            self._console.print()

    @contextmanager
    def live(self, line: Callable[[], str]) -> Iterator[None]:
        """Show one line while work goes on, asked for anew several times a second, also while nothing happens."""

        def text() -> Text:
            found = Text(shown(line()), no_wrap=True)
            found.truncate(self._console.width - 1, overflow="ellipsis")
            return found

        with Live(
            get_renderable=text,
            console=self._console,
            refresh_per_second=_A_SECOND,
            transient=True,
            redirect_stdout=False,
        ):
            yield


def _broken(text: str, room: int) -> list[str]:
    """Return a text as lines with room for so many letters, broken between words; a word alone may be longer."""
    lines = [""]
    for word in _WORD.findall(text):
        if lines[-1] and cell_len(lines[-1] + word) > room:
            lines.append(word.lstrip())
        else:
            lines[-1] += word
    return lines


def _folded(lines: Iterable[str]) -> Text:
    """Return fields, one a line, their names coloured."""
    text = Text()
    for number, line in enumerate(lines):
        name, colon, value = shown(line).partition(": ")
        text.append("\n" if number else "").append(name, _NAME if colon or not value else "").append(
            colon + value
        )
    return text
