"""Cells → lines whose columns stand below one another."""

from collections.abc import Collection, Iterator, Sequence

from migrate.report.sections import Line


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[str]) -> Iterator[Line]:
    """Yield the titles and the rows below them, each column as wide as it must be; all but `texts` end at one line."""
    columns = [
        [cell.ljust(width) if title in texts else cell.rjust(width) for cell in column]
        for title, *column in ((one, one, *(row[place] for row in rows)) for place, one in enumerate(titles))
        if (width := max(map(len, column)))
    ]
    yield from (Line("  ".join(cells).rstrip()) for cells in zip(*columns, strict=True))
