"""What a mapping tells of who is who: the frame each function makes of rows."""

from datetime import UTC, datetime

import polars as pl

from migrate.kit import links, schemas

A, B, T = pl.col("a"), pl.col("b"), pl.col("t")
EARLY, LATE = datetime(2024, 4, 3, tzinfo=UTC), datetime(2024, 4, 4, tzinfo=UTC)


def rows(*told):
    """Rows of two ids and a time."""
    schema = {"a": pl.String, "b": pl.String, "t": schemas.TIMESTAMP}
    return pl.DataFrame(told, schema=schema, orient="row").lazy()


def told(frame):
    """What a frame of links says, which has the schema that it should have."""
    found = frame.collect()
    assert found.schema == schemas.LINK_SCHEMA
    return found.rows()


def test_a_link_is_told_once_at_the_first_time():
    """Rows that say the same are one link; those that lack an id are none."""
    seen = rows(("d", "u", LATE), ("d", "u", EARLY), (None, "u", EARLY), ("d", None, EARLY), ("e", "u", LATE))
    found = told(links.linked(seen, anonymous=A, identified=B, time=T, why="login"))
    assert found == [("linked", "d", "u", EARLY, "login"), ("linked", "e", "u", LATE, "login")]


def test_a_resolution_may_have_no_time():
    """A source that says who is who may not say since when."""
    found = told(
        links.resolved(rows(("n", "u", EARLY)), key=links.key("id", A), person=B, time=None, why="x")
    )
    assert found == [("resolved", "\x1fid\x1fn", "u", None, "x")]


def test_who_is_known_needs_no_other_id():
    """A person alone is told without a time, and no two of these mean the same."""
    seen = rows(("d", "u", LATE), ("d", None, LATE))
    for kind in ("identified", "profiled", "maybe"):
        assert told(getattr(links, kind)(seen, B, why="y")) == [(kind, None, "u", None, "y")]


def test_frames_of_links_are_put_together():
    """`to_links` returns one frame, whatever it is made of."""
    seen = rows(("d", "u", LATE))
    both = [links.own(seen, anonymous=A, key=A), links.refused(seen, anonymous=A, identified=B, why="shared")]
    assert told(links.concat(both)) == [("own", "d", "d", None, "own"), ("refused", "d", "u", None, "shared")]
