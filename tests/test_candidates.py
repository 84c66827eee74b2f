"""Which platforms files are named for: all that a mapping knows, and none for tables of anyone."""

import itertools
import json
from pathlib import Path

import pytest
from samples import PLATFORMS, SAMPLES, SHARED, settings

from migrate import platforms
from migrate.beside import Beside
from migrate.candidates import Candidates
from migrate.inputs.listing import sources
from migrate.kit.declare import words
from migrate.readers.headers import HEAD_BYTES, read_header

REAL = SHARED / "samples"
CASES = SHARED / "cases"
DESCRIBED = [name for name in PLATFORMS if platforms.mapping(name).from_spec is not None]
NO_EXPORTS = {"README.md", "capture_requests_dump.jsonl"}
"""What lies among the real rows and is no export: requests as a server recorded them."""
PLAIN = ("dialect", "encoding/cp1252.csv", "hive", "null/table.csv", "types/int96.parquet")
"""Small inputs that are tables of anyone, described by a spec."""


def named(*paths):
    """Each file without its endings → the platforms it is named for, with the table of the first."""
    listed = sources([str(path) for path in paths]).sources
    names = [source.name for source in listed]
    candidates, beside = Candidates(names), Beside(names, listed)
    found = {}
    for source in listed:
        header = candidates.header(read_header, beside, source, HEAD_BYTES)
        some = candidates.of(source, header) if header else []
        found[source.name] = [(one.platform, one.table.name, one.refusal) for one in some]
    return found


@pytest.mark.law
@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name not in DESCRIBED])
def test_every_sample_is_named_for_its_platform(platform):
    """All that a run would plan, with the table that takes it there."""
    taken = {job.source.name: job for job in settings(platform).work([str(SAMPLES / platform)]).jobs}
    found = named(SAMPLES / platform)
    assert taken.keys() <= found.keys()
    for name, job in taken.items():
        assert (platform, job.table.name, None) in found[name]


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_table_that_is_described_is_no_platform_s(name):
    """Nor is its spec, whatever lies beside it."""
    assert {source: some for source, some in named(SAMPLES / name).items() if some} == {}


@pytest.mark.law
@pytest.mark.skipif(not REAL.exists(), reason="real rows are on the machines of the project alone")
@pytest.mark.parametrize("platform", sorted(path.name for path in REAL.glob("*") if path.is_dir()))
def test_real_rows_are_named_for_their_platform(platform):
    """Of every platform that is known here."""
    if platform not in platforms.names():
        pytest.skip(f"{platform} is not known yet")
    found = {name: some for name, some in named(REAL / platform).items() if Path(name).name not in NO_EXPORTS}
    assert {name: some for name, some in found.items() if platform not in {one[0] for one in some}} == {}
    refused = {Path(name).name: some[0][2] for name, some in found.items() if some[0][2]}
    if platform == "posthog":
        assert refused.pop("ui_csv_export_from_test.csv").startswith("an export of the events page has only")
    assert refused == {}


@pytest.mark.skipif(not CASES.exists(), reason="these small inputs are on the machines of the project alone")
def test_plain_tables_are_no_platform_s():
    """Though each has a time and an event."""
    found = named(*(CASES / name for name in PLAIN))
    assert {name: some for name, some in found.items() if some} == {}


COMMON = words(
    "id name type event action time timestamp created_at user_id email url path title price session_id"
)


@pytest.mark.law
def test_tables_of_anyone_are_no_platform_s(tmp_path):
    """Any four of the columns that all programs have, in CSV and JSON, under names that platforms' tables have, too."""
    stems = itertools.cycle(["users", "pages", "tracks", "groups", "accounts", "orders", "events"])
    for number, names in enumerate(itertools.islice(itertools.combinations(COMMON, 4), 0, None, 9)):
        folder = tmp_path / str(number)
        folder.mkdir()
        stem = next(stems)
        (folder / f"{stem}.csv").write_text(",".join(names) + "\n" + "x," * 3 + "x\n")
        (folder / f"{stem}.json").write_text(json.dumps(dict.fromkeys(names, "x")) + "\n")
    assert {name: some for name, some in named(tmp_path).items() if some} == {}


NOTHING = {
    "package.json": '{"name": "shop", "version": "1.0.0", "scripts": {"test": "x"}, "dependencies": {}}',
    "access.log": '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326\n' * 3,
    "app.jsonl": '{"level": "info", "time": 1709287200, "msg": "up", "pid": 7, "hostname": "a"}\n' * 3,
    "error.html": "<!doctype html><html><body>404</body></html>",
    "a.pdf": "%PDF-1.7\n1 0 obj",
    "picture.png": "\x89PNG\r\n\x1a\n\x00\x00",
    "notes.txt": "buy milk\n",
    "users.csv": "id,name,email,created_at\n1,a,b,2024-01-01\n",
    "pages.csv": "id,url,title,created_at\n1,a,b,2024-01-01\n",
    "orders.json": '[{"id": 1, "user_id": 2, "timestamp": "2024-01-01T00:00:00Z", "event": "x"}]',
    "features.geojson": '{"type": "FeatureCollection", "features": [], "properties": {}}',
}


def test_what_is_no_export_is_named_for_none(tmp_path):
    """Whatever lies in a folder."""
    for name, text in NOTHING.items():
        (tmp_path / name).write_bytes(text.encode("latin-1"))
    assert {name: some for name, some in named(tmp_path).items() if some} == {}


def test_the_nearest_table_and_what_it_lacks(tmp_path):
    """Of a platform whose own columns are there, but for one or two."""
    columns = [
        "uuid",
        "user_id",
        "device_id",
        "amplitude_id",
        "event_time",
        "event_properties",
        "user_properties",
    ]
    (near, *others) = Candidates([]).near(columns, "a")
    assert (near.platform, near.table, near.lacks) == ("amplitude", "events", ("event_type",))
    assert others == []
    assert Candidates([]).near(COMMON, "a") == []
    assert tmp_path.exists()


def test_a_refusal_counts_only_where_nothing_knows_more():
    """What a platform's refused table knows best is refused with its sentence, and what another takes is taken."""
    listed = sources([str(SAMPLES / "posthog" / "batch_export.jsonl")]).sources
    (one,) = Candidates([]).of(listed[0], read_header(listed[0]))
    assert (one.platform, one.table.name, one.refusal) == ("posthog", "events", None)


def test_two_platforms_that_take_the_same_are_both_named():
    """The one without tables of its own beside them first."""
    found = named(SAMPLES / "segment" / "warehouse" / "tracks.csv")
    assert [[one[0] for one in some] for some in found.values()] == [["segment", "rudderstack"]]
