"""The first rows of a plan, kept beside what they become."""

import os

from migrate.workdir import samples

ROWS = [
    {"source": f'{{"n":{n}}}', "payloads": ["{}"], "place": f"a:{n}", "why": None, "table": "t"}
    for n in range(30)
]


def test_rows_come_back_as_they_were_kept(tmp_path):
    """As many as are asked for, or as many as there are, in their order."""
    samples.keep(tmp_path, ROWS)
    assert samples.kept(tmp_path, 2) == ROWS[:2]
    assert samples.kept(tmp_path, 99) == ROWS


def test_a_night_without_rows_leaves_those_of_the_night_before(tmp_path):
    """What is new takes the place of what was there; nothing new takes none."""
    samples.keep(tmp_path, ROWS[:1])
    samples.keep(tmp_path, ROWS[5:7])
    samples.keep(tmp_path, [])
    assert samples.kept(tmp_path, 9) == ROWS[5:7]


def test_rows_of_another_increment_are_told_apart(tmp_path):
    """Those that were shown before it are not those that it goes on with."""
    samples.keep(tmp_path, ROWS[:2], 3)
    assert samples.kept(tmp_path, 9, 3) == samples.kept(tmp_path, 9) == ROWS[:2]
    assert samples.kept(tmp_path, 9, 4) == []


def test_a_file_that_is_gone_or_harmed_shows_nothing(tmp_path):
    """Samples are to be looked at: a plan without them is the same plan."""
    assert samples.kept(tmp_path, 3) == []
    for harmed in (
        '{"source": ',
        "[1]",
        "null",
        '{"a": 1}',
        '{"source": "{}", "payloads": [3]}',
        '{"source": "{}"}',
    ):
        (tmp_path / samples.SAMPLES).write_text(harmed)
        assert samples.kept(tmp_path, 3) == [], harmed


def test_they_are_their_owners_alone(tmp_path):
    """They hold what people did, as all of a workdir does."""
    before = os.umask(0o077)
    try:
        samples.keep(tmp_path, ROWS[:1])
    finally:
        os.umask(before)
    assert (tmp_path / samples.SAMPLES).stat().st_mode & 0o077 == 0
