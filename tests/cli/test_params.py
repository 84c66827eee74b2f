"""An option is a field: a command is called with one object of what was typed."""

from dataclasses import FrozenInstanceError, dataclass

import click
import pytest
from click.testing import CliRunner

from migrate.cli.params import argument, arguments, flag, option, preset, repeated, required, switch, takes


@dataclass(frozen=True, kw_only=True)
class Words:
    """One option of each kind."""

    first: str = argument(click.STRING)
    rest: tuple[str, ...] = arguments("REST...")
    max_size: int | None = option(click.INT, "How large.", envvar=["SIZE"])
    place: str = required(click.STRING, "Where.")
    rate: float = preset(click.FLOAT, "1.5", "How fast.")
    nulls: tuple[str, ...] = repeated(click.STRING, "What is nothing.", metavar="TEXT", word="null")
    loud: bool = flag("Loudly.")
    dry: bool = flag("Dry.", is_typed_only=True)
    gzip: bool = switch("gzip", "Compressed.", default=True)


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
    assert typed(*words) == Words(
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
    with pytest.raises(FrozenInstanceError):
        typed(*words).loud = False


def test_what_is_not_typed_has_its_default():
    """A default that is a text is read as if it had been typed."""
    found = typed("a", "b", "--place", "p")
    assert (found.max_size, found.rate, found.nulls, found.loud, found.gzip) == (None, 1.5, (), False, True)


def test_what_must_be_typed_is_asked_for():
    """In click's words."""
    assert "Missing option '--place'" in typed("a", "b")
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

    names = [one.opts[0] for one in command.params]
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


def test_an_option_may_have_a_letter_too():
    """Both are the same option."""

    @dataclass(frozen=True, kw_only=True)
    class Loud:
        loud: bool = flag("Loudly.", letter="l")

    @click.command()
    @takes("words", Loud)
    def command(words):
        click.echo(words.loud)

    assert [CliRunner().invoke(command, each).output for each in (["-l"], ["--loud"], [])] == [
        "True\n",
        "True\n",
        "False\n",
    ]
