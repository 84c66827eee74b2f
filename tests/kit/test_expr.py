"""The expressions: what each makes of the values a source can hold."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from expressions import A, B, made, one
from hypothesis import given
from hypothesis import strategies as st

from migrate.kit import expr

DAY = timedelta(days=1)


NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)


def test_first_takes_what_is_not_blank():
    """Blank and null texts are passed over, blanks around the text that is taken go."""
    assert made(expr.first(A, B), a=["x", " ", None, "", None], b=["y", " z ", "w", " ", None]) == [
        *("x", "z", "w"),
        *(None, None),
    ]


def test_stripped_and_without():
    """Nothing but blanks is null; so is a vendor's marker, where it is the whole text."""
    assert made(expr.stripped(A), a=[" a ", "\t", None]) == ["a", None, None]
    assert made(expr.without(A, "EMPTY", "-"), a=["EMPTY", "-", "EMPTYISH", None]) == [
        None,
        None,
        "EMPTYISH",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("1.5", 1.5, id="decimal"),
        pytest.param(" 7 ", 7.0, id="blanks"),
        pytest.param("-2e3", -2000.0, id="exponent"),
        pytest.param("1e400", None, id="infinite"),
        pytest.param("NaN", None, id="nan"),
        pytest.param("1,5", None, id="comma"),
        pytest.param(None, None, id="null"),
    ],
)
def test_number(text, value):
    """A finite number, or nothing."""
    assert one(expr.number(A), text) == value


def test_integer():
    """Whole numbers of 64 bits keep every digit; anything else is null."""
    texts = ["17", " 17.0 ", "9007199254740993", "-1", "1.5", "99999999999999999999", "", None]
    assert made(expr.integer(A), a=texts) == [17, 17, 9007199254740993, -1, None, None, None, None]


def test_boolean():
    """The usual words, in any case; anything else is null."""
    texts = ["true", "TRUE", "1", "t", "yes", "false", "0", "No", "(none)", None]
    assert made(expr.boolean(A), a=texts) == [True] * 5 + [False] * 3 + [None] * 2


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("2024-04-03 12:00:00.123456", NOON.replace(microsecond=123456), id="amplitude"),
        pytest.param("2024-04-03 12:00:00", NOON, id="no-fraction"),
        pytest.param("2024-04-03T12:00:00.5", NOON.replace(microsecond=500000), id="fivetran"),
        pytest.param("2024-04-03T12:00:00.009000+00:00", NOON.replace(microsecond=9000), id="airbyte"),
        pytest.param("2024-04-03T12:00:00Z", NOON, id="zulu"),
        pytest.param("2024-04-03 12:00:00.123456 UTC", NOON.replace(microsecond=123456), id="bigquery"),
        pytest.param("2024-04-03 14:00:00+02", NOON, id="hours-of-offset"),
        pytest.param("2024-04-03T14:00:00+0200", NOON, id="offset-without-colon"),
        pytest.param("2024-04-03T12:00:00.123456789Z", NOON.replace(microsecond=123456), id="nanoseconds"),
        pytest.param("2024-04-03 12:00", NOON, id="minutes"),
        pytest.param("2024-04-03", NOON.replace(hour=0), id="date"),
        pytest.param("  2024-04-03 12:00:00 ", NOON, id="blanks"),
        pytest.param("2024-02-30 12:00:00", None, id="no-such-day"),
        pytest.param("2024-04-03 25:00:00", None, id="no-such-hour"),
        pytest.param("1712145600000", None, id="epoch"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
    ],
)
def test_timestamp_shapes(text, time):
    """Every shape that exports write, to the microsecond; what cannot be read is null and never "now"."""
    assert one(expr.timestamp(A), text) == time
    assert made(expr.timestamp(A), a=["2024-01-01 00:00:00", text, None])[1] == time, "beside another shape"


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        pytest.param("2024-07-01 12:00:00", datetime(2024, 7, 1, 10, tzinfo=UTC), id="summer"),
        pytest.param(
            "2024-07-01T12:00:00Z", datetime(2024, 7, 1, 12, tzinfo=UTC), id="zone-in-the-text-wins"
        ),
        pytest.param("2024-10-27 02:30:00", datetime(2024, 10, 27, 0, 30, tzinfo=UTC), id="occurs-twice"),
        pytest.param("2024-03-31 02:30:00", datetime(2024, 3, 31, 1, 30, tzinfo=UTC), id="skipped"),
        pytest.param("2024-07-01", datetime(2024, 6, 30, 22, tzinfo=UTC), id="date"),
    ],
)
def test_timestamp_in_a_zone(text, hour):
    """Wall-clock times are the zone's: the first of two, and past the hour that clocks skip."""
    assert one(expr.timestamp(A, zone="Europe/Berlin"), text) == hour


