"""What cannot be planned as it is is set aside by name, and taken back when it is right again."""

import os

import pytest
from commands import migrate, rows, summary
from readings import source

from migrate.errors import Unfit
from migrate.inputs.source import fingerprint, stamp
from migrate.plan.aside import SetAside
from migrate.workdir import asides
from migrate.workdir.checkpoint import Checkpoint, Input


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a workdir of which nothing is planned."""
    (tmp_path / "w").mkdir()
    with Checkpoint.open(tmp_path / "w", create=True) as opened:
        yield opened


def planned(found):
    """A source as it was noted when it was planned."""
    noted = fingerprint(found)
    return Input(1, found.name, stamp(found), noted.size, noted.digest, planned=True)


def test_a_planned_file_that_has_other_bytes_is_set_aside(tmp_path, checkpoint):
    """Its name says which, the message what to do; one that is only touched is not."""
    path = tmp_path / "a.csv"
    known = planned(source(path, b"a\n1\n"))
    os.utime(path, (1, 1))
    aside = SetAside(checkpoint)
    aside.put_changed([(known, source(path))])
    assert aside.found == {}
    changed = source(path, b"a\n1\n2\n")
    aside.put_changed([(known, changed)])
    (one,) = aside.found.values()
    assert list(aside.found) == [changed.name]
    assert one.reason == "changed"
    assert "found 6 bytes where 4 were planned" in one.why


def test_a_file_that_was_to_be_planned_and_is_gone_is_set_aside(tmp_path, checkpoint):
    """Not what is given now, nor events that come from no row."""
    here, gone = source(tmp_path / "a.csv", b"a\n"), str(tmp_path / "b.csv")
    checkpoint.register([here.name, gone, "(identity 1)"])
    aside = SetAside(checkpoint)
    aside.put_missed(set())
    assert {name: one.reason for name, one in aside.found.items()} == {gone: "vanished"}


def test_an_archive_that_can_be_read_again_is_taken_back(tmp_path, checkpoint):
    """What is set aside stays so until then."""
    archive, other = str(tmp_path / "a.zip"), str(tmp_path / "b.zip")
    earlier = SetAside(checkpoint)
    for name in (archive, other):
        earlier.put(Unfit(name, "damaged", "no end"))
    asides.note(checkpoint, earlier.found)
    SetAside(checkpoint).take_back({archive})
    assert list(checkpoint.set_aside()) == [other]


def test_what_is_planned_and_gone_is_no_matter(tmp_path):
    """What had changed differs from nothing any more: it is taken back, which is said once."""
    source, workdir = rows(tmp_path / "in" / "a.jsonl", 2), tmp_path / "w"
    rows(tmp_path / "in" / "b.jsonl", 2, start=5)
    words = ["plan", "posthog", tmp_path / "in", "--workdir", workdir, "--on-changed", "set-aside", "--json"]
    assert migrate(*words).returncode == 0
    rows(source, 3)
    assert migrate(*words).returncode == 5
    shown = migrate("rejects", workdir).stderr
    assert "or --dismiss REASON, if what is planned is all that is wanted of them" in shown
    source.unlink()
    assert migrate("status", workdir).returncode == 3
    said = f"{source}: was set aside, and is gone; what was planned of it stands"
    for notes in ([said], []):
        done = migrate(*words)
        assert (done.returncode, summary(done)["notes"], summary(done)["events"]["planned"]) == (0, notes, 4)
        assert done.stderr.count(f"note: {said}\n") == len(notes)
    assert migrate("status", workdir).returncode == 0
