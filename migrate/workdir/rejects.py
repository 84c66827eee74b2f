"""Rejected rows: noted and closed, their lines as they were written, and rejects.jsonl, the copy for people."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from migrate.workdir.alike import Line, go_on
from migrate.workdir.checkpoint import REJECTS, Checkpoint
from migrate.workdir.copies import Copy, Found
from migrate.workdir.database import Database, add_count
from migrate.workdir.disk import sync
from migrate.workdir.records import Renewed
from migrate.workdir.seals import Seal
from migrate.workdir.standing import Was
from migrate.workdir.typed import OF_SENDING, Command

FOLDER: Final = "rejects"
EVER: Final = "rejected"
"""The count of rows that were ever rejected."""
_STEP: Final = 1 << 20
_ASKED: Final = 3
"""In the place of `DISMISSED`, while it is noted what became of a row that was dismissed and is planned again."""
_DISMISSED: Final = (Was.DISMISSED, _ASKED, Was.DISMISSED)
"""What was dismissed, as either, and what it is again where it is rejected again for the same reason."""


@dataclass(frozen=True)
class KeptLines:
    """The rejects of an input: a file of lines, in its place and durable, and how it is known again."""

    path: Path
    seal: Seal


def place(workdir: Path, aside: Path, number: int) -> KeptLines | None:
    """Move the lines of an input to where they are kept, durably; none are dropped."""
    if not aside.stat().st_size:
        aside.unlink()
        return None
    seal = Seal.of(aside)
    sync(aside)
    folder = workdir / FOLDER
    folder.mkdir(exist_ok=True)
    path = aside.replace(_path(workdir, number))
    sync(folder)
    return KeptLines(path, seal)


def note(db: Database, number: int, lines: KeptLines | None, mended: Iterable[tuple[str, int]] = ()) -> None:
    """Note the rejects of an input, within the transaction that notes the input.

    `mended` are the files and rows that were planned again: they are closed, unless they are rejected again. What was
    dismissed and is rejected for the same reason stays dismissed, and is no news.
    """
    inputs = _Inputs(db)
    closed = (
        (Was.OPEN, Was.MENDED, _ASKED, inputs.number(name), row, Was.OPEN, Was.DISMISSED)
        for name, row in mended
    )
    sql = "UPDATE rejects SET state = iif(state = ?, ?, ?) WHERE input = ? AND row = ? AND state IN (?, ?)"
    is_again = db.executemany(sql, closed).rowcount > 0
    if is_again or lines is not None:
        add_count(db, REJECTS)
    asked = _asked(db) if is_again else 0
    if lines is not None:
        rows = (
            (inputs.number(one.file), one.row or 0, one.reason, number, Was.OPEN, one.digest(), *_DISMISSED)
            for one in _tags(lines.path)
        )
        sql = """
            INSERT INTO rejects (input, row, reason, held, state, digest) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET held = excluded.held, state = iif(state IN (?, ?), ?, excluded.state)
        """
        count = db.executemany(sql, rows).rowcount
        db.execute("INSERT INTO held VALUES (?, ?, ?, ?)", (number, lines.seal.size, lines.seal.sums, count))
        add_count(db, EVER, count - asked + (_asked(db) if asked else 0))
    if asked:
        db.execute("UPDATE rejects SET state = ? WHERE state = ?", (Was.MENDED, _ASKED))


def _asked(db: Database) -> int:
    """Return how many rows that were dismissed are planned again, and not rejected again so far."""
    (count,) = db.execute("SELECT count(*) FROM rejects WHERE state = ?", (_ASKED,)).fetchone()
    return int(count)


def renew(db: Database, renewed: Iterable[Renewed], *, is_restored: bool) -> None:
    """Put the rejects of sources that are planned anew in the place of those from before.

    A row that was dismissed or mended stays so, and rows that were rejected before are not counted again.
    """
    for one in renewed:
        its = {"before": one.before, "now": one.now}
        add_count(db, EVER, -go_on(db, one))
        db.execute("DELETE FROM rejects WHERE input = :before", its)
        if is_restored:
            db.execute("UPDATE rejects SET input = :before WHERE input = :now", its)
        add_count(db, REJECTS)


def planning(checkpoint: Checkpoint, copy: str) -> str:
    """Return the command that plans a copy of rejects.jsonl, with the options of the plan it mends."""
    facts = checkpoint.facts()
    if typed := facts.get("planned_by"):
        command = Command.of(typed).anew().without(*OF_SENDING)
        return command.of_inputs(copy).shown(checkpoint.workdir)
    platform = facts.get("platform", "PLATFORM")
    return shlex.join(["migrate", "plan", platform, copy, "--workdir", str(checkpoint.workdir)])


def tidy(checkpoint: Checkpoint) -> None:
    """Remove lines that were never noted, and those of which all are mended."""
    with checkpoint.change() as db:
        sql = "SELECT DISTINCT held FROM rejects WHERE state <> ?"
        wanted = {number for (number,) in db.execute(sql, (Was.MENDED,))}
        held = {number for (number,) in db.execute("SELECT input FROM held")}
        db.executemany("DELETE FROM held WHERE input = ?", ((number,) for number in held - wanted))
    paths = {_path(checkpoint.workdir, number) for number in wanted}
    for path in (checkpoint.workdir / FOLDER).glob("*.jsonl"):
        if path not in paths:
            path.unlink()


def refresh(checkpoint: Checkpoint) -> list[str]:
    """Write all rejects that are not mended to rejects.jsonl; return what is to be said of the file that was there."""
    copy = Copy(checkpoint, REJECTS)
    remarks: list[str] = []
    state = copy.state()
    if state is Found.OURS and copy.is_current():
        return []
    tidy(checkpoint)
    kept = copy.write(_lines(checkpoint, remarks), is_kept=state is Found.EDITED)
    if state is Found.GONE:
        remarks.append(f"{copy.path}: was gone, and is made again of what is known")
    if kept is not None:
        remarks.append(
            f"{copy.path}: was changed by hand, which has no effect there; what was found is kept as {kept.name}, and "
            f"rejects.jsonl is made again; to plan what was mended: {planning(checkpoint, str(kept))}"
        )
    return remarks


def _lines(checkpoint: Checkpoint, remarks: list[str]) -> Iterator[bytes]:
    """Yield rejects.jsonl in pieces, all rejects that are not mended; add to `remarks` which lines are lost."""
    sql = "SELECT held, count(*) FROM rejects WHERE state <> ? GROUP BY held"
    wanted = dict(checkpoint.query(sql, (Was.MENDED,)).fetchall())
    sql = "SELECT input, size, sums, lines FROM held ORDER BY input"
    for number, size, sums, lines in checkpoint.query(sql).fetchall():
        path = _path(checkpoint.workdir, number)
        if not path.is_file() or Seal.of(path) != Seal(size, sums):
            sql = "SELECT DISTINCT name FROM rejects JOIN inputs ON inputs.id = input WHERE held = ? LIMIT 3"
            names = ", ".join(name for (name,) in checkpoint.query(sql, (number,)))
            remarks.append(
                f"{path}: harmed or lost since it was written, so {wanted.get(number, 0):,} rejected rows are not in "
                f"rejects.jsonl; to have them again, plan their source anew, with --again: {names}"
            )
        elif wanted.get(number) == lines:
            yield from _blocks(path)
        else:
            yield from _left(checkpoint, number, path)


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield all of a file."""
    with path.open("rb") as file:
        while data := file.read(_STEP):
            yield data


