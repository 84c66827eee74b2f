"""A part comes back as it was added, whatever becomes of its events."""

import pytest

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.parts import PARTS, add_part, part_of
from migrate.workdir.records import Fate, Part
from migrate.workdir.seals import Seal


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("number", [None, 3])
def test_a_part_comes_back(tmp_path, fate, number):
    """With its round, where it has one."""
    part = Part(
        "days/2024-04-03/1.parquet",
        *(7, "2024-04-03", 5, 600, 1, 2),
        leads=True,
        seal=Seal(9, b"abcd"),
        anew=True,
        increment=4,
        fate=fate,
    )
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        with checkpoint.change() as db:
            db.execute("INSERT INTO inputs (id, name, stamp, size, digest) VALUES (7, 'a', '', 0, '')")
            add_part(db, part, number)
        (*row, its_round) = checkpoint.query(PARTS).fetchone()
    assert (part_of(*row), its_round) == (part, number)
