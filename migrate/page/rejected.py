"""What is open of rejected rows: by reason, with the first rows of each as their file had them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from migrate import numbering
from migrate.page.letters import cut, of_no_row, of_person, of_row
from migrate.report import rejects
from migrate.report.numbers import Summary
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.rejects import FOLDER
from migrate.workdir.standing import Was

ROWS: Final = 3
"""Rows that are shown of a reason."""
_LETTERS: Final = 400
_STEP: Final = 8 << 20
"""Bytes of a file of rejects that are looked through for them."""
_OPEN: Final = """
    SELECT name, row, held FROM rejects CROSS JOIN inputs ON inputs.id = input WHERE reason = ? AND state = ?
    ORDER BY input, row LIMIT ?
"""


class _Line(msgspec.Struct):
    """A line of rejects.jsonl."""

    file: str
    row: int | None
    reason: str
    value: msgspec.Raw = msgspec.Raw(b"null")
    source: msgspec.Raw = msgspec.Raw(b"null")
    why: str | None = None


class Row(NamedTuple):
    """A rejected row: where it is, what is wrong with it, and the row itself, shortened."""

    place: str
    value: str = ""
    source: str = ""


@dataclass(frozen=True)
class Reason:
    """Why rows are rejected, how many, the first of them, and what is to be done."""

    name: str
    rows: int
    first: Sequence[Row]
    how: str


def gather(checkpoint: Checkpoint, numbers: Summary, *, is_whole: bool) -> list[Reason]:
    """Return what is open, by reason, most first."""
    wanted = checkpoint.numbers().wanted
    return [
        Reason(
            name,
            count,
            list(_first(checkpoint, name, is_whole=is_whole)),
            rejects.how(name, wanted.get(name, {})),
        )
        for name, count in sorted(numbers.open_rejects.items(), key=lambda one: (-one[1], one[0]))
    ]


def _first(checkpoint: Checkpoint, reason: str, *, is_whole: bool) -> Iterator[Row]:
    """Yield the first rows of a reason; of one whose line is far behind others, or lost, the place alone."""
    found = checkpoint.query(_OPEN, (reason, Was.OPEN, ROWS)).fetchall()
    lines: dict[tuple[str, int], _Line] = {}
    for held in dict.fromkeys(held for *_, held in found):
        lines |= _read(checkpoint, held, {(name, row) for name, row, _ in found}, reason)
    for name, row, _ in found:
        place, line = cut(numbering.place(name, row), 100), lines.get((name, row))
        if line is None:
            yield Row(place)
            continue
        value = _text(line.value)
        why = f": {line.why}" if line.why and value else line.why or ""
        source = bytes(line.source).decode(errors="replace")
        yield Row(
            place,
            cut(_told(reason, value, source, is_whole=is_whole) + why, 160),
            "" if source == "null" else cut(of_row(source, is_whole=is_whole), _LETTERS),
        )


def _told(reason: str, value: str, source: str, *, is_whole: bool) -> str:
    """Return what is wrong with a row: an id, where the reason names one, or a text that is no row, or a field's."""
    if source == "null":
        return of_no_row(value, is_whole=is_whole)
    return of_person(reason, value, is_whole=is_whole)


def _read(
    checkpoint: Checkpoint, held: int, wanted: set[tuple[str, int]], reason: str
) -> Mapping[tuple[str, int], _Line]:
    """Return those lines that are among the first of a file."""
    found: dict[tuple[str, int], _Line] = {}
    path = checkpoint.workdir / FOLDER / f"{held:08d}.jsonl"
    try:
        with path.open("rb") as file:
            while file.tell() < _STEP and len(found) < len(wanted) and (text := file.readline()):
                line = msgspec.json.decode(text, type=_Line)
                key = line.file, line.row or 0
                if line.reason == reason and key in wanted:
                    found.setdefault(key, line)
    except (OSError, msgspec.DecodeError):  # what is lost is said by `migrate rejects`
        return found
    return found


def _text(value: msgspec.Raw) -> str:
    """Return a value that is a text as it is, another as JSON."""
    found = msgspec.json.decode(value)
    if found is None:
        return ""
    return found if isinstance(found, str) else bytes(value).decode(errors="replace")
