"""A command that a configuration file speaks to: what it says stands for what is not typed; its jobs run in turn."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from migrate.cli import exits
from migrate.cli.config import TYPED, USUAL, Chosen, Config, Job, chosen_here, read_config
from migrate.cli.early import choose_voice
from migrate.cli.interrupt import was_asked
from migrate.cli.params import Option
from migrate.cli.ready import KEY, locate, make_ready, unlock
from migrate.cli.secrets import WATCHING
from migrate.cli.told import tell_error, telling
from migrate.errors import MigrateError, UsageError
from migrate.naming import is_same, named
from migrate.screen import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

R = TypeVar("R")


def configured(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options that name a configuration file and jobs of it."""
    kinds: Sequence[tuple[Sequence[str], Mapping[str, Any]]] = [
        (
            ("--config", "-c"),
            {
                "type": click.Path(path_type=Path, dir_okay=False),
                "metavar": "FILE",
                "envvar": ["MIGRATE_CONFIG"],
                "help": f"TOML file that says what is not typed.  [default: {USUAL}, if it lies here]",
            },
        ),
        (
            ("--job",),
            {
                "type": click.STRING,
                "metavar": "NAME",
                "multiple": True,
                "envvar": ["MIGRATE_JOB"],
                "help": "Only this job of the file (may be repeated).  [default: all of them, one after another]",
            },
        ),
    ]
    for names, how in reversed(kinds):
        command = click.option(*names, cls=Option, expose_value=False, **how)(command)
    return command


class Configured(click.Command):
    """Reads the file before what was typed, which wins; tells errors, so that other jobs run after them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed on top of what the file says."""
        if ctx.resilient_parsing or not _is_configured(self):
            return super().parse_args(ctx, args)
        parsed, _, _ = self.make_parser(ctx).parse_args(list(args))
        given = {
            name: value for name, value in parsed.items() if isinstance(value, str | bool | list | tuple)
        }
        chosen = chosen_here(ctx)
        asks_help = self.get_help_option(ctx)
        try:
            if chosen is None and (asks_help is None or asks_help.name not in given):
                chosen = self._choose(ctx, given)
            if chosen is None:
                return super().parse_args(ctx, args)
            ctx.obj = chosen
            ctx.default_map = self._defaults(given, chosen)
            rest = super().parse_args(ctx, args)
            choose_voice(ctx)
            unlock(ctx)
        except click.BadParameter as error:
            if chosen is None or error.param is None or not _is_from_file(ctx, error.param.name):
                raise
            place = chosen.job.places.get(
                error.param.name or "", f"{chosen.config.path}: {_key(error.param)}"
            )
            wrong = UsageError(f"{place}: {error.message}")
            vars(wrong)["ctx"] = ctx
            raise wrong from None
        except MigrateError as error:
            vars(error)["ctx"] = ctx
            raise
        return rest

    @property
    def _looks_at_all(self) -> bool:
        """Whether it takes the workdirs of all jobs at once."""
        return any(param.name == "workdirs" for param in self.params)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command, for each job after the other; what ends one early is told, and is no end of the others."""
        chosen = chosen_here(ctx)
        others = () if chosen is None or self._looks_at_all else chosen.jobs[1:]
        contexts = [
            self.make_context(ctx.info_name, list(ctx.meta[_WORDS]), ctx.parent, obj=replace(chosen, job=job))
            for job in others
            if chosen is not None
        ]
        if (note := ctx.meta.get(_NOTE)) and not ctx.params.get("quiet", False):
            click.echo(shown(note), err=True)
        if not contexts:
            return self._invoke_alone(ctx)
        for one in (ctx, *contexts):
            make_ready(one)
        codes: list[int] = []
        for one in (ctx, *contexts):
            choose_voice(one)
            if not one.params.get("quiet", False):
                click.echo(shown(f"job {one.obj.job.name}"), err=True)
            with one:
                codes.append(self._code(one))
            if was_asked(one):  # also where the job had ended by then, which stands
                codes.append(exits.INTERRUPTED)
            if codes[-1] == exits.INTERRUPTED:
                break
        sys.exit(exits.of_several(codes))

    def _invoke_alone(self, ctx: click.Context) -> object:
        """Run the command; an error says which one it ended, as a file may say how it is to be told."""
        try:
            with telling(ctx):
                return super().invoke(ctx)
        except (MigrateError, click.Abort, KeyboardInterrupt) as error:
            if isinstance(error, MigrateError):
                locate(error, ctx)
            vars(error)["ctx"] = ctx
            raise

    def _code(self, ctx: click.Context) -> int:
        """Return the exit code of the command, its error told."""
        try:
            with telling(ctx):
                super().invoke(ctx)
        except SystemExit as leave:
            return leave.code if isinstance(leave.code, int) else exits.DONE
        except (MigrateError, click.ClickException, click.Abort, KeyboardInterrupt) as error:
            if isinstance(error, MigrateError):
                locate(error, ctx)
            return tell_error(error, ctx)
        return exits.DONE

    def _choose(self, ctx: click.Context, given: Mapping[str, Any]) -> Chosen | None:
        """Return what there is of a configuration file for what was typed."""
        params = {param.name: param for param in self.params}
        typed = given.get("config", params["config"].value_from_envvar(ctx))
        if typed is None and not USUAL.is_file():
            return None
        path = USUAL if typed is None else params["config"].type_cast_value(ctx, typed)
        if typed is None:
            ctx.meta[_NOTE] = f"note: {USUAL} lies here and is read; what is typed wins"
        config = read_config(path, keys_here(ctx))
        names = given.get("job") or params["job"].value_from_envvar(ctx) or ()
        jobs = self._jobs(ctx, config, list(names), given)
        if len(jobs) > 1 and "workdir" in params:
            typed = given.get("workdir") or params["workdir"].value_from_envvar(ctx)
            if typed:
                raise UsageError(
                    f"--workdir: {config.path} has {len(jobs)} jobs, each with its own, found '{typed}'; name one with "
                    "--job"
                )
        return Chosen(config, jobs[0], jobs)

    def _jobs(
        self, ctx: click.Context, config: Config, names: Sequence[str], given: Mapping[str, Any]
    ) -> Sequence[Job]:
        """Return the jobs that are meant: those that are named, else the one of what was typed, else all."""
        is_plain = not given.get("platform") and not given.get("workdirs")
        workdir = self._workdir(ctx, config, given)
        if names or (is_plain and workdir is None):
            chosen = config.chosen(names)
            self._check_workdir(config, chosen, given)
            return chosen
        same = [job for job in config.jobs if workdir is not None and _is_same(job.workdir, workdir)]
        if same and same[0].name and _is_option(self, "workdir"):
            note = f"note: {workdir} is the workdir of the job {same[0].name}, which is meant"
            ctx.meta[_NOTE] = "\n".join(filter(None, (ctx.meta.get(_NOTE), note)))
        if not same and is_plain and _is_option(self, "workdir"):
            return config.jobs
        return same or [config.common]

    def _check_workdir(self, config: Config, chosen: Sequence[Job], given: Mapping[str, Any]) -> None:
        """Raise UsageError where a job is named and the workdir of another typed: whose rules hold is not clear."""
        workdir = given.get("workdir")
        others = [job for job in config.jobs if job not in chosen]
        names = ", ".join(job.name for job in chosen)
        if workdir and (whose := [job.name for job in others if _is_same(job.workdir, Path(str(workdir)))]):
            raise UsageError(
                f"--job: {workdir} is the workdir of the job {whose[0]}, found {names}; "
                "name one of them alone"
            )

    def _workdir(self, ctx: click.Context, config: Config, given: Mapping[str, Any]) -> Path | None:
        """Return the workdir that was typed, or, where a platform was, the one that this gives."""
        typed = given.get("workdir")
        if not (platform := str(given.get("platform") or "").strip()):
            return Path(typed) if typed else None
        for param in self.params:
            typed = typed or (param.name == "workdir" and param.value_from_envvar(ctx))
        if typed:
            return Path(str(typed))
        is_own = is_same(platform, str(config.common.options.get("platform", "")))
        return config.common.workdir if is_own else Path(f"{named(platform)}.workdir")

    def _defaults(self, given: Mapping[str, Any], chosen: Chosen) -> dict[str, Any]:
        """Return what the file says of this command's options and arguments."""
        names, job = {param.name for param in self.params}, chosen.job
        found: dict[str, Any] = {
            name: value for name, value in job.options.items() if name in names and name != KEY
        }
        if _tries(
            given, job
        ):  # nobody is told or asked of a trial, so that no address and no key of theirs is read
            found = {
                name: value for name, value in found.items() if name not in {*WATCHING, "personal_api_key"}
            }
        typed = str(given.get("platform") or "").strip()
        is_own = not typed or is_same(typed, str(job.options.get("platform", "")))
        if "workdir" in names and job.workdir is not None and is_own:
            found["workdir"] = str(job.workdir)
        if "workdirs" in names:
            found["workdirs"] = [str(one.workdir) for one in chosen.jobs if one.workdir is not None]
        return found


