"""The program as it is started: its options, its refusals, its endpoints."""

import json
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import gradio_client
import pytest
from desk import ROOT, SEVEN, free_port, picture_of, running_server, served_model
from typer.testing import CliRunner

from digits import cli
from digits.web.ports import find_free_port


def start(*options):
    return subprocess.run([sys.executable, "app.py", *options], cwd=ROOT, capture_output=True, text=True, timeout=120)


def ask(server, path, headers, body=b"{}"):
    """The status of a POST and its answer."""
    request = urllib.request.Request(server.url + path, body, headers)
    try:
        response = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        response = error
    return response.status, json.loads(response.read())


def test_missing_model_is_one_sentence_and_exit_code_1():
    ended = start("--model", "nowhere.onnx")
    assert ended.returncode == 1
    assert "nowhere.onnx" in ended.stderr and "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("option", ["--share", "--mcp"])
def test_options_of_the_page_are_refused_without_it(option):
    ended = CliRunner().invoke(cli.app, ["serve", "--no-page", option])
    assert ended.exit_code == 2
    assert "these go with the page" in ended.output


def test_find_free_port_takes_the_next_one():
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert find_free_port("127.0.0.1", port) > port


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A server with options: a port that is taken, another model, MCP."""
    folder, port = tmp_path_factory.mktemp("other"), free_port()
    shutil.copy(ROOT / "digits" / "model.onnx", folder)
    options = ["--mcp", "--flagged", str(folder / "flagged"), "--model", str(folder / "model.onnx")]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with running_server(folder, *options, port=port, served_at=port + 1) as server:
            yield server


def test_other_port_is_said(other):
    port = int(other.url.rpartition(":")[2])
    said = other.flagged.with_name("server.log").read_text()
    assert f"Port {port - 1} is in use; taking {port} instead." in said


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "OWN"}, 422),
        ({}, 422),
    ],
)
def test_only_pages_of_this_server_may_post(server, headers, status):
    headers = {name: value.replace("OWN", server.url) for name, value in headers.items()}
    answered, answer = ask(server, "/api/recognize", headers, b"no picture")
    assert answered == status and list(answer) == ["error"]


def test_page_forbids_the_browser_to_reach_other_hosts(server):
    policy = urllib.request.urlopen(server.url).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "http" not in policy


def test_gradio_client_reads_a_picture(server, tmp_path):
    picture = tmp_path / "seven.png"
    picture.write_bytes(picture_of(SEVEN))
    client = gradio_client.Client(server.url, verbose=False)
    assert client.predict(gradio_client.handle_file(picture), api_name="/recognize")["text"] == "7"
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/recognize"]
    picture.write_bytes(b"no picture")
    with pytest.raises(gradio_client.exceptions.AppError, match="picture"):
        client.predict(gradio_client.handle_file(picture), api_name="/recognize")


def test_programs_of_the_page_for_programs_work_as_they_stand(server, browser, tmp_path):
    page = browser.new_page()
    page.goto(f"{server.url}/docs")
    code = {pre.get_attribute("data-name"): pre.inner_text() for pre in page.locator("pre").all()}
    subprocess.run(code["picture"].replace("curl", "curl --silent"), shell=True, cwd=tmp_path, check=True)
    commands = {"curl": code["curl"].replace("curl", "curl --silent")}
    for name in ("python", "gradio_client"):
        (tmp_path / f"read_{name}.py").write_text(code[name])
        commands[name] = f"{sys.executable} read_{name}.py"
    for name, command in commands.items():
        said = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert (
            '"text": "7"' in said.replace('":"', '": "') if name == "curl" else said.split("\n")[-2].startswith("7")
        ), name
    fetched = page.evaluate(
        f"async () => {{ {code['fetch']}; return recognize(await (await fetch('docs/7.png')).blob()); }}"
    )
    assert fetched == "7"
    page.close()


def test_mcp_offers_one_tool(other):
    schema = json.loads(urllib.request.urlopen(other.url + "/gradio_api/mcp/schema").read())
    (tool,) = schema
    assert tool["name"].endswith("recognize")


def test_replaced_model_answers_without_a_restart(other):
    model, new = (other.flagged.with_name(name) for name in ("model.onnx", "new.onnx"))
    before = served_model(other)
    new.write_bytes(model.read_bytes() + bytes([0xC2, 0x3E, 1, 0]))  # one more field, which a reader of protobuf skips
    new.replace(model)
    assert served_model(other) != before
