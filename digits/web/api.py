"""The plain HTTP interface: pictures in, JSON out. It stands beside the page, or alone: digits serve --no-page."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
import cv2
import uvicorn
from fastapi import APIRouter, FastAPI, HTTPException, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import digits
from digits.errors import shown
from digits.pages import Page
from digits.recognizer import Recognizer
from digits.rows import Row, as_row
from digits.web.guard import Guard, own_hosts
from digits.web.ports import PATIENCE, check_free, check_port, warnings_for
from digits.web.watch import WORKERS_VARIABLE, Watch, WatchedRecognizer, exposition, log_requests

LARGEST_REQUEST = 25_000_000  # bytes
MOST_PICTURES = 64  # in one request
MODEL_VARIABLE = "DIGITS_MODEL"  # how `serve` tells its worker processes which model to load
HOST_VARIABLE = "DIGITS_HOST"  # and on which host they listen
PASSWORD_VARIABLE = "DIGITS_PASSWORD"  # and what has to be sent with every request
LOG_VARIABLE = "DIGITS_LOG"  # and whether they log each request


class Exact(BaseModel):
    """A JSON object with these members and no others."""

    model_config = ConfigDict(extra="forbid")


class Candidate(Exact):
    """A label and how probable it is."""

    label: int = Field(ge=0, le=9, examples=[7])
    confidence: float = Field(ge=0, le=1, examples=[0.971])


class FoundDigit(Candidate):
    """One digit of a picture."""

    verdict: str = Field(description="sure, unsure or not a digit", examples=["sure"])
    box: list[int] = Field(description="left, top, right, bottom in pixels", examples=[[120, 80, 260, 310]])
    line: int = Field(description="which line it stands in, from 0", examples=[0])
    top: list[Candidate] = Field(description="the most probable labels, best first")


class FoundSign(Exact):
    """One sign of a number."""

    text: str = Field(description="one of . , - / : + = %", examples=["."])
    confidence: float = Field(ge=0, le=1, examples=[0.971])
    box: list[int] = Field(description="left, top, right, bottom in pixels", examples=[[262, 280, 280, 310]])


class FoundNumber(Exact):
    """Digits and signs that stand together."""

    text: str = Field(description="as written; ? is a mark that is no digit and no sign", examples=["3.14"])
    confidence: float = Field(ge=0, le=1, description="probability that all of it is right", examples=[0.971])
    verdict: str = Field(description="sure, unsure or not a digit", examples=["sure"])
    box: list[int] = Field(description="left, top, right, bottom in pixels", examples=[[120, 80, 560, 310]])
    line: int = Field(description="which line it stands in, from 0", examples=[0])
    signs: list[FoundSign]


class Answer(Exact):
    """What was read in one picture."""

    picture: str = Field(description="the name of the file as sent", examples=["7.png"])
    text: str = Field(description="lines are separated by newlines, numbers by blanks", examples=["3.14"])
    confidence: float | None = Field(description="probability that the whole text is right", examples=[0.971])
    verdict: str | None = Field(description="sure, unsure or not a digit; null: nothing drawn", examples=["sure"])
    numbers: list[FoundNumber]
    digits: list[FoundDigit]
    notes: list[str] = Field(description="what was done to the picture", examples=[["dark background: inverted"]])
    error: str | None = Field(description="why this picture could not be read, else null", examples=[None])


class Networks(Exact):
    """SHA-256 of each network that answers, hexadecimal."""

    model: str = Field(description="which digit it is", examples=["0" * 64])
    ink: str = Field(description="what is ink", examples=["0" * 64])
    sequence: str = Field(description="what stands in a line", examples=["0" * 64])


class Answers(Exact):
    """One answer a picture, in the order sent, and by which networks."""

    results: list[Answer]
    networks: Networks


class Problem(Exact):
    """Every error has this form."""

    error: str = Field(
        examples=["No picture came with the request. Send its bytes as the body, or as files of a form."]
    )


class Health(Exact):
    """The server answers."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])
    networks: Networks


class Model(Exact):
    """The model that answers."""

    file: str = Field(examples=["model.onnx"])
    sha256: str = Field(examples=["0" * 64])


