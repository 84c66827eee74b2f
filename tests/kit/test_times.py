"""Times are written as PostHog reads them."""

import json
import zoneinfo
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from click.testing import CliRunner

from migrate.cli.commands import cli
from migrate.errors import UsageError
from migrate.kit import times


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(datetime(2024, 2, 29, 23, 59, 59, 123456, UTC), "2024-02-29T23:59:59.123456", id="any"),
        pytest.param(datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00.000000", id="midnight"),
        pytest.param(
            datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), "1969-12-31T23:59:59.999999", id="before 1970"
        ),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000", id="first"),
        pytest.param(
            datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), "9999-12-31T23:59:59.999999", id="last"
        ),
        pytest.param(None, None, id="none"),
    ],
)
def test_times_are_written_to_the_microsecond(moment, text):
    """All digits, whatever the year; with and without a zone."""
    frame = pl.DataFrame({"at": [moment]}, schema={"at": pl.Datetime("us", "UTC")})
    assert frame.select(times.written(pl.col("at"))).item() == (text and f"{text}Z")
    naive = pl.col("at").dt.replace_time_zone(None)
    assert frame.select(times.written(naive, zone="")).item() == text


def test_no_times_are_no_texts():
    """A frame without rows is one without rows."""
    frame = pl.DataFrame(schema={"at": pl.Datetime("us", "UTC")})
    assert frame.select(times.written(pl.col("at"))).schema == {"at": pl.String}


def test_times_of_years_of_other_lengths_are_whole():
    """Parquet has times of the year 12345, and some before our era, beside others."""
    naive = pl.Series([0, 327_403_382_400_000_000, -62_198_755_200_000_000]).cast(pl.Datetime("us"))
    texts = pl.DataFrame({"at": naive}).select(times.written(pl.col("at"), zone="")).to_series().to_list()
    assert texts == [
        "1970-01-01T00:00:00.000000",
        "+12345-01-01T00:00:00.000000",
        "-0001-01-01T00:00:00.000000",
    ]


ZONES = [
    ("Factory", "'Factory' stands for no zone"),
    ("localtime", "'localtime' is the zone of whichever machine it is read on"),
    ("LocalTime", "'LocalTime' is the zone"),
    ("europe/berlin", "give Europe/Berlin"),
    (" Europe/Berlin", "give Europe/Berlin"),
    ("CEST", "found 'CEST'; give one such as Europe/Berlin or +02:00"),
    ("+15:00", "found '+15:00'; give one such"),
    ("+14:01", "not an IANA zone"),
    ("+02:60", "not an IANA zone"),
    ("+2", "or +02:00"),
    ("02:00", "or +02:00"),
    ("UTC+2", "or +02:00"),
    ("+02:00:00", "not an IANA zone"),
    ("+", "not an IANA zone"),
    ("posixrules", "not an IANA zone"),
    ("right/Europe/Berlin", "not an IANA zone"),
    ("../../etc/localtime", "not an IANA zone"),
    ("Europe", "not an IANA zone"),
    ("", "not an IANA zone"),
    ("\0", "not an IANA zone"),
    (2, "found 2"),
    (None, "found None"),
]


@pytest.mark.parametrize(("name", "said"), ZONES)
@pytest.mark.parametrize("where", ["--source-timezone", "spec: timestamp.zone"])
def test_what_is_no_zone_is_refused_with_a_sentence(name, said, where):
    """The same for an option and in a spec: what a machine knows by itself is none."""
    with pytest.raises(UsageError) as refused:
        times.zone_name(name, where)
    assert str(refused.value).startswith(f"{where}: ")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "name", [one for one, _ in ZONES if isinstance(one, str) and one.strip() and "\0" not in one]
)
def test_option_and_spec_refuse_the_same(tmp_path, name):
    """With the same words, but for where they stand."""
    (tmp_path / "a.csv").write_text("e,u,t\na,b,2024-01-01\n")
    spec = 'event = "e"\ndistinct_id = "u"\ntimestamp = {column = "t", zone = %s}\n'
    (tmp_path / "zoned.toml").write_text(spec % json.dumps(name))
    (tmp_path / "plain.toml").write_text('event = "e"\ndistinct_id = "u"\ntimestamp = "t"\n')
    command = ["preview", "table", str(tmp_path / "a.csv"), "--spec"]
    by_spec = CliRunner().invoke(cli, [*command, str(tmp_path / "zoned.toml")])
    by_option = CliRunner().invoke(cli, [*command, str(tmp_path / "plain.toml"), "--source-timezone", name])
    assert {type(by_spec.exception), type(by_option.exception)} == {UsageError}
    said = str(by_option.exception).removeprefix("--source-timezone: ")
    assert said == str(by_spec.exception).removeprefix("spec: timestamp.zone: ")


