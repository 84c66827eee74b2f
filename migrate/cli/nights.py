"""What may be typed for a night: what runs, when, which scheduler starts it, and who is told how it ended."""

from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Final, Literal, get_args

import click

from migrate import VERSION
from migrate.cli.kinds import Clock
from migrate.cli.options import TalkOptions
from migrate.cli.params import option, preset, required
from migrate.cli.secrets import Address

Scheduler = Literal["cron", "systemd", "kubernetes", "airflow", "github-actions", "dagster"]
IMAGE: Final = f"posthog-migrate:{VERSION}"
"""What the image is called that the Dockerfile makes, where nobody says."""


@dataclass(frozen=True, kw_only=True)
class ScheduleOptions:
    """What runs every night, when, and who starts it."""

    config: Path = preset(
        click.Path(path_type=Path),
        "migrate.toml",
        "Configuration file of what runs.",
        metavar="FILE",
        short="c",
    )
    at: time = required(Clock(), "When it runs, every night.")
    timezone: str = preset(click.STRING, "UTC", "IANA zone of that time.", metavar="ZONE")
    format: Scheduler = required(
        click.Choice(get_args(Scheduler)),
        "The scheduler that starts it; docs/schedules.md has a section on each.",
    )
    image: str | None = option(click.STRING, f"Image that runs (kubernetes).  [default: {IMAGE}]")
    output: Path | None = option(
        click.Path(path_type=Path, file_okay=False),
        "Write the files into this folder, each under its name, and not to stdout.",
        metavar="FOLDER",
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class NightOptions(TalkOptions):
    """How much is said, and who is told how it ended; the addresses are in no repr."""

    ping: str | None = option(
        Address(),
        "Check to ping, as healthchecks.io has them: URL/start, then URL, URL/<exit code> or URL/fail; "
        "better as an environment variable.",
        metavar="URL",
    )
    notify: str | None = option(
        Address(),
        "Webhook that is posted the JSON summary at the end; better as an environment variable.",
        metavar="URL",
    )
    metrics_file: Path | None = option(
        click.Path(path_type=Path),
        "File that is written metrics for Prometheus at the end, as node exporter's textfile collector reads them: "
        "/path/migrate.prom.",
        metavar="FILE",
    )
