"""Rows are kept beside the events they became; a mapping of the user's own is held to them."""

import json

import polars as pl
import pytest
from commands import migrate, summary
from markdown import ROOT
from owned import MAPPING, changed, export, written

from migrate import witnesses
from migrate.own import Own
from migrate.settings import Settings


@pytest.fixture
def nights(tmp_path, monkeypatch):
    """A night that is over, and what the next one says with another text of the mapping, and one more file."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path)
    export(tmp_path / "exports" / "a.jsonl", at="2024-04-03 09:00:00")
    assert migrate("plan", "./acme.py", "exports").returncode == 0

    def night(text, file="b.jsonl"):
        written(tmp_path, text)
        if file:
            export(tmp_path / "exports" / file, start=10, at="2024-04-04 09:00:00")
        return migrate("plan", "./acme.py", "exports", "--json")

    return night


ROAD = (
    "put it back as it was, or, if it is meant, raise its identity_version, send what is planned (migrate apply "
    "acme.workdir), then begin a new --workdir with a copy of this one's people.sqlite in it and --since 2024-04-04, "
    "the day after the last of which something was sent then (older rows that come late are left out)\n"
)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            'distinct_id=pl.col("who")',
            'distinct_id=pl.col("who").str.to_uppercase()',
            "distinct_id was 'u1', is 'U1'",
        ),
        ('event=pl.col("what")', 'event=pl.lit("e")', "event was 'order', is 'e'"),
        (
            'pl.col("at")',
            'pl.col("at").str.replace("03", "02")',
            "timestamp was '2024-04-03T09:00:00.000000Z', is '2024-04-02",
        ),
        ('dedup_key=pl.col("id")', 'dedup_key=pl.col("id") + "x"', "uuid was '"),
    ],
)
def test_a_row_that_becomes_another_event_stops_what_is_new(nights, old, new, found):
    """With the row, what it was and what it is, and the road; with the old text it goes on."""
    done = nights(changed((old, new)))
    assert done.returncode == 5
    start = "error: acme.py: changed since this workdir was planned, and the same rows become other events, found "
    assert done.stderr.startswith(start)
    assert f"exports/a.jsonl:1: {found}" in done.stderr
    assert done.stderr.endswith(
        f"so nothing new is planned here, as PostHog would have such rows twice: {ROAD}"
    )
    assert summary(done)["run"]["exit_code"] == 5
    assert nights(MAPPING).returncode == 0


@pytest.mark.parametrize(
    ("pair", "is_told"),
    [
        (('"""Return the event each row is."""', '"""Return it."""  # as Acme says'), False),
        (('extra={"acme_id": pl.col("id")}', 'extra={"number": pl.col("id")}'), True),
        (('("id", "what", "who", "at"), pl.String', '("id", "what", "who", "at", "cents"), pl.String'), True),
        (("properties=(REST,)", 'properties=(REST,), filters={"views": pl.col("what") == "view"}'), True),
    ],
)
def test_the_same_events_go_on_with_a_word(nights, pair, is_told):
    """Other properties are other properties, and a row that is left out is no other event; a comment is nothing."""
    for _ in range(2):
        done = nights(changed(pair))
        assert done.returncode == 0, done.stderr
        notes = [
            note
            for note in summary(done)["notes"]
            if note.startswith("planned with 2 states of the mapping's file")
        ]
        assert bool(notes) is is_told
    assert summary(done)["events"]["planned"] > 3


def test_nothing_new_asks_nothing(nights):
    """What is planned can be looked at, and sent, whatever the file says by now."""
    assert nights(changed(('event=pl.col("what")', 'event=pl.lit("e")')), file=None).returncode == 0


def test_what_a_mapping_reads_is_held_to_though_its_file_is_the_same(nights, tmp_path):
    """A list of names beside it is data, and in no digest of the file."""
    names = tmp_path / "names.json"
    text = changed(
        ("import polars as pl\n", "import json\nfrom pathlib import Path\n\nimport polars as pl\n"),
        (
            'event=pl.col("what")',
            f'event=expr.lookup(pl.col("what"), json.loads(Path({str(names)!r}).read_text()))',
        ),
    )
    names.write_text('{"new": "newer"}')
    assert nights(text).returncode == 0
    names.write_text('{"view": "viewed"}')
    assert nights(text, file=None).returncode == 0
    done = nights(text, "c.jsonl")
    assert done.returncode == 5
    assert done.stderr.startswith(
        "error: acme.py: what it reads or imports has changed since this workdir was planned, and the same rows become "
        f"other events, found {tmp_path}/exports/a.jsonl:2: event was 'view', is 'viewed'; so nothing new is planned"
    )
    names.write_text('{"new": "newest"}')
    assert nights(text, "c.jsonl").returncode == 0


def test_links_are_held_to_as_events_are(nights, tmp_path):
    """Two ids that are made one person's cannot be taken apart again."""
    text = changed(
        ("import events, expr", "import events, expr, links, values"),
        (
            "            to_events=to_events,\n",
            "            to_events=to_events,\n            to_links=to_links,\n",
        ),
        (
            "\nMAPPING",
            """
def to_links(rows, options):
    ids = {"anonymous": values.linkable("what"), "identified": values.linkable("who")}
    return links.linked(rows, **ids, time=expr.timestamp(pl.col("at")), why="seen together")


MAPPING""",
        ),
    )
    done = nights(text)
    assert done.returncode == 5
    assert f"found {tmp_path}/exports/a.jsonl: which ids are one person's; so nothing" in done.stderr


