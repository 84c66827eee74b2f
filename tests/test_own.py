"""A mapping of the user's own is loaded from its path, for whoever holds it, and says what is wrong with it."""

import json
import os
import pickle
import sys
import threading
from dataclasses import replace

import pytest
from commands import apart, migrate
from frames import LATER
from markdown import ROOT
from owned import MAPPING, changed, export, written

from migrate.errors import UsageError
from migrate.kit.declare import Options
from migrate.own import Own
from migrate.plan.finished import finished
from migrate.readers.files import read_chunks
from migrate.settings import Settings

BESIDE = changed(
    ("import polars as pl\n", "import polars as pl\nfrom _acme_things import NAMES\n"),
    ('event=pl.col("what")', 'event=expr.lookup(pl.col("what"), NAMES)'),
)
LATE = changed(
    ('each row is."""\n', 'each row is."""\n    import _acme_things\n'),
    ('event=pl.col("what")', 'event=expr.lookup(pl.col("what"), _acme_things.NAMES)'),
)


def names_of(own, path):
    """The names of the events that a file's rows become."""
    work = Settings(platform=own.name, own=own, options=Options()).work([str(path)])
    return [
        name
        for job in work.jobs
        for chunk in read_chunks(job.source, job.table, job.header)
        for name in finished(chunk, work.settings.transform(job), LATER).frame["event"]
    ]


