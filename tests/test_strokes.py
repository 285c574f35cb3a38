"""Strokes: found whole, each with its box, and without specks."""

import numpy as np
from pictures import draw_digit, find_ink

from digits.strokes import find_strokes


def test_find_strokes_gives_the_box_of_each_stroke_and_ignores_specks():
    picture = draw_digit(7, size=200, pen=16, at=(100, 80))
    picture[20, 30] = picture[350, 370] = 0
    strokes, notes = find_strokes(find_ink(picture).ink)
    (stroke,) = strokes
    assert np.abs(np.array(stroke.box) - (122, 72, 278, 288)).max() <= 2
    assert stroke.ink.shape == (stroke.height, stroke.width)
    assert notes == ["specks ignored: 2"]
