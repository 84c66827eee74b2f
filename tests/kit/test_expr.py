"""The expressions: what each makes of the values a source can hold."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.kit import expr

DAY = timedelta(days=1)
NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)


def made(expression, **columns):
    """The expression's values over these columns of text."""
    schema = {
        name: pl.String if all(isinstance(v, str | None) for v in c) else None for name, c in columns.items()
    }
    return pl.DataFrame(columns, schema=schema).lazy().select(expression.alias("x")).collect()["x"].to_list()


def one(expression, value):
    """The expression's value for one text in column `a`."""
    return made(expression, a=[value])[0]


A, B = pl.col("a"), pl.col("b")


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
    ],
)
def test_unix(text, unit, time):
    """Unix times in their unit; a time beyond the year 9999 is no time."""
    assert one(expr.unix(A, unit), text) == time


def test_key_tells_null_from_empty_and_parts_apart():
    """Keys are equal exactly when all parts are."""
    rows = [("a", "b"), ("ab", ""), ("ab", None), ("", "ab"), (None, "ab")]
    keys = made(expr.key(A, B), a=[a for a, _ in rows], b=[b for _, b in rows])
    assert len(set(keys)) == len(rows)


@settings(deadline=None)
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
    ("bag", "value"),
    [
        pytest.param('{"k":"v"}', "v", id="text"),
        pytest.param('{"k":"a \\"b\\" \\u00e9"}', 'a "b" é', id="escapes"),
        pytest.param('{"k":"a\\tb\\\\"}', "a\tb\\", id="hard-escapes"),
        pytest.param('{"k":9007199254740993}', "9007199254740993", id="big-integer"),
        pytest.param('{"k":true}', "true", id="boolean"),
        pytest.param('{"k":null}', None, id="null-value"),
        pytest.param('{"other":1}', None, id="missing"),
        pytest.param('{\n"k": "v"}', "v", id="two-lines"),
        pytest.param('{"k":"\\ud83d"}', "\ufffd", id="lone-surrogate"),
        pytest.param('{"z":1e400,"k":"v"}', "v", id="beside-an-infinite-number"),
        pytest.param("{", None, id="broken"),
        pytest.param("", None, id="blank"),
        pytest.param(None, None, id="null"),
    ],
)
def test_fields(bag, value):
    """A key's value as text, the same whatever stands in the rows beside it."""
    fields = expr.fields(A, ["k", "other"]).struct.field("k")
    assert one(fields, bag) == value
    assert made(fields, a=['{"k":"x"}', bag, '{"k":"\\\\","l":1e999}'])[1] == value


def test_fields_keep_nested_values_as_json():
    """A nested value is JSON text, whose strings are still escaped."""
    assert one(expr.fields(A, ["k"]).struct.field("k"), '{"k":["a\\"b"]}') == '["a\\"b"]'


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


def test_parted():
    """Keys with the prefix become `$key` without empty values; all others stay, digits and order as they were."""
    bag = '{"plan":"pro","n":1.10,"initial_a":"x","initial_b":"EMPTY","initial_c":null,"initial_d":""}'
    found = made(expr.parted(A, prefix="initial_", empty=["EMPTY"]), a=[bag, '{"plan":"EMPTY"}', "{}", None])
    assert found[0] == {"rest": '{"plan":"pro","n":1.10}', "once": '{"$initial_a":"x"}'}
    assert found[1] == {"rest": '{"plan":"EMPTY"}', "once": None}
    assert found[2:] in (
        [{"rest": None, "once": None}, {"rest": None, "once": None}],
        [{"rest": None, "once": None}, None],
    )


def test_parted_takes_operations_apart():
    """What a client sent as operations counts as the properties they set."""
    found = one(expr.parted(A, prefix="initial_"), '{"$set":{"a":1},"$setOnce":{"b":2},"c":3}')
    assert found == {"rest": '{"c":3,"a":1}', "once": '{"b":2}'}


def test_joined():
    """Objects become one; nothing in any is null."""
    assert made(
        expr.joined(A, B), a=['{"a":1}', "{}", None, None], b=['{"b":2}', '{"b":2}', '{"b":2}', "{}"]
    ) == [
        '{"a":1,"b":2}',
        '{"b":2}',
        '{"b":2}',
        None,
    ]


