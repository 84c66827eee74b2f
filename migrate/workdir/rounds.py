"""Which events are sent together: a day's rounds, how far each is settled, what became of all events."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from migrate.workdir import daynames
from migrate.workdir.checkpoint import Also, Checkpoint
from migrate.workdir.database import Database, note_facts
from migrate.workdir.parts import PARTS, add_part, part_of
from migrate.workdir.records import Fate, Part, Round, Settled


class Outcome(NamedTuple):
    """What became of the next events of a round, and whether they are its last."""

    round: Round
    settled: Settled
    is_last: bool
    names: Mapping[str, int] = {}
    """How many of these events have each name; of a round's last ones nobody asks."""
    duplicates: Mapping[str, int] = {}
    """How many of the duplicates among them have each name."""


def days(checkpoint: Checkpoint) -> list[str]:
    """Return the days with events that are not settled, oldest first."""
    unsettled = """
        SELECT day FROM parts WHERE round IS NULL UNION SELECT day FROM rounds WHERE NOT done ORDER BY day
    """
    return [day for (day,) in checkpoint.query(unsettled)]


def of_day(checkpoint: Checkpoint, day: str) -> list[Round]:
    """Return the day's rounds to send, in order.

    Which parts belong to a round is frozen before the first of its events is sent: parts that come later make
    another. What says who is who makes a round of its own, before the others; what is sent again, after them,
    whatever was sent. Parts of a later increment come first: of what they tell in several versions theirs is sent.
    """
    sql = "SELECT round, accepted + duplicate + parked, done FROM rounds WHERE day = ? ORDER BY round"
    begun = checkpoint.query(sql, (day,)).fetchall()
    parts: dict[int | None, list[Part]] = {}
    sql = f"{PARTS} WHERE day = ? ORDER BY increment DESC, input, path"
    for *row, number in checkpoint.query(sql, (day,)):
        parts.setdefault(number, []).append(part_of(*row))
    new = parts.pop(None, [])
    groups = [(number, position, bool(done), parts.get(number, [])) for number, position, done in begun]
    again = [part for part in new if part.fate is Fate.AGAIN]
    others = [part for part in new if part.fate is not Fate.AGAIN]
    for own in ([one for one in others if one.leads], [one for one in others if not one.leads], again):
        if own:
            groups.append((len(groups) + 1, 0, False, own))
    found: list[Round] = []
    earlier: list[Part] = []
    for number, position, done, own in groups:
        if not done:
            is_again = bool(own) and own[0].fate is Fate.AGAIN
            found.append(Round(day, number, position, tuple(own), () if is_again else tuple(earlier)))
        earlier = sorted([*earlier, *own], key=lambda part: (part.input, part.path))
    return found


def begin(checkpoint: Checkpoint, found: Iterable[Round]) -> list[Round]:
    """Note that rounds are about to be sent, before their first byte leaves; return those of which it was not noted.

    Their parts are being sent from then on: what is planned anew replaces none of them.
    """
    with checkpoint.change() as db:
        return [round_ for round_ in found if _freeze(db, round_)]


def take_back(checkpoint: Checkpoint, begun: Iterable[Round]) -> None:
    """Note that of rounds which were begun nothing has left."""
    with checkpoint.change() as db:
        for round_ in begun:
            which = (round_.day, round_.number)
            sql = "DELETE FROM rounds WHERE day = ? AND round = ? AND NOT done AND NOT accepted + duplicate + parked"
            if db.execute(sql, which).rowcount:
                db.execute("UPDATE parts SET round = NULL WHERE day = ? AND round = ?", which)


def end(db: Database, day: str, number: int) -> tuple[int, bytes | None]:
    """Have a round that is half sent end with what is settled, within a transaction; return how much, and its names."""
    which = day, number
    sql = "SELECT accepted + duplicate + parked, settled FROM rounds WHERE day = ? AND round = ?"
    settled, names = db.execute(sql, which).fetchone()
    sql = "UPDATE rounds SET done = 1, ended = ?, settled = NULL WHERE day = ? AND round = ?"
    db.execute(sql, (_now(), *which))
    return settled, names


def begin_anew(db: Database, days: Iterable[str]) -> None:
    """Have these days' rounds that are half sent sent from their first event on, within a transaction.

    What they are held against is not what it was, and in which order their events are read hangs on it: how many are
    settled would no longer tell which. See `halves`.
    """
    sql = """
        UPDATE rounds SET accepted = 0, duplicate = 0, parked = 0, settled = NULL, duplicates = NULL
        WHERE day = ? AND NOT done
    """
    db.executemany(sql, ((day,) for day in days))


