"""The file of who is who: in the workdir, or shared by those of a project; and whether it is the one it was."""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from migrate.errors import Refused, UsageError
from migrate.people.schema import PEOPLE_FILE
from migrate.people.store import People
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.hold import try_lock
from migrate.workdir.seals import Seal

GIVEN: Final = "people.given.sqlite"
"""The file of an earlier workdir, as it was given to one that begins."""
LOCK: Final = "people.lock"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PeopleFile:
    """The people's file of a workdir; `shared` is the folder it lies in, where that is not the workdir."""

    checkpoint: Checkpoint
    shared: Path | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return (self.shared or self.checkpoint.workdir) / PEOPLE_FILE

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Have nobody else plan with it. Raises Refused where another process does, or where it is gone."""
        if not self.path.parent.exists() and self.checkpoint.facts().get("people_id") is not None:
            self.check()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(LOCK).open("a") as lock:
            if not try_lock(lock, self.path.parent):
                raise Refused(
                    f"{self.path}: another migrate process plans with these people; wait for it to end"
                )
            yield

    def copy(self) -> Path:
        """Copy it into a folder of the workdir, for a plan that is not to stay; return the folder."""
        folder = self.checkpoint.workdir / "people"
        folder.mkdir()
        if self.path.exists():
            with self.hold():
                shutil.copyfile(self.path, folder / PEOPLE_FILE)
        return folder

    def check(self) -> None:
        """Raise Refused where it is not the file that this workdir began with, as it was left."""
        facts = self.checkpoint.facts()
        self._check_place(facts)
        if facts.get("people_id") is not None:
            uses = facts.get("people_uses")
            Known(
                facts["people_id"],
                facts["people_generation"],
                _owner(facts),
                self.checkpoint.people_seal(),
                uses,
                is_stepping=bool(facts.get("people_stepping")),
            ).check(self.path)

    def begin(self, since: datetime | None, *, is_new: bool) -> None:
        """Begin with it, as a workdir of which nothing is planned: what it has told itself is forgotten.

        In the workdir it is that of an earlier one if one was put there, else a new one. Raises UsageError where one
        was put there and another folder is named, too.
        """
        if self.shared is None:
            if not is_new and self._has_others():
                return
            taken = begin(self.checkpoint.workdir, since, is_new=is_new)
            self.checkpoint.note(people_taken_over=taken, people_id=None, people_owner="", people_dir=None)
            return
        if (own := self.checkpoint.workdir / PEOPLE_FILE).exists():
            raise UsageError(f"--people: {self.shared} is named, and {own} is there, too; remove one")
        facts = self.checkpoint.facts()
        owner = _owner(facts) or secrets.token_hex(8)
        self.checkpoint.note(
            people_taken_over=False,
            people_id=None,
            people_owner=owner,
            people_dir=str(self.shared.absolute()),
        )
        if self.path.exists():
            with _readable(self.path), People(self.path, owner) as people:
                people.begin_again()
                if people.is_of_another(str(self.checkpoint.workdir.absolute())):
                    raise Refused(
                        f"{self.path}: a workdir that lay at {self.checkpoint.workdir} has planned with these people "
                        "and is gone; the merges it planned count as sent. If they were not, begin another --people "
                        "and plan all workdirs anew; if it was, plan into another --workdir"
                    )

    def _has_others(self) -> bool:
        """Return whether other workdirs plan with it; what this one has told, of which nothing is planned, goes."""
        if not self.path.exists():
            return False
        with _readable(self.path), People(self.path) as people:
            if others := people.has_others():
                people.begin_again()
        self.checkpoint.note(people_id=None)
        return others

    @contextmanager
    def open(self) -> Iterator[People]:
        """Open it; when it is closed the checkpoint knows it by its seal."""
        facts = self.checkpoint.facts()
        self.checkpoint.seal_people(None)
        with _readable(self.path):
            people = People(self.path, _owner(facts))
            uses = people.use(str(self.checkpoint.workdir.absolute()))
            name, generation = people.which()
        if facts.get("people_id") is None:
            self.checkpoint.note(people_id=name, **step_made(generation))
        self.checkpoint.note(people_uses=uses)
        try:
            yield people
        finally:
            people.close()
            self.checkpoint.seal_people(Seal.of(self.path))

    def _check_place(self, facts: dict[str, Any]) -> None:
        """Raise Refused where the workdir was planned with people elsewhere."""
        known = facts.get("people_dir")
        if (known is None) == (self.shared is None) or facts.get("platform") is None:
            return
        found = "in a file of its own" if known is None else f"in {known}"
        way = "leave it out" if known is None else f"give --people {known}"
        raise Refused(
            f"--people: this workdir was planned with who is who {found}; {way}, or plan into another --workdir"
        )


def begin_step(checkpoint: Checkpoint) -> int:
    """Note that a step is under way, which changes the people's file and then the checkpoint; return its number.

    Between the two commits a process may end, as often as it likes: the file is at this step, or at the one before.
    """
    checkpoint.note(people_stepping=True)
    return int(checkpoint.facts().get("people_generation", 0)) + 1


def step_made(number: int) -> dict[str, object]:
    """Return the facts to note once a step is made, with what it was made for."""
    return {"people_generation": number, "people_stepping": False}


def _owner(facts: dict[str, Any]) -> str:
    """Return under which name a workdir uses a people's file."""
    return str(facts.get("people_owner") or "")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a file that is none of ours into Refused."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
            raise
        raise Refused(
            f"{path}: cannot be used as a people's file, found '{error}'; name another --people"
        ) from error


