"""Every command on one page: its options, its help, and the module that does its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migrate import VERSION
from migrate.cli.asking import AskOptions, TargetOptions
from migrate.cli.configured import Configured, configured
from migrate.cli.fetching import FetchOptions, without_credentials
from migrate.cli.groups import GROUPS
from migrate.cli.mappings import TestOptions
from migrate.cli.nights import NightOptions, ScheduleOptions
from migrate.cli.options import (
    MAYBE_WORKDIR,
    WORKDIR,
    WORKDIRS,
    InitOptions,
    PlanOptions,
    PreviewOptions,
    RunOptions,
    SandboxOptions,
    SendOptions,
    ServeOptions,
    SourceOptions,
    TalkOptions,
)
from migrate.cli.params import Sections, takes
from migrate.cli.reading import InspectOptions, SpecOptions
from migrate.cli.showing import RejectsOptions, ReportOptions, StatusOptions
from migrate.cli.typed import Typed
from migrate.cli.unread import Unbroken
from migrate.cli.verifying import AfterOptions, UndoOptions, VerifyOptions

if TYPE_CHECKING:
    from pathlib import Path


class Command(Configured, Typed, Sections):
    """A command of ours: it knows what was typed and what a file says, and its help has groups."""

    groups = GROUPS


class Commands(Unbroken):
    """All of them."""

    command_class = Command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
@takes("options", InspectOptions)
def inspect(options: InspectOptions) -> None:
    """Tell what files are, and the command to go on with.

    For each kind of file: platform and table, format, columns, times and their zone, and what goes wrong.
    It looks at the columns of all files and at the first rows of a few, and says at which.

    \b
    Example:  migrate inspect export.zip
              migrate inspect exports/ --json

    \b
    Exit codes: 0 looked at, also where nothing is known of what was found · 2 no such input
    """
    from migrate.cli.inspect import show_inspection

    show_inspection(options)


@cli.command()
@takes("options", SpecOptions)
def spec(options: SpecOptions) -> None:
    """Write a first spec of files that no platform has.

    Which column is the event, the person, the time, the key, and how they are written: guessed from the first rows,
    each with its reason, other columns beside it commented out. Look it over, and fill in what could not be guessed.

    \b
    Example:  migrate spec orders.csv > spec.toml
              migrate preview table orders.csv --spec spec.toml --pretty
              migrate spec orders.csv --as-mapping -o ./acme.py

    \b
    Exit codes: 0 written, also where something is to be filled in · 2 no such file, none with rows, or -o is there
    """
    from migrate.cli.spec import write_spec

    write_spec(options)


@cli.command()
@configured
@takes("source", SourceOptions)
@takes("options", PreviewOptions)
def preview(source: SourceOptions, options: PreviewOptions) -> None:
    """Print the first payloads as they would be sent.

    One JSON object a line; --pretty for people.

    \b
    Example:  migrate preview amplitude export.zip --limit 5
              migrate preview amplitude export.zip --pretty
              migrate preview table orders.csv --spec spec.toml --pretty --watch
    """
    if options.watch:
        from migrate.cli.watch import watch

        watch(source)
    from migrate.cli.preview import show_preview

    show_preview(source, options)


@cli.command()
@configured
@takes("source", SourceOptions)
@takes("options", ServeOptions)
def serve(source: SourceOptions, options: ServeOptions) -> None:
    """Open a page on this machine to try a mapping on.

    Source rows beside what they become, and the spec, or the mapping, in an editor beside them: checked while you type,
    its effect at once, saved when you say so. Nothing is sent, and only this machine can open it.

    \b
    Example:  migrate serve table orders.csv --spec spec.toml
              migrate serve ./acme.py exports/
              migrate serve amplitude export.zip

    \b
    Exit codes: 0 interrupted, which is how it ends · 2 wrong usage, or the port is taken
    """
    from migrate.cli.serve import serve_page

    serve_page(source, options)


@cli.command()
@configured
@takes("source", SourceOptions)
@takes("options", RunOptions)
@takes("sending", SendOptions)
@takes("asking", AfterOptions)
@takes("talking", NightOptions)
def run(
    source: SourceOptions,
    options: RunOptions,
    sending: SendOptions,
    asking: AfterOptions,
    talking: NightOptions,
) -> None:
    """Plan, then apply; the same command again resumes.

    \b
    Example:  migrate run amplitude export.zip --host eu
              migrate run amplitude export.zip --dry-run
    """
    if options.dry_run:
        from migrate.cli.dryrun import rehearse

        rehearse(source, options, sending, talking)
    from migrate.cli.run import run

    run(source, options, sending, asking, talking)


@cli.command()
@configured
@takes("source", SourceOptions)
@takes("options", PlanOptions)
@takes("talking", NightOptions)
def plan(source: SourceOptions, options: PlanOptions, talking: NightOptions) -> None:
    """Plan only, kept in the workdir; new files are added to it.

    \b
    Example:  migrate plan amplitude export.zip --workdir acme
    """
    from migrate.cli.plan import plan

    plan(source, options, talking)


@cli.command()
@configured
@WORKDIR
@takes("talking", TalkOptions)
def show(workdir: Path, talking: TalkOptions) -> None:
    """Show a saved plan as the dry run shows it.

    No source is read.

    \b
    Example:  migrate show acme
              migrate show acme --samples 10
    """
    from migrate.cli.show import show_plan

    show_plan(workdir, talking)


@cli.command()
@configured
@WORKDIR
@takes("sending", SendOptions)
@takes("asking", AfterOptions)
@takes("talking", NightOptions)
def apply(workdir: Path, sending: SendOptions, asking: AfterOptions, talking: NightOptions) -> None:
    """Send the plan in a workdir; again to resume.

    \b
    Example:  migrate apply acme --host eu --api-key phc_…
    """
    from migrate.cli.send import apply_plan

    apply_plan(workdir, sending, asking, talking)


@cli.command()
@configured
@WORKDIR
@takes("sending", SendOptions)
@takes("talking", NightOptions)
def resend(workdir: Path, sending: SendOptions, talking: NightOptions) -> None:
    """Send the parked events again, after the cause is fixed.

    \b
    Example:  migrate resend acme --host eu --api-key phc_…
    """
    from migrate.cli.send import resend_parked

    resend_parked(workdir, sending, talking)


@cli.command()
@configured
@WORKDIRS
@takes("options", StatusOptions)
@takes("talking", TalkOptions)
def status(workdirs: tuple[Path, ...], options: StatusOptions, talking: TalkOptions) -> None:
    """Show how workdirs are, and what is next.

    That is what is planned, accepted, rejected, parked and pending.

    \b
    Example:  migrate status acme
              migrate status acme --history
              migrate status */ --json
    """
    from migrate.cli.state import show_status

    show_status(workdirs, options, talking)


@cli.command()
@configured
@WORKDIR
@takes("options", ReportOptions)
@takes("talking", TalkOptions)
def report(workdir: Path, options: ReportOptions, talking: TalkOptions) -> None:
    """Write the report: all there is to know, as one page.

    For a browser, without a network: what stands out, events by day, names, properties, people, rejects, sending.
    Each command that plans, sends or verifies writes it, too.

    \b
    Example:  migrate report acme
              migrate report acme -o acme.html --samples full
    """
    from migrate.cli.report import write_report

    write_report(workdir, options, talking)


@cli.command()
@configured
@WORKDIR
@takes("options", RejectsOptions)
@takes("talking", TalkOptions)
def rejects(workdir: Path, options: RejectsOptions, talking: TalkOptions) -> None:
    """List what is open, by reason; dismiss what is meant.

    These are rejected rows, files set aside and parked events.

    \b
    Example:  migrate rejects acme
              migrate rejects acme --dismiss no_distinct_id
    """
    from migrate.cli.state import list_rejects

    list_rejects(workdir, options.dismiss, talking)


@cli.command()
@configured
@MAYBE_WORKDIR
@takes("sending", TargetOptions)
@takes("asking", AskOptions)
@takes("talking", TalkOptions)
def check(workdir: Path | None, sending: TargetOptions, asking: AskOptions, talking: TalkOptions) -> None:
    """Look at the target before anything is sent.

    That it answers, is PostHog, and takes what is sent. With a personal key: whose the project key is, how far back the
    project shows events, its group types, what it drops. With a workdir: what that means for what is planned there.
    No event is sent.

    \b
    Example:  migrate check --host eu
              migrate check acme --host eu

    \b
    Exit codes: 0 nothing speaks against sending · 4 it cannot be reached or asked · 5 something does
    """
    from migrate.cli.check import check_target

    check_target(workdir, sending, asking, talking)


@cli.command()
@configured
@WORKDIR
@takes("asking", VerifyOptions)
@takes("talking", NightOptions)
def verify(workdir: Path, asking: VerifyOptions, talking: NightOptions) -> None:
    """Compare what was sent with what PostHog has.

    By day and event, each difference named by its cause. PostHog is only asked, within its limits; stopped, the same
    command goes on. It needs a personal API key.

    \b
    Example:  migrate verify acme
              migrate verify acme --wait 70m

    \b
    Exit codes: 0 all is there, or will be · 3 something differs, and is named
                4 PostHog could not be asked · 130 interrupted, run again to resume
    """
    from migrate.cli.verify import verify_workdir

    verify_workdir(workdir, asking, talking)


@cli.command()
@configured
@WORKDIR
@takes("asking", UndoOptions)
@takes("talking", TalkOptions)
def undo(workdir: Path, asking: UndoOptions, talking: TalkOptions) -> None:
    """Tell what of an import is in PostHog, and how to delete it.

    What tells its events from all others, a query for their uuids, and what PostHog offers today, as commands. It needs
    a personal API key, and deletes nothing; --delete-persons asks for a word first.

    \b
    Example:  migrate undo acme
              migrate undo acme --delete-persons

    \b
    Exit codes: 0 told, or deleted · 3 somebody could not be deleted · 4 PostHog could not be asked
    """
    from migrate.cli.undo import undo

    undo(workdir, asking, talking)


@cli.command()
@without_credentials
@takes("options", FetchOptions)
@takes("talking", TalkOptions)
def fetch(options: FetchOptions, talking: TalkOptions) -> None:
    """Bring a vendor's own export into a folder or a bucket.

    File by file as run reads them, each whole or not at all; stopped, the same command goes on. What may have grown is
    asked for again. Credentials are taken from the environment alone (docs/fetch.md).

    \b
    Example:  migrate fetch amplitude exports --since 2024-01-01 --region eu
              migrate fetch mixpanel exports --since 2024-01-01 --source-timezone Europe/Berlin

    \b
    Exit codes: 0 all there is was fetched · 2 wrong usage · 4 stopped, run again to go on
                5 the folder is another project's, or in use · 130 interrupted, run again to go on
    """
    from migrate.cli.fetch import fetch_export

    fetch_export(options, talking)


@cli.command()
@takes("options", ScheduleOptions)
def schedule(options: ScheduleOptions) -> None:
    """Print a ready unit for a scheduler: a run every night.

    It goes on in a workdir that is there, and begins none: run it once by hand.

    \b
    Example:  migrate schedule -c migrate.toml --at 02:30 --format cron
              migrate schedule --at 02:30 --format systemd --output ~/.config/systemd/user
    """
    from migrate.cli.schedule import print_units

    print_units(options)


@cli.command()
@takes("options", SandboxOptions)
def sandbox(options: SandboxOptions) -> None:
    """Run a local PostHog endpoint to try against.

    \b
    Example:  migrate sandbox --port 8010
              migrate run amplitude export.zip --host http://127.0.0.1:8010 --api-key phc_test
    """
    from migrate.cli.sandbox import run_sandbox

    run_sandbox(options)


@cli.command()
@takes("options", InitOptions)
def init(options: InitOptions) -> None:
    """Write a configuration file, all of it commented.

    \b
    Example:  migrate init amplitude
              migrate init mixpanel -o mixpanel.toml
    """
    from migrate.cli.init import write_config

    write_config(options)


@cli.command()
@takes("options", TestOptions)
def test(options: TestOptions) -> None:
    """Try a mapping of your own on its sample.

    That what it makes has the right columns, that no column is lost without a word, that a word for nothing is nobody,
    that the payloads are those you have read. The sample lies beside it, or is named.

    \b
    Example:  migrate test ./acme.py
              migrate test ./acme.py exports/first.jsonl --renew
    """
    from migrate.cli.laws import test_mapping

    test_mapping(options)
