"""Files that are as they were planned are passed by: none of them is opened, and nothing of it is read."""

import os

import pytest
from commands import rows

from migrate.inputs.listing import sources
from migrate.inputs.stored import stamp_of
from migrate.inputs.unchanged import Unchanged


def test_a_file_with_its_stamp_is_planned_as_it_is(tmp_path):
    """Another stamp, none, or none there says nothing."""
    path = rows(tmp_path / "a.jsonl")
    found = Unchanged({str(path): stamp_of(path), "/b": None, "/c": "1:2:3:4"})
    assert [found.holds(one) for one in (str(path), "/b", "/c", "/d")] == [True, False, False, False]
    assert found.found == [str(path)]
    assert found.within([f"{path}", f"{path}!member", "/b"]) == [f"{path}", f"{path}!member"]
    os.utime(path, (1, 1))
    assert not found.holds(str(path))


@pytest.mark.parametrize("given", ["", "a.jsonl", "*.jsonl", "{since:%Y}"])
def test_what_is_passed_by_is_no_source(tmp_path, given):
    """Named itself, in a folder, by a pattern or as a day's; and an input of nothing else is not empty."""
    path = rows(tmp_path / "in" / "a.jsonl")
    os.chmod(path, 0)  # noqa: PTH101
    named = f"{path.parent}/{given}" if "{" not in given else f"{tmp_path}/in"
    found = sources([named], planned={str(path): stamp_of(path)})
    assert (found.sources, found.unfit, found.skipped, found.unchanged.found) == ([], [], {}, [str(path)])
    other = rows(tmp_path / "in" / "b.jsonl")
    found = sources([str(tmp_path / "in")], planned={str(path): stamp_of(path)})
    assert [source.path for source in found.sources] == [other]


def test_a_second_name_of_what_is_planned_is_a_duplicate(tmp_path):
    """Whichever comes first."""
    path = rows(tmp_path / "in" / "b.jsonl")
    (tmp_path / "in" / "a.jsonl").hardlink_to(path)
    found = sources([str(tmp_path / "in")], planned={str(path): stamp_of(path)})
    assert (found.sources, [*found.skipped]) == ([], ["duplicate"])