@dataclass(frozen=True)
class Known:
    """What a checkpoint knows of its people's file."""

    id: str
    generation: int
    owner: str
    seal: Seal | None
    """Of the file as the last command left it; None where one was killed that was changing it."""
    uses: int | None
    """How often it had been used then: after that another workdir may have changed it."""
    is_stepping: bool = False
    """Whether a step was under way, which may have been made."""

    def check(self, path: Path) -> None:
        """Raise Refused where a file does not belong to the checkpoint: missing, older, another, damaged."""
        if not path.exists():
            raise _refused(path, "missing")
        try:
            # Not read-only: a killed process may have left a journal that has to be rolled back first.
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as db:
                (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
                name, uses = db.execute("SELECT id, uses FROM self").fetchone()
                sql = "SELECT generation FROM generations WHERE owner = ?"
                (generation,) = db.execute(sql, (self.owner,)).fetchone() or (-1,)
        except (sqlite3.DatabaseError, TypeError) as error:
            raise _refused(path, f"damaged, found '{error}'") from error
        if state != "ok":
            raise _refused(path, f"damaged, found '{state}'")
        if name != self.id:
            raise _refused(path, "found one that another workdir began with")
        if generation not in {self.generation, self.generation + self.is_stepping}:
            age = "an older" if generation < self.generation else "a newer"
            raise _refused(path, f"found {age} one, of step {generation} where {self.generation} was noted")
        if self.seal is not None and uses == self.uses and Seal.of(path) != self.seal:
            raise _refused(path, "found other content than was left")


def _refused(path: Path, why: str) -> Refused:
    """Return the error for a people's file that does not belong to the checkpoint."""
    return Refused(
        f"{path}: not the file that belongs to this checkpoint, {why}; it knows who is who, and without it people who "
        "are known could be merged, so nothing is planned; put the right file back, or plan all into another --workdir"
    )


def begin(workdir: Path, since: datetime | None, *, is_new: bool) -> bool:
    """Begin with the people's file of an earlier workdir if one was put into this one, which `is_new`; else with none.

    Return whether there is one. It is kept beside, so that a workdir of which nothing is planned yet can begin again.
    Raises Refused for a file that is none of ours.
    """
    path, given = workdir / PEOPLE_FILE, workdir / GIVEN
    if is_new and path.exists():
        path.replace(given)
    for name in (PEOPLE_FILE, f"{PEOPLE_FILE}-journal"):
        (workdir / name).unlink(missing_ok=True)
    if not given.exists():
        return False
    shutil.copyfile(given, path)
    try:
        with People(path) as people:
            people.take_over(None if since is None else (since - _EPOCH) // timedelta(microseconds=1))
    except sqlite3.Error as error:
        path.unlink()
        raise Refused(
            f"{given}: cannot be used as the {PEOPLE_FILE} of an earlier workdir, found '{error}'; copy it again, or "
            "remove it"
        ) from error
    return True