def settle(
    checkpoint: Checkpoint, outcomes: Iterable[Outcome], *, also: Also | None = None, **facts: object
) -> None:
    """Note what became of the next events of rounds, in their order, all of it or nothing.

    `also` changes what another module keeps in the checkpoint, and `facts` are noted, in the same transaction.
    """
    with checkpoint.change() as db:
        for one in outcomes:
            which, is_last = (one.round.day, one.round.number), one.is_last
            _freeze(db, one.round)
            db.execute(
                "UPDATE rounds SET accepted = accepted + ?, duplicate = duplicate + ?, parked = parked + ?, done = ?,"
                " ended = ?, settled = iif(done, NULL, settled) WHERE day = ? AND round = ?",
                (*vars(one.settled).values(), is_last, _now() if is_last else None, *which),
            )
            if not is_last:  # of one that is done the parts tell
                _add_names(db, "settled", which, one.names)
            _add_names(db, "duplicates", which, one.duplicates)
        if also is not None:
            also(db)
        note_facts(db, facts)


def add_settled(db: Database, parts: Iterable[Part]) -> None:
    """Add parts whose events all are duplicates, each as a round of its own, within a transaction."""
    for part in parts:
        sql = "SELECT coalesce(max(round), 0) + 1 FROM rounds WHERE day = ?"
        (number,) = db.execute(sql, (part.day,)).fetchone()
        sql = "INSERT INTO rounds (day, round, duplicate, done, ended, duplicates) VALUES (?, ?, ?, 1, ?, ?)"
        db.execute(sql, (part.day, number, part.events, _now(), part.names))
        add_part(db, part, number)


def turn_duplicate(db: Database, day: str, event: str) -> None:
    """Note that an event of a day which counted as parked is a duplicate, within a transaction."""
    sql = "SELECT round FROM rounds WHERE day = ? AND parked > 0 ORDER BY round LIMIT 1"
    (number,) = db.execute(sql, (day,)).fetchone() or (None,)
    sql = "UPDATE rounds SET parked = parked - 1, duplicate = duplicate + 1 WHERE day = ? AND round = ?"
    db.execute(sql, (day, number))
    _add_names(db, "duplicates", (day, number), {event: 1})


def outcome(checkpoint: Checkpoint) -> Settled:
    """Return what became of all events so far."""
    sql = (
        "SELECT coalesce(sum(accepted), 0), coalesce(sum(duplicate), 0), coalesce(sum(parked), 0) FROM rounds"
    )
    accepted, duplicate, ever = checkpoint.query(sql).fetchone()
    (parked,) = checkpoint.query("SELECT count(*) FROM parked").fetchone()
    return Settled(accepted + ever - parked, duplicate, parked)


def unsettled(checkpoint: Checkpoint, since: str) -> int:
    """Return how many events of this day and later ones are not settled."""
    sql = """
        SELECT (SELECT coalesce(sum(events), 0) FROM parts WHERE day >= ?1)
            + (SELECT coalesce(sum(events), 0) FROM cleaned WHERE day >= ?1)
            - (SELECT coalesce(sum(accepted + duplicate + parked), 0) FROM rounds WHERE day >= ?1)
    """
    return int(checkpoint.query(sql, (since,)).fetchone()[0])


def _now() -> str:
    """Return when a round ends, in UTC: how long what it sent is kept, and may be on its way, is told from then."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _add_names(db: Database, column: str, which: tuple[str, int | None], names: Mapping[str, int]) -> None:
    """Add to what a round (its day, its number) keeps of names in one of its columns, within a transaction."""
    if not names:
        return
    sql = f"SELECT {column} FROM rounds WHERE day = ? AND round = ?"  # noqa: S608 - our own words
    (kept,) = db.execute(sql, which).fetchone() or (None,)
    total = Counter({} if kept is None else daynames.unpacked(kept))
    total.update(names)
    sql = f"UPDATE rounds SET {column} = ? WHERE day = ? AND round = ?"  # noqa: S608 - our own words
    db.execute(sql, (daynames.packed(total), *which))


def _freeze(db: Database, round_: Round) -> bool:
    """Note which parts belong to a round, unless that is known; return whether it was not."""
    known = db.execute("INSERT OR IGNORE INTO rounds (day, round) VALUES (?, ?)", (round_.day, round_.number))
    if known.rowcount:
        db.executemany(
            "UPDATE parts SET round = ? WHERE path = ?", ((round_.number, part.path) for part in round_.parts)
        )
    return bool(known.rowcount)
