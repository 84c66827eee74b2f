"""A checkpoint of an earlier format goes on as one of today's."""

from migrate.workdir.database import connect
from migrate.workdir.formats import ADDED, FORMAT
from migrate.workdir.parked import ENQUEUE


def test_every_format_since_the_first_that_goes_on_has_its_step():
    """One after another, up to the one before today's."""
    assert [*ADDED] == [*range(7, FORMAT)]


def test_days_that_an_earlier_version_sent_half_begin_anew(tmp_path):
    """It sent events of one timestamp in another order, so that a number of them no longer tells which they were.

    What was refused of them is refused again, or not; where it lies beside what was refused of a day's events that are
    sent, nobody can tell which is which, and the day goes on where it was.
    """
    made = connect(tmp_path, create=True)
    made.execute("PRAGMA user_version = 15")
    half, whole = ("2024-04-03", 1, 7, 2, 1, 0), ("2024-04-02", 1, 9, 3, 1, 1)
    both = [("2024-04-04", 1, 9, 0, 1, 1), ("2024-04-04", 2, 9, 0, 1, 0)]
    added = "INSERT INTO rounds (day, round, accepted, duplicate, parked, done) VALUES (?, ?, ?, ?, ?, ?)"
    made.executemany(added, (half, whole, *both))
    columns = "day, later, timestamp, uuid, status, message, payload, sum"
    parked = f"INSERT INTO parked ({columns}) VALUES (?, 0, '', 'u', 0, '', '', 0)"  # noqa: S608 - ours
    made.executemany(parked, [(day,) for day, *_ in (half, whole, *both)])
    made.execute(ENQUEUE)
    made.close()
    made = connect(tmp_path)
    assert made.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    found = made.execute(
        "SELECT day, round, accepted, duplicate, parked, done FROM rounds ORDER BY day, round"
    )
    assert found.fetchall() == [whole, ("2024-04-03", 1, 0, 0, 0, 0), *both]
    for table in ("parked", "queue"):
        left = made.execute(f"SELECT id FROM {table} ORDER BY id").fetchall()  # noqa: S608 - ours
        assert left == [(2,), (3,), (4,)]
    made.close()
