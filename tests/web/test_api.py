"""The HTTP interface, asked as a client asks it."""

import io
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from pictures import pages_of
from PIL import Image, ImageDraw
from schemathesis.checks import positive_data_acceptance

import digits
from digits import Recognizer
from digits.files import digest
from digits.rows import as_row
from digits.web import api
from digits.web.watch import WatchedRecognizer

PACKAGE = Path(digits.__file__).parent

app = api.create_app(Recognizer())
client = TestClient(app)


def png(text: str = "1") -> bytes:
    image = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(image).text((30, 10), text, 0, font_size=70)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_recognize_answers_raw_bytes_as_the_recognizer_does():
    response = client.post("/api/recognize", content=png(), headers={"content-type": "image/png"})
    assert response.status_code == 200
    recognizer = Recognizer()
    row = as_row("picture", recognizer.recognize(png()))
    assert response.json() == {"results": [row], "networks": recognizer.networks}


def test_recognize_answers_many_files_in_their_order_and_a_broken_one_with_its_error():
    files = [("files", ("a.png", png("1"))), ("files", ("b.png", b"no picture")), ("files", ("c.png", png("0")))]
    results = client.post("/api/recognize?top=1", files=files).json()["results"]
    assert [result["picture"] for result in results] == ["a.png", "b.png", "c.png"]
    assert [result["error"] is None for result in results] == [True, False, True]
    assert len(results[0]["digits"][0]["top"]) == 1


def test_recognize_reads_the_page_that_is_named_and_else_the_first_with_a_note():
    scan = pages_of("PDF", "12", "345")
    answers = [client.post(f"/api/recognize{query}", content=scan).json()["results"][0] for query in ("", "?page=2")]
    assert [answer["text"] for answer in answers] == ["12", "345"]
    assert [answer["notes"][:1] for answer in answers] == [["the first of 2 pages"], []]
    assert "no page 3" in client.post("/api/recognize?page=3", content=scan).json()["error"]


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, {"content": b""}),
        (400, {"files": [("name", (None, "a field, no file"))]}),
        (400, {"content": b"--", "headers": {"content-type": "multipart/form-data"}}),
        (413, {"content": b"\0" * (api.LARGEST_REQUEST + 1)}),
        (413, {"files": [("files", ("a.png", b"\0" * api.LARGEST_REQUEST))]}),
        (413, {"files": [("files", ("a.png", b"\0"))] * (api.MOST_PICTURES + 1)}),
        (422, {"content": b"no picture"}),
        (422, {"content": png(), "params": {"top": 11}}),
    ],
)
def test_recognize_refuses_with_one_plain_sentence(status, request_):
    response = client.post("/api/recognize", **request_)
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert " " in response.json()["error"]


def test_unknown_paths_and_methods_have_the_same_form_of_error():
    assert client.get("/api/nothing").json() == {"error": "Not Found"}
    assert client.get("/api/recognize").json() == {"error": "Method Not Allowed"}


def test_page_elsewhere_is_refused():
    response = client.post("/api/recognize", content=png(), headers={"origin": "http://evil.example"})
    assert response.status_code == 403
    assert response.json() == {"error": "A page of http://evil.example may not use this server."}


def test_model_names_the_file_that_answers():
    assert client.get("/api/model").json()["sha256"] == Recognizer().classifier.digest


def test_health_names_every_network_that_answers():
    shipped = {name: digest(PACKAGE / f"{name}.onnx") for name in ("model", "ink", "sequence")}
    assert client.get("/api/health").json() == {"status": "ok", "version": digits.__version__, "networks": shipped}


def test_metrics_count_requests_pictures_and_verdicts_and_name_the_networks():
    client = TestClient(api.create_app(WatchedRecognizer()))
    before = metrics(client)
    client.post("/api/recognize", files=[("files", ("1.png", png())), ("files", ("no.png", b"no picture"))])
    client.get("/api/nothing/made/up")
    after = metrics(client)
    counted = {
        'digits_requests_total{path="/api/recognize",status="200"}': 1,
        'digits_requests_total{path="other",status="404"}': 1,
        'digits_request_seconds_count{path="/api/recognize"}': 1,
        'digits_pictures_total{result="read"}': 1,
        'digits_pictures_total{result="unreadable"}': 1,
        'digits_numbers_total{verdict="sure"}': 1,
    }
    assert {name: after[name] - before.get(name, 0) for name in counted} == counted
    assert any(name.startswith("digits_networks_info") and Recognizer().networks["ink"] in name for name in after)


def metrics(client: TestClient) -> dict[str, float]:
    """Each line of the metrics: its name with its labels, and its value."""
    lines = [line for line in client.get("/api/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


schema = schemathesis.openapi.from_asgi("/openapi.json", app)


@schema.parametrize()
def test_every_answer_is_as_openapi_says(case):
    case.call_and_validate(excluded_checks=[positive_data_acceptance])  # any bytes may be sent, few are a picture
