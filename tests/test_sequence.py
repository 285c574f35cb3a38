"""Digits that touch, read in one look: places into digits, and the shipped network on numbers drawn by hand."""

from itertools import groupby, product

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_on

from digits.classifier import SHIPPED_MODEL
from digits.errors import ModelError
from digits.normalise import pen_width
from digits.sequence import (
    ABOVE,
    HEIGHT,
    PEN,
    SHIPPED_SEQUENCE_MODEL,
    STEP,
    SequenceReader,
    find_signs,
    frame,
    sequence_probability,
)

NONE, ONE, SEVEN = 0, 2, 8  # columns


def _places(*columns: int) -> np.ndarray:
    """(places, 11) probabilities, 0.9 in the column of each place."""
    return np.where(np.eye(11, dtype=bool)[list(columns)], np.float32(0.9), np.float32(0.01))


def _labels(probabilities: np.ndarray) -> list[int]:
    return [int(sign.probabilities.argmax()) for sign in find_signs(probabilities, (HEIGHT, 40))]


def test_find_signs_takes_repeats_as_one_digit_and_repeats_with_a_gap_as_two():
    assert _labels(_places(NONE, ONE, ONE, NONE, SEVEN, NONE)) == [1, 7]
    assert _labels(_places(ONE, NONE, ONE)) == [1, 1]
    assert _labels(_places(NONE, NONE)) == []


def test_find_signs_gives_each_digit_the_columns_around_it():
    signs = find_signs(_places(*[NONE] * 6, ONE, *[NONE] * 7, SEVEN, *[NONE] * 6), (2 * HEIGHT, 70))
    middle = 2 * (STEP * (6 + 14 + 1) / 2 - 4)  # of the places, less the paper at the left, in a stroke twice as high
    assert [(sign.start, sign.end) for sign in signs] == [(0, middle), (middle, 70)]


@pytest.mark.parametrize("labels", [[], [1], [1, 1], [0, 1], [1, 0, 1]])
def test_sequence_probability_is_the_sum_over_all_ways_to_write_it(labels):
    probabilities = np.random.default_rng(3).dirichlet(np.ones(11), 4)
    ways = (
        way
        for way in product(range(3), repeat=4)  # nothing, 0 and 1 are all that these labels need
        if [column - 1 for column, _ in groupby(way) if column != NONE] == labels
    )
    expected = sum(float(np.prod(probabilities[range(4), way])) for way in ways)
    assert sequence_probability(probabilities, labels) == pytest.approx(expected)


@pytest.mark.parametrize("pen", [4, 44])
def test_frame_brings_every_stroke_to_one_height_and_nearly_one_pen(pen):
    picture = np.full((300, 500), 255, np.uint8)
    draw_on(picture, HAND["2"], 200, pen, (50, 50))
    ink = 1 - picture.astype(np.float32) / 255
    rows, columns = np.nonzero(ink > 0.5)
    framed = frame(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    assert framed.shape[0] == HEIGHT + 2 * ABOVE and framed.shape[1] % STEP == 0 and framed.dtype == np.float32
    assert PEN[0] - 0.5 < pen_width(cv2.resize(framed, None, fx=4, fy=4)) / 4 < PEN[1] + 0.5


def test_shipped_network_reads_touching_digits_from_left_to_right():
    picture = np.full((260, 560), 255, np.uint8)
    for place, digit in enumerate("2386"):
        draw_on(picture, HAND[digit], 160, 14, (40 + 112 * place, 50))
    ink = 1 - picture[43:217, 33:520].astype(np.float32) / 255
    reading = SequenceReader().read(ink)
    signs = reading.signs
    assert [int(sign.probabilities.argmax()) for sign in signs] == [2, 3, 8, 6]
    assert 0.7 < reading.probability <= 1
    for sign, left in zip(signs, range(7, 500, 112), strict=False):
        assert abs((sign.start + sign.end) / 2 - (left + 50)) < 40


def test_what_is_no_sequence_network_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"train_model\.py --sequence"):
        SequenceReader(tmp_path / "sequence.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(SHIPPED_SEQUENCE_MODEL.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"damaged\.onnx"):
        SequenceReader(damaged)
    with pytest.raises(ModelError, match="no sequence network"):
        SequenceReader(SHIPPED_MODEL)
