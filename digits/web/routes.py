"""Routes: what the page fetches beside its questions: pictures up with their progress to be seen, flagged ones down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from digits.errors import FlagsError
from digits.web.actions import LARGEST_UPLOAD, Actions, answered
from digits.web.answer import Json
from digits.web.examples import EXAMPLES, paint
from digits.web.shelf import encode

TOO_LARGE = {"error": f"The picture is too large. At most {LARGEST_UPLOAD / 1e6:.0f} MB can be read."}


def create_routes(actions: Actions) -> list[Route]:
    """The routes under /page, for the page alone, and /docs, for who writes a program."""

    def flagged(request: Request) -> Response:
        try:
            picture = actions.flag_picture(request.path_params["id"], "whole" in request.query_params)
        except (FlagsError, OSError) as error:
            return JSONResponse({"error": str(error)}, 404)
        return Response(picture, media_type=_kind(picture), headers={"Cache-Control": "private, max-age=3600"})

    def export(request: Request) -> Response:
        path = Path(tempfile.mkdtemp()) / "flagged.zip"
        try:
            actions.flags.export(path)
        except FlagsError as error:
            return JSONResponse({"error": str(error)}, 404)
        return FileResponse(path, filename=path.name, background=BackgroundTask(_remove, path))

    return [
        Route("/page/keep", _receiving(actions.keep_picture), methods=["POST"]),
        Route("/page/open", _receiving(actions.open_picture), methods=["POST"]),
        Route("/page/flags/{id}", flagged),
        Route("/page/flagged.zip", export),
        Route("/docs", _programs),
        Route("/docs/7.png", _seven),
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


def _programs(_: Request) -> Response:
    return HTMLResponse(Path(__file__).with_name("assets").joinpath("programs.html").read_text("utf-8"))


def _seven(_: Request) -> Response:
    (seven,) = (example for example in EXAMPLES if example["name"] == "7")
    return Response(encode(paint(seven)), media_type="image/png")


def _kind(picture: bytes) -> str:
    """What an old flag may hold is shown as a picture or not at all, never as a page."""
    return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"


def _remove(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
