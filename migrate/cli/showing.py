"""What may be typed where a workdir is shown: how far back, where its page is written, what is said no more of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from migrate.cli.params import flag, option, repeated

_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, kw_only=True)
class StatusOptions:
    """How far back is looked."""

    history: bool = flag("Show what each command did here, one line a command.")


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Where the page is written."""

    output: Path | None = option(
        _FILE,
        "File to write.  [default: report.html in the workdir]",
        metavar="FILE",
        short="o",
        is_typed_only=True,
    )


@dataclass(frozen=True, kw_only=True)
class RejectsOptions:
    """What is meant, and said no more of."""

    dismiss: tuple[str, ...] = repeated(
        click.STRING,
        "Say no more of those that are open for this reason (may be repeated).",
        metavar="REASON",
        is_typed_only=True,
    )
