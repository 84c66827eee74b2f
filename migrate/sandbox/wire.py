"""What came over the wire: a request's query, headers and body → the JSON text capture reads."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

import msgspec
from isal import isal_zlib

DECODED_LIMIT: Final = 5 * 20 * 1024 * 1024
"""Bytes of a body, on the wire and decompressed; the routes' own limits of 20 and 2 MiB do not bite."""

_GZIP: Final = b"\x1f\x8b\x08"
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=\r\n]*")
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_FORM: Final = re.compile(rb"(?:^|&)(?:data|_|ip|compression)=")
_HINTS: Final = {
    "gzip": "gzip",
    "gzip-js": "gzip",
    "lz64": "lz64",
    "lz-string": "lz64",
    "base64": "base64",
    "b64": "base64",
}


class Answer(msgspec.Struct, frozen=True):
    """What the client is told."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = {}


class Refusal(Exception):  # noqa: N818 - an answer to the client, not a failure of this program
    """Capture refuses the request: the status and the plain text it answers with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text

    def answer(self) -> Answer:
        """Return what the client is told."""
        return Answer(self.status, self.text.encode())


def check_query(query: Mapping[str, str]) -> None:
    """Raise `Refusal` where a time in the query is no whole number."""
    for name in ("_", "sent_at"):
        text = query.get(name)
        if text is not None and not _INTEGER.fullmatch(text):
            words = "invalid digit found in string" if text else "cannot parse integer from empty string"
            raise Refusal(400, f"Failed to deserialize query string: {name}: {words}")


def text(body: bytes, *, query: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
    """Return the UTF-8 text in `body`, decompressed; raise `Refusal` as capture does."""
    body = query.get("data", "").encode() or body
    if not body:
        raise Refusal(400, "request missing data payload")
    body = _unbased(body)
    form_hint = None
    if headers.get("Content-Type") == "application/x-www-form-urlencoded":
        body, form_hint = _form(body)
    hint = _HINTS.get(query.get("compression", "").lower()) or _HINTS.get(form_hint or "")
    hint = hint or _HINTS.get(headers.get("Content-Encoding", ""))
    if hint == "lz64":
        raise Refusal(400, "failed to decode request: invalid LZ64 data")
    zipped = hint == "gzip" or body.startswith(_GZIP)
    decoded = _unzipped(body) if zipped else body
    if len(decoded) > DECODED_LIMIT:
        raise Refusal(
            413,
            "maximum event size exceeded: "
            f"Uncompressed payload size limit {DECODED_LIMIT} exceeded: {len(decoded)}",
        )
    try:
        decoded.decode()
    except UnicodeDecodeError:
        words = "invalid gzip data" if zipped else "invalid UTF8 in request payload"
        raise Refusal(400, f"failed to decode request: {words}") from None
    return decoded


def _unbased(body: bytes) -> bytes:
    if len(body) % 4 or not _BASE64.fullmatch(body[:128]):
        return body
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        return body


def _form(body: bytes) -> tuple[bytes, str | None]:
    if not _FORM.search(body[:128]):
        words = "failed to decode request: expected form data in POST request payload"
        raise Refusal(400, words)
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    data = fields.get("data", [""])[0].encode()
    if not data:
        raise Refusal(400, "request missing data payload")
    return data, fields.get("compression", [None])[0]


def _unzipped(body: bytes) -> bytes:
    """Decompress the first gzip member; what follows it is ignored, as capture's reader does."""
    unzip = isal_zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        decoded: bytes = unzip.decompress(body, DECODED_LIMIT + 1)
    except isal_zlib.error:  # type: ignore[misc]  # isal's stub declares an instance
        raise Refusal(400, "failed to decode request: invalid GZIP data") from None
    if len(decoded) > DECODED_LIMIT:
        words = f"Decompressed payload would exceed {DECODED_LIMIT} bytes (got {len(decoded)} bytes)"
        raise Refusal(413, f"maximum event size exceeded: {words}")
    if not unzip.eof:
        raise Refusal(400, "failed to decode request: invalid GZIP data")
    return decoded
