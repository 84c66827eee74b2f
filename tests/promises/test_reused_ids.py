"""Night after night over rows whose ids are not theirs alone, or were refused: each event arrives, and each once."""

import pytest
from commands import KEY, migrate, summary
from nights import DAYS, Nights, row

from migrate.sandbox.server import Sandbox

POISON = [{"fault": "poison", "property": "poison"}]
SPEC = 'event = "action"\ndistinct_id = ["user"]\ntimestamp = "at"\ndedup_key = ["order"]\n'


class Orders(Nights):
    """Nights of a table whose rows are known by the order they are about."""

    def night(self, code=0, **files):
        """Write files of rows as `order,user,action,at`, and send what is new; its summary."""
        (self.folder / "spec.toml").write_text(SPEC)
        for name, rows in files.items():
            (self.source / f"{name}.csv").write_text("\n".join(["order,user,action,at", *rows]) + "\n")
        words = [
            "run",
            "table",
            self.source,
            "--spec",
            self.folder / "spec.toml",
            "--workdir",
            self.folder / "w",
        ]
        done = migrate(*words, "--host", self.sandbox.url, "--json", env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == code, done.stderr
        found = summary(done)
        assert found["balanced"]
        return found

    def told(self):
        """What PostHog has, each event once, as `user action day`."""
        return sorted(
            f"{one['distinct_id']} {one['event']} {one['timestamp'][8:10]}"
            for one in self.sandbox.events("collapsed")
        )


@pytest.fixture
def orders(tmp_path):
    """Nights of a table into a sandbox."""
    with Sandbox() as sandbox:
        yield Orders(tmp_path, sandbox)


@pytest.fixture
def nights(tmp_path):
    """Nights of events of PostHog's shape into a sandbox that refuses some."""
    with Sandbox() as sandbox:
        sandbox.faults(POISON)
        yield Nights(tmp_path, sandbox)


def test_new_rows_arrive_whose_uuids_are_of_version_1(nights):
    """One row is gone: those that are new, the same day and the next, are none of its versions."""
    rows = [row(n, day=n // 5) | {"uuid": f"{n:08x}-5a3c-11f0-9b1c-0242ac120002"} for n in range(8)]
    nights.write("a.jsonl", rows[:4])
    nights.run()
    nights.write("a.jsonl", [*rows[:2], *rows[3:]])
    found = nights.run()
    assert found["replanned"] == {"files": 1, "vanished_sent": 1}
    assert (found["events"]["accepted"], len(nights.kept())) == (8, 8)


def test_a_file_of_the_last_day_tells_of_an_order_again(orders):
    """What is told of it next has another name and another time; two at once, or one."""
    orders.night(a=["1,u,placed,2026-03-01T10:00:00Z", "2,v,placed,2026-03-01T23:00:00Z"])
    orders.night(
        a=[
            "2,v,placed,2026-03-01T23:00:00Z",
            "1,u,paid,2026-03-02T11:00:00Z",
            "1,u,shipped,2026-03-02T15:00:00Z",
        ]
    )
    found = orders.night(a=["1,u,shipped,2026-03-02T15:00:00Z", "2,v,paid,2026-03-03T10:00:00Z"])
    assert orders.told() == ["u paid 02", "u placed 01", "u shipped 02", "v paid 03", "v placed 01"]
    assert found["events"]["duplicate"] == 2


def test_a_row_whose_time_is_another_by_now_stays_as_it_was(orders):
    """Of the same name and person, as it is one that is gone and one that is new; it is counted."""
    orders.night(a=["1,u,placed,2026-03-01T10:00:00Z"])
    found = orders.night(a=["1,u,placed,2026-03-02T10:00:00Z"])
    assert (found["replanned"], orders.told()) == ({"files": 1, "kept": 1}, ["u placed 01"])


@pytest.mark.parametrize("at", ["2026-03-01", "2026-03-01T10:00:00Z"])
def test_what_an_order_has_at_one_time_are_several_events(orders, at):
    """Of one uuid: another name, another person; whichever line is first, and in whatever night it comes."""
    rows = [
        f"1,{who},{action},{at}" for who, action in [("u", "placed"), ("u", "paid"), ("seller", "placed")]
    ]
    orders.night(a=rows[:1])
    orders.night(a=[rows[1], rows[0]])
    found = orders.night(a=[rows[2], *rows[:2]])
    assert orders.told() == ["seller placed 01", "u paid 01", "u placed 01"]
    assert found["replanned"] == {"files": 2}
    orders.night(b=["2,u,placed,2026-03-01", "2,seller,placed,2026-03-01"], c=["3,u,placed,2026-03-01"])
    assert len(orders.told()) == 6


def test_a_file_of_another_name_tells_whose_events_are_and_that_is_no_second_event(orders):
    """Also of two persons; where one more is there, it is new."""
    orders.night(a=["1,u,placed,2026-03-01", "1,s,placed,2026-03-01", "2,u,placed,2026-03-01"])
    found = orders.night(
        b=["1,known,placed,2026-03-01", "1,seller,placed,2026-03-01", "2,known,placed,2026-03-01"]
    )
    assert (found["events"]["duplicate"], len(orders.told())) == (3, 3)
    orders.night(c=["2,u,placed,2026-03-01", "2,seller,placed,2026-03-01"])
    assert "seller placed 01" in orders.told()


def test_a_day_of_one_instant_is_larger_than_what_is_looked_at_at_once(orders, monkeypatch):
    """What was sent comes first, however many events have that time: whose they are by now makes no second events."""
    monkeypatch.setattr("migrate.apply.pieces._PIECE_BYTES", 20_000)
    monkeypatch.setattr("migrate.apply.runs._MERGE_BYTES", 20_000)
    orders.night(a=[f"{n},u,placed,2026-03-01" for n in range(900)])
    again = [f"{n},v,placed,2026-03-01" for n in range(900)]
    found = orders.night(b=[*reversed(again), "x,v,placed,2026-03-01"])
    assert (found["events"]["duplicate"], len(orders.told())) == (900, 901)
    grown = [line for n in range(900) for line in (f"{n},u,placed,2026-03-01", f"{n},w,placed,2026-03-01")]
    orders.night(a=grown)
    assert len(orders.told()) == 1_801


def test_what_was_refused_and_went_as_another_version_is_sent_once(nights):
    """Whatever comes later: the file grows, the row changes, another file tells it of another person."""
    bad = row(1) | {"properties": {"v": 0, "poison": True}}
    nights.write("a.jsonl", [bad, row(2)])
    nights.run(code=3)
    nights.write("a.jsonl", [row(1), row(2)])
    nights.run()
    for more in ([row(3)], [row(3), row(4)]):
        nights.write("a.jsonl", [row(1), row(2), *more])
        nights.run()
    nights.write("a.jsonl", [row(1, who="v"), row(2)])
    nights.write("b.jsonl", [row(1, who="w")])
    found = nights.run()
    assert (found["events"]["accepted"], len(list(nights.sandbox.events("raw")))) == (4, 4)
    assert [who for (uuid, _, who, _) in nights.kept() if uuid == row(1)["uuid"]] == ["u"]


def test_what_is_refused_in_a_round_that_is_not_ended_stays_parked(nights):
    """A second row of its id is its duplicate there, and goes in nobody's place: the round does not look back."""
    bad = row(1) | {"properties": {"v": 0, "poison": True}}
    nights.write("a.jsonl", [bad, row(1, 1), *(row(n) for n in range(2, 60))])
    nights.run("--max-duration", "1s", "--rate", "10", code=None)
    found = nights.run(code=None)
    assert (found["events"]["parked"], found["events"]["accepted"]) == (1, 58)


def test_what_is_refused_of_a_uuid_is_not_replaced_by_another_event_of_it(nights):
    """It stays parked, and its own good version goes in its place; what was accepted beside it is not sent again."""
    bad = row(1) | {"properties": {"v": 0, "poison": True}}
    nights.write("a.jsonl", [bad, row(1, name="f")])
    nights.run(code=3)
    nights.write("a.jsonl", [bad, row(1, name="f"), row(1, name="g")])
    assert nights.run()["events"]["parked"] == 1
    nights.write("a.jsonl", [row(1, name="g"), row(1), row(1, name="f")])
    found = nights.run()
    assert (found["events"]["parked"], found["events"]["accepted"]) == (0, 3)
    assert len(list(nights.sandbox.events("raw"))) == len(nights.kept()) == 3
    assert {day for *_, day in nights.kept()} == {DAYS[0]}