class PlainRoute(APIRoute):
    """A route whose every error is {"error": "a plain sentence"}."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_plainly(request: Request) -> Response:
            try:
                return await handle(request)
            except (AnyHTTPException, RequestValidationError) as error:
                return _problem(request, error)

        return handle_plainly


def create_router(recognizer: Recognizer) -> APIRouter:
    """The routes under /api, answered by `recognizer`; include them in any FastAPI application."""
    router = APIRouter(prefix="/api", route_class=PlainRoute, tags=["digits"])
    cores = anyio.CapacityLimiter(os.cpu_count() or 1)  # more at once would only slow each other down
    cv2.setNumThreads(1)  # the cores are busy with a picture each

    @router.post(
        "/recognize",
        response_model=Answers,
        responses=_problems(400, 413, 422),
        openapi_extra={"requestBody": _REQUEST_BODY},
    )
    async def recognize(
        request: Request,
        single: Annotated[bool, Query(description="take the whole of each picture as one digit")] = False,
        top: Annotated[int, Query(ge=1, le=10, description="how many labels to give for each digit")] = 3,
        page: Annotated[
            int | None, Query(ge=1, description="which page of a PDF or TIFF; the first, with a note, if none is named")
        ] = None,
    ) -> Response:
        """Read pictures: the bytes of one as the body, or any number of files in a form.

        A picture that cannot be read gives an answer with its error; only if none can, the request fails.
        """
        pictures = await _pictures(request)
        networks = recognizer.networks
        rows = await anyio.to_thread.run_sync(_read, recognizer, pictures, single, top, page, limiter=cores)
        if all(row["error"] for row in rows):
            raise HTTPException(422, rows[0]["error"])
        return JSONResponse({"results": rows, "networks": networks})

    @router.get("/health")
    async def health() -> Health:
        """Whether the server answers, and with which networks."""
        return Health(status="ok", version=digits.__version__, networks=Networks(**recognizer.networks))

    @router.get("/model")
    def model() -> Model:
        """Which model answers."""
        return Model(file=recognizer.classifier.path.name, sha256=recognizer.classifier.digest)

    return router


def _read(
    recognizer: Recognizer, pictures: list[tuple[str, bytes]], single: bool, top: int, page: int | None
) -> list[Row]:
    results = recognizer.recognize_many([Page(data, page) if page else data for _, data in pictures], single)
    return [as_row(name, result, top) for (name, _), result in zip(pictures, results, strict=True)]


async def _pictures(request: Request) -> list[tuple[str, bytes]]:
    """Name and bytes of each picture that was sent. Raises HTTPException 400 or 413."""
    request = Request(request.scope, _limited(request.receive))
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        files = [file for _, file in (await request.form()).multi_items() if isinstance(file, UploadFile)]
        pictures = [(file.filename or "", await file.read()) for file in files]
    else:
        body = await request.body()
        pictures = [("picture", body)] if body else []
    if not pictures:
        raise HTTPException(400, "No picture came with the request. Send its bytes as the body, or as files of a form.")
    if len(pictures) > MOST_PICTURES:
        raise HTTPException(413, f"Too many pictures: {len(pictures)}. Send at most {MOST_PICTURES} in one request.")
    return pictures


def _limited(receive: Receive) -> Receive:
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LARGEST_REQUEST:
            raise HTTPException(413, f"The request is too large. Send at most {LARGEST_REQUEST / 1e6:.0f} MB.")
        return message

    return receive_limited


def _problem(_: Request, error: Exception) -> Response:
    if isinstance(error, AnyHTTPException):
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return JSONResponse({"error": f"{first['loc'][-1]}: {first['msg']}. Received: {shown(str(first['input']))}."}, 422)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    meanings = {400: "No picture was sent", 413: "Too large or too many", 422: "No picture could be read"}
    return {status: {"model": Problem, "description": meanings[status]} for status in statuses}


_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "minItems": 1,
    "description": f"at most {MOST_PICTURES} pictures, {LARGEST_REQUEST / 1e6:.0f} MB together",
}
_REQUEST_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": {"type": "object", "properties": {"files": _FILES}, "required": ["files"]}},
        "image/png": _BYTES,
        "image/jpeg": _BYTES,
        "application/octet-stream": _BYTES,
    },
}


def create_interface(recognizer: Recognizer) -> FastAPI:
    """The HTTP interface, answered by `recognizer`, without a guard; its openapi.json describes it and nothing else."""
    app = FastAPI(title="Handwritten digit recognition", version=digits.__version__, docs_url=None, redoc_url=None)
    app.include_router(create_router(recognizer))

    @app.get("/api/metrics", response_class=PlainTextResponse, tags=["digits"])
    def metrics() -> Response:
        """What the server did so far, for Prometheus."""
        return Response(exposition(recognizer.networks), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    app.add_exception_handler(AnyHTTPException, _problem)  # paths and methods that there are none of
    return app


class Beside:
    """ASGI middleware: the HTTP interface beside a page; it answers /api and /openapi.json, and the page all else."""

    def __init__(self, app: ASGIApp, interface: ASGIApp) -> None:
        self.app = app
        self.interface = interface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and (path.startswith("/api/") or path in ("/api", "/openapi.json"))
        await (self.interface if ours else self.app)(scope, receive, send)


def create_app(recognizer: Recognizer | None = None) -> FastAPI:
    """The HTTP interface alone, guarded; without a recognizer, as `serve` has named model, host and password."""
    if os.environ.get(LOG_VARIABLE):
        log_requests()
    app = create_interface(recognizer or WatchedRecognizer(os.environ.get(MODEL_VARIABLE)))
    host = os.environ.get(HOST_VARIABLE)
    hosts = own_hosts(host) if host else None
    app.add_middleware(Guard, hosts=hosts, password=os.environ.get(PASSWORD_VARIABLE) or None)
    app.add_middleware(Watch)
    return app


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    model: str | Path | None = None,
    workers: int = 1,
    password: str | None = None,
    log: bool = False,
) -> None:
    """Serve the HTTP interface alone, in `workers` processes, until interrupted; what was begun is finished.

    password: as in Guard. log: as log_requests says. Raises ModelError, OSError if the port is taken.
    """
    check_port(port)
    Recognizer(model)  # a model that cannot be loaded is better told here than by every worker
    os.environ[HOST_VARIABLE] = host
    os.environ[PASSWORD_VARIABLE] = password or ""
    os.environ[LOG_VARIABLE] = "1" if log else ""
    if model is not None:
        os.environ[MODEL_VARIABLE] = str(model)
    check_free(host, port)
    for sentence in warnings_for(host, password=password):
        print(sentence, file=sys.stderr, flush=True)
    print(f"http://{host}:{port}/openapi.json describes what is served (Ctrl+C stops it)", flush=True)
    with tempfile.TemporaryDirectory() as counts:
        if workers > 1:
            os.environ[WORKERS_VARIABLE] = counts
        uvicorn.run(
            "digits.web.api:create_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_level="warning",
            timeout_graceful_shutdown=PATIENCE,
        )