def test_first_values():
    """Of a list the first that is not blank, as text; a scalar stands for itself."""
    bags = ['{"co":["A","B"],"n":[5],"s":"x","e":[]}', '{"co":["","B"]}', "{}", '{"e":[]}', None]
    assert made(expr.first_values(A), a=bags) == [
        '{"co":"A","n":"5","s":"x"}',
        '{"co":"B"}',
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("groups", "properties", "updates"),
    [
        pytest.param(
            '{"co":["A"]}', '{"co":{"A":{"n":1.50}}}', [("co", "A", '{"n":1.50}')], id="by-type-and-key"
        ),
        pytest.param(
            '{"co":["A"],"t":"7"}',
            '{"$set":{"n":1}}',
            [("co", "A", '{"n":1}'), ("t", "7", '{"n":1}')],
            id="set",
        ),
        pytest.param(
            '{"co":["A","B"]}', '{"n":1}', [("co", "A", '{"n":1}'), ("co", "B", '{"n":1}')], id="flat"
        ),
        pytest.param('{"co":["A"]}', "{}", [("co", "A", "{}")], id="no-properties"),
        pytest.param("{}", "{}", [], id="nothing"),
    ],
)
def test_group_updates(groups, properties, updates):
    """Each group a row tells of, with PostHog's properties for it."""
    found = made(expr.group_updates(A, B), a=[groups], b=[properties])[0]
    assert [tuple(update.values()) for update in found] == updates


def test_with_query():
    """A bag without any of the names gets those in the URL, decoded; a bag that has one is left alone."""
    url = "https://example.com/?utm_source=a%20b&x=1&gclid=#end"
    names = ["utm_source", "gclid", "utm_medium"]
    bags = ['{"p":1}', "{}", '{"gclid":"1"}', None]
    assert made(expr.with_query(A, B, names), a=bags, b=[url] * 4) == [
        '{"p":1,"utm_source":"a b"}',
        '{"utm_source":"a b"}',
        '{"gclid":"1"}',
        '{"utm_source":"a b"}',
    ]
    assert made(expr.with_query(A, B, names), a=['{"p":1}'], b=[None]) == ['{"p":1}']


NOTHING = pl.lit(None, pl.String)


def chain(**known):
    """The chain of one element."""
    told = {
        name: pl.lit(known.get(name), pl.String)
        for name in ("hierarchy", "tag", "classes", "identifier", "href", "text")
    }
    return pl.DataFrame({"x": [1]}).select(expr.elements_chain(**told)).item()


def test_elements_chain_of_one_element():
    """Classes sorted after the tag, then keys sorted, link and id twice, as PostHog writes them."""
    assert chain(tag="a", classes="small btn", identifier="buy", href="/cart", text="Buy now") == (
        'a.btn.small:attr__class="small btn"attr__href="/cart"attr__id="buy"attr_id="buy"href="/cart"text="Buy now"'
    )


def test_elements_chain_of_a_hierarchy():
    """The element, then its ancestors, places counted from 1; what is said of the element itself wins."""
    hierarchy = (
        '[{"tag":"i","index":0,"indexOfType":0,"attrs":{"aria-label":"L","@x":"y"}},null,{"tag":"body","index":1,'
        '"indexOfType":0,"prevSib":"head"}]'
    )
    assert chain(hierarchy=hierarchy, tag="button") == (
        'button:attr__aria-label="L"nth-child="1"nth-of-type="1";body:nth-child="2"nth-of-type="1"'
    )


def test_elements_chain_escapes():
    """Quotes are escaped, lines joined, and no backslash swallows the closing quote."""
    assert chain(tag="a", text='say "hi"\n now\\', classes='a"b;c') == (
        'a.abc:attr__class="a\\"b;c"text="say \\"hi\\" now"'
    )


@pytest.mark.parametrize("hierarchy", [None, "[]", "[{", '{"tag":"a"}', '[{"tag":1}]'])
def test_elements_chain_of_nothing(hierarchy):
    """Nothing known, or nothing readable, is no chain."""
    assert chain(hierarchy=hierarchy) is None


def test_a_query_completes_no_bag_that_has_the_parameter_in_another_spelling():
    """A key is the same however its letters are written."""
    rows = pl.DataFrame(
        {
            "bag": [r'{"\u0075tm_source":"own"}', r'{"a":"\u0075tm_source"}'],
            "url": "https://x/?utm_source=url",
        }
    )
    found = rows.select(expr.with_query(pl.col("bag"), pl.col("url"), ["utm_source"])).to_series().to_list()
    assert found == [rows["bag"][0], r'{"a":"\u0075tm_source","utm_source":"url"}']