def _left(checkpoint: Checkpoint, number: int, path: Path) -> Iterator[bytes]:
    """Yield those lines of an input that are not mended."""
    inputs = _Inputs(checkpoint)
    sql = "SELECT 1 FROM rejects WHERE input = ? AND row = ? AND reason = ? AND held = ? AND state <> ?"
    with path.open("rb") as file:
        for text in file:
            line = msgspec.json.decode(text, type=Line)
            its = (inputs.number(line.file), line.row or 0, line.reason, number, Was.MENDED)
            if checkpoint.query(sql, its).fetchone():
                yield text


class _Inputs:
    """The numbers of inputs by their names."""

    def __init__(self, asked: Database | Checkpoint) -> None:
        self._ask = asked.query if isinstance(asked, Checkpoint) else asked.execute
        self._known: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return an input's number, -1 where there is no such input."""
        if name not in self._known:
            found = self._ask("SELECT id FROM inputs WHERE name = ?", (name,)).fetchone()
            self._known[name] = -1 if found is None else found[0]
        return self._known[name]


def _tags(path: Path) -> Iterator[Line]:
    """Yield what tells the lines of a file apart."""
    decoder = msgspec.json.Decoder(Line)
    with path.open("rb") as file:
        for text in file:
            yield decoder.decode(text)


def _path(workdir: Path, number: int) -> Path:
    return workdir / FOLDER / f"{number:08d}.jsonl"
