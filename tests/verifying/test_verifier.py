"""A whole verification: nothing is said where nothing is wrong, and a real engine counts the same."""

import os
import time
from datetime import date

import pytest
from asks import rows
from engine import Engine
from imported import (
    COUNT,
    DAYS,
    EVENTS,
    IMPORT,
    Whole,
    again,
    causes,
    changed,
    events,
    gone,
    of,
    sent,
    verified,
)
from workdirs import MIDNIGHT, planned
from workdirs import events as bare

from migrate.asking import queries
from migrate.errors import Refused
from migrate.sandbox.server import Sandbox
from migrate.verifying.ledger import Count
from migrate.verifying.spans import DAY, midnight
from migrate.verifying.verdict import Merges
from migrate.workdir import lost
from migrate.workdir.cleaning import clean
from migrate.workdir.halves import Half


def test_nothing_is_said_where_nothing_is_wrong(whole):
    """All is there, asked for in UTC whatever the project's zone is; answers from a cache are none."""
    for rules in ([], [{"fault": "project", "timezone": "Asia/Tokyo"}, {"fault": "cached", "times": 1}]):
        verdict = whole.after(rules=rules)
        assert (verdict.passes, verdict.findings) == (True, ())
        assert (verdict.planned, verdict.there, verdict.days) == (Count(COUNT, COUNT), Count(COUNT, COUNT), 5)
        assert (verdict.merges, verdict.not_compared, verdict.unseen) == (Merges(), {}, ())


def test_the_project_is_the_one_that_the_workdir_was_sent_to(whole):
    """Told by the hash of the key it was sent with; another one is refused, and so is one with another number."""
    other = [{"fault": "project", "api_token": "phc_of_another"}]
    with pytest.raises(Refused, match=r"none of the 1 projects that the personal API key sees has the key"):
        whole.after(rules=other)
    with pytest.raises(
        Refused, match=r"^--project-id: this workdir was sent with the key of another project"
    ):
        whole.after(rules=other, project_id="1")
    assert whole.after(project_id="1").passes
    no_settings = [{"fault": "missing_scope", "scope": "project:read"}]
    verdict = whole.after(rules=no_settings, project_id="1")
    assert (verdict.passes, len(verdict.unseen)) == (True, 1)


def test_what_was_not_sent_is_not_compared(tmp_path):
    """It is counted; where nothing was sent at all that is a sentence."""
    frame = bare(10)
    nothing = pytest.raises(Refused, match=r"nothing was sent from here; send it first with 'migrate apply'")
    with planned(tmp_path, frame) as checkpoint, Sandbox() as sandbox, nothing:
        verified(checkpoint, sandbox)
    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, events(100)) as checkpoint:
        checkpoint.close()
        later = events(30, days=1, begin=MIDNIGHT.replace(day=20), start=500)
        with planned(tmp_path / "w", later, "later.jsonl") as more:
            verdict = verified(more, sandbox)
    assert (verdict.passes, verdict.days, verdict.not_compared) == (True, 5, {"not sent yet": 30})


def test_what_is_cleaned_is_compared_as_far_as_it_is_known(tmp_path):
    """Without its payloads all of it is; where its files are gone nothing is said of what is there."""
    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, events(100)) as checkpoint:
        clean(checkpoint, date(2100, 1, 1), keep=0, dedup=40_000)
        assert verified(checkpoint, sandbox).planned == Count(100, 100)
        clean(checkpoint, date(2100, 1, 1), keep=0, dedup=0)
        verdict = verified(checkpoint, sandbox)
    assert (verdict.passes, verdict.findings, verdict.planned) == (True, (), Count())
    assert verdict.not_compared == {"files of the plan are gone (--dedup-days)": 100}


def test_what_is_given_up_is_left_out_by_name(tmp_path):
    """PostHog has more than is known then, which is nothing to be said."""
    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, events(100)) as checkpoint:
        with planned(tmp_path / "w", events(100), "b.jsonl") as more:
            first, *_ = lost.needed(more)
            first.kept.path.unlink()
            assert lost.give_up(more) == ([first], Half(), 0)
        verdict = verified(checkpoint, sandbox)
    left = 100 - first.events
    assert (verdict.passes, verdict.findings, verdict.planned) == (True, (), Count(left, left))
    why = "files of the plan are lost, and what was planned of them again was sent again (--resend-lost)"
    assert verdict.not_compared == {"not sent yet": 100, why: first.events}


