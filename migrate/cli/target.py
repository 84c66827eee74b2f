"""What was typed of the target → how and where to send, and the sandbox where that is the target."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from migrate.apply.age import usual
from migrate.apply.delivery import Delivery
from migrate.apply.target import check_proxy, checked_key, host_url, is_cloud
from migrate.cli.options import SendOptions
from migrate.errors import UsageError

if TYPE_CHECKING:
    from migrate.sandbox.server import Sandbox

SANDBOX: Final = "sandbox"
_CLOUD_RATE: Final = 1_000.0
"""Events a second that PostHog Cloud is sent, where nothing else is asked for."""


def is_named_sandbox(host: str | None) -> bool:
    """Return whether the sandbox inside of the command is meant."""
    return host is not None and host.strip().lower() == SANDBOX


def checked_target(sending: SendOptions) -> tuple[str, str]:
    """Return the URL to send to, or the sandbox's name, and the key.

    Raises UsageError where one is missing or wrong.
    """
    if not sending.host:
        raise UsageError("--host: missing; give us, eu, the URL of a PostHog, or sandbox to try")
    key, target = sending.api_key, SANDBOX
    if is_named_sandbox(sending.host):
        key = key or "phc_sandbox"
    else:
        target = host_url(sending.host)
        check_proxy(target)
    if not key:
        raise UsageError("--api-key: missing; set POSTHOG_API_KEY to the project's key (phc_…)")
    return target, checked_key(key)


def open_target(sending: SendOptions, stack: ExitStack) -> "tuple[Delivery, Sandbox | None]":
    """Return how and where to send, and the sandbox, which lives as long as the stack, if that is where.

    Raises UsageError as `checked_target` does.
    """
    target, key = checked_target(sending)
    local = stack.enter_context(_sandbox()) if target == SANDBOX else None
    url = local.url if local else target
    delivery = Delivery(
        url=url,
        target=target,
        key=key,
        protocol=sending.protocol,
        rate=sending.rate or (_CLOUD_RATE if is_cloud(url) else None),
        concurrency=sending.concurrency,
        max_batch_bytes=sending.max_batch_bytes,
        max_batch_events=sending.max_batch_events,
        gzip=sending.gzip,
        max_attempts=sending.max_attempts,
        deadline=sending.deadline,
        timeout=sending.timeout,
        min_age=usual(url) if sending.min_age is None else sending.min_age,
    )
    return delivery, local


def _sandbox() -> "Sandbox":
    """Return a sandbox inside of the command, with all that PostHog Cloud has."""
    from migrate.sandbox.server import Sandbox  # noqa: PLC0415 - what only plans or looks has no need of aiohttp

    return Sandbox(has_v1=True)
