"""The truth of composed pictures, and the counting of what was found in them."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from composed import KINDS, compose_table
from reading import Answer, Pictures, Reader, align, match, measure

from tests.pictures import HAND

DRAWINGS = [{"label": int(label), "writer": "a", "strokes": strokes} for label, strokes in HAND.items()]


def _grey(picture: np.ndarray | bytes) -> np.ndarray:
    if isinstance(picture, bytes):
        return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    return picture


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_lie_around_the_ink_of_a_photographed_page(kind):
    """Inside a box it is darker than right around it, however the sheet lies."""
    for seed in range(4):
        made = KINDS[kind](DRAWINGS, np.random.default_rng(seed))
        grey = cv2.GaussianBlur(_grey(made.picture), (3, 3), 0)
        boxes = made.boxes.round().astype(int).tolist()
        assert len(boxes) == sum(len(number) for row in made.rows for number in row)
        darker = [_darkest(grey, box, 0) < _darkest(grey, box, 3) for box in boxes]
        assert np.mean(darker) > 0.9


def _darkest(grey: np.ndarray, box: list[int], rim: int) -> float:
    """How dark the darkest twentieth is inside the box, or on its outline so many pixels outside."""
    left, top, right, bottom = box
    if not rim:
        return float(np.percentile(grey[top:bottom, left:right], 5))
    high, low = (max(left - rim, 0), max(top - rim, 0)), (right + rim, bottom + rim)
    outline = cv2.rectangle(np.zeros_like(grey), high, low, 1, 1)
    return float(np.percentile(grey[outline > 0], 20))


def test_cells_of_a_table_hold_its_digits():
    made = compose_table(DRAWINGS, np.random.default_rng(3), 5, 4)
    assert made.cells.shape == (5, 4, 4, 2)
    places = iter((made.boxes[:, :2] + made.boxes[:, 2:]) / 2)
    for numbers, cells in zip(made.rows, made.cells, strict=True):
        for number, cell in zip(numbers, cells, strict=True):
            for _ in number:
                assert cv2.pointPolygonTest(cell.astype(np.float32), next(places).tolist(), False) > 0


@pytest.mark.parametrize(
    ("text", "truth", "found", "invented"),
    [("1234", "1234", 4, 0), ("1934", "1234", 4, 0), ("134", "1234", 3, 0), ("12344", "1234", 4, 1), ("", "12", 0, 0)],
)
def test_align_counts_digits_found_and_invented(text, truth, found, invented):
    assert align(text, truth) == (found, invented)


def test_match_pairs_each_box_once():
    wanted = np.array([[0, 0, 30, 60], [50, 0, 54, 60]])
    assert match([(2, 1, 29, 62), (51, 2, 56, 59)], wanted) == 2
    assert match([(2, 1, 29, 62), (1, 1, 30, 60)], wanted) == 1
    assert match([(0, 0, 56, 60)], wanted) == 1
    assert match([(100, 100, 130, 160)], wanted) == 0


def test_measure_counts_a_line_that_stands_beside_others_but_not_as_exact():
    pages = Pictures("pages", [None], ["12\n34"], lines=True)
    (measured,) = measure([Reader("ours", lambda picture, pictures: Answer("12\n99\n34", sure=True))], pages)
    assert (measured.right, measured.count) == (2, 2)
    assert measured.sure_and_wrong == 1
    assert (measured.found, measured.invented) == (4, 2)
