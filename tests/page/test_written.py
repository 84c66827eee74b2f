"""The page lies where it was asked for, whole, and over nothing of anybody else's."""

import pytest
from filled import Shape, made

from migrate.errors import UsageError
from migrate.page import written
from migrate.page.letters import MARK


@pytest.fixture
def checkpoint(tmp_path):
    """A small workdir."""
    with made(tmp_path / "w", Shape(days=3, names=1, planted=False, sent=False)) as found:
        yield found


def test_a_page_is_replaced_and_nothing_else_is(checkpoint, tmp_path):
    """An empty file is nobody's; a link stays one, and nothing is left beside it."""
    path = written.write(checkpoint)
    assert path == checkpoint.workdir / "report.html"
    first = path.read_text()
    assert first.startswith(MARK)
    other = tmp_path / "other.html"
    other.touch()
    link = tmp_path / "link.html"
    link.symlink_to(other)
    assert written.write(checkpoint, link) == link
    assert link.is_symlink()
    assert other.read_text() == first == written.write(checkpoint).read_text()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.html", "other.html", "w"]
    for place, says in ((tmp_path / "w", "no file"), (tmp_path / "notes.html", "no report of migrate's")):
        if says != "no file":
            place.write_text("<p>mine</p>")
        with pytest.raises(UsageError, match=f"{place}: .*{says}.*; name another with -o"):
            written.write(checkpoint, place)
    assert (tmp_path / "notes.html").read_text() == "<p>mine</p>"


def test_what_is_wrong_with_it_is_a_warning(checkpoint):
    """A command has done its work; a checkpoint that cannot be read is no other matter."""
    told = []
    written.keep(checkpoint, told.append, is_whole=False)
    assert told == []
    path = checkpoint.workdir / "report.html"
    path.unlink()
    path.mkdir()
    written.keep(checkpoint, told.append, is_whole=False)
    why = f"{path}: no file, and no report is written in its place; name another with -o"
    assert told == [f"report.html is not written, {why}; 'migrate report' writes it"]
    checkpoint.query("DROP VIEW extents")
    path.rmdir()
    written.keep(checkpoint, told.append, is_whole=False)
    assert told[1] == "report.html is not written, no such table: extents; 'migrate report' writes it"
