"""A checkpoint of an earlier format goes on as one of today's."""

import json

from migrate.workdir.database import connect, fact
from migrate.workdir.formats import ADDED, FORMAT
from migrate.workdir.halves import NOTED


def test_every_format_since_the_first_that_goes_on_has_its_step():
    """One after another, up to the one before today's."""
    assert [*ADDED] == [*range(7, FORMAT)]


def test_days_that_an_earlier_version_sent_half_are_noted(tmp_path):
    """It sent events of one timestamp in another order, so that a number of them no longer tells which they were."""
    made = connect(tmp_path, create=True)
    made.execute("PRAGMA user_version = 15")
    added = "INSERT INTO rounds (day, round, accepted, duplicate, parked, done) VALUES (?, ?, ?, ?, ?, ?)"
    rows = [("2024-04-02", 1, 9, 3, 1, 1), ("2024-04-03", 1, 9, 0, 1, 1), ("2024-04-03", 2, 0, 2, 1, 0)]
    made.executemany(added, [*rows, ("2024-04-04", 1, 0, 0, 0, 0)])
    made.close()
    made = connect(tmp_path)
    assert made.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    assert json.loads(fact(made, NOTED, "")) == ["2024-04-03"]
    made.close()
