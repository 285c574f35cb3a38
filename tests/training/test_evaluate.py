import json
import re

import numpy as np
import pytest
from scipy.stats import binomtest, mannwhitneyu

from digits.classifier import SHIPPED_MODEL, Classifier
from digits.errors import ModelError
from digits.training.data import Split, load_mnist
from digits.training.evaluate import evaluate, find_mistakes, measure, measure_corruptions, score
from digits.training.metrics import (
    auroc,
    brier_score,
    confusion_matrix,
    expected_calibration_error,
    kept_when_rejecting,
    negative_log_likelihood,
    reliability,
    wilson_interval,
)


@pytest.mark.parametrize(("successes", "count"), [(9970, 10_000), (0, 20), (20, 20), (7, 10)])
def test_wilson_interval_agrees_with_scipy(successes, count):
    expected = binomtest(successes, count).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, count) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_expected_calibration_error_is_near_zero_when_percentages_are_kept():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 200_000)
    correct = rng.random(200_000) < confidence
    assert expected_calibration_error(confidence, correct) < 0.01


def test_expected_calibration_error_is_the_gap_when_every_answer_boasts():
    correct = np.arange(1000) % 10 < 7
    assert expected_calibration_error(np.full(1000, 0.95), correct) == pytest.approx(0.25)


def test_expected_calibration_error_weighs_bins_by_their_counts():
    confidence = np.array([0.99] * 90 + [0.5] * 10)
    correct = np.array([True] * 90 + [False] * 10)
    assert expected_calibration_error(confidence, correct) == pytest.approx(0.9 * 0.01 + 0.1 * 0.5)


def test_reliability_puts_full_confidence_into_the_last_bin_and_zero_into_the_first():
    first, last = reliability(np.array([0.0, 1.0, 1.0]), np.array([False, True, True]))
    assert (first.low, first.count) == (0.0, 1)
    assert (last.high, last.count, last.accuracy) == (1.0, 2, 1.0)


def test_negative_log_likelihood_and_brier_of_known_answers():
    probabilities = np.zeros((2, 10), np.float32)
    probabilities[0, 3], probabilities[1, 5], probabilities[1, 6] = 1, 0.25, 0.75
    labels = np.array([3, 5], np.uint8)
    assert negative_log_likelihood(probabilities, labels) == pytest.approx(np.log(4) / 2)
    assert brier_score(probabilities, labels) == pytest.approx((0.75**2 + 0.75**2) / 2)


def test_negative_log_likelihood_stays_finite_when_the_right_label_had_no_chance():
    assert np.isfinite(negative_log_likelihood(np.eye(10, dtype=np.float32)[[1]], np.array([2])))


def test_auroc_agrees_with_scipy_ties_included():
    rng = np.random.default_rng(1)
    positives, negatives = rng.integers(3, 12, 300), rng.integers(0, 9, 200)
    statistic = mannwhitneyu(positives, negatives).statistic
    assert auroc(positives, negatives) == pytest.approx(statistic / (300 * 200))


def test_kept_when_rejecting_counts_what_lies_above_nine_tenths_of_the_rest():
    assert kept_when_rejecting(np.array([0.5, 0.95, 0.99]), np.arange(101) / 100) == pytest.approx(2 / 3)


def test_confusion_matrix_has_the_right_digit_in_its_rows():
    matrix = confusion_matrix(np.array([4, 4, 9], np.uint8), np.array([4, 9, 9]))
    assert (matrix[4, 4], matrix[4, 9], matrix[9, 9], matrix.sum()) == (1, 1, 1, 3)


def test_score_separates_the_label_from_being_a_digit():
    labels = np.arange(10).repeat(10)
    half_a_digit = np.eye(10, dtype=np.float32)[labels] / 2
    scores = score(half_a_digit, labels)
    assert scores.accuracy == 1
    assert (scores.ece, scores.ece_of_labels) == (pytest.approx(0.5), pytest.approx(0))
    assert (scores.nll, scores.nll_of_labels) == (pytest.approx(np.log(2)), pytest.approx(0))


def test_find_mistakes_puts_the_most_confident_first():
    probabilities = np.zeros((3, 10), np.float32)
    probabilities[[0, 1, 2], [1, 2, 3]] = 0.6, 0.9, 0.99
    pictures = Split(np.zeros((3, 28, 28), np.uint8), np.array([0, 0, 3], np.uint8))
    assert [mistake.index for mistake in find_mistakes(probabilities, pictures)] == [1, 0]


def test_measure_corruptions_gives_one_accuracy_for_each():
    pictures = Split(np.zeros((20, 28, 28), np.uint8), np.full(20, 7, np.uint8))
    seven = np.eye(10, dtype=np.float32)[7]
    corruptions = measure_corruptions(lambda images: np.tile(seven, (len(images), 1)), pictures)
    assert [corrupted.accuracy for corrupted in corruptions] == [1.0] * 15


@pytest.mark.skipif(not SHIPPED_MODEL.is_file(), reason="no model.onnx yet")
def test_measure_refuses_figures_of_two_models(tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(SHIPPED_MODEL.read_bytes())
    classifier = Classifier(model)
    answer = classifier.classify

    def classify_and_replace(images):
        model.write_bytes(SHIPPED_MODEL.read_bytes() + b"\n\0")  # a field that ONNX skips: another file, as good
        return answer(images)

    classifier.classify = classify_and_replace
    with pytest.raises(ModelError, match="replaced"):
        measure(classifier, load_mnist().validation.first(20))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    if not SHIPPED_MODEL.is_file():
        pytest.skip("no model.onnx yet")
    folder = tmp_path_factory.mktemp("evaluation")
    return evaluate(out=folder, limit=400), folder


def test_evaluate_reports_what_the_shipped_model_does_on_the_test_set(report):
    markdown, folder = report
    evaluation = json.loads((folder / "evaluation.json").read_text())
    test = load_mnist().test.first(400)
    right = (Classifier().classify(test.images[..., None] / np.float32(255)).argmax(axis=1) == test.labels).sum()
    assert evaluation["scores"]["correct"] == right
    assert np.trace(evaluation["confusion"]) == right
    assert f"| accuracy | **{right / 4:.2f} %**" in markdown
    assert sum(bar["count"] for bar in evaluation["reliability"]) == 400


def test_evaluate_writes_a_page_that_needs_nothing_else(report):
    page = (report[1] / "evaluation.html").read_text()
    assert "<svg" in page
    assert "data:image/png;base64," in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "url(" not in page
    assert "<script" not in page
