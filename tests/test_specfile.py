"""The text of a first spec: TOML, whatever columns are called, in which nothing is said that was not seen."""

import tomllib

import pytest

from mappings import table
from migrate.errors import UsageError
from migrate.inspection.columns import columns_of
from migrate.inspection.guesses import guesses_of
from migrate.inspection.values import Value
from migrate.readers.dialects import Layout
from migrate.specfile import Written, spec_text

ODD = ['a "b"', "ä", "a\\b", "a\nb", "x=1", "[t]", "#", "'", "a.b", "\x1b[2J", "\x9b", "\x7f", '"""']


def spec(*rows, layout=None, is_numbered=False):
    """The spec of these rows of text."""
    made = [{name: Value("text", text) for name, text in row.items()} for row in rows]
    found = guesses_of(columns_of((), made), made, is_whole=True)
    written = Written(
        name="a\x1b.csv", command="migrate …", layout=layout or Layout(), is_numbered=is_numbered
    )
    return spec_text(found, written)


def uncommented(text):
    """The spec with its suggestions taken: of several ways for one key the first."""
    seen, lines = set(), []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        key = bare.partition(" = ")[0] if " = " in bare else None
        if bare.startswith("["):
            seen = set()
        elif key is None or not (key.isidentifier() or key.startswith('"')) or key in seen:
            continue
        seen.add(key)
        lines.append(bare)
    return "\n".join(lines)


@pytest.mark.parametrize("name", ODD)
def test_columns_may_be_called_anything(name):
    """The spec is one that is read, and steers no terminal."""
    row = {"event": "a", "user_id": "u", "at": "2024-03-05T10:00:00Z", name: "1.5"}
    text = spec(row)
    assert not any(mark in text for mark in ("\x1b", "\x9b", "\x7f"))
    found = tomllib.loads(text)
    assert found["numbers"] == [name]
    assert table.tables(found)


@pytest.mark.parametrize("part", ["event", "user_id", "at"])
def test_what_cannot_be_guessed_is_to_be_filled_in(part):
    """And the key that is missing is named by whoever reads the spec."""
    row = {"event": "a", "user_id": "u", "at": "2024-03-05T10:00:00Z"}
    text = spec(
        {
            ("x" if name == part else name): value
            for name, value in row.items()
            if part != name or name != "at"
        }
    )
    key = {"event": "event", "user_id": "distinct_id", "at": "timestamp"}[part]
    assert f'# {key} = "column"' in text
    assert text.count("# FILL IN: ") == 1
    with pytest.raises(UsageError, match=f"^spec: {key}: missing; use"):
        table.tables(tomllib.loads(text))


def test_rows_of_nobody_are_spoken_of():
    """Where the only id is empty in some."""
    row = {"event": "a", "user_id": "u", "at": "2024-03-05T10:00:00Z"}
    said = '# distinct_id = ["user_id", "other column"]'
    assert said in spec(row, row | {"user_id": ""})
    assert said not in spec(row)


def test_day_or_month_first_is_asked():
    """All ways that read the values are there, and none of them is taken."""
    row = {"event": "a", "user_id": "u", "at": "05.03.2024"}
    text = spec(row)
    assert (
        '# timestamp = {column = "at", format = "%d.%m.%Y"}\n# timestamp = {column = "at", format = "%m'
        in text
    )
    assert "timestamp" not in tomllib.loads(text)
    proven = tomllib.loads(spec(row, row | {"at": "31.03.2024"}))
    assert proven["timestamp"] == {"column": "at", "format": "%d.%m.%Y"}


def test_nanoseconds_lose_three_digits():
    """As no format has so many."""
    found = tomllib.loads(spec({"event": "a", "user_id": "u", "ts": "1709645400123000000"}))
    assert found["timestamp"] == {"sql": 'LEFT("ts", LENGTH("ts") - 3)', "format": "unix_us"}
    assert table.tables(found)


def test_suggestions_can_be_taken_as_they_stand():
    """Each is a line of a spec once its mark is away."""
    row = {
        "event": "a",
        "user_id": "u",
        "device_id": "d",
        "at": "2024-03-05T10:00:00",
        "url": "/",
        "plan": "p",
    }
    row |= {"company_id": "c", "traits": '{"age": 3}', "session_id": "s", "note": "NULL"}
    found = tomllib.loads(uncommented(spec(row, row)))
    assert found["rename"] == {"url": "$current_url"}
    assert found["properties"] == {"traits_age": "traits.age"}
    assert (found["set"], found["groups"]) == ({"plan": "plan"}, {"company": "company_id"})
    assert found["links"] == [{"anonymous": "device_id", "identified": "user_id"}]
    assert (found["session_id"], found["nulls"]) == ("session_id", ["NULL"])
    del found["drop"], found["where"]
    assert table.tables(found)


def test_how_a_file_is_written_is_said_where_it_was_said():
    """And where it has no header."""
    row = {"event": "a", "user_id": "u", "at": "2024-03-05T10:00:00Z"}
    found = tomllib.loads(
        spec(row, layout=Layout(dialect="spark", quote="'", columns=(*row,), has_header=False))
    )
    assert found | {"dialect": "spark", "quote": "'", "columns": [*row]} == found
    assert tomllib.loads(spec(row, layout=Layout(has_header=False), is_numbered=True))["no_header"] is True


def test_the_first_of_a_list_is_a_property_of_a_name_without_brackets():
    """A spec with it is read; `explode` is suggested where a list has more."""
    row = {"event": "a", "user_id": "u", "at": "2024-03-05T10:00:00Z"}
    text = spec(row | {"items": '[{"sku": "x"}]'})
    assert "explode =" not in text
    found = tomllib.loads(uncommented(text))
    assert found["properties"] == {"items_sku": "items[0].sku"}
    assert table.tables(found)
    assert '# explode = "items"' in spec(row | {"items": '[{"sku": "x"}, {"sku": "y"}]'})


@pytest.mark.parametrize(
    ("row", "first"),
    [
        (
            {"date": "2024-03-05", "time": "10:00"},
            """{sql = "\\"date\\" || ' ' || \\"time\\""}""",
        ),
        ({"at": "2024-03-05 10:00:00,5"}, """{sql = "REPLACE(\\"at\\", ',', '.')"}"""),
    ],
)
def test_a_time_that_is_known_to_be_wrong_is_no_guess(row, first):
    """It is to be filled in, with what holds the whole time, which works."""
    text = spec({"event": "a", "user_id": "u"} | row)
    assert "timestamp" not in tomllib.loads(text)
    assert (text.count("# FILL IN: "), f"# timestamp = {first}\n" in text) == (1, True)
    assert table.tables(tomllib.loads(uncommented(text)))
