"""Persons and groups: the latest of each person, the news of each group, and nothing twice."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from migrate.kit import events, schemas
from migrate.kit.declare import Options, Table
from migrate.kit.schemas import FRAMEWORK
from migrate.people import identity, statefiles
from migrate.people.firsts import first_touches
from migrate.people.news import latest_news
from migrate.people.observed import groups_seen, states_in, when_seen, where_seen
from migrate.people.statefiles import Buckets, States
from migrate.people.store import People
from migrate.people.touches import Touches
from migrate.workdir.seals import Kept

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
END = datetime(2024, 5, 1, tzinfo=UTC)


def hour(number):
    """A time so many hours after noon."""
    return NOON + timedelta(hours=number)


def profile(person, at, **properties):
    """What is told of a person; of one without a time, as of the export."""
    return {
        "who": person,
        "at": None if at is None else hour(at),
        "set": json.dumps(properties),
        "kind": None,
    }


def group(key, at, **properties):
    """What is told of a company."""
    return profile(key, at, **properties) | {"kind": "company"}


def to_profiles(rows, _options):
    """The profiles among the rows."""
    told = rows.filter(pl.col("kind").is_null())
    once = pl.lit('{"$initial_a":"x"}')
    return events.profiles(
        told, distinct_id=pl.col("who"), timestamp=pl.col("at"), set=pl.col("set"), set_once=once
    )


def to_groups(rows, _options):
    """The groups among the rows."""
    told = rows.filter(pl.col("kind").is_not_null())
    properties = pl.col("set")
    return events.groups(
        told,
        group_type=pl.col("kind"),
        group_key=pl.col("who"),
        timestamp=pl.col("at"),
        properties=properties,
    )


TABLE = Table(
    name="t",
    columns={},
    matches=lambda _: True,
    to_events=events.none,
    to_profiles=to_profiles,
    to_groups=to_groups,
)


def told(rows, options=None):
    """The states that rows tell."""
    schema = {"who": pl.String, "at": schemas.TIMESTAMP, "set": pl.String, "kind": pl.String} | FRAMEWORK
    frame = pl.DataFrame([{"_row": n} | row for n, row in enumerate(rows, 1)], schema=schema)
    return states_in(frame.lazy(), TABLE, options or Options(), None)


def news(tmp_path, people, *files):
    """What files of states tell anew: time, event, whose, and what."""
    paths = []
    for number, rows in enumerate(files):
        written = States(tmp_path / f"{number}.states")
        for row in rows:
            written.write(told([row]).frame)
        if written.close():
            paths.append(written.path)
    found = []
    with people.transaction() as db:
        touches = Touches(people, db, "in")
        with Buckets([*map(Kept.of, paths)], tmp_path / "aside", people) as buckets:
            for one in latest_news(buckets, people, touches, END):
                people.tell(one.notes)
                touches.add(one.touches)
                for event in one.frame.iter_rows(named=True):
                    said = event["properties"] or event["set"] or event["set_once"]
                    found.append((event["timestamp"], event["event"], event["distinct_id"], json.loads(said)))
    return sorted(found, key=str)


def all_news(people, files, aside):
    """What files of states come to."""
    with people.transaction() as db, Buckets(files, aside, people) as buckets:
        return list(latest_news(buckets, people, Touches(people, db, "in"), END))


def company(key, **properties):
    """The properties of a group's event."""
    return {"$group_type": "company", "$group_key": key, "$group_set": properties}


def test_of_a_person_the_latest_is_told_once(tmp_path):
    """Whatever the order of files and rows; what is of the export comes after everything with a time."""
    files = [
        [profile("anna", 3, plan="pro"), profile("boris", 1, n=1)],
        [profile("anna", 1, plan="free"), profile("boris", None, n=2)],
    ]
    expected = [(hour(3), "$set", "anna", {"plan": "pro"}), (END, "$set", "boris", {"n": 2})]
    assert news(tmp_path, People(), *files) == expected
    assert news(tmp_path, People(), *reversed(files)) == expected


def test_a_person_is_told_of_when_last_seen(tmp_path):
    """Not before the last event of that history, whatever the time of the profile; and never for being seen alone."""
    rows = [profile("anna", 1, plan="pro"), profile("boris", 9, n=1), profile("carla", None, n=2)]
    written = States(tmp_path / "states")
    written.write(told(rows).frame)
    for people in (["anna", "boris", "carla", "dora"], ["anna"]):
        at = [hour(5 + len(people) + place) for place in range(len(people))]
        events_of = pl.DataFrame({"_row": [7] * len(at), "distinct_id": people, "timestamp": at})
        written.write(when_seen(events_of.cast({"timestamp": schemas.TIMESTAMP})))
    written.close()
    (found,) = all_news(People(), [Kept.of(written.path)], tmp_path)
    assert found.frame.select("distinct_id", "timestamp").rows() == [
        ("anna", hour(9)),
        ("boris", hour(10)),
        ("carla", hour(11)),
    ]


