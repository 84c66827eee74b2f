"""`migrate test`: a mapping of one's own is tried on its sample."""

import json

import pytest
from commands import migrate
from owned import changed, export, written


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A mapping with its sample beside it."""
    monkeypatch.chdir(tmp_path)
    export(tmp_path / "acme.sample.jsonl")
    return written(tmp_path)


def test_a_mapping_that_raises_at_a_row_breaks_laws(acme):
    """With the row, in place of payloads; none are kept of it, and no law ends the command."""
    more = ("import events, expr\n", 'import events, expr\n\nTAKEN = {"r2": exit}\n')
    row = 'pl.col("id").map_elements(lambda one: TAKEN.get(one, str)(one), pl.String)'
    written(acme.parent, changed(more, ('"acme_id": pl.col("id")', f'"acme_id": {row}')))
    done = migrate("test", "./acme.py", "--renew", "--json")
    told = {one["law"]: one["broken"] for one in json.loads(done.stdout.splitlines()[-1])["laws"]}
    assert (done.returncode, [*told]) == (3, ["contract", "golden", "columns", "ids", "alone"])
    assert told["golden"][0]["what"] == (
        f"no payloads to hold it to: acme.py:20: SystemExit: r2, at {acme.parent}/acme.sample.jsonl:2; mend it there"
    )
    assert told["alone"][0] == {
        "place": "acme.py:20",
        "what": "SystemExit: r2; mend it there",
        "column": None,
    }
    assert not acme.with_name("acme.golden.jsonl").exists()


def test_laws_are_told_with_what_breaks_them(acme):
    """Exit 3 until the golden is kept, which is shown to be read; then all hold."""
    done = migrate("test", "./acme.py")
    assert done.returncode == 3
    assert (
        "broken      golden: the payloads of the sample are those that a person has read and kept\n"
        in done.stdout
    )
    assert "            acme.golden.jsonl: is not there; --renew writes it" in done.stdout
    assert done.stdout.endswith("4 laws of 5 hold\n")
    done = migrate("test", "./acme.py", "--renew")
    assert done.returncode == 0
    assert done.stdout.count('\n+{"event":') == 3
    assert done.stderr == (
        "acme.golden.jsonl: written, 3 payloads; read what differs, as that is what will be sent\n"
    )
    shown = migrate("preview", "./acme.py", "acme.sample.jsonl").stdout
    assert acme.with_name("acme.golden.jsonl").read_text() == shown
    written(acme.parent, changed(('extra={"acme_id"', 'extra={"number"')))
    done = migrate("test", "./acme.py", "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["exit_code"], told["untried"]) == (3, 3, [])
    assert [one["law"] for one in told["laws"] if one["broken"]] == ["golden"]
    assert [one["law"] for one in told["laws"]] == ["contract", "golden", "columns", "ids", "alone"]


def test_a_sample_may_be_named(acme):
    """Of any format; tables of which it has no row are named."""
    more = 'Table(name="more", matches=has("never"), columns={}, to_events=events.none),\n        Table('
    written(acme.parent, changed(("        Table(\n", f"        {more}\n")))
    done = migrate("test", "./acme.py", "acme.sample.jsonl")
    assert "untried     no row of the sample is of more: nothing is known of that\n" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["amplitude"],
            "PLATFORM: no path, found 'amplitude'; give that of a mapping of your own, as ./acme.py (docs/mappings.md)",
        ),
        (
            ["other.py"],
            (
                "SAMPLE: missing; name files or folders with some rows, or put them beside the mapping as other.sample "
                "(a folder) or other.sample.jsonl (a file, of any format)"
            ),
        ),
        (
            ["acme.py", "empty.jsonl"],
            "SAMPLE: no row that a table of acme.py takes, found nothing to try; give some rows",
        ),
        (["acme.py", "gone"], "input gone: no such file or folder; check the path"),
    ],
)
def test_wrong_usage_is_2(acme, words, said):
    """And says what to do; in JSON too."""
    written(acme.parent, name="other.py")
    (acme.parent / "empty.jsonl").write_text("")
    done = migrate("test", *words, "--json")
    assert (done.returncode, done.stderr) == (2, f"error: {said}\n")
    assert json.loads(done.stdout.splitlines()[-1])["run"]["error"] == said
