"""A configuration file → jobs: for each the options as if they were typed, and the rules; every key is checked.

Keys are the long names of options, with underscores or hyphens. What stands above the tables holds for every job. Paths
are those of the file's folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from migrate.cli.secrets import NAMES as SECRETS
from migrate.cli.secrets import checked_reference, secret
from migrate.errors import UsageError
from migrate.inputs.names import expanded
from migrate.naming import is_path, named
from migrate.screen import masked, secret_in
from migrate.toml import parsed

if TYPE_CHECKING:
    from migrate.rules.declared import Rules

USUAL: Final = Path("migrate.toml")
"""What is read where none is named and it lies there."""
TYPED: Final = frozenset(
    (
        *("again", "config", "delete_persons", "dismiss", "dry_run", "history", "job", "limit", "partial"),
        *("output", "pretty", "renew", "resend_lost", "watch"),
    )
)
"""Options that are meant for one time, and stand in no file."""
_JOBS: Final = "job"
_RULES: Final = "rules"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_URL: Final = re.compile(r"[a-z][a-z0-9+]+://")

Value = str | bool | list[str] | Callable[[], str]
"""What click makes of an option: text as it is typed, a flag, several texts, or what gets a secret when it is asked."""


@dataclass(frozen=True)
class Job:
    """What one table of a file says; the name of what stands above the tables is ""."""

    name: str
    options: Mapping[str, Value]
    """By the names that commands give to their parameters."""
    folder: Path
    rules_said: Mapping[str, Any] = field(default_factory=dict, repr=False)
    where: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where in the file each option is said."""

    @property
    def workdir(self) -> Path | None:
        """The workdir that is named, or else the one that the job's or the platform's name gives, beside the file."""
        if (said := self.options.get("workdir")) is not None:
            return Path(str(said))
        name = self.name or named(str(self.options.get("platform", "")))
        return self.folder / f"{name}.workdir" if name else None

    def rules(self) -> Rules:
        """Return the rules; raises UsageError for what cannot be meant, and where a salt is not there."""
        return self._rules

    @cached_property
    def _rules(self) -> Rules:
        return _read_rules(
            self.rules_said,
            self.where,
            lambda name, value: secret(value, f"{self.where} {name}", self.folder),
        )


@dataclass(frozen=True)
class Config:
    """A configuration file: its jobs, one without a name where it has no tables for them, and what holds for all."""

    path: Path
    jobs: Sequence[Job]
    common: Job

    def chosen(self, names: Sequence[str]) -> Sequence[Job]:
        """Return the jobs of these names, in the order of the file; all of them where none is named."""
        known = [job.name for job in self.jobs if job.name]
        for name in names:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"; is {near[0]} meant?" if near else ""
                raise UsageError(
                    f"--job: {self.path} has no job of this name, found '{name}'{hint} (jobs are "
                    f"{', '.join(known) or 'none'})"
                )
        return [job for job in self.jobs if not names or job.name in names]


@dataclass(frozen=True)
class Chosen:
    """What a command has of a configuration file: one job of it, of those that are meant."""

    config: Config
    job: Job
    jobs: Sequence[Job]


def chosen_here(ctx: click.Context | None = None) -> Chosen | None:
    """Return what the command that runs has of a configuration file, if it has any."""
    ctx = ctx or click.get_current_context(silent=True)
    return ctx.obj if ctx is not None and isinstance(ctx.obj, Chosen) else None


def rules_here() -> Rules:
    """Return the rules of the command that runs; none where no file says any."""
    chosen = chosen_here()
    return _read_rules({}, "") if chosen is None else chosen.job.rules()


def _read_rules(
    said: Mapping[str, Any], where: str, secret: Callable[[str, Any], str] | None = None
) -> Rules:
    """Return the rules of a table; they know polars, which help needs none of."""
    from migrate.rules.declared import read  # noqa: PLC0415

    return read(said, where) if secret is None else read(said, where, secret)


def read_config(path: Path, params: Mapping[str, click.Parameter]) -> Config:
    """Return what a file says; `params` are options and arguments by the key that each has in it.

    Raises UsageError, which says where, for what cannot be read, is unknown or cannot be meant.
    """
    table = document(path)
    reader = _Reader(path, params)
    common = reader.job("", {key: value for key, value in table.items() if key != _JOBS}, "")
    tables = table.get(_JOBS, {})
    if not isinstance(tables, dict) or not all(isinstance(one, dict) for one in tables.values()):
        raise UsageError(
            f"{path}: {_JOBS}: not a table of jobs; write [{_JOBS}.NAME] and what it says below it"
        )
    jobs = [reader.job(name, one, f"[{_JOBS}.{name}] ", common) for name, one in tables.items()]
    people = str(path.parent / f"{path.stem}.people")  # of one job alone, too: another one may come
    jobs = [replace(job, options={"people": people, **job.options}) for job in jobs]
    _check_apart(path, jobs)
    return Config(path, jobs or [common], common)


