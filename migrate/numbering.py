"""Numbers of rows: by their place in a file, and where a record is unfolded into many rows by their place in it, too.

A row of an unfolded record is numbered so that its record and its element can be told again, by people as well:
1000000120000003 is element 3 of record 12. No file has so many rows that this would be the place of one, and a program
that reads numbers as doubles keeps all digits of the first 800 million records.
"""

from typing import Final

UNFOLDED: Final = 10**15
"""Rows of unfolded records are numbered from this on."""
ELEMENTS: Final = 10**7
"""A record has fewer elements."""
FILE: Final = 1 << 40
"""Rows of the n-th of files that are planned together are numbered from n times this on: more rows than a file has."""
UNFOLDED_FILE: Final = 1 << 56
"""The same of files whose records are unfolded."""
GATHERED: Final = 1 << 62
"""Rows of parts that hold several inputs are numbered from this on, but for those of the first of these."""
INPUT: Final = 1 << 47
"""Rows of the n-th of these inputs are numbered from `GATHERED` and n times this on: more than planned together."""


def number(record: int, element: int = 0) -> int:
    """Return the number of an element, counted from 1, of a record; with 0, that of the record itself."""
    return UNFOLDED + record * ELEMENTS + element


def gathered(place: int) -> int:
    """Return what is added to the rows' numbers of the input at this place, of those that share a part."""
    return GATHERED + place * INPUT if place else 0


def place_of(row: int) -> int:
    """Return at which place the input of a row is among those that share a part."""
    return (row - GATHERED) // INPUT if row >= GATHERED else 0


def record_of(row: int) -> int:
    """Return where the record of a row stands in its file: the row's own number where records are not unfolded."""
    return row if row < UNFOLDED else (row - UNFOLDED) // ELEMENTS


def element_of(row: int) -> int:
    """Return where a row stands in its record, from 1; 0 where it is the record."""
    return 0 if row < UNFOLDED else (row - UNFOLDED) % ELEMENTS


def within(record: int, row: int) -> int:
    """Return the number of an element of a record that is known by `record`; the element is that of `row`, if any."""
    return number(record_of(record), element_of(row)) if element_of(row) else record


def place(file: str, row: int | None) -> str:
    """Return where a row is, for people: `file:12`, of the third element of a record `file:12#3`.

    Without a number, or with 0, it is the file as a whole.
    """
    if not row:
        return file
    element = element_of(row)
    return f"{file}:{record_of(row)}{f'#{element}' if element else ''}"
