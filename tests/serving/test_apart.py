"""What is tried is tried in another process, and nothing that it does there, or takes, ends this one."""

import json
import os
import threading
from dataclasses import replace

import pytest
from owned import changed, export, written
from served import SPEC, asked, table
from storage import s3, s3_address, s3_between

from migrate.serving.apart import Apart, Limits
from migrate.serving.bench import MOOT, Rows, Try
from migrate.serving.rows import View
from migrate.serving.trial import Trial

__all__ = ["s3", "s3_address", "s3_between"]  # fixtures

LOUD = changed(("import polars", "print('loud')\nimport polars"))
ENDS = changed(("import polars", "import os\nos._exit(7)\nimport polars"))
RUN = Try(None, None, View(), 1)


@pytest.fixture
def begun():
    """Makes what is ended with the test."""
    made = []

    def make(*words, **how):
        made.append(Apart(*words, **how))
        return made[-1]

    yield make
    for one in made:
        one.end()


def said(answer):
    """What is wrong, as the page is told."""
    return json.loads(answer.said)["error"]["said"]


def test_it_is_tried_as_it_is_here(tmp_path, capfd, begun):
    """Compared with what was before, without what a mapping prints. A run that fails leaves the rows before."""
    data = export(tmp_path / "a.jsonl")
    work = asked(written(tmp_path, LOUD), data)
    here = Trial(work)
    assert "error" not in here.under(None)
    apart = begun(work, "mapping", saved={**here.last, f"{data}:1": b"before"})
    first = apart.anew(RUN)
    found = json.loads(first.said)
    assert (first.outcomes, found["counts"]["changed"], found["number"]) == (here.last, 1, 1)
    assert found["page"] == json.loads(apart.answer(Rows(View())).said)
    assert "loud" in capfd.readouterr().err
    written(tmp_path, ENDS)
    assert (
        said(apart.anew(RUN)) == "mapping: ended the process that tried it, with exit code 7; make it shorter"
    )
    assert json.loads(apart.answer(Rows(View("changed"))).said)["of"] == 1


def test_what_it_begins_ends_with_it(tmp_path, begun):
    """Also where that goes on by itself, without the mapping."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    loop = "while True: pass\n"
    text = f"import os\nif not os.fork():\n    held = open({str(pipe)!r}, 'w')\n    {loop}{loop}"
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)) as held:
        work = asked(written(tmp_path, changed(("import polars", f"{text}import polars"))), "nowhere")
        words = "mapping: takes longer than 0.5 s on the first 1,000 rows, and was ended; mend it"
        assert said(begun(work, "mapping", "mend it", Limits(seconds=0.5)).answer(RUN)) == words
        os.set_blocking(held.fileno(), True)
        assert held.read() == ""


def test_one_that_a_newer_text_came_after_is_ended(tmp_path, begun):
    """It has a moment to end by itself; one that is asked at the very end is moot, too, and none is left."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = f"held = open({str(pipe)!r}, 'w')\nwhile True: pass\n"
    work = asked(written(tmp_path, changed(("import polars", f"{text}import polars"))), "nowhere")
    apart = begun(work, limits=Limits(grace=0.0))
    answers = []
    for ended in (lambda: True, lambda: False):
        is_moot = threading.Event()
        asking = threading.Thread(target=lambda one=is_moot: answers.append(apart.answer(RUN, one.is_set)))
        asking.start()
        with pipe.open() as held:  # once it runs
            if ended():
                is_moot.set()
            else:
                apart.end()
            assert held.read() == ""
        asking.join()
    assert [one.said for one in answers] == [MOOT, MOOT]
    assert apart.begin() is None


def test_one_that_is_full_is_told_from_one_that_was(tmp_path, begun):
    """A new process that takes too much is ended; of an old one the same is asked of a new one first."""
    apart = begun(table(tmp_path), limits=Limits(size=1))
    words = "spec: takes more than 0.0 GB of memory on the first 1,000 rows, and was ended, found "
    asking = Try(SPEC, SPEC, View(), 1)
    assert said(apart.answer(asking)).startswith(words)
    apart.limits = Limits()
    assert apart.answer(asking).is_fine
    before = apart.begin()
    apart.limits = replace(apart.limits, size=1)
    assert said(apart.answer(asking)).startswith(words)
    assert before.process.returncode == -9


def test_a_bucket_that_becomes_silent_is_told(s3, s3_between, tmp_path, begun):
    """Its rows are read as those of a file; when it answers again, they are there again."""
    rows = table(tmp_path)
    s3.put("in/rows.csv", (tmp_path / "rows.csv").read_bytes())
    here = Trial(rows)
    here.under(SPEC)
    apart = begun(asked("table", f"{s3.url}in/", spec=tmp_path / "spec.toml"))
    there = apart.answer(Try(SPEC, SPEC, View(), 1))
    payloads = [row["payloads"] for row in json.loads(there.said)["page"]["rows"]]
    assert json.loads(json.dumps([row.whole()["payloads"] for row in here.rows])) == payloads
    answers = threading.Event()
    s3_between.before = lambda _: answers.wait()
    apart.limits = Limits(reading=0.5)
    words = "the files: not read within 0.5 s; see whether the disk, or the storage, answers, and load this page again"
    assert said(apart.answer(Try(SPEC, SPEC, View(), 2))) == words
    answers.set()
    apart.limits = Limits()
    assert apart.answer(Try(SPEC, SPEC, View(), 3)).outcomes == there.outcomes
