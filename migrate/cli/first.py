"""What a run fetches before it plans, if it does: checked before anything is done."""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from migrate.cli import exits
from migrate.cli.fetching import FirstOptions
from migrate.cli.options import SourceOptions
from migrate.download import PLATFORMS, Account, Download, vendor_of
from migrate.errors import MigrateError, UsageError
from migrate.inputs.dated import is_dated
from migrate.kit.times import zone_name
from migrate.report import history
from migrate.report.numbers import summary
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.history import Keeper
from migrate.workdir.hold import hold


def check_first(source: SourceOptions, options: FirstOptions) -> Download | None:
    """Return what a run is to fetch before it plans, if it is; raises UsageError, before anything is done."""
    if not options.fetch:
        return None
    if source.platform not in PLATFORMS:
        raise UsageError(
            f"--fetch: no export API of '{source.platform}' is known here; known are {' and '.join(PLATFORMS)}"
        )
    if len(source.inputs) != 1:
        raise UsageError(
            f"--fetch: into one input alone, found {len(source.inputs)}; name the folder that is fetched into"
        )
    if glob.has_magic(source.inputs[0]) or is_dated(source.inputs[0]):
        raise UsageError(
            f"--fetch: not one folder but a pattern, found '{source.inputs[0]}'; name the folder that is fetched into"
        )
    zone = zone_of(source.source_timezone) if source.platform == "mixpanel" else None
    account = Account(platform=source.platform, region=options.region, api_host=options.api_host, zone=zone)
    return Download(vendor_of(account, os.environ), source.inputs[0], zone=zone)


@contextmanager
def kept_if_stopped(workdir: Path) -> Iterator[None]:
    """Have a run that comes no further than its fetching keep a line in its workdir's history, where there is one."""
    begun = datetime.now(UTC)
    try:
        yield
    except MigrateError as error:
        _keep(workdir, begun, error.exit_code)
        raise
    except KeyboardInterrupt:
        _keep(workdir, begun, exits.INTERRUPTED)
        raise
    except SystemExit:
        _keep(workdir, begun, exits.AS_ASKED)
        raise


def _keep(workdir: Path, begun: datetime, code: int) -> None:
    """Keep the line, unless another process works there."""
    if not (workdir / FILE).exists():
        return
    with suppress(MigrateError), hold(workdir), Checkpoint.open(workdir) as checkpoint:
        now = history.counts(summary(checkpoint))
        Keeper(checkpoint, "run", begun, now).end(datetime.now(UTC), code, now)


def zone_of(given: str | None) -> str | None:
    """Return the zone that was said; raises UsageError for what is none."""
    return None if given is None else zone_name(given, "--source-timezone")
