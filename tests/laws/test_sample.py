"""A sample is found as it is when it is planned; some rows of each table stand for it."""

import json

from owned import export, written

from migrate.laws.sample import Sample
from migrate.own import Own
from migrate.settings import Settings


def test_rows_of_each_shape_are_taken_as_their_file_has_them(tmp_path):
    """The first ones, and of those in which other columns are filled the first."""
    path = export(tmp_path / "a.jsonl", count=20)
    with path.open("a") as file:
        file.write(
            json.dumps({"id": None, "what": "x", "who": "u", "at": "2024-04-03", "deep": {"a": [1.50]}})
            + "\n"
        )
    own = Own(written(tmp_path))
    sample = Sample.of(Settings(platform="acme", own=own), [str(path)])
    (rows,) = sample.rows
    assert rows.numbers == [1, 2, 3, 4, 5, 6, 7, 21]
    assert rows.rows[-1]["deep"] == {"a": [1.5]}
    assert rows.place(7) == f"{path}:21"
    assert [table.name for table in sample.tables] == ["events"]
