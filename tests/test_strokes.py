"""Strokes: found whole, each with its box, and without specks."""

import cv2
import numpy as np
import pytest
from pictures import draw_digit, draw_number, find_ink

from digits import Recognizer
from digits.strokes import find_strokes
from digits.training.printed import ENDS, SEGMENTS


def draw_display(text, pen, gap, width=60):
    """Digits of seven bars on a white page, the bars so many pixels apart where they meet."""
    page = np.full((2 * width + 100, 100 * len(text) + 60), 255, np.uint8)
    for place, sign in enumerate(text):
        for x, y, end, foot in (ENDS[bar] for bar in SEGMENTS[sign]):
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


def test_zeros_that_touch_are_no_dash_however_low_and_long():
    ink = np.zeros((200, 400), np.float32)
    for x in (120, 200):
        cv2.ellipse(ink, (x, 100), (42, 25), 0, 0, 360, 1.0, 16)
    (zeros,), _ = find_strokes(ink)
    assert zeros.slope is None
    cv2.line(ink := np.zeros_like(ink), (80, 110), (240, 90), 1.0, 14)
    (dash,), _ = find_strokes(ink)
    assert dash.slope == pytest.approx(-20 / 160, abs=0.02)
