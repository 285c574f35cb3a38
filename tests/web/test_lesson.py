"""The lesson at the end of My handwriting, in a real Chromium: the model learns in a process of its own, and goes back.

The program is a copy in which the smallest network is the one that answers and learns.
"""

import re
import shutil
import sys
from pathlib import Path

import pytest
from desk import ROOT, Desk, axe_finds, load_axe, running_server, served_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pictures import HAND

LONG = 300_000  # ms, on a computer that is busy


@pytest.fixture
def small_program(tmp_path):
    """A copy of the program whose model is the tiny one."""
    root = tmp_path / "program"
    shutil.copytree(ROOT / "digits", root / "digits", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", root)
    shutil.copy(ROOT / "model-tiny.h5", root / "model.h5")
    shutil.copy(ROOT / "model-tiny.onnx", root / "digits" / "model.onnx")
    with running_server(tmp_path, "--flagged", str(tmp_path / "flagged"), root=root) as server:
        yield server


@pytest.fixture
def learner(small_program, browser):
    desk = Desk(browser.new_context().new_page(), small_program.url)
    desk.go_to("My handwriting")
    yield desk
    desk.page.context.close()
    assert desk.complaints == []


def write_what_is_asked_for(desk):
    prompt = desk.page.locator(".handwriting .prompt")
    asked, pad = prompt.inner_text(), desk.page.locator(".handwriting canvas.pad").bounding_box()
    side, left, top = 0.6 * pad["height"], pad["x"] + 0.3 * pad["width"], pad["y"] + 0.2 * pad["height"]
    for (x, y), *points in HAND[prompt.locator("b").inner_text()]:
        desk.page.mouse.move(left + side * x, top + side * y)
        desk.page.mouse.down()
        for x, y in points:
            desk.page.mouse.move(left + side * x, top + side * y)
        desk.page.mouse.up()
    desk.page.get_by_role("button", name="Save and next").click()
    desk.page.wait_for_function("asked => document.querySelector('.prompt').innerText !== asked", arg=asked)


def come_back(desk):
    desk.open()
    desk.go_to("My handwriting")


def test_model_learns_in_sight_behind_its_gate_and_goes_back(learner, small_program):
    page, before = learner.page, served_model(small_program)
    teach = page.get_by_role("button", name="Teach the model")
    teach.click()
    page.locator(".lesson .notice", has_text="At least two labelled pictures are needed").wait_for(timeout=LONG)
    for _ in range(4):
        write_what_is_asked_for(learner)
    teach.click()
    page.locator(".step", has_text=re.compile(r"\w.* \(\d+ s\)")).wait_for(timeout=LONG)
    come_back(learner)
    page.locator("progress.taught").wait_for()
    assert teach.is_disabled()
    page.get_by_text("and answers from now on").wait_for(timeout=LONG)
    assert served_model(small_program) != before
    figures = page.locator(".lesson td").all_inner_texts()
    assert len(figures) == 4 * 3 and figures[0] == "MNIST validation, share read right"
    load_axe(page)
    assert axe_finds(page, "'.handwriting'") == []
    come_back(learner)
    page.get_by_role("button", name="Go back to the model before").click()
    page.get_by_text("The model before answers again.").wait_for()
    assert served_model(small_program) == before
    come_back(learner)
    assert page.get_by_role("button", name="Go back to the model before").is_hidden()
