"""Whose an id is can be asked wherever the people's file lies, by whoever has nothing else of who wrote it."""

import shutil
import sqlite3
from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people import identity
from migrate.people.lookup import Lookup
from migrate.people.schema import PEOPLE_FILE
from migrate.people.store import People

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
KEY = f"{schemas.KEY}number{schemas.KEY}7"
LINKS = (("resolved", KEY, "Änne", None), ("resolved", KEY, "Änne", NOON), ("linked", "phone", "boris", NOON))
KNOWN = (("row", "b", "1"), ("row", "a", "2"), ("row", "b", "0"))


@pytest.mark.parametrize("owner", ["", "acme"])
def test_a_copy_answers_as_the_file_does(tmp_path, owner):
    """A key of the source's own is this workdir's, whichever file of it told of it; what nobody asks for is null."""
    with People(tmp_path / PEOPLE_FILE, owner) as people:
        for kind, a, b, time in LINKS:
            people.add(pl.DataFrame([(kind, a, b, time, "row")], schema=schemas.LINK_SCHEMA, orient="row"))
        people.recover(pl.DataFrame(KNOWN, schema=schemas.RECOVERY_SCHEMA, orient="row"))
        identity.resolve(people, end=None)
        assert [*identity.new_merges(people, "(identity 1)", 9)][-1].merges == 1
    shutil.copy(tmp_path / PEOPLE_FILE, tmp_path / "copy")
    asked = pl.Series([None, "phone", KEY, "'", KEY, "row"])
    with Lookup.opened(tmp_path / "copy", owner, is_shared=False) as found:
        assert found.persons(asked).to_list() == [None, None, "Änne", None, "Änne", None]
        assert found.identified(asked).to_list() == [None, "boris", *[None] * 4]
        assert found.recovered(asked).to_list() == [*[None] * 5, '{"a":"2","b":"1"}']
        assert (
            found.persons(asked.clear()).to_list()
            == found.identified(asked.head(1)).drop_nulls().to_list()
            == []
        )
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            found._db.execute("DELETE FROM persons")  # noqa: SLF001 - as nothing of it would
