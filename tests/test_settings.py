"""What is migrated and how: which choices make another import, another workdir, and what there is to plan."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from samples import PLATFORMS, SAMPLES, settings

from migrate.inputs.source import stamp
from migrate.inputs.stored import stamp_of
from migrate.kit.declare import Options
from migrate.plan.census import Choices
from migrate.readers.dialects import Layout
from migrate.settings import Settings

USUAL = Settings(platform="posthog")
NIGHT = datetime(2024, 4, 3, tzinfo=UTC)


def options(**chosen):
    """The usual settings with other options."""
    return replace(USUAL, options=Options(**chosen))


CHOSEN = [
    # What payloads are made of: another import, and another workdir.
    pytest.param(Settings(platform="amplitude"), "platform", True, id="platform"),
    pytest.param(options(person_properties="none"), "--person-properties", True, id="person properties"),
    pytest.param(options(source_timezone="Europe/Berlin"), "--source-timezone", True, id="zone"),
    pytest.param(options(keep=frozenset(["x"])), "--keep", True, id="keep"),
    pytest.param(options(labels={"a": "b"}), "--labels", True, id="labels"),
    pytest.param(options(group_keys={"a": "b"}), "--group-key", True, id="group key"),
    pytest.param(options(group_type="team"), "--group-type", True, id="group type"),
    pytest.param(options(user_id="member"), "--user-id", True, id="user id"),
    pytest.param(options(uuid_compat="posthog-worker"), "--uuid-compat", True, id="uuid"),
    pytest.param(replace(USUAL, choices=Choices(link=False)), "--identity", True, id="identity"),
    pytest.param(replace(USUAL, import_id="mine"), "import_id", True, id="import id"),
    # Which rows there are and how they are read: the same import, another workdir.
    pytest.param(replace(USUAL, limit=3), "--limit", False, id="limit"),
    pytest.param(replace(USUAL, encoding="latin-1"), "--encoding", False, id="encoding"),
    pytest.param(replace(USUAL, layout=Layout(delimiter=";")), "--delimiter", False, id="delimiter"),
    pytest.param(replace(USUAL, layout=Layout(dialect="spark")), "--dialect", False, id="dialect"),
    pytest.param(replace(USUAL, layout=Layout(quote="'")), "--quote", False, id="quote"),
    pytest.param(replace(USUAL, layout=Layout(escape="!")), "--escape", False, id="escape"),
    pytest.param(replace(USUAL, layout=Layout(columns=("a",))), "--columns", False, id="columns"),
    pytest.param(replace(USUAL, layout=Layout(has_header=False)), "--no-header", False, id="header"),
    pytest.param(replace(USUAL, partitions=False), "--no-partitions", False, id="partitions"),
    pytest.param(replace(USUAL, nulls=("-",)), "--null", False, id="nulls"),
]


@pytest.mark.parametrize(("other", "name", "is_other_import"), CHOSEN)
def test_a_choice_is_known_by_its_option(other, name, is_other_import):
    """It alone is another fact of the workdir; the import is another where payloads are made of it."""
    usual, facts = USUAL.facts(), other.facts()
    changed = {key for key in facts if facts[key] != usual[key]}
    assert changed == ({name, "import_id"} if is_other_import else {name})
    assert facts == json.loads(json.dumps(facts))


@pytest.fixture
def folder(tmp_path):
    """A folder of an export: two files of events, and what is none."""
    row = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T12:00:00Z", "properties": {}}
    for name in ("b.jsonl", "a.jsonl"):
        (tmp_path / name).write_text(json.dumps(row) + "\n")
    (tmp_path / "c.jsonl").write_text("")
    return tmp_path


def named(names):
    """The files' own names."""
    return [Path(name).name for name in names]


