"""Which time of each input is planned: that of the command that planned it, or of a later one that asked for more."""

from collections.abc import Collection, Mapping

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import BEFORE, Input, Numbers, Window


def known(inputs: Mapping[str, Input], names: Collection[str]) -> dict[str, Window]:
    """Return the windows of those of these inputs that are planned, or that were, and are to be planned anew."""
    found = (one for one in inputs.values() if one.planned and (one.name in names or BEFORE in one.name))
    return {one.name.partition(BEFORE)[0]: one.window for one in found}


def left_out(checkpoint: Checkpoint, asked: Window) -> list[str]:
    """Return the inputs of which rows, or what they tell of persons, were left out that the window `asked` holds."""
    sql = """
        SELECT one.name, one.since, one.until, lead.numbers FROM inputs AS one JOIN inputs AS lead ON lead.id = one.lead
        WHERE (one.since IS NOT NULL OR one.until IS NOT NULL) AND NOT instr(one.name, ?) ORDER BY one.id
    """
    found = []
    for name, since, until, numbers in checkpoint.query(sql, (BEFORE,)):
        before = Window.of(since, until)
        wider = before | asked
        if wider == before:
            continue
        its = Numbers.from_json(numbers)
        outside = its.filtered + its.untold
        is_earlier = wider.since != before.since and outside["before_since"]
        is_later = wider.until != before.until and outside["after_until"]
        if is_earlier or is_later:
            found.append(name)
    return found
