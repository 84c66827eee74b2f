"""Which platforms a file could be of, and which of their tables; or which it is near, and what columns it lacks.

That a table takes a file is not enough to name its platform: some take whatever has a time and an event, as their
exports have little more. One is named that knows a column which is not any program's, or many of the file's.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from migrate import platforms
from migrate.beside import Beside
from migrate.errors import Unfit
from migrate.inputs.source import Source, Stems
from migrate.kit.declare import Options, Platform, Table, words
from migrate.likeness import known_columns, likely
from migrate.plan.jobs import read_as, wrong
from migrate.readers.files import JSON, TEXT_PARTS
from migrate.readers.records import Header
from migrate.readers.unnamed import Unnamed

_ANYONES: Final = frozenset(
    words(
        """
        id uid uuid key name type kind event action time timestamp date ts datetime created_at updated_at created
        updated received_at sent_at loaded_at event_id event_type event_name event_time user_id user userid
        account_id session_id device_id group_id client_id email phone username first_name last_name avatar age
        gender birthday description title url path referrer search keywords query value price revenue currency
        amount quantity total ip user_agent browser os platform device version app language locale timezone
        country region city latitude longitude zip state address status category label properties data context
        metadata tags source medium campaign channel screen page host company plan industry employees website
        hostname results next count order order_id product product_id sku file tables
        """
    )
)
"""Columns that tables of anyone have, and that so tell nothing of where a file comes from."""
_MANY: Final = 10
"""A table that knows so many columns, and two thirds of a file's, is named, whatever they are called."""
_NEAR: Final = 3
"""One that lacks no more columns than this, and knows at least as many and a third of the file's, is near."""
_NEAREST: Final = 3


@dataclass(frozen=True)
class Candidate:
    """A platform whose table takes a file."""

    platform: str
    title: str
    table: Table
    header: Header
    """How the file is read for it: as it is, or what stands inside of a column."""
    known: int
    """So many of the file's columns the table knows."""
    refusal: str | None
    """Why the file is not to be planned so, and what to do."""


@dataclass(frozen=True)
class Near:
    """A table that would take a file, if it had more columns."""

    platform: str
    title: str
    table: str
    lacks: tuple[str, ...]
    known: int


class Candidates:
    """The platforms there are, with their tables as they are among files of these names."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._options = Options(files=Stems(names))
        self._named: dict[tuple[str, str, frozenset[str], str, bool], bool] = {}
        """Whether platforms are named for files with these columns: worked out once for files that are alike."""

    @cached_property
    def platforms(self) -> Mapping[str, Platform]:
        """Those whose tables are known without a spec."""
        found = {name: platforms.mapping(name) for name in platforms.names()}
        return {
            name: one.under(self._options, self._names)
            for name, one in found.items()
            if one.from_spec is None
        }

    def under(self, candidate: Candidate, options: Options) -> Table:
        """Return a candidate's table as it is under other options."""
        tables = platforms.mapping(candidate.platform).under(options, self._names).tables
        return next((one for one in tables if one.name == candidate.table.name), candidate.table)

    def of(self, source: Source, header: Header) -> list[Candidate]:
        """Return the platforms that a file is named for, the likeliest first; none of them alone is likelier.

        Those whose table refuses it come after those that take it.
        """
        found = [*self._takers(source, header)]
        found.sort(
            key=lambda one: (one.refusal is not None, -one.known, len(self.platforms[one.platform].tables))
        )
        if not found:
            return []
        best = max(found, key=lambda one: one.known)
        if best.refusal is not None and best.known > found[0].known:
            return [best]
        return [
            one
            for one in found
            if one.known == found[0].known and bool(one.refusal) == bool(found[0].refusal)
        ]

    def header(
        self, read: Callable[..., Header | None], beside: Beside, source: Source, head_bytes: int
    ) -> Header | None:
        """Return a file's header; of one that has none a platform's, if it says what the columns are called."""
        header = read(source, head_bytes=head_bytes)
        is_text = header is not None and header.format in TEXT_PARTS and header.format not in JSON
        if header is None or not is_text or self.of(source, header):
            return header
        for platform in self.platforms.values():
            if not any(kind.may_be(source.name) for kind in platform.headerless):
                continue
            with suppress(Unfit):
                unnamed = Unnamed(platform.headerless, beside.header_file)
                found = read(source, head_bytes=head_bytes, unnamed=unnamed)
                if found is not None and not found.layout.has_header and self.of(source, found):
                    return found
        return header

    def near(self, columns: Sequence[str], file: str) -> list[Near]:
        """Return the tables that lack the fewest columns to take a file with these, the nearest first."""
        have = frozenset(name.lower() for name in columns)
        found = [
            Near(name, _title(platform), table.name, tuple(lacks), known)
            for name, platform in self.platforms.items()
            for table in platform.tables
            if not table.refusal
            and (known := len(known_columns(table, have) - _ANYONES)) >= 1
            and (lacks := _lacks(table, have, file.lower())) is not None
            and 0 < len(lacks) <= min(known, _NEAR)
            and len(known_columns(table, have)) >= _NEAR
            and 3 * len(known_columns(table, have)) >= len(have)
        ]
        found.sort(key=lambda one: (len(one.lacks) - one.known, one.platform))
        return list({one.platform: one for one in reversed(found)}.values())[::-1][:_NEAREST]

    def _takers(self, source: Source, header: Header) -> Iterator[Candidate]:
        stem = source.stem
        for name, platform in self.platforms.items():
            known, table = read_as(header, platform, stem)
            if table is None or not known.columns:
                continue
            columns = frozenset(column.lower() for column in known.columns)
            key = (name, table.name, columns, stem, known.format in JSON)
            if key not in self._named:
                self._named[key] = _is_named(table, columns, stem.lower(), is_json=known.format in JSON) and (
                    bool(table.refusal) or not likely(name, known.columns, stem, table)
                )
            if not self._named[key]:
                continue
            why = wrong(source, known, table)
            count = len(known_columns(table, columns))
            yield Candidate(name, _title(platform), table, known, count, None if why is None else why[1])


def _title(platform: Platform) -> str:
    return platform.title.partition(" (")[0]


def _is_named(table: Table, columns: frozenset[str], file: str, *, is_json: bool) -> bool:
    """Return whether a table that takes a file says enough of it for its platform to be named.

    Objects of JSON that have the very keys of a table, and one of them for an object, say it by their shape.
    """
    known = known_columns(table, columns)
    opened = {*table.objects, *table.bags_under(Options())}
    if is_json and known == columns and len(known) > 1 and known & opened:
        return True
    if known - _ANYONES or (len(known) >= _MANY and 3 * len(known) >= 2 * len(columns)):
        return True
    needed = _needed(table, columns, file)
    return bool(needed - _ANYONES) if needed else table.takes(frozenset({"\0"}), file)


def _needed(table: Table, columns: Collection[str], file: str) -> frozenset[str]:
    """Return columns of a file without which the table would not take it."""
    left = frozenset(columns)
    for name in sorted(columns):
        if table.takes(left - {name}, file):
            left -= {name}
    return left


def _lacks(table: Table, columns: frozenset[str], file: str) -> list[str] | None:
    """Return the columns with which the table would take such a file; None where columns alone do not make it one."""
    declared = [
        name for name in dict.fromkeys(map(str.lower, (*table.columns, *table.rename))) if name not in columns
    ]
    more = frozenset(declared)
    if not table.takes(columns | more, file):
        return None
    for name in reversed(declared):
        if table.takes(columns | (more - {name}), file):
            more -= {name}
    return [name for name in declared if name in more]
