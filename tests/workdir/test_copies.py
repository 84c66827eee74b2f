"""A file for people tells all there is to tell, is written whole, and an edit of it is noticed and kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.copies import Copy, Found, Print, noticed
from migrate.workdir.database import add_count

NAME = "rejects.jsonl"
LINES = [b'{"row":1}\n', b'{"row":2}\n']


@pytest.fixture
def copy(tmp_path):
    """The copy of a new workdir."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        yield Copy(checkpoint, NAME)


def changed(copy):
    """Have the checkpoint know other than the copy tells."""
    with copy.checkpoint.change() as db:
        add_count(db, NAME)


def test_a_copy_is_ours_until_it_is_changed_or_gone(copy):
    """Nothing where there was nothing to tell, then what was written, and nothing else, of the same size or not."""
    assert copy.state() is Found.OURS
    copy.write([])
    assert (copy.state(), copy.path.exists()) == (Found.OURS, False)
    copy.write(LINES)
    assert (copy.state(), copy.path.read_bytes()) == (Found.OURS, b"".join(LINES))
    copy.path.write_bytes(b"".join(LINES).replace(b"2", b"3"))
    assert copy.state() is Found.EDITED
    copy.path.write_bytes(b"".join(LINES) + b"\n")
    assert copy.state() is Found.EDITED
    copy.path.write_bytes(b"".join(LINES))
    assert copy.state() is Found.OURS
    copy.path.unlink()
    assert copy.state() is Found.GONE
    copy.path.mkdir()
    with pytest.raises(IsADirectoryError):
        copy.state()


def test_a_copy_is_current_until_there_is_more_to_tell(copy):
    """What it tells is counted under its name; writing makes it current, an edit changes nothing of that."""
    assert copy.is_current()
    changed(copy)
    assert not copy.is_current()
    copy.write(LINES)
    assert copy.is_current()
    copy.path.write_text("edited")
    assert copy.is_current()
    changed(copy)
    assert not copy.is_current()


def test_a_write_that_fails_leaves_what_was_there(copy):
    """All of the file is written anew or nothing."""

    def torn():
        yield b"half\n"
        raise ValueError("torn")

    copy.write(LINES)
    changed(copy)
    with pytest.raises(ValueError, match="^torn$"):
        copy.write(torn())
    assert (copy.path.read_bytes(), copy.state(), copy.is_current()) == (
        b"".join(LINES),
        Found.OURS,
        False,
    )


def test_an_edit_that_is_to_be_kept_goes_to_a_name_of_its_own(copy):
    """Under the first name that is free, each edit by itself; what is ours is not kept unless that is asked for."""
    for number, text in enumerate((b"first", b"second"), 1):
        assert copy.write(LINES) is None
        copy.path.write_bytes(text)
        kept = copy.write(LINES, is_kept=True)
        assert (kept.name, kept.read_bytes()) == (f"rejects.edited-{number}.jsonl", text)
        assert copy.path.read_bytes() == b"".join(LINES)


@pytest.mark.parametrize("is_kept", [True, False])
def test_an_accepted_edit_is_ours_and_is_written_anew(copy, is_kept):
    """Ours, but not current; when it is written it is kept if that was said, and then it is a copy like any."""
    copy.write(LINES)
    copy.path.write_bytes(b"mended\n")
    copy.checkpoint.note(**copy.accept(Print().then(b"mended\n"), is_kept=is_kept))
    assert (copy.state(), copy.is_accepted(), copy.is_current()) == (Found.OURS, True, False)
    kept = copy.write(LINES)
    assert (kept and kept.read_bytes()) == (b"mended\n" if is_kept else None)
    assert (copy.state(), copy.is_accepted(), copy.is_current()) == (Found.OURS, False, True)
    assert copy.write(LINES) is None


def test_what_is_not_as_it_was_written_is_said(copy):
    """One sentence for each copy that is edited or gone; none of the others."""
    parked, known = Copy(copy.checkpoint, "parked.jsonl"), {NAME: "plan it", "parked.jsonl": "resend it"}
    copy.write(LINES)
    parked.write(LINES)
    assert noticed(copy.checkpoint, known) == []
    copy.path.unlink()
    parked.path.write_text("edited")
    assert noticed(copy.checkpoint, known) == [
        f"{copy.path}: is gone; 'migrate rejects' makes it again of what is known",
        f"{parked.path}: was changed by hand; resend it",
    ]


@given(st.lists(st.binary(max_size=20), max_size=5))
@COMPARED
def test_a_print_is_of_the_bytes_however_they_come(pieces):
    """In one piece or in many."""
    found = Print()
    for piece in pieces:
        found = found.then(piece)
    assert found == Print().then(b"".join(pieces))
