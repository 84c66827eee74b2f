"""What a run is to fetch first is looked at before anything is done."""

import pytest
from commands import KEY, migrate
from vendors import ACCOUNT, CONFIG, KEYS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["mixpanel", "a", "b"],
            "--fetch: into one input alone, found 2; name the folder that is fetched into",
        ),
        (["mixpanel", "a/{since:%Y}"], "--fetch: not one folder but a pattern, found 'a/{since:%Y}'"),
        (["heap", "a"], "--fetch: no export API of 'heap' is known here; known are amplitude and mixpanel"),
    ],
)
def test_a_run_that_cannot_fetch(words, said):
    """Is wrong usage, before anything is done."""
    done = migrate("run", *words, "--fetch", "--host", "http://127.0.0.1:9", "--api-key", KEY, env=ACCOUNT)
    assert (done.returncode, done.stderr.removeprefix("error: ").startswith(said)) == (2, True), done.stderr


def test_of_several_jobs_each_is_looked_at_first(tmp_path):
    """A credential that is not there ends all before any begins; a trial needs none, and says so."""
    jobs = '[job.one]\nplatform = "amplitude"\n[job.two]\nplatform = "mixpanel"\n'
    config = CONFIG.format(host="http://127.0.0.1:9", vendor="http://127.0.0.1:9").replace(
        'platform = "mixpanel"\n', ""
    )
    (tmp_path / "migrate.toml").write_text(config + jobs)
    env = KEYS | {"POSTHOG_API_KEY": KEY}
    done = migrate("run", cwd=tmp_path, env=env)
    assert (done.returncode, (tmp_path / "exports").exists()) == (2, False)
    assert (
        "[job.two] MIXPANEL_SERVICE_ACCOUNT_USERNAME and MIXPANEL_SERVICE_ACCOUNT_SECRET: missing"
        in done.stderr
    )
    for words, note in ((["--dry-run"], "a dry run"), (["--limit", "5"], "a trial")):
        done = migrate("run", *words, "--job", "two", cwd=tmp_path, env={"POSTHOG_API_KEY": KEY})
        assert (
            done.returncode,
            f"note: {note} fetches nothing, and reads what is there\n" in done.stderr,
        ) == (2, True)
