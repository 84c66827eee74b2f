"""Rows that were rejected before are known by what they hold, wherever in their file they are by now."""

import json
import sqlite3
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workdirs import here

from migrate.workdir.alike import Line, go_on
from migrate.workdir.database import FILE, connect
from migrate.workdir.records import Renewed
from migrate.workdir.standing import Was

GOOD = "2024-04-03T12:00:00Z"


class Nights:
    """A workdir of one file, which is written anew before each night; numbers are rows, bad ones below zero."""

    def __init__(self, folder):
        self.file, self.path, self.copies = folder / "in" / "a.jsonl", folder / "w", 0
        self.file.parent.mkdir()

    def night(self, *numbers, text=""):
        """Plan the file as it is by now; return what that exits with, and what `status` exits with."""
        self.file.write_text("".join(json.dumps(row(number)) + "\n" for number in numbers) + text)
        again = ["--again", self.file] if self.path.exists() else []
        self.done = here("plan", "posthog", self.file.parent, *again, "--workdir", self.path, "--json")
        return self.done.returncode, here("status", self.path, "--json").returncode

    def mend(self, *bad, **changes):
        """Plan a copy of the rejects of these rows in which they are good, or changed as told."""
        lines = [json.loads(line) for line in (self.path / "rejects.jsonl").read_text().splitlines()]
        lines = [line for line in lines if line["source"]["properties"]["n"] in bad]
        for line in lines:
            line["source"] |= {"timestamp": GOOD} | changes
        self.copies += 1
        copy = self.path.with_name(f"mended-{self.copies}.jsonl")
        copy.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return here("plan", "posthog", copy, "--workdir", self.path, "--json").returncode

    def dismiss(self, reason="bad_timestamp"):
        """Dismiss what is open for a reason."""
        here("rejects", self.path, "--dismiss", reason)

    def open(self):
        """The rows that rejects.jsonl tells of: their numbers in the file, and what they hold."""
        lines = map(json.loads, (self.path / "rejects.jsonl").read_text().splitlines())
        return sorted((line["row"], line["source"]["properties"]["n"]) for line in lines)


def row(number):
    """A row, without a time where the number is below zero."""
    return {
        "event": "e",
        "distinct_id": "u",
        "timestamp": GOOD if number >= 0 else "soon",
        "properties": {"n": number},
    }


@pytest.fixture
def nights(tmp_path):
    return Nights(tmp_path)


def test_an_old_bad_row_is_no_news_wherever_it_stands(nights):
    """A file that is written newest first, grows behind, or loses its oldest rows."""
    assert nights.night(-1, 1) == (3, 3)
    assert nights.night(2, -1, 1) == (0, 3)
    assert nights.night(3, 2, -1, 1, 4) == (0, 3)
    assert nights.open() == [(3, -1)]
    assert nights.night(-2, 3, 2, -1, 1, 4) == (3, 3)
    assert nights.night(-1, 1, 4) == (0, 3)
    assert nights.open() == [(1, -1)]
    assert nights.night(-2, -1, 1, 4) == (3, 3)  # it was gone, and is there again


def test_what_is_dismissed_stays_so_when_its_file_grows(nights):
    """What is new beside it is open."""
    nights.night(-1, 1)
    nights.dismiss()
    assert nights.night(-1, 1, 2) == (0, 0)
    assert nights.night(3, -1, 1, 2) == (0, 0)
    assert nights.night(-2, 3, -1, 1, 2) == (3, 3)
    assert nights.done.summary["open_rejects"] == {"bad_timestamp": 1}


def test_what_is_mended_in_a_copy_stays_so_when_its_file_grows(nights):
    """Its lines are gone by then; the vendor's row, mended later, is another matter."""
    nights.night(-1, 1)
    assert nights.mend(-1) == 0
    assert nights.night(2, -1, 1) == (0, 0)
    assert nights.night(3, 2, -1, 1) == (0, 0)
    assert nights.open() == []
    assert nights.night(3, 2, -1, 1, -2) == (3, 3)
    assert nights.open() == [(5, -2)]


def test_a_row_that_is_bad_in_another_way_in_a_copy_is_not_mended(nights):
    """It is open once, as its file has it and under the number that it has by now; or dismissed, as it was."""
    nights.night(-1, 1)
    assert nights.mend(-1, distinct_id="") == 3
    assert nights.night(2, 3, -1, 1) == (0, 3)
    assert nights.done.summary["open_rejects"] == {"bad_timestamp": 1}
    assert nights.open() == [(3, -1)]
    assert nights.mend(-1, distinct_id="") == 3
    nights.dismiss("no_distinct_id")
    assert nights.night(4, 2, 3, -1, 1) == (0, 0)
    assert nights.mend(-1) == 0
    assert nights.night(5, 4, 2, 3, -1, 1) == (0, 0)
    assert nights.open() == []


