"""Rows of very many columns: taken a stretch of columns at a time, and put together as JSON text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import repeat
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO, Final

import msgspec
import polars as pl
import pyarrow as pa

from migrate.errors import Stopped
from migrate.jsontext.build import bare, object_text
from migrate.kit.declare import REST
from migrate.readers.records import Part

_MANY: Final = 256
"""A query for each of so many columns takes as long as all at once and a look at each member; of 2,000, five times."""
_STRETCH: Final = 2_048
"""Columns at once: polars takes 10 kB for each, whatever it holds (polars 2.1, measured)."""
_PIECE_BYTES: Final = 1 << 18
_NOTHING: Final[Mapping[str, pl.Expr]] = {}
_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="lz4")
_NULL: Final = msgspec.Raw(b"null")
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def is_wide(columns: Sized) -> bool:
    """Return whether these are so many columns that what each costs by itself counts."""
    return len(columns) > _MANY


def stretches(columns: Sequence[str], weights: Iterable[float] = repeat(1 / _STRETCH)) -> list[list[str]]:
    """Return columns in their order, so many together that they weigh no more than 1; at least one stretch."""
    found: list[list[str]] = [[]]
    left = 1.0
    for name, weight in zip(columns, weights, strict=False):
        if weight > left and found[-1]:
            found.append([])
            left = 1.0
        found[-1].append(name)
        left -= weight
    return found


def wide_object_text(columns: Mapping[str, pl.Expr], *, json: Mapping[str, pl.Expr] = _NOTHING) -> pl.Expr:
    """Return what `jsontext.object_text` does, to the byte, in a time that grows with the columns and no faster.

    `json`, beside many columns, holds numbers.
    """
    if not is_wide({**columns, **json}):
        return object_text(columns, json=json)
    row = pl.struct(value.alias(name) for name, value in {**columns, **json}.items())
    written = partial(_written, numbers=frozenset(json))
    return row.map_batches(written, return_dtype=pl.String, is_elementwise=True)


def _written(rows: pl.Series, numbers: frozenset[str]) -> pl.Series:
    """Return rows as JSON objects without nulls, null where nothing is left; some texts are numbers."""
    texts = rows.struct.json_encode()
    if not numbers and not any(column.null_count() for column in rows.struct.unnest()):
        return texts
    return pl.Series(rows.name, [_without_nulls(text, numbers) for text in texts], dtype=pl.String)


def _without_nulls(text: str, numbers: frozenset[str]) -> str | None:
    """Return an object without its null members, None where it has no others."""
    members = {name: value for name, value in _members(text).items() if value != _NULL}
    for name in members.keys() & numbers:
        members[name] = msgspec.Raw(bytes(members[name])[1:-1])
    return msgspec.json.encode(members).decode() if members else None


def together(objects: Sequence[pl.Expr]) -> pl.Expr:
    """Return JSON objects, or nulls, that have no names in common as one object; null where all are."""
    inside = pl.concat_str([bare(text, "{") for text in objects], separator=",", ignore_nulls=True)
    return pl.when(inside != "").then(pl.concat_str(pl.lit("{"), inside, pl.lit("}")))


def side_by_side(stretches: Iterable[Iterator[Part]]) -> Iterator[Part]:
    """Yield the rows that stretches of their columns make, each stretch read to its end before the next.

    The first has the declared columns; all have a rest. What is read waits in files, as text. Raises `ArrowInvalid`
    when one has more rows than another, and `Stopped` when there is no room for the files.
    """
    with ExitStack() as stack:
        aside = [_Aside(parts, stack.enter_context(TemporaryFile())) for parts in stretches]
        counts = sum((one.counts for one in aside), Counter[str]())
        while height := min(one.fill() for one in aside):
            declared, *others = (one.take(height) for one in aside)
            rests = [rows[REST].alias(f"rest{place}") for place, rows in enumerate(others)]
            rest = together([pl.col(REST), *(pl.col(one.name) for one in rests)]).alias(REST)
            yield Part(declared.hstack(rests).select_seq(*declared.columns[:-1], rest), counts=counts)
            counts = Counter()
        if any(one.fill() for one in aside):
            raise pa.ArrowInvalid("its columns have different numbers of rows")


class _Aside:
    """Rows of a stretch of columns in a file, to be read again in small pieces."""

    def __init__(self, parts: Iterator[Part], file: BinaryIO) -> None:
        self.counts = Counter[str]()
        self._head = pl.DataFrame()
        writer: pa.RecordBatchStreamWriter | None = None
        for part in parts:
            self.counts.update(part.counts)
            table = part.rows.to_arrow(compat_level=pl.CompatLevel.oldest())
            with _writable():
                writer = writer or pa.ipc.new_stream(file, table.schema, options=_OPTIONS)
                rows = max(1, _PIECE_BYTES * table.num_rows // max(1, table.nbytes))
                writer.write_table(table, max_chunksize=rows)
        if writer is not None:
            with _writable():
                writer.close()
                file.seek(0)
        self._batches = iter(() if writer is None else pa.ipc.open_stream(file))

    def fill(self) -> int:
        """Make sure that there are rows at hand, and return how many there are; none at the end."""
        while not self._head.height and (batch := next(self._batches, None)) is not None:
            self._head = pl.DataFrame(batch)
        return self._head.height

    def take(self, height: int) -> pl.DataFrame:
        """Return so many of the rows at hand."""
        taken, self._head = self._head.head(height), self._head.slice(height)
        return taken


@contextmanager
def _writable() -> Iterator[None]:
    """Turn what a disk can refuse into Stopped: it says nothing of the source."""
    try:
        yield
    except OSError as error:
        raise Stopped(
            f"{gettempdir()}: cannot be written, found '{error.strerror or error}'; see to space and permissions, "
            "then run the same command again to resume"
        ) from error
