"""Tests of the synthetic handwriting: what is drawn, and whether it can be read."""

from __future__ import annotations

import numpy as np
import pytest

from digits.classifier import Classifier
from digits.training.augment import NOT_A_DIGIT
from digits.training.glyphs import DIGITS, SIGNS
from digits.training.metrics import auroc
from digits.training.strokes import NO_DIGITS, _mix, draw, synthesise, write

LABELS = (*range(10), NOT_A_DIGIT)


def test_synthesise_draws_the_same_for_the_same_seed_and_other_things_for_another():
    images, labels = synthesise(50, seed=3, not_a_digit=0.3)
    again, labels_again = synthesise(50, seed=3, not_a_digit=0.3)
    other, _ = synthesise(50, seed=4, not_a_digit=0.3)
    assert np.array_equal(images, again) and np.array_equal(labels, labels_again)
    assert not np.array_equal(images, other)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1.0, 300), (0.4, 120)])
def test_synthesise_keeps_to_the_share_of_pictures_without_a_digit(share, expected):
    _, labels = synthesise(300, seed=1, not_a_digit=share)
    assert abs(int((labels == NOT_A_DIGIT).sum()) - expected) <= 30 * (0 < share < 1)


def test_synthesise_centres_every_picture_as_mnist_does():
    images, _ = synthesise(100, seed=2, not_a_digit=0.3)
    assert images.shape == (100, 28, 28) and images.dtype == np.uint8
    weights = images / images.sum(axis=(1, 2), keepdims=True)
    rows = (weights.sum(axis=2) * np.arange(28)).sum(axis=1)
    columns = (weights.sum(axis=1) * np.arange(28)).sum(axis=1)
    assert np.abs(rows - 13.5).max() <= 1.01 and np.abs(columns - 13.5).max() <= 1.01  # of whole pixels


@pytest.mark.parametrize("label", LABELS)
def test_draw_fills_its_frame_with_ink_from_edge_to_edge(label):
    rng = np.random.default_rng(label)
    for ink in (draw(label, rng) for _ in range(30)):
        assert ink.dtype == np.float32 and ink.min() >= 0 and 0.5 < ink.max() <= 1
        assert all(edge.max() > 0.2 for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def test_draw_uses_hair_thin_and_thick_pens():
    rng = np.random.default_rng(5)
    inked = [float(draw(8, rng).mean()) for _ in range(200)]
    assert min(inked) < 0.12 and max(inked) > 0.45


@pytest.mark.parametrize("kind", NO_DIGITS, ids=lambda kind: kind.__name__.strip("_"))
def test_draw_never_leaves_a_sign_empty(kind):
    rng = np.random.default_rng(6)
    assert all(kind(rng).sum() > 3 for _ in range(100))


def test_write_follows_every_form_and_bends_it_each_time():
    rng = np.random.default_rng(7)
    for form in [form for forms in DIGITS.values() for form in forms] + list(SIGNS):
        first, second = write(form, rng), write(form, rng)
        assert len(first) == len(second) == form.count(";") + 1
        assert not np.allclose(first[0], second[0])


def test_a_form_has_something_of_another_one_only_if_that_is_drawn_alike():
    strokes, near, far = ([np.array([[0.0, y], [50, y], [100, y]])] for y in (40, 50, 90))
    (mixed,) = _mix(strokes, near, 0.4)
    assert mixed[:, 1] == pytest.approx(44) and np.ptp(mixed[:, 0]) == 100
    assert _mix(strokes, far, 0.4) is strokes and _mix(strokes, near * 2, 0.4) is strokes


def test_drawn_digits_are_read_and_signs_are_doubted_by_the_shipped_model():
    images, labels = synthesise(600, seed=11, not_a_digit=0.4)
    probabilities = Classifier().classify(images[..., None].astype(np.float32) / 255)
    digits = labels != NOT_A_DIGIT
    right = (probabilities.argmax(axis=1) == labels)[digits].mean()
    confidence = probabilities.max(axis=1)
    assert 0.95 <= right < 1, "perfect would mean that the drawings teach nothing"
    assert auroc(confidence[digits], confidence[~digits]) >= 0.97