def test_without_a_row_the_user_says_it(nights, tmp_path):
    """What is kept may be lost; then another payload version says that the events are the same."""
    (tmp_path / "acme.workdir" / witnesses.KEPT).write_text("{}\n")
    other = ('extra={"acme_id"', 'extra={"number"')
    done = nights(changed(other))
    assert done.returncode == 5
    assert done.stderr.splitlines()[0] == (
        "error: acme.py: changed since this workdir was planned, and no row is kept by which to tell whether the same "
        "rows become the same events; put it back as it was, or, if they do, raise its payload_version, which says so"
    )
    assert nights(changed(other, ('title="Acme"', 'title="Acme", payload_version=2'))).returncode == 0


def test_another_identity_version_plans_nothing_new(nights):
    """As of a platform that is built in; the road is that of a file."""
    done = nights(changed(('title="Acme"', 'title="Acme", identity_version=2')))
    assert done.returncode == 5
    assert done.stderr.startswith(
        "error: acme.workdir: begun with identity_version 1 of acme.py, which has 2 now, under which the same rows may "
        "become other events, so nothing new is planned here; finish with the file as it was, or send what is planned "
        "(migrate apply acme.workdir), then begin a new --workdir with "
    )


def test_rows_of_each_kind_of_event_are_kept_once(nights, tmp_path):
    """As their file has them; those of later nights, too, where they are of another kind; in any format."""
    for place in range(3):
        assert nights(MAPPING, f"c{place}.jsonl").returncode == 0
    workdir = tmp_path / "acme.workdir"
    (group,) = witnesses.kept(workdir)
    assert [row["id"] for row in group.rows] == ["r1", "r2", "r3"]
    rows = {
        "id": ["x1", "x2"],
        "what": ["refund", "view"],
        "who": ["u", "u"],
        "at": ["2024-04-05 09:00:00"] * 2,
        "odd, column": ["a", None],
    }
    pl.DataFrame(rows).write_csv(tmp_path / "exports" / "d.csv")
    assert nights(MAPPING, None).returncode == 0
    _, group = witnesses.kept(workdir)
    assert group.rows[0]["odd, column"] == "a"
    assert (group.place, [*group.events]) == (f"{tmp_path}/exports/d.csv", ["1", "2"])
    assert json.loads((workdir / witnesses.KEPT).read_text().splitlines()[1])["table"] == "events"


def test_rows_are_kept_as_their_file_is_read_and_none_of_one_that_is_set_aside(tmp_path):
    """Odd text is found out by who plans it: as far as rows of it are kept, all of it is looked through before."""

    def kept(folder, **how):
        folder.mkdir()
        chosen = Settings(platform="acme", own=Own(written(tmp_path)))
        work = chosen.work([str(tmp_path / "exports")], **how)
        witnesses.keep(folder, work.settings, work.jobs)
        return (folder / witnesses.KEPT).read_bytes(), witnesses.kept(folder)

    odd = {
        "0": lambda text: text,
        "few": lambda text: text.replace(b"\xc3\xa4", b"\xe4", 1),
        "late": lambda text: text[:-900_000] + text[-900_000:].replace(b"\xc3\xa4", b"\xe4"),
        "many": lambda text: text.replace(b"\xc3\xa4", b"\xe4"),
        "of the late one": lambda text: text,
    }
    for name, made in odd.items():
        what = {"of the late one": "late"}.get(name, name)
        more = "x" * (10_000 if name == "late" else 1)
        path = export(tmp_path / "exports" / f"{name}.jsonl", 300, what=what, who="K_se", more=more)
        path.write_bytes(made(path.read_bytes().replace(b"K_se", "Käse".encode())))
    before, groups = kept(tmp_path / "before")
    assert [group.place.rpartition("/")[2] for group in groups] == [
        "0.jsonl",
        "few.jsonl",
        "of the late one.jsonl",
    ]
    assert kept(tmp_path / "w", anew=())[0] == before
    some = [tmp_path / "exports" / name for name in ("0.jsonl", "few.jsonl")]
    assert migrate("run", tmp_path / "acme.py", *some, "--dry-run").returncode == 3


def test_so_many_files_of_a_command_are_looked_at(nights, tmp_path):
    """As the page says; a kind of event that only comes later is in no row that is kept."""
    folder = tmp_path / "exports"
    for place in range(20):
        export(folder / f"d{place:02d}.jsonl", count=1, start=100 + 2 * place)
    export(folder / "e.jsonl", count=1, start=101, cents=3, what="late")
    assert nights(MAPPING, None).returncode == 0
    found = {
        event[0]
        for group in witnesses.kept(tmp_path / "acme.workdir")
        for told in group.events.values()
        for event in told
    }
    assert found == {"view", "order"}
    late = changed(('event=pl.col("what")', 'event=pl.col("what").replace("late", "other")'))
    assert nights(late, "f.jsonl").returncode == 0
    assert "of the first 20 files of each command" in (ROOT / "docs" / "mappings.md").read_text()
