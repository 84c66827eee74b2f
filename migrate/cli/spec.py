"""`migrate spec`: a first spec of files that no platform has, or a first mapping of one's own, guessed."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

import click

from migrate.cli import exits
from migrate.cli.reading import SpecOptions
from migrate.cli.settings import layout_of
from migrate.cli.typed import typed_command
from migrate.draft import Draft, Unit, mapping_text
from migrate.errors import UsageError
from migrate.inputs.listing import sources
from migrate.inputs.names import source_name
from migrate.inspecting import Inspection, Kind, inspect
from migrate.inspection.columns import columns_of
from migrate.inspection.first import first
from migrate.inspection.guesses import Guesses, guesses_of
from migrate.kit.declare import OURS
from migrate.readers.dialects import Layout
from migrate.readers.headers import read_header
from migrate.screen import is_text, masked, shown
from migrate.specfile import KEYS, Written, spec_text
from migrate.workdir.typed import Option

_OF_SPEC: Final = (
    "-o",
    "--output",
    "--as-mapping",
    "--dialect",
    "--quote",
    "--escape",
    "--columns",
    "--no-header",
)
"""Options that are not for the command to go on with: the spec says what they say."""
_STDOUT: Final = "-"
_UNITS: Final[dict[str, Unit]] = {"iso": "iso", "unix_s": "s", "unix_ms": "ms", "unix_us": "us"}


def write_spec(options: SpecOptions) -> NoReturn:
    """Write the spec, and say what is still to be filled in and what is next."""
    layout = layout_of(options)
    found, layout, is_numbered = _inspected(options, layout)
    kinds = [one for one in found.kinds if one.looked] or found.kinds
    kind = next((one for one in kinds if not one.order), None) or next(iter(kinds), None)
    if kind is None:
        raise UsageError(_nothing(found, options, None))
    if not kind.looked:
        raise UsageError(_nothing(found, options, kind))
    guesses = _guesses(kind, options, layout)
    source = kind.file.source
    name = source_name(source.path.name) if source.member is None else source.name
    command = _command(options)
    if options.as_mapping:
        text = mapping_text(_draft(guesses, kind))
    else:
        text = spec_text(guesses, Written(name=name, command=command, layout=layout, is_numbered=is_numbered))
    _write(text, options.output)
    for line in _told(found, kind, guesses, command, options):
        click.echo(shown(line), err=True)
    sys.exit(exits.DONE)


def _inspected(options: SpecOptions, layout: Layout) -> tuple[Inspection, Layout, bool]:
    """Return what the files are; where their first lines are rows, as files without a header."""
    look = partial(inspect, encoding=options.encoding, partitions=not options.no_partitions)
    found = look(options.inputs, layout=layout)
    if found.kinds or not layout.has_header:
        return found, layout, False
    for source in sources(options.inputs, skip_unreadable=True).sources:
        header = read_header(source, encoding=options.encoding, layout=layout)
        if header is not None and header.value is not None:
            numbered = replace(layout, has_header=False)
            return look(options.inputs, layout=numbered), numbered, True
    return found, layout, False


def _guesses(kind: Kind, options: SpecOptions, layout: Layout) -> Guesses:
    """Return what the first rows of a kind could be, as the platform `table` reads them."""
    rows, names, is_whole = [], dict[str, None](), len(kind.looked) == len(kind.files)
    for file in kind.files:
        if file.source.name not in kind.looked:
            continue
        header = read_header(
            file.source, encoding=options.encoding, layout=layout, partitions=not options.no_partitions
        )
        if header is None:
            continue
        within = header.within
        header = within if within is not None and within.columns and not kind.order else header
        seen = first(file.source, header)
        rows += seen.rows
        is_whole &= seen.is_whole
        names |= dict.fromkeys(
            (*header.columns, *(one for one, _ in header.partitions if header.partition(one)))
        )
    columns = [one for one in columns_of(names, rows) if _can_be_written(one.name)]
    return guesses_of(columns, rows, is_whole=is_whole)


def _can_be_written(name: str) -> bool:
    """Return whether a spec may name a column: its name is text, holds no secret, and is none of migrate's own."""
    return is_text(name) and masked(name) == name and name not in OURS


