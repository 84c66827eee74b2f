"""Members of a tar are read where they are, in any order; what is no file in it says what it is."""

import io
import tarfile

import pytest
from archives import tarred

from migrate.errors import Unfit
from migrate.inputs.tars import close_idle, tar_members

FILES = {f"{number}.csv": b"%d," % number * 300 for number in range(4)}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 2, 1)], ids=["in order", "mixed"])
def test_members_are_read_in_any_order(tmp_path, mode, order):
    """Packed or not, also where one was read in part."""
    path = tmp_path / "t.tar"
    path.write_bytes(tarred(FILES, mode))
    found = list(tar_members(path, compressed=mode != "w"))
    assert [one.name for one in found] == [*FILES]
    with found[1].open(path) as stream:
        stream.read(5)
    for place in order:
        with found[place].open(path) as stream:
            assert stream.read() == FILES[found[place].name]
    close_idle()


def test_what_is_no_file_says_what_it_is(tmp_path):
    """Folders are passed over."""
    kinds = {
        "folder": tarfile.DIRTYPE,
        "link": tarfile.SYMTYPE,
        "pipe": tarfile.FIFOTYPE,
        "device": tarfile.CHRTYPE,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, kind in kinds.items():
            entry = tarfile.TarInfo(name)
            entry.type = kind
            archive.addfile(entry)
    path = tmp_path / "t.tar"
    path.write_bytes(packed.getvalue())
    found = [(one.name, one.skipped) for one in tar_members(path, compressed=False)]
    assert found == [(kind, kind) for kind in ("link", "pipe", "device")]


def test_a_tar_that_was_cut_is_broken(tmp_path):
    """It is not taken for a shorter one."""
    path = tmp_path / "t.tgz"
    path.write_bytes(tarred(FILES)[:-40])
    with pytest.raises(Unfit, match=r"broken tar archive \(.*\); fetch or pack it again"):
        list(tar_members(path, compressed=True))
