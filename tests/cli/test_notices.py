"""Who is told how a command ends: a check is pinged, a webhook is posted the summary, and nothing else changes."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest
from captures import Capture
from certificates import Authority
from commands import KEY, migrate, rows, started, summary
from listening import Listener
from samples import EVERY, some
from screens import shown

from migrate import VERSION
from migrate.cli import notices
from migrate.sandbox.server import Sandbox

HIDDEN = "c0ffee-do-not-tell"
CHECK, HOOK = f"/ping/{HIDDEN}", f"/hook/{HIDDEN}"


@pytest.fixture
def listener():
    """A host that answers well."""
    with Listener() as found:
        yield found


@pytest.fixture
def source(tmp_path):
    """A file of three rows."""
    return rows(tmp_path / "in" / "a.jsonl")


def addresses(listener):
    """Both addresses, as they are typed."""
    return ["--ping", listener.url + CHECK, "--notify", listener.url + HOOK]


def ended(listener, path=CHECK):
    """What a check was told at the end: the exit code behind its path, 0 where there is none."""
    codes = [one.removeprefix(path).removeprefix("/") for one in listener.paths if one.startswith(path)]
    return [int(code or 0) for code in codes if code != "start"]


def test_a_check_is_told_the_beginning_and_the_end_and_a_webhook_the_summary(tmp_path, listener, source):
    """The signals of one run have one id; the summary is the one that `--json` prints; no value is in the text."""
    words = ["run", "posthog", source, "--workdir", tmp_path / "w", "--host", "sandbox", "--json"]
    done = migrate(*words, *addresses(listener))
    assert done.returncode == 0
    assert sorted(listener.paths) == sorted([f"{CHECK}/start", CHECK, HOOK])
    start, end = (one for one in listener.told if one.path.startswith(CHECK))
    assert start.path == f"{CHECK}/start"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", *start.query["rid"])
    assert (end.query, start.body) == (start.query, "")
    assert end.headers["User-Agent"] == f"posthog-migrate/{VERSION}"
    assert end.body.splitlines() == [
        "exit code 0: done",
        "this time: 3 rows read, 0 rejected; 3 events planned, 3 accepted, 0 parked",
        "in all: 3 events planned: 3 accepted, 0 duplicate, 0 parked, 0 held, 0 pending",
        "state: all sent",
    ]
    assert listener.bodies(HOOK) == [summary(done)]
    assert "warning" not in done.stderr


def test_what_an_address_asks_for_stays(tmp_path, listener, source):
    """As healthchecks.io's `create=1`; a slash at its end is none."""
    url = f"{listener.url}{CHECK}/?create=1"
    assert migrate("plan", "posthog", source, "--workdir", tmp_path / "w", "--ping", url).returncode == 0
    assert listener.paths == [f"{CHECK}/start", CHECK]
    assert [one.query["create"] for one in listener.told] == [["1"], ["1"]]
    assert listener.told[0].query["rid"] == listener.told[1].query["rid"]


NIGHT = ["--workdir", "w", "--host", "sandbox"]
ENDS = [
    pytest.param(["plan", "posthog", "in", "--workdir", "w"], 0, id="planned"),
    pytest.param(["run", "posthog", "bad", *NIGHT], 3, id="a reject"),
    pytest.param(["run", "posthog", "in", *NIGHT, "--max-duration", "0.000001s"], 6, id="as asked"),
    pytest.param(["run", "posthog", "in", *NIGHT, "--existing"], 5, id="refused"),
    pytest.param(["run", "posthog", "bad", "--dry-run"], 3, id="dry run"),
    pytest.param(["run", "posthog", "in", "--host", "sandbox"], 0, id="trial"),
    pytest.param(["run", "posthog", "in", "--workdir", "w"], 2, id="no host"),
    pytest.param(["run", "posthog", "nowhere", *NIGHT], 2, id="no input"),
    pytest.param(["run", "posthog", "in", *NIGHT, "--log-file", "in/a.jsonl"], 2, id="no log"),
    pytest.param(["apply", "nowhere", "--host", "eu"], 5, id="no workdir"),
    pytest.param(["resend", "nowhere", "--host", "eu"], 5, id="nothing to resend"),
    pytest.param(["verify", "nowhere"], 5, id="nothing to verify"),
]
UNREAD = [
    pytest.param(["run", "posthog", "in", *NIGHT, "--rate", "fast"], id="value"),
    pytest.param(["run", "posthog", "in", *NIGHT, "--hots", "eu"], id="option"),
    pytest.param(["run", "posthog"], id="argument"),
    pytest.param(["run", "posthog", "in", "-c", "nowhere.toml"], id="file"),
]


