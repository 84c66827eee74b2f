"""What is handed to processes that plan is what the first one has."""

import pytest
from crews import DIES, RAISES, TOUCHED, own

from migrate.errors import Refused
from migrate.handed import Making
from migrate.people.store import People
from migrate.plan.handing import packed, unpacked


def test_a_mapping_that_was_changed_meanwhile_plans_nothing(tmp_path):
    """Half of the rows would become something else."""
    work = own(tmp_path, RAISES, "seen")
    with People(tmp_path / "people.sqlite") as people:
        data = packed(Making(work.settings, people))
        unpacked(data).people.close()
        work.settings.own.path.write_text(TOUCHED.replace("{}", DIES, 1))
        with pytest.raises(Refused, match="changed while files were planned"):
            unpacked(data)
        work.settings.own.path.unlink()
        with pytest.raises(
            Refused, match=r"acme\.py: not there on .*; have it, and what lies beside it, under the"
        ):
            unpacked(data)


def test_people_lie_elsewhere_for_another_machine(tmp_path):
    """It says where."""
    work = own(tmp_path, RAISES, "seen")
    with People(tmp_path / "people.sqlite") as people:
        making = Making(work.settings, people)
        data = packed(making, making.files)
    there = (tmp_path / "people.sqlite").rename(tmp_path / "there.sqlite")
    with unpacked(data, [there]).people as found:
        assert found.folder == tmp_path
    assert not (tmp_path / "people.sqlite").exists()
