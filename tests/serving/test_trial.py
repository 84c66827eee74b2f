"""What is tried is what `migrate preview` prints; a change of the text is a change of its rows."""

import shutil

import pytest
from commands import migrate
from samples import EVERY, PLATFORMS, SAMPLES, spec
from served import SPEC, asked, table

from migrate.serving.rows import View
from migrate.serving.trial import Asked, Trial

ALL = View(count=1_000)


def outcomes(trial):
    """Place -> outcome, events and warnings."""
    return {one.place.rpartition(":")[2]: (one.outcome, *one.events, *one.warnings) for one in trial.rows}


@pytest.mark.parametrize("platform", PLATFORMS if EVERY else ["amplitude", "posthog", "table"])
def test_payloads_are_those_that_a_preview_prints(platform):
    """Of every row, in order, and however often it is tried; what comes from no row is beside them."""
    words = ["--spec", spec(platform)] if spec(platform) else []
    printed = migrate("preview", platform, SAMPLES / platform, "--limit", "40", *words)
    trial = Trial(asked(platform, SAMPLES / platform, limit=40, spec=spec(platform)))
    draft = spec(platform) and spec(platform).read_text()
    for _ in range(2):
        found = trial.under(draft)
        shown = [text for one in trial.rows for text in one.preview.payloads]
        lines = printed.stdout.splitlines()
        start = next((n for n in range(len(lines)) if lines[n : n + len(shown)] == shown), None)
        assert start is not None
        assert len(lines) - len(shown) == found["beside"]["of"]
    whys = [f"{one.place}: {one.why}" for one in trial.rows if one.why is not None]
    assert printed.stderr.splitlines()[: len(whys)] == whys


def test_a_change_of_the_text_is_one_of_the_rows(tmp_path):
    """Told at once, against what is saved; who becomes whom, and what is odd, beside them."""
    trial = Trial(table(tmp_path))
    first = trial.under(SPEC, is_saved=True)
    assert first["counts"] == {
        "all": 4,
        "mapped": 3,
        "told": 0,
        "filtered": 0,
        "rejected": 1,
        "warned": 1,
        "changed": 0,
    }
    assert first["people"]["persons"] == [{"person": "u-1", "ids": ["d-1"]}]
    label, said = first["people"]["told"][0]
    assert (label, said[:9]) == ("people", "1 known: ")
    assert first["events"] == {"viewed": 1, "paid": 2}
    assert outcomes(trial) == {
        "1": ("mapped", "viewed"),
        "2": ("mapped", "paid"),
        "3": ("rejected",),
        "4": ("mapped", "paid", "junk_distinct_id"),
    }
    assert [(label, said.partition(":")[0]) for label, said in first["notes"]] == [
        ("warning", "1 junk_distinct_id")
    ]
    text = SPEC.replace("[[links]]", '[events]\nviewed = false\npaid = "bought"\n\n[[links]]')
    second = trial.under(text)
    assert (second["counts"]["changed"], second["counts"]["filtered"], second["events"]) == (
        3,
        1,
        {"bought": 2},
    )
    (row,) = trial.page(View("changed", "bought", count=1))["rows"]
    assert ("event", '"bought"', "added", "") in row["payloads"][0]
    assert trial.under(SPEC)["counts"]["changed"] == 0


def test_what_is_wrong_is_an_answer_with_its_line(tmp_path):
    """The rows that were shown stay; the next text is tried as if nothing had been."""
    trial = Trial(table(tmp_path))
    trial.under(SPEC, is_saved=True)
    before = trial.page(ALL)
    for text, line, said in (
        ("event = ", 1, "not TOML, found 'Invalid value (at "),
        (
            SPEC.replace('"at"', '"when"'),
            3,
            'rows.csv: spec: timestamp: no column "when" in the file, found ',
        ),
        (SPEC.replace('"id"', '"id", 5'), 4, "spec: dedup_key: expected "),
        (SPEC.replace("anonymous", "anonym"), 7, "spec: links[1].anonym: no such key; "),
    ):
        found = trial.under(text)["error"]
        assert said in found["said"]
        assert (found["line"], trial.page(ALL)) == (line, before)
    shutil.move(tmp_path / "rows.csv", tmp_path / "elsewhere")
    assert "rows.csv" in trial.under(SPEC)["error"]["said"]
    shutil.move(tmp_path / "elsewhere", tmp_path / "rows.csv")
    assert "error" not in trial.under(SPEC)
    assert trial.page(ALL) == before


class Panic(BaseException):
    """What polars raises where its own code stumbles is no Exception."""


def test_whatever_is_raised_is_an_answer():
    """And the next text is tried."""
    raised = []

    def settings(draft):
        raised.append(draft)
        raise (Panic, KeyError)[len(raised) % 2](draft)

    trial = Trial(Asked(settings, [], 10))
    said = "; this is a fault of migrate's: please report it"
    assert trial.under("a")["error"] == {"said": f"KeyError: 'a'{said}", "line": None}
    assert trial.under("b")["error"] == {"said": f"Panic: b{said}", "line": None}


def test_of_many_files_the_first_are_looked_into(tmp_path, monkeypatch):
    """Beside those in which others look things up; that there are more is said."""
    monkeypatch.setattr("migrate.serving.trial._MOST_FILES", 2)
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(4):
        (folder / f"a{n}.csv").write_text(f"id,what,who,at,plan\n{n},e,u,2024-04-03T10:00:00Z,p\n")
    (folder / "plans.csv").write_text("plan,title\np,Gold\n")
    text = """
        [[table]]
        name = "plans"
        files = ["plans*.csv"]
        key = "plan"
        [[table]]
        name = "events"
        files = ["a*.csv"]
        event = "what"
        distinct_id = "who"
        timestamp = "at"
        [table.join.plan]
        table = "plans"
        on = "plan"
        columns = ["title"]
    """
    path = tmp_path / "spec.toml"
    path.write_text(text)
    trial = Trial(asked("table", folder, spec=path))
    found = trial.under(text)
    assert "error" not in found, found
    names = {one.place.rpartition("/")[2] for one in trial.rows}
    assert names == {"plans.csv:1", "a0.csv:1", "a1.csv:1"}
    said = "2 more files are not looked into: the first rows are those of the first files"
    assert found["notes"][-1] == ("note", said)
