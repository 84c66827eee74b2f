"""What is found in the objects of a part, put together column by column."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from migrate.jsontext.parse import Raw, cells, texts
from migrate.readers.records import Part, reject


class Sheet:
    """What is found in the rows of a part, column by column."""

    def __init__(self, height: int) -> None:
        self._height = height
        self.columns: dict[str, pl.Series | None] = {}
        self._noted: dict[str, tuple[list[int], list[Any]]] = {}
        self._mended: dict[str, dict[int, str | None]] = {}
        self.as_written: pl.Series | None = None
        """Objects that are laid as they stand in their column."""
        self.laid: list[bytes | None] = [None] * height
        self.own: list[bytes | None] = [None] * height
        self.kept = [True] * height

    def note(self, name: str, place: int, value: Raw | bytes) -> None:
        """Take note of a value of a column."""
        places, values = self._noted.setdefault(name, ([], []))
        places.append(place)
        values.append(value)

    def reject(self, place: int, number: int, value: str, part: Part) -> None:
        """Leave out a row with a cell that holds no object; it is one reject, whatever else is wrong with it."""
        if self.kept[place]:
            part.rejects.append(reject(number, "bad_json", value))
        self.kept[place] = False

    def mend(self, column: str, place: int, text: str | None) -> None:
        """Take note of the object that a cell really holds."""
        self._mended.setdefault(column, {})[place] = text

    def laid_column(self) -> pl.Series:
        """Return what is laid of each row."""
        laid = texts(self.laid)
        return (
            laid if self.as_written is None else self.as_written.zip_with(self.as_written.is_not_null(), laid)
        )

    def mended(self, rows: pl.DataFrame) -> list[pl.Series]:
        """Return the columns of which cells are to be another text."""
        return [
            rows[name].scatter(list(cells), pl.Series(list(cells.values()), dtype=pl.String))
            for name, cells in self._mended.items()
        ]

    def found(self) -> list[pl.Series]:
        """Return the columns."""
        for name, (places, values) in self._noted.items():
            self.columns[name] = self.spread(cells(values), places)
        nothing = pl.repeat(None, self._height, dtype=pl.String, eager=True)
        return [(nothing if column is None else column).alias(name) for name, column in self.columns.items()]

    def spread(self, values: pl.Series, places: Sequence[int] | pl.Series | None) -> pl.Series:
        """Return a column with these values at these places, if not at all, and nothing elsewhere."""
        if places is None:
            return values
        return pl.repeat(None, self._height, dtype=pl.String, eager=True).scatter(places, values)
