"""What became of event names."""

from dataclasses import replace

from filled import FUTURE, GONE, VANISHED, Shape, made, name

from migrate.page.days import gather as days_of
from migrate.page.names import NOT_KNOWN, gather


def test_who_vanished_is_told_from_who_is_rare(tmp_path):
    """Each name has its first and its last day, and its events by month; the most come first."""
    shape = Shape(names=3)
    with made(tmp_path, shape) as checkpoint:
        totals = checkpoint.numbers().names
        found = gather(checkpoint, days_of(checkpoint, None, None))
    assert {one.name: one.events for one in found.all} == totals
    assert [one.events for one in found.all] == sorted(totals.values(), reverse=True)
    assert [(one.name, one.last) for one in found.vanished] == [(VANISHED, GONE)]
    first = next(one for one in found.all if one.name == name(0, shape))
    assert (first.first, first.last) == ("2022-03-01", FUTURE)
    assert sum(first.bins) == first.events - 3  # those of the future are in no month
    assert len(first.bins) == found.bins.count == 23
    assert found.appeared == []


def test_names_that_came_later_are_no_loss(tmp_path):
    """They are told as such; of what an earlier version has cleaned away nobody knows the name."""
    with made(tmp_path, Shape(names=1, days=200, planted=False)) as checkpoint:
        with checkpoint.change() as db:
            db.execute(
                "UPDATE parts SET names = CAST('{\"Old\":1,\"New\":1}' AS BLOB) WHERE day > '2022-06-01'"
            )
            db.execute("UPDATE parts SET names = CAST('{\"Old\":1}' AS BLOB) WHERE day <= '2022-06-01'")
            db.execute("UPDATE parts SET names = NULL WHERE day = '2022-07-01'")
        found = gather(checkpoint, days_of(checkpoint, None, None))
    assert [(one.name, one.first) for one in found.appeared] == [("New", "2022-06-02")]
    assert found.vanished == []
    assert NOT_KNOWN in {one.name for one in found.all}


def test_what_is_seasonal_comes_again_and_a_stray_is_nobody(tmp_path):
    """An event that was silent for as long before has not vanished; one that a wrong clock has once more has."""
    with made(tmp_path, Shape(names=1, days=700, planted=False)) as checkpoint:
        with checkpoint.change() as db:
            for name, days in {
                "Advent": ("'2022-12-01' AND '2022-12-20'", "'2023-12-01' AND '2023-12-20'"),
                "Winter": ("'2022-03-01' AND '2022-03-20'", "'2023-03-01' AND '2023-03-20'"),
                "Gone": ("'2022-03-01' AND '2023-01-20'",),
            }.items():
                for some in days:
                    sql = f"UPDATE parts SET names = json_set(names, '$.{name}', 1) WHERE day BETWEEN {some}"  # noqa: S608
                    db.execute(sql)
            db.execute("UPDATE parts SET names = CAST(names AS BLOB)")
        days = days_of(checkpoint, None, None)
        cut = replace(days, last="2024-01-20")
        found = gather(checkpoint, cut)
    assert [(one.name, one.last) for one in found.vanished] == [("Gone", "2023-01-20")]
