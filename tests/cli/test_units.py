"""Units of schedulers: what they say, that odd paths arrive as they are, and what becomes of each exit code."""

import ast
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from schedules import GOLDENS, NAMES, ODD, SCHEDULERS, night, odd, printed, script

from migrate.cli.commands import cli
from migrate.cli.units import units
from migrate.errors import UsageError


def value(pattern, text):
    """What stands in the one place of a text that a pattern finds."""
    (found,) = re.findall(pattern, text, re.MULTILINE)
    return found


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_units_are_those_of_the_golden(scheduler):
    """After a change, `python tests/schedules.py`."""
    assert printed(scheduler) == (GOLDENS / f"{scheduler}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_night_never_begins_a_workdir_and_asks_nobody(scheduler):
    """The options are those that `migrate run` has."""
    text = printed(scheduler)
    options = ("--existing", "--yes", "--quiet", "--json")
    assert [option for option in options if text.count(option) != 1] == []
    known = {name for param in cli.commands["run"].params for name in param.opts}
    assert {*options} <= known


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_no_hole_is_left(scheduler):
    """Nor is one in what was filled in."""
    assert not re.search(r"@\w+@", printed(scheduler))
    assert "@hour@" in printed(scheduler, config=Path("/at/@hour@/@hour@.toml"))


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("migrate", r"migrate"),
        ("acme-7", r"migrate-acme-7"),
        ("migrate-acme", r"migrate-migrate-acme"),
        ("migrates", r"migrate-migrates"),
        ("Acme Web", r"migrate-acme-web-[0-9a-f]{6}"),
        ("migrate.acme", r"migrate-migrate-acme-[0-9a-f]{6}"),
        ("äöü", r"migrate-[0-9a-f]{6}"),
        ("x" * 99, r"migrate-x{37}-[0-9a-f]{6}"),
    ],
)
def test_units_are_called_as_the_file_is(stem, name):
    """In letters that every scheduler takes; those of other files are called otherwise."""
    pattern, name = name, night(config=Path(f"/at/{stem}.toml")).name
    assert re.fullmatch(pattern, name)
    assert len(name) <= 52
    (service, timer) = units("systemd", night(config=Path(f"/at/{stem}.toml")))
    assert (service, timer) == (f"{name}.service", f"{name}.timer")
    (module,) = units("airflow", night(config=Path(f"/at/{stem}.toml")))
    assert module.removesuffix(".py").isidentifier()


def vixie(line):
    r"""What cron makes of a command: `\%` and `\\` lose the backslash, at a `%` the command ends."""
    command, rest = [], iter(line)
    for letter in rest:
        if letter == "%":
            break
        if letter == "\\":
            following = next(rest, "")
            command.append(following if following in {"%", "\\"} else letter + following)
        else:
            command.append(letter)
    return "".join(command)


def percent_alone(line):
    r"""What a cron makes of it that takes the backslash off `\%` alone."""
    return re.split(r"(?<!\\)%", line)[0].replace("\\%", "%")


def plain(line):
    """What a cron makes of it that knows no such rule, as BusyBox's."""
    return line


def test_files_that_look_alike_have_other_units():
    """A second one in the same place would take the place of the first."""
    stems = ["migrate", "Migrate", "acme", "ACME", "acme-", "migrate-acme", "ä", "東京", "x" * 60, "x" * 61]
    assert len({night(config=Path(f"/at/{stem}.toml")).name for stem in stems}) == len(stems)


@pytest.mark.parametrize("cron", [vixie, percent_alone, plain])
@example(ODD)
@given(NAMES)
def test_cron_and_sh_read_paths_as_they_are(cron, name):
    """However the cron reads `%` and backslashes."""
    line = printed("cron", **odd(name)).splitlines()[-1]
    words = cron(line.split(" ", 5)[5]).replace(" && set -a && . ./posthog.env && ", " ")
    shell = words.replace("cd ", "printf '%s\\n' ", 1).rpartition(" --existing ")[0]
    told = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, check=True).stdout.decode()
    path = odd(name)
    assert told.split("\n")[:-1] == [
        str(path["config"].parent),
        path["command"],
        "run",
        "-c",
        str(path["config"]),
    ]


