"""Whatever the nights in which files come: what PostHog ends with is what one run over all of them tells."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest
from samples import some

from migrate.kit import schemas
from migrate.people import identity
from migrate.people.firsts import first_touches
from migrate.people.news import latest_news
from migrate.people.statefiles import Buckets, States
from migrate.people.states import COLUMNS, LAST, ONCE, PLACE_SEEN, STATE
from migrate.people.store import People
from migrate.people.touches import Touches
from migrate.workdir.seals import Kept

pytestmark = pytest.mark.law

START = datetime(2024, 3, 1, tzinfo=UTC)
END = START + timedelta(days=99)


def at(day):
    """A time."""
    return START + timedelta(days=day)


def night(folder, people, states):
    """The events that these states (whose, kind, day, told, and perhaps by which id) come to, as a night plans them."""
    folder.mkdir(exist_ok=True)
    written = States(folder / "states")
    rows = [
        (
            n,
            owner,
            what,
            at(day),
            (of or [owner[1:] if owner[0] == "p" else None])[0],
            None if told is None else json.dumps(told),
        )
        for n, (owner, what, day, told, *of) in enumerate(states)
    ]
    written.write(pl.DataFrame(rows, {"_row": pl.Int64, **COLUMNS}, orient="row"))
    if not written.close():
        return []
    files, found = [Kept.of(written.path)], []
    with people.transaction() as db:
        touches = Touches(people, db, f"{folder}")
        buckets = Buckets(files, folder / "aside", people)
        for news in (*first_touches(buckets, touches), *latest_news(buckets, people, touches, END)):
            people.tell(news.notes)
            touches.add(news.touches)
            found += news.frame.iter_rows(named=True)
    return found


def ended(nights):
    """What PostHog ends with, of events sent night by night; no event is another's duplicate."""
    found, keys = {}, set()
    for events in nights:
        for event in sorted(events, key=lambda one: one["timestamp"]):
            key = event["dedup_key"], event["timestamp"]
            assert key not in keys
            keys.add(key)
            if event["event"] == "$groupidentify":
                told = json.loads(event["properties"])
                found.setdefault((told["$group_type"], told["$group_key"]), {}).update(told["$group_set"])
                continue
            person = found.setdefault(event["distinct_id"], {})
            person.update(json.loads(event["set"] or "{}"))
            for name, value in json.loads(event["set_once"] or "{}").items():
                person.setdefault(name, value)
    return found


def merged(people, *pairs):
    """Make ids known people's, on a night of its own."""
    links = [("linked", anonymous, identified, at(0), "test") for anonymous, identified in pairs]
    people.add(pl.DataFrame(links, schemas.LINK_SCHEMA, orient="row"))
    identity.resolve(people, end=None)
    list(identity.new_merges(people, f"(identity {pairs})", 10))


def stated(dice, names):
    """States of a few people and groups, each of another time; `names` says which properties a state has."""
    days = [n / 7 for n in range(40)]
    dice.shuffle(days)
    for day in days:
        match dice.choice(["state", "place", "group", "last"]):
            case "state":
                yield f"p{dice.choice('ab')}", STATE, day, {name: dice.randint(1, 2) for name in names(dice)}
            case "place":
                yield f"p{dice.choice('ab')}", PLACE_SEEN, day, {"$city": dice.choice(["Berlin", "Bonn"])}
            case "group":
                yield f"gco\x1f{dice.choice('xy')}", STATE, day, {n: dice.randint(1, 2) for n in names(dice)}
            case "last":
                yield f"p{dice.choice('ab')}", LAST, day, None


@pytest.mark.parametrize("seed", some(range(40), 8))
@pytest.mark.parametrize("is_sent", [True, False])
def test_nights_end_as_one_run_does(tmp_path, seed, is_sent):
    """Sent night by night or all at once; and a night that brings what was there tells nothing."""
    dice = Random(seed)
    states = list(stated(dice, lambda _: ("plan", "seats")))
    count = dice.randint(2, 6)
    parts = [[] for _ in range(count)]
    for state in states:
        dice.choice(parts).append(state)
    with People() as once, People() as nightly:
        expected = ended([night(tmp_path / "once", once, states)])
        told = [night(tmp_path / f"{n}", nightly, part) for n, part in enumerate(parts)]
        if not is_sent:
            told = [[event for events in told for event in events]]
        assert ended(told) == expected
        for number, part in enumerate([*parts, states]):
            assert night(tmp_path / f"again {number}", nightly, part) == []