@pytest.mark.parametrize(("words", "code"), ENDS)
def test_every_end_is_told_once_by_its_exit_code(tmp_path, listener, words, code):
    """With the summary that `--json` prints."""
    for name in ("without", "with"):
        (tmp_path / name).mkdir()
        rows(tmp_path / name / "in" / "a.jsonl")
        rows(tmp_path / name / "bad" / "a.jsonl", timestamp="soon")
    without = migrate(*words, cwd=tmp_path / "without").returncode
    done = migrate(*words, "--json", *addresses(listener), cwd=tmp_path / "with")
    assert (without, done.returncode) == (code, code), done.stderr
    assert listener.paths.count(f"{CHECK}/start") == 1
    assert ended(listener) == [code]
    (told,) = listener.bodies(HOOK)
    printed = summary(done)
    for one in (told, printed):
        one["run"] |= {"started": "", "ended": ""}
    assert told == printed
    assert told["run"]["exit_code"] == code


@pytest.mark.parametrize("words", UNREAD)
@pytest.mark.parametrize("way", ["typed", "variable"])
def test_a_command_that_cannot_be_read_is_told_as_far_as_the_address_can(tmp_path, listener, words, way):
    """Nothing has begun, so that is not told; wherever the mistake stands."""
    given = addresses(listener) if way == "typed" else []
    env = {"MIGRATE_PING": listener.url + CHECK, "MIGRATE_NOTIFY": listener.url + HOOK}
    typed = [*words[:1], *given, *words[1:]]
    done = migrate(*typed, "--json", cwd=tmp_path, env=env if way == "variable" else {})
    assert done.returncode == 2
    assert (ended(listener), listener.paths.count(f"{CHECK}/start")) == ([2], 0)
    assert listener.bodies(HOOK)[0]["run"]["error"] == summary(done)["run"]["error"]


def test_a_server_that_refuses_is_told_as_4(tmp_path, listener, source):
    """With why, in a word, and the error in the summary alone."""
    with Sandbox(faults=[{"fault": "status", "status": 401}]) as sandbox:
        words = ["run", "posthog", source, "--workdir", tmp_path / "w", "--host", sandbox.url]
        done = migrate(*words, "--api-key", KEY, *addresses(listener))
    assert done.returncode == 4
    assert ended(listener) == [4]
    (end,) = (one for one in listener.told if one.path == f"{CHECK}/4")
    assert end.body.splitlines()[0] == "exit code 4: stopped, run again to resume"
    assert "stopped: key" in end.body
    assert "401" in listener.bodies(HOOK)[0]["run"]["error"]


def test_no_is_0(tmp_path, listener, source):
    """The answer ends the command well."""
    with Capture() as capture:
        words = ["run", "posthog", str(source), "--workdir", str(tmp_path / "w"), "--host", capture.url]
        _, _, said, code = shown(tmp_path, [*words, *addresses(listener)], "n\n")
        assert capture.events == []
    assert (code, "nothing was sent" in said) == (0, True)
    assert ended(listener) == [0]


@pytest.mark.parametrize(
    ("number", "times"),
    some(
        [(number, times) for times in (1, 2) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)], 3
    ),
)
def test_an_interruption_is_told_once(tmp_path, listener, number, times):
    """In good order, or at once, where somebody asks twice."""
    source = rows(tmp_path / "in" / "a.jsonl", 3_000)
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.5}]) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        words += ["--rate", "500", "--api-key", KEY, *addresses(listener)]
        with started(*words) as process:
            while not sandbox.summary()["requests"]:
                assert process.poll() is None
            process.send_signal(number)
            if times > 1:
                while "finishing" not in process.stderr.readline():
                    assert process.poll() is None
                process.send_signal(number if number != signal.SIGHUP else signal.SIGTERM)
            out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert ended(listener) == [130]
    assert listener.bodies(HOOK) == [json.loads(out)]


