"""Templates: a form shown once, and scans of it read by the names of its fields."""

import csv
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_on
from PIL import Image

from digits import DigitsError, PictureError, Recognizer
from digits.template import load_template, make_template, parse_template, save_template

BOXES = {"Age": (260, 150, 460, 230), "Weight": (700, 150, 900, 230), "Total": (260, 330, 560, 410)}
FIELDS = [{"name": name, "box": box} for name, box in BOXES.items()]


def form(*numbers: str) -> np.ndarray:
    """The printed form, filled in: (600, 1000) uint8."""
    page = np.full((600, 1000), 245, np.uint8)
    cv2.putText(page, "Report of a visit, sheet B", (60, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 60, 3, cv2.LINE_AA)
    for (name, (left, top, right, bottom)), number in zip(BOXES.items(), numbers, strict=True):
        cv2.putText(page, name, (left - 190, top + 55), cv2.FONT_HERSHEY_SIMPLEX, 1, 60, 2, cv2.LINE_AA)
        cv2.rectangle(page, (left, top), (right, bottom), 60, 2)
        for place, label in enumerate(number):
            draw_on(page, HAND[label], 48, 5, (left + 24 + 50 * place, top + 16), 30)
    cv2.putText(page, "please return it by Friday", (480, 560), cv2.FONT_HERSHEY_SIMPLEX, 1, 60, 2, cv2.LINE_AA)
    return page


def photographed(page: np.ndarray, turn: float, size: float) -> np.ndarray:
    """Turned by so many degrees, so many times as large, in perspective, on a darker ground."""
    height, width = page.shape
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), turn, size), (0, 0, 1)])
    lean = np.array([[1, 0, 90], [0, 1, 110], [4e-5, -3e-5, 1]])
    return cv2.warpPerspective(page, lean @ matrix, (width + 160, height + 240), borderValue=150)


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


@pytest.fixture(scope="module")
def template(recognizer):
    return make_template(recognizer, form("", "", ""), FIELDS)


@pytest.mark.parametrize(("turn", "size"), [(0, 1.0), (9, 0.85), (-9, 1.1)])
def test_a_scan_that_is_turned_scaled_and_in_perspective_gives_its_fields_in_order(recognizer, template, turn, size):
    laid, found = template.read(recognizer, photographed(form("12", "", "345"), turn, size))
    assert found.table.texts == (("12", "", "345"),)
    left, top, right, bottom = found.table.rows[0][2].box
    assert laid.shape[0] > bottom and (right - left) / (bottom - top) == pytest.approx(300 / 80, rel=0.05)


def test_a_picture_of_something_else_is_refused_with_a_sentence(recognizer, template):
    other = np.full((600, 1000), 245, np.uint8)
    for row in range(5):
        cv2.putText(other, "a letter to a friend", (90, 100 + 90 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 40, 2)
    for picture in (other, np.full((600, 1000), 245, np.uint8)):
        with pytest.raises(PictureError, match="does not fit the template"):
            template.read(recognizer, picture)


def test_the_cells_of_a_table_are_the_fields_if_none_are_named(recognizer):
    page = np.full((420, 700), 245, np.uint8)
    for place in range(4):
        cv2.line(page, (50, 50 + 100 * place), (650, 50 + 100 * place), 60, 2)
        cv2.line(page, (50 + 200 * place, 50), (50 + 200 * place, 350), 60, 2)
    filled = page.copy()
    for place in range(9):
        at = (110 + 200 * (place % 3), 74 + 100 * (place // 3))
        draw_on(filled, HAND[str(place + 1)], 52, 5, at, 30)
    template = make_template(recognizer, filled)
    assert [field.name for field in template.fields] == [
        f"r{row}c{column}" for row in (1, 2, 3) for column in (1, 2, 3)
    ]
    assert template.read(recognizer, filled)[1].table.texts == (tuple("123456789"),)


def test_a_template_is_the_same_after_it_was_saved(template, tmp_path):
    save_template(template, tmp_path / "form.json")
    again = parse_template(load_template(tmp_path / "form.json"))
    assert (again.boxes, again.fields) == (template.boxes, template.fields)
    assert np.abs(again.reference.astype(int) - template.reference).mean() < 2


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["Age", ""], "^Field 2 has no name.$"),
        (["Age", 7], "^Field 2 has no name.$"),
        (["Age", "Weight", "Age"], "^Fields 1 and 3 have the same name.$"),
    ],
)
def test_a_field_without_a_name_of_its_own_is_refused(recognizer, names, why):
    described = [{"name": name, "box": box} for name, box in zip(names, BOXES.values(), strict=False)]
    with pytest.raises(DigitsError, match=why):
        make_template(recognizer, form("", "", ""), described)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"fields": [], "picture": ""}', '{"fields": 1, "picture": "AAAA"}', "{"]
)
def test_what_is_no_template_is_refused_with_a_sentence(content, tmp_path):
    (tmp_path / "form.json").write_text(content)
    with pytest.raises(DigitsError, match="is no template"):
        load_template(tmp_path / "form.json")


def test_the_commands_make_a_template_and_write_a_row_a_form_with_named_columns(tmp_path):
    def digits(*arguments):
        return subprocess.run([sys.executable, "-m", "digits", *map(str, arguments)], capture_output=True, check=False)

    Image.fromarray(form("", "", "")).save(tmp_path / "sheet.png")
    (tmp_path / "boxes.json").write_text(json.dumps([*FIELDS[:2], {**FIELDS[2], "low": 0, "high": 99}]))
    made = digits("template", tmp_path / "sheet.png", "--out", tmp_path / "f.json", "--fields", tmp_path / "boxes.json")
    assert made.stdout.decode() == "3 fields: Age, Weight, Total\n", made.stderr
    scans = tmp_path / "scans"
    scans.mkdir()
    Image.fromarray(photographed(form("12", "7", "345"), 5, 1.0)).save(scans / "a.png")
    Image.fromarray(np.full((400, 600), 240, np.uint8)).save(scans / "b.png")
    out = tmp_path / "rows.csv"
    ended = digits("predict", scans, "--template", tmp_path / "f.json", "--out", out, "--jobs", "1")
    head, first, second = csv.reader(out.read_text("utf-8").splitlines())
    assert head == ["picture", "Age", "Weight", "Total"]
    assert first == [str(scans / "a.png"), "12", "7", "345"]
    assert second[0] == str(scans / "b.png") and "does not fit the template" in second[1]
    assert ended.returncode == 1 and b"345 is not allowed: 0 to 99" in ended.stderr
