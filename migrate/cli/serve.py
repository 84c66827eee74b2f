"""`migrate serve`: a page on this machine to try a mapping on, until it is interrupted."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from migrate import platforms
from migrate.cli.config import chosen_here, rules_here
from migrate.cli.options import ServeOptions, SourceOptions
from migrate.cli.settings import build_settings
from migrate.errors import UsageError
from migrate.inputs.listing import sources
from migrate.inputs.names import source_name
from migrate.naming import is_path
from migrate.own import Own
from migrate.screen import shown
from migrate.serving.desk import Desk, Edited
from migrate.serving.paper import Paper
from migrate.serving.server import HOST, serve
from migrate.serving.trial import Asked


def serve_page(source: SourceOptions, options: ServeOptions) -> None:
    """Serve, and say where; raises UsageError for what no page would mend."""
    if (chosen := chosen_here()) is not None and len(chosen.jobs) > 1:
        raise UsageError("--job: a page is of one job, found several; name the one to try")
    edited = _edited(source)
    sources(source.inputs, skip_unreadable=True)
    if edited.kind == "none":
        build_settings(source, rules=rules_here())
    asked = Asked(partial(build_settings, source, rules=rules_here()), source.inputs, options.limit)
    try:
        serve(Desk(asked, edited, _told(source, edited, options)), port=options.port, on_ready=_say)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(
            f"--port {options.port}: cannot listen at {HOST}, {why}; name another, or 0 for any free one"
        ) from error


def _edited(source: SourceOptions) -> Edited:
    """Return which file is in the editor; raises UsageError where none can be."""
    if is_path(source.platform):
        path = Path(source.platform)
        if not path.exists() or path.is_dir():
            Own(path)  # says why that is no mapping
        Paper(path).read()
        return Edited("mapping", path)
    if platforms.mapping(source.platform).from_spec is None:
        platforms.platform(source.platform, source.spec)  # which needs none
        return Edited()
    if source.spec is None:
        raise UsageError(
            f"--spec: {source.platform} needs one; name the TOML file to edit, which need not be there yet"
        )
    if not source.spec.absolute().parent.is_dir():
        raise UsageError(f"--spec: no folder for it, found '{source.spec.parent}'; make it, or name another")
    Paper(source.spec, is_new=True).read()
    return Edited("spec", source.spec)


def _told(source: SourceOptions, edited: Edited, options: ServeOptions) -> dict[str, Any]:
    """Return what the page says of the command."""
    return {
        "platform": shown(source.platform),
        "inputs": [shown(source_name(one)) for one in source.inputs],
        "name": None if edited.path is None else shown(str(edited.path)),
        "limit": options.limit,
    }


def _say(url: str) -> None:
    click.echo(f"try it at {url}\nonly this machine can open it, with this address; Ctrl-C ends", err=True)
