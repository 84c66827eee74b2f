"""What jobs need is there before the first one begins, and nothing in the environment is sent to another project."""

import pytest
from commands import KEY, migrate, rows, summary

from migrate.sandbox.server import Sandbox

OTHER = "phc_another_project_s"
HEAD = """
platform = "posthog"
inputs = "in"
deadline = 0
yes = true
api_key = { file = "key" }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Rows, a key in a file, and an environment without any."""
    for name in ("POSTHOG_API_KEY", "POSTHOG_HOST", "MIGRATE_API_KEY", "MIGRATE_HOST", "NOT_SET"):
        monkeypatch.delenv(name, raising=False)
    rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o600)
    return tmp_path


def written(folder, text, head=HEAD):
    """Write the file."""
    (folder / "migrate.toml").write_text(head + text)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('platform = "zzz"', "[job.b] platform: no such platform, found 'zzz'; choose one of "),
        (
            'rules = { hash = ["n"], hash_salt = { env = "NOT_SET" } }',
            "[job.b] [rules] hash_salt: the variable NOT_SET is not set; ",
        ),
        ('api_key = { env = "NOT_SET" }', "[job.b] api_key: the variable NOT_SET is not set; "),
        ('api_key = { file = "wrong" }', "[job.b] api_key: holds a character that no key has, found ;; "),
        ('host = "nowhere"', "[job.b] host: neither us, eu nor an http or https URL, found 'nowhere'"),
        ('keep = "nothing"', "[job.b] keep: posthog has no such filter, found 'nothing'"),
        ("lookback = 3", "[job.b] lookback: found without --since, before which it looks; name that, too"),
    ],
)
def test_what_can_be_known_is_said_before_the_first_job_begins(folder, said, message):
    """With the job it is of; nothing is done."""
    (folder / "wrong").write_text(f"{KEY};")
    written(folder, f'[job.a]\nhost = "127.0.0.1:9"\n[job.b]\nhost = "127.0.0.1:9"\n{said}\n')
    if said.startswith("host"):
        written(folder, f'[job.a]\nhost = "127.0.0.1:9"\n[job.b]\n{said}\n')
    done = migrate("run", "--json", cwd=folder)
    assert (done.returncode, summary(done)["run"]["exit_code"]) == (2, 2)
    assert f"error: migrate.toml: {message}" in done.stderr
    assert "job a" not in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not (folder / "a.workdir").exists()


def test_a_host_or_a_key_that_nobody_says_is_missed_before_the_first_job_begins(folder):
    """By the job's name."""
    written(folder, '[job.a]\nhost = "127.0.0.1:9"\n[job.b]\n')
    done = migrate("run", cwd=folder)
    assert (done.returncode, "error: migrate.toml: [job.b] --host: missing; " in done.stderr) == (2, True)
    head = HEAD.replace("api_key", "# api_key")
    written(folder, '[job.a]\nhost = "127.0.0.1:9"\napi_key = { file = "key" }\n[job.b]\nhost = "eu"', head)
    done = migrate("run", cwd=folder)
    assert (done.returncode, "error: migrate.toml: [job.b] --api-key: missing; " in done.stderr) == (2, True)
    assert not (folder / "a.workdir").exists()


