"""`migrate test`: what holds of every mapping, tried on one of the user's own and its sample."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from migrate.cli import exits
from migrate.cli.mappings import TestOptions
from migrate.errors import UsageError
from migrate.kit.declare import Options
from migrate.kit.times import zone_name
from migrate.laws import golden
from migrate.laws.proof import GOLDEN, Judged, judged
from migrate.laws.sample import Broken, Sample
from migrate.naming import is_path
from migrate.own import Own
from migrate.screen import counted, shown
from migrate.settings import Settings


def test_mapping(options: TestOptions) -> NoReturn:
    """Print every law with what breaks it; exits 3 where anything does."""
    if not is_path(options.platform):
        raise UsageError(
            f"PLATFORM: no path, found '{options.platform}'; give that of a mapping of your own, as ./acme.py "
            "(docs/mappings.md)"
        )
    own = Own(options.platform)
    zone = (
        "UTC" if options.source_timezone is None else zone_name(options.source_timezone, "--source-timezone")
    )
    settings = Settings(platform=own.name, own=own, spec=options.spec, options=Options(source_timezone=zone))
    sample = Sample.of(settings, _inputs(own, options.inputs))
    if not sample.rows:
        raise UsageError(
            f"SAMPLE: no row that a table of {own.path} takes, found nothing to try; give some rows"
        )
    found = [*judged(sample, own.place)]
    found.insert(1, Judged(*GOLDEN, _golden(own.golden, sample, renew=options.renew)))
    for one in found:
        _show(one)
    untried = _untried(sample)
    if untried:
        click.echo(
            shown(f"untried     no row of the sample is of {', '.join(untried)}: nothing is known of that")
        )
    broken = sum(bool(one.broken) for one in found)
    click.echo(f"{counted(len(found) - broken, 'law')} of {len(found)} hold")
    code = exits.LEFT_OUT if broken else exits.DONE
    if options.as_json:
        click.echo(json.dumps(_document(found, untried, code), ensure_ascii=False))
    sys.exit(code)


def _inputs(own: Own, given: Sequence[str]) -> Sequence[str]:
    """Return the sample: what is named, or else what lies beside the mapping under its name."""
    if given:
        return given
    if not (beside := [*map(str, own.samples())]):
        raise UsageError(
            f"SAMPLE: missing; name files or folders with some rows, or put them beside the mapping as "
            f"{own.path.stem}.sample (a folder) or {own.path.stem}.sample.jsonl (a file, of any format)"
        )
    return beside


def _golden(path: Path, sample: Sample, *, renew: bool) -> list[Broken]:
    """Return what breaks the golden, which is written first if it is to be renewed."""
    try:
        now = golden.lines(sample)
    except UsageError as error:
        return [Broken(str(path), f"no payloads to hold it to: {error}")]
    if renew:
        _renew(path, now)
    return [*golden.broken(path, now)]


def _renew(path: Path, now: Sequence[str]) -> None:
    """Write the golden, and say what is another in it."""
    for line in golden.difference(path, now):
        click.echo(shown(line))
    try:
        path.write_text("".join(f"{line}\n" for line in now), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--renew: {path} cannot be written, found '{error.strerror}'; check the path"
        ) from None
    said = f"{path}: written, {counted(len(now), 'payload')}; read what differs, as that is what will be sent"
    click.echo(shown(said), err=True)


def _show(one: Judged) -> None:
    """Print a law, and what breaks it."""
    click.echo(f"{'broken' if one.broken else 'holds':<11} {one.name}: {one.meaning}")
    for wrong in one.broken:
        for place, line in enumerate(f"{wrong.place}: {wrong.what}".splitlines()):
            click.echo(shown(f"{'':<{14 if place else 12}}{line}"))


def _untried(sample: Sample) -> list[str]:
    """Return the tables of which the sample has no row."""
    tried = {of.table.name for of in sample.rows}
    return [table.name for table in sample.tables if table.name not in tried]


def _document(found: Sequence[Judged], untried: Sequence[str], code: int) -> dict[str, object]:
    """Return what was found, for a program."""
    laws = [
        {"law": one.name, "means": one.meaning, "broken": [wrong._asdict() for wrong in one.broken]}
        for one in found
    ]
    return {"laws": laws, "untried": [*untried], "exit_code": code}
