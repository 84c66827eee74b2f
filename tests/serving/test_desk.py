"""One text is tried at a time, the newest of those that wait; what is saved is what others are compared with."""

import asyncio
import json

from owned import MAPPING, changed, export, written
from served import SPEC, Page, asked, page, serving, table

from migrate.serving.apart import Limits
from migrate.serving.desk import Desk, Edited
from migrate.serving.rows import View

RENAMED = SPEC.replace("[[links]]", '[rename]\nnote = "remark"\n\n[[links]]')


def test_a_text_that_a_newer_one_came_after_is_moot(tmp_path):
    """While it waits, and while it is tried; not where the newer one is another window's, which waits its turn."""

    async def asked_for(desk, *texts):
        desk.page()
        found = await asyncio.gather(*(desk.tried(text, View(), window) for window, text in texts))
        return [json.loads(one) for one in found]

    desk = Desk(table(tmp_path), Edited("spec", tmp_path / "spec.toml"), {})
    try:
        texts = ("mine", SPEC), ("mine", "event = "), ("theirs", SPEC), ("mine", RENAMED)
        found = asyncio.run(asked_for(desk, *texts))
    finally:
        desk.end()
    assert [one == {"moot": True} for one in found] == [True, True, False, False]
    assert found[2]["counts"]["all"] == 4
    assert found[3]["page"]["rows"][0]["payloads"][0][-7][:2] == ["properties.remark", '"a"']


def test_what_takes_too_much_costs_nothing_else(tmp_path):
    """It is said; the rows before it are still there for whoever looks further, and so is what is saved."""
    limits = Limits()
    with serving(Desk(table(tmp_path), Edited("spec", tmp_path / "spec.toml"), {}, limits)) as address:
        served = Page(address)
        served.ask("/api/page")
        served.tried(SPEC)
        shown = served.tried(RENAMED)
        limits.size = 1
        assert served.tried(SPEC)["error"]["said"].startswith("spec: takes more than 0.0 GB of memory")
        limits.size = Limits().size
        assert served.ask("/api/rows", view={}, number=shown["number"]) == shown["page"]
        assert served.tried(RENAMED)["counts"]["changed"] == 3


def test_rows_are_of_the_text_that_a_window_shows(tmp_path):
    """Those of another window's text are not given for them; what could not be tried has none."""
    with page(table(tmp_path), "spec", tmp_path / "spec.toml") as served:
        mine, theirs = served.tried(SPEC), served.tried(RENAMED)
        assert served.ask("/api/rows", view={}, number=mine["number"]) == {"moot": True}
        assert "error" in served.tried("event = ")
        assert served.ask("/api/rows", view={}, number=theirs["number"]) == theirs["page"]


def test_a_spec_is_tried_saved_and_not_written_over(tmp_path):
    """What is on disk by then is offered beside what is in the editor."""
    path = tmp_path / "spec.toml"
    with page(table(tmp_path), "spec", path, {"platform": "table"}) as served:
        first = served.ask("/api/page")
        assert (first["platform"], first["kind"], first["text"]) == ("table", "spec", SPEC)
        assert served.tried(first["text"])["counts"]["changed"] == 0
        found = served.tried(RENAMED, show="changed", count=1)
        assert (found["counts"]["changed"], found["page"]["of"], len(found["page"]["rows"])) == (3, 3, 1)
        assert served.ask("/api/rows", view={"show": "rejected"})["rows"][0]["outcome"] == "rejected"
        assert path.read_text() == SPEC
        saved = served.ask("/api/save", text=RENAMED, version=first["version"])
        assert (path.read_text(), saved["text"]) == (RENAMED, RENAMED)
        assert served.tried(RENAMED)["counts"]["changed"] == 0
        path.write_text(f"{SPEC}# theirs\n")
        conflict = served.ask("/api/save", text="mine", version=saved["version"])
        assert conflict["error"]["said"].startswith(f"{path}: changed on disk since it was read here; ")
        assert (conflict["now"]["text"], path.read_text()) == (f"{SPEC}# theirs\n", f"{SPEC}# theirs\n")
        assert served.tried(conflict["now"]["text"])["counts"]["changed"] == 0
        assert served.ask("/api/text") == conflict["now"]
        served.ask("/api/save", text=SPEC, version=conflict["now"]["version"])
        assert path.read_text() == SPEC


def test_a_mapping_runs_as_it_is_saved_and_never_before(tmp_path):
    """While one types it is compiled; run anew after a save, and compared with the run before."""
    path, data = written(tmp_path), export(tmp_path / "a.jsonl")
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    with page(asked(path, data), "mapping", path) as served:
        first = served.ask("/api/page")
        assert (first["kind"], first["text"]) == ("mapping", MAPPING)
        ran = served.ask("/api/try", view={})
        assert ran["events"] == {"order": 2, "view": 1}
        assert served.tried(trap + MAPPING) == {"compiled": True}
        wrong = served.tried("def to_events(:\n")["error"]
        assert wrong == {"said": "acme.py:1: no Python, invalid syntax; mend it there", "line": 1}
        assert not (tmp_path / "ran").exists()
        text = changed(('event=pl.col("what")', 'event=pl.lit("e")'), text=trap + MAPPING)
        saved = served.ask("/api/save", text=text, version=first["version"])
        ran = served.ask("/api/try", view={"show": "changed"})
        assert (ran["events"], ran["counts"]["changed"], ran["page"]["of"]) == ({"e": 3}, 3, 3)
        assert (tmp_path / "ran").exists()
        served.ask("/api/save", text="\nraise ValueError('no')\n", version=saved["version"])
        wrong = served.ask("/api/try", view={})["error"]
        assert (wrong["line"], wrong["said"]) == (
            2,
            f"{path}:2: ValueError: no when it was loaded; mend it there",
        )
        assert served.ask("/api/rows", view={"show": "mapped"})["of"] == 3


def test_a_platform_without_a_spec_has_nothing_to_edit(tmp_path):
    """It is shown all the same; nothing can be saved."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"event":"e","distinct_id":"u","timestamp":"2024-04-03T12:00:00Z","properties":{}}\n')
    with page(asked("posthog", path)) as served:
        assert served.ask("/api/page") == {"kind": "none", "text": "", "version": ""}
        assert served.ask("/api/try", view={})["counts"]["mapped"] == 1
        said = "there is no file to write: this platform needs no spec"
        assert served.ask("/api/save", text="x", version="") == {"error": {"said": said, "line": None}}
        assert [*tmp_path.iterdir()] == [path]