@pytest.mark.parametrize(
    ("text", "unit", "time"),
    [
        pytest.param("1712145600", "s", NOON, id="s"),
        pytest.param("1712145600.25", "s", NOON.replace(microsecond=250000), id="s-decimals"),
        pytest.param("1712145600123", "ms", NOON.replace(microsecond=123000), id="ms"),
        pytest.param("1712145600123456", "us", NOON.replace(microsecond=123456), id="us"),
        pytest.param("1712145600123", "s", None, id="wrong-unit"),
        pytest.param("soon", "s", None, id="words"),
        pytest.param(None, "ms", None, id="null"),
        *(
            pytest.param(f"{sign}{2**63 - 1}{more}", unit, None, id=f"{unit}{sign}{more}beyond")
            for unit in ("s", "ms", "us")
            for sign in ("", "-")
            for more in ("", ".5")
        ),
    ],
)
def test_unix(text, unit, time):
    """Unix times in their unit; a time beyond the year 9999 is no time."""
    assert one(expr.unix(A, unit), text) == time


def test_key_tells_null_from_empty_and_parts_apart():
    """Keys are equal exactly when all parts are."""
    rows = [("a", "b"), ("ab", ""), ("ab", None), ("", "ab"), (None, "ab")]
    keys = list(made(expr.key(A, B), a=[a for a, _ in rows * 2], b=[b for _, b in rows * 2]))
    assert [keys.index(key) for key in keys] == [*range(len(rows))] * 2


@given(st.integers(0, 2**48 - 1), st.text(), st.one_of(st.none(), st.text()))
def test_uuid7_law(milliseconds, text, other):
    """Version 7, RFC variant, the milliseconds in front; the same parts give the same id."""
    frame = pl.DataFrame(
        {"ms": [milliseconds] * 2, "a": [text] * 2, "b": [other] * 2}, schema_overrides={"b": pl.String}
    )
    first, again = frame.select(expr.uuid7(pl.col("ms"), A, B)).to_series()
    found = uuid.UUID(first)
    assert first == again == str(found)
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == milliseconds


def test_uuid7_is_the_same_everywhere():
    """Ids planned by another process, machine or version of the tool are these, to the letter."""
    program = (
        "import polars as pl; from migrate.kit import expr;"
        "print(pl.select(expr.uuid7(pl.lit(1712145600123, pl.Int64), pl.lit('amplitude'), pl.lit('key'))).item())"
    )
    root = Path(__file__).parents[2]
    other = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    expected = "018ea3d4-8e7b-7eba-8af3-147db17ebbcc"
    assert other.stdout.strip() == expected


def test_uuid7_before_1970_counts_as_1970():
    """A version-7 id cannot hold earlier times."""
    assert pl.select(expr.uuid7(pl.lit(-5, pl.Int64), pl.lit("x"))).item().startswith("00000000-0000-7")


def sessions(*rows):
    """The session ids of (start, event time, owner)."""
    start, time, owner = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {"s": start, "t": time, "o": owner},
        schema={"s": pl.Int64, "t": pl.Datetime("us", "UTC"), "o": pl.String},
    )
    return frame.select(expr.session_id(pl.col("s"), pl.col("t"), pl.col("o"))).to_series().to_list()


START = int(NOON.timestamp() * 1000)


def test_session_id_is_one_for_a_session():
    """All events of an owner's session share an id that begins with the session's start."""
    first, later, other = sessions(
        (START, NOON, "a"), (START, NOON + DAY - timedelta(seconds=1), "a"), (START, NOON, "b")
    )
    assert first == later != other
    assert uuid.UUID(first).int >> 80 == START