AT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "migrate.cli.plan":
            os.kill(os.getpid(), signal.SIGTERM)
from migrate.__main__ import main
sys.meta_path.insert(0, Finder())
main()
"""


def test_an_interruption_before_the_work_is_told(tmp_path, listener, source):
    """While modules are read."""
    words = ["plan", "posthog", source, "--workdir", tmp_path / "w", *addresses(listener)]
    done = subprocess.run([sys.executable, "-c", AT, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, "interrupted; run the same command again")
    assert ended(listener) == [130]


def test_a_bug_is_told(tmp_path, listener, source, monkeypatch):
    """It keeps its traceback, which is nobody else's."""
    monkeypatch.setattr("migrate.cli.plan.find_todo", lambda *_: {}[HIDDEN])
    with pytest.raises(KeyError):
        migrate("plan", "posthog", source, "--workdir", tmp_path / "w", *addresses(listener))
    assert listener.paths.count(f"{CHECK}/fail") == 1
    error = listener.bodies(HOOK)[0]["run"]["error"]
    assert error == "a bug, whose traceback is on stderr"


def planned(tmp_path, *words, **env):
    """Plan three rows; the command, how many seconds it took, and its log."""
    source, log = rows(tmp_path / "in" / "a.jsonl"), tmp_path / "log"
    began = time.monotonic()
    typed = ["plan", "posthog", source, "--workdir", tmp_path / "w", "--quiet", "--log-file", log]
    done = migrate(*typed, *words, env=env)
    return done, time.monotonic() - began, log.read_text()


def warned(what, why, option="ping"):
    """The warning of a check, or a webhook."""
    return f"warning: --{option}: 127.0.0.1 was not told {what}, found '{why}'; the exit code stays 0\n"


TROUBLES = [
    pytest.param([500, 500], "this began", "it answers 500", 3, id="the start"),
    pytest.param([200, 503, 503], "how this ended", "it answers 503", 3, id="fails twice"),
    pytest.param([200, 404], "how this ended", "it answers 404", 2, id="no such check"),
    pytest.param(
        [200, 301], "how this ended", "it answers 301, and redirects are not followed", 2, id="leads away"
    ),
]


@pytest.mark.parametrize(("answers", "what", "why", "requests"), TROUBLES)
def test_what_was_not_told_is_a_warning(tmp_path, answers, what, why, requests):
    """Also with --quiet, and in the log; the exit code is that of the work. What may pass is tried twice."""
    with Listener(*answers) as listener:
        done, _, log = planned(tmp_path, "--ping", listener.url + CHECK)
    what = f"that {what}" if what == "this began" else what
    assert (done.returncode, done.stderr) == (0, warned(what, why))
    assert warned(what, why).strip() in log
    assert len(listener.told) == requests
    assert "/elsewhere" not in listener.paths


@pytest.mark.parametrize("answers", [[503], [200, 503], [200, "drops"]])
def test_what_passes_is_no_warning(tmp_path, answers):
    """The log says who was told."""
    with Listener(*answers) as listener:
        done, _, log = planned(tmp_path, "--ping", listener.url + CHECK)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--ping: 127.0.0.1 was told how this ended\n" in log
    assert ended(listener)[-1:] == [0]


def test_where_nobody_listens(tmp_path):
    """Each says it by itself."""
    with Listener() as gone:
        pass
    done, _, _ = planned(tmp_path, *addresses(gone))
    why = f"connection refused: nothing listens at 127.0.0.1:{gone.port}"
    assert done.returncode == 0
    assert done.stderr == warned("how this ended", why) + warned("how this ended", why, "notify")


def test_a_host_that_hangs_delays_the_end_by_seconds(tmp_path):
    """All of its signals together, whatever it hangs in; the work itself waits for nothing."""
    with Listener(*["hangs"] * 6) as listener:
        done, seconds, _ = planned(tmp_path, *addresses(listener))
    assert done.returncode == 0
    assert warned("how this ended", "no answer within 4 s", "notify") in done.stderr
    assert warned("how this ended", "no answer yet") in done.stderr
    assert seconds < notices._PATIENCE + 5  # noqa: SLF001 - what is promised


