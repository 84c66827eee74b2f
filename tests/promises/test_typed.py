"""Whatever is typed for a number or a text is taken, or refused in a sentence with exit code 2, and nothing is done."""

import re

import click
import pytest
from commands import migrate, rows, summary

from migrate.cli.commands import cli
from migrate.cli.kinds import Blank, Duration

NO_NUMBERS = ["nan", "inf", "-inf", "1e400", "1e308", "-1", "-0.5", "9" * 20, "9" * 5000, "", " ", "much"]
NUMBERS = [
    pytest.param(command, option, id=f"{command} {option.opts[0]}")
    for command, one in cli.commands.items()
    for option in one.params
    if isinstance(
        option.type, (click.IntRange, click.FloatRange, Duration, type(click.INT), type(click.FLOAT))
    )
]
TEXTS = [
    pytest.param(command, option, id=f"{command} {option.opts[0]}")
    for command, one in cli.commands.items()
    for option in one.params
    if not getattr(option, "is_flag", False)
]
USUAL = {"--at": "02:30", "--format": "cron"}
"""Options that are always given, and a value of each."""


def words_of(command, given=()):
    """What a command must be given, but for what is given."""
    words = [command]
    for one in cli.commands[command].params:
        if one.required and one not in given:
            usual = next(iter(getattr(one.type, "choices", ["x"])))
            words += [one.opts[0], USUAL[one.opts[0]]] if one.param_type_name == "option" else [usual]
    return words


def refused(done, option):
    """Whether an option is refused in a sentence."""
    return done.returncode == 2 and (
        any(f"error: {name}: " in done.stderr for name in option.opts)
        or (
            option.param_type_name == "argument"
            and re.match(r"error: ([\[\]A-Z.]+|\{.+\}): ", done.stderr) is not None
        )
    )


def test_there_are_numbers():
    """All options of sending, for all that send, and the others."""
    assert len(NUMBERS) > 30


@pytest.mark.parametrize("text", NO_NUMBERS, ids=lambda text: repr(text[:21]))
@pytest.mark.parametrize(("command", "option"), NUMBERS)
def test_what_is_no_number_of_a_use_is_refused(command, option, text):
    """Not a number, without an end, below nothing, larger than anything there is: typed, and as a variable."""
    assert refused(migrate(*words_of(command, [option]), f"{option.opts[0]}={text}"), option)


@pytest.mark.law
@pytest.mark.parametrize(
    ("command", "option"), [one for one in NUMBERS if one.values[0] in {"run", "preview"}]
)
@pytest.mark.parametrize("which", ["least", "most"])
def test_the_bounds_of_a_number_work(tmp_path, command, option, which):
    """The smallest and the largest that are taken do what they say, without a traceback."""
    kind = option.type
    if isinstance(kind, Duration):
        text = "36600d" if which == "most" else str(kind.least)
    else:
        text = str(kind.max if which == "most" else kind.min)
    source = rows(tmp_path / "in" / "a.jsonl", 2)
    more = [] if command == "preview" else ["--workdir", tmp_path / "w", "--host", "sandbox"]
    if option.opts[0] == "--rate" and which == "least":
        more += ["--max-duration", "0.2"]  # and ten seconds of grace
    done = migrate(command, "posthog", source, *more, f"{option.opts[0]}={text}")
    assert done.returncode in {0, 6} or refused(done, option), done.stderr


@pytest.mark.parametrize("words", [["--rate", "nan"], ["--limit", "9" * 20], ["--people", ""]], ids=" ".join)
def test_what_is_refused_is_told_to_programs(tmp_path, words):
    """One sentence on stderr, and the JSON line."""
    done = migrate("run", "posthog", "x.jsonl", "--workdir", tmp_path / "w", "--json", *words)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert words[0] in summary(done)["run"]["error"]
    assert not (tmp_path / "w").exists()


def test_variables_are_refused_like_what_is_typed(tmp_path):
    """MIGRATE_RATE is --rate."""
    done = migrate("run", "posthog", "x", "--workdir", tmp_path / "w", env={"MIGRATE_RATE": "inf"})
    assert (done.returncode, "error: --rate (MIGRATE_RATE): " in done.stderr) == (2, True)


@pytest.mark.parametrize("text", ["", " ", "\t\n"], ids=repr)
@pytest.mark.parametrize(("command", "option"), TEXTS)
def test_nothing_is_no_value(command, option, text):
    """As from the variable of a shell that is not set: not the current folder, not a default."""
    if text and isinstance(option.type, Blank):
        pytest.skip("blanks are a delimiter, and what cells without a value may hold")
    words = words_of(command, [option])
    done = migrate(
        *words, *([text] if option.param_type_name == "argument" else [f"{max(option.opts, key=len)}={text}"])
    )
    assert refused(done, option), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["", "."], [".", ""], ["."]], ids=repr)
