"""Guard: no page elsewhere in the web may use the program that runs on this computer, and nobody may flood it."""

from __future__ import annotations

import base64
import os
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits.errors import shown

READING = {"GET", "HEAD"}  # not OPTIONS: with it a browser asks whether another site may send more
LARGEST_BODY = 40_000_000  # bytes: a picture of 25 MB as a data URL in JSON
MOST_REQUESTS = 128  # that are under way: more would only wait
MOST_BYTES = 500_000_000  # of their bodies together
OWN_START = "/gradio_api/startup-events"  # by which Gradio asks itself, without a password, whether it runs
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

FRAMES = "'self' https://huggingface.co" if "SPACE_ID" in os.environ else "'self'"  # a Space is shown in a frame
HEADERS = {
    # Gradio's page needs inline scripts and eval; nothing may be loaded from, or sent to, another host.
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    f"frame-ancestors {FRAMES}",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def own_hosts(host: str) -> set[str] | None:
    """The names of a server that listens on `host`: known on loopback, any (None) for other computers."""
    return {*LOOPBACK, host} if host in LOOPBACK else None


class Guard:
    """ASGI middleware: refuses what another site sends, has the browser keep the page to this server, and keeps what
    is under way within bounds.

    hosts: the names under which the server may be addressed, which keeps out a foreign name that was made to point
        here (DNS rebinding); None if any will do.
    password: what has to be sent with every request (HTTP Basic, any name); None for none.
    """

    def __init__(self, app: ASGIApp, hosts: set[str] | None = None, password: str | None = None) -> None:
        self.app = app
        self.hosts = hosts
        self.password = password
        self.requests = 0  # that are under way
        self.bytes = 0  # that their bodies may have

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif refusal := self._refusal(scope, Headers(scope=scope)):
            await refusal(scope, receive, send)
        elif scope["method"] in READING:
            await self.app(scope, receive, _with_headers(send))
        else:
            await self._take_turn(scope, receive, send)

    async def _take_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say "busy" when too much is under way already: a queue that grows helps nobody."""
        size = _body_size(Headers(scope=scope))
        if self.requests >= MOST_REQUESTS or (self.requests and self.bytes + size > MOST_BYTES):
            busy = "The server is busy. Try again in a second."
            await JSONResponse({"error": busy}, 503, headers={"Retry-After": "1"})(scope, receive, send)
            return
        self.requests += 1
        self.bytes += size
        try:
            await self.app(scope, receive, _with_headers(send))
        finally:
            self.requests -= 1
            self.bytes -= size

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if sentence := self._foreign(scope["method"], headers):
            return JSONResponse({"error": sentence}, 403)
        if _body_size(headers) > LARGEST_BODY:
            sentence = f"The request is too large. Send at most {LARGEST_BODY / 1e6:.0f} MB."
            return JSONResponse({"error": sentence}, 413)
        if self.password is not None and scope["path"] != OWN_START and not self._knows_password(headers):
            sentence = "A password is needed. Send it with HTTP Basic authentication, under any name."
            return JSONResponse({"error": sentence}, 401, headers={"WWW-Authenticate": 'Basic realm="digits"'})
        return None

    def _knows_password(self, headers: Headers) -> bool:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        try:
            received = base64.b64decode(credentials, validate=True).partition(b":")[2]
        except ValueError:
            return False
        expected = (self.password or "").encode()
        return scheme.lower() == "basic" and secrets.compare_digest(received, expected)

    def _foreign(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self.hosts is not None and _name_of(host) not in self.hosts:
            return f"This server does not answer for the host {shown(host, 100)}."
        origin = headers.get("origin")
        if method not in READING and origin is not None and not _same_host(origin, headers):
            return f"A page of {shown(origin, 100)} may not use this server."
        return None


def _body_size(headers: Headers) -> int:
    """Bytes of the request's body as it says, which the server holds it to; of one that does not say, the most."""
    length = headers.get("content-length", "")
    if length.isdecimal() and length.isascii():
        return int(length[:20])
    return LARGEST_BODY if "transfer-encoding" in headers else 0


def _name_of(host: str) -> str | None:
    """The name of a host without its port; None if it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname if parts.port is None or parts.port >= 0 else None
    except ValueError:
        return None


def _same_host(origin: str, headers: Headers) -> bool:
    try:
        netloc = urlsplit(origin).netloc
    except ValueError:
        return False
    return netloc in {headers.get("host"), headers.get("x-forwarded-host")} - {None, ""}


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_with_headers
