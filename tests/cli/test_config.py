"""A configuration file: its keys are options, its tables jobs, and what cannot be meant is refused where it stands."""

from pathlib import Path

import pytest
from commands import KEY

from migrate.cli.commands import cli
from migrate.cli.config import TYPED, read_config
from migrate.cli.configured import keys_of
from migrate.errors import UsageError

PARAMS = keys_of(cli.commands.values())


def config(folder, text):
    """What a file of this text says."""
    (folder / "m.toml").write_text(text, encoding="utf-8")
    return read_config(folder / "m.toml", PARAMS)


def test_keys_are_options_and_paths_are_those_of_the_folder(tmp_path):
    """With underscores or hyphens; one value stands for a list of one."""
    found = config(
        tmp_path,
        """
        platform = "amplitude"
        inputs = ["in/*.gz", "/abs", "https://x/y"]
        source-timezone = "Europe/Berlin"
        max_cluster = 5
        since = 2024-01-02
        until = 2024-01-03T04:05:06Z
        gzip = false
        json = true
        null = "-"
        workdir = "w"
        columns = "a,b"
        """,
    )
    (job,) = found.jobs
    assert job == found.common
    assert dict(job.options) == {
        "platform": "amplitude",
        "inputs": [f"{tmp_path}/in/*.gz", "/abs", "https://x/y"],
        "source_timezone": "Europe/Berlin",
        "max_cluster": "5",
        "since": "2024-01-02",
        "until": "2024-01-03T04:05:06+00:00",
        "gzip": False,
        "as_json": True,
        "nulls": ["-"],
        "workdir": f"{tmp_path}/w",
        "columns": "a,b",
    }


def test_a_job_says_what_is_its_own(tmp_path):
    """On top of what holds for all; each has a workdir of its own, and they share people."""
    found = config(
        tmp_path,
        """
        platform = "segment"
        rate = 5
        [rules]
        drop = ["a"]
        tags = { of = "all" }
        [job.web]
        inputs = "web"
        rate = 7
        [job.web.rules]
        tags = { of = "web" }
        [job.app]
        inputs = "app"
        workdir = "elsewhere"
        """,
    )
    web, app = found.jobs
    assert [job.name for job in found.chosen([])] == ["web", "app"]
    assert [job.name for job in found.chosen(["app"])] == ["app"]
    assert (web.options["rate"], app.options["rate"]) == ("7", "5")
    assert (web.workdir, app.workdir) == (tmp_path / "web.workdir", tmp_path / "elsewhere")
    assert web.options["people"] == app.options["people"] == str(tmp_path / "m.people")
    assert (web.rules().tags, web.rules().drop, app.rules().tags) == ({"of": "web"}, ("a",), {"of": "all"})


def test_people_are_shared_where_nobody_says_otherwise(tmp_path):
    """Also by one job alone, for which another one that comes changes nothing; a file without jobs says nothing."""
    (alone,) = config(tmp_path, '[job.a]\nplatform = "segment"').jobs
    assert alone.options["people"] == f"{tmp_path}/m.people"
    (unnamed,) = config(tmp_path, 'platform = "segment"').jobs
    assert "people" not in unnamed.options
    (said,) = config(tmp_path, 'people = "who"\n[job.a]').jobs
    assert said.options["people"] == f"{tmp_path}/who"
    one, other = config(tmp_path, '[job.a]\npeople = "p"\n[job.b]\n').jobs
    assert (one.options["people"], other.options["people"]) == (f"{tmp_path}/p", f"{tmp_path}/m.people")


def test_a_secret_is_asked_for_when_it_is_needed(tmp_path, monkeypatch):
    """Not before: a command that sends nothing needs none."""
    monkeypatch.delenv("A_KEY", raising=False)
    found = config(
        tmp_path, 'api_key = { env = "A_KEY" }\n[rules]\nhash = ["a"]\nhash_salt = { env = "A_SALT" }'
    )
    with pytest.raises(UsageError):
        found.common.options["api_key"]()
    with pytest.raises(UsageError) as refused:
        found.common.rules()
    assert str(refused.value) == (
        f"{tmp_path}/m.toml: [rules] hash_salt: the variable A_SALT is not set; set it, or name another one"
    )
    monkeypatch.setenv("A_KEY", KEY)
    monkeypatch.setenv("A_SALT", "sixteen letters!")
    assert found.common.options["api_key"]() == KEY
    assert found.common.rules().hash_salt == "sixteen letters!"
    assert "sixteen" not in repr(found)