def _tries(given: Mapping[str, Any], job: Job) -> bool:
    """Return whether a command is typed, or is meant by its file, as a trial."""
    from migrate.cli.target import is_named_sandbox  # noqa: PLC0415 - help needs none of it

    host = given.get("host") or job.options.get("host")
    is_first = "limit" in given or bool(given.get("dry_run"))
    return is_first or (isinstance(host, str) and is_named_sandbox(host))


def _is_option(command: click.Command, name: str) -> bool:
    return any(param.name == name and isinstance(param, click.Option) for param in command.params)


def _is_configured(command: click.Command) -> bool:
    """Return whether a file speaks to a command, and is not only named by it."""
    return any(param.name == "job" for param in command.params)


def is_from_file(name: str) -> bool:
    """Return whether a configuration file said what the command that runs has under this name."""
    return _is_from_file(click.get_current_context(), name)


def _is_from_file(ctx: click.Context, name: str | None) -> bool:
    return name is not None and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


_NOTE: Final = "migrate.note"
_WORDS: Final = "migrate.words"


def _is_same(one: Path | None, other: Path) -> bool:
    return one is not None and os.path.realpath(one) == os.path.realpath(other)


def _key(param: click.Parameter) -> str:
    """Return what an option or argument is called in a file."""
    if isinstance(param, click.Option):
        return max(param.opts, key=len).lstrip("-").replace("-", "_")
    return param.name or ""


def keys_here(ctx: click.Context | None = None) -> dict[str, click.Parameter]:
    """Return what may stand in a file: the options and arguments of all commands that read one, by their keys."""
    group = (ctx or click.get_current_context()).find_root().command
    return keys_of(group.commands.values() if isinstance(group, click.Group) else [group])


def keys_of(commands: Iterable[click.Command]) -> dict[str, click.Parameter]:
    """Return what may stand in a file, by key, in the order of the commands and of their help."""
    found: dict[str, click.Parameter] = {}
    for command in commands:
        if _is_configured(command):
            for param in command.params:
                found.setdefault(_key(param), param)
    return {key: param for key, param in found.items() if key not in {*TYPED, "workdirs"}}
