"""Night after night over a folder whose files grow, change and vanish: what PostHog ends with, told beforehand."""

from collections import Counter
from random import Random

import pytest
from nights import DAYS, Nights, row
from samples import some

from migrate.sandbox.server import Sandbox


@pytest.fixture
def nights(tmp_path):
    """Nights into a sandbox."""
    with Sandbox() as sandbox:
        yield Nights(tmp_path, sandbox)


def test_a_file_that_grew_is_planned_anew_and_only_what_is_new_is_sent(nights):
    """The rows that were there are duplicates; a night without news does nothing."""
    nights.write("a.jsonl", [row(1), row(2)])
    nights.run()
    nights.write("a.jsonl", [row(1), row(2), row(3, day=1), row(4)])
    found = nights.run()
    events = {"planned": 6, "accepted": 4, "duplicate": 2, "parked": 0, "held": 0, "pending": 0}
    assert found["events"] == events
    assert found["set_aside"] == {}
    assert found["replanned"] == {"files": 1}
    assert nights.run()["events"] == events
    assert len(list(nights.sandbox.events("raw"))) == 4


def test_what_changed_after_it_was_sent_would_be_a_double_for_ever_and_is_not_sent(nights):
    """Under another name, of another person, on another day; the counts say so, and the screen."""
    nights.write("a.jsonl", [row(1), row(2), row(3), row(4)])
    nights.run()
    before = nights.kept()
    nights.write("a.jsonl", [row(1, 7), row(2, name="f"), row(3, who="v"), row(4, day=1)])
    for more in ([], ["--resend-changed"]):
        found = nights.run(*more)
        assert found["replanned"] == {"files": 1, "kept": 4}
        assert found["events"] | {"planned": 8, "duplicate": 4, "accepted": 4} == found["events"]
        assert nights.kept() == before


def test_what_changed_is_sent_again_where_posthog_keeps_the_later_one(nights):
    """With --resend-changed: of the same name, person and day; what PostHog has then is what the export says."""
    nights.write("a.jsonl", [row(1), row(2), row(3)])
    nights.run()
    nights.write("a.jsonl", [row(1, 7), row(2), row(3, name="f")])
    found = nights.run("--resend-changed")
    assert found["replanned"] == {"files": 1, "resent": 1, "kept": 1}
    assert (found["events"]["accepted"], found["events"]["duplicate"]) == (4, 2)
    assert sorted(nights.kept().values()) == [0, 0, 7]
    nights.write("a.jsonl", [row(1, 7), row(2), row(3, name="f"), row(4)])
    assert nights.run("--resend-changed")["replanned"] == {"files": 2, "resent": 1, "kept": 2}
    assert len(nights.kept()) == 4


def test_what_is_skipped_stays_as_it_was_planned(nights):
    """Named, and no failure."""
    nights.write("a.jsonl", [row(1)])
    nights.run()
    nights.write("a.jsonl", [row(1), row(2)])
    nights.write("b.jsonl", [row(3)])
    found = nights.run("--on-changed", "skip")
    assert found["skipped_names"] == {"changed": [str(nights.source / "a.jsonl")]}
    assert (found["set_aside"], found["events"]["accepted"]) == ({}, 2)


def test_what_is_set_aside_as_changed_goes_on_the_night_it_is_planned_anew(nights):
    """By the same command with another choice; nothing else has to be done."""
    nights.write("a.jsonl", [row(1)])
    nights.run()
    nights.write("a.jsonl", [row(1), row(2)])
    assert [*nights.run("--on-changed", "set-aside", code=5)["set_aside"]] == [str(nights.source / "a.jsonl")]
    found = nights.run()
    assert (found["set_aside"], found["events"]["accepted"]) == ({}, 2)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_planned_of_others_stays_where_one_is_planned_anew(nights, is_there):
    """They were planned together, and what is not sent of the others goes once; also of one that is gone."""
    nights.write("a.jsonl", [row(1), row(4, day=1), row(5, day=2)])
    nights.write("b.jsonl", [row(2), row(6, day=1)])
    nights.run(command="plan")
    nights.write("a.jsonl", [row(1, 7), row(3), row(4, who="v", day=1)])
    if not is_there:
        (nights.source / "b.jsonl").unlink()
    found = nights.run(command="plan")
    assert found["replanned"] == {"files": 1, "replaced": 2, "vanished": 1}
    assert (found["rows"]["read"], found["rows_read_again"], found["events"]["planned"]) == (8, 3, 5)
    found = nights.run()
    assert (found["events"]["accepted"], found["events"]["duplicate"]) == (5, 0)
    assert sorted((who, day, told) for (*_, who, day), told in nights.kept().items()) == [
        *[("u", DAYS[0], 0)] * 2,
        ("u", DAYS[0], 7),
        ("u", DAYS[1], 0),
        ("v", DAYS[1], 0),
    ]
    nights.write("a.jsonl", [row(1, 7), row(3), row(8)])
    found = nights.run()
    assert (found["rows"]["read"], found["rows_read_again"]) == (11, 6)
    assert (found["events"]["accepted"], found["events"]["duplicate"]) == (6, 2)


class Model:
    """What the rows of each file are, and what PostHog must have: by uuid."""

    def __init__(self, dice):
        self.dice = dice
        self.files = {"a.jsonl": {}, "b.jsonl": {}}
        self.sent = {}
        self.numbers = iter(range(1, 10_000))

    def night(self):
        """Change the files: rows added, others of other values, names, persons, days, and some gone."""
        for rows in self.files.values():
            for number in [*rows]:
                match self.dice.randint(0, 9):
                    case 0:
                        del rows[number]
                    case 1 | 2:
                        rows[number] = rows[number] | {"properties": {"v": self.dice.randint(1, 9)}}
                    case 3:
                        rows[number] = rows[number] | {"event": self.dice.choice("ef")}
                    case 4:
                        rows[number] = rows[number] | {"distinct_id": self.dice.choice("uv")}
                    case 5:
                        rows[number] = rows[number] | {
                            "timestamp": row(0, day=self.dice.randint(0, 2))["timestamp"]
                        }
            for _ in range(self.dice.randint(0, 4)):
                number = next(self.numbers)
                rows[number] = row(number, day=self.dice.randint(0, 2))

    def send(self, *, resend):
        """Note what PostHog has when all of it is sent."""
        for rows in self.files.values():
            for one in rows.values():
                key = one["uuid"], one["event"], one["distinct_id"], one["timestamp"][:10]
                before = self.sent.get(one["uuid"])
                if before is None or (resend and before[0] == key):
                    self.sent[one["uuid"]] = key, one["properties"]["v"]


@pytest.mark.law
@pytest.mark.parametrize("seed", some(range(12), 4))
def test_whatever_the_nights_bring_each_event_is_there_once(nights, seed):
    """As it was when it was first sent, or as it is now where that was asked for; also if some nights only plan."""
    dice = Random(seed)
    model, resend = Model(dice), seed % 2 == 1
    for _ in range(6):
        model.night()
        for name, rows in model.files.items():
            nights.write(name, rows.values())
        is_sent = dice.random() < 0.6
        nights.run(*(["--resend-changed"] if resend else []), command="run" if is_sent else "plan")
        if is_sent:
            model.send(resend=resend)
            assert nights.kept() == dict(model.sent.values())
            assert max(Counter(uuid for uuid, *_ in nights.kept()).values(), default=1) == 1
