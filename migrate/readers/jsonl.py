"""JSON objects, one a line: declared keys read column-wise, risky lines one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec
import polars as pl

from migrate.mapping import REST, ROW, Table
from migrate.readers.blocks import Text, TooLarge, line_blocks
from migrate.readers.care import BadJSON, dangerous, members, plain
from migrate.readers.keys import Keys
from migrate.readers.records import Header, Part, reject

_BLANK: Final = b" \t\r\n"
_root: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def jsonl_parts(
    text: Text, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file of JSON lines block by block; `ROW` is the line's number."""
    lines = Lines(table, header, record_bytes)
    row, cut = 1, False
    for block in line_blocks(text.pieces(block_bytes), record_bytes):
        if isinstance(block, TooLarge):
            part = lines.part([], row)
            part.rejects.append(reject(row, "record_too_large", block.start))
            row += 1
        else:
            part, found = lines.block(text.clean(block), row)
            row += found
            cut = text.truncated is not None and not block.endswith(b"\n") and cut_off(part, row - 1)
        yield part
    if text.truncated is not None and not cut:
        part = lines.part([], row)
        part.rejects.append(reject(row, "truncated_file", text.truncated))
        yield part


def cut_off(part: Part, row: int) -> bool:
    """Give the last record of a file that ends early its true reason; False if it was complete after all."""
    if not part.rejects or part.rejects[-1][:2] != (row, "malformed_json"):
        return False
    part.rejects[-1] = part.rejects[-1]._replace(reason="truncated_file")
    return True


def root_keys(lines: Iterable[bytes]) -> tuple[str, ...]:
    """Return the keys of the objects in these lines, in the order in which they first appear."""
    keys: dict[str, None] = {}
    for line in lines:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            keys |= dict.fromkeys(_root(line))
    return tuple(keys)


class Lines:
    """Turns lines into parts. What a line becomes never depends on the lines around it."""

    def __init__(self, table: Table, header: Header, record_bytes: int) -> None:
        self._keys = Keys(table, header)
        self._schema = dict.fromkeys(self._keys.spelling.values(), pl.String)
        self._record_bytes = record_bytes

    def block(self, text: bytes, first: int) -> tuple[Part, int]:
        """Return the rows of a text, as `part` does but at once where no line needs care, and how many lines it has."""
        frame = self._sound(text)
        if frame is None:
            lines = text.removesuffix(b"\n").split(b"\n")
            return self.part(lines, first), len(lines)
        rows = self._named(range(first, first + frame.height), frame, {})
        return Part(rows, sound=True), frame.height

    def part(self, lines: Sequence[bytes], first: int) -> Part:
        """Return the rows of these lines, the first of them numbered `first`; blank ones count but are no rows."""
        part = Part(self._rows([], []))
        texts = {number: text for number, line in enumerate(lines, first) if (text := line.strip(_BLANK))}
        if max(map(len, texts.values()), default=0) > self._record_bytes:
            for number in [number for number, text in texts.items() if len(text) > self._record_bytes]:
                part.rejects.append(reject(number, "record_too_large", texts.pop(number)))
        if not texts:
            return part
        careful = _dangerous(texts)
        safe = {number: text for number, text in texts.items() if number not in careful} if careful else texts
        rests, unsure = self._keys.rests(safe)
        if unsure:
            safe = {number: text for number, text in safe.items() if number not in unsure}
        frames = [self._named(*read, rests) for read in self._fast(list(safe), list(safe.values()))]
        if len(texts) > sum(frame.height for frame in frames):
            left = texts.keys() - {number for frame in frames for number in frame[ROW]}
            frames.append(self._careful({number: texts[number] for number in sorted(left)}, part))
        part.rows = pl.concat(frames).sort(ROW) if len(frames) > 1 else frames[0]
        return part

    def _sound(self, text: bytes) -> pl.DataFrame | None:
        """Return the cells of lines read column-wise; None where one of them is none, or cannot be read so."""
        if len(text) > self._record_bytes:
            return None
        frame = self._keys.cells(text)
        if frame is None and not self._keys.are_sound(text):
            return None
        lines = pl.Series([text], dtype=pl.Binary).cast(pl.String).str.split("\n").explode()
        lines = lines.head(lines.len() - text.endswith(b"\n"))
        if dangerous(lines).any():
            return None
        if frame is None:
            frame = _read(text, dict.fromkeys(self._keys.seen, pl.String))
        elif not _are_whole(lines):
            return None
        return frame if frame is not None and frame.height == lines.len() else None

    def _fast(self, numbers: list[int], texts: list[bytes]) -> Iterator[tuple[list[int], pl.DataFrame]]:
        """Yield lines read at once, with their numbers; lines that cannot be read so are left out."""
        if not texts:
            return
        frame = _read(b"\n".join(texts), self._schema)
        if frame is not None and frame.height == len(texts):
            yield numbers, frame
        elif len(texts) > 1:
            half = len(texts) // 2
            yield from self._fast(numbers[:half], texts[:half])
            yield from self._fast(numbers[half:], texts[half:])

    def _named(self, numbers: Sequence[int], frame: pl.DataFrame, rests: Mapping[int, str]) -> pl.DataFrame:
        """Return the frame under the declared names, with numbers and rests.

        Put together without a query, which costs 0.4 ms for the 49 columns of Amplitude (measured).
        """
        cells = {column.name: column for column in frame.get_columns()}
        nothing = pl.repeat(None, len(numbers), dtype=pl.String, eager=True)
        rest = [rests.get(number) for number in numbers] if rests else nothing
        return pl.DataFrame(
            [
                pl.Series(ROW, numbers, dtype=pl.Int64),
                *(cells.get(key, nothing).alias(name) for name, key in self._keys.spelling.items()),
                pl.Series(REST, rest, dtype=pl.String),
            ]
        )

    def _careful(self, texts: Mapping[int, bytes], part: Part) -> pl.DataFrame:
        """Return the rows of lines read one by one; what is no row becomes a reject."""
        numbers, rows = [], []
        for number, text in texts.items():
            try:
                declared, rest = self._keys.split(members(text, part.counts))
            except BadJSON as error:
                part.rejects.append(reject(number, str(error), text))
            else:
                numbers.append(number)
                rows.append({name: plain(value) for name, value in declared.items()} | {REST: rest})
        return self._rows(numbers, rows)

    def _rows(self, numbers: Sequence[int], rows: Sequence[Mapping[str, str | None]]) -> pl.DataFrame:
        schema = dict.fromkeys([*self._keys.spelling, REST], pl.String)
        frame = pl.DataFrame(rows, schema=schema)
        return frame.insert_column(0, pl.Series(ROW, numbers, dtype=pl.Int64))


def _are_whole(lines: pl.Series) -> bool:
    """Return whether each line that msgspec has read is of whole objects: no line ends within one.

    After a brace that closes another, inside of an object, none can open one.
    """
    bare = lines.str.strip_chars(" \t\r")
    return bool((bare.str.starts_with("{") & bare.str.ends_with("}")).all())


def _read(lines: bytes, schema: Mapping[str, type[pl.String]]) -> pl.DataFrame | None:
    """Return lines read column-wise, None where a line cannot be read."""
    try:
        return pl.read_ndjson(lines, schema=schema)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _dangerous(texts: Mapping[int, bytes]) -> set[int]:
    """Return the numbers of the lines that the fast way would read wrongly."""
    found = dangerous(pl.Series(list(texts.values()), dtype=pl.Binary).cast(pl.String)).arg_true()
    if not found.len():
        return set()
    numbers = list(texts)
    return {numbers[place] for place in found}
