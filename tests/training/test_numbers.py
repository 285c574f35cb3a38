"""Tests of the synthetic numbers: whether their digits touch, and what is cut out of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.classifier import Classifier
from digits.training.augment import NOT_A_DIGIT
from digits.training.data import load_mnist
from digits.training.metrics import auroc
from digits.training.numbers import synthesise_parts, write_number


@pytest.fixture(scope="module")
def validation():
    return load_mnist().validation


def test_write_number_gives_digits_that_touch_and_each_of_them_alone(validation):
    rng = np.random.default_rng(3)
    pieces = []
    for count in 25 * [2, 3]:
        number, digits, labels = write_number(validation, count, rng)
        assert len(digits) == len(labels) == count
        assert all((number >= digit).all() and digit.max() > 0.5 for digit in digits)
        pieces.append(cv2.connectedComponents((number > 0.35).astype(np.uint8))[0] - 1 < len(digits))
    assert np.mean(pieces) > 0.9, "in nearly all of them some digits touch"


def test_the_heights_of_digits_differ_by_a_sixth_where_they_are_varied(validation):
    rng = np.random.default_rng(4)
    alike, varied = (_spread_of_heights(validation, varied, rng) for varied in (False, True))
    assert alike < 0.12 and 0.13 < varied < 0.2


def _spread_of_heights(validation, varied, rng):
    """Standard deviation within a number, as a share of the height, on average over 100 numbers."""
    numbers = [write_number(validation, 5, rng, varied)[1] for _ in range(100)]
    heights = [[np.ptp(np.flatnonzero((digit > 0.35).any(axis=1))) for digit in digits] for digits in numbers]
    return np.log(heights).std(axis=1).mean()


def test_synthesise_parts_gives_the_same_for_the_same_seed_and_other_things_for_another(validation):
    images, labels = synthesise_parts(validation, 60, seed=3)
    again, labels_again = synthesise_parts(validation, 60, seed=3)
    other, _ = synthesise_parts(validation, 60, seed=4)
    assert images.shape == (60, 28, 28) and images.dtype == np.uint8
    assert np.array_equal(images, again) and np.array_equal(labels, labels_again)
    assert not np.array_equal(images, other)


def test_digits_cut_out_of_numbers_are_read_and_pieces_of_two_are_doubted_by_the_shipped_model(validation):
    images, labels = synthesise_parts(validation, 600, seed=11)
    probabilities = Classifier().classify(images[..., None].astype(np.float32) / 255)
    digits = labels != NOT_A_DIGIT
    assert 0.3 < digits.mean() < 0.7
    right = (probabilities.argmax(axis=1) == labels)[digits].mean()
    confidence = probabilities.max(axis=1)
    assert 0.9 <= right < 1, "perfect would mean that the parts teach nothing"
    assert auroc(confidence[digits], confidence[~digits]) >= 0.95
