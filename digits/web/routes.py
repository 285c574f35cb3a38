"""Routes: what the page fetches beside its questions: a picture goes up with its progress to be seen."""

from __future__ import annotations

from collections.abc import Callable

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digits.web.actions import LARGEST_UPLOAD, Actions, answered
from digits.web.answer import Json

TOO_LARGE = {"error": f"The picture is too large. At most {LARGEST_UPLOAD / 1e6:.0f} MB can be read."}


def create_routes(actions: Actions) -> list[Route]:
    """The routes under /page, for the page alone."""
    return [
        Route("/page/keep", _receiving(actions.keep_picture), methods=["POST"]),
        Route("/page/open", _receiving(actions.open_picture), methods=["POST"]),
    ]


def _receiving(action: Callable[[bytes], Json]) -> Callable[[Request], object]:
    """An endpoint that hands the request's body to the action."""

    async def receive(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_UPLOAD:
                return JSONResponse(TOO_LARGE, 413)
        return JSONResponse(await anyio.to_thread.run_sync(answered, action, bytes(body)))

    return receive
