"""Guard: a page elsewhere in the web must not be able to use the program that runs on this computer."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = {"GET", "HEAD"}  # not OPTIONS: with it a browser asks whether another site may send more
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

HEADERS = {
    # Gradio's page needs inline scripts and eval; nothing may be loaded from, or sent to, another host.
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def own_hosts(host: str) -> set[str] | None:
    """The names of a server that listens on `host`: known on loopback, any (None) for other computers."""
    return {*LOOPBACK, host} if host in LOOPBACK else None


class Guard:
    """ASGI middleware: refuses what another site sends, and has the browser keep the page to this server.

    hosts: the names under which the server may be addressed, which keeps out a foreign name that was made to point
        here (DNS rebinding); None if any will do.
    """

    def __init__(self, app: ASGIApp, hosts: set[str] | None = None) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif refusal := self._refusal(scope["method"], Headers(scope=scope)):
            await JSONResponse({"error": refusal}, status_code=403)(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send))

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self.hosts is not None and urlsplit(f"//{host}").hostname not in self.hosts:
            return f"This server does not answer for the host {host}."
        origin = headers.get("origin")
        if method not in READING and origin is not None and not _same_host(origin, headers):
            return f"A page of {origin} may not use this server."
        return None


def _same_host(origin: str, headers: Headers) -> bool:
    return urlsplit(origin).netloc in {headers.get("host"), headers.get("x-forwarded-host")} - {None, ""}


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_with_headers