def test_a_night_asks_for_what_the_night_sent(whole):
    """Days alone are compared, and nothing is said of others."""
    verdict = whole.after(gone(f"day <> '{DAYS[1]}'"), only=[DAYS[1]])
    assert (verdict.passes, verdict.days, verdict.planned) == (True, 1, Count(200, 200))


NEXT = "date(day, '+1 day')"
RARE = ("launch", "$exception")
_COLLAPSED = """
    DELETE FROM events WHERE seq NOT IN (SELECT max(seq) FROM events GROUP BY day, event, distinct_id, uuid)
"""


def test_a_real_engine_counts_the_same(whole, tmp_path):
    """Before its merges and after them: verify's numbers are those of ClickHouse, asked in verify's own words."""
    changes = [
        again(of(*range(0, 1000, 10))),
        again(of(7, 8), distinct_id="'somebody'"),
        gone(of(3, 501)),
        changed("event = 'it''s'", of(21)),
    ]
    since, until = midnight(DAYS[0]), midnight(DAYS[-1]) + DAY
    asked = queries.counts(since, until, IMPORT)
    told = {}

    def verify(*more):
        def ask():
            told["sandbox"] = [[str(cell) for cell in row] for row in rows(whole.sandbox, asked)[0]]

        return whole.after(*changes, *more, meanwhile=ask)

    with Engine(tmp_path) as engine:
        whole.after(*changes, meanwhile=lambda: engine.fill(whole.folder))
        for more, twice in ([], 100), ([_COLLAPSED], 0):
            verdict = verify(*more)
            found = engine.rows(asked)
            assert found == told["sandbox"]
            counts = [sum(int(row[column]) for row in found) for column in (2, 3)]
            assert counts == [verdict.there.events, verdict.there.uuids] == [COUNT + twice, COUNT - 2]
            wrong = {"changed_since": 3, "unexplained": 2}
            assert causes(verdict) == wrong | ({"duplicates_not_merged": twice} if twice else {})
            engine.merge()
        (uuid,) = engine.rows(queries.every_uuid(since, until, IMPORT, after=EVENTS["uuid"][998]))
        assert uuid == [EVENTS["uuid"][999]]


@pytest.mark.skipif("VERIFY_EVENTS" not in os.environ, reason="the long form: VERIFY_EVENTS=1000000")
def test_a_thousand_of_a_million(tmp_path, monkeypatch):
    """Taken out in ten ways at once, each is named with its number; with nothing taken out nothing is said."""
    monkeypatch.undo()  # as fast as PostHog allows
    count = int(os.environ["VERIFY_EVENTS"])
    common = events(count, days=365, people=5_000, names=tuple(f"event {n}" for n in range(20)))
    rare = [events(100, days=365, names=(name,), start=2 * count + 100 * n) for n, name in enumerate(RARE)]
    with Sandbox(tmp_path / "sandbox") as sandbox, sent(tmp_path / "w", sandbox, common, *rare) as checkpoint:
        begun = time.monotonic()
        assert verified(checkpoint, sandbox).findings == ()
        print(f"nothing taken out: {time.monotonic() - begun:.1f} s")  # noqa: T201
        whole = Whole(checkpoint, sandbox, tmp_path / "sandbox")

        used = {*range(count - 100, count)}

        def some(first, step=1):
            """A hundred rows, from the first on, none of them twice."""
            found = [row for row in range(first, count, step) if row not in used][:100]
            used.update(found)
            return f"uuid IN ({', '.join(repr(common['uuid'][row]) for row in found)})"

        begun = time.monotonic()
        verdict = whole.after(
            gone(some(101, count // 103)),
            gone(some(count // 7)),
            gone(some(123 * 7, 5_000)),
            *(gone(f"event = '{name}'") for name in RARE),
            changed("event = 'renamed'", some(5_003, count // 111)),
            changed(f"day = {NEXT}, timestamp = {NEXT} || substr(timestamp, 11)", some(7_007, count // 113)),
            changed("properties = '{}'", some(11_011, count // 117)),
            gone(f"timestamp >= '{common['timestamp'][count - 100]:%Y-%m-%dT%H:%M:%S}'"),
            gone(some(301, count // 119)),
            again(some(401, count // 121)),
        )
        print(f"taken out: {time.monotonic() - begun:.1f} s, {verdict.asked} requests")  # noqa: T201
        print(*(f"{one.events} {one.cause}: {one.why}" for one in verdict.findings), sep="\n")  # noqa: T201
        assert causes(verdict) == {
            "duplicates_not_merged": 100,
            "lane": 100,
            "quota": 100,
            "changed_since": 300,
            "unexplained": 500,
        }
