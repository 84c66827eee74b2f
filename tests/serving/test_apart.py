"""A mapping of the user's own runs in another process, and nothing that it does there ends this one."""

import os

from owned import changed, export, written
from served import asked

from migrate.serving.apart import Apart
from migrate.serving.rows import View, counts, page
from migrate.serving.trial import Trial

LOUD = changed(("import polars", "print('loud')\nimport polars"))
ENDS = changed(("import polars", "import os\nos._exit(7)\nimport polars"))
LOOPS = changed(("import polars", "while True: pass\nimport polars"))


def test_it_is_tried_as_it_is_here(tmp_path, capfd):
    """With all rows, compared with those before; what it prints is no part of the answer."""
    data = export(tmp_path / "a.jsonl")
    work = asked(written(tmp_path, LOUD), data)
    here = Trial(work)
    assert "error" not in here.under(None, is_saved=True)
    saved = dict(here.last)
    saved[f"{data}:1"] = ([], "filtered: before")
    found, rows, last = Apart().tried(work, saved)
    assert (found["counts"], last) == (counts(here.rows) | {"changed": 1}, here.last)
    (row,) = page(rows, View("changed"))["rows"]
    assert (row["place"], row["source"][0]) == (f"{data}:1", ("id", '"r1"', "renamed", "properties.acme_id"))
    assert "loud" in capfd.readouterr().err


def test_what_a_mapping_begins_ends_with_it(tmp_path):
    """Also where it goes on by itself, without the mapping, and holds the answer open."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = f"import os\nif not os.fork():\n    held = open({str(pipe)!r}, 'w')\n    while True: pass\n"
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(reader) as held:
        work = asked(written(tmp_path, changed(("import polars", f"{text}import polars"))), "nowhere")
        found, *_ = Apart(seconds=2.0).tried(work, None)
        os.set_blocking(reader, True)
        assert held.read() == ""
    assert "and was ended" in found["error"]["said"]


def test_one_that_ends_or_does_not_is_a_sentence(tmp_path):
    """Its process alone."""
    data = export(tmp_path / "a.jsonl")
    found, rows, last = Apart().tried(asked(written(tmp_path, ENDS), data), None)
    said = "the mapping ended its process, with exit code 7; mend it, and save it again"
    assert (found["error"]["said"], rows, last) == (said, (), None)
    found, *_ = Apart(seconds=1.0).tried(asked(written(tmp_path, LOOPS), data), None)
    said = "the mapping took longer than 1 s, and was ended; mend it, and save it again"
    assert found["error"]["said"] == said