def test_two_rows_alike_are_two(nights):
    """A third one is new; where one of them goes, what is open stays open."""
    assert nights.night(-1, -1) == (3, 3)
    assert nights.night(1, -1, -1) == (0, 3)
    assert nights.night(1, -1, -1, -1) == (3, 3)
    nights.dismiss()
    assert nights.night(-1, -1, -1, -1) == (3, 3)
    assert nights.done.summary["open_rejects"] == {"bad_timestamp": 1}
    assert nights.night(-1, 1) == (0, 3)


def test_a_changed_bad_row_is_another_one(nights):
    """Even in the same place and for the same reason: what was dismissed is what it held."""
    nights.night(-1, 1)
    nights.dismiss()
    assert nights.night(-2, 1) == (3, 3)


def test_text_that_is_no_row_is_told_by_itself(nights):
    """It has no source."""
    assert nights.night(1, text="{bad\n") == (3, 3)
    nights.dismiss("malformed_json")
    assert nights.night(1, 2, text="{bad\n") == (0, 0)
    assert nights.night(1, 2, text="{bad\n{worse\n") == (3, 3)


def test_rejects_of_before_there_were_digests_are_known_by_their_numbers(nights):
    """Where the file has changed they are open again, once; from then on they are known by what they hold."""
    nights.night(-1, 1)
    nights.dismiss()
    db = sqlite3.connect(nights.path / FILE)
    db.execute("UPDATE rejects SET digest = NULL")
    db.commit()
    db.close()
    assert nights.night(-1, 1, 2) == (0, 3)
    nights.dismiss()
    assert nights.night(3, -1, 1, 2) == (0, 0)


def test_a_file_that_is_cut_off_elsewhere_is_another_reject():
    """The same words, further behind: what was dismissed is not what is lost by now."""
    lines = [Line("a", number, "truncated_file") for number in (1, 2)]
    assert len({line.digest() for line in lines}) == 2
    assert len({Line("a", number, "no_timestamp").digest() for number in (1, 2)}) == 1


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A checkpoint's file with a source that was planned twice, as inputs 1 and 2."""
    made = connect(tmp_path_factory.mktemp("w"), create=True)
    sql = "INSERT INTO inputs (id, name, stamp, size, digest, lead) VALUES (?, ?, '', 0, '', ?)"
    made.executemany(sql, [(1, "a", 1), (2, "b", 2)])
    yield made
    made.close()


BEFORE = st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(Was)), max_size=8)
NOW = st.lists(st.sampled_from("xyz"), max_size=8)


@given(before=BEFORE, now=NOW)
def test_so_many_are_known_as_there_were(database, before, now):
    """Of each content as many as are in both; what is open is so as often as there are rows for it."""
    database.execute("BEGIN")
    sql = "INSERT INTO rejects VALUES (?, ?, 'r', ?, ?, ?)"
    database.executemany(sql, [(1, n, 1, state, ord(one)) for n, (one, state) in enumerate(before, 1)])
    database.executemany(sql, [(2, n, 2, Was.OPEN, ord(one)) for n, one in enumerate(now, 1)])
    known = go_on(database, Renewed(1, 2, is_same=False, is_same_time=True))
    sql = "SELECT char(digest), count(*) FROM rejects WHERE input = 2 AND state = ? GROUP BY digest"
    (is_open, dismissed, mended) = (Counter(dict(database.execute(sql, (was,)))) for was in Was)
    database.execute("ROLLBACK")
    were, are = Counter(one for one, _ in before), Counter(now)
    assert known == (were & are).total()
    for one in "xyz":
        was = Counter(state for other, state in before if other == one)
        new = max(0, are[one] - were[one])
        assert is_open[one] == min(was[Was.OPEN], are[one]) + new
        assert dismissed[one] <= was[Was.DISMISSED]
        assert mended[one] <= was[Was.MENDED]


def test_many_rejects_are_not_held_against_each_other(database):
    """What SQLite does grows with the rows; in steps of it, as time is the machine's."""

    def steps(count):
        database.execute("BEGIN")
        sql = "INSERT INTO rejects VALUES (?, ?, 'r', ?, ?, ?)"
        for number, shift in ((1, 0), (2, 1)):
            database.executemany(sql, ((number, n + shift, number, Was.OPEN, n) for n in range(1, count)))
        taken = []
        database.set_progress_handler(lambda: taken.append(None), 1_000)
        known = go_on(database, Renewed(1, 2, is_same=False, is_same_time=True))
        database.set_progress_handler(None, 0)
        database.execute("ROLLBACK")
        assert known == count - 1
        return len(taken)

    assert steps(4_000) < 2.5 * steps(2_000)
