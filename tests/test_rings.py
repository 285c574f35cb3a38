"""Rings: a circle or a box drawn around a number marks it, and is not read."""

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_on

from digits.recognizer import Recognizer
from digits.rings import find_rings, without_rings
from digits.strokes import find_strokes


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def draw_ring(pad, middle=(200, 200), half=(130, 120), pen=7):
    cv2.ellipse(pad, middle, half, 0, 0, 360, 0, pen, cv2.LINE_AA)
    return pad


def draw(*digits, size=110, pen=9):
    """A pad, (400, 400) uint8, with digits at places (label, x, y)."""
    pad = np.full((400, 400), 255, np.uint8)
    for label, x, y in digits:
        draw_on(pad, HAND[label], size, pen, (x, y))
    return pad


def rings(pad):
    return find_rings(find_strokes(1 - pad.astype(np.float32) / 255)[0])


@pytest.mark.parametrize("label", ["1", "3", "5", "7", "8"])
def test_digit_in_a_circle_is_read_without_it(recognizer, label):
    result = recognizer.recognize(draw_ring(draw((label, 145, 145))))
    assert result.text == label
    assert "drawn around what is written and ignored: 1" in result.notes


def test_number_in_a_box_drawn_by_hand_is_read_without_it(recognizer):
    pad = draw(("4", 120, 150), ("2", 210, 150), size=80)
    corners = np.array([(90, 118), (318, 124), (312, 262), (94, 256)], np.int32)
    result = recognizer.recognize(cv2.polylines(pad, [corners], True, 0, 8, cv2.LINE_AA))
    assert result.text == "42"


def test_digit_that_touches_its_circle_is_parted_from_it(recognizer):
    pad = draw_ring(draw(("7", 150, 92), size=120))
    assert len(find_strokes(1 - pad.astype(np.float32) / 255)[0]) == 1
    assert recognizer.recognize(pad).text == "7"


def test_ring_that_looks_ruled_in_part_is_one():
    ink = 1 - draw_ring(draw(("2", 145, 145))).astype(np.float32) / 255
    rules = np.zeros_like(ink)
    rules[:95] = ink[:95]  # its uppermost part
    ink[:95] = 0
    seen, notes = without_rings(ink, rules, find_strokes(ink)[0])
    assert notes and find_strokes(seen)[0][0].box[1] > 130 and len(find_strokes(seen)[0]) == 1


def test_what_is_ruled_all_around_is_left_to_the_tables():
    ink = 1 - draw(("2", 145, 145)).astype(np.float32) / 255
    frame = 1 - draw_ring(draw()).astype(np.float32) / 255
    assert without_rings(ink, frame, find_strokes(ink)[0]) == (ink, [])


def test_side_of_a_ruled_frame_that_is_taken_for_ink_is_left_out_with_it():
    ink = 1 - draw(("2", 145, 145)).astype(np.float32) / 255
    frame = 1 - draw_ring(draw()).astype(np.float32) / 255
    rules = 0.2 * frame  # pale, as the network is not sure of it
    ink[150:250, :100] = np.maximum(ink, frame)[150:250, :100]
    seen, notes = without_rings(ink, rules, find_strokes(ink)[0])
    assert notes and len(find_strokes(ink)[0]) == 2 and len(find_strokes(seen)[0]) == 1


def test_zero_with_a_stroke_through_it_is_no_ring(recognizer):
    pad = draw_ring(draw(), half=(70, 85))
    cv2.line(pad, (245, 130), (155, 270), 0, 7, cv2.LINE_AA)
    assert rings(pad) == []
    assert recognizer.recognize(pad).text == "0"


def test_face_and_digits_that_touch_are_no_rings():
    face = draw_ring(draw())
    for x in (160, 240):
        cv2.circle(face, (x, 165), 12, 0, -1)
    cv2.ellipse(face, (200, 220), (60, 40), 0, 20, 160, 0, 7, cv2.LINE_AA)
    touching = draw(("0", 100, 140), ("8", 172, 140), size=120)
    assert len(find_strokes(1 - touching.astype(np.float32) / 255)[0]) == 1
    assert rings(face) == rings(touching) == []


@pytest.mark.parametrize("across", [0.85, 0.95, 1.1])
def test_zero_with_a_stroke_through_it_is_no_circled_one(recognizer, across):
    pad = cv2.ellipse(draw(), (200, 200), (75, 100), 0, 0, 360, 0, 9, cv2.LINE_AA)
    x, y = round(40 * across), round(75 * across)
    cv2.line(pad, (200 - x, 200 + y), (200 + x, 200 - y), 0, 8, cv2.LINE_AA)
    assert rings(pad) == [] and recognizer.recognize(pad).text == "0"


def half_circles(gap):
    """A pad with a 3 between two arcs, with gaps of so many degrees above and below."""
    pad = draw(("3", 145, 145))
    for middle in (0, 180):
        cv2.ellipse(pad, (200, 200), (130, 120), 0, middle - 90 + gap / 2, middle + 90 - gap / 2, 0, 7, cv2.LINE_AA)
    return pad


def test_circle_that_was_not_seen_all_around_is_one(recognizer):
    assert len(rings(half_circles(20))) == 1
    assert recognizer.recognize(half_circles(20)).text == "3"
    assert rings(half_circles(70)) == []  # brackets


def test_strokes_of_one_digit_count_together():
    pad = draw_ring(np.full((400, 400), 255, np.uint8))
    cv2.line(pad, (180, 160), (220, 160), 0, 7)
    assert rings(pad) == []  # a dash, too low for a digit
    cv2.polylines(pad, [np.array([(182, 172), (200, 190), (190, 228)])], False, 0, 7)
    assert len(rings(pad)) == 1
    face = draw_ring(np.full((400, 400), 255, np.uint8))
    for x in (150, 230):
        cv2.ellipse(face, (x, 170), (12, 22), 0, 0, 360, 0, 6)
    assert rings(face) == []
