"""What cannot be typed so is an error like all others: one line, where, what is wrong, what to do; 2; and the JSON."""

import pytest

from tests.commands import migrate, summary

SENDS = "'migrate run', 'migrate apply' and 'migrate resend'"
AIMS = "'migrate run', 'migrate apply', 'migrate resend' and 'migrate check'"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "plan amplitude x --host eu",
            f"--host: no option of 'migrate plan'; leave it out here, it belongs to {AIMS}",
        ),
        ("--host eu plan", f"--host: no option of 'migrate'; it goes behind the command, of {AIMS}"),
        (
            "plan amplitude x --no-gzip",
            f"--no-gzip: no option of 'migrate plan'; leave it out here, it belongs to {SENDS}",
        ),
        (
            "apply w --port 3",
            (
                "--port: no option of 'migrate apply'; leave it out here, it belongs to 'migrate serve' and "
                "'migrate sandbox'"
            ),
        ),
        (
            "run posthog x --dry-ran",
            "--dry-ran: no option of 'migrate run', did you mean --dry-run?; see 'migrate run --help'",
        ),
        ("run posthog x -q", "-q: no option of 'migrate run'; see 'migrate run --help'"),
        ("plann x", "plann: no command of migrate's, did you mean plan?; see 'migrate --help'"),
        ("zzz x", "zzz: no command of migrate's; see 'migrate --help'"),
        ("run", "PLATFORM: missing; see 'migrate run --help'"),
        ("status", "WORKDIR...: missing; see 'migrate status --help'"),
        ("run posthog x --host", "--host: requires an argument"),
        ("run posthog x --yes=1", "--yes: does not take a value"),
        ("platforms x", "got unexpected extra argument (x); see 'migrate platforms --help'"),
        (
            "run posthog x --limit 0",
            "--limit: 0 is not in the range x>=1; see 'migrate run --help'",
        ),
        (
            "run posthog x --rate much",
            "--rate: 'much' is not a valid number; see 'migrate run --help'",
        ),
        (
            "plan posthog x --labels none.json",
            "--labels: file 'none.json' does not exist; see 'migrate plan --help'",
        ),
        (
            "run posthog x --window night",
            "--window: two times of day such as 01:00-06:00; found 'night'",
        ),
    ],
)
def test_a_wrong_command_is_one_line(typed, said):
    """On stderr, and nowhere else."""
    done = migrate(*typed.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {said}\n")


def test_a_variable_is_named(tmp_path):
    """Of several that mean the same the one that holds the value."""
    done = migrate("plan", "posthog", "x", env={"MIGRATE_LIMIT": "few"}, cwd=tmp_path)
    said = "--limit (MIGRATE_LIMIT): 'few' is not a valid whole number; see 'migrate plan --help'"
    assert (done.returncode, done.stderr) == (2, f"error: {said}\n")
    done = migrate("apply", tmp_path, env={"POSTHOG_HOST": " "}, cwd=tmp_path)
    assert done.stderr.startswith("error: --host (POSTHOG_HOST): nothing is said, found ' '")


def test_a_wrong_command_is_told_to_programs():
    """The JSON line has the same sentence, without the word before it."""
    done = migrate("plan", "posthog", "x", "--json", "--host", "eu")
    run = summary(done)["run"]
    assert (done.returncode, run["exit_code"]) == (2, 2)
    assert done.stderr == f"error: {run['error']}\n"


def test_no_command_is_the_help():
    """As before any command: usage, and 2."""
    done = migrate()
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "Usage: migrate [OPTIONS] COMMAND [ARGS]...")
