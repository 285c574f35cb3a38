"""Uneven light: the paper in a shadow is as white as beside it, the pen stays, and what is no paper goes."""

import cv2
import numpy as np
import pytest
from pictures import draw_digit, draw_number

from digits import Recognizer
from digits.light import Light, find_small

TEXT = "2075\n1369\n4810"


def page_of(text):
    page = np.where(draw_number(text, size=60, pen=5, gap=20) < 128, 70, 220).astype(np.uint8)
    return cv2.copyMakeBorder(page, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=220)


PAGE = page_of(TEXT)
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
    assert Light(shady).is_uneven and not Light(shady).lies_on_a_desk
    even = Light(shady).even_out()
    paper = ~cv2.dilate(PEN.view(np.uint8), np.ones((5, 5))).astype(bool)
    assert np.ptp(np.percentile(shady[paper], (2, 98))) > 90
    assert np.ptp(np.percentile(even[paper], (2, 98))) < 25
    assert np.median(even[PEN]) < 0.5 * np.median(even[paper])


def test_a_desk_around_the_sheet_becomes_paper():
    picture, there = on_a_desk(PAGE)
    assert Light(picture).is_uneven and Light(picture).lies_on_a_desk
    assert np.percentile(Light(picture).even_out()[~there], 5) > 200


@pytest.mark.parametrize("page", [PAGE, PAGE // 3, np.full((300, 400), 90, np.uint8)], ids=["light", "dim", "empty"])
def test_light_that_is_even_is_said_to_be(page):
    assert not Light(page).is_uneven and not Light(page).lies_on_a_desk


@pytest.mark.parametrize("side", [1, 2, 3, 7])
def test_pictures_of_some_pixels_are_no_trouble(side):
    grey = np.arange(side * side, dtype=np.uint8).reshape(side, side)
    assert Light(grey).even_out().shape == grey.shape and Light(grey).is_uneven in (True, False)


@pytest.mark.parametrize(
    "photograph, text",
    [
        pytest.param(in_a_hands_shadow, TEXT, id="shadow that ends beside a 1"),
        pytest.param(in_a_hands_shadow, "2075\n8369\n4810", id="shadow"),
        pytest.param(lambda page: on_a_desk(page)[0], TEXT, id="desk"),
    ],
)
def test_numbers_are_read_in_a_shadow_and_on_a_desk(recognizer, photograph, text):
    page = page_of(text)
    noisy = photograph(page) + np.random.default_rng(1).normal(0, 2, page.shape)
    read = recognizer.recognize(np.clip(noisy, 0, 255).astype(np.uint8))
    assert read.text == text and "uneven paper: shading removed" in read.notes


def large_page(*places):
    """A grainy page of 12 megapixels with a digit of 14 pixels at each place."""
    grain = np.random.default_rng(2).normal(0, 5, (500, 500))
    page = 215 + np.tile(cv2.GaussianBlur(grain, (0, 0), 1), (6, 8))
    digit = cv2.resize(draw_digit(3, size=280, pen=34, at=(60, 60)), (20, 20), interpolation=cv2.INTER_AREA)
    for x, y in places:
        page[y : y + 20, x : x + 20] *= digit / 255
    return np.clip(page, 0, 255).astype(np.uint8)


def test_a_digit_of_14_pixels_on_an_empty_page_of_12_megapixels_is_read_where_it_stands(recognizer):
    page = large_page((2500, 1700))
    left, top, right, bottom = find_small(page)
    assert 2400 < left < 2500 and 1600 < top < 1700 and 2520 < right < 2620 and 1720 < bottom < 1820
    result = recognizer.recognize(page)
    assert result.text == "3"
    assert np.abs(np.array(result.digits[0].box) - (2503, 1703, 2517, 1717)).max() < 8


@pytest.mark.parametrize("places", [(), ((300, 300), (3500, 2500))], ids=["empty", "written all over"])
def test_nothing_small_stands_out_of_an_empty_page_and_one_that_is_written_on_all_over(places):
    assert find_small(large_page(*places)) is None


def on_wood(page):
    """On a table that is hardly darker, with grain at its foot: dark upright streaks, as of a pen."""
    height, width = page.shape
    desk = np.full((height + 260, width + 200), 150, np.uint8)
    desk[60 : 60 + height, 100 : 100 + width] = page
    for x in range(140, width + 100, 60):
        cv2.line(desk, (x, height + 110), (x + 6, height + 220), 70, 5)
    noise = np.random.default_rng(0).normal(0, 8, desk.shape)
    return np.clip(desk + noise, 0, 255).astype(np.uint8)


def test_sheet_is_found_on_a_desk_that_is_hardly_darker_and_not_in_a_shadow_or_on_its_own():
    sheet = Light(on_wood(PAGE)).find_sheet()
    assert sheet is not None and 0.35 < sheet.mean() < 0.75 and not sheet[0].any() and not sheet[-1].any()
    assert Light(PAGE).find_sheet() is None
    assert Light(in_a_hands_shadow(PAGE)).find_sheet() is None
    side = PAGE.copy()
    side[:, : side.shape[1] // 3] //= 2  # in the shadow of a wall
    assert Light(side).find_sheet() is None


def test_grain_beside_the_sheet_is_no_line_of_ones(recognizer):
    result = recognizer.recognize(on_wood(PAGE))
    assert result.text == TEXT
    assert any(note.startswith("beside the sheet and ignored") for note in result.notes)


def test_ones_on_the_sheet_stay(recognizer):
    assert recognizer.recognize(on_wood(page_of("2075\n1171\n4810"))).text == "2075\n1171\n4810"