def systemd_words(line):
    """The words of a command line, as systemd.service(5) reads it, without the `:` of the first."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line.removeprefix(":"))
    return [re.sub(r"\\(.)", r"\1", quoted).replace("%%", "%") or word for quoted, word in found]


@example(ODD)
@given(NAMES)
def test_systemd_reads_paths_as_they_are(name):
    """Words in quotes, paths without, and the key's file as a pattern."""
    path = odd(name) | {"command": "/bin/migrate"}
    text = units("systemd", night(**path))[f"{night(**path).name}.service"]
    assert systemd_words(value("^ExecStart=(.*)$", text))[:4] == [
        "/bin/migrate",
        "run",
        "-c",
        str(path["config"]),
    ]
    folder = value("^WorkingDirectory=(.*)$", text)
    assert folder.replace("%%", "%") == f"{path['config'].parent}/"
    key = value("^EnvironmentFile=(.*)$", text).replace("%%", "%")
    assert re.sub(r"\\(.)", r"\1", key) == f"{path['config'].parent}/posthog.env"
    assert not re.search(r"(?<!\\)(?:\\\\)*[*?[]", key)
    assert "%" not in text.replace("%%", "")


@pytest.mark.parametrize("scheduler", ["airflow", "dagster"])
@example(name=ODD)
@given(name=NAMES)
def test_python_reads_paths_as_they_are(scheduler, name):
    """The unit compiles, too."""
    tree = ast.parse(printed(scheduler, **odd(name)))
    found = {
        one.targets[0].id: ast.literal_eval(one.value)
        for one in tree.body
        if isinstance(one, ast.Assign) and one.targets[0].id in {"FOLDER", "COMMAND"}
    }
    path = odd(name)
    assert found["FOLDER"] == str(path["config"].parent)
    assert found["COMMAND"][:4] == [path["command"], "run", "-c", str(path["config"])]


@example(ODD)
@given(NAMES)
def test_no_path_is_an_expression_of_githubs(name):
    """All that is one gives back what begins one; the key alone is another."""
    text = printed("github-actions", **odd(name)).replace("${{ secrets.POSTHOG_API_KEY }}", "")
    config = ast.literal_eval(value("^ +CONFIG: (.*)$", text))
    assert config.replace("${{ '${{' }}", "${{") == str(odd(name)["config"])
    assert "${{" not in config.replace("${{ '${{' }}", "")


@example(ODD)
@given(NAMES)
def test_no_path_is_a_variable_of_kubernetes(name):
    """Two `$` are one, and one alone is none."""
    text = printed("kubernetes", **odd(name))
    file = ast.literal_eval(value(r"^ +args: \[run, -c, (.*), --existing", text))
    assert file.replace("$$", "$") == f"/data/{name}.toml"
    assert "$" not in file.replace("$$", "")


@pytest.mark.parametrize(
    ("scheduler", "paths", "said"),
    [
        (
            "cron",
            {"command": f"/{'x' * 900}/migrate"},
            r"--format cron: the paths are too long, found a line of 1,\d+ bytes",
        ),
        (
            "systemd",
            {"command": "/it's/migrate"},
            r"no command in whose path there is a ', found /it's/migrate; install",
        ),
    ],
)
def test_paths_that_a_scheduler_takes_from_nobody_are_refused(scheduler, paths, said):
    """Such a unit would do nothing, at night."""
    with pytest.raises(UsageError, match=said):
        units(scheduler, night(**paths))