def test_who_does_not_want_to_wait_ends_it(tmp_path, source):
    """A signal then ends the waiting alone: the work is done, and its exit code stays."""
    with Listener(*["hangs"] * 6) as listener:
        words = ["plan", "posthog", source, "--workdir", tmp_path / "w", "--json", *addresses(listener)]
        with started(*words) as process:
            assert json.loads(process.stdout.readline())["run"]["exit_code"] == 0
            while HOOK not in listener.paths:
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert warned("how this ended", "no answer yet", "notify") in err


def test_who_asks_to_end_while_one_job_is_told_has_no_other_begun(tmp_path):
    """The job that has ended stands as it ended."""
    for name in ("web", "app"):
        rows(tmp_path / name / "a.jsonl")
    with Listener(*["hangs"] * 6) as listener:
        (tmp_path / "check").write_text(listener.url + CHECK)
        (tmp_path / "check").chmod(0o600)
        config = tmp_path / "migrate.toml"
        config.write_text(
            'platform = "posthog"\n[job.web]\ninputs = ["web"]\nping = { file = "check" }\n'
            '[job.app]\ninputs = ["app"]\n'
        )
        with started("plan", "--json", "--config", config) as process:
            assert json.loads(process.stdout.readline())["run"]["exit_code"] == 0
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert not (tmp_path / "app.workdir").exists()


def everything(folder):
    """All bytes of a folder's files, and their names."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return b"".join(str(path).encode() + path.read_bytes() for path in found)


WAYS = ["typed", "joined", "variable", "file"]


@pytest.mark.parametrize(
    ("way", "is_well"),
    [(way, is_well) for n, way in enumerate(WAYS) for is_well in (True, False) if EVERY or n % 2 == is_well],
)
def test_the_addresses_are_nowhere(tmp_path, way, is_well):
    """Not on the screen, in the log, in the workdir, in what is to be typed next; whether or not it is told."""
    (tmp_path / "here").mkdir()
    rows(tmp_path / "here" / "in" / "a.jsonl")
    rows(tmp_path / "here" / "bad" / "a.jsonl", timestamp="soon")
    with Listener(*([] if is_well else [404] * 9)) as listener:
        urls = {"ping": listener.url + CHECK, "notify": listener.url + HOOK}
        words, env = [], {}
        if way == "typed":
            words = addresses(listener)
        elif way == "joined":
            words = [f"--{name}={url}" for name, url in urls.items()]
        elif way == "variable":
            env = {f"MIGRATE_{name.upper()}": url for name, url in urls.items()}
        else:
            env = {f"A_{name}": url for name, url in urls.items()}
            (tmp_path / "here" / "migrate.toml").write_text(
                'ping = { env = "A_ping" }\nnotify = { env = "A_notify" }\n'
            )
        more = ["-v", "--log-file", "log", "--json", *words]
        said = ""
        for name in ("in", "bad"):
            typed = ["plan", "posthog", name, "--workdir", "w", *more]
            done = migrate(*typed, cwd=tmp_path / "here", env=env)
            said += done.stdout + done.stderr
        with Sandbox() as sandbox:
            typed = ["apply", "w", "--host", sandbox.url, "--api-key", KEY, *more]
            done = migrate(*typed, cwd=tmp_path / "here", env=env)
        said += done.stdout + done.stderr
        for last in (["status", "w", "--history", "--json"], ["rejects", "w", "--json"], ["show", "w"]):
            done = migrate(*last, cwd=tmp_path / "here", env=env)
            said += done.stdout + done.stderr
        assert len(ended(listener)) == 3
        assert (HIDDEN in str(listener.told[-1].headers)) is False
    assert HIDDEN not in said
    assert HIDDEN.encode() not in everything(tmp_path / "here")
    assert said.count("was not told how this ended") == (0 if is_well else 2 * 3)


def test_an_address_that_is_none_is_not_shown(tmp_path, source):
    """Nor one that is written down, or pasted in the wrong place."""
    wrong = "--ping: not an http or https URL; it is not shown, as it is a secret\n"
    for url in (
        f"ftp://h/{HIDDEN}",
        f"http://u:{HIDDEN}@h/",
        f"h/{HIDDEN}",
        f"http://h/{HIDDEN}#a",
        "http://h:99999/",
        "http://a..b/",
    ):
        done = migrate("plan", "posthog", source, "--ping", url, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (2, f"error: {wrong}")
    done = migrate("plan", "posthog", source, cwd=tmp_path, env={"MIGRATE_NOTIFY": f"x{HIDDEN}\udcff"})
    assert (done.returncode, HIDDEN in done.stderr) == (2, False)
    pasted = f"https://hc-ping.com/{HIDDEN}"
    looks = "looks like the address of a check or a webhook"
    belongs = "it belongs into MIGRATE_PING or MIGRATE_NOTIFY"
    done = migrate("plan", "posthog", pasted, cwd=tmp_path)
    assert done.stderr == f"error: INPUT...: {looks}, found 'https://hc-ping.com/***'; {belongs}\n"
    done = migrate("run", "posthog", source, "--host", pasted, "--api-key", KEY, cwd=tmp_path)
    assert done.stderr == (
        "error: --host: a URL with the address of a check or a webhook in it, found 'https://hc-ping.com/***'; give "
        "us, eu or a URL such as https://posthog.example.com\n"
    )
    for text in (
        f'ping = "{pasted}"',
        f'notify = "http://h/{HIDDEN}"',
        f'ping = {{ env = "http://h/{HIDDEN}" }}',
    ):
        (tmp_path / "migrate.toml").write_text(f'platform = "posthog"\ninputs = ["in"]\n{text}\n')
        done = migrate("plan", cwd=tmp_path)
        assert (done.returncode, HIDDEN in done.stderr) == (2, False)
        assert "a secret stands in no configuration file: write " in done.stderr
    assert HIDDEN.encode() not in everything(tmp_path / "in")


JOBS = """
platform = "posthog"
host = "{host}"
api_key = {{ env = "A_KEY" }}
yes = true

