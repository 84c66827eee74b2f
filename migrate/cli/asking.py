"""What may be typed of a target: where events go, where PostHog is asked, and with which keys."""

from dataclasses import dataclass

import click

from migrate.apply.target import check_proxy
from migrate.asking.target import Access, app_url, checked_personal_key, checked_project_id
from migrate.cli.kinds import Host
from migrate.cli.params import option


@dataclass(frozen=True, kw_only=True, repr=False)
class TargetOptions:
    """Where to send, and with which key, which is in no repr."""

    host: str | None = option(
        Host(),
        "us, eu, a URL, or sandbox (a throw-away endpoint, and a workdir that goes with it).",
        envvar=["POSTHOG_HOST"],
    )
    api_key: str | None = option(
        click.STRING,
        "Project API key (phc_…); better as an environment variable.",
        envvar=["POSTHOG_API_KEY"],
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class AskOptions:
    """How PostHog is asked what it has; the key is in no repr."""

    app_host: str | None = option(
        Host(),
        "Where PostHog is asked: us, eu or a URL.  [default: the one that belongs to --host]",
    )
    personal_api_key: str | None = option(
        click.STRING,
        "Personal API key (phx_…) to ask with; better as an environment variable.",
        envvar=["POSTHOG_PERSONAL_API_KEY"],
    )
    project_id: str | None = option(
        click.STRING,
        "Number of the project.  [default: the one whose key --api-key is]",
        envvar=["POSTHOG_PROJECT_ID"],
    )

    def access(self, capture: str) -> Access | None:
        """Return how PostHog is asked, beside capture's URL; None without a key. Raises UsageError for a wrong one."""
        url = app_url(self.app_host, capture)
        if self.personal_api_key is None:
            return None
        check_proxy(url)
        return Access(url, checked_personal_key(self.personal_api_key), checked_project_id(self.project_id))
