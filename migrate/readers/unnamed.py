"""Delimited text without a header: what its columns are called, told by its platform or by a header file beside it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from migrate.errors import Unfit
from migrate.inputs.source import Source
from migrate.inputs.streams import peek
from migrate.kit.declare import Headerless
from migrate.readers.blocks import Text
from migrate.readers.delimiters import delimited_header, first_records
from migrate.readers.dialects import Layout
from migrate.readers.encodings import detect

_HEAD_BYTES: Final = 256
_NAMES_BYTES: Final = 8 << 20

HeaderFile = Callable[[str, str], Source]
"""A source's name and a glob -> the file of such a name that belongs to it; raises `Unfit` where there is none."""


@dataclass(frozen=True)
class Unnamed:
    """What a platform says of its files without a header, and what the user says over it."""

    kinds: Sequence[Headerless]
    header_file: HeaderFile
    said: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a layout that the user says."""
    _names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def layout(self, source: Source, data: bytes) -> Layout | None:
        """Return how a file that begins with these lines is written, None where it is as any other.

        Raises `Unfit` where the file that names its columns is not there, or names another number of them.
        """
        for kind in self.kinds:
            said = self._said(kind)
            records = first_records(data, said) if kind.may_be(source.name) else []
            if not records:
                continue
            first, (most, _) = records[0], Counter(map(len, records)).most_common(1)[0]
            if kind.header_file is None and not kind.files and most != len(kind.columns):
                continue
            if "columns" in self.said or "has_header" in self.said:
                return said
            names, where = self._columns(source, kind)
            lowered = {name.lower() for name in names}
            if 2 * sum(cell.strip().lower() in lowered for cell in first) > len(first):
                return said
            if most != len(names) and not (most == len(names) + 1 and not any(one[-1] for one in records)):
                raise Unfit(
                    source.name,
                    "other_columns",
                    f"it has no header, and {most:,} cells in a row, found {len(names):,} names for them in {where}; "
                    "put the file there that was exported with it, or name its columns with --columns a,b,…",
                )
            return replace(said, columns=names, has_header=False)
        return None

    def _said(self, kind: Headerless) -> Layout:
        """Return how files of a kind are written, but for their columns: as the user says, else as the kind does."""
        quotes = "quote" in self.said or "escape" in self.said
        dialect = None if quotes else kind.dialect
        return replace(
            Layout(
                delimiter=kind.delimiter,
                dialect=dialect,
                fallback=kind.encoding,
                is_known=kind.dialect is not None,
            ),
            **self.said,
        )

    def _columns(self, source: Source, kind: Headerless) -> tuple[tuple[str, ...], str]:
        """Return the names of a file's columns, and where they stand."""
        if kind.header_file is None:
            return tuple(kind.columns), "what its platform writes"
        beside = self.header_file(source.name, kind.header_file)
        if beside.name not in self._names:
            self._names[beside.name] = _names_in(beside, self._said(kind))
        return self._names[beside.name], beside.name


def _names_in(source: Source, layout: Layout) -> tuple[str, ...]:
    """Return the names that the first line of a file is."""
    with source.open() as opened:
        head, stream = peek(opened, _HEAD_BYTES)
        text = Text(stream, detect(head))
        data = next(text.pieces(_NAMES_BYTES), b"")
    found = delimited_header(data + b"\n", layout=layout, encoding=text.encoding) if data.strip() else None
    if found is None or text.truncated is not None:
        why = f"no line of names in it ({text.truncated})" if text.truncated else "no line of names in it"
        raise Unfit(
            source.name, "no_names", f"{why}, and files without a header have theirs from it; fetch it again"
        )
    return found.columns
