"""Patch: what is drawn on a button or a label is read, not the button."""

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_on

from digits.patch import show_patch_alone
from digits.recognizer import Recognizer

WHITE = 255


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def draw(label, size=170, pen=16, place=(120, 115)):
    """A pad, (400, 400) uint8, with a digit."""
    pad = np.full((400, 400), WHITE, np.uint8)
    draw_on(pad, HAND[label], size, pen, place)
    return pad


def button(label, colour=60, disc=True):
    """The digit in white on a disc or a square of a colour."""
    drawn = draw(label) < WHITE / 2
    pad = np.full((400, 400), WHITE, np.uint8)
    if disc:
        cv2.circle(pad, (200, 200), 175, colour, cv2.FILLED, cv2.LINE_AA)
    else:
        cv2.rectangle(pad, (30, 30), (370, 370), colour, cv2.FILLED)
    pad[drawn] = WHITE
    return pad


@pytest.mark.parametrize("disc", [True, False])
@pytest.mark.parametrize("label", ["1", "4", "6", "7", "8"])
def test_what_is_drawn_on_a_button_is_read(recognizer, label, disc):
    assert recognizer.recognize(button(label, disc=disc)).text == label
    assert recognizer.recognize(~button(label, disc=disc)).text == label, "dark on a light button, on black"


def test_only_a_filled_shape_with_marks_on_it_is_a_patch():
    assert show_patch_alone(button("7")) is not None
    plain = np.full((400, 400), WHITE, np.uint8)
    cv2.circle(plain, (200, 200), 175, 60, cv2.FILLED)
    framed = cv2.circle(draw("7"), (200, 200), 175, 0, 9)
    assert [show_patch_alone(one) for one in (plain, framed, draw("8", pen=40))] == [None] * 3


def test_a_zero_in_a_wide_pen_is_no_patch(recognizer):
    pad = np.full((400, 400), WHITE, np.uint8)
    cv2.ellipse(pad, (200, 200), (85, 125), 0, 0, 360, 0, 90, cv2.LINE_AA)
    assert show_patch_alone(pad) is None and recognizer.recognize(pad).text == "0"
