"""`migrate init`: a configuration file for a platform, every key in it, commented out."""

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final, NoReturn

import click

from migrate import platforms
from migrate.cli import exits
from migrate.cli.configured import keys_of
from migrate.cli.fetching import FIRST, VENDORS
from migrate.cli.options import InitOptions
from migrate.cli.params import Sections
from migrate.errors import UsageError
from migrate.kit.declare import CHOICES
from migrate.naming import is_path
from migrate.own import Own
from migrate.rules.declared import Rules
from migrate.screen import shown

_SPECIFIED: Final = "table"
"""The platform whose options a spec decides."""
_WIDTH: Final = 100
_STDOUT: Final = "-"
_HERE: Final = Path()
_EXAMPLES: Final = {
    "host": '"eu"',
    "api_key": '{ env = "POSTHOG_API_KEY" }',
    "app_host": '"eu"',
    "personal_api_key": '{ env = "POSTHOG_PERSONAL_API_KEY" }',
    "project_id": '"12345"',
    "people": '"people"',
    "api_host": '"https://proxy.example.com"',
    "verify": "true",
    "wait": '"30m"',
    "spec": '"spec.toml"',
    "since": '"2020-01-01"',
    "until": '"2026-01-01"',
    "lookback": "3",
    "keep_days": "30",
    "source_timezone": '"UTC"',
    "user_id": '"member_id"',
    "uuid_compat": '"posthog-worker"',
    "labels": '"labels.json"',
    "group_key": '["company_id=company"]',
    "import_id": '"history"',
    "encoding": '"latin-1"',
    "delimiter": '";"',
    "dialect": '"plain"',
    "quote": "'\"'",
    "escape": "'\\'",
    "columns": '"time,user,action"',
    "null": '["-"]',
    "on_changed": '"replan"',
    "executor": '"processes"',
    "workers": "4",
    "rate": "1000",
    "max_attempts": "100",
    "min_age": '"48h"',
    "max_duration": '"5h"',
    "window": '"01:00-06:00"',
    "log_file": '"migrate.log"',
    "ping": '{ env = "MIGRATE_PING" }',
    "notify": '{ env = "MIGRATE_NOTIFY" }',
    "metrics_file": '"/var/lib/prometheus/node-exporter/migrate.prom"',
}
"""What stands behind keys that have no default of their own."""


def write_config(options: InitOptions) -> NoReturn:
    """Write the file, and say what is next; raises UsageError where there is one already."""
    path = options.output
    text = "\n".join(lines(options.platform, Path() if str(path) == _STDOUT else path.parent)) + "\n"
    if str(path) == _STDOUT:
        click.echo(text, nl=False)
        sys.exit(exits.DONE)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"--output: {path} is there already; name another file, or move it away") from None
    except OSError as error:
        raise UsageError(
            f"--output: {path} cannot be written, found '{error.strerror}'; check the path"
        ) from None
    click.echo(
        shown(f"{path}: what to read is still to be said in it; then: migrate run --dry-run -c {path}"),
        err=True,
    )
    sys.exit(exits.DONE)


def lines(said: str, folder: Path = _HERE) -> Iterator[str]:
    """Yield the lines of the file, which lies in this folder; what the platform has no use for is not in it."""
    own = Own(said) if is_path(said) else None
    platform = said if own is None else own.name
    found = None if own is None else own.platform
    mapping = None if platform == _SPECIFIED else platforms.platform(platform, None, found)
    place = platform if own is None else os.path.relpath(said, folder)
    yield from _said(
        f"What `migrate run` is told of {platform}: docs/config.md. What is typed wins over MIGRATE_…, that over this "
        "file, from which POSTHOG_HOST and POSTHOG_API_KEY must not differ. A line that is commented out says what "
        "holds without it, or is an example. Paths are those of this file's folder."
    )
    yield from ("", f"platform = {json.dumps(place, ensure_ascii=False)}", 'inputs = ["exports"]')
    ctx = click.get_current_context()
    group, groups = ctx.find_root().command, ctx.command.groups if isinstance(ctx.command, Sections) else {}
    keys = keys_of(group.commands.values() if isinstance(group, click.Group) else ())
    by_name = {param.name: (key, param) for key, param in keys.items()}
    unheeded = {
        option.removeprefix("--").replace("-", "_")
        for option in CHOICES - (mapping.options if mapping else CHOICES)
    }
    filters = sorted({name for table in mapping.tables for name in table.filters}) if mapping else []
    unheeded |= {"spec"} if mapping else set()
    unheeded |= set() if platform in VENDORS else {*FIRST}
    unheeded |= set() if filters else {"keep"}
    for title, names in groups.items():
        told = [by_name[name] for name in names if name in by_name and by_name[name][0] not in unheeded]
        if told:
            yield from ("", f"## {title}")
        for key, param in told:
            yield from _said((param.help or "") if isinstance(param, click.Option) else "")
            example = f'["{filters[0]}"]' if key == "keep" else _usual(key, param, platform)
            yield f"# {key} = {example}"
    yield from ("", *_said("Rules of your own, for all that is sent."), "# [rules]")
    for one in fields(Rules):
        yield from _said(one.metadata["summary"])
        yield f"# {one.name} = {one.metadata['example']}"
    yield ""
    yield from _said(
        "Several jobs in one file run one after another, each with a workdir of its own, and share who is who. What "
        "stands above holds for all of them."
    )
    yield from ("# [job.web]", '# inputs = ["exports/web"]', "# [job.app]", '# inputs = ["exports/app"]')


def _said(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _usual(key: str, param: click.Parameter, platform: str) -> str:
    """Return what a key stands for where nothing is said, or an example."""
    if key == "workdir":
        return f'"{platform}.workdir"'
    if key in _EXAMPLES:
        return _EXAMPLES[key]
    if isinstance(param, click.Option) and param.is_flag:
        return "true" if param.default is True else "false"
    return f"{param.default}" if isinstance(param.default, int) else f'"{param.default}"'