def test_of_a_group_what_changed_is_told(tmp_path):
    """In the order of time, over all files; a state that comes again later is news again."""
    files = [
        [group("acme", 1, seats=1), group("acme", 4, seats=1)],
        [group("acme", 2, seats=1), group("acme", 3, seats=2)],
    ]
    expected = [
        (hour(at), "$groupidentify", "$company_acme", company("acme", seats=seats))
        for at, seats in ((1, 1), (3, 2), (4, 1))
    ]
    assert news(tmp_path, People(), *files) == expected
    assert news(tmp_path, People(), *reversed(files)) == expected


@pytest.mark.parametrize("together", [True, False])
def test_what_changed_in_between_stands_in_another_file(tmp_path, together):
    """A state that is the same before and after is news after the other."""
    first, last = group("acme", 1, plan="a"), group("acme", 3, plan="a")
    written = States(tmp_path / "one.states")
    for rows in [[first, last]] if together else [[first], [last]]:
        written.write(told(rows).frame)
    written.close()
    other = States(tmp_path / "two.states")
    other.write(told([group("acme", 2, plan="b")]).frame)
    other.close()
    (found,) = all_news(People(), [Kept.of(written.path), Kept.of(other.path)], tmp_path)
    plans = [json.loads(text)["$group_set"]["plan"] for text in found.frame.sort("timestamp")["properties"]]
    assert plans == ["a", "b", "a"]


def test_the_next_night(tmp_path):
    """What was told is not told again, older news not at all; a change is."""
    people = People()
    night = [profile("anna", 3, plan="pro"), group("acme", 3, seats=2)]
    assert len(news(tmp_path, people, night)) == 2
    again = [profile("anna", 5, plan="pro"), profile("anna", 1, plan="old"), group("acme", 5, seats=2)]
    assert news(tmp_path, people, [*again, group("acme", 1, seats=9)]) == []
    changed = [profile("anna", 6, plan="free"), group("acme", 6, seats=3)]
    assert [said for *_, said in news(tmp_path, people, changed)] == [
        company("acme", seats=3),
        {"plan": "free"},
    ]


def test_none_tells_nothing_of_persons():
    """Groups are no persons."""
    rows = [profile("anna", 1, plan="pro"), group("acme", 1, seats=1)]
    frame = told(rows, Options(person_properties="none")).frame
    assert frame["owner"].to_list() == ["gcompany\x1facme"]


def test_states_of_no_one():
    """What is told of a placeholder is left out and counted; ids PostHog would cut or refuse are rejects."""
    found = told(
        [
            *(
                profile("null", 1),
                profile("guest", 1, n=1),
                profile("ü" * 201, 1, n=1),
                group("😀" * 201, 1, n=1),
            ),
            group("acme", 1, n=1) | {"kind": "t" * 401},
            *(group("k" * 400, 1, n=1), group("acme", 1, n=1) | {"kind": "t" * 400}),
        ]
    )
    assert found.frame["owner"].str.len_chars().to_list() == [400 + 9, 400 + 6]
    assert found.warnings == {"profile_of_no_one": 2}
    assert found.rejects.select("_row", "reason").rows() == [
        (3, "distinct_id_too_long"),
        (4, "group_key_too_long"),
        (5, "group_type_too_long"),
    ]


