"""Straight: a stroke that looks ruled, and a rest of a ruled line that looks like a 1."""

import cv2
import numpy as np
import pytest
from pictures import draw_number, shade

from digits.ink import without_unsure
from digits.recognizer import Recognizer
from digits.straight import with_straight_strokes, without_straight_rests


def test_a_part_of_a_sign_that_looks_ruled_is_ink_and_a_line_under_it_is_not():
    ink, rules = np.zeros((2, 200, 300), np.float32)
    ink[40:60, 80:110] = 1  # the head of a 1, whose stem and foot look ruled
    rules[60:140, 96:102] = rules[140:146, 70:130] = 1
    rules[160:164, 20:280] = 1  # a line from side to side
    mended, ruled = with_straight_strokes(without_unsure(ink), ink, rules)
    assert mended[100, 98] == mended[143, 75] == 1 and ruled[100, 98] == 0
    assert not mended[160:164].any() and ruled[161, 150] == 1


@pytest.mark.parametrize("columns", [False, True])
def test_a_bar_beside_a_digit_in_its_line_is_a_1_and_the_side_of_a_cell_where_there_are_columns(columns):
    ink, rules = np.zeros((2, 200, 300), np.float32)
    for x in (20, 75):
        cv2.ellipse(ink, (x, 90), (15, 30), 0, 0, 360, 1, 6)
    rules[62:118, 130:136] = 0.6
    ink[62:118, 130:136] = 0.3  # half a stroke, half a line
    rules[20:80, 250:256] = 1  # as high, but in no line with it
    if columns:
        rules[10:190, 200:204] = 1
    mended, ruled = with_straight_strokes(without_unsure(ink), ink, rules)
    assert (mended[90, 132] > 0.8, ruled[90, 132] == 0) == (not columns, not columns)
    assert mended[50, 252] == 0 and ruled[50, 252] == 1


def page_with(*lines):
    """Ink of two zeros with a bar between them, and the page: the same on paper with lines (x, top, end, grey)."""
    ink, grey = np.zeros((260, 300), np.float32), np.full((260, 300), 220, np.uint8)
    for x in (60, 180):
        cv2.ellipse(ink, (x, 160), (18, 30), 0, 0, 360, 1, 5)
    ink[132:188, 118:122] = 1
    for x, top, end, shade_of_line in lines:
        grey[top:end, x : x + 4] = shade_of_line
    grey[ink > 0.5] = 70
    return ink, grey


@pytest.mark.parametrize(
    "lines, stays",
    [
        ((), True),
        (((118, 0, 260, 90),), False),  # it goes on beyond both ends
        (((118, 0, 170, 90),), False),  # far beyond one
        (((118, 0, 260, 190),), True),  # a 1 on a pale line of squared paper
        (((118, 110, 205, 90),), True),  # it ends soon: a long 1
        (((130, 0, 260, 90),), True),  # beside it
    ],
)
def test_a_bar_that_goes_on_as_a_dark_line_is_no_1(lines, stays):
    ink, grey = page_with(*lines)
    upright = without_straight_rests(ink, 0 * ink, grey)
    level = without_straight_rests(ink.T, 0 * ink.T, grey.T)
    for seen, ruled in (upright, [one.T for one in level]):
        assert (seen[160, 120] == 1, ruled[160, 120] == 0) == (stays, stays)
        assert seen[160, 42] == seen[160, 198] == 1


def test_a_part_of_a_1_that_was_found_in_pieces_stays():
    ink, grey = page_with()
    ink[148:, 118:122] = 0
    assert without_straight_rests(ink, 0 * ink, grey)[0][140, 120] == 1


@pytest.mark.parametrize("step", [100, 10])
def test_a_1_among_specks_is_not_too_long(step):
    ink = np.zeros((200, 200), np.float32)
    for x in range(10, 80, step):
        for y in range(10, 190, step):
            ink[y : y + 4, x : x + 4] = 1
    ink[60:85, 118:122] = 1
    grey = cv2.GaussianBlur(220 - 150 * ink, (0, 0), 1.5).astype(np.uint8)
    assert without_straight_rests(ink, 0 * ink, grey)[0][70, 120] == 1


def test_a_fold_beside_a_number_is_no_1():
    page = cv2.copyMakeBorder(draw_number("20  46", size=50, pen=5), 60, 60, 40, 40, cv2.BORDER_CONSTANT, value=255)
    page = shade(page)
    page[:, page.shape[1] // 2 :] = np.clip(page[:, page.shape[1] // 2 :] * 0.7, 0, 255).astype(np.uint8)
    cv2.line(page, (page.shape[1] // 2, 0), (page.shape[1] // 2 + 3, page.shape[0]), 60, 1, cv2.LINE_AA)
    assert "".join(Recognizer().recognize(page).text.split()) == "2046"
