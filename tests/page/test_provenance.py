"""How it was done, so that it can be done again; and no secret in it."""

from filled import made

from migrate.page.provenance import gather
from migrate.workdir.typed import Command, Option


def test_what_was_typed_means_the_same_elsewhere(tmp_path):
    """Paths are whole; inputs have their size and digest; the key is in none of it."""
    typed = Command("run", "amplitude", ["exports"], [Option("--spec", "a.toml", is_path=True)], "/data")
    with made(tmp_path) as checkpoint:
        checkpoint.note(planned_by=typed.fact(), key="feed" * 8, rules=[None, "d1"], rules_identity="d2")
        found = gather(checkpoint, checkpoint.facts())
    ((what, line),) = found.commands
    assert what == "planned by"
    assert line.startswith("migrate run amplitude /data/exports --spec /data/a.toml --workdir ")
    assert [tuple(one) for one in found.inputs] == [("exports/a.jsonl.gz", 4_000_000, "ab" * 32)]
    assert (found.files, found.bytes) == (1, 4_000_000)
    assert ("--source-timezone", "Europe/Berlin") in found.options
    facts = dict(found.facts)
    assert facts["mapping"] == "identity version 2, payload version 2"
    assert (facts["rules"], facts["rules on events and ids"]) == ("digest d1", "digest d2")
    assert "feed" not in repr(found)
