"""Which time of each input is planned: that of the command that planned it, or of a later one that asked for more."""

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import BEFORE, Numbers, Window


def known(checkpoint: Checkpoint) -> dict[str, Window]:
    """Return the windows of inputs that are planned, or that were, where they are to be planned anew."""
    rows = checkpoint.query("SELECT name, since, until FROM inputs WHERE numbers IS NOT NULL ORDER BY id")
    return {name.partition(BEFORE)[0]: Window.of(since, until) for name, since, until in rows}


def left_out(checkpoint: Checkpoint, asked: Window) -> list[str]:
    """Return the inputs of which rows were left out that the window `asked` holds."""
    sql = """
        SELECT one.name, one.since, one.until, lead.numbers FROM inputs AS one JOIN inputs AS lead ON lead.id = one.lead
        WHERE NOT instr(one.name, ?) ORDER BY one.id
    """
    found = []
    for name, since, until, numbers in checkpoint.query(sql, (BEFORE,)):
        before = Window.of(since, until)
        wider = before | asked
        if wider == before:
            continue
        filtered = Numbers.from_json(numbers).filtered
        is_earlier = wider.since != before.since and filtered["before_since"]
        is_later = wider.until != before.until and filtered["after_until"]
        if is_earlier or is_later:
            found.append(name)
    return found
