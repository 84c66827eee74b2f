"""The commands that go on with a workdir, as they can be typed where this process is."""

import os
import shlex
from collections.abc import Collection, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from migrate.apply import age
from migrate.inputs.names import path_text
from migrate.inputs.stored import located, stored
from migrate.workdir import standing
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.standing import OF_FILE
from migrate.workdir.typed import RESEND_LOST, Command, operand

UNKNOWN: Final = "…"
"""In the place of a host that nobody has named yet."""
_HOSTS: Final = ("MIGRATE_HOST", "POSTHOG_HOST")
_KEYS: Final = ("MIGRATE_API_KEY", "POSTHOG_API_KEY")
_LIMIT: Final = ("MIGRATE_LIMIT",)
MOST: Final = 15
"""More files are not named in a command."""
_SANDBOX: Final = "sandbox"
_OF_FILE: Final = ("--config", "--job")
"""Options that name a configuration file, and what of it is meant."""


def status(checkpoint: Checkpoint, name: str) -> str:
    """Return a command that only looks at the workdir, or works in it without a target."""
    return shlex.join(["migrate", name, operand(str(checkpoint.workdir))])


def to_target(checkpoint: Checkpoint, name: str) -> str:
    """Return the command, `apply` or `resend`, that sends to the workdir's target; the key is not in it.

    A configuration file that the workdir was planned with is named, with its job: what it says holds for sending, too.
    """
    facts = checkpoint.facts()
    typed = _planned_by(facts) or Command(name, None, (), (), str(Path.cwd()))
    of_file = [option for option in typed.options if option.name in _OF_FILE]
    command = replace(typed, name=name, platform=None, options=of_file)
    host = facts.get("target") or facts.get("asked_for")
    if host is None and not typed.is_aimed:
        host = _named(_HOSTS) or UNKNOWN
    words = [command.shown(checkpoint.workdir)]
    if host is not None:
        words.append(f"--host {host if host == UNKNOWN else shlex.quote(host)}")
    if (min_age := facts.get("min_age")) is not None and (host is None or min_age != age.usual(host)):
        words.append(f"--min-age {_decimal(min_age)}")
    return " ".join(words)


def _decimal(seconds: float) -> str:
    """Return a number with all its digits and without an exponent, as a duration is typed."""
    return f"{Decimal(repr(seconds)):f}".removesuffix(".0")


def planning(checkpoint: Checkpoint) -> list[str]:
    """Return the commands that finish the plan."""
    return [Command.of(one).shown(checkpoint.workdir) for one in checkpoint.facts().get("unfinished", [])]


def resend_lost(checkpoint: Checkpoint) -> str:
    """Return the command that sends, and sends again what files that were sent and are lost may have held."""
    return f"{to_target(checkpoint, 'apply')} {RESEND_LOST}"


def sending(checkpoint: Checkpoint) -> str:
    """Return the command that was sending."""
    typed = checkpoint.facts().get("sent_by")
    return Command.of(typed).shown(checkpoint.workdir) if typed else to_target(checkpoint, "apply")


def again(checkpoint: Checkpoint, *sources: str) -> str | None:
    """Return the command that plans sources anew; None where it is not known how they were planned."""
    typed = _planned_by(checkpoint.facts())
    if typed is None or any(source.startswith("(") for source in sources):
        return None
    paths = list(dict.fromkeys(path_text(source) for source in sources))
    known = [located(typed.folder, one) for one in typed.inputs]
    inputs = [os.path.normpath(one) for one in known]
    others = [path for path in paths if not any(Path(path).is_relative_to(one) for one in inputs)]
    command = typed.of_inputs(*known, *others) if others else typed
    for path in paths:
        command = command.plus("--again", path)
    return command.shown(checkpoint.workdir)


def set_right(checkpoint: Checkpoint) -> str:
    """Return the command that plans anew what is set aside because it changed, or else the one that lists all."""
    aside = {name: one for name, one in checkpoint.set_aside().items() if not one.is_dismissed}
    is_changed = all(one.reason == "changed" for one in aside.values())
    way = again_as_typed(checkpoint, aside) if is_changed else None
    return way or status(checkpoint, "rejects")


def fetched(checkpoint: Checkpoint, reasons: Iterable[str]) -> str | None:
    """Return the command that plans the files anew that are rejected for these reasons, once they are fetched again.

    None where a row is among them, or where they cannot be named.
    """
    of_file = [*reasons]
    return (
        again_as_typed(checkpoint, standing.files(checkpoint, of_file))
        if OF_FILE.issuperset(of_file)
        else None
    )


def again_as_typed(checkpoint: Checkpoint, names: Collection[str]) -> str | None:
    """Return the command that plans these sources anew; None where one is gone, or they cannot be typed, or not all."""
    paths = [path_text(name) for name in names]
    can_be_typed = 0 < len(paths) <= MOST and all(
        path.isprintable() and stored(path).exists() for path in paths
    )
    return again(checkpoint, *names) if can_be_typed else None


def are_there(names: Iterable[str]) -> bool:
    """Return whether the files of all these sources are there."""
    return all(stored(path).exists() for path in dict.fromkeys(map(path_text, names)))


def whole(checkpoint: Checkpoint) -> str | None:
    """Return the command that plans all of what a trial has planned the first rows of, in another workdir."""
    typed = _planned_by(checkpoint.facts())
    if typed is None:
        return None
    command, host = typed.without("--limit"), ""
    if ("--host", _SANDBOX, False) in command.options:
        command, host = command.without("--host"), f" --host {UNKNOWN}"
    workdir = checkpoint.workdir
    return command.shown(workdir.with_name(f"{workdir.name}-all")) + host


def needs(command: str) -> list[str]:
    """Return what is to be known where this command is typed: the host, the key, what the environment would add."""
    name = command.split()[1]
    found = []
    if f"--host {UNKNOWN}" in command:
        found.append(f"{UNKNOWN} is us, eu or the URL of your PostHog")
    if (
        name in {"run", "apply", "resend"}
        and " --config " not in command
        and f"--host {_SANDBOX}" not in command
        and _named(_KEYS) is None
    ):
        found.append(
            "the key is left out of the command: set POSTHOG_API_KEY to the project's key, it is not set here"
        )
    if name in {"run", "plan"} and "--limit" not in command and _named(_LIMIT):
        found.append("MIGRATE_LIMIT is set here, and makes a trial of it; unset it first")
    return found


def _planned_by(facts: dict[str, Any]) -> Command | None:
    """Return the command that planned last, without what was meant for once."""
    typed = facts.get("planned_by")
    return Command.of(typed).anew() if typed else None


def _named(variables: tuple[str, ...]) -> str | None:
    return next((text for name in variables if (text := os.environ.get(name))), None)