def test_session_of_a_day_and_more_is_split():
    """PostHog takes no session of 24 hours: each further day is a session that begins then."""
    first, second, third = sessions(
        (START, NOON, "a"), (START, NOON + DAY, "a"), (START, NOON + 2 * DAY, "a")
    )
    assert len({first, second, third}) == 3
    assert uuid.UUID(second).int >> 80 == START + 86_400_000
    assert uuid.UUID(third).version == 7


def test_session_id_of_odd_rows():
    """No start, no session; an event before its session's start belongs to it."""
    none, early, normal = sessions((None, NOON, "a"), (START, NOON - DAY, "a"), (START, NOON, "a"))
    assert none is None
    assert early == normal


@given(
    st.lists(
        st.tuples(st.integers(1, 10**13), st.integers(-(10**6), 10**9), st.sampled_from("abc")), min_size=1
    )
)
def test_session_ids_do_not_depend_on_neighbours(rows):
    """A row's id is the same alone and in any company, so that chunks may be cut anywhere."""
    times = [(start, NOON + timedelta(milliseconds=after), owner) for start, after, owner in rows]
    assert sessions(*times) == [sessions(row)[0] for row in times]


def test_canonical_uuid():
    """Lower case with hyphens; what is no UUID is null."""
    canonical = "0c1d2e3f-0000-4000-8000-00000000000a"
    texts = [
        canonical.upper(),
        canonical.replace("-", ""),
        f" {canonical} ",
        "order:17",
        canonical[:-1],
        None,
    ]
    assert made(expr.canonical_uuid(A), a=texts) == [canonical] * 3 + [None] * 3


def test_lookup_ignores_case_and_keeps_the_unknown():
    """The table's spelling, whatever the case; the text itself where the table has none."""
    assert made(expr.lookup(A, {"ios": "iOS"}), a=["IOS", "ios", "Tizen", None]) == [
        "iOS",
        "iOS",
        "Tizen",
        None,
    ]


def test_classified_takes_the_first_rule():
    """The first pattern that is found decides; none found is null."""
    rules = {"ipad|tablet": "Tablet", "apple": "Mobile"}
    assert made(expr.classified(A, rules), a=["Apple iPad", "APPLE", "Nokia", None]) == [
        "Tablet",
        "Mobile",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        pytest.param("https://a.example.com/x/y?q=/z#f", "a.example.com", "/x/y", id="whole"),
        pytest.param("http://localhost:8000", "localhost:8000", "/", id="port-no-path"),
        pytest.param("https://me:secret@example.com/a", "example.com", "/a", id="credentials"),
        pytest.param("/only/path", None, None, id="relative"),
        pytest.param(None, None, None, id="null"),
    ],
)
def test_host_and_path(url, host, path):
    """As PostHog's `$host` and `$pathname` have them; null where the text is no URL."""
    assert (one(expr.host(A), url), one(expr.path(A), url)) == (host, path)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("1712145600", NOON, id="seconds"),
        pytest.param("1712145600.0", NOON, id="seconds-of-a-float"),
        pytest.param("1712145600000", NOON, id="milliseconds"),
        pytest.param("1712145600000000", NOON, id="microseconds"),
        pytest.param("2024-04-03", None, id="no-number"),
        pytest.param(None, None, id="null"),
    ],
)
def test_unix_by_size(text, time):
    """The size of a Unix time says its unit."""
    assert one(expr.unix_by_size(A), text) == time


def test_id_of_no_one():
    """Each event of no one has an id of its own, the same on every run; others have none."""
    time = pl.lit(NOON, pl.Datetime("us", "UTC"))
    found = made(
        expr.id_of_no_one("acme", time, A, where=B == "nobody"), a=["k", "l", "k"], b=["nobody"] * 2 + ["u"]
    )
    assert found[2] is None
    assert found[0] != found[1]
    assert all(id_.startswith("no-id-018ea3d4-8e00-7") for id_ in found[:2])


def test_filled():
    """A text that is not blank stays as it stands."""
    assert made(expr.filled(A), a=[" a ", " ", "", None]) == [" a ", None, None, None]
