"""Folders called name=value are columns of the files below them."""

import json

import polars as pl
import pytest
from frames import made_of

from migrate.settings import Settings

SPEC = 'event = "event"\ndistinct_id = ["uid"]\ntimestamp = {column = "time", format = "iso", zone = "UTC"}\n'
ROW = {"event": "visit", "uid": "u1", "time": "2024-01-01T10:00:00Z"}
FORMATS = ("csv", "jsonl", "json", "parquet")


def written(path, row):
    """A file of one row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pl.DataFrame([row]).write_parquet(path)
    elif path.suffix == ".csv":
        pl.DataFrame([row]).write_csv(path)
    else:
        path.write_text(json.dumps([row] if path.suffix == ".json" else row))
    return path


@pytest.fixture
def spec(tmp_path):
    """A spec that names no partition."""
    (tmp_path / "spec.toml").write_text(SPEC)
    return tmp_path / "spec.toml"


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_is_a_property_of_any_table_and_part_of_what_a_row_is(tmp_path, spec, form):
    """Two rows that differ in it alone are two events; text as it was before the store escaped it."""
    for country in ("DE", "F%2FR", "__HIVE_DEFAULT_PARTITION__"):
        written(tmp_path / "in" / f"country={country}" / "month=01" / f"part-0.{form}", ROW)
    made = made_of("table", tmp_path / "in", spec=spec)
    assert [(bag.get("country"), bag["month"]) for bag in made.bags] == [
        ("DE", "01"),
        ("F/R", "01"),
        (None, "01"),
    ]
    assert len(set(made.uuids)) == 3
    plain = made_of("table", tmp_path / "in", spec=spec, partitions=False)
    assert (len(set(plain.uuids)), {"country", "month"} & plain.bags[0].keys()) == (1, set())


@pytest.mark.parametrize("form", FORMATS)
def test_the_files_own_column_counts(tmp_path, spec, form):
    """Where the two differ it is counted."""
    same = written(tmp_path / "in" / "country=DE" / f"a.{form}", ROW | {"country": "DE"})
    other = written(tmp_path / "in" / "Country=FR" / f"b.{form}", ROW | {"country": "DE"})
    found = [made_of("table", path, spec=spec) for path in (same, other)]
    assert [made.bags[0]["country"] for made in found] == ["DE", "DE"]
    assert [made.numbers.repairs["partition_differs.country"] for made in found] == [0, 1]


@pytest.mark.parametrize("form", FORMATS)
def test_a_spec_may_name_a_folder(tmp_path, form):
    """As any other column."""
    path = written(
        tmp_path / "in" / "event=visit" / "who=u%201" / f"a.{form}", {"time": ROW["time"], "n": "1"}
    )
    (tmp_path / "spec.toml").write_text(SPEC.replace('"uid"', '"who"'))
    made = made_of("table", path, spec=tmp_path / "spec.toml")
    (event,) = map(json.loads, made.payloads)
    assert (event["event"], event["distinct_id"]) == ("visit", "u 1")
    assert not {"event", "who"} & made.bags[0].keys()


@pytest.mark.parametrize("form", FORMATS)
def test_a_spec_may_drop_a_folder(tmp_path, form):
    """As any other column."""
    path = written(tmp_path / "in" / "dt=2024-01-01" / f"a.{form}", ROW)
    (tmp_path / "spec.toml").write_text(f'drop = ["dt"]\n{SPEC}')
    made = made_of("table", path, spec=tmp_path / "spec.toml")
    assert "dt" not in made.bags[0]


def test_a_platform_uses_what_it_knows_and_counts_what_it_leaves_out(tmp_path):
    """So that no uuid changes by where a file lies."""
    row = {"event_type": "A", "user_id": "u", "event_time": "2024-01-01 10:00:00", "event_properties": "{}"}
    here = made_of("amplitude", written(tmp_path / "a.csv", row))
    below = made_of("amplitude", written(tmp_path / "date=2024-01-01" / "country=Germany" / "a.csv", row))
    assert below.uuids == here.uuids
    assert below.bags[0]["$geoip_country_code"] == "DE"
    assert "date" not in below.bags[0]
    assert below.numbers.repairs == {"partition_left_out.date": 1}


def test_folders_are_folders_when_asked(tmp_path):
    """The option is one of those a workdir is planned with."""
    assert Settings(platform="posthog", partitions=False).facts()["--no-partitions"] is True
    assert Settings(platform="posthog").facts()["--no-partitions"] is None
    assert tmp_path.exists()
