"""`migrate schedule`: the units as they are printed and written, and what is refused."""

import stat
import sys
from datetime import time
from pathlib import Path

import pytest
from commands import migrate
from schedules import SCHEDULERS, printed

from migrate.cli.nights import IMAGE


@pytest.fixture
def acme(tmp_path):
    """A folder with a configuration file."""
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "migrate.toml").write_text('platform = "amplitude"\ninputs = ["in"]\n')
    return folder


def schedule(folder, *words):
    """Run the command in the folder."""
    return migrate("schedule", "--at", "02:30", *words, cwd=folder)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_units_name_what_is_here_from_the_root(acme, scheduler):
    """The file, and the command beside this Python; all else is as the golden has it."""
    done = schedule(acme, "--format", scheduler)
    assert done.returncode == 0, done.stderr
    command = Path(sys.executable).with_name("migrate")
    here = {"config": acme / "migrate.toml", "command": str(command), "at": time(2, 30), "zone": "UTC"}
    assert done.stdout == printed(scheduler, **here, image=IMAGE)
    assert done.stderr.splitlines() == [
        f"every night at 02:30 UTC: {acme}/migrate.toml",
        f"before the first, once: migrate run -c {acme}/migrate.toml",
    ]


def test_zone_and_image_are_those_that_were_typed(acme):
    """As the scheduler reads them."""
    words = ["--timezone", "Europe/Berlin", "--image", "registry.example:5000/migrate:7"]
    text = schedule(acme, "--format", "kubernetes", *words).stdout
    assert '\n  timeZone: "Europe/Berlin"\n' in text
    assert '\n              image: "registry.example:5000/migrate:7"\n' in text


def test_jobs_of_the_file_are_told(acme):
    """One unit runs all of them."""
    (acme / "migrate.toml").write_text('platform = "ga4"\n[job.web]\ninputs = "a"\n[job.app]\ninputs = "b"\n')
    done = schedule(acme, "--format", "cron")
    assert (
        f"every night at 02:30 UTC: {acme}/migrate.toml, 2 jobs one after another: web, app\n" in done.stderr
    )


NAMED = """
platform = "ga4"
inputs = "in"
api_key = { env = "A_KEY" }
ping = { env = "ALL_JOBS" }
notify = { file = "hook.url" }
[rules]
hash_salt = { env = "A_SALT" }
constants = { env = "production" }
[job.web]
ping = { env = "WEB-CHECK" }
[job.app]
ping = { env = "APP_CHECK" }
[job.app.rules]
hash-salt = { env = "A_SALT" }
"""


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_a_file_takes_from_the_environment_is_named(acme, scheduler):
    """Each secret once, such as the check of a job; what no environment can hold is none."""
    (acme / "migrate.toml").write_text(NAMED)
    done = schedule(acme, "--format", scheduler)
    names = ["POSTHOG_API_KEY", "A_KEY", "ALL_JOBS", "A_SALT", "APP_CHECK"]
    assert (
        f"it takes from the environment: {', '.join(names)}; docs/schedules.md says where {scheduler} has them from\n"
    ) in done.stderr
    if scheduler == "github-actions":
        lines = [f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in names]
        assert f"        env:\n{''.join(lines)}          COMMAND: " in done.stdout


def test_files_are_written_each_under_its_name_and_over_none(acme):
    """Whoever runs the scheduler may read them."""
    (acme / "units").mkdir()
    words = ["--format", "systemd", "--output", "units"]
    done = schedule(acme, *words)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    found = {path.name: path for path in (acme / "units").iterdir()}
    assert {*found} == {"migrate.service", "migrate.timer"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found.values()} == {0o644}
    assert (
        "\n".join(found[name].read_text() for name in sorted(found))
        == schedule(acme, "--format", "systemd").stdout
    )
    found["migrate.service"].unlink()
    found["migrate.timer"].write_text("mine")
    again = schedule(acme, *words)
    assert again.returncode == 2
    assert (
        "error: --output: units/migrate.timer is there already; move it away, or name another folder"
        in again.stderr
    )
    assert [path.read_text() for path in (acme / "units").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["-c", "none.toml"],
            "error: --config: {here}/none.toml cannot be read, found 'No such file or directory'; check",
        ),
        (
            ["-c", "bad.toml"],
            "error: {here}/bad.toml: no TOML, Expected '=' after a key in a key/value",
        ),
        (
            ["-c", "bytes.toml"],
            "error: {here}/bytes.toml: no TOML, 'utf-8' codec can't decode byte 0xff",
        ),
        (
            ["--timezone", "+02:00"],
            "error: --timezone: an offset, found '+02:00'; schedulers know zones, give one",
        ),
        (
            ["--timezone", "europe/berlin"],
            "error: --timezone: not an IANA zone, found 'europe/berlin'; give Europe/B",
        ),
        (
            ["-c", "key.toml"],
            "error: {here}/key.toml: platfrom: no such option; is platform meant?",
        ),
        (
            ["-c", "half.toml"],
            "error: {here}/half.toml: [job.app] does not say platform and inputs; a night needs both",
        ),
        (["--image", "mine"], "error: --image: is for --format kubernetes, found cron; leave it out"),
        (
            ["--output", "none"],
            "error: --output: none cannot be written to, No such file or directory; name another",
        ),
        (
            ["-c", "a\nb.toml"],
            "b.toml': a control character in a path, which no unit can hold; use another folder",
        ),
    ],
    ids=["none", "bad", "bytes", "offset", "zone", "key", "half", "image", "output", "control"],
)
def test_what_would_not_run_is_refused(acme, words, said):
    """And nothing is printed."""
    (acme / "bad.toml").write_text("platform amplitude\n")
    (acme / "bytes.toml").write_bytes(b"\xff")
    (acme / "half.toml").write_text("[job.app]\nyes = true\n")
    (acme / "key.toml").write_text('platfrom = "amplitude"\n')
    (acme / "a\nb.toml").write_text((acme / "migrate.toml").read_text())
    done = schedule(acme, "--format", "cron", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said.format(here=acme) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("platform", "first"),
    [("amplitude", "AMPLITUDE_API_KEY"), ("mixpanel", "MIXPANEL_SERVICE_ACCOUNT_USERNAME")],
)
def test_what_a_fetch_takes_from_the_environment_is_named(acme, platform, first):
    """In the workflow, too, which has to list it."""
    (acme / "migrate.toml").write_text(f'platform = "{platform}"\ninputs = ["in"]\nfetch = true\n')
    done = schedule(acme, "--format", "github-actions")
    assert f"it takes from the environment: POSTHOG_API_KEY, {first}, " in done.stderr
    assert f"{first}: ${{{{ secrets.{first} }}}}\n" in done.stdout
