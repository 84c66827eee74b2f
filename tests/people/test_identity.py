"""Who is who: clusters, merges, conflicts, and the laws they obey in whatever order links come."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples

from migrate.errors import Refused
from migrate.kit import schemas
from migrate.people import identity
from migrate.people.identity import Report
from migrate.people.store import People

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)


def hour(number):
    """A time in microseconds, so many hours after noon."""
    return int((NOON + timedelta(hours=number)).timestamp()) * 1_000_000


def frame(*told):
    """Links of `(kind, a, b, hours after noon)`."""
    rows = [
        (kind, a, b, None if time is None else NOON + timedelta(hours=time), "test")
        for kind, a, b, time in told
    ]
    return pl.DataFrame(rows, schema=schemas.LINK_SCHEMA, orient="row")


def linked(*told):
    """Links of the ordinary kind, `(anonymous, identified, hours after noon)`."""
    return [("linked", *link) for link in told]


def work(people, *told, limit=1_000, night=1, end=None):
    """Gather links and work them out; return the merges as `{anonymous: (identified, time)}`, and the report."""
    people.add(frame(*told))
    identity.resolve(people, end=end)
    merges, report = [], None
    for found in identity.new_merges(people, f"(identity {night})", limit):
        if isinstance(found, Report):
            report = found
        else:
            merges += found
    assert merges == sorted(merges, key=lambda merge: (merge[2], merge[0]))
    assert max(Counter(anonymous for anonymous, _, _ in merges).values(), default=1) == 1
    return {anonymous: (identified, time) for anonymous, identified, time in merges}, report


def test_one_merge_for_each_other_id():
    """At the first time the two were seen together, however often they were."""
    merges, report = work(
        People(), *linked(("laptop", "anna", 3), ("laptop", "anna", 1), ("phone", "anna", 2))
    )
    assert merges == {"laptop": ("anna", hour(1)), "phone": ("anna", hour(2))}
    assert (report.people, report.links, report.merges) == (1, 2, 2)
    assert (report.clusters, report.conflicts) == ({"3": 1}, 0)
    assert report.largest == [{"size": 3, "ids": ["anna", "laptop", "phone"]}]


def test_a_chain_of_anonymous_ids():
    """An id that is linked to a person through another is merged when the way to the person was first whole."""
    told = [("same", "cookie", "phone", 1), *linked(("phone", "anna", 5)), ("same", "tv", "cookie", 7)]
    merges, _ = work(People(), *told)
    assert merges == {name: ("anna", hour(at)) for name, at in {"cookie": 5, "phone": 5, "tv": 7}.items()}


def test_a_shared_device_goes_to_the_first():
    """Two people who are known are never made one; their cluster is reported."""
    told = linked(("kiosk", "boris", 2), ("kiosk", "anna", 1), ("phone", "boris", 3))
    merges, report = work(People(), *told)
    assert merges == {"kiosk": ("anna", hour(1)), "phone": ("boris", hour(3))}
    assert (report.conflicts, report.clusters) == (1, {"4": 1})
    assert report.conflicting == [{"size": 4, "ids": ["anna", "boris", "kiosk", "phone"]}]


def test_nobody_is_known():
    """Anonymous ids alone are left as they are: PostHog could not give the one made of them to a person later."""
    merges, report = work(People(), ("same", "a", "b", 1))
    assert (merges, report.anonymous, report.conflicts) == ({}, 1, 0)


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        pytest.param(("linked", "guest", "anna", 1), "illegal_id", id="ingestion's-list"),
        pytest.param(("linked", "phone", '"NULL"', 1), "illegal_id", id="in-quotes"),
        pytest.param(("linked", "backend", "anna", 1), "illegal_id", id="capture's-list"),
        pytest.param(("linked", " ", "anna", 1), "illegal_id", id="blank"),
        pytest.param(("linked", "(null)", "anna", 1), "illegal_id", id="no-id"),
        pytest.param(("same", "anna", r"\N", 1), "illegal_id", id="null-of-databases"),
        pytest.param(("linked", "x" * 201, "anna", 1), "too_long", id="too-long"),
        pytest.param(("linked", "anna ", "anna", 1), "self_link", id="itself"),
        pytest.param(("same", "a", "b", None), "no_time", id="no-time"),
        pytest.param(("refused", "a", "anna", None), "test", id="by-the-mapping"),
    ],
)
def test_links_posthog_would_not_make(link, reason):
    """They are no links, and counted, each pair once."""
    people = People()
    people.add(frame(link))
    merges, report = work(people, link)
    assert (merges, report.refused, report.links) == ({}, {reason: 1}, 0)


def test_what_the_source_resolved_costs_no_merge():
    """Events under the key are the person's; a device is linked only where it has events of nobody."""
    number = "\x1famplitude_id\x1f"
    told = [
        ("resolved", f"{number}1", "anna", 1),
        ("resolved", f"{number}2", f"{number}1", None),
        ("needed", "phone", "anna", 1),
        ("needed", "laptop", "anna", 2),
        ("own", "phone", f"{number}2", None),
        ("own", "laptop", f"{number}3", None),
    ]
    people = People()
    merges, report = work(people, *told)
    assert merges == {"laptop": ("anna", hour(2))}
    assert report.resolved == 2
    keys = pl.Series([f"{number}2", None, f"{number}3", f"{number}2"])
    assert people.persons(keys).to_list() == ["anna", None, None, "anna"]


