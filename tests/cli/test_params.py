"""An option is a field: a command is called with one object of what was typed."""

from dataclasses import FrozenInstanceError, dataclass

import click
import pytest
from click.testing import CliRunner
from commands import migrate, rows, summary

from migrate.cli.params import Sections, argument, arguments, flag, option, preset, repeated, switch, takes


@dataclass(frozen=True, kw_only=True)
class Words:
    """One option of each kind."""

    first: str = argument(click.STRING)
    rest: tuple[str, ...] = arguments(click.STRING, "REST...")
    max_size: int | None = option(click.INT, "How large.", envvar=["SIZE"])
    place: str | None = option(click.STRING, "Where.")
    rate: float = preset(click.FLOAT, "1.5", "How fast.")
    nulls: tuple[str, ...] = repeated(click.STRING, "What is nothing.", metavar="TEXT", word="null")
    loud: bool = flag("Loudly.", short="l")
    dry: bool = flag("Dry.", is_typed_only=True)
    gzip: bool = switch("gzip", "Compressed.", default=True)


GROUPS = {"Where": ("place", "max_size"), "Nowhere": ("other",), "How": ("loud", "dry")}


def typed(*words, env=None):
    """What a command is called with."""
    found = []

    @click.command()
    @takes("words", Words)
    @click.option("--other", default=1)
    def command(words, other):
        found.extend([words, other])

    done = CliRunner(env=env).invoke(command, words)
    return found[0] if found else done.output


def test_what_is_typed_is_one_frozen_object():
    """Each field is what click makes of the text."""
    words = [
        "a",
        "b",
        "c",
        "--max-size",
        "7",
        "--place",
        "p",
        "--null",
        "x",
        "--null",
        "y",
        "--no-gzip",
        "--loud",
    ]
    assert (
        typed(*words)
        == typed(*words[:-1], "-l")
        == Words(
            first="a",
            rest=("b", "c"),
            max_size=7,
            place="p",
            rate=1.5,
            nulls=("x", "y"),
            loud=True,
            dry=False,
            gzip=False,
        )
    )
    with pytest.raises(FrozenInstanceError):
        typed(*words).loud = False


def test_what_is_not_typed_has_its_default():
    """A default that is a text is read as if it had been typed."""
    found = typed("a", "b", "--place", "p")
    assert (found.max_size, found.rate, found.nulls, found.loud, found.gzip) == (None, 1.5, (), False, True)


def test_what_must_be_typed_is_asked_for():
    """In click's words."""
    assert "Missing argument 'REST...'" in typed("a", "--place", "p")


def test_environment_variables_are_called_like_the_option():
    """MIGRATE_<NAME>, and others that were named; what is typed only has none."""
    found = typed(
        "a",
        "b",
        env={"MIGRATE_PLACE": "p", "SIZE": "8", "MIGRATE_NULL": "x", "MIGRATE_DRY": "1", "MIGRATE_GZIP": "0"},
    )
    assert (found.place, found.max_size, found.nulls, found.dry, found.gzip) == ("p", 8, ("x",), False, False)
    assert typed("a", "b", env={"MIGRATE_PLACE": "p", "SIZE": "8", "MIGRATE_MAX_SIZE": "9"}).max_size == 9


def test_help_keeps_the_order_of_the_fields():
    """Whatever stands beside them."""

    @click.command()
    @takes("words", Words)
    @click.option("--other")
    def command(words, other):
        pass

    names = [one.opts[-1] for one in command.params]
    assert names == [
        *(
            "first",
            "rest",
            "--max-size",
            "--place",
            "--rate",
            "--null",
            "--loud",
            "--dry",
            "--gzip",
            "--other",
        ),
    ]


def test_help_shows_options_in_groups_with_their_variables():
    """A group of which a command has no option is not shown; what is in none comes last."""

    class Grouped(Sections):
        """A command whose help is looked at."""

        groups = GROUPS

    @click.command(cls=Grouped)
    @takes("words", Words)
    def command(words):
        """Do it."""

    shown = CliRunner().invoke(command, ["--help"]).stdout.partition("Do it.\n\n")[2]
    assert (
        shown
        == """\
Where:
  --place TEXT        Where.  [env: MIGRATE_PLACE]
  --max-size INTEGER  How large.  [env: MIGRATE_MAX_SIZE, SIZE]

How:
  -l, --loud  Loudly.  [env: MIGRATE_LOUD]
  --dry       Dry.

Other options:
  --rate FLOAT        How fast.  [default: 1.5]  [env: MIGRATE_RATE]
  --null TEXT         What is nothing.  [env: MIGRATE_NULL]
  --gzip / --no-gzip  Compressed.  [default: gzip]  [env: MIGRATE_GZIP]
  --help              Show this message and exit.
"""
    )


def test_an_option_may_have_a_letter_too():
    """Both are the same option."""

    @dataclass(frozen=True, kw_only=True)
    class Loud:
        loud: bool = flag("Loudly.", short="l")

    @click.command()
    @takes("words", Loud)
    def command(words):
        click.echo(words.loud)

    assert [CliRunner().invoke(command, each).output for each in (["-l"], ["--loud"], [])] == [
        "True\n",
        "True\n",
        "False\n",
    ]


def test_a_name_that_cannot_be_written_down_is_a_sentence(tmp_path):
    """Of a workdir or a log; inputs are called as they are."""
    folder = tmp_path / "odd\udcff"
    source = rows(folder / "in\udcff.jsonl", 2)
    for words in (["--workdir", folder / "w"], ["--workdir", "w", "--log-file", folder / "log"]):
        refused = migrate("plan", "posthog", source, *words, cwd=tmp_path)
        assert refused.returncode == 2
        assert refused.stderr.splitlines()[-1].startswith(f"error: {words[-2]}: not UTF-8, found ")
    refused = migrate("plan", "posthog", source, "--workdir", "w", cwd=folder)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: --workdir: a folder whose name is not UTF-8, found ")
    done = migrate("plan", "posthog", source, "--workdir", "w", "--again", source, "--json", cwd=tmp_path)
    assert (done.returncode, summary(done)["rows"]["read"]) == (0, 2)
