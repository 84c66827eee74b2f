"""Planned files are judged by their bytes: what becomes of those that hold others, by their rows and as it is asked."""

import os

import pytest
from commands import rows

from migrate.inputs.source import fingerprint, stamp
from migrate.plan.changed import Changed, look
from migrate.settings import Settings
from migrate.workdir.records import Input

SPEC = 'event = "page"\ndistinct_id = "user"\ntimestamp = "at"\n'
ROWS = "page,user,at,id\nhome,u,2024-04-03,1\n"


def jobs(tmp_path, key=""):
    """A file of `table`, whose rows have an id where a key is named."""
    (tmp_path / "spec.toml").write_text(f"{key}\n{SPEC}")
    (tmp_path / "a.csv").write_text(ROWS)
    return Settings(platform="table", spec=tmp_path / "spec.toml").work([str(tmp_path / "a.csv")]).jobs


def known(jobs, **more):
    """These files as they are planned."""
    return {
        job.source.name: Input(
            1, job.source.name, stamp(job.source), *fingerprint(job.source), planned=True
        )._replace(**more)
        for job in jobs
    }


@pytest.mark.parametrize(
    ("key", "way", "found"),
    [
        ("", None, "set-aside"),
        ('dedup_key = ["id"]', None, "replan"),
        ("", "replan", "replan"),
        ('dedup_key = ["id"]', "set-aside", "set-aside"),
        ('dedup_key = ["id"]', "skip", "skip"),
    ],
)
def test_rows_with_ids_are_planned_anew(tmp_path, key, way, found):
    """Others cannot be told from their neighbours; unless it is said what is meant."""
    given = jobs(tmp_path, key)
    name = given[0].source.name
    changed = look(known(given, digest="another", stamp="another"), given, way)
    assert [*changed.looked] == [name]
    ways = {"replan": changed.replan, "skip": changed.skip, "set-aside": changed.set_aside}
    assert [way for way, names in ways.items() if name in names] == [found]


def test_a_file_that_was_only_touched_has_not_changed(tmp_path):
    """Nor has one with the stamp it had, which is not read; nor is one judged that is not planned."""
    given = jobs(tmp_path, 'dedup_key = ["id"]')
    (name,) = (job.source.name for job in given)
    before = known(given)
    assert look(before, given, None) == Changed({}, [], [], [])
    assert (
        look({}, given, None)
        == look(known(given, stamp="", planned=False), given, None)
        == Changed({}, [], [], [])
    )
    os.utime(tmp_path / "a.csv", (1, 1))
    touched = look(before, given, None)
    assert (touched.replan, touched.skip) == ([], [])
    assert touched.looked[name].found == fingerprint(given[0].source)
    (tmp_path / "a.csv").unlink()
    assert look(before, given, None) == Changed({}, [], [], [])


def test_members_of_an_archive_are_judged_each_by_itself(tmp_path):
    """One that changed is planned anew, and not those beside it."""
    given = (
        Settings(platform="posthog")
        .work([str(rows(tmp_path / "a.jsonl")), str(rows(tmp_path / "b.jsonl"))])
        .jobs
    )
    before = known(given, stamp="another")
    first = given[0].source.name
    before[first] = before[first]._replace(size=1)
    assert look(before, given, None).replan == [first]
