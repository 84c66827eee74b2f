"""The numbers of all inputs together: kept, as of a hundred thousand inputs they take a second to add up.

What is kept goes with any change of an input (see `database`), but for one more that is planned.
"""

from collections.abc import Sequence

from migrate.workdir.database import TOTALS, Database, fact, note_facts
from migrate.workdir.records import BEFORE, Numbers


def of(db: Database) -> Numbers:
    """Return the numbers of all planned inputs, but for names of events."""
    if kept := fact(db, TOTALS, ""):
        return Numbers.from_json(kept)
    sql = "SELECT id, lead, name, numbers FROM inputs WHERE numbers IS NOT NULL ORDER BY id"
    return totals(db.execute(sql).fetchall())


def keep(db: Database) -> None:
    """Keep them, where they are not, within a transaction."""
    if not fact(db, TOTALS, ""):
        note_facts(db, {TOTALS: of(db).kept()})


def add(db: Database, before: str, numbers: Numbers) -> None:
    """Keep those that were kept `before` an input was planned with its `numbers`, within a transaction."""
    if before:
        total = Numbers.from_json(before)
        total.add(numbers)
        note_facts(db, {TOTALS: total.kept()})


def totals(inputs: Sequence[tuple[int, int, str, str]]) -> Numbers:
    """Return the numbers of all inputs together: of each its number, its lead's, its name, and its numbers as kept."""
    total = Numbers()
    leads = {name: lead for _, lead, name, _ in inputs}
    # of files planned together the first has the numbers of all: where one of them stands, what was read of others
    # since then was read again; where none does, all was
    standing = {lead for _, lead, name, _ in inputs if BEFORE not in name}
    first = dict[str, int]()
    for _, lead, name, _ in inputs:
        if BEFORE in name and lead in standing:
            first.setdefault(name.partition(BEFORE)[0], lead)
    for number, lead, name, text in inputs:
        numbers = Numbers.from_json(text)
        if lead not in standing or first.get(name.partition(BEFORE)[0], lead) != lead:
            numbers.again = numbers.read
        # what was planned anew is damaged no more, unless it is so again
        numbers.damaged = [one for one in numbers.damaged if leads.get(one, number) == number]
        total.add(numbers)
    return total