def test_a_key_of_the_environment_that_is_another_is_refused(folder):
    """Two jobs of two projects would both go to the environment's; typed, or as MIGRATE_API_KEY, it is meant."""
    (folder / "key2").write_text(OTHER)
    (folder / "key2").chmod(0o600)
    with Sandbox() as sandbox:
        written(folder, f'host = "{sandbox.url}"\n[job.a]\n[job.b]\napi_key = {{ file = "key2" }}\n')
        for key, place in ((OTHER, "api_key"), (KEY, "[job.b] api_key")):
            done = migrate("run", cwd=folder, env={"POSTHOG_API_KEY": key})
            assert done.returncode == 2
            assert done.stderr.splitlines()[-1] == (
                f"error: migrate.toml: {place}: POSTHOG_API_KEY in the environment holds another key; unset it, or say "
                "which one is meant with --api-key or MIGRATE_API_KEY"
            )
            assert not (folder / "a.workdir").exists()
        for words, env in (
            (["--job", "a"], {"POSTHOG_API_KEY": KEY}),
            (["--job", "b"], {"POSTHOG_API_KEY": KEY, "MIGRATE_API_KEY": OTHER}),
            (["--job", "b", "--api-key", OTHER], {"POSTHOG_API_KEY": KEY}),
            (["--job", "b", "--dry-run"], {"POSTHOG_API_KEY": KEY}),
        ):
            done = migrate("run", *words, cwd=folder, env=env)
            assert done.returncode == 0, done.stderr
        done = migrate("apply", "b.workdir", cwd=folder, env={"POSTHOG_API_KEY": KEY})
        assert (done.returncode, "[job.b] api_key: POSTHOG_API_KEY" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("said", "variable", "code"),
    [
        ("eu", "us", 2),
        ("sandbox", "eu", 2),
        ("https://one.example", "https://other.example", 2),
        ("eu", "https://eu.posthog.com/", 0),
        ("EU", "eu", 0),
        ("sandbox", " Sandbox", 0),
    ],
)
def test_a_host_of_the_environment_that_is_another_is_refused(folder, said, variable, code):
    """Told by what it stands for; neither is printed."""
    written(folder, f'host = "{said}"\n')
    done = migrate("run", "--dry-run", cwd=folder, env={"POSTHOG_HOST": variable})
    assert done.returncode == code, done.stderr
    if code:
        assert done.stderr.splitlines()[-1] == (
            "error: migrate.toml: host: POSTHOG_HOST in the environment names another PostHog; unset it, or say which "
            "one is meant with --host or MIGRATE_HOST"
        )
        for words, env in (([], {"MIGRATE_HOST": "eu"}), (["--host", "eu"], {})):
            done = migrate("run", "--dry-run", *words, cwd=folder, env=env | {"POSTHOG_HOST": variable})
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("named", ["platform", "job"])
def test_what_sends_nothing_to_a_posthog_needs_no_key(folder, named):
    """A look, a trial in the sandbox, a plan, and how it is; what sends asks for it."""
    text = 'host = "eu"\nlog_file = "log"\n' + ("[job.a]\n[job.b]\n" if named == "job" else "")
    written(folder, text, HEAD.replace('file = "key"', 'env = "NOT_SET"'))
    for words in (
        ["run", "--dry-run"],
        ["run", "--host", "sandbox"],
        ["preview"],
        ["plan"],
        ["status"],
        ["show"],
        ["rejects"],
    ):
        done = migrate(*words, cwd=folder)
        assert done.returncode == 0, (words, done.stderr)
    for words in (["run"], ["apply"], ["resend"], ["run", "--limit", "1"]):
        done = migrate(*words, cwd=folder)
        assert (done.returncode, "api_key: the variable NOT_SET is not set" in done.stderr) == (2, True), (
            words
        )
    written(folder, text.replace('"eu"', '"sandbox"'), HEAD.replace('file = "key"', 'env = "NOT_SET"'))
    done = migrate("run", cwd=folder)
    assert done.returncode == 0, done.stderr


def test_what_is_wrong_is_said_where_the_file_says_it(folder):
    """And where it was typed, by the option; on the screen as in JSON."""
    (folder / "key").write_text("two words")
    written(folder, 'host = "127.0.0.1:9"\nsource_timezone = "Nowhere/At_All"\n')
    done = migrate("run", "--source-timezone", "UTC", cwd=folder)
    assert "error: migrate.toml: api_key: holds a space" in done.stderr
    done = migrate("run", "--source-timezone", "UTC", "--api-key", "two words", cwd=folder)
    assert "error: --api-key: holds a space" in done.stderr
    done = migrate("run", cwd=folder)
    assert "error: migrate.toml: source_timezone: " in done.stderr


def test_another_key_than_before_is_said_with_its_place(folder):
    """Where a workdir is bound to the first."""
    with Sandbox() as sandbox:
        written(folder, f'host = "{sandbox.url}"\n')
        assert migrate("run", cwd=folder).returncode == 0
        (folder / "key").write_text(OTHER)
        rows(folder / "in" / "b.jsonl", start=9)
        done = migrate("run", "--json", cwd=folder)
    said = "migrate.toml: api_key: this workdir began to send with another key; "
    assert (done.returncode, f"error: {said}" in done.stderr) == (5, True)
    assert summary(done)["run"]["error"].startswith(said)
