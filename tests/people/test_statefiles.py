"""Files of states hold what is needed of each owner, and are read with all of one owner together."""

from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people import identity, statefiles
from migrate.people.statefiles import Buckets, States
from migrate.people.states import COLUMNS, FIRST, LAST, ONCE, STATE
from migrate.people.store import People
from migrate.workdir.seals import Kept


def at(hour):
    """A time of one day."""
    return None if hour is None else datetime(2024, 4, 3, hour, tzinfo=UTC)


def states(*rows):
    """States: owner, kind, hour, what is told."""
    full = [(n, owner, what, at(hour), owner[1:], told) for n, (owner, what, hour, told) in enumerate(rows)]
    return pl.DataFrame(full, {"_row": pl.Int64, **COLUMNS}, orient="row")


def kept(path, *rows):
    """A file of these states, told one by one in chunks of all."""
    written = States(path)
    written.write(states(*rows))
    assert written.close()
    return Kept.of(path)


def read(files, aside, people, *, early=False):
    """The states that each frame holds, or those that are early: owner, kind, what is told."""
    with Buckets(files, aside, people) as buckets:
        frames = [*(buckets.early() if early else buckets.all())]
        assert [frame.columns for frame in frames] == [[*COLUMNS]] * len(frames)
        found = [frame.select("owner", "what", "told").rows() for frame in frames]
    return [sorted(rows, key=str) for rows in found]


@pytest.fixture
def people():
    """People of whom one phone is known to be anna's."""
    with People() as people:
        links = [("linked", "phone", "anna", at(1), "test")]
        people.add(pl.DataFrame(links, schemas.LINK_SCHEMA, orient="row"))
        identity.resolve(people, end=None)
        list(identity.new_merges(people, "(identity 1)", 10))
        yield people


def test_of_a_person_the_first_and_the_latest_are_kept_and_of_a_group_all(tmp_path):
    """What lies between two states of a group may stand in another file; a state as of the export is the latest."""
    rows = [
        *(("pboris", STATE, hour, f"s{hour}") for hour in (None, 3, 1)),
        *(("pboris", ONCE, hour, text) for hour, text in ((5, "a"), (2, "b"), (1, "a"))),
        *(("pboris", what, hour, None) for what in (FIRST, LAST) for hour in (4, 2)),
        *(("gteam\x1fred", STATE, hour, f"g{hour}") for hour in (3, 3, 1)),
    ]
    with People() as people:
        frame = pl.concat(Buckets([kept(tmp_path / "s", *rows)], tmp_path / "aside", people).all())
    assert set(frame.select("owner", "what", "timestamp", "told").rows()) == {
        ("pboris", STATE, None, "sNone"),
        ("pboris", ONCE, at(1), "a"),
        ("pboris", ONCE, at(2), "b"),
        ("pboris", FIRST, at(2), None),
        ("pboris", LAST, at(4), None),
        ("gteam\x1fred", STATE, at(1), "g1"),
        ("gteam\x1fred", STATE, at(3), "g3"),
    }


def test_there_is_no_file_of_no_states(tmp_path):
    """Nor a folder for it."""
    written = States(tmp_path / "new" / "states")
    written.write(states())
    assert not written.close()
    assert not (tmp_path / "new").exists()


def test_what_is_told_of_a_merged_id_is_the_persons(tmp_path, people):
    """What is early stays that id's as well; nothing of a group is."""
    file = kept(tmp_path / "s", ("pphone", ONCE, 1, "p"), ("panna", ONCE, 2, "a"), ("gteam", STATE, 1, "g"))
    assert read([file], tmp_path / "aside", people) == [
        [("panna", ONCE, "a"), ("panna", ONCE, "p")],
        [("gteam", STATE, "g")],
    ]
    assert read([file], tmp_path / "aside", people, early=True) == [
        [("panna", ONCE, "a"), ("panna", ONCE, "p"), ("pphone", ONCE, "p")]
    ]


