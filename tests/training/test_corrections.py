"""Corrections, with the real model and real MNIST: a hand that it cannot read, and labels that are wrong."""

import dataclasses
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits import FlagsError, ModelError
from digits.classifier import Classifier
from digits.flags import FlagStore
from digits.models import ModelHistory
from digits.recognition import Digit, Recognition
from digits.training import corrections
from digits.training.augment import NOT_A_DIGIT
from digits.training.data import load_mnist

MODEL = Path(__file__).parents[2] / "model.h5"


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A copy of the trained model, served as mine.onnx; less rehearsal and validation keep the test short."""
    mnist = load_mnist()
    less = dataclasses.replace(mnist, validation=mnist.validation.first(1_000))
    monkeypatch.setattr(corrections, "load_mnist", lambda folder: less)
    monkeypatch.setattr(corrections, "REHEARSED", 1_000)
    monkeypatch.setattr(corrections, "LOOKED_THROUGH", 1_000)
    shutil.copy(MODEL, tmp_path / "mine.h5")
    shutil.copy(MODEL.parent / "digits" / "model.onnx", tmp_path / "mine.onnx")
    return tmp_path / "mine.h5"


@pytest.fixture
def store(tmp_path):
    return FlagStore(tmp_path / "flagged")


def png(image):
    file = io.BytesIO()
    Image.fromarray(255 - image).save(file, "PNG")
    return file.getvalue()


def flag(store, images, label, classifier=None):
    """Flag one picture that holds these digits."""
    probabilities = classifier.classify(as_input(images)) if classifier else np.eye(10, dtype=np.float32)[: len(images)]
    digits = tuple(Digit(row, (0, 0, 28, 28), image) for row, image in zip(probabilities, images, strict=True))
    return store.add(png(np.hstack(images)), Recognition(digits), label, "0" * 64)


def as_input(images):
    return np.stack(images)[..., None].astype(np.float32) / 255


def count_right(model, split):
    probabilities = Classifier(model.with_suffix(".onnx")).classify(as_input(split.images))
    return int(((probabilities.argmax(axis=1) == split.labels) & (probabilities.sum(axis=1) >= 0.5)).sum())


def lying_ones(count, rng):
    """A hand that writes its 1 as a lying bar."""
    images = np.zeros((count, 28, 28), np.uint8)
    for image in images:
        top, left = rng.integers(12, 15), rng.integers(4, 7)
        image[top : top + rng.integers(2, 4), left : left + rng.integers(16, 19)] = 255
    return images


def test_improve_learns_a_strange_hand_and_a_running_program_takes_it_up(model, store, capsys):
    running = Classifier(model.with_suffix(".onnx"))
    images = lying_ones(32, np.random.default_rng(0))
    for image in images[:20]:
        flag(store, [image], "1", running)
    assert (running.classify(as_input(images)).argmax(axis=1) != 1).mean() > 0.5

    improvement = corrections.improve(store.folder, model)

    assert all(condition.passed for condition in improvement.conditions), capsys.readouterr().out
    assert (running.classify(as_input(images[20:])).argmax(axis=1) == 1).mean() > 0.9
    history = ModelHistory(model.parent / "models", model.with_suffix(".onnx"), model)
    assert [kept.in_service for kept in history.models()] == [True, False]
    assert history.models()[0].id == improvement.model_id
    np.testing.assert_allclose(
        Classifier(model).classify(as_input(images)), running.classify(as_input(images)), atol=1e-5
    )


def test_improve_leaves_the_model_alone_when_a_condition_fails(model, store, monkeypatch, capsys):
    monkeypatch.setattr(corrections, "MNIST_MAY_FALL", -1.0)  # MNIST would have to rise by 100 points
    for image in lying_ones(4, np.random.default_rng(0)):
        flag(store, [image], "1")
    before = model.read_bytes(), model.with_suffix(".onnx").read_bytes()

    improvement = corrections.improve(store.folder, model)

    assert improvement.model_id is None
    assert (model.read_bytes(), model.with_suffix(".onnx").read_bytes()) == before
    assert improvement.candidate is not None and improvement.candidate.exists()
    assert "Failed: MNIST validation" in capsys.readouterr().out


def test_improve_with_wrong_labels_does_not_make_mnist_worse(model, store):
    mnist = load_mnist()
    before = count_right(model, mnist.validation.first(1_000))
    for image in mnist.train.images[mnist.train.labels == 3][:30]:
        flag(store, [image], "8")

    corrections.improve(store.folder, model)

    assert count_right(model, mnist.validation.first(1_000)) >= before


def test_improve_says_what_is_missing(model, store):
    with pytest.raises(FlagsError, match="At least two labelled pictures"):
        corrections.improve(store.folder, model)
    for image in lying_ones(2, np.random.default_rng(0)):
        flag(store, [image], "1")
    with pytest.raises(ModelError, match="No model"):
        corrections.improve(store.folder, model.with_name("none.h5"))


def test_labelled_digits_pairs_digits_with_labels_only_where_their_number_agrees(store):
    images = list(np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8))
    flag(store, images[:2], "40")
    flag(store, images[2:4], "123")  # three digits, two found
    flag(store, images[4:], "")
    flag(store, images[3:], None)

    samples = corrections.labelled_digits(store.flags())

    assert sorted(zip(samples.images[:, 0, 0], samples.labels, strict=True)) == [(0, 4), (1, 0), (4, NOT_A_DIGIT)]


def test_labelled_digits_takes_the_newer_of_two_labels(store):
    image = np.full((28, 28), 9, np.uint8)
    flag(store, [image], "1")
    flag(store, [image], "7")

    assert corrections.labelled_digits(store.flags()).labels.tolist() == [7]
