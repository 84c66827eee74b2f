"""What holds of records that are many events: each is planned once, mended once, and goes on where it stopped."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from commands import KEY, migrate

import mappings
from migrate.sandbox.server import Sandbox

MAPPING = '''
"""Acme: sessions with their hits."""

import polars as pl

from migrate.kit import expr
from migrate.kit.declare import POSITION, PROPERTIES, REST, Bag, Platform, Table, has, inside
from migrate.kit.events import events


def to_events(rows, options):
    return events(
        rows,
        event=pl.col(inside("hits", "name")),
        distinct_id=expr.first(pl.col("user")),
        timestamp=expr.timestamp(pl.col(inside("hits", "at"))),
        dedup_key=expr.key(pl.col("id"), pl.col(POSITION)),
        laid=pl.col(PROPERTIES),
        extra={"session": pl.col("id"), "position": pl.col(POSITION)},
    )


MAPPING = Platform(
    title="Acme",
    tables=[
        Table(
            name="sessions",
            columns=dict.fromkeys(["id", "user", "hits"], pl.String),
            matches=has("id", "hits"),
            to_events=to_events,
            ids=["user"],
            times=[inside("hits", "at")],
            bags={"hits": Bag(keys=["name", "at"])},
            properties=["hits", REST],
            partitions=True,
            unfold="hits",
            filters={"without_hits": pl.col("hits").is_null()},
        )
    ],
)
'''


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A folder of exports of a platform of its own."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "acme.py").write_text(MAPPING)
    monkeypatch.setattr(mappings, "__path__", [*mappings.__path__, str(tmp_path / "mappings")])
    (tmp_path / "in").mkdir()
    yield Acme(tmp_path)
    sys.modules.pop("mappings.acme", None)


def hit(number, **more):
    """A hit that becomes an event."""
    return {"name": f"h{number}", "at": f"2024-04-{3 + number % 3:02}T12:00:00Z", "n": number} | more


class Acme:
    """A folder of exports, and the commands of its workdir."""

    def __init__(self, folder):
        self.folder, self.source, self.workdir = folder, folder / "in", folder / "w"

    def write(self, name, *records):
        """Write a file of sessions."""
        path = self.source / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
        return path

    def migrate(self, command, *words, code=0, workdir=None):
        """Run a command; its summary."""
        given = ["--workdir", workdir or self.workdir]
        done = migrate(command, "acme", *words, *given, "--json", env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == code, (done.stdout, done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        assert found["balanced"]
        return found

    def events(self, workdir=None):
        """What is planned: event -> the uuids of its events."""
        paths = sorted((workdir or self.workdir).glob("days/*/*.parquet"))
        found = {}
        for event, uuid in pl.concat(
            pl.read_parquet(path, columns=["event", "uuid"]) for path in paths
        ).rows():
            found.setdefault(event, []).append(uuid)
        return found

    @property
    def rejects(self):
        """The lines of rejects.jsonl."""
        return [json.loads(one) for one in (self.workdir / "rejects.jsonl").read_text().splitlines()]

    def mended(self, *changes, name="mended.jsonl"):
        """A copy of rejects.jsonl, texts in it replaced."""
        text = (self.workdir / "rejects.jsonl").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.folder / name).write_text(text)
        return self.folder / name


BAD = "soon"


def test_rejects_are_mended_one_by_one_and_are_the_events_they_would_have_been(acme):
    """Each is its record with that element alone, at the place it had; nothing is there twice."""
    good = acme.write("a.jsonl", {"id": "s", "user": "u", "hits": [hit(n) for n in range(6)]})
    acme.migrate("plan", acme.source, workdir=acme.folder / "whole")
    hits = [hit(n, at=BAD) if n in (1, 4) else hit(n) for n in range(6)]
    hits[3] = "h3"
    good.write_text(json.dumps({"id": "s", "user": "u", "hits": hits, "x": 1.50}) + "\n")
    acme.write("b.jsonl", {"id": "t", "user": "u", "hits": "none"}, {"id": "v", "user": "u", "hits": []})
    found = acme.migrate("plan", acme.source, code=3)
    assert found["rows"] == {
        "read": 8,
        "mapped": 3,
        "filtered": {"without_hits": 1},
        "rejected": {"bad_json": 2, "bad_timestamp": 2},
    }
    told = {(Path(one["file"]).name, *one["unfolded"].values()): one for one in acme.rejects}
    assert {place: one["reason"] for place, one in told.items()} == {
        ("a.jsonl", 1, 2): "bad_timestamp",
        ("a.jsonl", 1, 4): "bad_json",
        ("a.jsonl", 1, 5): "bad_timestamp",
        ("b.jsonl", 1): "bad_json",
    }
    assert told["a.jsonl", 1, 4]["source"] == {"id": "s", "user": "u", "hits": ["h3"], "x": 1.5}
    assert told["b.jsonl", 1]["source"]["hits"] == "none"
    said = migrate("rejects", acme.workdir).stderr
    assert f"(at {acme.source}/a.jsonl:1#4, {acme.source}/b.jsonl:1)" in said
    copy = acme.mended(
        (f'"at": "{BAD}", "n": 1', f'"at": "{hit(1)["at"]}", "n": 1'), ('["h3"]', json.dumps([hit(3)]))
    )
    found = acme.migrate("plan", copy, code=3)
    assert found["open_rejects"] == {"bad_json": 1, "bad_timestamp": 1}
    left = {(Path(one["file"]).name, *one["unfolded"].values()): one["reason"] for one in acme.rejects}
    assert left == {("a.jsonl", 1, 5): "bad_timestamp", ("b.jsonl", 1): "bad_json"}
    two = json.dumps([hit(7), hit(8, at=BAD)])
    copy = acme.mended((BAD, hit(4)["at"]), ('"hits":"none"', f'"hits":{two}'), name="again.jsonl")
    found = acme.migrate("plan", copy, code=3)
    assert found["open_rejects"] == {"bad_timestamp": 1}
    (left,) = acme.rejects
    assert (Path(left["file"]).name, left["unfolded"]) == ("b.jsonl", {"record": 1, "element": 2})
    copy = acme.mended((BAD, hit(8)["at"]), name="last.jsonl")
    assert acme.migrate("plan", copy)["open_rejects"] == {}
    events = acme.events()
    assert sorted(events) == [f"h{n}" for n in (0, 1, 2, 3, 4, 5, 7, 8)]
    assert {name: uuids for name, uuids in events.items() if name not in {"h7", "h8"}} == acme.events(
        acme.folder / "whole"
    )


def test_a_record_that_is_put_in_the_place_of_its_element_is_the_same_events(acme):
    """Which are duplicates of those that were planned, but for the one that was rejected."""
    acme.write("a.jsonl", {"id": "s", "user": "u", "hits": [hit(0), hit(1, at=BAD), hit(2)]})
    acme.migrate("plan", acme.source, code=3)
    whole = json.dumps([hit(0), hit(1), hit(2)])
    (line,) = acme.rejects
    line["source"]["hits"] = json.loads(whole)
    (acme.folder / "m.jsonl").write_text(json.dumps(line, sort_keys=True))
    assert acme.migrate("plan", acme.folder / "m.jsonl")["open_rejects"] == {}
    assert {name: (len(uuids), len({*uuids})) for name, uuids in acme.events().items()} == {
        "h0": (2, 1),
        "h1": (1, 1),
        "h2": (2, 1),
    }


@pytest.mark.crash
@pytest.mark.parametrize(
    "step", ["migrate.plan.planner.Planner._commit", "migrate.apply.applier.Applier._note"]
)
def test_killed_and_run_again_each_event_arrives_once(acme, monkeypatch, step):
    """Several files that are planned together, in folders that say something of them."""
    for day in range(3):
        sessions = ({"id": f"s{day}{n}", "user": "u", "hits": [hit(m) for m in range(5)]} for n in range(20))
        acme.write(f"day={day}/a.jsonl", *sessions)
    with Sandbox() as sandbox:
        words = (acme.source, "--host", sandbox.url)

        def killed(*_, **__):
            raise SystemExit(137)

        with monkeypatch.context() as patched:
            patched.setattr(step, killed)
            env = {"POSTHOG_API_KEY": KEY}
            assert migrate("run", "acme", *words, "--workdir", acme.workdir, env=env).returncode == 137
        found = acme.migrate("run", *words)
        assert found["events"]["accepted"] == 300
        told = [one["properties"] for one in sandbox.events("collapsed")]
    assert {(one["session"], one["position"], one["n"], one["day"]) for one in told} == {
        (f"s{day}{n}", m + 1, m, f"{day}") for day in range(3) for n in range(20) for m in range(5)
    }
    assert len(told) == 300


def test_parked_and_planned_rows_are_told_with_record_and_element(acme):
    """In the dry run, the preview, and of an event that PostHog refuses."""
    path = acme.write(
        "a.jsonl", {"id": "r", "user": "u", "hits": []}, {"id": "s", "user": "u", "hits": [hit(0), hit(1)]}
    )
    acme.write("b.jsonl", {"id": "t", "user": "u", "hits": [hit(2), 5]})
    done = migrate("preview", "acme", acme.source, "--pretty")
    assert [line for line in done.stdout.splitlines() if line.startswith("row ")] == [
        f"row {path}:1",
        f"row {path}:2#1",
        f"row {path}:2#2",
        f"row {acme.source}/b.jsonl:1#1",
        f"row {acme.source}/b.jsonl:1#2",
    ]
    assert migrate("preview", "acme", acme.source, "--limit", 2).stdout.count("\n") == 1
    found = acme.migrate("plan", acme.source, "--limit", 2, workdir=acme.folder / "trial")
    assert found["rows"]["read"] == 2
    with Sandbox() as sandbox:
        sandbox.faults([{"fault": "poison", "event": "h1"}])
        acme.migrate("run", acme.source, "--host", sandbox.url, code=3)
    assert [line for line in migrate("rejects", acme.workdir).stderr.splitlines() if f"{path}:2#2" in line]
