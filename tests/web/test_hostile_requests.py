"""Requests that are malformed, too large or too many, and who may see what: a status and a sentence for each."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import anyio
import httpx
import pytest
from desk import ONE, ROOT, Server, free_port, picture_of
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from digits import Recognizer
from digits.web import guard
from digits.web.actions import NamedBox
from digits.web.api import Beside, create_interface
from digits.web.checked import checked
from digits.web.guard import Guard
from digits.web.ports import check_free, warnings_for


@pytest.fixture(scope="module")
def beside():
    """The interface beside a page that answers everything with "page"."""
    page = Starlette(routes=[Route("/{path:path}", lambda request: PlainTextResponse("page"))])
    return TestClient(Guard(Beside(page, create_interface(Recognizer())), hosts={"testserver"}))


def test_errors_under_api_have_the_promised_form_beside_the_page_too(beside):
    for response in (
        beside.get("/api/nothing"),
        beside.get("/api/recognize"),
        beside.post("/api"),
        beside.get("/api/"),
    ):
        assert response.status_code in (404, 405) and list(response.json()) == ["error"]
    assert beside.post("/api/recognize", content=b"").json()["error"].startswith("No picture came")
    assert beside.get("/apiary").text == beside.get("/").text == "page"


def test_openapi_beside_the_page_describes_the_interface_and_nothing_else(beside):
    described = {f"/api/{name}" for name in ("recognize", "health", "model", "metrics")}
    assert set(beside.get("/openapi.json").json()["paths"]) == described


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "[::1"},
        {"host": "testserver:port:9"},
        {"host": "[]"},
        {"host": "\x00"},
        {"host": "evil.example" * 1_000},
        {"origin": "http://[::1"},
        {"origin": "http://testserver:99999999999"},
        {"origin": "\xff\xfe"},
        {"origin": "http://" + "a" * 100_000},
    ],
    ids=range(9),
)
def test_malformed_hosts_and_origins_are_refused_with_a_sentence(beside, headers):
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    response = beside.post("/api/recognize", content=b"x", headers=raw)
    assert response.status_code == 403
    assert len(response.json()["error"]) < 300 and response.json()["error"].isprintable()


def test_an_input_that_is_refused_is_not_sent_back_whole(beside):
    response = beside.post("/api/recognize", params={"top": "1" * 10_000}, content=b"x")
    assert response.status_code == 422 and len(response.json()["error"]) < 400


def action(
    picture: str,
    index: int,
    label: str | None = None,
    known: list[str] | None = None,
    typed: dict[str, str] | None = None,
    fields: list[NamedBox] | None = None,
) -> dict:
    return {}


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        7,
        "text",
        [],
        {},
        {"picture": 7, "index": 1},
        {"picture": "a", "index": "1"},
        {"picture": "a", "index": True},
        {"picture": "a", "index": 1, "label": []},
        {"picture": "a", "index": 1, "known": "2:0-9"},
        {"picture": "a", "index": 1, "known": [7]},
        {"picture": "a", "index": 1, "typed": ["7"]},
        {"picture": "a", "index": 1, "typed": {"0-0-0": 7}},
        {"picture": "a", "index": 1, "fields": [["Age", [0, 0, 9, 9]]]},
        {"picture": "a", "index": 1, "fields": [{"name": "Age"}]},
        {"picture": "a", "index": 1, "fields": [{"name": 7, "box": [0, 0, 9, 9]}]},
        {"picture": "a", "index": 1, "fields": [{"name": "Age", "box": [0, 0, 9.5, 9]}]},
        {"picture": "a", "index": 1, "fields": [{"name": "Age", "box": [0, 0, 9, 9], "pattern": "("}]},
        {"picture": "a", "index": 1, "more": 1},
    ],
    ids=repr,
)
def test_page_functions_refuse_wrong_types_with_400_and_a_sentence(arguments):
    with pytest.raises(HTTPException) as raised:
        checked(action, arguments)
    assert raised.value.status_code == 400 and " " in raised.value.detail


def test_page_functions_are_given_what_fits():
    for label in ("1", None):
        assert checked(action, {"picture": "a", "index": 1, "label": label})["label"] == label
    tables = {"picture": "a", "index": 1, "known": ["2:0-9"], "typed": {"0-0-0": "7"}}
    assert checked(action, tables) == tables
    form = {"picture": "a", "index": 1, "fields": [{"name": "Age", "box": [0, 0, 9, 9]}]}
    assert checked(action, form) == form


# what is under way


def slow_application(gate: anyio.Event):
    async def answer(request: Request):
        await request.body()
        await gate.wait()
        return PlainTextResponse("done")

    return Starlette(routes=[Route("/", answer, methods=["POST", "GET"])])


def test_past_capacity_the_answer_is_busy_and_later_it_is_not(monkeypatch):
    monkeypatch.setattr(guard, "MOST_REQUESTS", 5)

    async def crowd() -> tuple[list[httpx.Response], httpx.Response]:
        gate = anyio.Event()
        transport = httpx.ASGITransport(Guard(slow_application(gate)))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            asked = [asyncio.create_task(client.post("/", content=b"x")) for _ in range(12)]
            while sum(task.done() for task in asked) < 7:
                await asyncio.sleep(0.01)
            gate.set()
            return await asyncio.gather(*asked), await client.post("/", content=b"x")

    answers, later = asyncio.run(crowd())
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [503] * 7
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert busy.headers["Retry-After"] == "1" and "busy" in busy.json()["error"]
    assert later.status_code == 200


def test_bodies_under_way_are_limited_by_their_bytes(monkeypatch):
    monkeypatch.setattr(guard, "MOST_BYTES", 1_000)

    async def two() -> list[int]:
        gate = anyio.Event()
        transport = httpx.ASGITransport(Guard(slow_application(gate)))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            first = asyncio.create_task(client.post("/", content=b"x" * 900))
            await asyncio.sleep(0.1)
            second = await client.post("/", content=b"x" * 900)
            gate.set()
            return [(await first).status_code, second.status_code]

    assert asyncio.run(two()) == [200, 503]


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(beside):
    response = beside.post("/api/recognize", content=b"x", headers={"content-length": str(10**12)})
    assert response.status_code == 413 and list(response.json()) == ["error"]


# who may


def test_a_password_is_asked_for_and_let_in():
    client = TestClient(Guard(create_interface(Recognizer()), password="open sesame"))
    asked = client.get("/api/health")
    assert asked.status_code == 401 and asked.headers["WWW-Authenticate"].startswith("Basic")
    for wrong in (("digits", "sesame"), ("open sesame", "")):
        assert client.get("/api/health", auth=wrong).status_code == 401
    for odd in ("Basic", "Basic ???", "Bearer x", "Basic " + base64.b64encode(b"open sesame").decode()):
        assert client.get("/api/health", headers={"authorization": odd}).status_code == 401
    assert client.get("/api/health", auth=("anyone", "open sesame")).status_code == 200


def test_whoever_opens_the_program_to_others_is_told_so():
    assert list(warnings_for("127.0.0.1")) == []
    assert "Every computer" in " ".join(warnings_for("0.0.0.0"))
    assert "internet" in " ".join(warnings_for("127.0.0.1", share=True))
    assert "DIGITS_PASSWORD" in " ".join(warnings_for("0.0.0.0"))
    assert "DIGITS_PASSWORD" not in " ".join(warnings_for("0.0.0.0", password="x"))
    assert "every flagged picture" in " ".join(warnings_for("0.0.0.0", shared_flags=True))


def ask(server, function: str, data: object, **headers: str) -> tuple[int, dict]:
    """The status and the answer of a function of the page, called as its scripts do."""
    config = json.loads(urllib.request.urlopen(urllib.request.Request(server.url + "/config", headers=headers)).read())
    component = next(one["id"] for one in config["components"] if function in str(one["props"].get("server_fns")))
    body = {"data": data, "fn_name": function, "component_id": component, "session_hash": "s"}
    request = urllib.request.Request(
        server.url + "/gradio_api/component_server",
        json.dumps(body).encode(),
        {"content-type": "application/json", **headers},
    )
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, json.loads(answer.read())


KNOWN = {"Authorization": "Basic " + base64.b64encode(b"anybody:open sesame").decode()}


@contextmanager
def server_for_others(folder):
    """app.py on an address that is not this computer's own name, with a password; its log in `folder`."""
    url = f"http://127.0.0.2:{free_port()}"
    command = ["app.py", "--host", "127.0.0.2", "--port", url.rpartition(":")[2], "--flagged", str(folder / "flagged")]
    environment = os.environ | {"DIGITS_PASSWORD": "open sesame"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=log, stderr=log, env=environment)
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(url, headers=KNOWN)).read()
                break
            time.sleep(0.1)
        yield Server(process, url, folder / "flagged", folder)
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="127.0.0.2 is Linux's own, too")
def test_a_page_for_others_keeps_a_password_and_shows_no_flags(tmp_path):
    with server_for_others(tmp_path) as server:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(server.url)
        status, answer = ask(server, "list_flags", {"kind": "all", "label": "", "start": 0}, **KNOWN)
        assert "--shared-flags" in answer["error"] and "flags" not in answer and status == 200
        assert ask(server, "delete_flag", 7, **KNOWN)[0] == 400
    said = (tmp_path / "server.log").read_text()
    assert "Warning: Every computer" in said and "Traceback" not in said


@pytest.mark.parametrize("kind", ["file", "missing below a file", "read-only"])
def test_a_folder_that_cannot_keep_flags_is_said_at_the_start(tmp_path, kind):
    (tmp_path / "file").touch()
    folder = {"file": tmp_path / "file", "missing below a file": tmp_path / "file" / "x", "read-only": "/proc/flagged"}
    ended = subprocess.run(
        [sys.executable, "app.py", "--port", str(free_port()), "--flagged", str(folder[kind])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1 and "Flags cannot be kept" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="Name another --port"):
            check_free("127.0.0.1", taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "digits", "serve", "--no-page", "--port", str(taken.getsockname()[1])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1 and ended.stderr.startswith("digits: 127.0.0.1") and ended.stderr.count("\n") == 1


def test_many_at_once_each_get_their_own_answer():
    client = TestClient(create_interface(Recognizer()))
    files = [("files", (f"{n}.png", picture_of(ONE) if n % 2 else b"no picture")) for n in range(20)]
    results = client.post("/api/recognize", files=files).json()["results"]
    assert [result["text"] for result in results] == ["", "1"] * 10