def test_nothing_among_the_inputs_is_refused(tmp_path, words):
    """Wherever it stands, nothing is made; the current folder is read where it is named."""
    rows(tmp_path / "a.jsonl", 2)
    done = migrate("plan", "posthog", *words, "--workdir", "w", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "w").exists()) == ((0, True) if words == ["."] else (2, False))
    assert (
        words == ["."]
        or ("error: INPUT...: nothing is said, found ''; a variable may not be set where it comes from")
        in done.stderr
    )


def test_a_variable_without_a_value_is_not_set(tmp_path):
    """As the shell has it: the default counts."""
    source = rows(tmp_path / "a.jsonl", 2)
    names = [
        "RATE",
        "LIMIT",
        "PEOPLE",
        "AGAIN",
        "NULL",
        "GROUP_KEY",
        "SPEC",
        "LABELS",
        "COLUMNS",
        "QUIET",
        "SINCE",
    ]
    env = {f"MIGRATE_{name}": "" for name in names}
    done = migrate(
        "run", "posthog", source, "--workdir", tmp_path / "w", "--host", "sandbox", "--json", env=env
    )
    assert (done.returncode, summary(done)["events"]["accepted"]) == (0, 2)


def test_columns_without_a_name_are_refused(tmp_path):
    """Commas alone name nothing, and would be passed over."""
    done = migrate("preview", "posthog", rows(tmp_path / "a.jsonl", 1), "--columns", " , ")
    assert (done.returncode, "--columns: no name in it, found ' , '; give them as a,b,…" in done.stderr) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    ("command", "option"),
    [one for one in TEXTS if getattr(one.values[1], "multiple", False) and one.values[1].envvar],
)
def test_the_variable_of_what_is_repeated_holds_a_value_a_line(command, option):
    """Each as it is, blanks and colons with it; typed, it is the same."""
    context = cli.commands[command].make_context(command, ["x"] * 9, resilient_parsing=True)
    (name,) = option.envvar
    for text, values in {
        "not set": ["not set"],
        "C:/a b:c.csv": ["C:/a b:c.csv"],
        " a \nb=c d\n": [" a ", "b=c d"],
        "a\r\n\r\nb\r\n": ["a", "b"],
    }.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(name, text)
            assert option.value_from_envvar(context) == values


def test_a_word_for_nothing_from_a_variable_is_one_word(tmp_path):
    """As it is with --null: another payload would be sent."""
    source = tmp_path / "a.csv"
    source.write_text("event,distinct_id,timestamp,plan,seat\ne,u,2024-04-03,not set,set\n")
    typed = migrate("preview", "posthog", source, "--null", "not set")
    said = migrate("preview", "posthog", source, env={"MIGRATE_NULL": "not set"})
    two = migrate("preview", "posthog", source, env={"MIGRATE_NULL": "not set\nset"})
    assert typed.stdout == said.stdout
    assert (typed.stdout.count("not set"), typed.stdout.count('"seat":"set"')) == (0, 1)
    assert two.stdout.count('"seat"') == 0


@pytest.mark.parametrize("command", ["status", "rejects", "apply", "resend", "plan", "run"])
@pytest.mark.parametrize("place", ["file", "file/w"])
def test_a_workdir_that_is_a_file_is_a_sentence(tmp_path, command, place):
    """Or that would lie in one; the file stays as it is. `status` shows it beside others, as what cannot be used."""
    (tmp_path / "file").write_text("x")
    source = rows(tmp_path / "a.jsonl", 1)
    words = ["posthog", source, "--workdir"] if command in {"plan", "run"} else []
    words += [tmp_path / place]
    words += ["--host", "sandbox"] if command in {"apply", "resend", "run"} else []
    done = migrate(command, *words)
    is_wrong = place == "file" and command != "status"
    assert done.returncode == 2 if is_wrong else done.returncode in {4, 5}
    assert str(tmp_path / place) in done.stderr
    assert (tmp_path / "file").read_text() == "x"


def test_a_sandbox_s_folder_that_cannot_be_is_told_from_a_taken_port(tmp_path):
    """It is --data that is wrong."""
    (tmp_path / "file").write_text("x")
    done = migrate("sandbox", "--data", tmp_path / "file" / "x", "--port", "0")
    assert (done.returncode, "--data: " in done.stderr, "name another folder" in done.stderr) == (
        2,
        True,
        True,
    )
