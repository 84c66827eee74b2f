"""Where PostHog is asked, and with which key: the private API's own hosts in PostHog Cloud, else that of capture."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from migrate.apply.target import CLOUD_HOSTS, host_url
from migrate.errors import UsageError

APPS: Final = {"us": "https://us.posthog.com", "eu": "https://eu.posthog.com"}
"""Region of PostHog Cloud → where its private API is (posthog-ingestion.md §9.6)."""
PERSONAL: Final = "phx_"
PROJECT_SECRET: Final = "phs_"  # noqa: S105 - how a project's secret key begins, which asks queries and nothing else
SCOPES: Final = "project:read, query:read and group:read"
"""What a personal key must be allowed."""


@dataclass(frozen=True)
class Access:
    """How PostHog is asked: where, with which key, of which project where one is named."""

    app_host: str
    key: str = field(repr=False)
    project_id: str | None = None


def app_url(app_host: str | None, capture: str) -> str:
    """Return the URL below which PostHog is asked: that of `--app-host`, or the one that belongs to capture's URL.

    Raises UsageError for what is no URL.
    """
    url = capture
    if app_host is not None:
        try:
            url = host_url(app_host)
        except UsageError as error:
            raise UsageError(str(error).replace("--host", "--app-host")) from None
    region = region_of(url)
    return APPS[region] if region else url


def region_of(url: str) -> str | None:
    """Return the region of PostHog Cloud a URL is of, if it is of one."""
    return CLOUD_HOSTS.get(urlsplit(url).hostname or "")


def checked_personal_key(key: str) -> str:
    """Trim a personal key, or a project's secret one, or raise UsageError; no message shows it."""
    found = key.strip()
    if found.startswith("phc_"):
        problem = "is a project's key, which sends and cannot ask, found phc_…"
    elif not found.startswith((PERSONAL, PROJECT_SECRET)):
        problem = "does not begin as one does"
    elif not re.fullmatch(r"[A-Za-z0-9_-]{8,200}", found):
        problem = "holds what no key has, or is cut short"
    else:
        return found
    raise UsageError(
        f"--personal-api-key: {problem}; give a personal API key (phx_…) with the scopes {SCOPES}, or the project's "
        "secret key (phs_…), in POSTHOG_PERSONAL_API_KEY"
    )


def checked_project_id(number: str | None) -> str | None:
    """Trim a project's number, or raise UsageError, which does not show it: it is part of a path."""
    found = (number or "").strip()
    if found and not re.fullmatch(r"[0-9]{1,18}", found):
        raise UsageError(
            "--project-id: not a number; give the one in the address of the project's pages (/project/12345)"
        )
    return found or None
