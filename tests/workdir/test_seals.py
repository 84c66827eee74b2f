"""What is read of a sealed file is what was written, or an error that says where it is not."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from sealing import flipped

from migrate.workdir.seals import BLOCK, Harmed, Kept, Seal, check_present

WAY = "nothing of it is sent, nor of any later day; plan its source anew"
SIZES = st.sampled_from([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 7])


def written(path, size):
    """A file of so many bytes, no two of its blocks alike."""
    path.write_bytes(b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size])
    return Kept.of(path)


@given(
    SIZES,
    st.lists(
        st.tuples(st.integers(-1, 2 * BLOCK + 9), st.none() | st.integers(0, 3 * BLOCK + 9)), max_size=8
    ),
)
@COMPARED
def test_a_sealed_file_reads_as_the_file(tmp_path, size, reads):
    """Wherever it is read and however much at once, bytes and places are those of the file."""
    kept = written(tmp_path / "file", size)
    with kept.path.open("rb") as plain, kept.opened() as sealed:
        for count, place in reads:
            if place is not None:
                assert sealed.seek(place) == plain.seek(place)
            assert sealed.read(count) == plain.read(count)
            assert sealed.tell() == plain.tell()
        assert sealed.seek(-min(3, size), os.SEEK_END) == plain.seek(-min(3, size), os.SEEK_END)
        assert sealed.seek(1, os.SEEK_CUR) == plain.seek(1, os.SEEK_CUR)
        assert sealed.read() == plain.read()


@pytest.mark.parametrize("place", [0, BLOCK - 1, BLOCK, 2 * BLOCK + 6])
def test_a_flipped_bit_is_noticed_before_any_byte_of_its_block_is_read(tmp_path, place):
    """Each other block is read as it is; the error says between which bytes the file is another."""
    kept = written(tmp_path / "file", 2 * BLOCK + 7)
    good = kept.path.read_bytes()
    flipped(kept.path, place, bit=3)
    with kept.opened() as sealed:
        for number in range(3):
            sealed.seek(number * BLOCK)
            if number != place // BLOCK:
                assert sealed.read(BLOCK) == good[number * BLOCK : (number + 1) * BLOCK]
                continue
            with pytest.raises(Harmed) as raised:
                sealed.read(1)
            where = f"other bytes between {number * BLOCK:,} and {(number + 1) * BLOCK:,}"
            assert str(raised.value) == f"{kept.path}: harmed since it was written, {where}; {WAY}"
            assert (raised.value.path, raised.value.why) == (kept.path, where)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        pytest.param(os.unlink, "found 'No such file or directory'", id="gone"),
        pytest.param(lambda path: os.truncate(path, 9), "found 9 bytes where 65,537 were written", id="cut"),
        pytest.param(
            lambda path: path.write_bytes(b"x" * 70_000),
            "found 70,000 bytes where 65,537 were written",
            id="longer",
        ),
    ],
)
def test_a_file_of_another_size_is_not_opened(tmp_path, harm, why):
    """That it is gone, cut or longer is known without reading it."""
    kept = written(tmp_path / "file", BLOCK + 1)
    check_present(kept.path, kept.seal)
    harm(kept.path)
    for look in (lambda: check_present(kept.path, kept.seal), kept.opened):
        with pytest.raises(Harmed) as raised:
            look()
        assert str(raised.value) == f"{kept.path}: harmed since it was written, {why}; {WAY}"


def test_a_file_that_is_cut_while_it_is_read_is_harmed(tmp_path):
    """What is missing is not taken for the end of the file."""
    kept = written(tmp_path / "file", 2 * BLOCK)
    with kept.opened() as sealed:
        sealed.read(10)
        os.truncate(kept.path, BLOCK + 5)
        sealed.seek(BLOCK)
        with pytest.raises(Harmed, match="other bytes between 65,536 and 131,072"):
            sealed.read()


def test_equal_files_have_equal_seals(tmp_path):
    """A seal is of the bytes, wherever they lie; one other bit makes another."""
    one, other = written(tmp_path / "one", BLOCK + 9), written(tmp_path / "other", BLOCK + 9)
    assert one.seal == other.seal
    flipped(other.path, BLOCK + 8)
    assert Seal.of(other.path) != one.seal
