"""The result card."""

import numpy as np
from PIL import Image

from digits import Digit, Recognition
from digits.web.card import BAR, COLOURS, draw_card


def a_digit(*probabilities):
    row = np.zeros(10, np.float32)
    row[: len(probabilities)] = probabilities
    return Digit(row, (0, 0, 10, 10), np.zeros((28, 28), np.uint8))


def coloured(card, colour):
    """Where the card has exactly that colour: (height, width) bool."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.asarray(card) == wanted).all(-1)


def test_draw_card_shows_the_picture_and_a_bar_as_long_as_the_probability():
    picture = Image.new("RGB", (200, 100), "#ff00ff")
    card = draw_card(picture, Recognition((a_digit(0.9, 0.06, 0.04),)))
    assert coloured(card, "#ff00ff").sum() == 200 * 100
    lengths = coloured(card, COLOURS["sure"]).sum(1)
    assert abs(lengths.max() - 0.9 * BAR) <= 2


def test_draw_card_grows_with_the_number_and_stays_in_bounds():
    picture = Image.new("L", (3000, 20), 255)
    small = draw_card(picture, Recognition())
    large = draw_card(picture, Recognition(tuple(a_digit(0.5, 0.3) for _ in range(40))))
    assert small.height < large.height < 2000
    assert small.width == large.width
