"""Metrics: how right the answers are, and how honest the percentages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 15  # of the reliability diagram and the calibration error, as in Guo et al. 2017, arXiv:1706.04599


@dataclass(frozen=True)
class Bin:
    """A bar of a reliability diagram. low, high: range of confidence; confidence, accuracy: means of its answers."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def wilson_interval(successes: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share, both ends in [0, 1]; 95 % for z = 1.96.

    Source: E. B. Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    share, spread = successes / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def reliability(confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> list[Bin]:
    """The answers sorted into bins of equal width by confidence, empty ones left out.

    confidence: (n,) in [0, 1]; correct: (n,) bool.
    """
    edges = np.linspace(0, 1, bins + 1)
    index = np.clip(np.digitize(confidence, edges[1:-1], right=True), 0, bins - 1)
    full = [(number, index == number) for number in range(bins) if (index == number).any()]
    return [
        Bin(
            low=float(edges[number]),
            high=float(edges[number + 1]),
            count=int(inside.sum()),
            confidence=float(confidence[inside].mean(dtype=np.float64)),
            accuracy=float(correct[inside].mean()),
        )
        for number, inside in full
    ]


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over the bins of `reliability`, weighted by their counts; in [0, 1]."""
    gaps = [bar.count * abs(bar.confidence - bar.accuracy) for bar in reliability(confidence, correct, bins)]
    return float(sum(gaps) / len(confidence))


def negative_log_likelihood(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of -log(probability of the right label), in nats. probabilities: (n, 10); labels: (n,)."""
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(right, 1e-12)).mean())


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared distance between the ten probabilities and the one-hot label, in [0, 2]; Brier 1950."""
    return float(((probabilities.astype(np.float64) - np.eye(10)[labels]) ** 2).sum(axis=1).mean())


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(10, 10) int64: how often the digit of the row was read as the digit of the column."""
    return np.bincount(labels.astype(np.int64) * 10 + predicted, minlength=100).reshape(10, 10)


def auroc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive scores higher than a negative, a tie counting half."""
    order = np.sort(negatives)
    below = np.searchsorted(order, positives, side="left")
    ties = np.searchsorted(order, positives, side="right") - below
    return float((below + ties / 2).mean() / len(negatives))


def kept_when_rejecting(positives: np.ndarray, negatives: np.ndarray, rejected: float = 0.9) -> float:
    """Share of the positives above the threshold that turns away the share `rejected` of the negatives."""
    return float((positives > np.quantile(negatives, rejected)).mean())
