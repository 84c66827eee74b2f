"""Umami's data of events and of visitors: rows of a key and a value each, put together as objects again."""

from typing import Final

import polars as pl

from migrate.kit import events, expr, links, objects
from migrate.kit.cells import FAILURES, Json, Members, members, object_text, reader, text_of
from migrate.kit.declare import RECOVERED, Options

NUMBER, BOOLEAN, DATE, ARRAY = 2, 3, 4, 5
"""Kinds of values (`data_type`); all others are text."""
EVENT: Final = "event"
VISITOR: Final = "visitor"
_DATA: Final = "data."
"""Stands before a key, so that none is taken for what else is told of an event."""
_text: Final = reader(str)
_whole_list: Final = reader(list[object])


def event_key(event: pl.Expr) -> pl.Expr:
    """Return the key under which the data of an event is told."""
    return links.key(EVENT, event)


def visitor() -> pl.Expr:
    """Return whose event or data it is: the id given to `umami.identify`, else the visitor of a month."""
    return expr.first(pl.col("distinct_id"), pl.col("session_id"))


def moment(options: Options) -> pl.Expr:
    """Return when a row was made: ClickHouse writes UTC without a zone, Postgres a time with one."""
    return expr.timestamp(pl.col("created_at"), zone=options.source_timezone)


def value() -> pl.Expr:
    """Return a row's value as JSON, by its `data_type`; the text itself where it is not of that kind."""
    told = pl.struct("data_type", "string_value", "number_value", "date_value")
    return expr.each(told, _value)


def event_data(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the properties of events that rows hold, one each."""
    event = expr.first(pl.col("event_id"), pl.col("website_event_id"))
    name = pl.lit(_DATA) + expr.filled(expr.first(pl.col("data_key"), pl.col("event_key")))
    return links.recoveries(rows, key=event_key(event), name=name, value=value())


def visitor_data(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the properties of visitors that rows hold, one each; the newest value counts, as the greatest text."""
    newest = pl.concat_str(expr.iso(moment(options)), pl.lit(" "), value())
    name = pl.lit(_DATA) + expr.filled(pl.col("data_key"))
    return links.recoveries(rows, key=links.key(VISITOR, visitor()), name=name, value=newest)


def profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what is known of visitors: each row tells all that the rows of its visitor hold together."""
    known = expr.each_row(pl.col(RECOVERED), lambda text: together(text, dated=True))
    return events.profiles(rows, distinct_id=visitor(), timestamp=moment(options), set=known)


def properties() -> pl.Expr:
    """Return the data of an event as an object, null where there is none."""
    return expr.each_row(pl.col(RECOVERED), together)


def together(recovered: str, *, dated: bool = False) -> str | None:
    """Return the values that were told of a row, under their keys and in the order of these."""
    told: Members = members(recovered) or {}
    texts = {name: _text(bytes(text)) for name, text in sorted(told.items()) if name.startswith(_DATA)}
    return object_text(
        {
            name.removeprefix(_DATA): Json((text.partition(" ")[2] if dated else text).encode())
            for name, text in texts.items()
        }
    )


def of_session() -> pl.Expr:
    """Return what the table of sessions knows of a row, a struct of `SESSION`."""
    return objects.fields(objects.fields(pl.col(RECOVERED), ["session"]).struct.field("session"), SESSION)


SESSION: Final = (
    *("hostname", "browser", "os", "device", "screen", "language", "country", "region", "city"),
    *("subdivision1", "subdivision2"),
)
"""What Postgres and MySQL keep in the table of sessions, and ClickHouse and Umami Cloud on every event."""


def session_key(session: pl.Expr) -> pl.Expr:
    """Return the key under which the columns of a session are told."""
    return links.key("columns", session)


def session_columns(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what the table of sessions knows of the events of one."""
    known = objects.text({name: expr.stripped(pl.col(name)) for name in SESSION})
    session = expr.stripped(pl.col("session_id"))
    return links.recoveries(rows, key=session_key(session), name=pl.lit("session"), value=known)


def _value(kind: str | None, text: str | None, number: str | None, date: str | None) -> str | None:
    """Return a value as JSON; a number loses the zeros with which its column is filled up."""
    code = (kind or "").removesuffix(".0")
    if code == str(NUMBER) and (found := _number(number or text)) is not None:
        return found
    if code == str(BOOLEAN) and (text or "").lower() in {"true", "false"}:
        return str(text).lower()
    if code == str(ARRAY) and text is not None and _is_list(text):
        return text
    told = text if text is not None else (date if code == str(DATE) else number)
    return None if told is None else text_of(told)


def _number(text: str | None) -> str | None:
    """Return a number as JSON has it, null where it is none."""
    bare = (text or "").strip()
    if "." in bare and not {*bare} & {"e", "E"}:
        bare = bare.rstrip("0").rstrip(".")
    try:
        float(bare)
        reader(float)(bare)
    except FAILURES:
        return None
    return bare


def _is_list(text: str) -> bool:
    """Return whether a text is a whole list; a long one is cut off by Umami."""
    try:
        _whole_list(text)
    except FAILURES:
        return False
    return True
