"""`migrate sandbox`: a PostHog to try against, until it is interrupted."""

import json
from pathlib import Path
from typing import IO

import click

from migrate.cli.options import SandboxOptions
from migrate.errors import UsageError
from migrate.sandbox.server import Rules, serve


def run_sandbox(options: SandboxOptions) -> None:
    """Listen, and say where; raises UsageError where an option cannot be."""
    faults = _faults(options.faults)
    if options.data is not None:
        _make(options.data)
    try:
        serve(
            port=options.port,
            app_port=options.app_port,
            data=options.data,
            host=options.bind,
            faults=faults,
            has_v1=options.v1,
            on_ready=_say,
        )
    except OSError as error:
        why = error.strerror or str(error)
        ports = f"--port {options.port}"
        ports += "" if options.app_port is None else f" or --app-port {options.app_port}"
        raise UsageError(f"{ports}: cannot listen at {options.bind}, {why}; name another") from error


def _say(url: str, app_url: str) -> None:
    click.echo(
        f"listening on {url}\nwhat arrived: {url}/_sandbox/summary and {url}/_sandbox/events.jsonl", err=True
    )
    if app_url != url:
        click.echo(f"private API at {app_url}, for --app-host", err=True)


def _faults(file: IO[str] | None) -> Rules:
    """Return the rules in a file."""
    try:
        found = json.load(file) if file else []
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--faults: not JSON, {error}; see docs/reliability.md") from error
    if not isinstance(found, list):
        raise UsageError(
            f'--faults: a list is needed, found {json.dumps(found)[:40]}; give [{{"fault": "status"}}], see '
            "docs/reliability.md"
        )
    return found


def _make(folder: Path) -> None:
    """Make the folder that keeps what arrives."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--data: {folder} cannot be made, {error.strerror}; name another folder") from error
