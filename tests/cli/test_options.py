"""What may be typed, and what it becomes."""

from dataclasses import fields

import pytest
from commands import KEY, migrate, rows, summary

from migrate.cli.nights import NightOptions
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


@pytest.mark.parametrize(
    ("kind", "name"), [(SendOptions, "api_key"), (NightOptions, "ping"), (NightOptions, "notify")]
)
def test_no_secret_is_in_a_repr(kind, name):
    """What was typed may stand in a traceback."""
    given = {one.name: None for one in fields(kind)} | {name: KEY}
    assert KEY not in repr(kind(**given))
