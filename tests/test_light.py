"""Uneven light: the paper in a shadow is as white as beside it, the pen stays, and what is no paper goes."""

import cv2
import numpy as np
import pytest
from pictures import draw_number

from digits import Recognizer
from digits.light import even_out, is_uneven, lies_on_a_desk

TEXT = "2075\n1369\n4810"
PAGE = np.where(draw_number(TEXT, size=60, pen=5, gap=20) < 128, 70, 220).astype(np.uint8)
PAGE = cv2.copyMakeBorder(PAGE, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=220)
PEN = PAGE < 100


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def in_a_hands_shadow(page):
    """Half as light where a hand is in the way; the edge of its shadow is some pixels wide."""
    light = np.ones(page.shape, np.float32)
    height, width = page.shape
    cv2.ellipse(light, (width // 2, height), (width // 3, round(0.7 * height)), 0, 0, 360, 0.5, -1)
    return np.round(page * cv2.GaussianBlur(light, (0, 0), 3)).astype(np.uint8)


def on_a_desk(page):
    """Askew on a dark desk: the picture, and where the page lies in it."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 0.7)
    desk = np.random.default_rng(0).normal(28, 5, page.shape).clip(0, 255).astype(np.uint8)
    there = cv2.warpAffine(np.ones_like(page), turn, (width, height)) > 0
    return np.where(there, cv2.warpAffine(page, turn, (width, height)), desk), there


def test_paper_in_a_shadow_becomes_as_white_as_beside_it_and_the_pen_stays_dark():
    shady = in_a_hands_shadow(PAGE)
    assert is_uneven(shady) and not lies_on_a_desk(shady)
    even = even_out(shady)
    paper = ~cv2.dilate(PEN.view(np.uint8), np.ones((5, 5))).astype(bool)
    assert np.ptp(np.percentile(shady[paper], (2, 98))) > 90
    assert np.ptp(np.percentile(even[paper], (2, 98))) < 25
    assert np.median(even[PEN]) < 0.5 * np.median(even[paper])


def test_a_desk_around_the_sheet_becomes_paper():
    picture, there = on_a_desk(PAGE)
    assert is_uneven(picture) and lies_on_a_desk(picture)
    assert np.percentile(even_out(picture)[~there], 5) > 200


@pytest.mark.parametrize("page", [PAGE, PAGE // 3, np.full((300, 400), 90, np.uint8)], ids=["light", "dim", "empty"])
def test_light_that_is_even_is_said_to_be(page):
    assert not is_uneven(page) and not lies_on_a_desk(page)


@pytest.mark.parametrize("side", [1, 2, 3, 7])
def test_pictures_of_some_pixels_are_no_trouble(side):
    grey = np.arange(side * side, dtype=np.uint8).reshape(side, side)
    assert even_out(grey).shape == grey.shape and is_uneven(grey) in (True, False)


@pytest.mark.parametrize("photograph", [in_a_hands_shadow, lambda page: on_a_desk(page)[0]], ids=["shadow", "desk"])
def test_numbers_are_read_in_a_shadow_and_on_a_desk(recognizer, photograph):
    noisy = photograph(PAGE) + np.random.default_rng(1).normal(0, 2, PAGE.shape)
    read = recognizer.recognize(np.clip(noisy, 0, 255).astype(np.uint8))
    assert read.text == TEXT and "uneven paper: shading removed" in read.notes
