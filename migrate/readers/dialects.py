"""How programs write delimited text: its layout, as the user says it or as the text itself shows it.

*plain* is RFC 4180. *spark* (Hadoop's, too) writes a backslash before a quote inside of quotes. *clickhouse* (also
Postgres' `COPY` and MySQL's `SELECT … INTO OUTFILE`) quotes nothing: a line is a row, and tab, line break and backslash
stand behind a backslash (https://clickhouse.com/docs/interfaces/formats/TabSeparated, read 2026-11-28). *raw* has
neither: a line is a row, each delimiter ends a cell, and quotes and backslashes are data, as in Snowplow's TSV. Nothing
shows that a file is raw, so it is said.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Name = Literal["plain", "spark", "clickhouse", "raw"]
NAMES: Final[tuple[Name, ...]] = ("plain", "spark", "clickhouse", "raw")


@dataclass(frozen=True)
class Layout:
    """How a file of delimited text is written, as far as the user says it; None where it is to be found out."""

    delimiter: str | None = None
    dialect: Name | None = None
    quote: str | None = None
    escape: str | None = None
    columns: tuple[str, ...] = ()
    """Names of the columns of a file without a header."""
    has_header: bool = True
    fallback: str | None = None
    """The encoding of a file that is not UTF-8, where a platform says it."""
    is_known: bool = False
    """Whether a platform says how its files are written, so that it is no surprise."""


def guess(head: bytes, delimiter: str) -> Name | None:
    """Return the dialect that the start of a text shows, None where it shows two that contradict each other."""
    if b"\\" not in head:
        return "plain"
    d = re.escape(delimiter.encode())
    torn = (
        b'\\"' in head
        and re.search(rb'(?:^|[%b\n])"(?:[^"\\]|\\[^"]|"")*\\"(?=[^%b\r\n"])' % (d, d), head) is not None
    )
    doubled = (
        re.search(rb'(?:^|[%b\n])"(?:[^"\\]|\\[^"]|(?<!\\)"")*(?<!\\)""(?=[^%b\r\n])' % (d, d), head)
        is not None
    )
    if torn and doubled:
        return None
    if torn:
        return "spark"
    nothing = re.search(rb"(?:^|[\t\n])\\N(?=[\t\r\n]|$)", head) is not None
    escaped = re.search(rb"\\[tnrbf0\\]", head) is not None
    if delimiter == "\t" and nothing and escaped:
        closed = re.search(rb'(?:^|[\t\n])"(?:[^"]|"")*"(?=[\t\r\n]|$)', head) is not None
        return None if closed else "clickhouse"
    return "plain"


class Plain:
    """Looks for what shows that text is not plain after all, further on than its start was looked at."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._torn = re.compile(rb'\\"[^"%b\r\n]' % re.escape(delimiter.encode()))

    def complaint(self, block: bytes, line: int) -> str | None:
        """Return why these lines, after so many others, are not to be read as plain text, None where they may be."""
        is_odd = b'\\"' in block and self._torn.search(block) is not None
        if not is_odd and not (self._delimiter == "\t" and b"\\N" in block):
            return None
        found = guess(block, self._delimiter)
        if found == "plain":
            return None
        lines = block.count(b"\n") + 1
        like = "which is how no program writes" if found is None else f"as --dialect {found} has it"
        return (
            f"its start is plain text, and between lines {line + 1:,} and {line + lines:,} something stands behind a "
            f"backslash {like}, so that cells would be torn; say how all of it is written with --dialect plain, spark, "
            "clickhouse or raw, in a --workdir of its own if others are planned already"
        )