def _nothing(found: Inspection, options: SpecOptions, kind: Kind | None) -> str:
    """Return why there is nothing to write a spec of."""
    for name, why in (found.unfit if kind is None else kind.faults).items():
        return f"{name}: {why}"
    what = ", ".join(map(source_name, options.inputs))
    return f"{what}: no row in it to write a spec of, found only empty files; name a file with rows"


def _command(options: SpecOptions) -> str:
    """Return what shows the events that are made by what is written."""
    typed = typed_command().anew().without(*_OF_SPEC)
    path = _path(options)
    platform, more = "table", [Option("--spec", path)]
    if options.as_mapping:
        platform, more = path if Path(path).is_absolute() else f"./{path}", []
    given = [*typed.options, *more, Option("--pretty")]
    return replace(typed, name="preview", platform=platform, options=given).shown(None)


def _path(options: SpecOptions) -> str:
    """Return the file that is written, or would be."""
    if str(options.output) != _STDOUT:
        return str(options.output)
    return "mapping.py" if options.as_mapping else "spec.toml"


def _draft(found: Guesses, kind: Kind) -> Draft:
    """Return the mapping to begin from; raises UsageError where a column it needs cannot be guessed."""
    source = kind.file.source
    persons = [one for one in found.persons if one.name in found.columns]
    times = [one for one in found.times if one.column in found.columns]
    events = [one for one in found.events if one.name in found.columns]
    for what, some in (("person", persons), ("time", times)):
        if not some:
            raise UsageError(
                f"--as-mapping: {source.name}: no column could be the {what} of an event, found "
                f"{', '.join(found.columns[:12])}; write a spec instead, without --as-mapping, and fill it in"
            )
    person, time, event = persons[0], times[0], next(iter(events), None)
    said = [f"the person is in {person.name}: {person.why}", f"the time is in {time.column}: {time.why}"]
    said.append(f"the event is in {event.name}: {event.why}" if event else "all rows are one kind of event")
    if (shape := time.formats[0]) not in _UNITS:
        said.append(f"the time is written as {' or '.join(time.formats)}: read it with expr.local")
    if time.is_nanoseconds:
        said.append("the time counts nanoseconds: take off the last three digits")
    if time.doubt:
        said.append(f"but {time.doubt}")
    if not time.is_zoned:
        said.append(f"the zone: {time.zone}")
    if found.keys:
        said.append(f"what tells rows apart is {found.keys[0].name}: {found.keys[0].why}")
    stem = source_name(source.path.name).partition(".")[0] or "file"
    return Draft(
        title=stem,
        table="rows",
        event=event.name if event else stem,
        is_event_constant=event is None,
        person=person.name,
        time=time.column,
        unit=_UNITS.get(shape, "iso"),
        key=found.keys[0].name
        if found.keys and found.is_key_sure and found.keys[0].name in found.columns
        else None,
        guesses=tuple(said),
    )


def _write(text: str, output: Path) -> None:
    """Write the text; raises UsageError where there is a file already."""
    if str(output) == _STDOUT:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"--output: {output} is there already; name another file, or move it away") from None
    except OSError as error:
        raise UsageError(
            f"--output: {output} cannot be written, found '{error.strerror}'; check the path"
        ) from None


def _told(
    found: Inspection, kind: Kind, guesses: Guesses, command: str, options: SpecOptions
) -> Iterator[str]:
    """Yield what is to be known of what was written."""
    name = kind.file.source.name
    if kind.refusal is not None:
        yield f"{name}: {kind.refusal}"
    elif kind.order:
        one = kind.order[0]
        yield (
            f"{name}: this is {one.title}, {one.table.name}, of which a platform of its own knows more than a spec can "
            f"say: migrate run {one.platform} …"
        )
    if others := [one.file.source.name for one in found.kinds if one is not kind]:
        yield f"{name}: of this file and its like alone; not of {', '.join(others[:3])}{', …' * (len(others) > 3)}"  # noqa: PLR2004 - as many as are read at once
    for what in () if options.as_mapping else guesses.missing:
        yield f"{name}: {KEYS[what]} could not be guessed; fill it in"
    where = f"once it is in {_path(options)}: " if str(options.output) == _STDOUT else ""
    yield f"next: {where}{command}"
