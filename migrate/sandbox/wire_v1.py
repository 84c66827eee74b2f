"""What came over the wire to capture v1: a request's headers and body → who asks, and the JSON text it reads.

Refusals are JSON with a tag (posthog-ingestion.md §2). Brotli, which the real server reads too, is refused here as an
unknown encoding: no library of ours unpacks it.
"""

import json
import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple
from uuid import UUID

import zstandard

from migrate.sandbox.moments import rfc3339
from migrate.sandbox.requests import token_fault
from migrate.sandbox.wire import Answer, Refusal

PATHS: Final = ("/i/v1/analytics/events", "/i/v1/analytics/events/")
WIRE_LIMIT: Final = 10 * 1024 * 1024
DECODED_LIMIT: Final = 50 * 1024 * 1024
"""Bytes; a body that reaches a limit is over it."""

_LONGEST_SDK: Final = 200
_REQUIRED: Final = (
    "User-Agent",
    "PostHog-Sdk-Info",
    "PostHog-Attempt",
    "PostHog-Request-Id",
    "PostHog-Request-Timestamp",
)
_URI: Final = "https://posthog.com/docs/api/capture"
_TAGS: Final = {
    400: "request_parsing_error",
    401: "invalid_api_token",
    402: "billing_limit_exceeded",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_encoding",
    429: "rate_limited",
    500: "internal_error",
    503: "service_unavailable",
    504: "gateway_timeout",
}
"""What v1 usually says with a status."""
_WINDOW_OF_GZIP: Final = 16 + zlib.MAX_WBITS


class Refused(Refusal):
    """Capture v1 refuses the whole request, with a tag; `about` says more."""

    def __init__(self, status: int, tag: str = "", about: str = "") -> None:
        tag = tag or _TAGS.get(status, HTTPStatus(status).name.lower())
        error = {"error": tag, "error_description": about or tag.replace("_", " "), "error_uri": _URI}
        super().__init__(status, json.dumps(error, separators=(",", ":")))

    def answer(self) -> Answer:
        """Return what the client is told."""
        return Answer(self.status, self.text.encode(), "application/json")


class Asked(NamedTuple):
    """What the headers of a request say."""

    token: str
    sdk: str
    """The library's name and version, as told."""
    request_id: str
    timestamp: datetime
    """When the client says that it is."""


def asked(headers: Mapping[str, str]) -> Asked:
    """Return what the headers say; raise `Refused` at the first that is wrong, the key's before all others."""
    token = _token(headers.get("Authorization"))
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "unsupported_content_type")
    if missing := [name for name in _REQUIRED if not headers.get(name, "").strip()]:
        raise Refused(400, "missing_required_headers", ", ".join(missing))
    _, sdk, attempt, request_id, timestamp = (headers[name].strip() for name in _REQUIRED)
    if not re.fullmatch(r"0*[1-9][0-9]*", attempt, re.ASCII):
        raise Refused(400, "invalid_header_value", "PostHog-Attempt")
    if not is_uuid(request_id):
        raise Refused(400, "invalid_header_value", "PostHog-Request-Id")
    if (moment := rfc3339(timestamp)) is None:
        raise Refused(400, "invalid_header_value", "PostHog-Request-Timestamp")
    return Asked(token, sdk, request_id, moment)


def library(sdk: str) -> tuple[str, str] | None:
    """Return a library's name and version, which stand in place of the events' own; None where that is left out."""
    name, slash, version = sdk.rpartition("/")
    return (name, version) if slash and len(sdk) <= _LONGEST_SDK else None


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID, in any spelling of it."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def text(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the JSON text in `body`, decompressed; raise `Refused` as capture v1 does."""
    encoding = headers.get("Content-Encoding")
    if encoding not in {None, "gzip", "deflate", "zstd"}:
        raise Refused(415, "unsupported_encoding")
    if not body:
        raise Refused(400, "empty_body")
    if len(body) >= WIRE_LIMIT:
        raise Refused(413, about=f"body of {len(body)} bytes")
    try:
        decoded = _unpacked(body, encoding)
        decoded.decode()
    except (zlib.error, zstandard.ZstdError, UnicodeDecodeError) as error:
        raise Refused(400, "request_decoding_error", str(error)) from None
    if len(decoded) >= DECODED_LIMIT:
        raise Refused(413, about="decompressed body")
    return decoded


def _token(header: str | None) -> str:
    if not header:
        raise Refused(401, "missing_authorization")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(400, "invalid_header_value", "Authorization")
    if wrong := token_fault(token):
        raise Refused(401, "invalid_api_token", wrong)
    return token.strip()


def _unpacked(body: bytes, encoding: str | None) -> bytes:
    """Return a body decompressed, no more of it than the limit."""
    if encoding is None:
        return body
    if encoding == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(body) as stream:
            return bytes(stream.read(DECODED_LIMIT))
    is_raw = encoding == "deflate" and not _is_zlib(body)
    window = {"gzip": _WINDOW_OF_GZIP}.get(encoding, -zlib.MAX_WBITS if is_raw else zlib.MAX_WBITS)
    unzip = zlib.decompressobj(window)
    decoded = unzip.decompress(body, DECODED_LIMIT)
    if not unzip.eof and len(decoded) < DECODED_LIMIT:
        raise zlib.error("the data end early")
    return decoded


def _is_zlib(body: bytes) -> bool:
    """Whether deflated data have the head of a zlib stream."""
    return body[0] & 15 == zlib.DEFLATED and not int.from_bytes(body[:2], "big") % 31
