"""Rows are joined with the lookups beside them: on every night, with links, and whenever a command was killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from beside import SHOP, acme
from commands import KEY, migrate, summary

__all__ = ["acme"]

CLICKS = "id,at,visit_id,url_id,title_id\n"
VISITS = "visit,visitor,user,os_id\n7,a,u1,1\n8,b,,2\n9,c,,1\n"
KILLED = """
import os, sys, mappings
mappings.__path__.append(sys.argv.pop(1))
from migrate.plan.planner import Planner
commit = Planner._commit
Planner._commit = lambda self, attempt: (commit(self, attempt), os.kill(os.getpid(), 9))
from migrate.cli.main import main
main()
"""


class Shop:
    """A folder of exports of the platform, and what is planned of it."""

    def __init__(self, folder, platforms):
        self.folder, self.platforms = folder, platforms
        self.inputs = folder / "in"
        self.inputs.mkdir()
        self.write("visits.csv", VISITS)
        self.write("pages.csv", "page,name\n1,http://x\n2,Home\n")
        self.write("os.tsv", '1\tOS "X"\n2\tRobot\n')

    def write(self, name, text):
        """Write a file anew."""
        (self.inputs / name).parent.mkdir(exist_ok=True)
        (self.inputs / name).write_text(text)

    def clicks(self, name, *rows):
        """Write clicks: id, visit, page, title."""
        lines = [f"{n},2024-04-03T10:00:{n:02d}Z,{visit},{url},{title}\n" for n, visit, url, title in rows]
        self.write(name, CLICKS + "".join(lines))

    def plan(self, *more, code=0, workdir="w"):
        """Plan a night; its summary and what was said."""
        words = ["plan", "acme", self.inputs, "--workdir", self.folder / workdir, *more, "--json"]
        done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == code, done.stderr
        found = summary(done)
        assert found["balanced"]
        return found, done.stderr

    def payloads(self, workdir):
        """What is planned."""
        return [
            json.loads(text)
            for path in sorted((self.folder / workdir).glob("days/*/*.parquet"))
            for text in pl.read_parquet(path)["payload"]
        ]

    def merges(self):
        """Who is planned to be who."""
        merges = [one for one in self.payloads("w") if one["event"] == "$identify"]
        return {(one["properties"]["$anon_distinct_id"], one["distinct_id"]) for one in merges}

    def events(self, workdir="w"):
        """What is planned: event, whose, url and system by the seconds of its time."""
        return {
            int(one["timestamp"][17:19]): (
                one["event"],
                one["distinct_id"],
                one["properties"].get("url"),
                one["properties"].get("$os"),
            )
            for one in self.payloads(workdir)
            if one["event"] != "$identify"
        }


@pytest.fixture
def shop(acme, tmp_path):
    """The shop, with three lookups."""
    return Shop(tmp_path, acme(SHOP))


def test_rows_have_what_lookups_say(shop):
    """Several of one table, one by what another has found; filters and links see it, too, and all rows are counted."""
    shop.clicks("clicks.csv", (1, 7, 1, 2), (2, 8, 1, 2), (3, 9, 5, ""), (4, 6, 1, ""))
    found, _ = shop.plan(code=3)
    assert shop.events() == {1: ("Home", "a", "http://x", 'OS "X"'), 3: ("click", "c", None, 'OS "X"')}
    assert shop.merges() == {("a", "u1")}
    assert found["rows"]["read"] == 4 + 3 + 2 + 2
    assert found["rows"]["filtered"] == {"lookup": 7, "robots": 1}
    assert found["rows"]["rejected"] == {"no_distinct_id": 1}
    assert found["warnings"] == {"not_found.url": 1, "not_found.visit": 1}


def test_a_later_night_has_them_without_opening_what_is_planned(shop):
    """Lookups that are as they were are read again, files that no row needs are not."""
    shop.clicks("clicks1.csv", (1, 7, 1, 2))
    shop.plan()
    (shop.inputs / "clicks1.csv").chmod(0)
    shop.clicks("clicks2.csv", (2, 9, 1, ""))
    found, _ = shop.plan()
    assert shop.events() == {1: ("Home", "a", "http://x", 'OS "X"'), 2: ("click", "c", "http://x", 'OS "X"')}
    assert found["rows"]["read"] == 2 + 7


def test_a_lookup_that_has_changed_is_for_new_rows(shop):
    """What is planned stands, which is said; so it does where nothing is new."""
    shop.clicks("clicks1.csv", (1, 7, 1, 2))
    shop.plan()
    shop.write("pages.csv", "page,name\n1,http://longer\n2,Home\n")
    shop.clicks("clicks2.csv", (2, 7, 1, ""))
    found, said = shop.plan()
    assert (
        "pages.csv: has changed since rows were planned with it; those stand, rows planned now have" in said
    )
    assert shop.events() == {
        1: ("Home", "a", "http://x", 'OS "X"'),
        2: ("click", "a", "http://longer", 'OS "X"'),
    }
    assert "has changed" not in shop.plan()[1]
    shop.write("pages.csv", "page,name\n1,http://other\n")
    found, said = shop.plan("--on-changed", "set-aside")
    assert "pages.csv: has changed" in said
    assert found["rows"]["filtered"] == {"lookup": 6}


def test_a_file_waits_for_the_lookup_that_it_needs(shop):
    """And is planned in the night in which that is there; without one that it may lack it is planned."""
    (shop.inputs / "visits.csv").unlink()
    (shop.inputs / "pages.csv").unlink()
    shop.clicks("clicks.csv", (1, 7, 1, 2))
    _, said = shop.plan(code=5)
    assert (
        "clicks.csv: set aside: visit_id is looked up in visits, and no input called visits*.csv is in"
        in said
    )
    assert shop.events() == {}
    shop.write("visits.csv", VISITS)
    found, said = shop.plan()
    assert shop.events() == {1: ("click", "a", None, 'OS "X"')}
    assert "clicks.csv: url is empty in all of its rows: no input called pages*.csv is in" in said
    assert found["warnings"] == {"not_found.title": 1, "not_found.url": 1}
    assert found["set_aside"] == {}


def test_each_day_has_its_own(shop):
    """The nearest are taken, by folder."""
    for day, name in (("2024-04-03", "a"), ("2024-04-04", "b")):
        shop.write(f"{day}/visits.csv", f"visit,visitor,user,os_id\n7,{name},,1\n")
        shop.clicks(f"{day}/clicks.csv", (int(day[-1]), 7, 1, ""))
    shop.plan()
    assert {number: whose for number, (_, whose, *_) in shop.events().items()} == {3: "a", 4: "b"}


@pytest.mark.parametrize("more", [("--limit", "2"), ()])
def test_what_is_shown_is_joined(shop, more):
    """A trial has the rows that others are joined with last."""
    shop.clicks("clicks.csv", (1, 7, 1, 2), (2, 9, 1, ""))
    if more:
        shop.plan(*more)
        assert [event for event, *_ in shop.events().values()] == ["Home", "click"]
    shown = migrate("preview", "acme", shop.inputs, "--limit", "2").stdout
    assert [json.loads(line)["event"] for line in shown.splitlines() if '"url"' in line] == ["Home", "click"]


@pytest.mark.crash
def test_a_killed_command_goes_on(shop):
    """Whatever it had planned by then: the events are those of a command that was not."""
    for n in range(1, 7):
        shop.clicks(f"{n}/clicks.csv", (n, 7 + n % 3, 1, 2))
    shop.plan(workdir="whole")
    words = ["plan", "acme", str(shop.inputs), "--workdir", str(shop.folder / "w")]
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(shop.platforms), *words],
        env=os.environ | {"PYTHONPATH": paths},
        timeout=120,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9, killed.stderr
    found, _ = shop.plan()
    assert shop.events() == shop.events("whole")
    assert found["rows"]["read"] == 6 + 7