[job.web]
inputs = ["web"]
ping = {{ env = "WEB" }}

[job.app]
inputs = ["app"]
ping = {{ file = "app.check" }}
notify = {{ env = "HOOK" }}
"""


def test_each_job_tells_its_own(tmp_path, listener):
    """With an id of its own, and its name in the text."""
    rows(tmp_path / "app" / "a.jsonl")
    (tmp_path / "app.check").write_text(f"{listener.url}/app\n")
    (tmp_path / "app.check").chmod(0o600)
    with Sandbox() as sandbox:
        (tmp_path / "migrate.toml").write_text(JOBS.format(host=sandbox.url))
        rows(tmp_path / "web" / "a.jsonl", timestamp="soon")
        env = {"A_KEY": KEY, "WEB": f"{listener.url}/web", "HOOK": listener.url + HOOK}
        done = migrate("run", "--quiet", "--json", cwd=tmp_path, env=env)
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    codes = [one["run"]["exit_code"] for one in printed]
    assert (done.returncode, codes) == (3, [3, 0])
    assert (ended(listener, "/web"), ended(listener, "/app")) == ([3], [0])
    assert listener.bodies(HOOK) == [printed[1]]
    bodies = [one.body.splitlines()[0] for one in listener.told if one.path == "/app"]
    assert bodies == ["job app: exit code 0: done"]
    assert len({one.query["rid"][0] for one in listener.told if one.query}) == 2


@pytest.mark.parametrize(
    "words",
    [["run", "--host", "sandbox"], ["run", "--limit", "1", "--host", "sandbox"], ["run", "--dry-run"]],
)
def test_a_trial_tells_nobody_whom_only_a_file_names(tmp_path, listener, words):
    """It is no night; who types an address means it. A trial that is mistyped is one, too."""
    rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "migrate.toml").write_text(
        'platform = "posthog"\ninputs = ["in"]\nping = { env = "A" }\nnotify = { env = "B" }\n'
    )
    env = {"A": listener.url + CHECK, "B": listener.url + HOOK}
    assert migrate(*words, cwd=tmp_path, env=env).returncode == 0
    assert migrate(*words, "--rate", "fast", cwd=tmp_path, env=env).returncode == 2
    assert migrate("run", "--limit", "many", cwd=tmp_path, env=env).returncode == 2
    assert listener.told == []
    assert migrate(*words, "--ping", f"{listener.url}/mine", cwd=tmp_path, env=env).returncode == 0
    assert listener.paths == ["/mine/start", "/mine"]


def test_a_mistake_in_a_file_is_told_to_whom_it_names(tmp_path, listener):
    """In a value; of a file with a key that is unknown nobody knows anything."""
    path, env = tmp_path / "migrate.toml", {"A": listener.url + CHECK}
    path.write_text('platform = "posthog"\ninputs = ["in"]\nping = { env = "A" }\nrate = "fast"\n')
    assert migrate("run", cwd=tmp_path, env=env).returncode == 2
    assert listener.paths == [f"{CHECK}/2"]
    path.write_text('platform = "posthog"\nping = { env = "A" }\nrtae = 7\n')
    assert migrate("run", cwd=tmp_path, env=env).returncode == 2
    assert migrate("run", cwd=tmp_path, env=env | {"MIGRATE_PING": f"{listener.url}/mine"}).returncode == 2
    assert listener.paths == [f"{CHECK}/2", "/mine/2"]


def test_an_authority_of_ones_own_is_trusted(tmp_path):
    """By the variable that PostHog's is trusted by; else the warning names it."""
    authority = Authority(tmp_path)
    with Listener(context=authority.issue()) as listener:
        done, _, _ = planned(tmp_path, "--ping", listener.url + CHECK, SSL_CERT_FILE=str(authority.file))
        assert (done.stderr, listener.paths) == ("", [f"{CHECK}/start", CHECK])
        done, _, _ = planned(tmp_path, "--ping", listener.url + CHECK)
    assert done.returncode == 0
    assert done.stderr.startswith(
        "warning: --ping: 127.0.0.1 was not told how this ended, found 'its certificate is not trusted, signed by an "
        "authority that this machine does not know; if it is to be trusted, set SSL_CERT_FILE=/path/to/ca.pem"
    )


