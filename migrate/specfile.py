"""What a kind of files could be → a first spec of it: TOML, commented, each guess with its reason."""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from migrate.inspection.guesses import Guesses, Moment, Told
from migrate.inspection.roles import What
from migrate.readers.dialects import Layout
from migrate.screen import counted, shown

KEYS: Final[dict[What, str]] = {"event": "event", "person": "distinct_id", "time": "timestamp"}
"""What an event cannot do without → the key that says it."""
_WIDTH: Final = 100
_MOST: Final = 3
"""So many other columns are named beside the one that is taken."""
_CONTROL: Final = re.compile(r"[\x7f-\x9f\u2028\u2029]")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Written:
    """How files are written, as far as a spec is to say it."""

    name: str
    """The file that was looked at."""
    command: str
    """What shows the events that it makes."""
    layout: Layout
    is_numbered: bool = False
    """Whether its first line is a row, and its columns have numbers for names."""


def toml(value: str | Sequence[str]) -> str:
    """Return text, or a list of texts, as TOML has it."""
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    return f"[{', '.join(map(toml, value))}]"


def key(name: str) -> str:
    """Return a name as TOML has it before an equals sign."""
    return name if _BARE.fullmatch(name) else toml(name)


def spec_text(found: Guesses, written: Written) -> str:
    """Return a first spec as the text of its file."""
    parts = (
        _head(found, written),
        _event(found),
        _person(found),
        _time(found),
        _dedup_key(found),
        _kinds(found),
        _asked(found),
        _layout(written),
        _tables(found),
    )
    return "\n\n".join(text for part in parts if (text := "\n".join(part))) + "\n"


