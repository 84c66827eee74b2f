"""The files of a plan in its workdir: there under their names, gone with their folders, missed by who sends them."""

import pytest

from migrate.workdir.depot import Depot
from migrate.workdir.seals import Harmed, Kept


def test_files_are_placed_listed_and_removed(tmp_path):
    """Nothing is copied for who reads one; what no folder holds any more has none."""
    depot, name = Depot(tmp_path), "days/2024-04-03/00000001-000000.parquet"
    (tmp_path / "aside").write_bytes(b"events")
    depot.keep({name: tmp_path / "aside"})
    depot.place({name: tmp_path / "aside"})
    kept = Kept.of(tmp_path / name)
    assert [*depot.listed()] == [[name]]
    assert depot.shown(name) == str(tmp_path / name)
    with depot.near([name], {name: 6}):
        assert (tmp_path / name).read_bytes() == b"events"
    depot.check([kept])
    depot.remove([name, name])
    assert [*(tmp_path / "days").iterdir()] == []
    with pytest.raises(Harmed, match="found 'No such file or directory'"):
        depot.check([kept])


def test_a_folder_in_the_place_of_a_file_is_no_matter(tmp_path):
    """One that is empty goes; what is in another is not ours."""
    empty, full = "days/2024-01-05/1.parquet", "days/2024-01-06/2.parquet"
    (tmp_path / empty).mkdir(parents=True)
    (tmp_path / full / "notes").mkdir(parents=True)
    for _ in range(2):
        Depot(tmp_path).remove([empty, full])
    assert [*(tmp_path / "days").iterdir()] == [(tmp_path / full).parent]
    assert (tmp_path / full / "notes").exists()
