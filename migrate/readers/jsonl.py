"""JSON objects one after another, on lines of their own or laid out in any other way."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import polars as pl

from migrate.jsontext.careful import BadJSON, careful_members
from migrate.jsontext.repairs import scrubbed
from migrate.kit.declare import ROW, Table
from migrate.readers.blocks import Text
from migrate.readers.cutter import Broken, Cutter
from migrate.readers.objects import Objects
from migrate.readers.records import Header, Part, reject
from migrate.readers.structure import one_line
from migrate.readers.wrapped import Wrapper

Found = Sequence[bytes | Broken]
"""Records, and text that is none."""


def jsonl_parts(
    text: Text, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file of JSON objects block by block.

    `ROW` is the number of the line an object begins on, counted as if each further object of a line began a line of
    its own; in a file of pages it is the place among all rows. Lines of one object each are read as they are.
    """
    rows = RowMaker(table, header, record_bytes, text)
    cutter = Cutter(record_bytes, 1 if text.span is None else text.span.row)
    for piece in text.pieces(block_bytes):
        cutter.take(piece)
        del piece  # the cutter has it
        part = rows.lines(cutter)
        if part is None:
            cutter.cut()
            part = rows.part(*cutter.taken())
        yield part
    cutter.cut(final=True)
    part = rows.part(*cutter.taken())
    if text.truncated is not None and not (cutter.ends_broken and cut_off(part, rows.last)):
        rows.tell(part, "truncated_file", text.truncated, cutter.next)
    yield part


def cut_off(part: Part, row: int) -> bool:
    """Give the last record of a file that ends early its true reason; False if it was complete after all."""
    if not part.rejects or part.rejects[-1][:2] != (row, "malformed_json"):
        return False
    part.rejects[-1] = part.rejects[-1]._replace(reason="truncated_file")
    return True


def cell_parts(parts: Iterable[Part], table: Table, header: Header, *, record_bytes: int) -> Iterator[Part]:
    """Yield the rows inside of the cells of one column; `ROW` stays the cell's."""
    rows = RowMaker(table, header, record_bytes)
    wrapper = Wrapper(header.wrapper or "")
    for part in parts:
        cells = part.rows.get_column(header.wrapper or "")
        inside = rows.objects([wrapper.cell(cell) for cell in cells], part.rows[ROW].to_list())
        inside.rejects += part.rejects
        inside.counts.update(part.counts)
        yield inside


def root_keys(found: Iterable[bytes | Broken]) -> tuple[str, ...]:
    """Return the keys of these objects, in the order in which they first appear."""
    keys: dict[str, None] = {}
    for one in found:
        with suppress(BadJSON):
            keys |= {} if isinstance(one, Broken) else dict.fromkeys(careful_members(one, Counter()))
    return tuple(keys)


class RowMaker:
    """Turns records into rows, whatever they were cut from; of wrapped records it is what is inside."""

    def __init__(self, table: Table, header: Header, record_bytes: int, text: Text | None = None) -> None:
        """`text` is what the records come from, where their bytes are still to be checked."""
        self._objects = Objects(table, header, record_bytes)
        self._wrapper = None if header.wrapper is None else Wrapper(header.wrapper)
        self._text = text
        self.last = 0
        """The number of the last record or reject."""

    def lines(self, cutter: Cutter) -> Part | None:
        """Return the whole lines at hand as rows; None where one is no object by itself, so that they must be cut."""
        block = b"" if self._wrapper is not None or self._text is None else cutter.lines()
        if not block or self._text is None:
            return None
        counted = Counter(self._text.counts)
        part, count = self._objects.part(self._text.clean(block), cutter.next)
        if not cutter.are_alone(block, [one.row or 0 for one in part.rejects]):
            self._text.counts = counted
            return None
        self.last = cutter.next + count - 1
        cutter.skip(block, count)
        return part

    def part(self, found: Found, numbers: Sequence[int]) -> Part:
        """Return records as rows, each with its number."""
        counts = Counter[str]()
        if self._wrapper is not None:
            found, numbers = self._wrapper.opened(found, numbers, self.last, counts)
        part = self.objects(found, numbers)
        part.counts.update(counts)
        self.last = numbers[-1] if numbers else self.last
        return part

    def objects(self, found: Found, numbers: Sequence[int]) -> Part:
        """Return objects as rows, each with its number; what is none is a reject."""
        records = [
            (one, number) for one, number in zip(found, numbers, strict=True) if isinstance(one, bytes)
        ]
        part = self._part([one_line(one) for one, _ in records], [number for _, number in records])
        for one, number in zip(found, numbers, strict=True):
            if isinstance(one, Broken):
                text, lone = scrubbed(self._clean(one.text))
                part.rejects.append(reject(number, one.reason, text))
                if lone:
                    part.counts["lone_surrogate"] += lone
        part.rejects.sort(key=lambda one: one.row or 0)
        return part

    def tell(self, part: Part, reason: str, value: str, number: int) -> None:
        """Add a reject that stands after the last record."""
        pages = self._wrapper is not None and self._wrapper.is_paged
        part.rejects.append(reject(self.last + 1 if pages else number, reason, value))

    def _part(self, lines: Sequence[bytes], numbers: Sequence[int]) -> Part:
        """Return objects, one a line, as rows with these numbers."""
        first = numbers[0] if numbers else 1
        is_run = not numbers or numbers[-1] - first + 1 == len(numbers)
        part, _ = self._objects.part(self._clean(b"\n".join(lines)), first if is_run else 1)
        if not is_run:
            places = pl.Series(ROW, numbers, dtype=pl.Int64)
            part.rows = part.rows.with_columns(places.gather(part.rows[ROW] - 1))
            part.rejects = [one._replace(row=numbers[(one.row or 1) - 1]) for one in part.rejects]
        return part

    def _clean(self, text: bytes) -> bytes:
        """Return text as valid UTF-8, what was replaced counted."""
        return text if self._text is None else self._text.clean(text)
