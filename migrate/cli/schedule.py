"""`migrate schedule`: what makes `migrate run` run every night, ready for a scheduler."""

import os
import re
import shlex
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from migrate.cli.config import Job, document, read_config
from migrate.cli.configured import keys_here
from migrate.cli.nights import IMAGE, ScheduleOptions
from migrate.cli.secrets import NAMES as SECRETS
from migrate.cli.units import KEY, Night, units
from migrate.errors import UsageError
from migrate.fetching import amplitude, mixpanel
from migrate.kit.times import offset, zone_name
from migrate.screen import counted, shown

_CREDENTIALS: Final = {"amplitude": amplitude.VARIABLES, "mixpanel": mixpanel.VARIABLES}
"""What a job that fetches takes from the environment; of Mixpanel's one way or the other."""
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNFIT: Final = {"Cc", "Zl", "Zp"}
"""Kinds of characters that end a line, or steer a terminal."""


def print_units(options: ScheduleOptions) -> None:
    """Print the units, or write each as a file; raises UsageError where what they would run cannot be.

    The file is read as the night will read it; its secrets are not asked for.
    """
    config = Path(os.path.abspath(options.config))  # noqa: PTH100 - as it was named: without `..`, through links
    said, read = document(config), read_config(config, keys_here())
    jobs = [job.name for job in read.jobs if job.name]
    for job in read.jobs:
        if missing := [key for key in ("platform", "inputs") if key not in job.options]:
            where = f"[job.{job.name}]" if job.name else "the file"
            raise UsageError(f"{config}: {where} does not say {' and '.join(missing)}; a night needs both")
    vendors = [
        name for job in read.jobs if job.options.get("fetch") for name in _CREDENTIALS.get(_platform(job), ())
    ]
    variables = [*dict.fromkeys([KEY, *_variables(said), *vendors])]
    zone = zone_name(options.timezone, "--timezone")
    if offset(zone) is not None:
        raise UsageError(
            f"--timezone: an offset, found '{zone}'; schedulers know zones, give one such as Europe/Berlin"
        )
    if options.image is not None and options.format != "kubernetes":
        raise UsageError(f"--image: is for --format kubernetes, found {options.format}; leave it out")
    night = Night(
        config=config,
        command=_command(),
        at=options.at,
        zone=zone,
        image=options.image or IMAGE,
        variables=variables,
    )
    for path in (str(config), night.command):
        if any(unicodedata.category(letter) in _UNFIT for letter in path):
            raise UsageError(
                f"{path!r}: a control character in a path, which no unit can hold; use another folder"
            )
    made = units(options.format, night)
    if options.output is None:
        click.echo("\n".join(made.values()), nl=False)
    else:
        _write(options.output, made)
    of_jobs = f", {counted(len(jobs), 'job')} one after another: {', '.join(jobs)}" if jobs else ""
    click.echo(shown(f"every night at {options.at:%H:%M} {zone}: {config}{of_jobs}"), err=True)
    if variables[1:]:
        where = f"docs/schedules.md says where {options.format} has them from"
        click.echo(f"it takes from the environment: {', '.join(variables)}; {where}", err=True)
    click.echo(shown(f"before the first, once: migrate run -c {shlex.quote(str(config))}"), err=True)


def _platform(job: Job) -> str:
    return str(job.options.get("platform"))


def _variables(said: object, key: str = "") -> Iterator[str]:
    """Yield the variables that the file refers to for a secret, such as the address of a check."""
    if not isinstance(said, dict):
        return
    if key.replace("-", "_") in SECRETS and _VARIABLE.fullmatch(name := str(said.get("env", ""))):
        yield name
    for name, one in said.items():
        yield from _variables(one, name)


def _command() -> str:
    """Return the path of `migrate`: the one beside this Python, else the one that the shell finds."""
    beside = Path(sys.executable).with_name("migrate")
    found = str(beside) if beside.exists() else shutil.which("migrate")
    if found is None:
        raise UsageError(
            f"no command called migrate, found neither {beside} nor one on the PATH; install it (README, Install)"
        )
    return os.path.abspath(found)  # noqa: PTH100 - as above


def _write(folder: Path, made: dict[str, str]) -> None:
    """Write files that are not there yet, readable by all: they hold no key."""
    for name in made:
        if (folder / name).exists():
            raise UsageError(
                f"--output: {folder / name} is there already; move it away, or name another folder"
            )
    try:
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o644)
            click.echo(shown(str(folder / name)), err=True)
    except OSError as error:
        raise UsageError(
            f"--output: {folder} cannot be written to, {error.strerror}; name another folder"
        ) from None
