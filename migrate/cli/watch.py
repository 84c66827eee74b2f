"""`migrate preview --watch`: the preview again, each time a file that decides what it shows is saved."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import click

from migrate.cli.config import chosen_here
from migrate.cli.options import SourceOptions
from migrate.errors import UsageError
from migrate.naming import is_path
from migrate.own import beside

FLAG: Final = "--watch"
_SECONDS: Final = 0.2
"""How long a save may go unseen."""

Stamp = tuple[int, int, int] | None


def watch(source: SourceOptions) -> NoReturn:
    """Show the preview, and again after each save, each time in a process of its own, until it is interrupted.

    A process of its own reads everything anew, a mapping's modules too. Raises UsageError where there is no file to
    watch.
    """
    files = watched(source)
    if not files:
        raise UsageError(
            f"{FLAG}: no file decides what is shown, found folders and archives alone; name a file, or --spec"
        )
    command = [sys.executable, "-m", "migrate", *_words(sys.argv[1:])]
    while True:
        modules = (
            beside(Path(source.platform)) if is_path(source.platform) else []
        )  # others by now, it may be
        paths = [*dict.fromkeys([*files, *modules])]
        names = ", ".join(map(str, paths))
        before = _stamps(paths)
        if sys.stdout.isatty():
            click.clear()
        subprocess.run(command, check=False)  # noqa: S603 - our own command line
        click.echo(f"watching {names}: shown again when it is saved; Ctrl-C ends", err=True)
        while (now := _stamps(paths)) == before or None in now:  # an editor may put a new file in its place
            time.sleep(_SECONDS)


def watched(source: SourceOptions) -> list[Path]:
    """Return the files that decide what is shown: spec, labels, configuration, mapping, inputs."""
    chosen = chosen_here()
    named = [source.spec, source.labels, None if chosen is None else chosen.config.path]
    paths = [*(one for one in named if one is not None), *map(Path, (source.platform, *source.inputs))]
    return [path for path in dict.fromkeys(paths) if path.is_file()]


def _words(words: Sequence[str]) -> list[str]:
    """Return what was typed but for the wish to watch."""
    return [word for word in words if word != FLAG]


def _stamps(paths: Sequence[Path]) -> list[Stamp]:
    """Return what tells one content of each file from the next; None for one that is not there."""
    return list(map(_stamp, paths))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
