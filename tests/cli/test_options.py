"""What may be typed, and what it becomes."""

from dataclasses import fields

from commands import KEY, migrate, rows, summary

from migrate.cli.options import SendOptions


def test_environment_variables_stand_for_options(tmp_path):
    """MIGRATE_<NAME> is the option's value."""
    source = rows(tmp_path / "in" / "a.jsonl", 10)
    done = migrate(
        "plan",
        "posthog",
        source,
        "--json",
        env={"MIGRATE_WORKDIR": str(tmp_path / "w"), "MIGRATE_LIMIT": "6"},
    )
    assert (summary(done)["workdir"], summary(done)["rows"]["read"]) == (str(tmp_path / "w"), 6)


def test_the_key_is_in_no_repr():
    """What was typed may stand in a traceback."""
    given = {one.name: None for one in fields(SendOptions)} | {"api_key": KEY}
    assert KEY not in repr(SendOptions(**given))
