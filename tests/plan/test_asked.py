"""A column that a mapping asks for and does not have is said with platform, table, field and what there is."""

from dataclasses import replace

import polars as pl
import pytest

from migrate import platforms
from migrate.errors import UsageError
from migrate.kit import events, links
from migrate.kit.declare import EVERY_ROW, Bag, Options, Table
from migrate.plan.asked import check_columns

MADE = ", _row, _position, _rest, _file, _person, _recovered, _again, _properties, _own, _whole"
"""What every row has beside the columns its table declares."""


def to_events(rows, _options):
    """An event of a row, its name read in a second step."""
    text = pl.lit("x")
    found = rows.with_columns_seq(pl.col("what").alias("_name"))
    time = pl.lit(None, pl.Datetime("us", "UTC"))
    return events.events(found, event=pl.col("_name"), distinct_id=text, timestamp=time, dedup_key=text)


def to_links(rows, _options):
    """A link between ids that only the second table of this test has."""
    return links.identified(rows, pl.col("user"))


TABLE = Table(
    name="clicks",
    columns={"what": pl.String, "user": pl.String, "data": pl.String},
    matches=bool,
    to_events=to_events,
    to_links=to_links,
    bags={"data": Bag(keys=("url",))},
    filters={"rule": pl.col("data.url").is_null(), "all": EVERY_ROW},
)


def test_a_table_that_asks_for_what_it_has_is_fine():
    """Also for what the framework gives, and what objects hold."""
    check_columns("acorn", TABLE, Options())


@pytest.mark.parametrize(
    ("change", "field", "name"),
    [
        ({"to_profiles": lambda rows, _: rows.select("usr")}, "to_profiles", "usr"),
        ({"to_groups": lambda rows, _: rows.filter(pl.col("usr") == "x")}, "to_groups", "usr"),
        ({"to_recoveries": lambda rows, _: rows.select("usr")}, "to_recoveries", "usr"),
        ({"filters": {"a": lambda _: pl.col("usr").is_null()}}, "filters['a']", "usr"),
        ({"warnings": {"a": pl.col("data.uri").is_null()}}, "warnings['a']", "data.uri"),
        ({"resolve": pl.col("usr")}, "resolve", "usr"),
        ({"recover": pl.col("usr")}, "recover", "usr"),
        ({"recover": (pl.col("user"), pl.col("usr"))}, "recover[1]", "usr"),
    ],
)
def test_a_misspelled_column_is_said_with_where_it_stands(change, field, name):
    """And with all columns that the rows have."""
    with pytest.raises(UsageError) as caught:
        check_columns("acorn", replace(TABLE, **change), Options())
    assert str(caught.value) == (
        f"acorn: clicks: {field} asks for a column '{name}' that its rows do not have, known are what, user, data, "
        f"data.url{MADE}; spell it as there, or declare it"
    )


def test_a_misspelled_column_is_found_in_a_later_step():
    """`to_events` calls columns otherwise before it reads them."""
    with pytest.raises(UsageError, match="^acorn: clicks: to_events asks for a column 'what' that"):
        check_columns("acorn", replace(TABLE, columns={"user": pl.String, "data": pl.String}), Options())


def test_links_are_made_of_no_other_columns_than_they_may_be():
    """`link_columns` are all that is read when files are looked over."""
    check_columns("acorn", replace(TABLE, link_columns=("user",)), Options())
    with pytest.raises(
        UsageError, match=r"^acorn: clicks: to_links asks for a column 'user' .* known are what, _row"
    ):
        check_columns("acorn", replace(TABLE, link_columns=("what",)), Options())


@pytest.mark.parametrize("options", [Options(), Options(uuid_compat="posthog-worker", user_id="x")])
@pytest.mark.parametrize("name", [name for name in platforms.names() if name != "table"])
def test_mappings_of_ours_ask_for_what_they_have(name, options):
    """In every function of every table, whether or not a sample comes to it."""
    for table in platforms.platform(name).under(options, []).tables:
        check_columns(name, table, options)
