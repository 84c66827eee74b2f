"""What a run fetches before it plans, if it does: checked before anything is done."""

import glob
import os

from migrate.cli.fetching import FirstOptions
from migrate.cli.options import SourceOptions
from migrate.download import PLATFORMS, Account, Download, vendor_of
from migrate.errors import UsageError
from migrate.inputs.dated import is_dated
from migrate.kit.times import zone_name


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


def zone_of(given: str | None) -> str | None:
    """Return the zone that was said; raises UsageError for what is none."""
    return None if given is None else zone_name(given, "--source-timezone")
