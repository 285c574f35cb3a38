"""Reviewing: a page that shows one doubtful cell after the other (digits/review.py), for this computer alone."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from digits.errors import DigitsError, shown
from digits.review import Doubt, Review
from digits.web.guard import Guard, own_hosts
from digits.web.ports import check_port, find_free_port
from digits.web.shelf import data_url, encode

HOST = "127.0.0.1"
LARGEST = 10_000  # bytes of a decision


def create_review_app(review: Review) -> Starlette:
    """The page, what it asks for, and where it sends what was decided."""
    turn = threading.Lock()  # one question at a time: a review is one person's

    def show(row: int, column: int, back: bool) -> dict[str, Any]:
        with turn:
            doubt = review.before(row, column) if back else review.after(row, column)
            problems = [f"{shown(source)}: {why}" for source, why in review.problems.items()]
            progress = {"rows": len(review), "decided": review.decided, "problems": problems}
        return progress | (_as_json(doubt) if doubt else {"picture": None})

    def decide(row: int, column: int, text: str) -> dict[str, Any]:
        with turn:
            review.decide(row, column, text)
        return show(row, column, back=False)

    async def page(_: Request) -> Response:
        return HTMLResponse(Path(__file__).with_name("assets").joinpath("review.html").read_text("utf-8"))

    async def cell(request: Request) -> Response:
        asked = request.query_params
        try:
            place = int(asked.get("row", 0)), int(asked.get("column", -1)), "back" in asked
        except ValueError:
            return JSONResponse({"error": "A cell is named by two whole numbers, its row and its column."}, 422)
        return JSONResponse(await anyio.to_thread.run_sync(show, *place))

    async def decision(request: Request) -> Response:
        body = await request.body() if int(request.headers.get("content-length", 0)) <= LARGEST else b""
        try:
            return JSONResponse(await anyio.to_thread.run_sync(decide, *_parse(body)))
        except DigitsError as error:
            return JSONResponse({"error": str(error)}, 422)
        except OSError as error:
            return JSONResponse({"error": f"It could not be written: {error.strerror}. Make room and try again."}, 507)

    routes = [Route("/", page), Route("/cell", cell), Route("/decide", decision, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(Guard, hosts=own_hosts(HOST))])


def serve_review(review: Review, port: int = 7861) -> None:
    """Serve the page until interrupted. The next free port is taken if this is in use, and said."""
    check_port(port)
    free = find_free_port(HOST, port)
    print(f"http://{HOST}:{free} shows what is to be checked (Ctrl+C ends it; what was decided is kept)", flush=True)
    uvicorn.run(create_review_app(review), host=HOST, port=free, log_level="warning")


def _parse(body: bytes) -> tuple[int, int, str]:
    """A decision. Raises DigitsError if it is none."""
    try:
        sent = json.loads(body)
        row, column, text = sent["row"], sent["column"], sent["text"]
    except (ValueError, KeyError, TypeError, RecursionError):
        row = column = text = None
    if type(row) is not int or type(column) is not int or not isinstance(text, str):
        raise DigitsError('A decision is JSON as {"row": 3, "column": 1, "text": "12"}.')
    return row, column, text


def _as_json(doubt: Doubt) -> dict[str, Any]:
    return {
        "row": doubt.row,
        "column": doubt.column,
        "text": doubt.text,
        "remark": doubt.remark,
        "source": doubt.source,
        "picture": data_url(encode(doubt.picture)),
    }
