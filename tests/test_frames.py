"""Frames: what stands in the box of a form is a field of its own."""

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_on

from digits.frames import MOST, find_frames, part_at_frames
from digits.layout import Layout, find_strips
from digits.recognizer import Recognizer
from digits.strokes import Stroke

FRAME = (100, 20, 200, 120)


def make_stroke(left, top, width, height):
    return Stroke((left, top, left + width, top + height), np.ones((height, width), np.float32))


def draw_frames(*frames, gap=0):
    """A map of ruled lines, (140, 320) float32, with a gap of so many pixels in each frame's upper side."""
    rules = np.zeros((140, 320), np.float32)
    for left, top, right, bottom in frames:
        cv2.rectangle(rules, (left, top), (right, bottom), 1.0, 2)
        rules[top - 2 : top + 3, left + 30 : left + 30 + gap] = 0
    return rules


WORD = [make_stroke(10 + 24 * place, 60, 18, 25) for place in range(3)]
DIGITS = [make_stroke(112, 35, 30, 70), make_stroke(150, 38, 34, 68)]
BEHIND = [make_stroke(220, 55, 20, 30)]


def parts(rules, strokes):
    layout = part_at_frames(Layout(find_strips(0, strokes)), rules)
    assert {strip.line for strip in layout.strips} == {0}
    return [list(strip.strokes) for strip in layout.strips]


def test_strokes_in_a_frame_stand_apart_from_those_on_either_side_of_it():
    assert parts(draw_frames(FRAME), [*WORD, *DIGITS, *BEHIND]) == [WORD, DIGITS, BEHIND]


def test_frame_with_a_small_gap_is_one_and_with_a_wide_gap_is_none():
    assert len(find_frames(draw_frames(FRAME, gap=3), DIGITS)) == 1
    assert find_frames(draw_frames(FRAME, gap=30), DIGITS) == []


def test_frame_around_everything_parts_nothing():
    every = [*WORD, *DIGITS, *BEHIND]
    assert parts(draw_frames((3, 5, 310, 130)), every) == [every]


def test_frame_that_lies_askew_is_one_and_a_wheel_is_none():
    rules = np.zeros((140, 320), np.float32)
    cv2.polylines(rules, [cv2.boxPoints(((160, 70), (140, 96), 7)).astype(np.int32)], True, 1.0, 2)
    assert len(find_frames(rules, DIGITS)) == 1
    wheel = np.zeros((140, 320), np.float32)
    cv2.circle(wheel, (148, 70), 60, 1.0, 2)
    assert find_frames(wheel, DIGITS) == []


def test_box_lower_than_its_digits_or_one_of_many_is_no_frame():
    assert find_frames(draw_frames((100, 40, 200, 100)), DIGITS) == []
    squares = [(20 * x, 20 * y, 20 * x + 20, 20 * y + 20) for x in range(1, 9) for y in range(1, 5)]
    assert len(squares) > MOST and find_frames(draw_frames(*squares), [make_stroke(44, 44, 10, 14)]) == []


@pytest.mark.parametrize("label", ["2", "5", "8"])
def test_digit_in_a_box_of_a_form_is_read_and_the_words_beside_it_are_not(label):
    form = np.full((220, 460), 240, np.uint8)
    cv2.putText(form, "Marks", (20, 125), cv2.FONT_HERSHEY_DUPLEX, 1.3, 60, 2, cv2.LINE_AA)
    cv2.rectangle(form, (230, 40), (390, 190), 60, 3)
    draw_on(form, HAND[label], 100, 7, (260, 65), ink=40)
    result = Recognizer().recognize(form)
    assert "".join(digit for digit in result.text if digit.isdigit()) == label
    assert [number.text for number in result.numbers][-1] == label
