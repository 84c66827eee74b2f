"""`migrate undo`: it tells and deletes nothing; people are deleted once the name of the import is typed."""

import os

import pytest
from commands import KEY, migrate, on_terminal, rows, summary
from imported import store

from migrate.sandbox.server import Sandbox

PERSONAL = "phx_do_not_tell_anybody_either"
ENV = {"POSTHOG_PERSONAL_API_KEY": PERSONAL, "POSTHOG_API_KEY": KEY}


@pytest.fixture
def sandbox(tmp_path):
    """An import of three people, in the workdir `w`."""
    rows(tmp_path / "in" / "1.jsonl")
    with Sandbox(tmp_path / "s") as running:
        words = ["--host", running.url, "--workdir", tmp_path / "w", "--import-id", "history"]
        assert migrate("run", "posthog", tmp_path / "in", *words, env=ENV).returncode == 0
        yield running


def left(folder):
    """How many events are left."""
    with store(folder / "s") as db:
        return db.execute("SELECT count(*) FROM events").fetchone()[0]


def test_it_tells_what_there_is_and_how_to_delete_it(sandbox, tmp_path):
    """Exit 0, and all is there as before; without a terminal nobody is deleted."""
    done = migrate("undo", tmp_path / "w", "--json", env=ENV)
    assert (done.returncode, left(tmp_path)) == (0, 3)
    told = summary(done)["undo"]
    assert (told["events"], told["ids"], told["import_id"]) == (3, 3, "history")
    assert told["predicate"].endswith("properties.$import_job_id = 'history'")
    assert "there    3 events of import 'history' in project 1 (sandbox), of 3 ids\n" in done.stderr
    assert not any(key in done.stderr + done.stdout for key in (KEY, PERSONAL))
    done = migrate("undo", tmp_path / "w", "--delete-persons", env=ENV)
    assert (done.returncode, left(tmp_path)) == (2, 3)
    assert (
        "error: --delete-persons: needs a terminal, on which the name of the import is typed" in done.stderr
    )
    assert sandbox.app_url


@pytest.mark.parametrize(("typed", "events"), [("yes", 3), ("history", 0)])
def test_people_are_deleted_when_the_name_is_typed(sandbox, tmp_path, typed, events):
    """Another word is a no, and nothing was deleted."""
    with on_terminal("undo", tmp_path / "w", "--delete-persons", columns=200, env=ENV) as screen:
        screen.until(r"type the name of the import \(history\) to delete them; this cannot be undone:")
        os.write(screen._master, f"{typed}\n".encode())  # noqa: SLF001 - as a person types
        lines = screen.until(r"nothing was deleted|deleted  3 people with all of their events")
        assert screen.process.wait(20) == 0
    assert left(tmp_path) == events
    assert any("deleted" in line for line in lines)
    assert sandbox.url
