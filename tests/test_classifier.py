"""The files in the repository, as they are: what they read of MNIST's test set, and that they answer alike."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from digits.classifier import SHIPPED_MODEL, Classifier
from digits.training.data import load_mnist
from digits.training.evaluate import score, to_input

ROOT = Path(__file__).resolve().parents[1]
TINY_MODEL = ROOT / "model-tiny.onnx"


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def scores_of(mnist):
    """Scores of a model file on the whole test set; each file is asked once."""
    return cache(lambda model: score(Classifier(model).classify(to_input(mnist.test.images)), mnist.test.labels))


@pytest.mark.parametrize(("model", "least"), [(SHIPPED_MODEL, 0.995), (TINY_MODEL, 0.99)], ids=["shipped", "tiny"])
def test_a_shipped_model_reads_the_whole_test_set_well_but_not_perfectly(model, least, scores_of):
    scores = scores_of(model)
    assert scores.count == 10_000
    assert least <= scores.accuracy < 0.9995, "a perfect score means a leak"
    assert scores.ece < 0.01


def test_the_shipped_model_reads_as_many_as_was_published(scores_of):
    published = json.loads((ROOT / "docs" / "evaluation" / "evaluation.json").read_text())["scores"]["correct"]
    assert abs(scores_of(SHIPPED_MODEL).correct - published) <= 1  # another processor may round otherwise


@pytest.mark.parametrize(("keras", "onnx"), [("model.h5", SHIPPED_MODEL), ("model-tiny.h5", TINY_MODEL)])
def test_both_files_of_a_model_answer_alike(keras, onnx, mnist):
    images = to_input(mnist.validation.images[:1000])
    assert np.abs(Classifier(ROOT / keras).classify(images) - Classifier(onnx).classify(images)).max() < 1e-5


def test_the_tiny_model_is_tiny_and_learned_from_the_shipped_one():
    record = json.loads((ROOT / "model-tiny.json").read_text())
    assert record["parameters"] <= 10_000
    assert record["model_sha256"]["model-tiny.onnx"] == Classifier(TINY_MODEL).digest
    assert record["teacher_sha256"] == Classifier().digest
