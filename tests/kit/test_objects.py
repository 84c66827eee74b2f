"""JSON objects in a column: what each expression makes of them."""

import polars as pl
import pytest
from expressions import A, B, made, one

from migrate.kit import objects


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
    fields = objects.fields(A, ["k", "other"]).struct.field("k")
    assert one(fields, bag) == value
    assert made(fields, a=['{"k":"x"}', bag, '{"k":"\\\\","l":1e999}'])[1] == value


def test_fields_keep_nested_values_as_json():
    """A nested value is JSON text, whose strings are still escaped."""
    assert one(objects.fields(A, ["k"]).struct.field("k"), '{"k":["a\\"b"]}') == '["a\\"b"]'


def test_parted():
    """Keys with the prefix become `$key` without empty values; all others stay, digits and order as they were."""
    bag = '{"plan":"pro","n":1.10,"initial_a":"x","initial_b":"EMPTY","initial_c":null,"initial_d":""}'
    found = made(
        objects.parted(A, prefix="initial_", empty=["EMPTY"]), a=[bag, '{"plan":"EMPTY"}', "{}", None]
    )
    assert found[0] == {"rest": '{"plan":"pro","n":1.10}', "once": '{"$initial_a":"x"}'}
    assert found[1] == {"rest": '{"plan":"EMPTY"}', "once": None}
    assert found[2:] in (
        [{"rest": None, "once": None}, {"rest": None, "once": None}],
        [{"rest": None, "once": None}, None],
    )


def test_parted_takes_operations_apart():
    """What a client sent as operations counts as the properties they set."""
    found = one(objects.parted(A, prefix="initial_"), '{"$set":{"a":1},"$setOnce":{"b":2},"c":3}')
    assert found == {"rest": '{"c":3,"a":1}', "once": '{"b":2}'}


def test_joined():
    """Objects become one; nothing in any is null."""
    assert made(
        objects.joined(A, B), a=['{"a":1}', "{}", None, None], b=['{"b":2}', '{"b":2}', '{"b":2}', "{}"]
    ) == [
        '{"a":1,"b":2}',
        '{"b":2}',
        '{"b":2}',
        None,
    ]


def test_first_values():
    """Of a list the first that is not blank, as text; a scalar stands for itself."""
    bags = ['{"co":["A","B"],"n":[5],"s":"x","e":[]}', '{"co":["","B"]}', "{}", '{"e":[]}', None]
    assert made(objects.first_values(A), a=bags) == [
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
    found = made(objects.group_updates(A, B), a=[groups], b=[properties])[0]
    assert [tuple(update.values()) for update in found] == updates


def test_with_query():
    """A bag without any of the names gets those in the URL, decoded; a bag that has one is left alone."""
    url = "https://example.com/?utm_source=a%20b&x=1&gclid=#end"
    names = ["utm_source", "gclid", "utm_medium"]
    bags = ['{"p":1}', "{}", '{"gclid":"1"}', None]
    assert made(objects.with_query(A, B, names), a=bags, b=[url] * 4) == [
        '{"p":1,"utm_source":"a b"}',
        '{"utm_source":"a b"}',
        '{"gclid":"1"}',
        '{"utm_source":"a b"}',
    ]
    assert made(objects.with_query(A, B, names), a=['{"p":1}'], b=[None]) == ['{"p":1}']


def test_a_query_completes_no_bag_that_has_the_parameter_in_another_spelling():
    """A key is the same however its letters are written."""
    rows = pl.DataFrame(
        {
            "bag": [r'{"\u0075tm_source":"own"}', r'{"a":"\u0075tm_source"}'],
            "url": "https://x/?utm_source=url",
        }
    )
    found = (
        rows.select(objects.with_query(pl.col("bag"), pl.col("url"), ["utm_source"])).to_series().to_list()
    )
    assert found == [rows["bag"][0], r'{"a":"\u0075tm_source","utm_source":"url"}']
