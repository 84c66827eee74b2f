"""A file that is looked over is read for what its table gathers from, and nothing else."""

from dataclasses import replace

import polars as pl
import pytest
from readings import source

from migrate.kit.declare import REST, Bag, Computed, Table, has, inside
from migrate.plan.bundles import Bundle
from migrate.plan.jobs import Job
from migrate.plan.lean import gathered, lean
from migrate.readers.headers import read_header

TABLE = Table(
    name="t",
    columns={"device": pl.String, "user": pl.String, "time": pl.String, "other": pl.String},
    matches=has("user"),
    to_events=lambda rows, _: rows,
    link_columns=("device", "user"),
)


@pytest.fixture
def job(tmp_path):
    """A file of four columns and one that no table knows."""
    found = source(tmp_path / "a.csv", b"device,user,time,other,beside\nd-1,u-1,t,o,x\nd-2,u-2,t,o,x\n")
    return Job(source=found, header=read_header(found), table=TABLE)


def test_only_what_is_gathered_from_is_read(job):
    """Of all others neither columns nor a rest is made."""
    assert set(lean(job).table.columns) == {"device", "user"}
    (chunk,) = gathered(Bundle([job]))
    assert chunk.rows.select("device", "user").rows() == [("d-1", "u-1"), ("d-2", "u-2")]
    assert chunk.rows.select("^_rest$").to_series().null_count() == 2
    assert not {"time", "other"} & set(chunk.rows.columns)


def test_what_is_gathered_from_may_be_computed(job):
    """Then the columns that it is computed of are read, declared or not, and handed on no further."""
    computed = {
        "loud": Computed(value=pl.col(inside(REST, "beside")).str.to_uppercase()),
        "who": Computed(value=pl.concat_str("user", "loud")),
        "never": Computed(value=pl.col("time")),
    }
    table = replace(TABLE, computed=computed, link_columns=("who",), bags={REST: Bag(keys=["beside"])})
    few = lean(replace(job, table=table)).table
    assert (set(few.columns), set(few.computed)) == ({"user"}, {"loud", "who"})
    assert {"device", "time", "other"} <= few.dropped
    assert "beside" not in few.dropped
    (chunk,) = gathered(Bundle([replace(job, table=table)]))
    assert chunk.rows["who"].to_list() == ["u-1X", "u-2X"]
    assert not {"user", "loud"} & set(chunk.rows.columns)