def _note(text: str) -> list[str]:
    """Return a sentence as comments."""
    return textwrap.wrap(
        shown(" ".join(text.split())),
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _or(line: str, why: str = "") -> str:
    """Return a line of the spec that holds once the mark before it is taken away."""
    return f"# {line}" + (f"  # {shown(' '.join(why.split()))}" if why else "")


def _head(found: Guesses, written: Written) -> Iterator[str]:
    which = (
        f"all {counted(found.rows, 'row')}" if found.is_whole else f"the first {counted(found.rows, 'row')}"
    )
    yield from _note(
        f"A first spec of {written.name}, made of {which} that {'it has' if found.is_whole else 'were looked at'}. "
        "Look it over: GUESS says why a line is as it is, what is commented out are other ways and suggestions, and "
        "at FILL IN nothing could be guessed. docs/spec.md says what each key means. To see what it makes:"
    )
    yield f"#   {written.command}"


def _fill_in(what: str, lines: Sequence[str]) -> Iterator[str]:
    yield from _note(f"FILL IN: {what}")
    yield from lines


def _others(name: str, found: Sequence[Told]) -> Iterator[str]:
    for one in found[1 : 1 + _MOST]:
        yield _or(f"{name} = {toml(one.name)}", one.why)


def _event(found: Guesses) -> Iterator[str]:
    constant = 'event = {constant = "name of all events"}'
    if not found.events:
        yield from _fill_in(
            "the column with the event's name, or one name for all rows; no column is called like one, or looks like "
            "one",
            ['# event = "column"', f"# {constant}"],
        )
        return
    yield from _note(f"GUESS: {found.events[0].why}")
    yield f"event = {toml(found.events[0].name)}"
    yield from _others("event", found.events)


def _person(found: Guesses) -> Iterator[str]:
    if not found.persons:
        yield from _fill_in(
            "the column with the id of who did it; no column is called like one", ['# distinct_id = "column"']
        )
        return
    first, device = found.persons[0], found.anonymous
    yield from _note(f"GUESS: {first.why}")
    if device is None or found.is_always_known:
        yield f"distinct_id = {toml(first.name)}"
        yield from _others("distinct_id", found.persons)
        if not found.is_always_known:
            yield from _note("Rows where it is empty are rejected, unless another column says who it was:")
            yield f"# distinct_id = {toml([first.name, 'other column'])}"
        return
    yield from _note(f"where that is empty {device.name}: {device.why}")
    yield f"distinct_id = {toml([first.name, device.name])}"
    for one in [one for one in found.persons[1:] if one != device][:_MOST]:
        yield _or(f"distinct_id = {toml(one.name)}", one.why)


def _time(found: Guesses) -> Iterator[str]:
    if not found.times:
        yield from _fill_in(
            "the column with the time of the event; no column has times in a form that is known",
            ['# timestamp = "column"', '# timestamp = {column = "column", format = "%d.%m.%Y %H:%M:%S"}'],
        )
        return
    first = found.times[0]
    if first.doubt:
        ways = [f"# timestamp = {_moment(first, one)}" for one in first.formats if first.sql]
        yield from _fill_in(first.doubt, ways or ['# timestamp = "column"'])
    elif len(first.formats) > 1:
        yield from _fill_in(
            f"which of these it is: all of them read {first.column}, and no value shows which is meant",
            [f"# timestamp = {_moment(first, one)}" for one in first.formats],
        )
    else:
        yield from _note(f"GUESS: {first.why}")
        if first.unread:
            yield from _note(f"{counted(first.unread, 'value')} cannot be read so, and would be rejected")
        yield f"timestamp = {_moment(first, first.formats[0])}"
    if not first.is_zoned:
        yield from _note(
            f"In which zone? {first.zone}, so they are taken for UTC, or for the zone of --source-timezone. To say it "
            "here:"
        )
        zone = "Europe/Berlin"
        yield f"# timestamp = {_moment(first, first.formats[0], zone)}"
    for one in found.times[1 : 1 + _MOST]:
        yield _or(f"timestamp = {_moment(one, one.formats[0])}", one.why)


def _moment(moment: Moment, shape: str, zone: str = "") -> str:
    """Return what stands behind `timestamp =`."""
    where = f"column = {toml(moment.column)}"
    if moment.sql:
        where = f"sql = {toml(moment.sql)}"
    elif moment.is_nanoseconds:
        name = '"' + moment.column.replace('"', '""') + '"'
        where = f"sql = {toml(f'LEFT({name}, LENGTH({name}) - 3)')}"
    elif shape == "iso" and not zone:
        return toml(moment.column)
    said = [where, *([f"format = {toml(shape)}"] if shape != "iso" else [])]
    return f"{{{', '.join([*said, *([f'zone = {toml(zone)}'] if zone else [])])}}}"


def _dedup_key(found: Guesses) -> Iterator[str]:
    if not found.keys:
        yield from _note(
            "What tells one event from another, if columns do. Without it a row is known by all that it says."
        )
        yield '# dedup_key = ["column"]'
        return
    first = found.keys[0]
    if found.is_key_sure:
        yield from _note(f"GUESS: what tells one event from another: {first.why}")
        yield f"dedup_key = {toml([first.name])}"
    else:
        yield from _note(
            "What tells one event from another, if this does in all rows: rows with the same key count once. Without "
            "it a row is known by all that it says."
        )
        yield _or(f"dedup_key = {toml([first.name])}", first.why)
    for one in found.keys[1 : 1 + _MOST]:
        yield _or(f"dedup_key = {toml([one.name])}", one.why)


def _kinds(found: Guesses) -> Iterator[str]:
    """Yield what the file has as text and is more."""
    kinds = {"json": found.json, "numbers": found.numbers, "booleans": found.booleans}
    if any(kinds.values()):
        yield from _note("GUESS: what is more than the text that the file has it as, by its values")
    yield from (f"{kind} = {toml(names)}" for kind, names in kinds.items() if names)


def _asked(found: Guesses) -> Iterator[str]:
    """Yield the lines that may be wanted, and stand before all tables."""
    if found.nulls:
        yield from _note("Words that may stand for nothing. They are text, unless they are listed here.")
        cells = ", ".join(f"{counted(count, 'cell')} {toml(word)}" for word, count in found.nulls.items())
        yield _or(f"nulls = {toml([*found.nulls])}", cells)
    if found.session is not None:
        yield from _note("What tells one session from others, to become $session_id.")
        yield _or(f"session_id = {toml(found.session)}")
    for one in found.lists:
        yield from _note("A list of objects in each row: to make a row of each object.")
        yield _or(f"explode = {toml(one.name)}", one.why)
    yield from _note("Rows that are no events, and columns that are not wanted as properties.")
    yield "# where = \"column <> 'value'\""
    yield '# drop = ["column"]'


def _layout(written: Written) -> Iterator[str]:
    layout = written.layout
    given = {"dialect": layout.dialect, "quote": layout.quote, "escape": layout.escape}
    said = [f"{name} = {toml(value)}" for name, value in given.items() if value is not None]
    if layout.columns:
        said.append(f"columns = {toml(layout.columns)}")
    elif not layout.has_header:
        said.append("no_header = true")
    if said:
        yield from _note("How the file is written.")
        yield from said
    if written.is_numbered:
        yield from _note(
            "GUESS: its first line is a row and no header. With names of your own instead of column_1, column_2, …, in "
            "the lines above, too:"
        )
        yield '# columns = ["first", "second"]'


def _tables(found: Guesses) -> Iterator[str]:
    """Yield what stands in tables of its own, behind all other keys; all of it are suggestions."""
    renamed: dict[str, str] = {}
    for column, name in found.renamed.items():
        if name not in renamed.values() and name not in found.columns:
            renamed[column] = name
    if renamed:
        yield from _note("PostHog's own names for columns that its screens know.")
        yield from ("# [rename]", *(f"# {key(column)} = {toml(name)}" for column, name in renamed.items()))
        yield ""
    if found.paths:
        yield from _note("Keys inside of objects as properties of their own; the object stays one, too.")
        if any("[0]." in one.name for one in found.paths):
            yield from _note(
                "The first of a list is called [0]; no list that was looked at has more. If others have, explode makes "
                "a row of each."
            )
        yield "# [properties]"
        for one in found.paths:
            name = one.name.replace("[0].", "_").replace(".", "_")
            yield _or(f"{key(name)} = {toml(one.name)}", f"in {one.share:.0%} of the rows")
        yield ""
    if found.person_properties:
        yield from _note("What columns tell of the person, with each event.")
        yield "# [set]"
        yield from (f"# {key(name)} = {toml(name)}" for name in found.person_properties)
        yield ""
    if found.groups:
        yield from _note("Groups that an event may belong to: type = column of the key.")
        yield "# [groups]"
        yield from (f"# {key(kind)} = {toml(name)}" for kind, name in found.groups.items())
        yield ""
    yield from _note('Events by other names, "$pageview" among them, or left out with false.')
    yield from ("# [events]", '# "page viewed" = "$pageview"')
    if found.anonymous is not None:
        yield ""
        yield from _note(
            "Rows that have both ids tell that they are one person's, which cannot be undone in PostHog: see "
            "docs/people.md."
        )
        yield "# [[links]]"
        yield f"# anonymous = {toml(found.anonymous.name)}"
        yield f"# identified = {toml(found.persons[0].name)}"
