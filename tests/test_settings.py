"""What is migrated and how: which choices make another import, another workdir, and what there is to plan."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from samples import PLATFORMS, SAMPLES, settings
from workdirs import events, planned

from migrate import VERSION
from migrate.errors import Refused
from migrate.inputs.source import stamp, stamp_of
from migrate.kit.declare import Options
from migrate.plan.census import Choices
from migrate.readers.dialects import Layout
from migrate.settings import Settings, pin_settings

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
    pytest.param(replace(USUAL, since=NIGHT), "--since", False, id="since"),
    pytest.param(replace(USUAL, until=NIGHT), "--until", False, id="until"),
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


@pytest.mark.parametrize(("other", "name", "is_other_import"), CHOSEN)
def test_a_workdir_with_events_is_bound_to_its_choices(tmp_path, other, name, is_other_import):
    """With others it is refused, by the option's name; without an event it begins anew with them."""
    del is_other_import
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        before = checkpoint.facts()
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, other, has_news=True)
        assert str(refused.value).startswith(f"{name}: this workdir was planned with ")
        assert str(refused.value).endswith("; use what it was planned with, or plan into another --workdir")
        pin_settings(checkpoint, USUAL, has_news=True)
        assert checkpoint.facts() == before
    (tmp_path / "empty").mkdir()
    with planned(tmp_path / "empty", events(0)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        pin_settings(checkpoint, other, has_news=True)
        facts = checkpoint.facts()
        assert {key: facts[key] for key in other.facts()} == other.facts()
        assert checkpoint.inputs() == {}


def test_what_it_was_planned_with_is_said(tmp_path):
    """And what was found; nothing is a value, too."""
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, replace(USUAL, limit=3), has_news=True)
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, USUAL, has_news=True)
    assert str(refused.value) == (
        "--limit: this workdir was planned with 3, found nothing; use what it was planned with, or plan into another "
        "--workdir"
    )


def test_a_mapping_of_another_version_plans_nothing_new(tmp_path):
    """The same rows may become other events: refused, with the way on, but for a workdir without news."""
    with planned(tmp_path, events(3, days=1)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        version = checkpoint.facts()["identity_version"]
        checkpoint.note(identity_version=version - 1, begun_with="0.1")
        pin_settings(checkpoint, USUAL, has_news=False)
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, USUAL, has_news=True)
        assert str(refused.value) == (
            f"{tmp_path}: begun by migrate 0.1 with identity version {version - 1} of the posthog mapping, this is "
            f"migrate {VERSION} with version {version}, under which the same rows may become other events, so nothing "
            f"new is planned here; finish with migrate 0.1, or send what is planned (migrate apply {tmp_path}), then "
            "begin a new --workdir with a copy of this one's people.sqlite in it and --since 2024-04-04, the day after "
            "the last of which something was sent then (older rows that come late are left out)"
        )
        checkpoint.note(people_dir="/shared")
        with pytest.raises(
            Refused, match="begin a new --workdir with --people /shared and --since 2024-04-04"
        ):
            pin_settings(checkpoint, USUAL, has_news=True)


def test_other_properties_are_noted_once(tmp_path):
    """Each payload version that something new was planned with, in order."""
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        (version,) = checkpoint.facts()["payload_versions"]
        checkpoint.note(payload_versions=[version - 1])
        pin_settings(checkpoint, USUAL, has_news=False)
        assert checkpoint.facts()["payload_versions"] == [version - 1]
        for _ in range(2):
            pin_settings(checkpoint, USUAL, has_news=True)
            assert checkpoint.facts()["payload_versions"] == [version - 1, version]


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
    assert work.settings.options.files == {"a", "b"}


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


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_export_is_about_people_where_it_tells_of_them(platform):
    """Who is who, whole persons, groups: it is gone through for them; profiles only where they are sent."""
    inputs = [str(SAMPLES / platform)]
    work = settings(platform).work(inputs)
    assert (work.is_about_people, work.settings.profiled) == (platform not in {"posthog", "table"},) * 2
    assert not settings(platform, person_properties="none").work(inputs).settings.profiled
