"""A server in operation: what it logs, what its workers count together, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest
from desk import ROOT, SEVEN, free_port, picture_of, wait_until_served

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that asks a process to end")
PAGE = ["app.py"]
INTERFACE = ["-m", "digits", "serve", "--no-page"]
KINDS = {"page": PAGE, "interface": INTERFACE, "workers": [*INTERFACE, "--workers", "2"]}


@contextmanager
def served(folder, *command):
    """The process, its port, and its log so far as a function; asked to end at the end, if it has not."""
    port = free_port()
    path = folder / "server.log"
    flagged = ["--flagged", str(folder / "flagged")]
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--port", str(port), *flagged], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        wait_until_served(f"http://127.0.0.1:{port}/api/health", process, path)
        yield process, port, path.read_text
    finally:
        process.terminate()
        process.wait(20)


def get(port, path):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read().decode()


def read_seven(port):
    return json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/recognize", picture_of(SEVEN)).read())[
        "results"
    ][0]["text"]


@pytest.mark.parametrize("kind", KINDS)
def test_server_that_is_asked_to_end_finishes_what_was_begun(tmp_path, kind):
    picture = picture_of(SEVEN)
    with served(tmp_path, *KINDS[kind]) as (process, port, log):
        with socket.create_connection(("127.0.0.1", port)) as begun:
            begun.sendall(
                f"POST /api/recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(picture)}\r\n\r\n".encode()
            )
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            time.sleep(1)
            begun.sendall(picture)
            answer = b""
            while more := begun.recv(65536):
                answer += more
        assert answer.startswith(b"HTTP/1.1 200") and b'"text":"7"' in answer
        process.wait(20)
        assert process.returncode in (0, -signal.SIGTERM) and "Traceback" not in log()


def test_every_request_is_a_line_of_the_log_without_its_picture(tmp_path):
    with served(tmp_path, *INTERFACE, "--log") as (_, port, log):
        assert read_seven(port) == "7"
        get(port, "/api/health")  # by then the line before is written
        lines = [json.loads(line) for line in log().splitlines() if line.startswith("{")]
    (line,) = (line for line in lines if line["path"] == "/api/recognize")
    assert set(line) == {"time", "method", "path", "status", "received", "sent", "ms"}
    assert (line["method"], line["status"]) == ("POST", 200)
    assert line["received"] == len(picture_of(SEVEN)) and line["ms"] > 0


def test_requests_are_not_logged_unless_asked_for(tmp_path):
    with served(tmp_path, *INTERFACE) as (_, port, log):
        assert read_seven(port) == "7"
        assert "{" not in log()


def test_workers_count_together(tmp_path):
    with served(tmp_path, *INTERFACE, "--workers", "2") as (_, port, _):
        for _ in range(20):
            assert read_seven(port) == "7"
        assert 'digits_pictures_total{result="read"} 20.0' in get(port, "/api/metrics")