@pytest.mark.parametrize("seed", some(range(40), 8))
def test_each_name_of_a_group_ends_as_it_was_said_last(tmp_path, seed):
    """Though states hold some of the names only: PostHog keeps the others."""
    dice = Random(seed)
    states = [one for one in stated(dice, lambda d: d.sample("uvw", d.randint(0, 3))) if one[0][0] == "g"]
    parts = [[] for _ in range(dice.randint(2, 6))]
    for state in states:
        dice.choice(parts).append(state)
    with People() as once, People() as nightly:
        expected = ended([night(tmp_path / "once", once, states)])
        told = [night(tmp_path / f"{n}", nightly, part) for n, part in enumerate(parts)]
        assert ended(told) == expected
        assert ended([[event for events in told for event in events]]) == expected
        assert night(tmp_path / "again", nightly, states) == []


@pytest.mark.parametrize("seed", some(range(40), 8))
def test_what_any_of_a_persons_ids_said_last_counts(tmp_path, seed):
    """Each id says things of its own, and of one name all of them; what is late of that name does not come back."""
    dice = Random(seed)
    days = [n / 7 for n in range(20)]
    dice.shuffle(days)
    states = []
    for day in days:
        who = dice.choice(["phone", "tablet", "anna"])
        states.append((f"p{who}", STATE, day, {"plan": f"{day:.1f}", who: "x"}))
    parts = [[] for _ in range(dice.randint(2, 5))]
    for state in states:
        dice.choice(parts).append(state)
    with People() as once, People() as nightly:
        for people in (once, nightly):
            merged(people, ("phone", "anna"), ("tablet", "anna"))
        expected = ended([night(tmp_path / "once", once, states)])
        told = [night(tmp_path / f"{n}", nightly, part) for n, part in enumerate(parts)]
        assert ended(told) == expected
        assert ended([[event for events in told for event in events]]) == expected
        assert night(tmp_path / "again", nightly, states) == []


def test_what_was_told_of_a_device_before_it_was_anyones_is_not_overwritten_by_what_is_older(tmp_path):
    """PostHog joins the two; what the person said earlier only fills in."""
    with People() as people:
        night(tmp_path / "1", people, [("pphone", STATE, 9, {"plan": "free"})])
        merged(people, ("phone", "anna"))
        (event,) = night(tmp_path / "2", people, [("panna", STATE, 5, {"plan": "pro", "name": "Anna"})])
        assert (event["set"], json.loads(event["set_once"])) == (None, {"plan": "pro", "name": "Anna"})
        (event,) = night(tmp_path / "3", people, [("panna", STATE, 10, {"plan": "pro"})])
        assert json.loads(event["set"]) == {"plan": "pro"}


def test_a_person_without_events_came_as_the_device_that_was_told_of(tmp_path):
    """On an earlier night, under its own name; also where the person's own is told with what is known last."""
    with People() as people:
        night(tmp_path / "1", people, [("pphone", ONCE, 1, {"from": "x"}), ("pphone", "first", 1, None)])
        merged(people, ("phone", "anna"))
        (event,) = night(tmp_path / "2", people, [("panna", ONCE, 4, {"from": "y", "more": 1})])
        assert json.loads(event["set_once"]) == {"from": "x", "more": 1}


@pytest.mark.parametrize("owner", ["panna", "gco\x1fx"])
def test_who_is_again_what_they_were_is_told_of_again(tmp_path, owner):
    """Though the time stands still; the same inputs give the same events, however often they are planned."""
    for _ in range(2):
        with People() as people:
            told = [
                night(tmp_path / "n", people, [(owner, STATE, 3, {"plan": plan})])
                for plan in ("free", "paid", "free", "paid", "paid", "free")
            ]
        assert [len(events) for events in told] == [1, 1, 1, 1, 0, 1]
        keys = [event["dedup_key"] for events in told for event in events]
        assert len({*keys}) == 5
        assert ended(told)[told[0][0]["distinct_id"] if owner[0] == "p" else ("co", "x")] == {"plan": "free"}


def test_a_group_that_was_only_seen_is_told_of_though_it_was_earlier(tmp_path):
    """That there is a group says nothing that could be newer."""
    with People() as people:
        assert len(night(tmp_path / "1", people, [("gco\x1fx", "first", 5, None)])) == 1
        (event,) = night(tmp_path / "2", people, [("gco\x1fx", STATE, 1, {"seats": 5})])
        assert json.loads(event["properties"])["$group_set"] == {"seats": 5}


def test_states_that_are_told_again_tell_nothing(tmp_path):
    """As after a kill between what people know and what the checkpoint does."""
    states = [
        ("panna", STATE, 3, {"a": 1}),
        ("gco\x1fx", STATE, 1, {"b": 1}),
        ("gco\x1fx", STATE, 2, {"c": 1}),
    ]
    later = [("panna", STATE, 2, {"a": 2}), ("panna", STATE, 4, {"a": 3}), ("gco\x1fx", STATE, 1.5, {"b": 2})]
    with People() as people:
        night(tmp_path / "1", people, states)
        assert len(night(tmp_path / "2", people, later)) == 2
        assert night(tmp_path / "3", people, later) == []
