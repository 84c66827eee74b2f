"""A checkpoint of an earlier format goes on as one of today's."""

from migrate.workdir.database import connect
from migrate.workdir.formats import ADDED, FORMAT


def test_every_format_since_the_first_that_goes_on_has_its_step():
    """One after another, up to the one before today's."""
    assert [*ADDED] == [*range(7, FORMAT)]


def test_days_that_an_earlier_version_sent_half_begin_anew(tmp_path):
    """It sent events of one timestamp in another order, so that a number of them no longer tells which they were."""
    made = connect(tmp_path, create=True)
    made.execute("PRAGMA user_version = 15")
    half, whole = ("2024-04-03", 1, 7, 2, 1, 0), ("2024-04-02", 1, 9, 3, 1, 1)
    added = "INSERT INTO rounds (day, round, accepted, duplicate, parked, done) VALUES (?, ?, ?, ?, ?, ?)"
    made.executemany(added, (half, whole))
    made.close()
    made = connect(tmp_path)
    assert made.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    found = made.execute("SELECT day, round, accepted, duplicate, parked, done FROM rounds ORDER BY day")
    assert found.fetchall() == [whole, ("2024-04-03", 1, 0, 0, 0, 0)]
    made.close()
