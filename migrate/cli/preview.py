"""`migrate preview`: the first payloads as they would be sent."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NoReturn

import click

from migrate.cli import exits
from migrate.cli.config import rules_here
from migrate.cli.options import PreviewOptions, SourceOptions
from migrate.cli.settings import build_settings
from migrate.preview import files_beyond, preview
from migrate.report import ruled, sections
from migrate.report.samples import samples
from migrate.report.sections import Line
from migrate.report.talk import say
from migrate.report.terminal import Terminal
from migrate.rules.bags import PREFIX
from migrate.rules.frames import Ruling
from migrate.settings import Work
from migrate.workdir.records import Numbers

_KINDS: Final = {
    "rejected": "rejected",
    "filtered": "filtered",
    "mapped": "mapped, only telling of a person or a group",
}
"""What a row without an event of its own is, as its line begins -> in words."""
_MEANT: Final = (PREFIX, "expression_failed.", "wrong_type.", "non_finite_number")
"""What was done to values, or could not be, because a spec or a rule asks for it: who writes one looks here."""
_YOUNG: Final = "younger_than_48h"
"""What depends on the day of the preview."""
_CHECKED_BYTES: Final = 8 << 20
"""So much of each file is looked at for text that is not valid in its encoding."""


def show_preview(source: SourceOptions, options: PreviewOptions) -> NoReturn:
    """Print the payloads of the first rows, and on stderr what becomes of rows without any.

    With `pretty` each row stands beside what it becomes, all of it on stdout.
    """
    settings = build_settings(source, rules=rules_here())
    terminal = Terminal(stderr=False)
    rows, last = 0, ""
    left_out: Counter[str] = Counter()
    work = settings.work(source.inputs, checked=_CHECKED_BYTES)
    for row in preview(work, options.limit, numbers := Numbers()):
        rows += bool(row.place)
        last = row.file or last
        if row.why is not None:
            left_out[row.why.partition(":")[0]] += 1
        if options.pretty:
            terminal.print_samples(samples([row], whole=True))
            continue
        for payload in row.payloads:
            click.echo(payload)
        if row.why is not None:
            say(f"{row.place}: {row.why}")
    _say_beside(numbers, work)
    if left_out:
        say(_left_out(left_out, rows))
    if rows >= options.limit and (names := files_beyond(work, last)):
        many, them = (f" and {len(names) - 1} more", "them") if len(names) > 1 else ("", "it")
        beyond = f"beyond the first {rows} rows; raise --limit, or preview {them} alone"
        say(f"{names[0]}{many}: {beyond}")
    for name, one in work.set_aside.items():
        say(f"error: {name}: set aside: {one.why}")
    Terminal().print(_passed_over(work.skipped, is_all=options.verbose))
    sys.exit(exits.of_preview(is_set_aside=bool(work.set_aside)))


def _say_beside(numbers: Numbers, work: Work) -> None:
    """Say what holds of the first rows together."""
    for line in _of_values(numbers):
        say(line)
    for text in (*_of_rules(work.settings.ruling), *work.remarks):
        say(text)


def _of_values(numbers: Numbers) -> Iterator[Line]:
    """Yield what a spec, or the user's rules, did to values and could not do, and what to be aware of in events."""
    yield from sections.changed(
        {name: count for name, count in numbers.repairs.items() if name.startswith(_MEANT)}
    )
    told = {name: count for name, count in numbers.warnings.items() if name != _YOUNG}
    yield from sections.warned(told, {})


def _of_rules(ruling: Ruling | None) -> Iterator[str]:
    """Yield what the user's own rules did not mean."""
    yield from (f"note: {note}" for note in (*ruled.near(ruling), *ruled.unmet(ruling)))


def _left_out(left_out: Counter[str], rows: int) -> str:
    """Return how many rows make no event of their own, and what they are."""
    what = "row makes" if rows == 1 else "rows make"
    kinds = ", ".join(f"{left_out[kind]:,} {said}" for kind, said in _KINDS.items() if left_out[kind])
    return f"{left_out.total():,} of the first {rows:,} {what} no event: {kinds}"


def _passed_over(skipped: Mapping[str, Sequence[str]], *, is_all: bool) -> Iterator[Line]:
    """Yield which files are not read, by reason; all of them where that is asked for."""
    if is_all:
        yield from (
            Line(f"passed over: {name}: {reason}") for reason, names in skipped.items() for name in names
        )
        return
    counts = {reason: len(names) for reason, names in skipped.items()}
    yield from sections.passed_over(counts, skipped)
