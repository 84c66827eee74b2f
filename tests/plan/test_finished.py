"""Every row of a chunk is accounted for: an event, left out under a name, or rejected."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
from frames import IMPRINT, LATER, NOON
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit import events, expr, schemas
from migrate.kit.declare import REST, ROW, Table, has
from migrate.kit.distinct import slim
from migrate.plan.finished import finished
from migrate.plan.transform import Transform
from migrate.readers.records import Chunk, Reject


def to_events(rows, _options):
    """An event of each row that has a name."""
    return events.events(
        rows.filter(pl.col("event").is_not_null()),
        event=pl.col("event"),
        distinct_id=pl.col("who"),
        timestamp=pl.col("time"),
        dedup_key=expr.key(pl.col("who"), pl.col(ROW).cast(pl.String)),
    )


TABLE = Table(
    name="t",
    columns={"event": pl.String, "who": pl.String, "time": schemas.TIMESTAMP},
    matches=has("event"),
    to_events=to_events,
    filters={"test": pl.col("who") == "tester"},
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["view", "x" * 300, None]),
        st.sampled_from(["anna", "tester", "", "null", None]),
        st.none() | st.integers(-3, 3).map(lambda hour: NOON + timedelta(hours=hour)),
    ),
    max_size=8,
)


def chunk(rows, rejects=()):
    """A chunk of these rows."""
    schema = {"event": pl.String, "who": pl.String, "time": schemas.TIMESTAMP}
    frame = pl.DataFrame(rows, schema, orient="row").with_row_index(ROW, 1)
    return Chunk(
        slim(frame.with_columns(pl.col(ROW).cast(pl.Int64), pl.lit(None, pl.String).alias(REST))), [*rejects]
    )


@COMPARED
@given(rows=ROWS, since=st.none() | st.just(NOON), unread=st.integers(0, 2))
def test_the_books_balance(rows, since, unread):
    """Read is mapped, filtered and rejected; lines of rejects are as many as rejects; events are those mapped."""
    rejects = [Reject(100 + number, "bad_json", "{") for number in range(unread)]
    how = Transform(table=TABLE, imprint=IMPRINT, since=since)
    done = finished(chunk(rows, rejects), how, LATER)
    numbers = done.numbers
    assert numbers.read == len(rows) + unread
    assert numbers.read == numbers.mapped + sum(numbers.filtered.values()) + sum(numbers.rejected.values())
    assert len(done.rejects) == sum(numbers.rejected.values())
    assert done.frame["row"].n_unique() == numbers.mapped
    left = {row for row, (_, who, _) in enumerate(rows, 1) if who == "tester"}
    assert left.isdisjoint(done.frame["row"].to_list())


def test_a_chunk_becomes_what_its_rows_become_alone():
    """Nothing of an event depends on the rows around it."""
    rows = [
        ("view", "anna", NOON),
        ("view", "tester", NOON),
        ("x" * 300, "anna", NOON),
        ("open", "ben", NOON),
    ]
    how = Transform(table=TABLE, imprint=IMPRINT)
    whole = finished(chunk(rows), how, LATER)
    numbered = chunk(rows).rows
    alone = [
        finished(Chunk(numbered.filter(pl.col(ROW) == row), []), how, LATER)
        for row in range(1, len(rows) + 1)
    ]
    assert whole.frame.rows() == [row for one in alone for row in one.frame.rows()]
    assert whole.rejects == [line for one in alone for line in one.rejects]


def test_the_end_of_a_span_is_not_in_it():
    """What is left out is counted under the bound that it lies behind."""
    rows = [("view", "anna", NOON + timedelta(hours=hour)) for hour in range(4)]
    how = Transform(table=replace(TABLE, filters={}), imprint=IMPRINT, since=NOON + timedelta(hours=1))
    how = replace(how, until=datetime(2024, 4, 3, 15, tzinfo=UTC))
    done = finished(chunk(rows), how, LATER)
    assert done.frame["row"].to_list() == [2, 3]
    assert done.numbers.filtered == {"before_since": 1, "after_until": 1}
