"""`digits review` in a browser: a process of its own, keys, and what is on disk afterwards."""

import csv
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from desk import free_port, wait_until_served
from PIL import Image
from playwright.sync_api import expect
from test_table import MARKS, draw_table

ROOT = Path(__file__).resolve().parents[2]
DIGITS = [sys.executable, "-m", "digits"]


@pytest.fixture
def reviewed(tmp_path):
    """A page that reviews marks.csv in a folder: its address and the folder."""
    Image.fromarray(draw_table(MARKS)).save(tmp_path / "sheet.png")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [*DIGITS, "predict", "sheet.png", "--table", "--out", "marks.csv"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
    port = free_port()
    command = [*DIGITS, "review", "marks.csv", "--column", "1:0-10", "--flagged", "flagged", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_until_served(url, process, tmp_path / "log")
        yield url, tmp_path
    finally:
        process.terminate()
        process.wait(20)


def first_cells(path):
    return [row[1] for row in csv.reader(path.open(encoding="utf-8"))]


def test_doubtful_cells_come_one_by_one_and_are_decided_by_keys(reviewed, browser):
    url, folder = reviewed
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(url)
    expect(page.get_by_role("heading")).to_have_text("Row 1 of 5, column 1")
    expect(page.get_by_label("What stands here?")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("img").evaluate("image => image.naturalWidth") > 50
    page.keyboard.type("7")  # what was read is selected, so that it is replaced
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).not_to_have_text("Row 1 of 5, column 1")
    expect(page.locator("#progress")).to_contain_text("1 decided")
    assert first_cells(folder / "marks-checked.csv")[0] == "7"
    assert first_cells(folder / "marks-decided-by.csv")[:2] == ["person", "machine"]
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("heading")).to_have_text("Row 1 of 5, column 1")
    expect(page.get_by_label("What stands here?")).to_have_value("7")
    held = []
    page.route("**/cell*", lambda route: held.append(route))  # it stays: later ones go on by hand
    page.keyboard.press("ArrowDown")
    expect(page.locator("#cell")).to_have_attribute("aria-busy", "true")
    # a busy machine may draw no frame for long, and then the delay of the dimming does not pass
    page.evaluate("for (const dimming of document.getElementById('cell').getAnimations()) dimming.finish()")
    expect(page.locator("#cell")).to_have_css("opacity", "0.5")
    held[0].continue_()
    expect(page.get_by_role("heading")).not_to_have_text("Row 1 of 5, column 1")
    expect(page.locator("#cell")).to_have_css("opacity", "1")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("document.getElementById('cell').ariaBusy === 'true'")
    held[1].continue_()
    expect(page.get_by_role("heading")).to_have_text("Row 1 of 5, column 1")
    for _ in range(21):
        if page.get_by_role("heading").inner_text() == "Nothing more to check":
            break
        before = page.get_by_role("heading").inner_text()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading")).not_to_have_text(before)
    expect(page.get_by_role("heading")).to_have_text("Nothing more to check")
    assert len(list((folder / "flagged" / "images").iterdir())) == 1
    assert complaints == []
    page.context.close()


def test_picture_that_cannot_be_read_is_named(reviewed):
    url, folder = reviewed
    (folder / "sheet.png").write_bytes(b"no picture")
    answer = json.load(urllib.request.urlopen(url + "cell"))
    assert answer["picture"] is None and answer["problems"][0].startswith("sheet.png: ")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"row": "0", "column": 0, "text": "1"}', b"x" * 20_000])
def test_what_is_no_decision_is_refused(reviewed, body):
    url, folder = reviewed
    request = urllib.request.Request(url + "decide", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 422 and not (folder / "marks-checked.csv").exists()


def test_another_site_cannot_decide(reviewed):
    url, folder = reviewed
    headers = {"Content-Type": "application/json", "Origin": "http://elsewhere.example"}
    request = urllib.request.Request(url + "decide", b'{"row": 0, "column": 0, "text": "1"}', headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403 and not (folder / "marks-checked.csv").exists()