def test_what_a_merged_id_tells_of_a_group_is_the_groups_alone(tmp_path, people):
    """Whoever told it: the person has none of its properties."""
    told_by_phone = states(("gteam\x1fred", STATE, 1, "g")).with_columns(pl.lit("phone").alias("distinct_id"))
    written = States(tmp_path / "s")
    written.write(told_by_phone)
    written.close()
    assert read([Kept.of(written.path)], tmp_path / "aside", people) == [[("gteam\x1fred", STATE, "g")]]


def test_kinds_that_nobody_tells_are_not_looked_for(tmp_path, people):
    """When people were seen says nothing where no file tells how anybody came."""
    file = kept(tmp_path / "s", ("panna", FIRST, 1, None), ("panna", STATE, 1, "{}"))
    assert read([file], tmp_path / "aside", people, early=True) == []


@pytest.mark.parametrize(("bound", "value"), [("_BUCKET_BYTES", 200), ("_BUCKET_STATES", 10), ("_OWNERS", 5)])
def test_all_of_an_owner_are_together_however_many_there_are(tmp_path, people, monkeypatch, bound, value):
    """Over all files and their merged ids: persons in order, then groups; what is put aside is gone afterwards."""
    owners = [*(f"{mark}{number}" for mark in "pg" for number in range(40)), "pphone", "panna"]
    files = [
        kept(
            tmp_path / name,
            *((owner, what, 1, f"{name}{owner}") for owner in owners for what in (STATE, ONCE)),
        )
        for name in "ab"
    ]
    whole = {early: read(files, tmp_path / "aside", people, early=early) for early in (False, True)}
    monkeypatch.setattr(statefiles, bound, value)
    for early in (False, True):
        parted = read(files, tmp_path / "aside", people, early=early)
        assert len(parted) > len(whole[early]) == (1 if early else 2)
        assert [row for rows in parted for row in rows] == [row for rows in whole[early] for row in rows]
        seen = [{owner.translate({ord("g"): "q"}) for owner, *_ in rows} for rows in parted]
        assert all(max(before) < min(after) for before, after in pairwise(seen))
    assert not (tmp_path / "aside").exists() or [*(tmp_path / "aside").iterdir()] == []


@pytest.mark.parametrize("lie", [(1, 40, 1), (40, 1, 40), (200, 1, 200), (4, 10, 40)], ids=str)
def test_buckets_are_even_however_owners_lie(tmp_path, people, monkeypatch, lie):
    """In order, as profiles exported by id are, or some of everywhere in each file, which begins with its least."""
    files, groups, step = lie
    numbers = [number for first in range(step) for number in range(first, 2_000, step)]
    size, kept_ = 2_000 // (files * groups), []
    for file in range(files):
        written = States(tmp_path / f"{file}")
        for group in range(groups):
            start = (file * groups + group) * size
            some = numbers[start : start + size]
            written.write(states(*((f"p{number:04}", STATE, 1, "x") for number in some)))
        assert written.close()
        kept_.append(Kept.of(written.path))
    monkeypatch.setattr(statefiles, "_BUCKET_STATES", 100)
    monkeypatch.setattr(statefiles, "_SAMPLED", 8)
    with Buckets(kept_, tmp_path / "aside", people) as buckets:
        found = [frame.height for frame in buckets.all()]
    assert sum(found) == 2_000
    assert max(found) <= 200


@pytest.mark.parametrize(("bound", "value"), [("_PIECE", 100), ("_PIECE_BYTES", 13_000)])
def test_few_states_are_read_at_once(tmp_path, monkeypatch, bound, value):
    """However long they are; a row group is read whole."""
    written = States(tmp_path / "s")
    for start in range(0, 1_000, 50):
        written.write(
            states(*((f"p{number:04}", STATE, 1, f"{number:064}") for number in range(start, start + 50)))
        )
    written.close()
    monkeypatch.setattr(statefiles, bound, value)
    found = [frame.height for frame in statefiles._pieces(Kept.of(written.path))]  # noqa: SLF001 - what is held at once
    assert found == [100] * 10
