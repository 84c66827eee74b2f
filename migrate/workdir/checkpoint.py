"""What is planned and what is acknowledged, resumable at any moment: facts, inputs, parts, rounds, numbers."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from migrate.workdir.database import Database, add_count, connect, fact, note_facts
from migrate.workdir.records import BEFORE, Aside, Input, Numbers, Part, Round, Settled
from migrate.workdir.seals import Kept, Seal

REJECTS: Final = "rejects.jsonl"
Also = Callable[[Database], None]
"""What another module keeps in the checkpoint, to be changed within a transaction of it."""
_PEOPLE: Final = "people.sqlite"
_OF_INPUTS: Final = ("linked", "identity", "clock", "planning", "plan_commands", "people_id", "set_aside")
"""Facts that come from inputs."""
_FORGET: Final = (
    "DELETE FROM parts",
    "DELETE FROM rounds",
    "DELETE FROM names",
    "DELETE FROM seals",
    "DELETE FROM inputs",
    "DELETE FROM rejects",
    "DELETE FROM held",
)
_OF_EVENTS: Final = ("path", "input", "day", "events", "bytes", "first", "last", "leads")
_PARTS: Final = """
    SELECT path, input, day, events, bytes, first, last, leads, size, sums, anew, increment, round FROM parts
"""


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

    def close(self) -> None:
        """Close the file; nothing is pending, every change was durable."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[Database]:
        """Run statements that hold together or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def query(self, sql: str, given: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Return rows that another module asks for, of what it keeps here."""
        return self._db.execute(sql, given)

    @contextmanager
    def change(self, facts: Mapping[str, object] | None = None) -> Iterator[Database]:
        """Change what another module keeps here, in one transaction with the `facts` as they are in the end."""
        with self._transaction() as db:
            yield db
            note_facts(db, facts or {})

    # What the workdir is for

    def facts(self) -> dict[str, Any]:
        """Return the facts of the workdir: platform, options, mapping, target, import id."""
        return {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM meta")}

    def note(self, **facts: object) -> None:
        """Set facts of the workdir."""
        with self._transaction() as db:
            note_facts(db, facts)

    def seal_people(self, seal: Seal | None) -> None:
        """Note the seal of the people's file; None says that it is about to be changed."""
        with self._transaction() as db:
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
        with self._transaction() as db:
            for sql in _FORGET:
                db.execute(sql)
            db.executemany("DELETE FROM meta WHERE key = ?", ((key,) for key in _OF_INPUTS))
            add_count(db, REJECTS)

    # Planning

    def register(self, names: Iterable[str]) -> None:
        """Give every input its place in the order, new ones after those known."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO inputs (name, stamp, size, digest) VALUES (?, '', 0, '')",
                ((name,) for name in names),
            )

    def inputs(self) -> dict[str, Input]:
        """Return the inputs by name, in order."""
        rows = self._db.execute(
            "SELECT id, name, stamp, size, digest, numbers IS NOT NULL FROM inputs ORDER BY id"
        )
        return {row[1]: Input(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows}

    def unplanned(self) -> list[str]:
        """Return the names of the inputs that were to be planned and are not, in order."""
        return [name for name, known in self.inputs().items() if not known.planned]

    def is_whole(self) -> bool:
        """Return whether all that was to be planned is, persons and groups included; a trial is always whole.

        What is set aside is not outstanding.
        """
        facts = self.facts()
        if facts.get("planning"):
            return False
        return facts.get("--limit") is not None or self.set_aside().keys() >= set(self.unplanned())

    def together(self, names: Iterable[str]) -> list[str]:
        """Return which of these inputs are planned, and those planned with them; an archive stands for its members."""
        given = set(names)
        sql = "SELECT name, lead FROM inputs WHERE numbers IS NOT NULL AND NOT instr(name, ?) ORDER BY id"
        rows = self._db.execute(sql, (BEFORE,)).fetchall()
        leads = {lead for name, lead in rows if name in given or name.partition("!")[0] in given}
        return [name for name, lead in rows if lead in leads]

    def has_unsent(self, name: str) -> bool:
        """Return whether anything that was planned together with an input is not sent."""
        sql = """
            SELECT 1 FROM parts LEFT JOIN rounds USING (day, round)
            WHERE input = (SELECT lead FROM inputs WHERE name = ?) AND NOT coalesce(done, 0) LIMIT 1
        """
        return self._db.execute(sql, (name,)).fetchone() is not None

    def parts_of(self, lead: int) -> list[Part]:
        """Return the parts of an input, in order."""
        rows = self._db.execute(f"{_PARTS} WHERE input = ? ORDER BY path", (lead,))
        return [_part(*row) for *row, _ in rows]

    def set_aside(self) -> dict[str, Aside]:
        """Return the sources that are set aside, by name."""
        return {name: Aside(*one) for name, one in self.facts().get("set_aside", {}).items()}

    def put_aside(self, found: Mapping[str, Aside]) -> list[str]:
        """Note sources that are set aside; return the names of those that were not, or not as they are now."""
        known = self.set_aside()
        new = [
            name
            for name, one in found.items()
            if name not in known or (known[name].reason, known[name].stamp) != (one.reason, one.stamp)
        ]
        kept = known | {name: found[name] for name in new}
        self.note(set_aside={name: [*vars(one).values()] for name, one in kept.items()})
        return new

    def set_right(self, names: Iterable[str]) -> None:
        """Set these sources aside no more: they are again what was planned."""
        left = {name: one for name, one in self.set_aside().items() if name not in set(names)}
        self.note(set_aside={name: [*vars(one).values()] for name, one in left.items()})

    def dismiss(self, reason: str) -> int:
        """Dismiss the sources that are set aside for this reason; return how many they are."""
        known = self.set_aside()
        meant = [name for name, one in known.items() if one.reason == reason and not one.is_dismissed]
        kept = known | {name: replace(known[name], is_dismissed=True) for name in meant}
        self.note(set_aside={name: [*vars(one).values()] for name, one in kept.items()})
        return len(meant)

    def restamp(self, stamps: Mapping[int, str]) -> None:
        """Note new stamps of inputs whose bytes are the same."""
        with self._transaction() as db:
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
        told = [(planned, numbers), *((one, Numbers()) for one in beside)]
        with self._transaction() as db:
            db.executemany(
                "UPDATE inputs SET stamp = ?, size = ?, digest = ?, numbers = ?, lead = ? WHERE id = ?",
                ((one.stamp, one.size, one.digest, its.to_json(), planned.id, one.id) for one, its in told),
            )
            aside = json.loads(fact(db, "set_aside", "{}"))
            left = {name: one for name, one in aside.items() if name not in {one.name for one, _ in told}}
            if left != aside:
                note_facts(db, {"set_aside": left})
            sql = "SELECT 1 FROM inputs WHERE instr(name, ?) = 1 LIMIT 1"
            anew = any(db.execute(sql, (f"{one.name}{BEFORE}",)).fetchone() for one, _ in told)
            increment = int(fact(db, "increment", "1"))
            db.executemany(
                "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    (
                        *(getattr(part, name) for name in _OF_EVENTS),
                        anew,
                        increment,
                        *vars(part.seal).values(),
                    )
                    for part in parts
                ),
            )
            if states is not None:
                name = states.path.relative_to(self.workdir).as_posix()
                db.execute("INSERT INTO seals VALUES (?, ?, ?)", (name, states.seal.size, states.seal.sums))
            db.executemany(
                "INSERT INTO names VALUES (?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events",
                numbers.names.items(),
            )
            if also is not None:
                also(db)
            note_facts(db, facts)

    def states(self) -> list[Kept]:
        """Return the files of states of which no events are planned yet, in the order of their inputs."""
        rows = self._db.execute(
            "SELECT path, size, sums FROM seals WHERE path <> ? ORDER BY path", (_PEOPLE,)
        )
        return [Kept(self.workdir / path, Seal(size, sums)) for path, size, sums in rows]

    def note_told(self, **facts: object) -> None:
        """Note that the events of all states are planned."""
        with self._transaction() as db:
            db.execute("DELETE FROM seals WHERE path <> ?", (_PEOPLE,))
            note_facts(db, facts)

    def pending(self) -> Iterator[tuple[str, Kept]]:
        """Yield the day and the file of each part with events that are not settled, oldest first."""
        sql = """
            SELECT parts.day, path, size, sums FROM parts LEFT JOIN rounds USING (day, round)
            WHERE NOT coalesce(done, 0) ORDER BY parts.day, path
        """
        for day, path, size, sums in self._db.execute(sql):
            yield day, Kept(self.workdir / path, Seal(size, sums))

    def sources(self, path: str) -> list[str]:
        """Return the names of the inputs whose events (or states) are in the file with this path."""
        sql = """
            SELECT name FROM inputs WHERE lead IN (SELECT input FROM parts WHERE path = ? UNION SELECT ?) ORDER BY id
        """
        states = re.fullmatch(r"states/(\d+)\.states", path)
        rows = self._db.execute(sql, (path, states and int(states[1])))
        return [name.partition(BEFORE)[0] for (name,) in rows]

    # Applying

    def days(self) -> list[str]:
        """Return the days with events that are not settled, oldest first."""
        unsettled = """
            SELECT day FROM parts WHERE round IS NULL UNION SELECT day FROM rounds WHERE NOT done ORDER BY day
        """
        return [day for (day,) in self._db.execute(unsettled)]

    def rounds(self, day: str) -> list[Round]:
        """Return the day's rounds to send, in order.

        Which parts belong to a round is frozen with the first of its events that is settled: parts that come later
        make another. What says who is who makes a round of its own, before the others. Parts of a later increment
        come first: of what they tell in several versions theirs is sent.
        """
        sql = "SELECT round, accepted + duplicate + parked, done FROM rounds WHERE day = ? ORDER BY round"
        begun = self._db.execute(sql, (day,)).fetchall()
        parts: dict[int | None, list[Part]] = {}
        sql = f"{_PARTS} WHERE day = ? ORDER BY increment DESC, input, path"
        for *row, number in self._db.execute(sql, (day,)):
            parts.setdefault(number, []).append(_part(*row))
        new = parts.pop(None, [])
        groups = [(number, position, bool(done), parts.get(number, [])) for number, position, done in begun]
        for own in ([part for part in new if part.leads], [part for part in new if not part.leads]):
            if own:
                groups.append((len(groups) + 1, 0, False, own))
        found: list[Round] = []
        earlier: list[Part] = []
        for number, position, done, own in groups:
            if not done:
                found.append(Round(day, number, position, tuple(own), tuple(earlier)))
            earlier = sorted([*earlier, *own], key=lambda part: (part.input, part.path))
        return found

    def settle(self, turn: Round, settled: Settled, *, is_last: bool = False, **facts: Any) -> None:  # noqa: ANN401
        """Note what became of the next events of a round; after its last ones it is finished."""
        self.settle_all([(turn, settled, is_last)], **facts)

    def settle_all(
        self,
        chunks: Iterable[tuple[Round, Settled, bool]],
        *,
        also: Also | None = None,
        **facts: Any,  # noqa: ANN401
    ) -> None:
        """Note what became of several chunks, in their order, all of it or nothing; see `settle`."""
        with self._transaction() as db:
            for turn, settled, is_last in chunks:
                _freeze(db, turn)
                db.execute(
                    "UPDATE rounds SET accepted = accepted + ?, duplicate = duplicate + ?, parked = parked + ?,"
                    " done = ? WHERE day = ? AND round = ?",
                    (settled.accepted, settled.duplicate, settled.parked, is_last, turn.day, turn.number),
                )
            if also is not None:
                also(db)
            note_facts(db, facts)

    def finish(self, turn: Round) -> None:
        """Note that all events of a round are settled."""
        self.settle(turn, Settled(), is_last=True)

    # Numbers

    def numbers(self) -> Numbers:
        """Return the numbers of all planned inputs together."""
        total = Numbers()
        for (text,) in self._db.execute("SELECT numbers FROM inputs WHERE numbers IS NOT NULL"):
            total.add(Numbers.from_json(text))
        total.names = Counter(dict(self._db.execute("SELECT name, events FROM names")))
        return total

    def by_day(self) -> dict[str, int]:
        """Return how many events are planned for each day, oldest first."""
        return dict(self._db.execute("SELECT day, sum(events) FROM parts GROUP BY day ORDER BY day"))

    def extent(self) -> tuple[int, int, int | None, int | None]:
        """Return planned events, their payload bytes, and the first and last timestamp in microseconds."""
        sql = "SELECT coalesce(sum(events), 0), coalesce(sum(bytes), 0), min(first), max(last) FROM parts"
        return tuple(self._db.execute(sql).fetchone())

    def settled(self) -> Settled:
        """Return what became of all events so far."""
        sql = "SELECT coalesce(sum(accepted), 0), coalesce(sum(duplicate), 0), coalesce(sum(parked), 0) FROM rounds"
        accepted, duplicate, ever = self._db.execute(sql).fetchone()
        (parked,) = self._db.execute("SELECT count(*) FROM parked").fetchone()
        return Settled(accepted + ever - parked, duplicate, parked)

    def counts(self) -> dict[str, int]:
        """Return what is counted for ever: rows rejected, events parked, changes of what is open."""
        return dict(self._db.execute("SELECT name, n FROM counts"))

    def unsettled(self, since: str) -> int:
        """Return how many events of this day and later ones are not settled."""
        sql = """
            SELECT (SELECT coalesce(sum(events), 0) FROM parts WHERE day >= ?1)
                - (SELECT coalesce(sum(accepted + duplicate + parked), 0) FROM rounds WHERE day >= ?1)
        """
        return int(self._db.execute(sql, (since,)).fetchone()[0])

    def part_paths(self) -> set[str]:
        """Return the paths of all parts, relative to the workdir."""
        return {path for (path,) in self._db.execute("SELECT path FROM parts")}


def _freeze(db: Database, turn: Round) -> None:
    """Note which parts belong to a round, unless that is known."""
    known = db.execute("INSERT OR IGNORE INTO rounds (day, round) VALUES (?, ?)", (turn.day, turn.number))
    if known.rowcount:
        db.executemany(
            "UPDATE parts SET round = ? WHERE path = ?", ((turn.number, part.path) for part in turn.parts)
        )


def _part(*row: Any) -> Part:  # noqa: ANN401 - as SQLite gives it
    """Return the part of a row of `_PARTS`, which ends before its round."""
    *of_events, size, sums, anew, increment = row
    return Part(
        **dict(zip(_OF_EVENTS, of_events, strict=True)), seal=Seal(size, sums), anew=anew, increment=increment
    )
