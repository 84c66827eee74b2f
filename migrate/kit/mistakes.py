"""What is wrong with a declaration: names that are no columns of a table, and a text in the place of a tuple."""

from collections.abc import Collection, Iterator, Mapping


def of_names(field: str, found: object) -> Iterator[str]:
    """Yield why a field does not hold names; a text would be taken for its letters."""
    if isinstance(found, str):
        yield f"{field}: expected a tuple of names, found the text {found!r}; write ({found!r},)"
    elif not isinstance(found, Collection) or not all(isinstance(one, str) for one in found):
        yield f"{field}: expected a tuple of names, found {found!r}; write the names as texts"


def of_function(field: str, found: object) -> Iterator[str]:
    """Yield why a field cannot be called."""
    if not callable(found):
        example = " as has('id', 'at')" if field == "matches" else ""
        yield f"{field}: expected a function, found {found!r}; give one{example}"


def of_mapping(field: str, found: object) -> Iterator[str]:
    """Yield why a field does not hold names with something for each."""
    if not isinstance(found, Mapping) or not all(isinstance(one, str) for one in found):
        yield f"{field}: expected a dict by name, found {found!r}; write {{name: …}}"


def of_columns(field: str, found: Collection[str], known: Collection[str]) -> Iterator[str]:
    """Yield which names of a field are no known columns."""
    for name in found:
        if name not in known:
            yield (
                f"{field}: no column {name!r}, known are {', '.join(known) or 'none'}; spell it as there, or declare "
                "it: a column in columns, a key of an object in its Bag"
            )


def of_computed(
    computed: Mapping[str, Collection[str]], read: Collection[str], varied: tuple[str, ...]
) -> Iterator[str]:
    """Yield what is wrong with columns that are computed of those that are `read`, or of others before them.

    Of each it is given which columns it asks for. Those that begin as one of `varied` are taken as they are.
    """
    known = [*read]
    for name, asked in computed.items():
        if name in read:
            yield f"computed[{name!r}]: a column of that name is read; choose another name"
        yield from of_columns(
            f"computed[{name!r}]", [one for one in asked if not one.startswith(varied)], known
        )
        known.append(name)
