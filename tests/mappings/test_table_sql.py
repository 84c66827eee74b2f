"""SQL in a spec: what may be called is tried, one by one; what may not is refused by name before anything is read."""

import polars as pl
import pytest

from mappings._table_functions import FUNCTIONS, REFUSED
from mappings._table_sql import check, query, within
from migrate.errors import UsageError

NO_GROUP = (
    "stands for no group, and would be put there as it is; take a part out with SPLIT_PART or SUBSTR, or replace what "
    "is around it by ''"
)
UNCLEAR = (
    "cannot be used: polars takes the AND and OR behind it for a part of it; use a <=> b, or NOT (a <=> b)"
)
ROW = {"i": "-7", "f": "2.5", "s": "'Köln'", "n": "NULL", "t": "TIMESTAMP '2024-03-05 14:30:07'"}


def value(sql, rows=1):
    """What SQL of a spec comes to, in as many rows of `ROW`."""
    types = {"i": pl.Int64, "f": pl.Float64, "s": pl.String, "n": pl.String, "t": pl.Datetime("us")}
    columns = [pl.sql_expr(text).alias(name).cast(types[name]) for name, text in ROW.items()]
    given = pl.DataFrame({"_": range(rows)}).with_columns(columns)
    found = query(sql, "spec: x")
    check(found, {name: given.schema[name] for name in found.columns}, "spec: x")
    return given.with_columns(found.value.alias("value"))["value"].to_list()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_may_be_called_gives_what_is_told(name):
    """The same in every row, and on a second try."""
    sql, told = FUNCTIONS[name]
    assert name in sql
    expected = pl.select(pl.sql_expr(told)).item()
    found = value(sql, rows=3)
    assert (
        found == [pytest.approx(float(expected))] * 3
        if isinstance(found[0], (int, float))
        else [expected] * 3
    )
    assert value(sql) == found[:1]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_may_not_be_called_is_refused_with_the_reason(name):
    """In any case, and with the words that say what to do."""
    with pytest.raises(UsageError) as caught:
        query(f"{name.lower()}(s)", "spec: event")
    assert str(caught.value) == f"spec: event: {name.lower()} cannot be used: {REFUSED[name]}"
    assert name not in FUNCTIONS


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", 'expected an SQL expression, found nothing; use {sql = "…"}'),
        ("uper(s)", "no function uper; did you mean UPPER?"),
        ('"now"()', '"now" cannot be called; write the name of a function without quotes'),
        ("`now` ()", "`now` cannot be called; write the name of a function without quotes"),
        (
            "current_timestamp",
            (
                "current_timestamp cannot be used: it is another at each run; take a column of the file, or "
                '"current_timestamp" in double quotes, if it is a column'
            ),
        ),
        ("COALESCE(s, CURRENT_DATE)", None),
        ("i IN (SELECT 1)", None),
        ("DISTINCT i", None),
        ("i is not distinct from 1", f"IS distinct from {UNCLEAR}"),
        ("(/* a */ select 1)", None),
        ("ABS(i) OVER ()", None),
        (
            "s -> 'a'",
            '-> cannot be used; name what is inside of a column by its path in double quotes, as "user.id"',
        ),
        ("s.a", 's. is no column; write a path in double quotes, as "user.id" or "items[0].sku"'),
        ("s[0]", 's[ is no column; write a path in double quotes, as "user.id" or "items[0].sku"'),
        ("$$a$$", "$ cannot be used in an SQL expression; text stands in single quotes"),
        ("s; i", "; cannot be used in an SQL expression; text stands in single quotes"),
        ("LPAD(s, i)", "LPAD: expected a number up to 1000 as the length; write it as it is"),
        ("LPAD(s, 1001, ' ')", "LPAD: expected a number up to 1000 as the length; write it as it is"),
        ("REGEXP_REPLACE(s, '(K).*', '$1')", f"REGEXP_REPLACE: $1 {NO_GROUP}"),
        ("COALESCE(n, regexp_replace(s, '(K).*', '<${1}>', 'g'))", f"regexp_replace: ${{ {NO_GROUP}"),
        ("REGEXP_REPLACE(CONCAT(s, n), REPLACE('(K)', ',', ''), '\\1')", f"REGEXP_REPLACE: \\1 {NO_GROUP}"),
        ("*", None),
        (
            '"*"',
            '"*" cannot be used in SQL: polars takes it for a pattern of columns; name one by its own name',
        ),
        (
            'UPPER("^s$")',
            '"^s$" cannot be used in SQL: polars takes it for a pattern of columns; name one by its own name',
        ),
        ("s ~ '('", "regex error: regex parse error, found \"s ~ '('\""),
        ("i AS now", 'expected one expression, found "i AS now", which names it; take the name out'),
        ("i j", 'expected one expression, found "i j", which names it; take the name out'),
        (
            "i + s",
            (
                "arithmetic on dtypes i64 and str is not allowed (lhs: column 'i', rhs: column 's'); try an explicit "
                "cast first; columns are text unless [types] says more, and CAST makes a number of one, STRPTIME a "
                'time, found "i + s"'
            ),
        ),
    ],
)
def test_what_cannot_be_evaluated_is_said(sql, message):
    """Before a row is read; nothing of it is run."""
    with pytest.raises(UsageError) as caught:
        value(sql)
    assert message is None or str(caught.value) == f"spec: x: {message}"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("'it''s -- no comment (NOW())'", "it's -- no comment (NOW())"),
        ("CAST('3' AS INT) * 3000000000", 9_000_000_000),
        ("'3'::int * 3000000000", 9_000_000_000),
        ("LENGTH(LEFT(s, LENGTH(s) - 2)) - 9", -7),
        ("s /* a */ || -- b\n '!'", "Köln!"),
        ("(i > 1) AND (f = 2.5) OR NOT (s IN ('Köln'))", False),
        ("CASE WHEN (i < 0) THEN ('a') ELSE ('b') END", "a"),
        ("s LIKE '%l%' AND i BETWEEN -8 AND 0", True),
        ("CAST(f AS DECIMAL(10, 1))", pl.select(pl.lit(2.5).cast(pl.Decimal(10, 1))).item()),
        ("DATE '2024-03-05' = CAST(t AS DATE)", True),
        ("NOT (n <=> s) AND s <=> s AND (n <=> NULL) OR FALSE", True),
        ("REGEXP_REPLACE('$1 (K), $1', '[$]1', '$pageview')", "$pageview (K), $1"),
        ("REGEXP_REPLACE(s, '^(?:.)(.*)$', '')", ""),
        ("HOUR(t + INTERVAL '2 hours')", 16),
    ],
)
def test_sql_is_polars_own_with_whole_numbers_of_64_bits(sql, found):
    """So that neither a length less a number nor a product of small numbers comes round."""
    assert value(sql) == [found]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "TRY_CAST(s AS DATE) >= DATE '2024-01-01'",
            "DATE; say [types] s = \"date\", or use STRPTIME(s, '%Y-%m-%d')",
        ),
        (
            "COALESCE(s::date, CAST(t AS DATE))",
            "DATE; say [types] s = \"date\", or use STRPTIME(s, '%Y-%m-%d')",
        ),
        (
            "CASE WHEN i = 1 THEN CAST(LOWER(s) AS TIMESTAMP) END",
            "TIMESTAMP; say [types] s = \"timestamp\", or use STRPTIME(s, '%Y-%m-%d')",
        ),
        (
            "CAST(s AS TIMESTAMPTZ)",
            "TIMESTAMPTZ; say [types] s = \"timestamptz\", or use STRPTIME(s, '%Y-%m-%d')",
        ),
        ("s::TIME", "TIME; leave it text"),
        ("NOT TRY_CAST(s AS BOOLEAN)", 'BOOLEAN; say [types] s = "bool"'),
    ],
)
def test_text_is_not_cast_to_what_no_text_becomes(sql, told):
    """It would be null in every row; said before any is read, wherever it stands."""
    with pytest.raises(UsageError) as caught:
        value(sql)
    assert str(caught.value).rpartition(", found ")[0] == f"spec: x: text cannot be cast to {told}"


