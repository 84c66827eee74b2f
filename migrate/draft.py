"""What a flat file's columns are → a mapping to begin from: Python, whole, that `migrate test` has nothing against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from migrate.errors import UsageError

Unit = Literal["iso", "s", "ms", "us"]
"""How a time is written: as text, or as a number of these since 1970."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What is known of a platform with one kind of file; columns as the file spells them."""

    title: str
    """What people call the platform."""
    table: str
    """What its files hold: `events`."""
    event: str
    """The column with the name of the event, or the name itself where all rows are of one kind."""
    is_event_constant: bool = False
    person: str
    """The column with the id of who did it."""
    time: str
    """The column with the time of it."""
    unit: Unit = "iso"
    key: str | None = None
    """The column that tells rows apart, an id of the source's own; without one all that a row says does."""
    guesses: tuple[str, ...] = ()
    """What is to be looked over, a sentence each."""

    def columns(self) -> tuple[str, ...]:
        """Return the columns that the mapping declares, each once; all others become properties as they are."""
        event = () if self.is_event_constant else (self.event,)
        key = () if self.key is None else (self.key,)
        return tuple(dict.fromkeys((*event, self.person, self.time, *key)))


def mapping_text(draft: Draft) -> str:
    """Return a mapping as the text of its file; raises UsageError where what is said of the columns cannot be."""
    for name in ("title", "table", "event", "person", "time"):
        if not getattr(draft, name).strip():
            raise UsageError(f"{name}: nothing is said, found '{getattr(draft, name)}'; name one")
    if draft.person == draft.time:
        raise UsageError(f"person: the column '{draft.person}' is said to hold the time, too; name another")
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: Draft) -> Iterator[str]:
    title = draft.title.replace("\\", "/").replace('"', "'").replace("\n", " ").strip()
    yield f'"""{title}: {_sentence(draft.table)}.'
    yield from (
        "",
        "Say here what the export is, where its format is described, and when that was read.",
        '"""',
        "",
    )
    yield from ("from typing import Final", "", "import polars as pl", "")
    names = (
        "PROPERTIES, REST, Options, Platform, Table, has"
        if draft.key
        else ("PROPERTIES, REST, WHOLE, Options, Platform, Table, has")
    )
    yield from ("from migrate.kit import events, expr", f"from migrate.kit.declare import {names}", "", "")
    for guess in draft.guesses:
        yield f"# Guessed, look it over: {_sentence(guess)}"
    yield "def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:"
    yield '    """Return the event each row is."""'
    yield "    return events.events("
    yield "        rows,"
    yield f"        event={'pl.lit' if draft.is_event_constant else 'pl.col'}({draft.event!r}),"
    yield f"        distinct_id=pl.col({draft.person!r}),"
    yield f"        timestamp={_time(draft)},"
    yield f"        dedup_key={_key(draft)},"
    yield "        laid=pl.col(PROPERTIES),"
    if _own_key(draft) is not None:
        yield f"        extra={{{draft.key!r}: pl.col({draft.key!r})}},"
    yield from ("    )", "", "", "MAPPING: Final = Platform(", f"    title={title!r},")
    yield from (
        "    identity_version=1,  # raise it with whatever tells events apart: name, person, time, key",
        "    tables=[",
    )
    yield from ("        Table(", f"            name={draft.table!r},")
    yield f"            matches=has({_listed(draft.columns())}),"
    yield f"            columns=dict.fromkeys(({_listed(draft.columns())},), pl.String),"
    yield f"            ids=({_listed(tuple(dict.fromkeys(one for one in (draft.person, _own_key(draft)) if one)))},),"
    yield f"            times=({draft.time!r},),"
    yield "            properties=(REST,),  # every other column, under its name, as the file has it"
    yield "            rename={},  # a column's name: its name in PostHog, or None to drop it"
    yield "            filters={},  # a rule's name: rows it holds for are left out, as pl.col('kind') == 'ping'"
    if draft.key is None:
        yield "            whole=True,  # rows that say the same are one event"
    yield from ("            to_events=to_events,", "        )", "    ],", ")")


def _own_key(draft: Draft) -> str | None:
    """Return the key's column where nothing else is made of it, so that it becomes a property, too."""
    others = {draft.person, draft.time} | (set() if draft.is_event_constant else {draft.event})
    return None if draft.key is None or draft.key in others else draft.key


def _time(draft: Draft) -> str:
    if draft.unit == "iso":
        return f"expr.timestamp(pl.col({draft.time!r}), zone=options.source_timezone)"
    return f"expr.unix(pl.col({draft.time!r}), {draft.unit!r})"


def _key(draft: Draft) -> str:
    if draft.key is not None:
        return f"pl.col({draft.key!r})"
    told = ", ".join(f"pl.col({name!r})" for name in draft.columns())
    return f"expr.key({told}, pl.col(WHOLE))"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names))


def _sentence(text: str) -> str:
    """Return a text as one line that no string or comment ends in."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())
