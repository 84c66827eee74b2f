"""What is planned and what is acknowledged, resumable at any moment: facts, inputs, parts, rounds, numbers."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from migrate.transactions import transaction
from migrate.workdir import totals
from migrate.workdir.database import TOTALS, Database, add_count, again, connect, fact, note_facts
from migrate.workdir.depot import Depot
from migrate.workdir.parts import PARTS, add_part, part_of
from migrate.workdir.records import ALWAYS, BEFORE, Aside, Input, Numbers, Part, Window, names_before
from migrate.workdir.seals import Kept, Seal

REJECTS: Final = "rejects.jsonl"
_UNPLANNED: Final = "SELECT name FROM inputs WHERE numbers IS NULL ORDER BY id"
Also = Callable[[Database], None]
"""What another module keeps in the checkpoint, to be changed within a transaction of it."""
_PEOPLE: Final = "people.sqlite"
_OF_INPUTS: Final = (
    *("linked", "identity", "clock", "people_id", "set_aside"),
    *("planning", "planning_stop", "unfinished"),
)
"""Facts that come from inputs."""
_FORGET: Final = (
    "DELETE FROM parts",
    "DELETE FROM spans",
    "DELETE FROM cleaned",
    "DELETE FROM rounds",
    "DELETE FROM names",
    "DELETE FROM seals",
    "DELETE FROM inputs",
    "DELETE FROM rejects",
    "DELETE FROM held",
    "DELETE FROM looks",
)


class Checkpoint:
    """The resumable checkpoint of one workdir. Every method that changes it is durable when it returns."""

    def __init__(self, connection: Database, workdir: Path) -> None:
        self._db = connection
        self.workdir = workdir

    @classmethod
    def open(cls, workdir: Path, *, create: bool = False) -> "Checkpoint":
        """Return the workdir's checkpoint.

        Raises Refused when there is none (unless `create`), or when the file is torn or is not ours.
        """
        return cls(connect(workdir, create=create), workdir)

    @classmethod
    def beside(cls, workdir: Path) -> "Checkpoint":
        """Return the checkpoint that this process has open already, opened once more, for who cannot wait for it."""
        return cls(again(workdir), workdir)

    def close(self) -> None:
        """Close the file; nothing is pending, every change was durable."""
        if "depot" in vars(self):
            self.depot.leave()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def query(self, sql: str, given: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Return rows that another module asks for, of what it keeps here."""
        return self._db.execute(sql, given)

    @contextmanager
    def change(self, facts: Mapping[str, object] | None = None) -> Iterator[Database]:
        """Change what another module keeps here, in one transaction with the `facts` as they are in the end."""
        with transaction(self._db) as db:
            yield db
            note_facts(db, facts or {})

    @cached_property
    def depot(self) -> Depot:
        """Where the files of its parts lie."""
        if (fact := self.facts().get("parts")) is None:
            return Depot(self.workdir)
        from migrate.workdir.far import FarDepot  # noqa: PLC0415 - it knows storages, and is slow to import

        return FarDepot.of(self.workdir, fact)

    # What the workdir is for

    def facts(self) -> dict[str, Any]:
        """Return the facts of the workdir: platform, options, mapping, target, import id."""
        return {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM meta")}

    def note(self, **facts: object) -> None:
        """Set facts of the workdir."""
        with transaction(self._db) as db:
            note_facts(db, facts)

    def seal_people(self, seal: Seal | None) -> None:
        """Note the seal of the people's file; None says that it is about to be changed."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM seals WHERE path = ?", (_PEOPLE,))
            if seal is not None:
                db.execute("INSERT INTO seals VALUES (?, ?, ?)", (_PEOPLE, seal.size, seal.sums))

    def people_seal(self) -> Seal | None:
        """Return the seal of the people's file; None if it may have been changed since it was sealed."""
        sql = "SELECT size, sums FROM seals WHERE path = ?"
        row = self._db.execute(sql, (_PEOPLE,)).fetchone()
        return None if row is None else Seal(*row)

    def forget(self) -> None:
        """Forget inputs of which no event is planned, and what was found in them."""
        with transaction(self._db) as db:
            for sql in _FORGET:
                db.execute(sql)
            db.executemany("DELETE FROM meta WHERE key = ?", ((key,) for key in _OF_INPUTS))
            add_count(db, REJECTS)

    # Planning

    def register(self, names: Iterable[str]) -> None:
        """Give every input its place in the order, new ones after those known."""
        with transaction(self._db) as db:
            db.executemany(
                "INSERT OR IGNORE INTO inputs (name, stamp, size, digest) VALUES (?, '', 0, '')",
                ((name,) for name in names),
            )

    def inputs(self, names: Iterable[str] | None = None) -> dict[str, Input]:
        """Return the inputs by name, in order; of these names alone, where they are given."""
        sql = """
            SELECT id, name, stamp, size, digest, numbers IS NOT NULL, lead, since, until FROM inputs
            WHERE ?1 IS NULL OR name IN (SELECT value FROM json_each(?1)) ORDER BY id
        """
        rows = self._db.execute(sql, (None if names is None else json.dumps(list(names)),))
        return {
            name: Input(number, name, stamp, size, digest, planned == 1, window, lead)
            for number, name, stamp, size, digest, planned, lead, since, until in rows
            for window in [ALWAYS if since is until is None else Window.of(since, until)]
        }

    def derived(self) -> list[str]:
        """Return the names of planned inputs that are no files: what all sources together tell."""
        sql = "SELECT name FROM inputs WHERE name >= '(' AND name < ')' AND numbers IS NOT NULL"
        return [name for (name,) in self._db.execute(sql)]

    def unplanned(self) -> list[str]:
        """Return the names of the inputs that were to be planned and are not, in order."""
        return [name for (name,) in self._db.execute(_UNPLANNED)]

    def is_empty(self) -> bool:
        """Return whether no input is known."""
        return self._db.execute("SELECT 1 FROM inputs LIMIT 1").fetchone() is None

    def is_whole(self) -> bool:
        """Return whether all that was to be planned is, persons and groups included; a trial is always whole.

        What is set aside is not outstanding.
        """
        facts = self.facts()
        if facts.get("planning"):
            return False
        return facts.get("--limit") is not None or self.set_aside().keys() >= set(self.unplanned())

    def leads(self) -> dict[str, int]:
        """Return which input each planned one was planned together with, by name."""
        sql = "SELECT name, lead FROM inputs WHERE numbers IS NOT NULL AND NOT instr(name, ?) ORDER BY id"
        return dict(self._db.execute(sql, (BEFORE,)).fetchall())

    def has_unsent(self, name: str) -> bool:
        """Return whether anything that was planned together with an input is not sent."""
        sql = """
            SELECT 1 FROM parts LEFT JOIN rounds USING (day, round)
            WHERE input = (SELECT home FROM inputs WHERE name = ?1) AND NOT coalesce(done, 0)
            UNION ALL SELECT 1 FROM spans WHERE input = (SELECT lead FROM inputs WHERE name = ?1) LIMIT 1
        """
        return self._db.execute(sql, (name,)).fetchone() is not None

    def parts_of(self, home: int) -> list[Part]:
        """Return the parts of an input, in order."""
        rows = self._db.execute(f"{PARTS} WHERE input = ? ORDER BY path", (home,))
        return [part_of(*row) for *row, _ in rows]

    def set_aside(self) -> dict[str, Aside]:
        """Return the sources that are set aside, by name."""
        return {name: Aside(*one) for name, one in self.facts().get("set_aside", {}).items()}

    def restamp(self, stamps: Mapping[int, str]) -> None:
        """Note new stamps of inputs whose bytes are the same."""
        with transaction(self._db) as db:
            db.executemany("UPDATE inputs SET stamp = ? WHERE id = ?", ((s, i) for i, s in stamps.items()))

    def note_planned(  # noqa: PLR0913 - what is noted at once
        self,
        planned: Input,
        numbers: Numbers,
        parts: Iterable[Part],
        *,
        beside: Iterable[Input] = (),
        states: Kept | None = None,
        also: Also | None = None,
        **facts: Any,  # noqa: ANN401
    ) -> None:
        """Note that an input is planned whole: its numbers and its parts, all at once.

        Its numbers, parts and `states` are also those of the inputs `beside` it, which were planned together with it.
        """
        each = [(planned, numbers), *((one, Numbers()) for one in beside)]
        with transaction(self._db) as db:
            before = fact(db, TOTALS, "")
            db.executemany(
                "UPDATE inputs SET stamp = ?1, size = ?2, digest = ?3, numbers = ?4, lead = ?5, home = ?5,"
                " since = ?6, until = ?7 WHERE id = ?8",
                (
                    (one.stamp, one.size, one.digest, its.to_json(), planned.id, *one.window.texts(), one.id)
                    for one, its in each
                ),
            )
            aside = json.loads(fact(db, "set_aside", "{}"))
            done = {name for one, _ in each for name in (one.name, one.name.partition("!")[0])}
            left = {name: one for name, one in aside.items() if name not in done}
            if left != aside:
                note_facts(db, {"set_aside": left})
            sql = "SELECT 1 FROM inputs WHERE name BETWEEN ? AND ? LIMIT 1"
            anew = any(db.execute(sql, names_before(one.name)).fetchone() for one, _ in each)
            increment = int(fact(db, "increment", "1"))
            for part in parts:
                add_part(db, replace(part, anew=anew, increment=increment))
            if states is not None:
                name = states.path.relative_to(self.workdir).as_posix()
                db.execute("INSERT INTO seals VALUES (?, ?, ?)", (name, states.seal.size, states.seal.sums))
            db.executemany(
                "INSERT INTO names VALUES (?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events",
                numbers.names.items(),
            )
            if also is not None:
                also(db)
            if not anew:
                totals.add(db, before, numbers)
            note_facts(db, facts)

    def states(self) -> list[Kept]:
        """Return the files of states of which no events are planned yet, in the order of their inputs."""
        rows = self._db.execute(
            "SELECT path, size, sums FROM seals WHERE path <> ? ORDER BY path", (_PEOPLE,)
        )
        return [Kept(self.workdir / path, Seal(size, sums)) for path, size, sums in rows]

    def note_told(self, **facts: object) -> None:
        """Note that the events of all states are planned."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM seals WHERE path <> ?", (_PEOPLE,))
            note_facts(db, facts)

    # Numbers

    def numbers(self) -> Numbers:
        """Return the numbers of all planned inputs together."""
        total = totals.of(self._db)
        total.names = Counter(dict(self._db.execute("SELECT name, events FROM names")))
        return total

    def by_day(self) -> dict[str, int]:
        """Return how many events are planned for each day, oldest first."""
        return dict(self._db.execute("SELECT day, sum(events) FROM extents GROUP BY day ORDER BY day"))

    def extent(self) -> tuple[int, int, int | None, int | None]:
        """Return planned events, their payload bytes, and the first and last timestamp in microseconds."""
        sql = "SELECT coalesce(sum(events), 0), coalesce(sum(bytes), 0), min(first), max(last) FROM extents"
        return tuple(self._db.execute(sql).fetchone())

    def has_events(self) -> bool:
        """Return whether any event is planned."""
        return self._db.execute("SELECT 1 FROM extents WHERE events LIMIT 1").fetchone() is not None

    def counts(self) -> dict[str, int]:
        """Return what is counted for ever: rows rejected, events parked, changes of what is open."""
        return dict(self._db.execute("SELECT name, n FROM counts"))

    def part_paths(self, among: Iterable[str] | None = None) -> set[str]:
        """Return the paths of all parts, relative to the workdir; `among` these alone, where they are given."""
        sql = "SELECT path FROM parts WHERE ?1 IS NULL OR path IN (SELECT value FROM json_each(?1))"
        return {path for (path,) in self._db.execute(sql, (None if among is None else json.dumps([*among]),))}