@pytest.fixture
def fakes(tmp_path):
    """A folder of commands: a `migrate` that ends with the codes it is told, one after another, and a `sleep`."""
    (tmp_path / "migrate").write_text(
        '#!/bin/sh\necho "$POSTHOG_API_KEY" "$@" >> "$0.log"\n'
        'code=$(head -n 1 "$0.codes")\nsed -i 1d "$0.codes"\nexit "$code"\n'
    )
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    for name in ("migrate", "sleep"):
        (tmp_path / name).chmod(0o755)
    return tmp_path


def with_codes(fakes, codes, *words, **env):
    """Run a shell with the fakes; its exit code, and how often `migrate` was called."""
    (fakes / "migrate.codes").write_text("".join(f"{code}\n" for code in codes))
    (fakes / "migrate.log").write_text("")
    done = subprocess.run(
        words, env={"PATH": f"{fakes}:/usr/bin:/bin"} | env, capture_output=True, check=False, cwd=fakes
    )
    return done.returncode, len((fakes / "migrate.log").read_text().splitlines())


@pytest.mark.parametrize(
    ("codes", "outcome"),
    [
        ([0], (0, 1)),
        ([6], (0, 1)),
        ([3], (3, 1)),
        ([5], (5, 1)),
        ([2], (2, 1)),
        ([4, 4, 0], (0, 3)),
        ([4, 6], (0, 2)),
        ([4, 4, 4, 4], (4, 4)),
    ],
)
def test_exit_codes_on_a_runner_of_githubs(fakes, codes, outcome):
    """4 is tried again, 6 is well, all else is what it is."""
    env = {"COMMAND": str(fakes / "migrate"), "CONFIG": "a b"}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script(printed("github-actions"))]
    assert with_codes(fakes, codes, *shell, **env) == outcome


@pytest.mark.parametrize(("code", "outcome"), [(0, 0), (6, 0), (4, 4), (5, 5)])
def test_exit_codes_in_a_pod(fakes, code, outcome):
    """6 is well there, too; what is tried again is the policy's business."""
    words = ["/bin/sh", "-c", script(printed("kubernetes")), "migrate", "run"]
    assert with_codes(fakes, [code], *words) == (outcome, 1)


def test_a_pod_that_is_stopped_lets_migrate_end_in_good_order(tmp_path):
    """The shell hands the signal on and waits, also where migrate ends at that moment: each of many times."""
    fake, waits = tmp_path / "migrate", tmp_path / "waits"
    os.mkfifo(waits)
    lines = [
        "#!/bin/sh",
        "trap 'trap : TERM; echo in good order; exit 130' TERM",
        "echo $$",
        f"read -r line < '{waits}'",
    ]
    fake.write_text("\n".join(lines))
    fake.chmod(0o755)
    words = ["/bin/sh", "-c", script(printed("kubernetes")), "migrate", "run"]
    for number in range(40):
        with subprocess.Popen(
            words, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True
        ) as shell:
            try:
                migrate = int(shell.stdout.readline())
                if number % 2:
                    os.kill(migrate, signal.SIGTERM)
                shell.send_signal(signal.SIGTERM)
                assert (shell.communicate(timeout=20)[0], shell.returncode) == ("in good order\n", 130)
            finally:
                shell.kill()


def test_the_line_of_a_crontab_runs(fakes):
    """In the folder of the file, with the key of the file beside it; what it tells is kept."""
    folder = fakes / "a b%'\\"
    folder.mkdir()
    (folder / "posthog.env").write_text("POSTHOG_API_KEY=phc_night\n")
    text = printed("cron", config=folder / "migrate.toml", command=str(fakes / "migrate"))
    code, calls = with_codes(fakes, [0], "/bin/sh", "-c", vixie(text.splitlines()[-1].split(" ", 5)[5]))
    assert (code, calls) == (0, 1)
    assert (
        (fakes / "migrate.log").read_text().startswith(f"phc_night run -c {folder}/migrate.toml --existing ")
    )
    assert (folder / "migrate.jsonl").exists()
