"""Who may ask: whoever was given the address, from this machine, and from no other page."""

import hmac
import secrets
import traceback
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADER: Final = "X-Migrate-Token"
"""In which the page says the token; a page of another origin cannot send it without being asked first."""
KEY: Final = "t"
"""Under which the address says it: of the page, its script and its style."""
_ADDRESSES: Final = frozenset({"/", "/serve.js", "/serve.css"})
"""What a browser asks for by its address alone."""
_NAMES: Final = {"127.0.0.1", "localhost"}
_USUAL_PORT: Final = 80
"""Of HTTP, which browsers leave out."""
_BUG: Final = "a fault of migrate's, whose traceback is on its terminal: please report it"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Visitors:
    """Those who know the token of this server."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def why_not(self, request: web.Request) -> str | None:
        """Return why a request is not answered; None where it is."""
        url = urlsplit(f"//{request.headers.get('Host', '')}")
        port = _port(request)
        ours = {f"127.0.0.1:{port}", f"localhost:{port}"} | (_NAMES if port == _USUAL_PORT else set())
        if url.netloc.lower() not in ours:
            return "this page is asked for as 127.0.0.1 or localhost, at its own port"
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() != f"http://{url.netloc.lower()}":
            return "this page answers itself, and no other one"
        by_address = request.method == "GET" and request.path in _ADDRESSES
        said = request.query.get(KEY, "") if by_address else request.headers.get(HEADER, "")
        if not hmac.compare_digest(said.encode(errors="replace"), self.token.encode()):
            return "the token is missing or another server's; open the address that migrate serve has printed"
        return None

    def middleware(self) -> Middleware:
        """Return what turns all others away, and tells browsers to be strict with all that is answered."""

        @web.middleware
        async def visited(request: web.Request, handler: Handler) -> web.StreamResponse:
            why = self.why_not(request)
            if why is not None:
                response: web.StreamResponse = web.json_response({"error": {"said": why}}, status=403)
            else:
                try:
                    response = await handler(request)
                except web.HTTPException as error:
                    response = web.json_response({"error": {"said": _said(error)}}, status=error.status)
                except Exception:  # noqa: BLE001 - told on both sides, and ends nothing
                    traceback.print_exc()
                    response = web.json_response({"error": {"said": _BUG}}, status=500)
            response.headers.update(_HEADERS)
            return response

        return visited


def _port(request: web.Request) -> int:
    """Return the port at which a request came in."""
    transport = request.transport
    return 0 if transport is None else int(transport.get_extra_info("sockname")[1])


def _said(error: web.HTTPException) -> str:
    """Return what a server has to say of a request that it cannot answer."""
    if error.status == web.HTTPRequestEntityTooLarge.status_code:
        return "the text is longer than 1 MB, which no spec is; shorten it"
    if error.status == web.HTTPBadRequest.status_code and error.text is not None:
        return error.text
    return f"nothing is here to be asked for in this way ({error.status})"
