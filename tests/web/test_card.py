"""The result card."""

import numpy as np
import pytest
from PIL import Image

from digits import Digit, Recognition
from digits.recognition import Number
from digits.web.card import BAR, COLOURS, MARGIN, MOST_ROWS, PICTURE, draw_card


def a_digit(*probabilities, box=(0, 0, 10, 10), line=0):
    row = np.zeros(10, np.float32)
    row[: len(probabilities)] = probabilities
    return Digit(row, box, np.zeros((28, 28), np.uint8), line)


def recognition(*digits):
    """Each digit a number of its own."""
    return Recognition(digits, numbers=tuple(Number((digit,), digit.confidence) for digit in digits))


def coloured(card, colour):
    """Where the card has nearly that colour: (height, width) bool."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.abs(np.asarray(card, int) - wanted) < 90).all(-1)


def test_draw_card_shows_the_picture_and_a_bar_as_long_as_the_probability():
    picture = Image.new("RGB", (200, 100), "#ff00ff")
    card = draw_card(picture, recognition(a_digit(0.9, 0.06, 0.04)))
    rows, columns = np.nonzero(coloured(card, "#ff00ff"))
    assert np.ptp(columns) == pytest.approx(PICTURE, abs=3) and np.ptp(rows) == pytest.approx(PICTURE / 2, abs=3)
    right = coloured(card, COLOURS["sure"])[:, PICTURE + 2 * MARGIN :].sum(1)
    assert right.max() == pytest.approx(0.9 * BAR, abs=3)


def test_draw_card_draws_a_box_around_each_digit_of_a_centred_picture():
    digit = a_digit(0.4, 0.3, box=(50, 20, 150, 80))
    card = draw_card(Image.new("L", (200, 100), 255), recognition(digit, digit))
    rows, columns = np.nonzero(coloured(card, COLOURS["unsure"])[:, : MARGIN + PICTURE])
    centre = MARGIN + PICTURE / 2
    assert (columns.min() + columns.max()) / 2 == pytest.approx(centre, abs=2)
    assert np.ptp(columns) == pytest.approx(100 * PICTURE / 200, abs=10)
    assert np.ptp(rows) == pytest.approx(60 * PICTURE / 200, abs=10)


def test_draw_card_gives_each_number_of_a_page_a_row_and_stays_in_bounds():
    picture = Image.new("L", (3000, 20), 255)
    small = draw_card(picture, Recognition())
    large = draw_card(picture, recognition(*(a_digit(0.5, 0.3, line=line) for line in range(40))))
    bars = coloured(large, COLOURS["unsure"])[:, PICTURE + 2 * MARGIN :].sum(1) > BAR / 4
    assert np.count_nonzero(np.diff(bars.astype(int)) == 1) == MOST_ROWS
    assert small.height < large.height < 1000 and small.width == large.width
