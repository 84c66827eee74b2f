"""`migrate inspect`: what the inputs are, and the command to go on with."""

import json
import sys
from typing import NoReturn

import click

from migrate.cli import exits
from migrate.cli.reading import InspectOptions
from migrate.cli.settings import layout_of
from migrate.cli.typed import typed_command
from migrate.inspecting import inspect
from migrate.report import inspected, kinds
from migrate.report.terminal import Terminal
from migrate.report.ways import ways


def show_inspection(options: InspectOptions) -> NoReturn:
    """Print what the inputs are, for people or as one JSON object; that there is something to print is a 0."""
    found = inspect(
        options.inputs,
        encoding=options.encoding,
        layout=layout_of(options),
        partitions=not options.no_partitions,
    )
    on = ways(found, typed_command())
    if options.as_json:
        click.echo(json.dumps(kinds.document(found, on, exits.DONE), ensure_ascii=False))
    else:
        Terminal(stderr=False).print(inspected.lines(found, on, is_whole=options.verbose))
    sys.exit(exits.DONE)
