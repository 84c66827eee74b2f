"""`migrate fetch`, and `--fetch` of `run`: a vendor's export is brought into a folder or a bucket."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Final, NoReturn

import click

from migrate.cli import exits
from migrate.cli.fetching import FetchOptions
from migrate.cli.first import zone_of
from migrate.cli.interrupt import answered_by, note_asked, was_asked
from migrate.cli.kinds import Day
from migrate.cli.options import SourceOptions, TalkOptions
from migrate.cli.session import start_talk
from migrate.download import Account, Download, vendor_of
from migrate.errors import MigrateError
from migrate.fetching.fetcher import Hearing, Tally
from migrate.kit.times import clock
from migrate.logline import Record
from migrate.report import fetched
from migrate.report.document import early
from migrate.report.numbers import NOTHING, of_run
from migrate.report.talk import Talk
from migrate.screen import masked
from migrate.stores import waiting
from migrate.workdir.hold import writable

_LEFT: Final = 10.0
"""Seconds after an interrupt in which a bucket may take what is whole; it is left then."""


def fetch_export(options: FetchOptions, talking: TalkOptions) -> NoReturn:
    """Fetch, and show the command to go on with."""
    talk, started = start_talk(talking), datetime.now(UTC)
    zone = zone_of(options.source_timezone)
    account = Account(
        platform=options.platform,
        region=options.region,
        api_host=options.api_host,
        project_id=options.project_id,
        zone=zone,
    )
    download = Download(vendor_of(account, os.environ), options.target, zone=zone)
    try:
        _fetch(
            download,
            talk,
            (_moment(options.since, zone), _moment(options.until, zone)),
            options.lookback,
            options.concurrency,
        )
    except MigrateError as error:
        if download.tally.wanted:
            talk.show(fetched.lines(download, is_alone=False))
        _tell(download, talk, started, error.exit_code, str(error))
        error.is_told = True
        raise
    code = exits.INTERRUPTED if download.is_interrupted else exits.DONE
    talk.show(fetched.lines(download, is_alone=True))
    if talk.quiet and fetched.is_nothing(download):
        talk.warn(fetched.nothing(download))
    if download.is_interrupted:
        talk.say("interrupted: what is whole stays, and the same command goes on")
    _tell(download, talk, started, code, None)
    sys.exit(code)


def fetch_first(
    download: Download, source: SourceOptions, talk: Talk, max_duration: float | None
) -> Mapping[str, object]:
    """Fetch what is new since the last time; return what was done. Interrupted, or after so long, it ends the command.

    `--until` is no end here: what is late comes after it. Raises UsageError, Refused or Stopped, and then nothing is
    planned or sent: where a day is missing, those after it would be sent before it.
    """
    zone, back = zone_of(source.source_timezone), source.lookback
    if back is not None:
        back *= timedelta(days=1) // download.vendor.calendar.step
    started, timer = datetime.now(UTC), Timer(max_duration or 0.0, download.stop)
    timer.daemon = True
    if max_duration is not None:
        timer.start()
    try:
        _fetch(download, talk, (_moment(source.since, zone), None), back, 3)
    finally:
        timer.cancel()
    talk.show(fetched.lines(download, is_alone=False))
    if download.is_interrupted and was_asked(click.get_current_context()):
        raise KeyboardInterrupt
    if download.is_interrupted:
        talk.say("stopped as --max-duration asks; the same command goes on")
        _tell(download, talk, started, exits.AS_ASKED, None)
        sys.exit(exits.AS_ASKED)
    return fetched.document(download)


def _fetch(
    download: Download,
    talk: Talk,
    span: tuple[datetime | None, datetime | None],
    lookback: int | None,
    concurrency: int,
) -> None:
    with writable(Path(download.target)), _heeding(download, talk), talk.fetching() as phase:

        def note(tally: Tally, shown: str, what: str) -> None:
            phase.note(tally)
            talk.log.tell(Record("fetched", f"fetched {shown}: {what}", {"span": shown}))

        def wait(seconds: float, why: str) -> None:
            phase.wait(seconds, why)
            fields = {"seconds": round(seconds, 3), "why": why}
            talk.log.tell(Record("fetch_wait", f"waits {seconds:,.1f} s: {why}", fields))

        hearing = Hearing(note, wait, talk.warn)
        download.run(*span, lookback=lookback, concurrency=concurrency, hearing=hearing)


@contextmanager
def _heeding(download: Download, talk: Talk) -> Iterator[None]:
    """End in good order where SIGINT, SIGTERM or SIGHUP comes; the second one leaves at once.

    A bucket that gives no answer is not waited for: what is not whole in it is not there.
    """
    leaving = Timer(_LEFT, waiting.end)
    leaving.daemon = True

    def stop(_number: int, _frame: object) -> None:
        end()
        note_asked()
        download.stop()
        leaving.start()
        talk.say("interrupted: what has not arrived whole is given up; again to leave now")

    with answered_by(stop) as end:
        try:
            yield
        finally:
            leaving.cancel()


def _tell(download: Download, talk: Talk, started: datetime, code: int, error: str | None) -> None:
    """Print the JSON summary, where one is asked for."""
    if talk.as_json:
        run = of_run(NOTHING, NOTHING, started, code, error and masked(error))
        click.echo(json.dumps(early(run) | {"fetch": fetched.document(download)}, ensure_ascii=False))


def _moment(said: datetime | Day | None, zone: str | None) -> datetime | None:
    """Return a time that was said; days told from today are those of the zone."""
    return said.at(datetime.now(clock(zone or "UTC"))) if isinstance(said, Day) else said
