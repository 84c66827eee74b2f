"""What was typed of the sources becomes settings, checked against the platform."""

from dataclasses import fields

import pytest
from commands import migrate, rows

from migrate.cli.kinds import Day
from migrate.cli.options import SourceOptions
from migrate.cli.settings import build_settings
from migrate.errors import UsageError
from migrate.kit.declare import Options
from migrate.readers.dialects import Layout
from migrate.rules.declared import read
from migrate.settings import Settings

USUAL = {"platform": "posthog", "inputs": ("in",), "person_properties": "set", "identity": "link"}
USUAL |= {"max_cluster": 1_000, "group_type": "company", "group_key": (), "keep": (), "nulls": ()}
USUAL |= {"skip_unknown": False, "no_header": False, "no_partitions": False}


def source(**typed):
    """What was typed of a source; the rest as usual."""
    return SourceOptions(**{one.name: None for one in fields(SourceOptions)} | USUAL | typed)


def test_what_is_not_typed_is_as_usual():
    """The settings of a platform, and nothing else."""
    assert build_settings(source()) == Settings(platform="posthog")


def test_what_is_typed_has_its_place():
    """Zones by their name; a file of named columns has no header."""
    typed = {"platform": "segment", "source_timezone": "+02:00", "identity": "none", "max_cluster": 5}
    typed |= {"group_key": ("company_id=company", "team=team"), "columns": " a, b ,", "delimiter": "\t"}
    typed |= {"nulls": ("-",), "no_partitions": True, "import_id": "i", "person_properties": "none"}
    settings = build_settings(source(**typed), limit=9)
    assert settings.options == Options(
        person_properties="none",
        source_timezone="+02:00",
        group_keys={"company_id": "company", "team": "team"},
    )
    assert settings.layout == Layout(delimiter="\t", columns=("a", "b"), has_header=False)
    assert (settings.choices.link, settings.choices.max_cluster, settings.choices.zone) == (
        False,
        5,
        "+02:00",
    )
    assert (settings.nulls, settings.partitions, settings.import_id, settings.limit) == (
        ("-",),
        False,
        "i",
        9,
    )


REFUSED = [
    pytest.param(
        {"since": Day(1), "lookback": 999_999_999_999},
        "--lookback: reaches back before the year 1, found 999999999999 days; give fewer",
        id="lookback",
    ),
    pytest.param({"delimiter": "::"}, "--delimiter: one ASCII character, found '::'", id="delimiter"),
    pytest.param({"quote": "ä"}, "--quote: one ASCII character, found 'ä'", id="quote"),
    pytest.param({"escape": ""}, "--escape: one ASCII character, found ''", id="escape"),
    pytest.param(
        {"group_key": ("company",)},
        "--group-key: not PROPERTY=TYPE, found 'company'; give one such as company_id=company",
        id="group-key",
    ),
    pytest.param(
        {"platform": "amplitude", "keep": ("nothing",)},
        "--keep: amplitude has no such filter, found 'nothing'; its filters are identity_only, session_events",
        id="keep",
    ),
    pytest.param(
        {"platform": "amplitude", "labels": "[1]"},
        '--labels: {labels} is no object of texts, found list; give {{"name": "real name"}}',
        id="labels",
    ),
    pytest.param(
        {"platform": "amplitude", "labels": "{"},
        "--labels: {labels} is no JSON, Expecting property name enclosed in double quotes: line 1 column 2 (char 1); "
        "give an object of names",
        id="no-json",
    ),
]


@pytest.mark.parametrize(("typed", "message"), REFUSED)
def test_what_cannot_be_meant_is_refused(tmp_path, typed, message):
    """With the option's name, and what was found."""
    labels = tmp_path / "labels.json"
    if "labels" in typed:
        labels.write_text(typed["labels"])
        typed = typed | {"labels": labels}
    with pytest.raises(UsageError) as refused:
        build_settings(source(**typed))
    assert str(refused.value) == message.format(labels=labels)


def test_an_option_that_a_platform_does_not_heed_is_refused(tmp_path):
    """Nothing the user says is passed over in silence."""
    (tmp_path / "names.json").write_text("{}")
    for more in (
        ["--labels", tmp_path / "names.json"],
        ["--group-key", "a=b"],
        ["--uuid-compat", "posthog-worker"],
        ["--user-id", "member"],
    ):
        done = migrate("preview", "posthog", rows(tmp_path / "in" / "a.jsonl"), *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{more[0]}: posthog has no use for it" in done.stderr


def test_rules_are_part_of_the_settings_and_ids_are_no_properties():
    """What is to be left out or hashed as a property would arrive as an id, or as the key of a group."""
    rules = read({"drop": ["Mail"]}, "f")
    typed = {"platform": "segment", "group_key": ("company=company",)}
    assert build_settings(source(**typed), rules=rules).rules is rules
    with pytest.raises(UsageError) as refused:
        build_settings(source(**typed | {"group_key": ("mail=contact",)}), rules=rules)
    assert str(refused.value) == (
        "--group-key: 'mail' is left out or hashed by [rules], and would arrive as an id; leave one of the two out"
    )