def document(path: Path) -> dict[str, Any]:
    """Return what a file says, as it says it; raises UsageError for what is no TOML, and for a secret in it."""
    try:
        table = parsed(path)
    except OSError as error:
        raise UsageError(
            f"--config: {path} cannot be read, found '{error.strerror}'; check the path"
        ) from None
    except ValueError as error:
        raise UsageError(f"{path}: no TOML, {masked(str(error))}; see https://toml.io") from None
    for place, text in _texts(table):
        if (found := secret_in(text)) is not None:
            raise UsageError(
                f"{path}: {masked(place)}: looks like {found.what}; a secret stands in no configuration file: write "
                f"{found.key}"
            )
    return table


def _texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield all texts of a document, each with the key it stands under."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield f"{place}.{key}".lstrip("."), key
            yield from _texts(one, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, place)


def _check_apart(path: Path, jobs: Sequence[Job]) -> None:
    """Raise UsageError where two jobs would work in one workdir, or a job's name is no name of a folder."""
    there: dict[str, str] = {}
    for job in jobs:
        if not _NAME.fullmatch(job.name):
            raise UsageError(
                f"{path}: [{_JOBS}.{job.name}]: not a name, as its workdir is called so; letters, digits, '_', '.', '-'"
            )
        workdir = job.workdir
        if (
            workdir is not None
            and (other := there.setdefault(os.path.realpath(workdir), job.name)) != job.name
        ):
            raise UsageError(
                f"{path}: workdir: {workdir} is that of {other} and of {job.name}; each job has its own, so name none "
                "above the jobs"
            )


@dataclass(frozen=True)
class _Reader:
    """Reads the keys of a file's tables."""

    path: Path
    params: Mapping[str, click.Parameter]

    def job(self, name: str, table: Mapping[str, Any], where: str, common: Job | None = None) -> Job:
        """Return what a table says, on top of what stands above the tables."""
        options: dict[str, Value] = {} if common is None else dict(common.options)
        rules: dict[str, Any] = {} if common is None else dict(common.rules_said)
        places: dict[str, str] = {} if common is None else dict(common.places)
        said: set[str] = set()
        for key, value in table.items():
            known, place = key.replace("-", "_"), f"{self.path}: {where}{key}"
            if known in said:
                raise UsageError(f"{place}: said twice, with a hyphen and with an underscore; leave one out")
            said.add(known)
            if known == _RULES:
                rules |= self._rules(value, place)
                continue
            param = self._param(known, place)
            options[param.name or ""] = self._value(param, value, place)
            places[param.name or ""] = place
        job = Job(name, options, self.path.parent, rules, f"{self.path}: {where}[{_RULES}]", places)
        _read_rules({**rules, "hash_salt": "x" * 16} if "hash_salt" in rules else rules, job.where)
        return job

    def _rules(self, value: object, place: str) -> dict[str, Any]:
        """Return the rules that are said; the salt is a reference."""
        if not isinstance(value, dict):
            raise UsageError(f"{place}: not a table; write [{_RULES}] and a rule a line below it")
        rules = {key.replace("-", "_"): one for key, one in value.items()}
        if len(rules) < len(value):
            _read_rules(value, place)
        if (salt := rules.get("hash_salt")) is not None:
            checked_reference(salt, f"{place} hash_salt")
        return rules

    def _param(self, key: str, place: str) -> click.Parameter:
        if key in TYPED:
            raise UsageError(
                f"{place}: meant for one time; type --{key.replace('_', '-')} on the command line"
            )
        param = self.params.get(key)
        if param is None:
            near = get_close_matches(key.lower(), [*self.params, _RULES, _JOBS], 1)
            hint = f"is {near[0]} meant?" if near else "see docs/config.md for what there is"
            raise UsageError(f"{place}: no such option; {hint}")
        return param

    def _value(self, param: click.Parameter, value: object, place: str) -> Value:
        """Return what is said, as it would be typed."""
        if param.name in SECRETS:
            reference = checked_reference(value, place)
            return lambda: secret(reference, place, self.path.parent)
        if isinstance(param, click.Option) and param.is_flag:
            if isinstance(value, bool):
                return value
            raise UsageError(f"{place}: neither true nor false, found {_shown(value)}; write one of them")
        if getattr(param, "multiple", False) or param.nargs == -1:
            return [self._text(param, one, place) for one in (value if isinstance(value, list) else [value])]
        return self._text(param, value, place)

    def _text(self, param: click.Parameter, value: object, place: str) -> str:
        if isinstance(value, date | time):  # a date with a time is a date, too
            return value.isoformat()
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise UsageError(f'{place}: neither text nor a number, found {_shown(value)}; write it as "…"')
        if not isinstance(value, str):
            return str(value)
        is_file = isinstance(param.type, click.Path) or param.name == "inputs"
        is_file |= param.name == "platform" and is_path(value)
        if not is_file or not value.strip() or _URL.match(value):
            return value
        try:
            return str(self.path.parent / expanded(value))
        except ValueError as error:
            raise UsageError(f"{place}: {error}; check the path") from None


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else "a list" if isinstance(value, list) else "a table"
