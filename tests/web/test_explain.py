"""Explain: occlusion against a network whose reasons are known."""

import numpy as np
import pytest

from digits.web.explain import AGAINST, FOR, occlusion_map, paint_map


class Linear:
    """Probability of label 1 = the sum of weights x image: what covering a pixel takes away is known exactly."""

    def __init__(self, weights):
        self.weights = weights

    def classify(self, images):
        return np.eye(10, dtype=np.float32)[1] * (images[..., 0] * self.weights).sum((1, 2))[:, None]


def test_occlusion_map_finds_the_pixels_that_decide():
    weights = np.zeros((28, 28), np.float32)
    weights[10, 10], weights[20, 6] = 0.8, -0.4
    image = np.full((28, 28), 0.5, np.float32)
    influence = occlusion_map(Linear(weights), image, 1)
    assert influence[10, 10] == pytest.approx(0.4)
    assert influence[20, 6] == pytest.approx(-0.2)
    assert influence[2, 24] == 0


def test_occlusion_map_of_an_empty_image_is_zero():
    empty = np.zeros((28, 28), np.float32)
    assert not occlusion_map(Linear(np.ones((28, 28))), empty, 1).any()


def test_paint_map_colours_what_speaks_for_and_against():
    influence = np.zeros((28, 28), np.float32)
    influence[5, 5], influence[9, 9] = 0.2, -0.2
    painted = np.asarray(paint_map(np.zeros((28, 28), np.float32), influence), int)
    assert (painted[0, 0] == 255).all()
    assert np.argmin(painted[5, 5]) == np.argmin(FOR)
    assert np.argmin(painted[9, 9]) == np.argmin(AGAINST)
