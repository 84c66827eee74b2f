"""What may be typed where a vendor is asked for its export; its credentials may not, and are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click

from migrate.cli.kinds import Count, Day, Moment, Whole
from migrate.cli.params import argument, flag, option, preset

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from migrate.download import Region

R = TypeVar("R")
VENDORS: Final = ("amplitude", "mixpanel")
"""Platforms whose vendor has an export API that is known (`migrate.download.PLATFORMS`)."""
FIRST: Final = ("fetch", "region", "api_host")
"""Keys of a configuration file that only these have a use for."""
_CREDENTIALS: Final = (
    "api-key",
    "api-secret",
    "secret-key",
    "secret",
    "username",
    "password",
    "user",
    "token",
)


@dataclass(frozen=True, kw_only=True)
class VendorOptions:
    """Where the vendor is asked."""

    region: Region = preset(
        click.Choice(["us", "eu", "in"]),
        "us",
        "Region of the vendor's project: its keys and its hosts are apart.",
    )
    api_host: str | None = option(
        click.STRING,
        "URL that stands for the vendor's own host, such as a proxy's.  [default: the one of --region]",
        metavar="URL",
    )


@dataclass(frozen=True, kw_only=True)
class FirstOptions(VendorOptions):
    """Whether a run fetches before it plans, and from where."""

    fetch: bool = flag(
        "First bring what is new from the vendor's export API into the one input, a folder or a bucket (amplitude, "
        "mixpanel).",
    )


@dataclass(frozen=True, kw_only=True)
class FetchOptions(VendorOptions):
    """Whose export is fetched, of which time, and where to."""

    platform: str = argument(click.Choice(VENDORS, case_sensitive=False))
    target: str = argument(click.STRING)
    since: datetime | Day | None = option(
        Moment(),
        "From when on: ISO 8601, yesterday, or -3d.  [default: where the first fetch into TARGET began]",
    )
    until: datetime | Day | None = option(Moment(), "Until when, told likewise.  [default: all there is]")
    lookback: int | None = option(
        Count(0),
        "Hours (amplitude) or days (mixpanel) after their end to ask for once more, for what came late.  "
        "[default: 6 hours, 5 days]",
    )
    project_id: str | None = option(
        click.STRING,
        "Number of Mixpanel's project, where a service account asks.  [default: MIXPANEL_PROJECT_ID]",
        is_typed_only=True,
    )
    source_timezone: str | None = option(
        click.STRING, "IANA zone, or offset such as +02:00, of Mixpanel's project.  [default: UTC]"
    )
    concurrency: int = preset(Whole(1, 100), 3, "Requests at once at the most.")


def without_credentials(command: Callable[..., R]) -> Callable[..., R]:
    """Have a command refuse a credential that is typed, as it would stand in the shell's history."""

    def refuse(_ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 - click's
        if value is not None:
            _refuse(param)

    for name in _CREDENTIALS:
        command = click.option(
            f"--{name}", hidden=True, expose_value=False, callback=refuse, help="Refused."
        )(command)
    return command


def _refuse(param: click.Parameter) -> NoReturn:
    raise click.BadParameter(
        "credentials are not typed, where others can read them; they are taken from the environment: "
        "AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY; MIXPANEL_SERVICE_ACCOUNT_USERNAME, "
        "MIXPANEL_SERVICE_ACCOUNT_SECRET and MIXPANEL_PROJECT_ID, or MIXPANEL_API_SECRET",
        param=param,
    )
