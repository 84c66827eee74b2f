"""What a spec says that cannot all be meant, and what it says that a file contradicts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from mappings._table_spec import KINDS, Spec, is_sql, near, path, shown
from migrate.kit.declare import OURS

_OF_PROPERTIES: Final = frozenset(("drop", "keep", "rename"))


def contradictions(spec: Spec) -> Iterator[str]:
    """Return what a spec says that cannot all be meant, a sentence each."""
    return chain(_misnamed(spec), _misexploded(spec), _misread(spec), _misplaced(spec), _named_twice(spec))


def _misnamed(spec: Spec) -> Iterator[str]:
    """Yield which names stand for no column of a row."""
    joined, explode = spec.joined(), spec.explode
    for key, column in chain(spec.named(), spec.beside()):
        of = column.partition(".")[0]
        if column.startswith("^") and column.endswith("$"):
            yield f"{key}: {shown(column)} would be taken for a pattern of columns; rename it in the file"
        elif of in spec.joins and of != column and column not in joined:
            yield f"{key}: join.{of} has no column {shown(column)}; add it to join.{of}.columns"
        elif explode and column.startswith(f"{explode.column}["):
            use = f'"{explode.column}.key"'
            yield f"{key}: explode makes a row of each element, found {shown(column)}; use {use}"
        elif key.partition(".")[0] in _OF_PROPERTIES and (column in joined or spec.is_position(column)):
            yield f"{key}: {column} is no property by itself; name it under [properties], or take it out of {key}"


def _misexploded(spec: Spec) -> Iterator[str]:
    """Yield what cannot be where records are exploded."""
    explode = spec.explode
    if explode is None:
        return
    for name, join in spec.joins.items():
        is_path = explode.holds(join.on) and len(path(f"_{join.on.removeprefix(explode.column)}")[1]) > 1
        if is_path or spec.is_position(join.on):
            what = f"the path {shown(join.on)}" if is_path else "the place of the element"
            use = "name a column of the file, or a key of the elements"
            yield f"join.{name}.on: expected a column, found {what}; {use}"
    if spec.uuid is not None and not is_sql(spec.uuid) and not explode.holds(spec.uuid):
        use = f'"{explode.column}.id"'
        yield f"uuid: {spec.uuid} is one for all elements of a record; name one of theirs, as {use}, or use dedup_key"
    for key, name in spec.added():
        if explode.holds(name):
            yield f"{key}: {shown(name)} is what a key of an element is called; choose another name"
    for key in KINDS:
        if explode.column in spec.lists[key]:
            yield f"{key}: {explode.column} is exploded, and its elements are objects; take it out of {key}"


def _misread(spec: Spec) -> Iterator[str]:
    """Yield where a column is of two kinds, or of one that its part in the event rules out."""
    kinds, identity = spec.kinds(), spec.identity()
    for kind in KINDS:
        for column in spec.lists[kind]:
            if kinds[column] != kind:
                yield f"{kind}: {column} is in {kinds[column]} too; take it out of one"
            elif column in identity and column not in spec.lists["keep"]:
                yield f"{kind}: {column} is the column of {identity[column]}; take it out of {kind}"


def _misplaced(spec: Spec) -> Iterator[str]:
    """Yield where two keys want a column in different places."""
    consumed, keep = spec.consumed(), spec.lists["keep"]
    wanted = {column: key for key, column in spec.named() if key not in ("drop", "dedup_key")}
    for column in spec.lists["drop"]:
        if column in wanted:
            yield f"drop: {column} is used by {wanted[column]}; take it out of one"
    for column in keep:
        if column not in consumed:
            yield f"keep: {column} stays a property anyway; take it out of keep"
    for column in spec.tables["rename"]:
        if column in consumed and column not in keep:
            yield f"rename.{column}: {column} is used by {consumed[column]} and no property; add it to keep"


def _named_twice(spec: Spec) -> Iterator[str]:
    """Yield where two properties would have one name."""
    taken = {name: name for name in spec.properties() if name not in spec.tables["rename"]}
    for key, name in spec.added():
        if name in taken:
            yield f"{key}: {taken[name]} gives a property {shown(name)} already; choose another name"
        taken[name] = key


def taken(columns: Iterable[str], named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield which columns are not to be read one by one, as rows have others that are called so.

    `named`: the keys that name a column, with the column.
    """
    keys = {column: key for key, column in named if key.partition(".")[0] not in _OF_PROPERTIES}
    for column in columns:
        if column in OURS:
            what = f"{shown(column)} is what migrate itself calls a column of each row"
            yield f"spec: {keys.get(column, 'table')}: {what}; rename it in the file, or leave it the property it is"


def missing(spec: Spec, columns: Sequence[str], *, asked: Sequence[tuple[str, str]] = ()) -> str | None:
    """Return what the spec names and a file with these columns lacks or has already.

    `asked`: keys whose SQL names a column, with the column.
    """
    named = [*spec.named(), *spec.beside(), *asked]
    whole = [(f"join.{name}.on", join.on) for name, join in spec.joins.items()]
    if spec.explode is not None:
        whole.append(("explode", spec.explode.column))
        place = spec.explode.position
        if place in columns and any(column == place for _, column in named):
            use = f'explode = {{column = {shown(spec.explode.column)}, position = "place"}}'
            return f"spec: explode: the file has a column {shown(place)} already; call the place otherwise, {use}"
    for key, column in chain(whole, named):
        is_there = column in columns or ((key, column) not in whole and path(column)[0] in columns)
        if spec.is_own(column) and not is_there:
            meant = near(column, columns)
            hint = f"did you mean {meant}?" if meant else "spell it as there"
            return f"spec: {key}: no column {shown(column)} in the file, found {', '.join(columns)}; {hint}"
    if not spec.has_events:
        return None
    passing = set(columns) - spec.gone() - spec.tables["rename"].keys()
    passing -= {spec.explode.column} if spec.explode is not None else set()
    for key, name in spec.added():
        if name in passing:
            return f"spec: {key}: the file has a column {shown(name)} already; choose another name"
    return None