def test_there_is_to_plan_what_lies_in_the_inputs(folder):
    """In order; what is passed over is known by its reason."""
    work = USUAL.work([str(folder)])
    assert named(job.source.name for job in work.jobs) == ["a.jsonl", "b.jsonl"]
    assert {reason: named(names) for reason, names in work.skipped.items()} == {"empty": ["c.jsonl"]}
    assert work.set_aside == {}
    assert {*work.settings.options.files} == {"a", "b"}


def test_what_is_planned_is_not_looked_into_again(folder):
    """As long as it is as it was; whatever is in it."""
    first, _ = USUAL.work([str(folder)]).jobs
    known = {first.source.name: stamp(first.source)}
    assert named(job.source.name for job in USUAL.work([str(folder)], known).jobs) == ["b.jsonl"]
    known = {first.source.name: "another"}
    assert named(job.source.name for job in USUAL.work([str(folder)], known).jobs) == ["a.jsonl", "b.jsonl"]


def test_a_file_that_cannot_be_read_is_set_aside(folder):
    """The others are planned; it is named with why and what to do, as it is now."""
    bad = folder / "b.jsonl"
    bad.write_bytes(bad.read_bytes() * 3 + bad.read_bytes().replace(b'"u"', b'"\xff"'))
    work = USUAL.work([str(folder)])
    assert named(job.source.name for job in work.jobs) == ["a.jsonl"]
    ((name, aside),) = work.set_aside.items()
    assert (name, aside.reason, aside.stamp) == (str(bad), "wrong_encoding", stamp_of(bad))
    assert aside.why.startswith(
        "1 of 4 lines are not valid utf-8, the first bad byte is 0xff on line 4, byte 32; perhaps it is --encoding "
    )
    assert work.skipped["wrong_encoding"] == [str(bad)]


def test_a_spec_that_lies_with_its_files_is_none_of_them(tmp_path):
    """Nor is it an unknown one."""
    spec = tmp_path / "spec.toml"
    spec.write_text((SAMPLES / "table" / "spec.toml").read_text())
    for path in (SAMPLES / "table").iterdir():
        if path.suffix != ".toml" and path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    work = Settings(platform="table", spec=spec).work([str(tmp_path)])
    assert work.jobs
    others = [name for names in work.skipped.values() for name in names]
    assert "spec.toml" not in named([*(job.source.name for job in work.jobs), *others])


@pytest.mark.parametrize(
    ("platform", "is_about_people", "profiled"),
    [
        ("amplitude", True, True),
        ("june", True, False),
        ("kissmetrics", True, False),
        ("posthog", True, True),
        ("segment", True, True),
        ("simpleanalytics", True, False),
        ("table", False, False),
        ("umami", True, True),
    ],
)
def test_an_export_is_about_people_where_it_tells_of_them(platform, is_about_people, profiled):
    """Who is who, whole persons, groups: it is gone through for them; profiles only where they are sent."""
    inputs = [str(SAMPLES / platform)]
    work = settings(platform).work(inputs)
    assert (work.is_about_people, work.settings.profiled) == (is_about_people, profiled)
    assert not settings(platform, person_properties="none").work(inputs).settings.profiled


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_trial_for_good_is_of_the_same_import_and_tells_nothing(platform):
    """Where other rows tell ids or names of rows, all files are looked over, and only the first rows elsewhere."""
    whole = replace(settings(platform), limit=3)
    work = whole.untold().work([str(SAMPLES / platform)])
    untold = work.settings
    assert untold.imprint() == whole.imprint()
    assert {name for name in whole.facts() if whole.facts()[name] != untold.facts()[name]} == {
        "--host",
        "--person-properties",
    }
    assert (untold.options.person_properties, untold.choices.tells) == ("none", False)
    is_told = any(job.table.resolve is not None or job.table.recover_keys for job in work.jobs)
    assert is_told or platform not in {"amplitude", "heap", "mixpanel", "umami"}
    assert untold.looked_at() == (None if is_told else 3)
    assert whole.work([str(SAMPLES / platform)]).settings.looked_at() == 3