@pytest.mark.parametrize("text", [BESIDE, LATE, changed(("from _acme", "from ._acme"), text=BESIDE)])
def test_two_files_of_one_name_have_what_lies_beside_each(tmp_path, text):
    """Whether it is imported at once or in a function, later, in any thread; nobody else finds it."""
    data, before, found = export(tmp_path / "a.jsonl"), [*sys.path], {}
    owns = {}
    for folder in ("one", "two"):
        written(tmp_path / folder, f'NAMES = {{"view": "viewed in {folder}"}}\n', "_acme_things.py")
        owns[folder] = Own(written(tmp_path / folder, text))
    threads = [
        threading.Thread(target=lambda key=key, own=own: found.update({key: names_of(own, data)}))
        for key, own in owns.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {key: ["order", f"viewed in {key}", "order"] for key in owns}
    assert sys.path == before
    assert "_acme_things" not in sys.modules


def test_what_python_has_is_not_taken_from_a_file_beside(tmp_path):
    """A module of one's own called as one of Python's is not meant by those who import that."""
    written(tmp_path, "raise ValueError", "json.py")
    written(tmp_path, "raise ValueError", "polars.py")
    assert Own(written(tmp_path, f"import json\n{MAPPING}")).platform.title == "Acme"


def test_dataclasses_and_annotations_work_in_it(tmp_path):
    """They look for the module that they are in."""
    more = "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass A:\n    b: int\n"
    assert Own(written(tmp_path, more + MAPPING)).platform.title == "Acme"


def test_settings_that_are_handed_to_another_process_load_it_anew(tmp_path):
    """From its path, whatever the folder there; what is held here stays as it was loaded."""
    path = written(tmp_path)
    own = Own(path)
    text = pickle.dumps(own)
    path.write_text(changed(('title="Acme"', 'title="Newer"')))
    assert pickle.loads(text).platform.title == "Newer"  # noqa: S301 - our own
    assert own.platform.title == "Acme"
    assert replace(Settings(platform="acme", own=own), limit=3).mapping().title == "Acme"


SAYS = [
    pytest.param(
        "x = 1\ndef f(:\n", "{path}:2: no Python, invalid syntax, found 'def f(:'; mend it there", id="syntax"
    ),
    pytest.param(
        "x = 1\n",
        "{path}: no MAPPING in it; end it with MAPPING = Platform(…), see docs/mappings.md",
        id="no",
    ),
    pytest.param(
        "MAPPING = 3\n",
        "{path}: MAPPING: no Platform, found 'int'; write MAPPING = Platform(…), see docs/mappings.md",
        id="kind",
    ),
    pytest.param(
        "\nMAPPING = 1 / 0\n",
        "{path}:2: ZeroDivisionError: division by zero when it was loaded; mend it there",
        id="raises",
    ),
    pytest.param(
        "import sys\nsys.exit(0)\n", "{path}:2: SystemExit: 0 when it was loaded; mend it there", id="exit"
    ),
    pytest.param(
        "import acme_gone\n",
        "{path}:1: ModuleNotFoundError: No module named 'acme_gone' when it was loaded; mend it there",
        id="import",
    ),
    pytest.param(
        "import _b\n",
        "{path}:1: {folder}/_b.py:1: no Python, invalid syntax, found 'a b'; mend it there",
        id="beside",
    ),
    pytest.param(
        "import _c\n", "{folder}/_c.py:2: KeyError: 'x' when it was loaded; mend it there", id="beside raises"
    ),
    pytest.param(
        changed(('times=("at",)', 'times=("at")')),
        "{path}:22: Acme: events: times: expected a tuple of names, found the text 'at'; write ('at',)",
        id="declared",
    ),
    pytest.param(
        "from migrate.kit.declare import Platform\nMAPPING = Platform(title='A')\n",
        "{path}: MAPPING: tables: none in it; add a Table(…), see docs/mappings.md",
        id="tables",
    ),
    pytest.param(
        changed(('title="Acme"', 'title="Acme", identity_version=True')),
        "{path}: MAPPING: identity_version: no whole number from 1 on, found True; begin with 1",
        id="version",
    ),
    pytest.param(
        changed(('title="Acme"', 'title=" "')),
        "{path}: MAPPING: title: no name, found ' '; say what people call it",
        id="title",
    ),
    pytest.param(
        "MAPPING = '\0'",
        "{path}: no Python, source code string cannot contain null bytes; mend it there",
        id="null",
    ),
]


@pytest.mark.parametrize(("text", "said"), SAYS)
def test_what_is_wrong_with_a_file_is_said_with_its_line(tmp_path, text, said):
    """In one sentence, without a traceback of ours."""
    (tmp_path / "_b.py").write_text("a b")
    (tmp_path / "_c.py").write_text("\n{}['x']\n")
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        Own(path)
    assert str(refused.value) == said.format(path=path, folder=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "    return events.events(",
            '    {}["x"]\n    return events.events(',
            "acme.py:11: KeyError: 'x'; mend it there",
        ),
        (
            'pl.col("who")',
            'pl.col("wo")',
            "acme: events: to_events asks for a column 'wo' that its rows do not have, known are id, what, who, at, ",
        ),
        ('event=pl.col("what")', 'event=pl.col("what").dt.year()', "acme.py: InvalidOperationError: "),
        (
            'event=pl.col("what")',
            'event=pl.col("what").cast(pl.Int64)',
            (
                "acme.py: InvalidOperationError: conversion from `str` to `i64` failed in column 'what' for 1 out of 1 "
                'values: ["order"], at '
            ),
        ),
        (
            'expr.timestamp(pl.col("at"), zone=options.source_timezone)',
            'pl.col("at")',
            (
                "acme: events: to_events: timestamp: expected Datetime(time_unit='us', time_zone='UTC'), found String; "
                "return what events.events makes\n"
            ),
        ),
        (
            "    return events.events(",
            "    return rows\n    return events.events(",
            "acme: events: to_events: no column 'event' in what it returns; return what events.events makes\n",
        ),
        (
            "    return events.events(",
            "    return None\n    return events.events(",
            "acme: events: to_events must return a LazyFrame, found NoneType; return what events.events makes\n",
        ),
        (
            'times=("at",)',
            'times=("at",), filters={"x": pl.col("what")}',
            "acme: events: filters['x']: expected true or false, found String; compare it with something\n",
        ),
        (
            'has("id", "what", "who", "at")',
            "lambda columns: 1 / 0",
            "acme.py:27: ZeroDivisionError: division by zero; mend it there\n",
        ),
        (
            'has("id", "what", "who", "at")',
            "3",
            "acme.py:22: Acme: events: matches: expected a function, found 3; give one as has('id', 'at')\n",
        ),
        (
            '("id", "what", "who", "at"), pl.String',
            '("id", "what", "who", "at"), pl.Datetime',
            "acme.py: Inv",
        ),
    ],
)
def test_what_its_functions_raise_is_said_with_its_line(tmp_path, old, new, said):
    """Before a row is read, and without a traceback."""
    written(tmp_path, changed((old, new)))
    export(tmp_path / "a.jsonl")
    done = migrate("preview", "acme.py", "a.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"error: {said}")


def test_a_path_that_leads_to_no_mapping_is_refused(tmp_path):
    """A folder, another kind of file, nothing at all, a link to itself, a built-in platform's name."""
    loop = tmp_path / "loop.py"
    loop.symlink_to(loop)
    for path, said in (
        (loop, "PLATFORM: no such file, found '{}'; check the path"),
        (tmp_path / "gone.py", "PLATFORM: no such file, found '{}'; check the path"),
        (tmp_path, "PLATFORM: a folder, found '{}'; name the Python file with the MAPPING in it"),
        (
            export(tmp_path / "a.jsonl"),
            (
                "PLATFORM: no Python file, found '{}'; the first word is a platform or the path of a mapping of your "
                "own (docs/mappings.md), and what to read follows it"
            ),
        ),
        (
            written(tmp_path, name="Amplitude.py"),
            (
                "PLATFORM: called as the platform amplitude, with which its events would be mixed up, found '{}'; "
                "rename the file, or type amplitude for the one that is built in"
            ),
        ),
    ):
        with pytest.raises(UsageError) as refused:
            Own(str(path))
        assert str(refused.value) == said.format(path)


def test_a_digest_is_of_what_is_said_to_python(tmp_path):
    """A comment, a docstring and a line more are nothing new; another word is, also in a module beside it."""
    written(tmp_path, 'NAMES = {"view": "viewed"}\n', "_acme_things.py")
    first = Own(written(tmp_path, BESIDE)).digest
    others = (
        (BESIDE + "\n# a comment\n", True),
        (changed(("Return the event", "Give what"), text=BESIDE), True),
    )
    for text, is_same in (*others, (changed(('"who"', '"whom"'), text=BESIDE), False)):
        assert (Own(written(tmp_path, text)).digest == first) is is_same
    written(tmp_path, BESIDE)
    written(tmp_path, 'NAMES = {"view": "seen"}\n', "_acme_things.py")
    assert Own(tmp_path / "acme.py").digest != first


def test_a_path_is_taken_wherever_a_platform_is(tmp_path, monkeypatch):
    """By run, plan, preview, init and a configuration file, whose folder it is of; with a workdir of its name."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "own", name="Acme Shop.py")
    export(tmp_path / "exports" / "a.jsonl")
    done = migrate("preview", "own/Acme Shop.py", "exports")
    assert done.stdout.count('"analytics_source":"acme_shop","$import_job_id":"acme_shop-') == 3
    done = migrate("plan", "own/Acme Shop.py", "exports")
    assert (done.returncode, (tmp_path / "acme_shop.workdir").is_dir()) == (0, True)
    done = migrate("init", "own/Acme Shop.py", "-o", "own/m.toml")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "own" / "m.toml").read_text()
    assert '\nplatform = "Acme Shop.py"\n' in text
    (tmp_path / "own" / "m.toml").write_text(text.replace('["exports"]', '["../exports"]'))
    os.chdir("/")
    done = migrate("run", "-c", tmp_path / "own" / "m.toml", "--host", "sandbox", "--json")
    assert done.returncode == 0, done.stderr
    done = migrate("plan", "-c", tmp_path / "own" / "m.toml")
    assert (done.returncode, (tmp_path / "own" / "acme_shop.workdir").is_dir()) == (0, True)
    done = migrate(
        "plan", tmp_path / "own" / "Acme Shop.py", tmp_path / "exports", "-c", tmp_path / "own" / "m.toml"
    )
    assert f"workdir  {tmp_path}/own/acme_shop.workdir" in done.stdout + done.stderr


def test_commands_that_are_shown_reach_the_file_from_elsewhere(tmp_path, monkeypatch):
    """What was typed in one folder works in another."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path)
    export(tmp_path / "exports" / "a.jsonl", at="soon")
    migrate("plan", "./acme.py", "exports")
    os.chdir("/")
    done = migrate("rejects", tmp_path / "acme.workdir")
    assert f"migrate plan {tmp_path}/acme.py " in done.stdout + done.stderr


def test_the_mapping_is_none_of_what_it_reads(tmp_path):
    """It may lie in the folder of its export, with what is kept beside it, and prints nothing among the data."""
    text = changed(("    return events", "    print('more', 'noise', sep=' ', file=None)\n    return events"))
    written(tmp_path, "import _acme_things\nprint('noise')\n" + text)
    written(tmp_path, "NAMES = {}\n", "_acme_things.py")
    (tmp_path / "acme.golden.jsonl").write_text("{}\n")
    export(tmp_path / "a.jsonl")
    done = apart("preview", "acme.py", ".", cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout.count("\n")) == (0, 3)
    assert all(json.loads(line)["uuid"] for line in done.stdout.splitlines())
    assert {*done.stderr.splitlines()} == {"noise", "more noise"}
    assert not (tmp_path / "__pycache__").exists()
