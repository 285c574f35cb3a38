"""A line read in one look: places into signs, and the shipped network on lines drawn by hand."""

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
    BESIDE,
    HEIGHT,
    LOWEST,
    SHIPPED_SEQUENCE_MODEL,
    STEP,
    THINNEST,
    Reading,
    SequenceReader,
    frame,
    sequence_probability,
)

NONE, ONE, SEVEN, POINT = 0, 2, 8, 11  # columns


def _reading(*columns: int) -> Reading:
    """0.9 in the column of each place."""
    return Reading(np.where(np.eye(20, dtype=bool)[list(columns)], np.float32(0.9), np.float32(0.005)), 0.5)


def test_signs_are_repeats_taken_as_one_and_repeats_with_a_gap_as_two():
    assert _reading(NONE, ONE, ONE, NONE, SEVEN, POINT, NONE).text == "17."
    assert _reading(ONE, NONE, ONE).text == "11"
    assert _reading(NONE, NONE).text == ""


def test_a_border_between_places_is_where_its_column_is():
    reading = _reading(*[NONE] * 40)
    assert reading.border(-100) == 0 and reading.border(1000) == 40
    assert reading.border(0) == BESIDE // STEP and reading.border(4 * STEP) == BESIDE // STEP + 2, "half as large"


@pytest.mark.parametrize("columns", [[], [1], [1, 1], [2, 1], [1, 2, 1]])
def test_sequence_probability_is_the_sum_over_all_ways_to_write_it(columns):
    probabilities = np.random.default_rng(3).dirichlet(np.ones(20), 4)
    ways = (
        way
        for way in product(range(3), repeat=4)  # nothing and two signs are all that these need
        if [column for column, _ in groupby(way) if column != NONE] == columns
    )
    expected = sum(float(np.prod(probabilities[range(4), way])) for way in ways)
    assert sequence_probability(probabilities, np.array(columns, int)) == pytest.approx(expected)


@pytest.mark.parametrize("first, end", [(0, 6), (1, 4), (3, 3), (5, 2)])
def test_one_sign_is_the_probability_that_each_sign_alone_begins_between_two_places(first, end):
    probabilities = np.random.default_rng(4).dirichlet(np.ones(20), 6)
    alone = Reading(probabilities, 1.0).one_sign(first, end)
    before = probabilities[first - 1] if first else np.eye(20)[NONE]

    def begins(column, seen):
        """Probability of just this sign after the one that is seen, which is no other one if it goes on."""
        places = np.vstack([np.eye(20)[seen], probabilities[first:end]])
        return sequence_probability(places, np.array([column] if seen == NONE else [seen, column]))

    expected = [sum(before[seen] * begins(column, seen) for seen in range(20)) for column in range(1, 20)]
    assert alone == pytest.approx(expected)


def test_a_sign_that_goes_on_behind_a_border_is_counted_once():
    reading = _reading(NONE, 6, 6, 6, 6, NONE, NONE)
    assert reading.one_sign(0, 3)[5] > 0.7 and reading.one_sign(3, 7).max() < 0.1


@pytest.mark.parametrize("clear, count", [(0.9, 1), (0.6, 3)])
def test_a_line_in_doubt_is_looked_at_in_three_widths_and_a_plain_one_once(monkeypatch, clear, count):
    looks = []

    def look(self, framed):
        looks.append(framed.shape[1])
        middle = framed.shape[1] // STEP // 2
        answer = np.zeros((framed.shape[1] // STEP, 20), np.float32)
        answer[:, NONE] = 1
        answer[middle - 3 : middle + 4, [NONE, SEVEN]] = 1 - clear, clear
        return answer

    monkeypatch.setattr(SequenceReader, "probabilities", look)
    monkeypatch.setattr("digits.sequence.PLAIN", 0.8)
    ink = np.zeros((36, 300), np.float32)
    ink[:, 148:152] = 1
    reading = SequenceReader().read(ink)
    assert len(looks) == len(set(looks)) == count and reading.text == "7"
    assert reading.probabilities.shape == (looks[0] // STEP, 20)
    assert reading.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("pen", [3, 30])
def test_frame_brings_every_line_to_one_height_and_no_pen_below_the_thinnest(pen):
    picture = np.full((300, 500), 255, np.uint8)
    draw_on(picture, HAND["2"], 200, pen, (50, 50))
    ink = 1 - picture.astype(np.float32) / 255
    rows, columns = np.nonzero(ink > 0.5)
    framed = frame(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    assert framed.shape[0] == HEIGHT + 2 * ABOVE and framed.shape[1] % STEP == 0 and framed.dtype == np.float32
    assert pen_width(cv2.resize(framed, None, fx=4, fy=4)) / 4 > THINNEST - 0.6


def test_frame_does_not_blow_up_a_dash():
    framed = frame(np.ones((10, 60), np.float32))
    rows = np.flatnonzero((framed > 0.5).any(axis=1))
    assert len(rows) <= HEIGHT / LOWEST + 2 and abs(rows.mean() - framed.shape[0] / 2) <= 2


def test_shipped_network_reads_touching_digits_from_left_to_right():
    picture = np.full((260, 560), 255, np.uint8)
    for place, digit in enumerate("2386"):
        draw_on(picture, HAND[digit], 160, 14, (40 + 112 * place, 50))
    reading = SequenceReader().read(1 - picture[43:217, 33:520].astype(np.float32) / 255)
    assert reading.text == "2386"
    others = (reading.probability(text) for text in ("2366", "236", "23386", "2380", "238"))
    assert 1 >= reading.probability("2386") > 4 * max(others)
    for place, label in enumerate((2, 3, 8, 6)):
        borders = (reading.border(7 + 112 * place + side) for side in (0, 132))
        assert reading.one_sign(*borders).argmax() == label


def test_what_is_no_sequence_network_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"train_model\.py --sequence"):
        SequenceReader(tmp_path / "sequence.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(SHIPPED_SEQUENCE_MODEL.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"damaged\.onnx"):
        SequenceReader(damaged)
    with pytest.raises(ModelError, match="no sequence network"):
        SequenceReader(SHIPPED_MODEL)
