"""An address → what obstore asks its storage through, with the endpoint and credentials that each kind has."""

import base64
import os
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit

from migrate.errors import Stopped, UsageError
from migrate.stores.credentials import Aws, check_azure, check_google, is_set
from migrate.stores.urls import Url, is_loopback, whole

CONNECTED: Final = 10
"""Seconds in which a connection is made."""
HEARD: Final = 60
"""Seconds that an answer may be silent."""
_CLIENT: Final[Mapping[str, Any]] = {
    "connect_timeout": timedelta(seconds=CONNECTED),
    "read_timeout": timedelta(seconds=HEARD),
    "timeout": timedelta(minutes=5),
}
_ALLOW_HTTP: Final = {"s3": "AWS_ALLOW_HTTP", "gs": "GOOGLE_ALLOW_HTTP", "az": "AZURE_ALLOW_HTTP"}
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_PORTS: Final = {"https": 443, "http": 80}
_REACHED: Final = 10
"""Seconds in which an endpoint that was named takes a connection."""

Made = Callable[..., object]
"""What makes an obstore of `client_options` and a `retry_config`."""


def maker(stores: ModuleType, url: Url) -> Callable[[Mapping[str, int] | None], object]:
    """Return what makes the obstore of an address, for a way to try again; None is obstore's own.

    Raises UsageError where it cannot be opened, and Stopped where nothing answers at an endpoint that was named.
    """
    make, endpoint = _MAKERS.get(url.scheme, _web)(stores, url)
    is_here = endpoint is not None and is_loopback(urlsplit(endpoint).netloc)
    client = {**_CLIENT, "allow_http": is_here or is_set(_ALLOW_HTTP.get(url.scheme, ""))}
    if endpoint is not None:
        if urlsplit(endpoint).scheme == "http" and not client["allow_http"]:
            why = "its endpoint would be asked without encryption; name it with https://, or set"
            raise UsageError(f"{url.place}: {why} {_ALLOW_HTTP[url.scheme]}=true")
        _check_reached(endpoint, url.place)
    return lambda retry: make(client, retry)


def _s3(stores: ModuleType, url: Url) -> tuple[Made, str | None]:
    aws = Aws(url.place)
    more: dict[str, Any] = {"region": aws.region or "us-east-1", "virtual_hosted_style_request": False}
    if aws.endpoint is not None:
        more["endpoint"] = aws.endpoint
    if not aws.is_signed:
        more["skip_signature"] = True
    elif aws.provider is not None:
        more["credential_provider"] = aws.provider

    bundle = os.environ.get("AWS_CA_BUNDLE")
    try:
        own = {} if not bundle else {"root_certificate": Path(bundle).read_bytes()}
    except OSError as error:
        raise UsageError(f"{url.place}: AWS_CA_BUNDLE cannot be read, {error.strerror}; see to it") from None

    def made(client: Mapping[str, Any], retry: Mapping[str, int] | None) -> object:
        client = {**client, **own}
        return stores.S3Store(url.host, client_options=client, retry_config=retry, **more)

    return made, aws.endpoint


def _gs(stores: ModuleType, url: Url) -> tuple[Made, str | None]:
    check_google(url.place)

    def made(client: Mapping[str, Any], retry: Mapping[str, int] | None) -> object:
        # Else an object that is stored compressed is unpacked on its way, and has no ranges.
        client = {**client, "default_headers": {"Accept-Encoding": "gzip"}}
        return stores.GCSStore(url.host, client_options=client, retry_config=retry)

    return made, None


def _az(stores: ModuleType, url: Url) -> tuple[Made, str | None]:
    check_azure(url.place)

    def made(client: Mapping[str, Any], retry: Mapping[str, int] | None) -> object:
        return stores.AzureStore(url.host, client_options=client, retry_config=retry)

    return made, os.environ.get("AZURE_STORAGE_ENDPOINT") or os.environ.get("AZURE_ENDPOINT")


def _web(stores: ModuleType, url: Url) -> tuple[Made, str | None]:
    address, login = whole(url)
    headers = {"Accept-Encoding": "identity"}
    if login:
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"

    def made(client: Mapping[str, Any], retry: Mapping[str, int] | None) -> object:
        client = {**client, "default_headers": headers}
        return stores.HTTPStore(address, client_options=client, retry_config=retry)

    return made, f"{url.scheme}://{url.host}"


_MAKERS: Final = {"s3": _s3, "gs": _gs, "az": _az}


def _check_reached(endpoint: str, where: str) -> None:
    """Raise Stopped where nothing answers at an endpoint that was named, unless a proxy stands between."""
    parts = urlsplit(endpoint)
    if parts.hostname is None or parts.scheme not in _PORTS:
        found = parts.netloc or parts.path
        raise UsageError(f"{where}: its endpoint is no address, found '{found}'; write it as https://…")
    if any(map(os.environ.get, _PROXIES)):
        return
    try:
        host = parts.hostname, parts.port or _PORTS[parts.scheme]
        socket.create_connection(host, timeout=_REACHED).close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        named = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        raise Stopped(
            f"{where}: nothing answers at its endpoint {named} ({why}); check the address, or run the same command "
            "again later",
            "server",
        ) from None
