"""Watch: what a server does, as a line of JSON for each request, and as counts that Prometheus collects.

The counts are of one process, or of all workers together if PROMETHEUS_MULTIPROC_DIR names a folder when they start.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import InfoMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digits.errors import PictureError
from digits.recognition import Box, Recognition
from digits.recognizer import Recognizer

WORKERS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the folder in which the workers of one server count together
NAMED = {  # paths that are counted by their name; a caller may make up any number of others
    *("/api/recognize", "/api/health", "/api/model", "/api/metrics", "/page/keep", "/page/open"),
    "/gradio_api/component_server",  # the questions of the page
}
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_requests = Counter("digits_requests", "Requests that were answered.", ["path", "status"])
_seconds = Histogram(
    "digits_request_seconds", "From the start of a request to the end of its answer.", ["path"], buckets=SECONDS
)
_pictures = Counter("digits_pictures", "Pictures that were read, or could not be.", ["result"])
_numbers = Counter("digits_numbers", "Numbers that were found in pictures, by verdict.", ["verdict"])

_log = logging.getLogger("digits.requests")


class WatchedRecognizer(Recognizer):
    """A Recognizer whose answers are counted."""

    def recognize(self, picture: Any, single: bool = False, boxes: Sequence[Box] = ()) -> Recognition:
        """As Recognizer.recognize."""
        try:
            return _counted(super().recognize(picture, single, boxes))
        except PictureError as error:
            _counted(Recognition(error=str(error)))
            raise

    def recognize_many(self, pictures: Iterable[Any], single: bool = False) -> Iterator[Recognition]:
        """As Recognizer.recognize_many."""
        return map(_counted, super().recognize_many(pictures, single))


def _counted(recognition: Recognition) -> Recognition:
    _pictures.labels("unreadable" if recognition.error else "read").inc()
    for number in recognition.numbers:
        _numbers.labels(number.verdict).inc()
    return recognition


def exposition(networks: dict[str, str]) -> bytes:
    """All counts in Prometheus' text format. networks: as in Recognizer."""
    counts: Collector = REGISTRY
    if WORKERS_VARIABLE in os.environ:
        counts = CollectorRegistry()
        MultiProcessCollector(counts)  # type: ignore[no-untyped-call]
    return generate_latest(counts) + generate_latest(_Networks(networks))


class _Networks(Collector):
    def __init__(self, networks: dict[str, str]) -> None:
        self._networks = networks

    def collect(self) -> Iterator[InfoMetricFamily]:
        yield InfoMetricFamily("digits_networks", "SHA-256 of each network that answers.", value=self._networks)


class Watch:
    """ASGI middleware, the outermost: counts each request, and logs it if `log_requests` was called."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        noted = {"status": 500, "received": 0, "sent": 0}  # 500: what becomes of an answer that never began

        async def receive_noted() -> Message:
            message = await receive()
            noted["received"] += len(message.get("body", b""))
            return message

        async def send_noted(message: Message) -> None:
            noted["status"] = message.get("status", noted["status"])
            noted["sent"] += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive_noted, send_noted)
        finally:
            _note(scope["method"], scope["path"], noted, time.perf_counter() - began)


def _note(method: str, path: str, noted: dict[str, int], seconds: float) -> None:
    name = path if path in NAMED else "other"
    _requests.labels(name, noted["status"]).inc()
    _seconds.labels(name).observe(seconds)
    if _log.isEnabledFor(logging.INFO):
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "method": method, "path": path[:200], **noted, "ms": round(1000 * seconds, 1)}
        _log.info(json.dumps(line))


def log_requests() -> None:
    """From now on write each request to standard error: when, what, its status, bytes and milliseconds.

    Neither pictures nor what was read in them, nor who asked, are written down.
    """
    to_stderr = logging.StreamHandler()
    to_stderr.setFormatter(logging.Formatter("%(message)s"))
    _log.addHandler(to_stderr)
    _log.setLevel(logging.INFO)
    _log.propagate = False
