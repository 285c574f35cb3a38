"""Strokes: found whole, each with its box, and without specks."""

import cv2
import numpy as np
import pytest
from pictures import draw_digit, draw_number, find_ink

from digits import Recognizer
from digits.strokes import find_strokes

SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
    "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip
SIDES = {
    "a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2), "e": (0, 1, 0, 2), "f": (0, 0, 0, 1),
    "g": (0, 1, 1, 1),
}  # fmt: skip
"""Ends of the bars of a display, x and y in widths of a digit."""


def draw_display(text, pen, gap, width=60):
    """Digits of seven bars on a white page, the bars so many pixels apart where they meet."""
    page = np.full((2 * width + 100, 100 * len(text) + 60), 255, np.uint8)
    for place, sign in enumerate(text):
        for x, y, end, foot in (SIDES[bar] for bar in SEGMENTS[sign]):
            corner = np.array([40 + 100 * place, 50])
            short = np.array([end > x, foot > y]) * (pen + gap) / 2
            begin, stop = np.array([x, y]) * width + corner + short, np.array([end, foot]) * width + corner - short
            thick = np.array([foot > y, end > x]) * pen / 2
            first, last = np.round(begin - thick).astype(int), np.round(stop + thick).astype(int)
            cv2.rectangle(page, first.tolist(), last.tolist(), 0, cv2.FILLED)
    return page


def test_find_strokes_gives_the_box_of_each_stroke_and_ignores_specks():
    picture = draw_digit(7, size=200, pen=16, at=(100, 80))
    picture[20, 30] = picture[350, 370] = 0
    strokes, notes = find_strokes(find_ink(picture).ink)
    (stroke,) = strokes
    assert np.abs(np.array(stroke.box) - (122, 72, 278, 288)).max() <= 2
    assert stroke.ink.shape == (stroke.height, stroke.width)
    assert notes == ["specks ignored: 2"]


@pytest.mark.parametrize("text", ["246", "0123456789", "10", "80163"])
@pytest.mark.parametrize("gap", [1, 4])
def test_the_bars_of_a_display_are_digits_though_they_do_not_touch(text, gap):
    assert Recognizer().recognize(draw_display(text, pen=9, gap=gap)).text == text


def test_ones_in_lines_that_are_apart_stay_in_their_lines():
    assert Recognizer().recognize(draw_number("1214\n3151", gap=30)).text == "1214\n3151"
