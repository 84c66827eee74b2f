"""What a rejected row lacks is told by the columns that decide it, found by trying them."""

import polars as pl
import pytest

from migrate import platforms
from migrate.kit import events
from migrate.kit.declare import Bag, Options, Table, inside
from migrate.payload.payloads import Imprint
from migrate.plan.transform import Transform
from migrate.plan.wanted import Wanted, deciding


def made_by(*owners):
    """A table whose rows are of whom these columns say."""

    def to_events(rows, _options):
        person = pl.coalesce(owners) if owners else pl.lit("nobody")
        return events.events(
            rows,
            event=pl.lit("e"),
            distinct_id=person,
            timestamp=pl.lit(None, pl.Datetime("us", "UTC")),
            dedup_key=pl.col("number"),
        )

    return Table(
        name="clicks",
        columns=dict.fromkeys(("number", "user", "device", "data", "at", "sent"), pl.String),
        matches=bool,
        to_events=to_events,
        bags={"data": Bag(keys=("owner",))},
        ids=("number", "user", "device", inside("data", "owner")),
        times=("at", "sent"),
    )


@pytest.mark.parametrize(
    ("owners", "found"),
    [
        (("user",), ["user"]),
        (("device", "user"), ["user", "device"]),
        (("data.owner", "user"), ["user", "data.owner"]),
        ((), []),
    ],
)
def test_the_ids_that_make_a_row_somebodys_are_found(owners, found):
    """In the order in which they are declared; none where a row is somebody's without any."""
    assert deciding(made_by(*owners), Options()) == found


def test_what_is_wanted_is_told_of_the_reasons_that_are_there():
    """Of times those that the table declares; what no column decides is left out."""
    transform = Transform(table=made_by("user"), imprint=Imprint(platform="acorn", import_id="i"))
    wanted = Wanted()
    times = {"clicks": ["at", "sent"]}
    assert wanted.of(transform, {"bad_timestamp": 2, "malformed_json": 1}) == {"bad_timestamp": times}
    assert wanted.of(transform, {"no_distinct_id": 1, "no_timestamp": 1}) == {
        "no_timestamp": times,
        "no_distinct_id": {"clicks": ["user"]},
    }
    nobodys = Transform(table=made_by(), imprint=transform.imprint)
    assert wanted.of(nobodys, {"no_distinct_id": 1}) == {}


@pytest.mark.law
@pytest.mark.parametrize("name", [name for name in platforms.names() if name != "table"])
def test_every_table_can_be_tried(name):
    """Of all platforms: what decides is among its ids."""
    for table in platforms.platform(name).tables:
        if not table.refusal:
            assert set(deciding(table, Options())) <= set(table.ids)
