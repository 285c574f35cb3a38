"""Objects: a pen that lies on the sheet is not read, and what the pen has written at the edge is."""

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_on

from digits.objects import find_objects
from digits.recognizer import Recognizer
from digits.strokes import find_strokes

SIDE = 400


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def sheet(label="3", size=120, pen=9, place=(130, 130)):
    """A pad, (400, 400) uint8, with a digit."""
    pad = np.full((SIDE, SIDE), 255, np.uint8)
    draw_on(pad, HAND[label], size, pen, place)
    return pad


def found(pad):
    strokes, _ = find_strokes(1 - pad.astype(np.float32) / 255)
    return find_objects(strokes, pad.shape)


@pytest.mark.parametrize("label", ["2", "3", "5", "8"])
@pytest.mark.parametrize("corner", [(SIDE, 0), (0, SIDE), (SIDE, SIDE)])
def test_a_pen_that_lies_on_the_sheet_is_not_read(recognizer, label, corner):
    pad = sheet(label)
    tip = [round(0.7 * end + 0.3 * SIDE / 2) for end in corner]
    cv2.line(pad, corner, tip, 60, 26, cv2.LINE_AA)
    result = recognizer.recognize(pad)
    assert result.text == label and "objects at the edge ignored: 1" in result.notes


def test_what_the_same_pen_has_written_at_the_edge_is_read(recognizer):
    pad = sheet("3")
    cv2.line(pad, (SIDE - 60, 120), (SIDE - 60, SIDE), 0, 9, cv2.LINE_AA)  # a 1 that runs over the foot of the pad
    assert not found(pad)
    assert recognizer.recognize(pad).text.replace(" ", "").replace("\n", "") == "31"


def test_a_wide_digit_at_the_edge_and_a_stroke_alone_stay():
    pad = sheet("3", size=100, pen=5)
    draw_on(pad, HAND["5"], 240, 34, (10, SIDE - 240))
    assert not found(pad), "no object is as crooked as a digit"
    alone = np.full((SIDE, SIDE), 255, np.uint8)
    cv2.line(alone, (200, 0), (190, SIDE), 0, 60, cv2.LINE_AA)
    assert not found(alone), "there is no other pen"
