"""Batches: what a network is trained on, as Keras takes it."""

import numpy as np
import pytest

from digits.training.batches import Pictures, as_batch
from digits.training.data import load_mnist
from digits.training.recipe import PRESETS


def test_a_teachers_answers_are_softened_but_keep_their_order():
    answers = np.array([[0.9, 0.09, 0.01, *[0.0] * 7]], np.float32)
    _, (which, is_digit), weights = as_batch(np.zeros((1, 28, 28), np.float32), np.array([3]), lambda _: answers)
    assert which.sum() == pytest.approx(1) and (np.argsort(-which[0], kind="stable") == range(10)).all()
    assert 0.3 < which[0, 0] < 0.9 and which[0, 1] > 0.09
    assert is_digit[0] == weights[0] == weights[1] == 1


def test_a_pass_is_the_same_whether_it_is_reached_or_resumed_at():
    recipe = PRESETS["quick"].limited(64)
    pictures = Pictures(recipe, load_mnist().train.first(64), seed=3)
    steps = pictures.steps(recipe)
    reached, resumed = pictures.batches(recipe, 0), pictures.batches(recipe, 1)
    for _ in range(steps):
        next(reached)
    for _ in range(steps):
        (images, targets, _), (same_images, same_targets, _) = next(reached), next(resumed)
        assert np.array_equal(images, same_images)
        assert np.array_equal(targets[0], same_targets[0])
