"""MNIST's frame: what goes in as MNIST comes out as MNIST, and every pen comes out as one of MNIST's."""

import numpy as np
import pytest
from pictures import HAND, draw_digit, find_ink
from scipy import ndimage

from digits.errors import DataError
from digits.normalise import normalise, pen_width
from digits.training.data import load_mnist


def _tight(ink):
    rows, columns = np.nonzero(ink > 0.08)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _normalised(label, **pose):
    return normalise(_tight(find_ink(draw_digit(label, **pose)).ink))


@pytest.mark.parametrize("label", HAND)
def test_normalise_fits_the_digit_and_centres_its_mass(label):
    image = _normalised(label)
    rows, columns = np.nonzero(image > 0.3)
    assert image.shape == (28, 28) and image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1
    assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
    assert np.abs(np.array(ndimage.center_of_mass(image)) - 14).max() <= 0.7


@pytest.mark.parametrize("label", HAND)
def test_normalise_gives_nearly_the_same_image_for_any_size_and_pen(label):
    usual = _normalised(label, size=200, pen=16)
    for size, pen in ((60, 5), (280, 22), (280, 3), (200, 34)):
        other = _normalised(label, size=size, pen=pen)
        assert np.corrcoef(usual.ravel(), other.ravel())[0, 1] > 0.6, (size, pen)


def test_normalise_keeps_the_aspect_ratio():
    tall = np.pad(np.ones((100, 20), np.float32), 2)
    rows, columns = np.nonzero(normalise(tall) > 0.5)
    assert 4 <= (np.ptp(rows) + 1) / (np.ptp(columns) + 1) <= 6


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 2)])
def test_normalise_takes_the_smallest_and_the_thinnest(shape):
    image = normalise(np.ones(shape, np.float32))
    assert image.shape == (28, 28) and np.isfinite(image).all() and image.max() > 0.3


@pytest.mark.parametrize("pen", [8, 12, 20, 30])
def test_pen_width_measures_the_pen(pen):
    assert pen_width(find_ink(draw_digit(2, pen=pen)).ink) == pytest.approx(pen, rel=0.15, abs=1)


def test_normalise_leaves_mnist_nearly_as_it_is():
    try:
        images = load_mnist().validation.images[:300].astype(np.float32) / 255
    except DataError as error:
        pytest.skip(str(error))
    alike = [np.corrcoef(normalise(_tight(image)).ravel(), image.ravel())[0, 1] for image in images]
    assert np.mean(alike) > 0.97 and np.mean(np.array(alike) > 0.999) > 0.8