def test_a_proxy_is_taken_from_the_environment(tmp_path, listener):
    """As for PostHog; one that is not there is named."""
    url = "http://check.example/ping/1"
    done, _, _ = planned(tmp_path, "--ping", url, http_proxy=listener.url, no_proxy="")
    assert (done.returncode, done.stderr) == (0, "")
    assert listener.paths == ["/ping/1/start", "/ping/1"]
    with Listener() as gone:
        pass
    done, _, _ = planned(tmp_path, "--ping", url, http_proxy=gone.url, no_proxy="")
    assert (
        f"no way through the proxy: connection refused, nothing listens at 127.0.0.1:{gone.port}"
        in done.stderr
    )


def test_a_proxy_is_asked_for_a_tunnel_each_time(tmp_path):
    """Of an address with https it sees the host alone; a second attempt is as the first."""
    with Listener() as proxy:
        env = {"https_proxy": proxy.url, "no_proxy": ""}
        done, _, _ = planned(tmp_path, "--ping", f"https://check.example{CHECK}", **env)
    assert done.returncode == 0
    assert "no way through the proxy: " in done.stderr
    assert proxy.asked == ["CONNECT check.example:443"] * 4


def test_what_is_no_proxy_is_named(tmp_path):
    """Without its password."""
    env = {"http_proxy": "socks5://me:pw@h:1", "no_proxy": ""}
    done, _, _ = planned(tmp_path, "--ping", "http://check.example/ping/1", **env)
    assert done.returncode == 0
    assert "HTTP_PROXY: not the URL of an HTTP proxy, found 'socks5://***@h:1'" in done.stderr


def test_who_tells_nobody_pays_nothing(tmp_path, source):
    """The module is not even read."""
    code = "import sys, atexit; atexit.register(lambda: print('migrate.cli.notices' in sys.modules)); "
    code += "from migrate.__main__ import main; main()"
    words = ["plan", "posthog", source, "--workdir", tmp_path / "w"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
