"""Inputs that are planned anew: what the checkpoint knows of them as they were and as they are, and how one gives way.

What was planned before keeps its place under another name, with its number behind it. An input is meant by its home:
the number of the input whose parts its events are in, with those of others that they were planned or parted with.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database, fact, note_facts
from migrate.workdir.parts import PARTS, add_part, part_of
from migrate.workdir.records import BEFORE, Change, Fate, Numbers, Part, Renewed, names_before
from migrate.workdir.rounds import add_settled
from migrate.workdir.seals import Kept

REPLANNED: Final = "replanned"
"""The fact that says how many files were planned anew, and what of their events changed (`Change`)."""
FILES: Final = "files"


def together(checkpoint: Checkpoint, names: Iterable[str], alone: Collection[str] = ()) -> list[str]:
    """Return which of these inputs are planned, and those planned with them; an archive stands for its members.

    Those that go `alone` take no others with them. Where a part is harmed in which they are with others, those go with
    them, too: it is made of all of them.
    """
    given = set(names)
    if not given and not alone:
        return []
    rows = checkpoint.leads()
    leads = {
        lead
        for name, lead in rows.items()
        if name not in alone and not given.isdisjoint((name, name.partition("!")[0]))
    }
    leads |= _bound_by_harm(checkpoint, leads)
    return [name for name, lead in rows.items() if lead in leads or name in alone]


def _bound_by_harm(checkpoint: Checkpoint, leads: Collection[int]) -> set[int]:
    """Return the leads that share a harmed part with these; parts of one lead alone are not looked at."""
    homes = dict[int, set[int]]()
    for lead, home in checkpoint.query("SELECT DISTINCT lead, home FROM inputs WHERE home IS NOT NULL"):
        homes.setdefault(home, set()).add(lead)
    found = set[int]()
    for home, its in homes.items():
        is_asked = len(its) > 1 and not its.isdisjoint(leads)
        if is_asked and not all(_is_sound(checkpoint, part) for part in checkpoint.parts_of(home)):
            found |= its
    return found


def _is_sound(checkpoint: Checkpoint, part: Part) -> bool:
    with checkpoint.depot.near([part.path]):
        return Kept(checkpoint.workdir / part.path, part.seal).is_sound()


def apart(checkpoint: Checkpoint, names: Collection[str]) -> set[str]:
    """Return which of these inputs can be planned anew without those planned with them.

    What all of these tell of people is in one file, so that it has to be told before.
    """
    if not names:
        return set()
    rows = checkpoint.leads()
    waiting = set[int]() if checkpoint.is_whole() else untold(checkpoint)
    return {name for name in names if name in rows and rows[name] not in waiting}


def untold(checkpoint: Checkpoint) -> set[int]:
    """Return the leads of inputs of which it is still to be told what they tell of people."""
    return {int(states.path.stem) for states in checkpoint.states()}


def anew(checkpoint: Checkpoint) -> dict[str, int]:
    """Return the names of inputs that are planned anew, or are to be, each with the home of what was planned before."""
    sql = "SELECT name, coalesce(home, 0) FROM inputs WHERE instr(name, ?) ORDER BY id"
    return {name.partition(BEFORE)[0]: home for name, home in checkpoint.query(sql, (BEFORE,))}


def supersede(checkpoint: Checkpoint, names: Sequence[str], emptied: Sequence[str] = ()) -> None:
    """Make room for inputs that are planned anew: what was planned of them goes by another name from now on.

    Those that are `emptied` are planned by it, with nothing.
    """
    with checkpoint.change() as db:
        for name in names:
            sql = "SELECT count(*) FROM inputs WHERE name BETWEEN ? AND ?"
            (count,) = db.execute(sql, names_before(name)).fetchone()
            db.execute("UPDATE inputs SET name = ? WHERE name = ?", (f"{name}{BEFORE}{count + 1})", name))
        sql = "INSERT INTO inputs (name, stamp, size, digest) VALUES (?, '', 0, '')"
        db.executemany(sql, ((name,) for name in names))
        sql = "UPDATE inputs SET numbers = ?, lead = id, home = id WHERE name = ?"
        db.executemany(sql, ((Numbers().to_json(), name) for name in emptied))
        known = json.loads(fact(db, "superseded", "[]"))
        note_facts(db, {"superseded": [*known, *(name for name in names if name not in known)]})


def is_left(checkpoint: Checkpoint, names: Iterable[str]) -> bool:
    """Return whether days are to be put together, and settled, before these are planned anew.

    That is so where others that were planned anew are not settled, or where some of these have spans with others.
    """
    if checkpoint.facts().get("superseded"):
        return True
    sql = "SELECT name FROM inputs WHERE lead IN (SELECT input FROM spans)"
    return not {name for (name,) in checkpoint.query(sql)}.isdisjoint(names)


def superseded(checkpoint: Checkpoint) -> list[tuple[str, int, int]]:
    """Return the inputs planned anew, each with the home of what was planned before, and of what is now."""
    found = []
    for name in checkpoint.facts().get("superseded", []):
        sql = "SELECT home FROM inputs WHERE name BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
        before = checkpoint.query(sql, names_before(name)).fetchone()
        now = checkpoint.query("SELECT home FROM inputs WHERE name = ?", (name,)).fetchone()
        if before and now and now[0] is not None:
            found.append((name, before[0], now[0]))
    return found


def forget_superseded(db: Database, names: Iterable[str]) -> None:
    """Note that these are planned anew, and nothing of them is left to do, within a transaction."""
    done = set(names)
    left = [name for name in json.loads(fact(db, "superseded", "[]")) if name not in done]
    note_facts(db, {"superseded": left})


def names(db: Database, home: int) -> list[str]:
    """Return the names of the sources of an input."""
    return [name for (name,) in db.execute("SELECT name FROM inputs WHERE home = ?", (home,))]


def names_of(checkpoint: Checkpoint, home: int) -> list[str]:
    """Return the names of the sources of an input, also of those that were planned before."""
    rows = checkpoint.query("SELECT name FROM inputs WHERE home = ? ORDER BY id", (home,))
    return [name.partition(BEFORE)[0] for (name,) in rows]


def digests(checkpoint: Checkpoint, home: int) -> dict[str, str]:
    """Return what the sources of an input held, by their names."""
    rows = checkpoint.query("SELECT name, digest FROM inputs WHERE home = ?", (home,))
    return {name.partition(BEFORE)[0]: digest for name, digest in rows}


def renewed(checkpoint: Checkpoint, before: int, now: int) -> list[Renewed]:
    """Return the sources of an input that was planned anew."""
    sql = """
        SELECT id, digest, since, until FROM inputs WHERE home = ? AND name BETWEEN ? AND ? ORDER BY id DESC LIMIT 1
    """
    found = []
    for number, name, digest, *ends in checkpoint.query(
        "SELECT id, name, digest, since, until FROM inputs WHERE home = ?", (now,)
    ).fetchall():
        old = checkpoint.query(sql, (before, *names_before(name))).fetchone()
        if old is not None:
            number_before, digest_before, *ends_before = old
            found.append(
                Renewed(
                    number_before,
                    number,
                    is_same=digest == digest_before,
                    is_same_time=ends == ends_before,
                )
            )
    return found


def standing(checkpoint: Checkpoint, home: int) -> list[str]:
    """Return the names of the sources of an input that are not planned anew."""
    rows = checkpoint.query("SELECT name FROM inputs WHERE home = ? AND NOT instr(name, ?)", (home, BEFORE))
    return [name for (name,) in rows]


def unsent(checkpoint: Checkpoint, homes: Iterable[int]) -> list[Part]:
    """Return the parts of inputs of which nothing is sent."""
    sql = f"{PARTS} WHERE input = ? AND round IS NULL ORDER BY path"
    return [part_of(*row) for home in homes for *row, _ in checkpoint.query(sql, (home,)).fetchall()]


def sent(checkpoint: Checkpoint, names: Iterable[str]) -> tuple[list[Part], list[Part]]:
    """Return the parts that are sent, or being sent, of all that was planned before of inputs, and those that stay."""
    homes = set[int]()
    for name in names:
        sql = "SELECT DISTINCT home FROM inputs WHERE name BETWEEN ? AND ? AND home IS NOT NULL"
        homes.update(home for (home,) in checkpoint.query(sql, names_before(name)))
    sql = f"{PARTS} WHERE input = ? AND round IS NOT NULL ORDER BY path"
    found = [part_of(*row) for home in sorted(homes) for *row, _ in checkpoint.query(sql, (home,)).fetchall()]
    stay = [part for part in found if part.fate is Fate.STAYS]
    return [part for part in found if part.fate is not Fate.STAYS], stay


def divide(db: Database, whole: Part, into: Iterable[Part]) -> None:
    """Take the parts that a part was divided into for it, within a transaction; those that stay are settled."""
    db.execute("DELETE FROM parts WHERE path = ?", (whole.path,))
    for part in into:
        if part.fate is Fate.STAYS:
            add_settled(db, [part])
        else:
            add_part(db, part)


def restore(
    db: Database, before: int, now: int, events: Mapping[str, int], put_back: Iterable[tuple[Part, Part]]
) -> None:
    """Take what was planned anew and came to the same events for what was planned before, within a transaction.

    Its files stay, but for those that were `put_back`: what was planned before, and what is there instead. `events`
    says how many of each name are planned twice by now.
    """
    uncount(db, events)
    _forget_states(db, before)
    sql = "SELECT count(*) FROM inputs WHERE home = ?"
    all_, some = (db.execute(sql, (home,)).fetchone() for home in (before, now))
    is_part = all_ != some  # the numbers are of others, too, and stand
    numbers = "NULL, NULL" if is_part else "numbers, rows"
    sql = f"SELECT name, stamp, size, digest, {numbers}, since, until FROM inputs WHERE home = ?"  # noqa: S608 - ours
    found = db.execute(sql, (now,)).fetchall()
    db.execute("DELETE FROM parts WHERE input = ?", (now,))
    db.execute("DELETE FROM inputs WHERE home = ?", (now,))
    sql = """
        UPDATE inputs SET name = ?, stamp = ?, size = ?, digest = ?, numbers = coalesce(?, numbers),
        rows = coalesce(?, rows), since = ?, until = ? WHERE home = ? AND name BETWEEN ? AND ?
    """
    db.executemany(sql, ((*row, before, *names_before(row[0])) for row in found))
    sql = "UPDATE parts SET bytes = ?, size = ?, sums = ?, names = NULL WHERE path = ?"
    there = ((new.bytes, new.seal.size, new.seal.sums, old.path) for old, new in put_back)
    db.executemany(sql, there)


def replace(
    db: Database, before: int, left: Collection[Part] = (), sent: Collection[str] | None = None
) -> None:
    """Forget the files of what was planned before of which nothing is sent, within a transaction.

    Those that are `left` hold events of sources that stand; some may be among these files. `sent` are the sources with
    events in parts that are sent, None for all of them.
    """
    rows = db.execute("SELECT path FROM parts WHERE input = ? AND round IS NULL", (before,)).fetchall()
    known, stay = {path for (path,) in rows}, {part.path for part in left}
    db.executemany("DELETE FROM parts WHERE path = ?", ((path,) for path in known - stay))
    has_sent = db.execute("SELECT 1 FROM parts WHERE input = ? LIMIT 1", (before,)).fetchone() is not None
    for part in left:
        if part.path not in known:
            add_part(db, part)
    for lead in _gone(db, before):
        its = {name.partition(BEFORE)[0] for name in _names_of(db, lead)}
        if not has_sent or (sent is not None and its.isdisjoint(sent)):
            db.execute(
                "UPDATE inputs SET numbers = ?, rows = NULL WHERE lead = ?", (Numbers().to_json(), lead)
            )
    _forget_states(db, before)


def count(db: Database, changes: Mapping[Change, int], files: int) -> None:
    """Count what changed in the sources that were planned anew, within a transaction."""
    known = Counter(json.loads(fact(db, REPLANNED, "{}")))
    note_facts(
        db, {REPLANNED: known + Counter({FILES: files} | {str(change): n for change, n in changes.items()})}
    )


def _forget_states(db: Database, home: int) -> None:
    """Forget what is still to be told of what was planned before: what is planned now tells it."""
    paths = ((f"states/{lead:08d}.states",) for lead in _gone(db, home))
    db.executemany("DELETE FROM seals WHERE path = ?", paths)


def _gone(db: Database, home: int) -> list[int]:
    """Return the inputs, with events in the parts of one, of which no source stands."""
    sql = "SELECT lead FROM inputs WHERE home = ? GROUP BY lead HAVING min(instr(name, ?)) > 0 ORDER BY lead"
    return [lead for (lead,) in db.execute(sql, (home, BEFORE))]


def _names_of(db: Database, lead: int) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM inputs WHERE lead = ?", (lead,))]


def uncount(db: Database, events: Mapping[str, int]) -> None:
    """Take events off the number planned under each name, within a transaction."""
    db.executemany(
        "UPDATE names SET events = events - ? WHERE name = ?", ((n, name) for name, n in events.items())
    )
    db.execute("DELETE FROM names WHERE events <= 0")
