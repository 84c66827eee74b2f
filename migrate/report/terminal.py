"""The terminal, or what stands in for one; the only module that knows rich."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from migrate.report.sections import BOLD, Line
from migrate.screen import shown

if TYPE_CHECKING:
    from migrate.report.samples import Sample

_TWO_COLUMNS: Final = 80
"""Letters across that two columns need."""
_NAME: Final = "cyan"
"""The colour of a field's name."""
_A_SECOND: Final = 4
"""How often the live line is made anew in a second."""


class Terminal:
    """Stderr, or stdout, on which text from elsewhere stays text."""

    def __init__(self, *, stderr: bool = True) -> None:
        self._console = Console(stderr=stderr, emoji=False, highlight=False, soft_wrap=True)

    @property
    def is_live(self) -> bool:
        """Whether a line can be written over: on a terminal that is not a dumb one, and on nothing that is none."""
        return self._console.is_interactive and self._console.file.isatty()

    @property
    def width(self) -> int | None:
        """How many characters fit on a line, None where there is no terminal."""
        return self._console.width - 1 if self._console.file.isatty() else None

    def print(self, lines: Iterable[Line]) -> None:
        """Print lines."""
        for line in lines:
            self._console.print(shown(line.text), style=line.style, markup=False)

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


def _folded(lines: Iterable[str]) -> Text:
    """Return fields, one a line, their names coloured."""
    text = Text()
    for number, line in enumerate(lines):
        name, colon, value = shown(line).partition(": ")
        text.append("\n" if number else "").append(name, _NAME if colon or not value else "").append(
            colon + value
        )
    return text
