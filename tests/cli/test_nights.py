"""What may be said of a night."""

import pytest
from commands import migrate


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "error: --at: missing; see 'migrate schedule --help'"),
        (["--at", "02:30"], "error: --format: missing; see"),
        (["--at", "2.30", "--format", "cron"], "a time of day such as 02:30; found '2.30'"),
        (["--at", "24:00", "--format", "cron"], "a time of day such as 02:30; found '24:00'"),
        (["--at", "02:30", "--format", "launchd"], "'launchd' is not one of 'cron', 'systemd', 'kubernetes'"),
        (["--at", "02:30", "--format", "cron", "--output", "migrate.toml"], "'migrate.toml' is a file"),
    ],
    ids=["at", "format", "dot", "midnight", "scheduler", "folder"],
)
def test_what_is_no_night_is_refused(tmp_path, words, said):
    """With what was found."""
    (tmp_path / "migrate.toml").touch()
    done = migrate("schedule", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout, said in done.stderr) == (2, "", True), done.stderr


def test_the_file_is_the_one_that_lies_there_unless_another_is_named(tmp_path):
    """By its usual name."""
    for name in ("migrate", "acme"):
        (tmp_path / f"{name}.toml").write_text('platform = "ga4"\ninputs = "in"\n')
    words = ["schedule", "--at", "2:05", "--format", "cron"]
    for more, name in (([], "migrate"), (["-c", "acme.toml"], "acme"), (["--config", "acme.toml"], "acme")):
        line = migrate(*words, *more, cwd=tmp_path).stdout.splitlines()[-1]
        assert line.startswith("5 2 * * * ")
        assert f" run -c {tmp_path}/{name}.toml " in line
