"""What cannot be taken back does not leave under rules that came too late for it, unless that is meant."""

import json
import re

import pytest
from commands import KEY, migrate

from migrate.sandbox.server import Sandbox


@pytest.mark.parametrize("rule", ['drop = ["email"]', 'never_import = ["bot"]', 'hash = ["*mail"]'])
def test_a_rule_that_comes_later_holds_of_what_is_not_sent(tmp_path, rule):
    """Neither a run without news nor an apply sends it otherwise, unless that is meant; then the rule holds."""
    row = (
        '{{"event": "e", "distinct_id": "{}", "timestamp": "2024-04-03", "properties": {{"email": "{}"}}}}\n'
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text(row.format("bot", "a@x") + row.format("u", "b@x"))
    config = tmp_path / "migrate.toml"
    salt = 'hash_salt = { env = "SALT" }\n' if "hash" in rule else ""
    with Sandbox() as sandbox:
        config.write_text(f'platform = "posthog"\ninputs = ["in"]\nhost = "{sandbox.url}"\nyes = true\n')

        def run(command, *words):
            return migrate(
                command, *words, cwd=tmp_path, env={"POSTHOG_API_KEY": KEY, "SALT": "s" * 16}
            ).returncode

        assert run("plan") == 0
        config.write_text(f"{config.read_text()}[rules]\n{rule}\n{salt}")
        assert [run(command) for command in ("run", "plan", "apply")] == [5, 5, 5]
        assert run("apply", tmp_path / "posthog.workdir") == 5
        assert sandbox.events("raw") == []
        refused = migrate("apply", cwd=tmp_path, env={"POSTHOG_API_KEY": KEY, "SALT": "s" * 16}).stderr
        said = re.search(r"send first what is planned: migrate (.*) \(and", refused)[1]
        assert said == "apply posthog.workdir --config /dev/null --host …"
        assert run(*said.replace("…", sandbox.url).split()) == 0
        assert [one["properties"]["email"] for one in sandbox.events("raw")] == ["a@x", "b@x"]
        (tmp_path / "in" / "b.jsonl").write_text(row.format("u", "c@x"))
        assert run("run") == (5 if "never" in rule else 0)
        assert "c@x" not in json.dumps(sandbox.events("raw"))
