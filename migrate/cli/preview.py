"""`migrate preview`: the first payloads as they would be sent."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NoReturn

import click

from migrate.cli import exits
from migrate.cli.config import rules_here
from migrate.cli.options import PreviewOptions, SourceOptions
from migrate.cli.settings import build_settings
from migrate.preview import MAPPED, files_beyond, preview
from migrate.report import sections
from migrate.report.samples import samples
from migrate.report.terminal import Terminal
from migrate.rules.bags import PREFIX
from migrate.screen import shown
from migrate.workdir.records import Numbers

_CHECKED_BYTES: Final = 8 << 20
"""So much of each file is looked at for text that is not valid in its encoding."""


def show_preview(source: SourceOptions, options: PreviewOptions) -> NoReturn:
    """Print the payloads of the first rows, and on stderr what becomes of rows without any.

    With `pretty` each row stands beside what it becomes, all of it on stdout.
    """
    settings = build_settings(source, rules=rules_here())
    terminal = Terminal(stderr=False)
    rows = left_out = 0
    last = ""
    work = settings.work(source.inputs, checked=_CHECKED_BYTES)
    for row in preview(work, options.limit, numbers := Numbers()):
        rows += bool(row.place)
        last = row.file or last
        left_out += not row.payloads and row.why != MAPPED
        if options.pretty:
            terminal.print_samples(samples([row], whole=True))
            continue
        for payload in row.payloads:
            click.echo(payload)
        if row.why is not None:
            click.echo(shown(f"{row.place}: {row.why}"), err=True)
    of_rules = {name: count for name, count in numbers.repairs.items() if name.startswith(PREFIX)}
    for told in sections.changed(of_rules):
        click.echo(shown(told.text), err=True)
    if left_out:
        click.echo(_left_out(left_out, rows), err=True)
    if rows >= options.limit and (names := files_beyond(work, last)):
        many, them = (f" and {len(names) - 1} more", "them") if len(names) > 1 else ("", "it")
        beyond = f"beyond the first {rows} rows; raise --limit, or preview {them} alone"
        click.echo(shown(f"{names[0]}{many}: {beyond}"), err=True)
    for name, one in work.set_aside.items():
        click.echo(shown(f"error: {name}: set aside: {one.why}"), err=True)
    for line in _passed_over(work.skipped, is_all=options.verbose):
        click.echo(shown(line), err=True)
    sys.exit(exits.of_preview(is_set_aside=bool(work.set_aside)))


def _left_out(left_out: int, rows: int) -> str:
    """Return that rows make no event."""
    what = "row makes" if rows == 1 else "rows make"
    return f"{left_out:,} of the first {rows:,} {what} no event"


def _passed_over(skipped: Mapping[str, Sequence[str]], *, is_all: bool) -> Iterator[str]:
    """Yield which files are not read, by reason; all of them where that is asked for."""
    if is_all:
        yield from (f"passed over: {name}: {reason}" for reason, names in skipped.items() for name in names)
        return
    counts = {reason: len(names) for reason, names in skipped.items()}
    yield from (line.text for line in sections.passed_over(counts, skipped))