def test_where_nobody_is_known_the_last_of_a_chain_stands():
    """Heap moves events from one number to the next; the one that leads nowhere is the person."""
    people = People()
    work(people, ("resolved", "1", "2", 1), ("resolved", "2", "3", 2))
    assert people.persons(pl.Series(["1", "2", "3", "4"])).to_list() == ["3", "3", None, None]


def test_a_key_of_two_people_is_resolved_to_neither():
    """The source contradicts itself: every row stays under the id it carries."""
    people = People()
    told = [("resolved", "1", name, 1) for name in ("anna", "boris")]
    work(people, *told, *(("identified", None, name, None) for name in ("anna", "boris")))
    assert people.persons(pl.Series(["1", "anna"])).to_list() == [None, None]


def test_the_next_night_merges_only_what_is_new():
    """Also where news is older than what was known, and where it would contradict what was done."""
    people = People()
    first, _ = work(people, *linked(("phone", "anna", 5)))
    second, report = work(
        people, *linked(("phone", "boris", 1), ("phone", "anna", 2), ("tv", "anna", 9)), night=2
    )
    assert first == {"phone": ("anna", hour(5))}
    assert second == {"tv": ("anna", hour(9))}
    assert (report.merges, report.conflicts) == (2, 1)
    assert work(people, night=3)[0] == {}


def test_a_merge_whose_events_were_never_planned_is_made_again():
    """A process killed between the two files leaves it behind."""
    people = People()
    told = linked(("phone", "anna", 5))
    first, _ = work(people, *told)
    people.keep_planned([])
    assert work(people, *told, night=1)[0] == first
    people.keep_planned(["(identity 1)"])
    assert work(people, *told, night=2)[0] == {}


def test_what_is_resolved_after_its_events_were_planned_is_merged():
    """The first night's events stand under ids that only the second night explains."""
    number = "\x1famplitude_id\x1f7"
    people = People()
    assert work(people, ("own", "phone", number, None))[0] == {}
    told = [
        ("resolved", number, "anna", 30),
        ("resolved", "4711", "anna", None),
        ("identified", None, "anna", None),
    ]
    merges, _ = work(people, *told, night=2, end=hour(24))
    assert merges == {"phone": ("anna", hour(30)), "4711": ("anna", hour(24))}
    assert work(people, *told, night=3, end=hour(48))[0] == {}


def test_a_cluster_too_large_is_refused_and_nothing_kept():
    """Rarely one human; the message names ids and both ways on."""
    people = People()
    told = linked(*((f"device-{n}", "test@example.com", n) for n in range(5)))
    with pytest.raises(
        Refused, match=r"6 ids would be one cluster.*device-0.*--max-cluster 6.*--identity none"
    ):
        work(people, *told, limit=5)
    assert len(work(people, *told, limit=6)[0]) == 5


