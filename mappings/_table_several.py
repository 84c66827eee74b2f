"""Several tables in one spec: what each is called, which files are its own, which of them others look things up in."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from mappings._table_keys import KEYS, LOOKUP, OF_TABLES, ROOT, check_keys, is_name, names
from mappings._table_spec import Spec, path, shown, wrong
from migrate.errors import UsageError
from migrate.kit.declare import Headerless, has

_OF_FILES: Final = ("name", "files", "has", "key", "columns", "header_file")
ROWS: Final = "rows"
"""What the table of a spec is called that has one alone."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One table of a spec, and its files."""

    document: Mapping[str, Any]
    """What it says of rows."""
    name: str = ROWS
    is_alone: bool = True
    files: Sequence[str] = ()
    has: Sequence[str] = ()
    key: str | None = None
    """The column by which others look things up in it."""
    columns: Sequence[str] = ()
    header_file: str | None = None

    @property
    def tells(self) -> bool:
        """Whether its rows are, or tell of, something by themselves."""
        return self.key is None or not {"event", "profile", "groups", "links"}.isdisjoint(self.document)

    def takes(self, columns: frozenset[str], spec: Spec, asked: Sequence[tuple[str, str]]) -> bool:
        """Return whether a file with these columns (lower case) is of this table, by its name or not."""
        if self.has or self.files or self.is_alone:
            return has(*self.has)(columns)
        named = [
            column.lower() for _, column in (*spec.named(), *spec.beside(), *asked) if spec.is_own(column)
        ]
        named += [one.on.lower() for one in spec.joins.values() if spec.is_own(one.on)]
        named += [] if spec.explode is None else [spec.explode.column.lower()]
        return all(one in columns or path(one)[0] in columns for one in named)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Name the table in a `UsageError` of its spec."""
        try:
            yield
        except UsageError as error:
            raise UsageError(self.told(str(error))) from error

    def told(self, message: str) -> str:
        """Return a message of its spec with the table's name, where there are several."""
        return message if self.is_alone else message.replace("spec: ", f"spec: table {self.name}: ", 1)


def parts(document: Mapping[str, Any]) -> list[Part]:
    """Return the tables that a document describes: the one at its root, or each `[[table]]`."""
    if "table" not in document:
        for key in OF_TABLES:
            if key in document:
                use = '[[table]] and name = "…" before all that is of it'
                raise UsageError(f"spec: {key}: found outside of a [[table]], which alone has one; use {use}")
        return [Part(document=document, header_file=_header_file(document))]
    for key in document:
        if key not in ROOT:
            check_keys({key: None}, (*KEYS, *_OF_FILES, "join", *ROOT))
            raise UsageError(
                f"spec: {key}: found beside [[table]], where only {', '.join(ROOT)} may stand; "
                "move it into the table that it is of"
            )
    tables = document["table"]
    if not isinstance(tables, list) or not tables or not all(isinstance(one, Mapping) for one in tables):
        raise wrong("table", "a list of tables", tables, "[[table]] before each")
    shared = {"nulls": document["nulls"]} if "nulls" in document else {}
    found: list[Part] = []
    for place, table in enumerate(tables, 1):
        name = table.get("name")
        if not is_name(name) or name in [one.name for one in found]:
            raise wrong(f"table[{place}].name", "a name, each once", name, 'name = "orders"')
        part = Part(document={}, name=str(name), is_alone=False)
        with part.named():
            found.append(_part(str(name), shared | table))
    return found


def _part(name: str, table: Mapping[str, Any]) -> Part:
    """Return one of several tables."""
    lists = {
        key: names(key, table.get(key, []), is_given=key in table, of="name" if key == "files" else "column")
        for key in ("files", "has", "columns")
    }
    key = table.get("key")
    if "key" in table and not is_name(key):
        raise wrong("key", "the name of a column", key, 'key = "id"')
    of_rows = {one: value for one, value in table.items() if one not in _OF_FILES}
    header_file = _header_file(table)
    found = Part(document=of_rows, name=name, is_alone=False, key=key, header_file=header_file, **lists)
    for one in ("key", "header_file", "columns"):
        if one in table and not found.files:
            raise UsageError(f'spec: {one}: found without files; name the files, as files = ["os*.tsv"]')
    if found.key is not None and "event" in table:
        raise UsageError(
            "spec: key: found beside event; rows that are events cannot be looked up, take one out"
        )
    if not found.tells:
        check_keys(table, LOOKUP)
    return found


def _header_file(table: Mapping[str, Any]) -> str | None:
    """Return the name of the file that names the columns of others."""
    found = table.get("header_file")
    if found is None:
        return None
    if not is_name(found):
        raise wrong("header_file", "the name of a file", found, 'header_file = "column_headers.tsv"')
    if "columns" in table or table.get("no_header"):
        other = "columns" if "columns" in table else "no_header"
        raise UsageError(f"spec: header_file: found beside {other}; take one out")
    return str(found)


def headerless(document: Mapping[str, Any]) -> list[Headerless]:
    """Return the files of a spec that have no header; `columns` at the root are said by `layout`."""
    return [
        Headerless(
            columns=part.columns,
            header_file=part.header_file,
            files=part.files or (("*",) if part.header_file else ()),
            delimiter=None,
            dialect=None,
        )
        for part in parts(document)
        if part.header_file or part.columns
    ]


def asked_of(found: Sequence[tuple[Part, Spec | None]]) -> dict[str, list[str]]:
    """Return for each lookup the columns that joins ask of it; raise a `UsageError` for a join with what is none."""
    asked: dict[str, list[str]] = {part.name: [part.key] for part, _ in found if part.key is not None}
    for part, spec in found:
        for name, join in ({} if spec is None else spec.joins).items():
            if join.table not in asked:
                known = ", ".join(map(shown, asked)) or "none"
                with part.named():
                    raise UsageError(
                        f"spec: join.{name}.table: no [[table]] {shown(join.table)} with a key, found {known}; give "
                        'that table key = "column"'
                    )
            asked[join.table] += join.columns
    return {name: list(dict.fromkeys(columns)) for name, columns in asked.items()}
