"""Every command on one page: its options, its help, and the module that does its work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from migrate import VERSION
from migrate.cli.options import (
    WORKDIR,
    PlanOptions,
    PreviewOptions,
    RejectsOptions,
    RunOptions,
    SandboxOptions,
    SendOptions,
    SourceOptions,
    TalkOptions,
)
from migrate.cli.params import takes
from migrate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="migrate")
def cli() -> None:
    """Move years of product-analytics history into PostHog.

    Every row is planned and checked before the first byte is sent; killed at any moment, the same command goes on.

    \b
    Try it, without a key and without a network:
      migrate run amplitude sample_data/amplitude --host sandbox

    \b
    Exit codes: 0 done · 2 wrong usage · 3 done, with rows rejected or events parked that are new
                4 stopped, run again to resume · 5 refused, or a source set aside, the others done
                6 stopped as asked, goes on next time · 130 interrupted, run again to resume
    """


@cli.command()
def platforms() -> None:
    """List every platform: its tables and what it reads.

    \b
    Example:  migrate platforms
    """
    from migrate.cli.platforms import list_platforms

    list_platforms()


@cli.command()
@takes("source", SourceOptions)
@takes("options", PreviewOptions)
def preview(source: SourceOptions, options: PreviewOptions) -> None:
    """Print the first payloads as they would be sent, one JSON object a line.

    \b
    Example:  migrate preview amplitude export.zip --limit 5
    """
    from migrate.cli.preview import show_preview

    show_preview(source, options.limit)


@cli.command()
@takes("source", SourceOptions)
@takes("options", RunOptions)
@takes("sending", SendOptions)
@takes("talking", TalkOptions)
def run(source: SourceOptions, options: RunOptions, sending: SendOptions, talking: TalkOptions) -> None:
    """Plan, then apply; the same command again resumes.

    \b
    Example:  migrate run amplitude export.zip --host eu --api-key phc_…
              migrate run amplitude export.zip --dry-run
    """
    if options.dry_run:
        from migrate.cli.dryrun import rehearse

        rehearse(source, options, talking)
    from migrate.cli.run import run

    run(source, options, sending, talking)


@cli.command()
@takes("source", SourceOptions)
@takes("options", PlanOptions)
@takes("talking", TalkOptions)
def plan(source: SourceOptions, options: PlanOptions, talking: TalkOptions) -> None:
    """Plan only, kept in the workdir; new files are added to it.

    \b
    Example:  migrate plan amplitude export.zip --workdir plan
    """
    from migrate.cli.plan import plan

    plan(source, options, talking)


@cli.command()
@WORKDIR
@takes("sending", SendOptions)
@takes("talking", TalkOptions)
def apply(workdir: Path, sending: SendOptions, talking: TalkOptions) -> None:
    """Send the plan in a workdir; again to resume.

    \b
    Example:  migrate apply plan --host eu --api-key phc_…
    """
    from migrate.cli.send import apply_plan

    apply_plan(workdir, sending, talking)


@cli.command()
@WORKDIR
@takes("sending", SendOptions)
@takes("talking", TalkOptions)
def resend(workdir: Path, sending: SendOptions, talking: TalkOptions) -> None:
    """Send the parked events again, after the cause is fixed.

    \b
    Example:  migrate resend plan --host eu --api-key phc_…
    """
    from migrate.cli.send import resend_parked

    resend_parked(workdir, sending, talking)


@cli.command()
@WORKDIR
@takes("talking", TalkOptions)
def status(workdir: Path, talking: TalkOptions) -> None:
    """Show what is planned, accepted, rejected, parked and pending, and the command that resumes.

    \b
    Example:  migrate status plan
    """
    from migrate.cli.state import show_status

    show_status(workdir, talking)


@cli.command()
@WORKDIR
@takes("options", RejectsOptions)
@takes("talking", TalkOptions)
def rejects(workdir: Path, options: RejectsOptions, talking: TalkOptions) -> None:
    """List what is open, by reason: rejected rows, files set aside, parked events; dismiss what is meant.

    \b
    Example:  migrate rejects plan
              migrate rejects plan --dismiss no_distinct_id
    """
    from migrate.cli.state import list_rejects

    list_rejects(workdir, options.dismiss, talking)


@cli.command()
@takes("options", SandboxOptions)
def sandbox(options: SandboxOptions) -> None:
    """Run a local PostHog endpoint to try against.

    \b
    Example:  migrate sandbox --port 8010
              migrate run amplitude export.zip --host http://127.0.0.1:8010 --api-key phc_test
    """
    from migrate.sandbox.server import serve

    def ready(url: str) -> None:
        click.echo(
            f"listening on {url}\nwhat arrived: {url}/_sandbox/summary and {url}/_sandbox/events.jsonl",
            err=True,
        )

    try:
        faults = json.load(options.faults) if options.faults else []
    except ValueError as error:
        raise UsageError(f"--faults: not JSON, {error}; see docs/reliability.md") from error
    try:
        serve(port=options.port, data=options.data, host=options.bind, faults=faults, on_ready=ready)
    except OSError as error:
        why = error.strerror or str(error)
        if error.filename is not None:
            raise UsageError(
                f"--data: {error.filename} cannot be used, {why}; name another folder"
            ) from error
        raise UsageError(
            f"--port {options.port}: cannot listen at {options.bind}, {why}; name another"
        ) from error
