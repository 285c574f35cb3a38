"""Evaluate: what a model is worth, measured on MNIST's test set and on what can happen to a picture.

The only place where the test set is read. It needs no training framework: a model.onnx is run by ONNX Runtime.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from digits import __version__
from digits.classifier import Classifier
from digits.errors import ModelError
from digits.recognition import Digit
from digits.training import report
from digits.training.corruptions import CORRUPTIONS, corrupt
from digits.training.data import Split, load_mnist
from digits.training.metrics import (
    Bin,
    brier_score,
    confusion_matrix,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
    wilson_interval,
)
from digits.training.progress import tracked

Classify = Callable[[np.ndarray], np.ndarray]
"""(n, 28, 28, 1) float32 in [0, 1] -> (n, 10) float32, rows summing to the probability of a digit."""

WORST = 60  # wrong answers that are shown
PART = 1024  # pictures that are read before progress is told
DISPUTED = frozenset([947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729])
"""Test pictures whose label five readers voted wrong: Northcutt et al. 2021, arXiv:2103.14749 (labelerrors.com)."""


@dataclass(frozen=True)
class Scores:
    """Answers on labelled pictures of digits. Shares and probabilities are in [0, 1].

    interval: 95 % Wilson interval of the accuracy.
    ece, nll, brier: of the probabilities as shown to users, which include that this is a digit at all.
    ece_of_labels, nll_of_labels: of the ten probabilities given that this is a digit, as the literature counts.
    """

    count: int
    correct: int
    accuracy: float
    interval: tuple[float, float]
    ece: float
    nll: float
    brier: float
    ece_of_labels: float
    nll_of_labels: float


@dataclass(frozen=True)
class LabelScores:
    """One digit. recall: share of its pictures that were read; precision: share of its answers that were right."""

    label: int
    count: int
    wrong: int
    recall: float
    precision: float


@dataclass(frozen=True)
class VerdictScores:
    """The answers with one verdict: how many, and the share of right labels among them."""

    verdict: str
    count: int
    accuracy: float


@dataclass(frozen=True)
class Mistake:
    """A wrong answer. picture: PNG as a data URI; disputed: the label itself is probably wrong."""

    index: int
    label: int
    read: int
    confidence: float
    disputed: bool
    picture: str


@dataclass(frozen=True)
class Corrupted:
    """The accuracy under one corruption. picture: a few corrupted digits, PNG as a data URI."""

    name: str
    accuracy: float
    picture: str


@dataclass(frozen=True)
class Latency:
    """Time of Classifier.classify on one core. single_ms: (first quartile, median, third quartile) for one picture."""

    single_ms: tuple[float, float, float]
    batch: int
    per_second: float


@dataclass(frozen=True)
class Evaluation:
    """All that an evaluation found; `asdict` of it is what the templates and evaluation.json hold."""

    model: str
    digest: str
    bytes: int
    scores: Scores
    labels: list[LabelScores]
    confusion: list[list[int]]
    verdicts: list[VerdictScores]
    reliability: list[Bin]
    mistakes: list[Mistake]
    corruptions: list[Corrupted]
    corrupted_accuracy: float
    latency: Latency
    machine: str
    versions: dict[str, str]


def evaluate(
    model: Path | None = None, data: Path | None = None, out: Path | None = None, limit: int | None = None
) -> str:
    """Evaluate a model on MNIST's test set and return the report as Markdown.

    model: .onnx or .h5, the shipped model if None; data: a folder with MNIST, else as in load_mnist.
    out: a folder for evaluation.md, evaluation.html (one page, nothing outside it) and evaluation.json.
    limit: only the first pictures of the test set.
    Raises ModelError and DataError.
    """
    evaluation = asdict(measure(Classifier(model), load_mnist(data).test.first(limit)))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "evaluation.json").write_text(json.dumps(evaluation, indent=1) + "\n", encoding="utf-8")
        (out / "evaluation.html").write_text(report.html(evaluation), encoding="utf-8")
        (out / "evaluation.md").write_text(report.markdown(evaluation), encoding="utf-8")
    return report.markdown(evaluation)


def measure(classifier: Classifier, test: Split) -> Evaluation:
    """Everything that is known about a model after it has seen these pictures.

    Raises ModelError if the file is replaced meanwhile: the figures would be those of two models.
    """
    digest = classifier.digest
    parts = [test.images[start : start + PART] for start in range(0, len(test), PART)]
    read = tracked(parts, "The pictures as they are", len(parts))
    probabilities = np.concatenate([classifier.classify(to_input(part)) for part in read])
    confusion = confusion_matrix(test.labels, probabilities.argmax(axis=1))
    correct = probabilities.argmax(axis=1) == test.labels
    corruptions = measure_corruptions(classifier.classify, test)
    latency = measure_latency(classifier.classify, to_input(test.images))
    if classifier.digest != digest:
        raise ModelError(f"{classifier.path.name} was replaced while it was evaluated. Evaluate it again.")
    return Evaluation(
        model=classifier.path.name,
        digest=digest,
        bytes=classifier.path.stat().st_size,
        scores=score(probabilities, test.labels),
        labels=[_score_label(confusion, label) for label in range(10)],
        confusion=confusion.tolist(),
        verdicts=_score_verdicts(probabilities, test),
        reliability=reliability(probabilities.max(axis=1), correct),
        mistakes=find_mistakes(probabilities, test),
        corruptions=corruptions,
        corrupted_accuracy=float(np.mean([corrupted.accuracy for corrupted in corruptions])),
        latency=latency,
        machine=describe_machine(),
        versions=_versions(),
    )


def to_input(images: np.ndarray) -> np.ndarray:
    """(n, 28, 28) uint8 as the network takes it: (n, 28, 28, 1) float32 in [0, 1]."""
    return images[..., None].astype(np.float32) / 255


def score(probabilities: np.ndarray, labels: np.ndarray) -> Scores:
    """Accuracy and calibration. probabilities: (n, 10), rows summing to the probability of a digit; labels: (n,)."""
    correct = probabilities.argmax(axis=1) == labels
    given_digit = probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    return Scores(
        count=len(labels),
        correct=int(correct.sum()),
        accuracy=float(correct.mean()),
        interval=wilson_interval(int(correct.sum()), len(labels)),
        ece=expected_calibration_error(probabilities.max(axis=1), correct),
        nll=negative_log_likelihood(probabilities, labels),
        brier=brier_score(probabilities, labels),
        ece_of_labels=expected_calibration_error(given_digit.max(axis=1), correct),
        nll_of_labels=negative_log_likelihood(given_digit, labels),
    )


def find_mistakes(probabilities: np.ndarray, test: Split, count: int = WORST) -> list[Mistake]:
    """The wrong answers that were most confident, worst first."""
    read, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(read != test.labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return [
        Mistake(
            index=int(index),
            label=int(test.labels[index]),
            read=int(read[index]),
            confidence=float(confidence[index]),
            disputed=int(index) in DISPUTED,
            picture=png(255 - test.images[index]),
        )
        for index in worst
    ]


def measure_corruptions(classify: Classify, test: Split, seed: int = 0) -> list[Corrupted]:
    """The accuracy under each of the 15 corruptions of MNIST-C."""
    names = tracked(CORRUPTIONS, "The corrupted ones", len(CORRUPTIONS))
    return [_measure_corruption(classify, test, name, seed) for name in names]


def measure_latency(classify: Classify, images: np.ndarray, singles: int = 500, batch: int = 256) -> Latency:
    """Time one picture after the other, and then batches, each for the best of five repetitions."""
    for image in images[:50]:
        classify(image[None])
    times = [_seconds(classify, images[index % len(images)][None]) * 1000 for index in range(singles)]
    many = np.resize(images, (batch, 28, 28, 1))
    first, median, third = np.percentile(times, [25, 50, 75])
    return Latency(
        single_ms=(float(first), float(median), float(third)),
        batch=batch,
        per_second=batch / min(_seconds(classify, many) for _ in range(5)),
    )


def describe_machine() -> str:
    """Cores, processor, operating system."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {processor}, {platform.system()}"