IDS = st.sampled_from([f"a{n}" for n in range(6)])
USERS = st.sampled_from([f"u{n}" for n in range(4)])
LINKS = st.lists(
    st.one_of(
        st.tuples(st.just("linked"), IDS, USERS, st.integers(0, 20)),
        st.tuples(st.just("same"), IDS, IDS, st.integers(0, 20)),
    ),
    max_size=14,
)


def clusters(told):
    """The connected ids, worked out the slow way."""
    sets = []
    for _, a, b, _ in told:
        if a == b:
            continue
        touched = [known for known in sets if known & {a, b}]
        sets = [known for known in sets if known not in touched] + [{a, b}.union(*touched)]
    return sets


@settings(max_examples=examples(150))
@given(LINKS, st.randoms(use_true_random=False))
def test_laws_of_merging(told, random):
    """The order in which links are gathered does not matter; nobody is glued to a stranger; nobody is forgotten."""
    merges, report = work(People(), *told)
    shuffled = random.sample(told, len(told))
    assert work(People(), *shuffled)[0] == merges
    known = {b for kind, _, b, _ in told if kind == "linked"}
    groups = clusters(told)
    assert report.conflicts == sum(1 for group in groups if len(group & known) > 1)
    for anonymous, (identified, time) in merges.items():
        assert identified in known
        assert anonymous not in known
        assert any({anonymous, identified} <= group for group in groups)
        assert time >= min(hour(at) for _, a, b, at in told if anonymous in {a, b})
    for group in groups:
        if len(group & known) == 1:
            assert {anonymous for anonymous in group if anonymous in merges} == group - known
        else:
            assert bool(group & set(merges)) <= bool(group & known)


@settings(max_examples=examples(100))
@given(LINKS, st.integers(0, 14))
def test_laws_of_nights(told, cut):
    """However links are parted over nights, an id is merged once for ever and with one person alone."""
    people = People()
    first, _ = work(people, *told[:cut])
    second, _ = work(people, *told[cut:], night=2)
    assert not first.keys() & second.keys()
    assert work(people, *told, night=3)[0] == {}


def persons(*told):
    """Under which id each of the source's ids is planned, where it is another."""
    with People() as people:
        people.add(frame(*told))
        identity.resolve(people, end=None)
        ids = pl.Series(sorted({one for _, a, b, _ in told for one in (a, b) if one}))
        return {one: person for one, person in zip(ids, people.persons(ids), strict=True) if person}


def test_who_stands_for_the_ids_of_one_person():
    """One who is known, else one with a profile, else where everything leads to; of two of a rank nobody."""
    pair = ("resolved", "a", "b", 0)
    known, profile, perhaps = [[(kind, None, "a", None)] for kind in ("identified", "profiled", "maybe")]
    other = {kind: (kind, None, "b", None) for kind in ("identified", "profiled", "maybe")}
    assert persons(pair) == persons(pair, other["profiled"]) == {"a": "b"}
    for one in (known, profile, perhaps):
        assert persons(pair, *one) == {"b": "a"}
    assert persons(pair, *known, other["profiled"]) == {"b": "a"}
    assert persons(pair, *profile, other["identified"]) == {"a": "b"}
    assert persons(pair, *profile, other["maybe"]) == persons(pair, *known, other["identified"]) == {}


@pytest.mark.parametrize("kind", ["linked", "needed"])
def test_an_id_with_a_profile_is_known_unless_it_is_perhaps_a_devices_that_a_link_calls_anonymous(kind):
    """So that it is merged with nobody who is known, and others are merged into it."""
    link, own = (kind, "d", "u", 0), ("own", "d", "d", None)
    for profile, expected in (("maybe", {"d": ("u", hour(0))}), ("profiled", {})):
        with People() as people:
            assert work(people, link, own, (profile, None, "d", None))[0] == expected
    for profile in ("maybe", "profiled"):
        with People() as people:
            assert work(people, ("same", "x", "d", 0), (profile, None, "d", None))[0] == {"x": ("d", hour(0))}


def test_an_id_that_another_was_merged_into_stays_known():
    """PostHog would not merge it any more, whatever a later link calls it."""
    with People() as people:
        assert work(people, ("same", "x", "d", 0), ("maybe", None, "d", None))[0] == {"x": ("d", hour(0))}
        assert work(people, ("linked", "d", "u", 1), night=2)[0] == {}
