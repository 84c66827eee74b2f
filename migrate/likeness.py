"""Which platform a file looks like, by the columns that the mappings declare."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from migrate import platforms
from migrate.errors import Unfit
from migrate.inputs.source import Source
from migrate.kit.declare import Options, Platform, Table
from migrate.readers.headers import read_header
from migrate.readers.unnamed import HeaderFile, Unnamed

_FEW: Final = 2
"""A table fits a file decisively better than another where it knows so many times as many of its columns."""


@dataclass(frozen=True)
class Likeness:
    """Tells which platforms files look like that are given as those of one platform."""

    platform: str
    header_file: HeaderFile

    def likely(self, columns: Sequence[str], source: Source, taken: Table | None) -> dict[str, str]:
        """Return the same as `likely`; of a file that no table takes, platforms whose files have no header, too."""
        found = likely(self.platform, columns, source.stem, taken)
        if found or taken is not None:
            return found
        names = [
            name for name, one in _mappings() if name != self.platform and self._has_headerless(one, source)
        ]
        return {name: platforms.mapping(name).title.partition(" (")[0] for name in names}

    def _has_headerless(self, platform: Platform, source: Source) -> bool:
        """Return whether a table of a platform takes a file that has no header."""
        if not any(kind.may_be(source.name) for kind in platform.headerless):
            return False
        try:
            found = read_header(source, unnamed=Unnamed(platform.headerless, self.header_file))
        except Unfit:
            return False
        if found is None or found.layout.has_header or found.doubt:
            return False
        return platform.table_for(found.columns, source.stem) is not None


def likely(platform: str, columns: Sequence[str], file: str, taken: Table | None) -> dict[str, str]:
    """Return the platforms that a file looks like, the likeliest first, with their titles.

    None, where it may be of the `platform` that is named, whose table `taken` takes it. What is taken by a table that
    refuses is another platform's if a table of that one knows more of it, what is taken by one that knows little of it
    if one knows far more.
    """
    lowered = frozenset(name.lower() for name in columns)
    is_own = taken is not None and not taken.refusal
    known = 0 if taken is None else _known(taken, lowered)
    if is_own and (_FEW * known >= len(lowered) or _is_described(platform)):
        return {}
    found = {name: count for name, count in _all_known(lowered, file.lower()) if name != platform}
    best = max(found.values(), default=0)
    if is_own and (best < _FEW * known or _FEW * best < len(lowered)):
        return {}
    if taken is not None and taken.refusal and best <= known:
        return {}
    near = [name for name, count in found.items() if _FEW * count > best or not best]
    near.sort(key=lambda name: (-found[name], name))
    return {name: platforms.mapping(name).title.partition(" (")[0] for name in near}


def _is_described(platform: str) -> bool:
    """Return whether the user says what its tables are, so that no other platform's are meant."""
    return platform not in platforms.names() or platforms.mapping(platform).from_spec is not None


@cache
def _all_known(columns: frozenset[str], file: str) -> list[tuple[str, int]]:
    """Return every platform that takes a file with these columns, and how many of them its table knows."""
    taken = ((name, one.table_for(columns, file)) for name, one in _mappings())
    return [
        (name, _known(table, columns)) for name, table in taken if table is not None and not table.refusal
    ]


@cache
def _mappings() -> list[tuple[str, Platform]]:
    """Return the platforms whose tables are known without a spec, under no options."""
    found = ((name, platforms.mapping(name)) for name in platforms.names())
    return [(name, one.under(Options(), [])) for name, one in found if one.from_spec is None]


def known_columns(table: Table, columns: frozenset[str]) -> frozenset[str]:
    """Return which of these columns, in lower case, a table declares, renames, or drops by name."""
    return columns & {name.lower() for name in (*table.columns, *table.dropped, *table.rename)}


def _known(table: Table, columns: frozenset[str]) -> int:
    return len(known_columns(table, columns))