def png(image: np.ndarray) -> str:
    """A grey or BGR uint8 image as a data URI."""
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()


def _measure_corruption(classify: Classify, test: Split, name: str, seed: int) -> Corrupted:
    images = corrupt(test.images, name, seed)
    correct = classify(to_input(images)).argmax(axis=1) == test.labels
    return Corrupted(name, float(correct.mean()), png(np.hstack(list(images[:10]))))


def _score_label(confusion: np.ndarray, label: int) -> LabelScores:
    count, read, right = confusion[label].sum(), confusion[:, label].sum(), confusion[label, label]
    return LabelScores(
        label=label,
        count=int(count),
        wrong=int(count - right),
        recall=float(right / max(count, 1)),
        precision=float(right / max(read, 1)),
    )


def _score_verdicts(probabilities: np.ndarray, test: Split) -> list[VerdictScores]:
    answers = zip(probabilities, test.images, strict=True)
    verdicts = np.array([Digit(row, (0, 0, 28, 28), image).verdict for row, image in answers])
    correct = probabilities.argmax(axis=1) == test.labels
    return [
        VerdictScores(verdict, int(chosen.sum()), float(correct[chosen].mean()))
        for verdict in ("sure", "unsure", "not a digit")
        if (chosen := verdicts == verdict).any()
    ]


def _seconds(classify: Classify, images: np.ndarray) -> float:
    start = time.perf_counter()
    classify(images)
    return time.perf_counter() - start


def _versions() -> dict[str, Any]:
    return {
        "digits": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "OpenCV": cv2.__version__,
        "ONNX Runtime": onnxruntime.__version__,
    }
