"""Brackets around a number, or after it, are not read as 1s."""

import cv2
import numpy as np
import pytest
from pictures import draw_number, shade

from digits.brackets import find_brackets
from digits.recognizer import Recognizer
from digits.strokes import find_strokes

ROOM = 70


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def draw(text, opening=False, closing=True, bow=18, half=70):
    """A number with brackets: (height, width) uint8. bow, half: pixels, of their width and half of their height."""
    page = draw_number(text, size=100, pen=8)
    inked = np.flatnonzero((page < 128).any(axis=0))
    page = cv2.copyMakeBorder(page, ROOM, ROOM, ROOM, ROOM, cv2.BORDER_CONSTANT, value=255)
    middle = page.shape[0] // 2
    for x, start in [(inked[0] - 20, 90)] * opening + [(inked[-1] + 20, -90)] * closing:
        cv2.ellipse(page, (ROOM + int(x), middle), (bow, half), 0, start, start + 180, 0, 8)
    return page


def found(page):
    return len(find_brackets(find_strokes(1 - page.astype(np.float32) / 255)[0]))


@pytest.mark.parametrize("text", ["5", "42", "1", "307"])
@pytest.mark.parametrize("on_paper", [False, True])
def test_number_in_brackets_is_read_without_them(recognizer, text, on_paper):
    page = draw(text, opening=True)
    result = recognizer.recognize(shade(page) if on_paper else page)
    assert result.text == text
    assert "brackets ignored: 2" in result.notes


@pytest.mark.parametrize("text", ["3", "12"])
def test_bracket_after_a_number_is_not_read(recognizer, text):
    result = recognizer.recognize(draw(text))
    assert result.text == text
    assert "brackets ignored: 1" in result.notes


def test_only_an_arc_that_is_higher_than_what_is_before_it_is_a_bracket():
    assert found(draw("25")) == 1
    assert found(draw("25", half=45)) == 0  # as high as the digits: a 1 with a bow
    assert found(draw("25", bow=3)) == 0  # as good as straight: a tall 1
    assert found(draw("25", closing=False)) == 0


def test_an_arc_alone_and_one_with_a_digit_behind_it_are_no_brackets():
    assert found(draw("25", opening=True, closing=False)) == 0
    page = draw("25")
    behind = np.flatnonzero((page < 128).any(axis=0)).max() + 12
    cv2.ellipse(page, (behind + 15, page.shape[0] // 2), (15, 40), 0, 0, 360, 0, 8)
    assert found(page) == 0


def test_a_pattern_of_arcs_is_looked_at_once():
    page = np.full((1000, 1000), 255, np.uint8)
    for place, x in enumerate(range(20, 980, 40)):
        for y in range(40, 960, 60):
            cv2.ellipse(page, (x, y), (6, 24), 0, -90 if place % 2 else 90, 90 if place % 2 else 270, 0, 3)
            if place % 2 == 0:
                cv2.line(page, (x + 20, y - 12), (x + 20, y + 12), 0, 3)  # which they would hold
    assert found(page) == 0