def test_zones_that_polars_or_python_knows_alone_are_none():
    """Else a zone could be taken and not be worked out later."""
    for name in sorted(zoneinfo.available_timezones() - {"Factory", "localtime"}):
        assert times.zone_name(name, "") == name


FIXED = [
    ("+02:00", "+02:00", "2024-04-03T10:00:00"),
    ("+0200", "+02:00", "2024-04-03T10:00:00"),
    ("+02", "+02:00", "2024-04-03T10:00:00"),
    ("-03:30", "-03:30", "2024-04-03T15:30:00"),
    ("-12", "-12:00", "2024-04-04T00:00:00"),
    ("+14:00", "+14:00", "2024-04-02T22:00:00"),
    ("+05:45", "+05:45", "2024-04-03T06:15:00"),
    ("-00:00", "UTC", "2024-04-03T12:00:00"),
    ("+00", "UTC", "2024-04-03T12:00:00"),
]


@pytest.mark.parametrize(("given", "name", "expected"), FIXED)
def test_a_fixed_offset(given, name, expected):
    """It has one spelling, is the same in summer and winter, and for times of every shape; a zone in a text counts."""
    zone = times.zone_name(given, "")
    assert zone == name
    texts = [
        "2024-04-03T12:00:00",
        "2024-04-03 12:00",
        "2024-04-03 12:00:00.000",
        "2024-04-03T12:00:00+00:00",
        "x",
        None,
    ]
    here = [datetime.fromisoformat(expected).replace(tzinfo=UTC)] * 3
    there = datetime(2024, 4, 3, 12, tzinfo=UTC)
    assert times.read(pl.Series(texts), zone).to_list() == [*here, there, None, None]
    assert times.read(pl.Series(texts[:1] * 2), zone).to_list() == here[:2]
    winter = times.read(pl.Series(["2024-01-03", "2024-07-03"]), zone)
    assert winter.to_list() == [
        datetime(2024, month, 3, tzinfo=UTC) - timedelta(seconds=times.offset(given)) for month in (1, 7)
    ]


@pytest.mark.parametrize("given", ["+02:00", "-0330"])
def test_an_option_and_a_spec_take_a_fixed_offset(tmp_path, given):
    """And one spelling of it is as good as another: the workdir goes on."""
    (tmp_path / "a.csv").write_text("e,u,t\na,b,2024-01-01 12:00:00\n")
    spec = 'event = "e"\ndistinct_id = "u"\ntimestamp = {column = "t", zone = %s}\n'
    (tmp_path / "zoned.toml").write_text(spec % json.dumps(given))
    patterned = spec.replace("zone", 'format = "%%Y-%%m-%%d %%H:%%M:%%S", zone')
    (tmp_path / "patterned.toml").write_text(patterned % json.dumps(given))
    (tmp_path / "plain.toml").write_text('event = "e"\ndistinct_id = "u"\ntimestamp = "t"\n')
    found = set()
    for name, options in (("zoned", []), ("patterned", []), ("plain", ["--source-timezone", given])):
        command = [
            "preview",
            "table",
            str(tmp_path / "a.csv"),
            "--spec",
            str(tmp_path / f"{name}.toml"),
            *options,
        ]
        shown = CliRunner().invoke(cli, command)
        assert shown.exit_code == 0, shown.output
        found.add(json.loads(shown.stdout)["timestamp"])
    assert found == {{"+02:00": "2024-01-01T10:00:00.000000Z", "-0330": "2024-01-01T15:30:00.000000Z"}[given]}
    plan = ["plan", "table", str(tmp_path / "a.csv"), "--spec", str(tmp_path / "plain.toml")]
    plan += ["--workdir", str(tmp_path / "w"), "--quiet", "--source-timezone"]
    again = {"+02:00": "+02", "-0330": "-03:30"}[given]
    assert [CliRunner().invoke(cli, [*plan, one]).exit_code for one in (given, again)] == [0, 0]
    assert "source-timezone" in str(CliRunner().invoke(cli, [*plan, "+09:00"]).exception)
