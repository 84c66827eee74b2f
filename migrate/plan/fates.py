"""Parts with events that are not all to be sent alike → a part for each fate, or for those of some files alone."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from migrate.plan.versions import ids
from migrate.workdir import dayfile, daynames, light
from migrate.workdir.depot import Depot
from migrate.workdir.disk import sync_all
from migrate.workdir.light import Lot
from migrate.workdir.records import Fate, Part
from migrate.workdir.seals import Harmed, Kept, Seal

_FATES: Final = {"o": Fate.AS_OTHERS, "a": Fate.AGAIN, "s": Fate.STAYS}
"""By what stands behind the name of the part that another was."""
_LEFT: Final = "l"
_GONE: Final = ""
"""Stands for events that come into no part."""
_WHOLE: Final = ("o", _LEFT)
"""A part all of whose events have one of these is left alone."""
_TOLD_BY: Final = ("timestamp", "event", "distinct_id", "uuid", "file")
"""Columns by which an event has its letter."""
Tell = Callable[[Sequence[Part]], object]
"""Told of which parts something is about to be done."""
_Mark = Callable[[pl.DataFrame], pl.Series]
"""Given events, with the place of each one's part among some as `part`: the letter of each."""


@dataclass
class Left:
    """What is left of some parts."""

    parts: list[Part] = field(default_factory=list)
    gone: Counter[str] = field(default_factory=Counter)
    """How many events of each name are not."""


class _Made(NamedTuple):
    """A part of some events of another one, which is at this place among some; None where it is that one itself."""

    place: int
    letter: str
    written: dayfile.Written | None


def divided(
    depot: Depot, parts: Sequence[Part], fates: pl.DataFrame, tell: Tell = lambda _: None
) -> list[tuple[Part, list[Part]]]:
    """Return the parts whose events are not all as others, each with those, written durably beside it, it becomes.

    `fates`: `day`, `id` and `fate` of the events that are not, as `changes.compare` finds them. Raises Harmed for a
    part that is.
    """
    of_days = {str(day): of_day for (day,), of_day in fates.partition_by("day", as_dict=True).items()}
    letters = {fate.value: letter for letter, fate in _FATES.items()}
    found = []
    for lot in light.lots(depot, [part for part in parts if part.day in of_days], dayfile.SCHEMA.names):
        tell(lot.parts)
        days = dict.fromkeys(part.day for part in lot.parts)
        known = pl.concat([of_days[day] for day in days]).unique("id")
        known = known.select_seq("id", pl.col("fate").replace_strict(letters, return_dtype=pl.String))

        def mark(frame: pl.DataFrame, known: pl.DataFrame = known) -> pl.Series:
            its = pl.DataFrame({"id": ids(frame)}).join(known, on="id", how="left", maintain_order="left")
            return its["fate"].fill_null("o")

        made = [*_of_light(depot.workdir, lot, mark, Counter())]
        for place in lot.others:
            made += _of_one(depot.workdir, lot.parts[place], place, mark, Counter())
        its = _parts(depot, lot.parts, made)
        found += [(part, into) for part, into in zip(lot.parts, its, strict=True) if into != [part]]
    return found


def left(
    depot: Depot, parts: Sequence[Part], names: Mapping[int, Collection[str]], tell: Tell = lambda _: None
) -> Left:
    """Return what is left of parts where nothing but the events of these files stays, given by the part's input.

    What has other events, too, is written durably beside the part. One that is harmed stays as it is: it is refused
    before it is sent.
    """
    found = Left()
    for lot in light.lots(depot, [part for part in parts if not names[part.input]], ["event"]):
        tell(lot.parts)
        _count(found.gone, lot.frame)
        for place in lot.others:
            found.gone.update(dayfile.names(depot.workdir / lot.parts[place].path))
    shared = [part for part in parts if names[part.input]]
    for lot in light.lots(depot, shared, dayfile.SCHEMA.names):
        tell(lot.parts)
        inputs = pl.Series([part.input for part in lot.parts], dtype=pl.Int64)

        def mark(frame: pl.DataFrame, inputs: pl.Series = inputs) -> pl.Series:
            of_events = inputs[frame["part"]]
            stays = pl.any_horizontal(
                (pl.lit(of_events) == one) & pl.col("file").is_in(list(names[one])) for one in inputs.unique()
            )
            return frame.select_seq(letter=pl.when(stays).then(pl.lit(_LEFT)).otherwise(pl.lit(_GONE)))[
                "letter"
            ]

        made = [*_of_light(depot.workdir, lot, mark, found.gone)]
        for place in lot.others:
            gone = Counter[str]()
            try:
                made += [*_of_one(depot.workdir, lot.parts[place], place, mark, gone)]
            except (Harmed, *dayfile.UNREADABLE):
                made.append(_Made(place, _LEFT, None))
            else:
                found.gone.update(gone)
        found.parts += [part for its in _parts(depot, lot.parts, made) for part in its]
    return found


