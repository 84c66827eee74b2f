"""What a night is → the units of a scheduler: the files that make it run, quoted as that scheduler reads them."""

import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from importlib.resources import files
from pathlib import Path
from typing import Final

from migrate.cli.nights import Scheduler
from migrate.errors import UsageError

_TEMPLATES: Final[dict[Scheduler, dict[str, str]]] = {
    "cron": {"@name@.cron": "cron.in"},
    "systemd": {"@name@.service": "service.in", "@name@.timer": "timer.in"},
    "kubernetes": {"@name@.yaml": "kubernetes.in"},
    "airflow": {"@word@_nightly.py": "airflow.in"},
    "github-actions": {"@name@.yml": "github-actions.in"},
    "dagster": {"@word@_nightly.py": "dagster.in"},
}
"""Each scheduler's files -> what they are made of, in `templates/`, where `@name@` is a hole."""
KEY: Final = "POSTHOG_API_KEY"
"""The variable that has the key where nobody says another."""
_HOLE: Final = re.compile(r"@(\w+)@")
_OWN: Final = "migrate"
_LONGEST_NAME: Final = 37
"""Of a file's name: of a CronJob's name Kubernetes takes 52 letters."""
_LONGEST_LINE: Final = 998
"""Bytes of a line that every cron takes."""


@dataclass(frozen=True, kw_only=True)
class Night:
    """What runs, and when: `config` and `command` (of `migrate`) are paths from the root, of one line each."""

    config: Path
    command: str
    at: time
    zone: str
    image: str
    variables: Sequence[str] = (KEY,)
    """What the scheduler hands on of its secrets, as variables of the environment."""

    @property
    def name(self) -> str:
        """What the units are called: as the configuration file is, so that those of several files differ.

        Where a scheduler takes no such name, a few digits stand behind what is left of it.
        """
        stem = self.config.stem
        if stem == _OWN:
            return _OWN
        fit = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:_LONGEST_NAME].strip("-")
        digits = "" if fit == stem else hashlib.blake2b(os.fsencode(stem), digest_size=3).hexdigest()
        return "-".join(filter(None, (_OWN, fit, digits)))


def units(scheduler: Scheduler, night: Night) -> dict[str, str]:
    """Return the text of each file, by its name; raises UsageError for paths that the scheduler takes from nobody."""
    if scheduler == "systemd" and (odd := re.search(r"[\"'\\]", night.command)):
        raise UsageError(
            f"--format systemd: it runs no command in whose path there is a {odd[0]}, found {night.command}; install "
            "migrate elsewhere"
        )
    quote, folder = _QUOTES[scheduler], str(night.config.parent)
    holes = {
        "name": night.name,
        "word": night.name.replace("-", "_"),
        "clock": f"{night.at:%H:%M}",
        "hour": str(night.at.hour),
        "minute": str(night.at.minute),
        "zone": night.zone,
        "command": quote(night.command),
        "config": quote(str(night.config)),
        "folder": quote(folder),
        "place": _of_place(folder),
        "key": _of_place(re.sub(r"([*?[\\])", r"\\\1", folder)) + "posthog.env",
        "mounted": _of_text(f"/data/{night.config.name}".replace("$", "$$")),
        "image": _of_text(night.image),
        "secrets": "\n          ".join(f"{name}: ${{{{ secrets.{name} }}}}" for name in night.variables),
    }
    made = {
        _filled(name, holes): _filled(_template(file), holes) for name, file in _TEMPLATES[scheduler].items()
    }
    longest = max(len(line.encode()) for text in made.values() for line in text.splitlines())
    if scheduler == "cron" and longest > _LONGEST_LINE:
        raise UsageError(
            f"--format cron: the paths are too long, found a line of {longest:,} bytes, and not every cron takes more "
            f"than {_LONGEST_LINE}; use shorter ones, or systemd"
        )
    return made


def _template(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _filled(template: str, holes: dict[str, str]) -> str:
    return _HOLE.sub(lambda hole: holes[hole[1]], template)


def _of_cron(text: str) -> str:
    r"""Return a word of sh in a crontab, where `%` ends a command but for `\%`, and `\\` may be read as one `\`.

    A `\%` outside of quotes, and each `\` in quotes of its own, mean the same to every cron, also to one that knows
    neither rule.
    """
    parts = (part for part in re.split(r"([%\\])", text) if part)
    return "".join(r"\%" if part == "%" else shlex.quote(part) for part in parts)


def _of_systemd(text: str) -> str:
    """Return a word of a command line of systemd; one that begins with `:`, so that a `$` is one."""
    return '"{}"'.format(text.replace("\\", r"\\").replace('"', r"\"").replace("%", "%%"))


def _of_place(folder: str) -> str:
    """Return a folder as systemd reads it where there are no quotes: what it ends in is no blank."""
    return f"{folder.rstrip('/')}/".replace("%", "%%")


def _of_text(text: str) -> str:
    """Return a text in quotes, as YAML and Python read it; what is not printed stands as its number."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08X}" for letter in quoted)


def _of_github(text: str) -> str:
    """Return a text in quotes, in which `${{` begins no expression."""
    return _of_text(text.replace("${{", "${{ '${{' }}"))


_QUOTES: Final[dict[Scheduler, Callable[[str], str]]] = {
    "cron": _of_cron,
    "systemd": _of_systemd,
    "kubernetes": _of_text,
    "airflow": _of_text,
    "github-actions": _of_github,
    "dagster": _of_text,
}
"""How a path stands in the units."""
