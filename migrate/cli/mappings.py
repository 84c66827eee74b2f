"""What may be typed for a mapping of one's own: its sample, and whether what is kept of it is written anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from migrate.cli.kinds import Input, PlatformName
from migrate.cli.params import argument, arguments, flag, option

_FILE: Final = click.Path(path_type=Path)


@dataclass(frozen=True, kw_only=True)
class TestOptions:
    """Which mapping is tried, and on what."""

    platform: str = argument(PlatformName())
    inputs: tuple[str, ...] = arguments(Input(), "[SAMPLE]...", is_required=False)
    spec: Path | None = option(_FILE, "TOML file that describes the columns, where the mapping takes one.")
    source_timezone: str | None = option(
        click.STRING, "IANA zone, or offset such as +02:00, of times without one.  [default: UTC]"
    )
    renew: bool = flag("Write the golden, and show what is another in it.", is_typed_only=True)
    as_json: bool = flag("Print what was found as JSON, the last line of stdout.", word="json")