def _of_light(workdir: Path, lot: Lot, mark: _Mark, gone: Counter[str]) -> Iterator[_Made]:
    """Write what becomes of the light parts of a lot; count the events that are `gone` by name."""
    frame = lot.frame.with_columns(mark(lot.frame).alias("letter"))
    letters = frame.group_by("part").agg(
        pl.col("letter").n_unique().alias("several"), pl.col("letter").first()
    )
    whole = letters.filter((pl.col("several") == 1) & pl.col("letter").is_in(_WHOLE))
    for place, letter in whole.select_seq("part", "letter").iter_rows():
        yield _Made(place, letter, None)
    is_gone = pl.col("letter") == _GONE
    _count(gone, frame.filter(is_gone))
    rest = frame.join(whole, on="part", how="anti", maintain_order="left").filter(~is_gone)
    rest = rest.sort("part", "letter", maintain_order=True)
    names: dict[tuple[int, str], dict[str, int]] = {}
    for place, letter, event, count in rest.group_by("part", "letter", "event").len().iter_rows():
        names.setdefault((place, letter), {})[event] = count
    size = pl.col("payload").str.len_bytes().cast(pl.Int64).sum()
    table, start = dayfile.arrow(rest), 0
    for place, letter, count, its in (
        rest.group_by("part", "letter", maintain_order=True).agg(pl.len(), size).iter_rows()
    ):
        file = dayfile.DayFile(workdir / _beside(lot.parts[place], letter))
        file.add(table.slice(start, count), its)
        file.names.update(names[place, letter])
        yield _Made(place, letter, file.close())
        start += count


def _of_one(workdir: Path, part: Part, place: int, mark: _Mark, gone: Counter[str]) -> Iterator[_Made]:
    """Write what becomes of a part, a row group at a time; raises Harmed, or what `UNREADABLE` names."""
    kept, at = Kept(workdir / part.path, part.seal), pl.lit(place, pl.UInt32).alias("part")

    def marked(columns: Sequence[str]) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
        for frame in dayfile.frames(kept, columns):
            yield frame, mark(frame.with_columns(at))

    match sorted({letter for _, letters in marked(_TOLD_BY) for letter in letters.unique()}):
        case [only] if only in _WHOLE:
            yield _Made(place, only, None)
            return
    files: dict[str, dayfile.DayFile] = {}
    for frame, letters in marked(dayfile.SCHEMA.names):
        for letter in letters.unique(maintain_order=True):
            mine = frame.filter(letters == letter)
            if letter == _GONE:
                _count(gone, mine)
                continue
            if letter not in files:
                files[letter] = dayfile.DayFile(workdir / _beside(part, letter))
            files[letter].add(dayfile.arrow(mine), int(mine["payload"].str.len_bytes().sum()))
            _count(files[letter].names, mine)
    for letter, file in files.items():
        yield _Made(place, letter, file.close())


def _parts(depot: Depot, parts: Sequence[Part], made: Sequence[_Made]) -> list[list[Part]]:
    """Return what each of some parts becomes, made durable."""
    paths = [Path(one.written.path) for one in made if one.written is not None]
    sync_all(paths)
    sync_all({path.parent for path in paths})
    found: list[list[Part]] = [[] for _ in parts]
    for place, letter, written in made:
        part = parts[place]
        found[place].append(part if written is None else _part(part, letter, written))
    depot.keep({path.relative_to(depot.workdir).as_posix(): path for path in paths})
    return found


def _part(part: Part, letter: str, written: dayfile.Written) -> Part:
    """Return the part of some of a part's events, which are written beside it."""
    return replace(
        part,
        path=_beside(part, letter),
        fate=_FATES.get(letter, part.fate),
        events=written.events,
        bytes=written.bytes,
        first=written.first,
        last=written.last,
        seal=Seal.of(Path(written.path)),
        names=daynames.packed(written.names),
    )


def _beside(part: Part, letter: str) -> str:
    """Return the path of what is written beside a part."""
    stem, _, ending = part.path.rpartition(".")
    return f"{stem}{letter}.{ending}"


def _count(counts: Counter[str], frame: pl.DataFrame) -> None:
    """Count events by name."""
    counts.update(dict(frame["event"].value_counts().iter_rows()))