@pytest.mark.parametrize("dtype", [pl.Datetime("us"), pl.Datetime("us", "UTC")])
def test_times_are_compared_with_those_that_have_a_zone_too_or_neither(dtype):
    """The message says what each is compared with, and that works."""
    fit, unfit = ("TIMESTAMPTZ", "TIMESTAMP") if dtype.time_zone else ("TIMESTAMP", "TIMESTAMPTZ")
    assert check(query(f"z > {fit} '2024-01-01 00:00:00'", "x"), {"z": dtype}, "x") == pl.Boolean
    with pytest.raises(
        UsageError, match="what has a zone is compared with TIMESTAMPTZ '…', what has none with"
    ):
        check(query(f"z > {unfit} '2024-01-01 00:00:00'", "x"), {"z": dtype}, "x")


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("x * 1000", [None, 1_709_649_000_000, None]),
        ("x // 1000000 * 1000 + x % 1000", [9_223_372_036_854_807, 1_709_000, None]),
        ("CASE WHEN x < 10000000000 THEN 1000 * (x + 1) ELSE x END", [2**63 - 1, 1_709_649_001_000, None]),
        ("COALESCE(y * 1000, x * 1000, 7)", [7, 5000, 5000]),
        ("GREATEST(CAST(s AS BIGINT) * 1000, 1) + 1", [None, 5001, 5001]),
    ],
)
def test_a_product_in_a_time_does_not_come_round(sql, found):
    """It is null there, and a branch that is not taken takes nothing away."""
    given = pl.DataFrame(
        {"x": [2**63 - 1, 1_709_649_000, None], "y": [2**62, 5, 5], "s": [str(2**63 - 1), "5", "5"]}
    )
    assert given.select(within(query(sql, "x").value, given.schema)).to_series().to_list() == found


def test_what_would_overflow_the_stack_is_refused_and_long_lists_are_not():
    """An operator lies in the next one; polars ends the process where some thousands do."""
    many = " OR ".join(f"s = '{i}'" for i in range(20_000))
    with pytest.raises(
        UsageError, match=r"^spec: where: 39,999 operators .*, where 600 are the most; write values"
    ):
        query(many, "spec: where")
    types = {"s": pl.String, "i": pl.Int64}
    with pytest.raises(
        UsageError, match="^spec: where: too many operators inside of each other, found .*column IN"
    ):
        check(query(" || ".join(["s"] * 600), "spec: where"), types, "spec: where")
    listed = query(f"i IN ({', '.join(f'-{i}' for i in range(1_000))})", "spec: where")
    assert check(listed, types, "spec: where") == pl.Boolean