@pytest.mark.law
def test_more_owners_than_fit_into_memory(tmp_path, monkeypatch):
    """They are parted on disk, and the same is told."""
    rows = [profile(f"u{n % 50}", n, n=n) for n in range(100)] + [
        group(f"g{n % 9}", n, n=n // 50) for n in range(100)
    ]
    expected = news(tmp_path, People(), rows)
    monkeypatch.setattr(statefiles, "_BUCKET_BYTES", 1_000)
    monkeypatch.setattr(statefiles, "_OWNERS", 7)
    assert news(tmp_path, People(), rows) == expected
    assert list((tmp_path / "aside").iterdir()) == []


def moment(person, at, **extra):
    """A row of an event frame, as far as it is looked at."""
    return {"_row": at, "timestamp": hour(at), "distinct_id": person, "extra": extra or {"other": "x"}}


def events_of(*rows, groups=None):
    """An event frame, as far as it is looked at."""
    frame = pl.DataFrame(rows, schema_overrides={"timestamp": schemas.TIMESTAMP})
    return frame.with_columns(pl.Series("groups", groups or [None] * frame.height))


def night(tmp_path, people, *told_):
    """The events that these states come to, as a night plans them, and notes what it told."""
    written = States(tmp_path / "states")
    for one in told_:
        written.write(one)
    written.close()
    files, aside, found = [Kept.of(written.path)], tmp_path / "aside", []
    with people.transaction() as db:
        touches = Touches(people, db, "in")
        buckets = Buckets(files, aside, people)
        for one in (*first_touches(buckets, touches), *latest_news(buckets, people, touches, END)):
            people.tell(one.notes)
            touches.add(one.touches)
            found += one.frame.iter_rows(named=True)
    return found


def event_of(event, what):
    """Whose an event is, and what it tells."""
    return event["distinct_id"], json.loads(event[what])


def test_how_a_person_first_came_is_told_on_the_first_event(tmp_path):
    """Of any of that person's ids, once for ever; of several names the first of each; without an event, in the end."""
    people = People()
    people.add(
        pl.DataFrame(
            [("linked", "phone", "anna", NOON, "t")],
            schema={
                "kind": pl.String,
                "a": pl.String,
                "b": pl.String,
                "time": schemas.TIMESTAMP,
                "why": pl.String,
            },
            orient="row",
        )
    )
    identity.resolve(people, end=None)
    list(identity.new_merges(people, "(identity 1)", 10))

    def once(person, at, **properties):
        row = {"who": person, "at": None if at is None else hour(at), "set": "{}", "kind": None}
        found = told([row]).frame.filter(pl.col("what") == "once")
        return found.with_columns(pl.lit(json.dumps(properties)).alias("told"))

    def once_told(*told_):
        found = night(tmp_path, people, *told_)
        return [(event["timestamp"], *event_of(event, "set_once")) for event in found if event["set_once"]]

    seen = when_seen(events_of(moment("anna", 5), moment("phone", 2), moment("boris", 9), moment("boris", 7)))
    first = once_told(
        seen,
        once("anna", 6, a=2, b=3),
        once("anna", 5, a=1),
        once("boris", None, c=1),
        once("nobody", 4, d=1),
    )
    assert first == [
        (hour(2), "anna", {"a": 1, "b": 3}),
        (hour(7), "boris", {"c": 1}),
        (hour(4), "nobody", {"d": 1}),
    ]
    assert once_told(seen, once("anna", 1, a=9), once("nobody", 1, d=2)) == []


def test_where_a_person_was_last_is_on_the_person(tmp_path):
    """With what else is told; what a profile says itself wins; a place that is the same is not told again."""
    people = People()
    places = [{"$geoip_city_name": city, "$geoip_country_code": "DE"} for city in ("Bonn", "Köln")]

    def last_told(*told_):
        return [(event["timestamp"], *event_of(event, "set")) for event in night(tmp_path, people, *told_)]

    frame = events_of(
        moment("anna", 3, **places[1]), moment("anna", 1, **places[0]), moment("boris", 1, **places[0])
    )
    nowhere = events_of(moment("anna", 9, **dict.fromkeys(places[0])), moment("null", 9, **places[0]))
    where = [where_seen(frame), where_seen(nowhere)]
    profiles = told([profile("boris", 2, plan="pro", **{"$geoip_city_name": "Ulm"})]).frame
    assert last_told(*where, profiles.filter(pl.col("what") == "state")) == [
        (hour(3), "anna", places[1]),
        (hour(2), "boris", {"plan": "pro", "$geoip_city_name": "Ulm", "$geoip_country_code": "DE"}),
    ]
    assert last_told(where_seen(events_of(moment("anna", 20, **places[1])))) == []
    assert last_told(where_seen(events_of(moment("anna", 21, **places[0])))) == [
        (hour(21), "anna", places[0])
    ]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_group_of_which_nothing_is_told_is_told_to_be_there(tmp_path, as_text):
    """Once, when it is first seen, so that it is in the project's list; not one of which more is told."""
    people = People()
    kinds = [
        {"company": "acme", "team": None},
        {"company": "globex", "team": "red"},
        {"company": "acme", "team": None},
    ]
    groups = [json.dumps(kind) for kind in kinds] if as_text else kinds
    frame = events_of(moment("a", 4), moment("a", 3), moment("b", 2), groups=groups)

    def groups_told(*told_):
        found = night(tmp_path, people, *told_)
        return sorted(((event["timestamp"], event_of(event, "properties")[1]) for event in found), key=str)

    assert groups_told(groups_seen(frame), told([group("globex", 5, seats=2)]).frame) == [
        (hour(2), company("acme")),
        (hour(3), {"$group_type": "team", "$group_key": "red", "$group_set": {}}),
        (hour(5), company("globex", seats=2)),
    ]
    assert groups_told(groups_seen(frame)) == []
    assert groups_told(told([group("acme", 6, seats=1)]).frame) == [(hour(6), company("acme", seats=1))]