REFUSED = [
    ("rat = 5", "rat: no such option; is rate meant?"),
    ('told = "x"', "told: no such option; see docs/config.md for what there is"),
    ("[job.web]\nplatfrom = 1", "[job.web] platfrom: no such option; is platform meant?"),
    ("dry_run = true", "dry_run: meant for one time; type --dry-run on the command line"),
    ("limit = 5", "limit: meant for one time; type --limit on the command line"),
    ("null = ['a']\nNULL = ['b']", "NULL: no such option; is null meant?"),
    (
        "max-cluster = 5\nmax_cluster = 5",
        "max_cluster: said twice, with a hyphen and with an underscore; leave one out",
    ),
    ('quiet = "yes"', 'quiet: neither true nor false, found "yes"; write one of them'),
    ("rate = true", 'rate: neither text nor a number, found true; write it as "…"'),
    ("host = ['us']", 'host: neither text nor a number, found a list; write it as "…"'),
    (
        "api_key = 'abc'",
        "api_key: not a reference, found the value itself; a secret stands in no configuration file: ",
    ),
    ("rules = 1", "rules: not a table; write [rules] and a rule a line below it"),
    ("[rules]\ndorp = ['a']", "[rules] dorp: no such rule; is drop meant?"),
    ("[rules]\ndrop-events = []\ndrop_events = []", "rules drop_events: said twice"),
    (
        "[rules]\nhash = ['a']\nhash_salt = 'a salt of letters'",
        "rules hash_salt: not a reference, found the value ",
    ),
    ("[rules]\nhash = ['a']", "[rules] hash_salt: hash needs one of 16 letters or more, found nothing"),
    ("job = 1", "job: not a table of jobs; write [job.NAME] and what it says below it"),
    ("[job.'a/b']", "[job.a/b]: not a name, as its workdir is called so; letters, digits, '_', '.', '-'"),
    (
        "workdir = 'w'\n[job.a]\n[job.b]",
        "workdir: {}/w is that of a and of b; each job has its own, so name none above",
    ),
    (
        "[job.a]\nworkdir = 'w'\n[job.b]\nworkdir = 'sub/../w'",
        "workdir: {}/sub/../w is that of a and of b; each job has its own",
    ),
    ("a = ", "no TOML, Invalid value (at end of document); see https://toml.io"),
    ('inputs = ["~nosuchuser/x"]', "inputs: the home of somebody who is not known here; check the path"),
    ('workdir = "~nosuchuser/x"', "workdir: the home of somebody who is not known here; check the path"),
    ('[job.a]\npeople = "~nosuchuser/x"', "[job.a] people: the home of somebody who is not known here; "),
    ('inputs = ["in", "a\\u0000b"]', "inputs: a NUL character in a path; check the path"),
    ('log_file = "a\\u0000b"', "log_file: a NUL character in a path; check the path"),
    (f"\nrate = {'9' * 5_000}", "no TOML, an integer that is too long (at line 2); see https://toml.io"),
    (f"rate = 0x{'f' * 5_000}", "no TOML, an integer that is too long (at rate); see https://toml.io"),
    (f"keep = {'[' * 3_000}", "no TOML, tables or lists too deep inside of each other; see https://toml.io"),
    (
        f"[rules]\ntags = {{ x = {'[' * 150}{']' * 150} }}",
        "no TOML, tables or lists too deep inside of each other (at rules); see https://toml.io",
    ),
    (
        f"keep = ['phc_{'a' * 30}']",
        "keep: looks like a key of PostHog's; a secret stands in no configuration file: ",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_cannot_be_meant_is_refused(tmp_path, text, message):
    """With the file, the key, and what to do; a key of PostHog's is not printed."""
    with pytest.raises(UsageError) as refused:
        config(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path}/m.toml: {message.format(tmp_path)}")
    assert "a" * 30 not in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    """By its option."""
    with pytest.raises(UsageError) as refused:
        read_config(tmp_path / "nowhere", PARAMS)
    assert str(refused.value) == (
        f"--config: {tmp_path}/nowhere cannot be read, found 'No such file or directory'; check the path"
    )


def test_a_job_that_is_not_there_is_said(tmp_path):
    """And which are."""
    found = config(tmp_path, "[job.web]\n[job.app]")
    with pytest.raises(UsageError) as refused:
        found.chosen(["wep"])
    assert str(refused.value) == (
        f"--job: {tmp_path}/m.toml has no job of this name, found 'wep'; is web meant? (jobs are web, app)"
    )


def test_what_is_meant_for_one_time_is_known():
    """Every option that is typed only is among it, but for those of `fetch`, which no file speaks to."""
    typed = {
        param.name
        for name, command in cli.commands.items()
        if name != "fetch"
        for param in command.params
        if param.param_type_name == "option" and not param.envvar and param.name not in {"help", "version"}
    }
    assert typed <= TYPED
    assert Path("x") not in TYPED


def test_workdirs_are_told_apart_by_where_they_are(tmp_path):
    """A link leads to the same one."""
    (tmp_path / "w").mkdir()
    (tmp_path / "link").symlink_to("w")
    with pytest.raises(UsageError) as refused:
        config(tmp_path, '[job.a]\nworkdir = "w"\n[job.b]\nworkdir = "link"')
    assert f"workdir: {tmp_path}/link is that of a and of b" in str(refused.value)


def test_a_byte_order_mark_is_none_of_the_text(tmp_path):
    """As editors on Windows write one."""
    assert config(tmp_path, '\ufeffplatform = "posthog"\r\n').common.options == {"platform": "posthog"}
