"""A line under a number marks it: it is no foot of a digit, and no dash."""

import cv2
import numpy as np
import pytest
from pictures import draw_number, shade

from digits.recognizer import Recognizer
from digits.strokes import find_strokes
from digits.underlines import find_underlines

NUMBER, ROOM, GAP = 100, 70, 14  # pixels: height of a number, paper around it, and over what is drawn below it


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def underlined(text, gap=GAP, slope=0, beyond=12, until=1.0, lines=1):
    """A number with lines under it: (height, width) uint8.

    slope, beyond: rows that they rise, columns beyond its ends; until: share of its width at which they end.
    """
    page = cv2.copyMakeBorder(draw_number(text, NUMBER, pen=8), *4 * (ROOM,), cv2.BORDER_CONSTANT, value=255)
    rows, columns = np.nonzero(page < 128)
    left, end = int(columns.min()), round(columns.min() + until * np.ptp(columns))
    for y in (int(rows.max()) + gap + 22 * line for line in range(lines)):
        cv2.line(page, (left - beyond, y), (end + beyond, y - slope), 0, 8)
    return page


def found(page):
    return len(find_underlines(find_strokes(1 - page.astype(np.float32) / 255)[0]))


@pytest.mark.parametrize("text", ["0", "2", "5", "9", "42"])
@pytest.mark.parametrize("on_paper", [False, True])
def test_underlined_number_is_read_without_the_line(recognizer, text, on_paper):
    page = underlined(text)
    assert recognizer.recognize(shade(page) if on_paper else page).text == text


def test_underline_is_told_of(recognizer):
    assert "underlines ignored: 1" in recognizer.recognize(underlined("5")).notes


def test_line_that_rises_and_two_lines_are_underlines():
    assert found(underlined("42", gap=22, slope=9)) == 1
    assert found(underlined("3", lines=2)) == 2


def test_line_that_touches_or_is_far_below_or_far_longer_is_none():
    assert found(underlined("42", gap=-4)) == 0
    assert found(underlined("42", gap=90)) == 0
    assert found(underlined("4", beyond=130)) == 0


def test_bar_of_a_fraction_and_an_equals_sign_are_none():
    upper, lower = underlined("3"), underlined("8")[ROOM:]
    width = max(upper.shape[1], lower.shape[1])
    fraction = np.vstack(
        [np.pad(one, ((0, 0), (0, width - one.shape[1])), constant_values=255) for one in (upper[:-ROOM], lower)]
    )
    assert found(fraction) == 1  # the line under the 8
    equals = np.full((120, 160), 255, np.uint8)
    for y in (50, 75):
        cv2.line(equals, (30, y), (130, y), 0, 8)
    assert found(equals) == 0


def test_foot_of_a_1_is_part_of_it_and_a_line_farther_below_is_not():
    page = np.full((400, 400), 255, np.uint8)
    cv2.polylines(page, [np.array([(170, 140), (200, 100), (200, 300)])], False, 0, 9)
    near, far = page.copy(), page.copy()
    cv2.line(near, (160, 320), (240, 320), 0, 9)
    cv2.line(far, (160, 350), (240, 350), 0, 9)
    assert (found(near), found(far)) == (0, 1)


def test_bar_under_one_digit_of_a_number_is_its_foot():
    assert found(underlined("28", until=0.4, beyond=0)) == 0
