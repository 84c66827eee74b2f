"""What may be typed of a verification, and for which command."""

from commands import migrate


def test_options_stand_with_the_commands_they_are_for():
    """A run may verify in the end, and wait; people are deleted by one command, and by what is typed alone."""
    told = {name: migrate(name, "--help").stdout for name in ("run", "apply", "verify", "undo")}
    assert ["--verify" in text for text in told.values()] == [True, True, False, False]
    assert ["--wait DURATION" in text for text in told.values()] == [True, True, True, False]
    assert ["--delete-persons" in text for text in told.values()] == [False, False, False, True]
    assert "MIGRATE_DELETE_PERSONS" not in told["undo"]
