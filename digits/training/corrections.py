"""Corrections: the model learns from labelled flags, and is replaced only if it got no worse.

What is learned is the last layer. It makes a handful of corrections go far, it is a convex problem (the same flags give
the same model), and it takes seconds, because what the layers before it answer is computed once.

All corrections together weigh twice as much as the rehearsal, however few they are, so the new layer may go far. Three
things keep the model from forgetting what it knew: rehearsal on MNIST, most of all on what it is least sure of, and on
synthetic drawings, with the model's own answers as targets (Li & Hoiem 2016, "Learning without Forgetting",
arXiv:1606.09282); the step towards the new layer, which is
the longest that MNIST's validation split allows (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models",
arXiv:2109.01903); and the gate.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from digits.errors import FlagsError
from digits.flags import Flag, FlagStore
from digits.models import ModelHistory, served_file
from digits.recognition import NOT_A_DIGIT_BELOW
from digits.training.augment import NOT_A_DIGIT, augment, bend, no_digit
from digits.training.data import Mnist, Split, load_mnist
from digits.training.evaluate import to_input
from digits.training.export import export_onnx
from digits.training.metrics import expected_calibration_error
from digits.training.network import ANSWERS, load_calibrated_network
from digits.training.strokes import synthesise

MNIST_MAY_FALL = 0.0005  # share of the validation split: 0.05 points
CALIBRATION_BAR = 0.005  # expected calibration error on the validation split
CALIBRATION_SLACK = 0.002  # or so much above what it was: 2,000 pictures do not tell it more exactly
FOLDS = 4

REHEARSED = 4_000  # MNIST pictures that are rehearsed, as they are and once more augmented
LOOKED_THROUGH = 20_000  # MNIST pictures, of which those that are easiest to forget are rehearsed as well
HARDEST, HARDEST_COUNT = 500, 3  # so many of them, each as often
COPIES = 10  # of each correction, bent as the same hand would write it another time
CORRECTIONS_WEIGHT = 2.0  # of all corrections together; all of the rehearsal weighs 1
PULL = 1e-3  # how strongly each weight is held where it was
ITERATIONS = 40
STEPS = np.linspace(1, 0.05, 20)  # shares of the way from the old last layer to the new one, longest first

Report = Callable[[float, str], None]
"""Told how much is done, in [0, 1], and what comes now."""

PROBABILITIES = slice(0, 10)  # columns of the head: ten labels, and whether it is a digit
IS_DIGIT = 10


@dataclass(frozen=True)
class Samples:
    """Labelled digits.

    images: (n, 28, 28) uint8, ink = 255; labels: (n,) int, 0..9 or NOT_A_DIGIT; pictures: (n,) int, the flag, from 0.
    """

    images: np.ndarray
    labels: np.ndarray
    pictures: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Condition:
    """One condition of the gate: a figure before and after, and whether the change may pass."""

    name: str
    before: float
    after: float
    passed: bool
    rule: str

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "FAILED"
        return f"{self.name:<38} {self.before:9.4f} {self.after:9.4f}   {verdict}: {self.rule}"


@dataclass(frozen=True)
class Improvement:
    """What came of it. model_id: of the promoted model, or None; candidate: the file that is kept if there is none."""

    conditions: tuple[Condition, ...]
    model_id: str | None
    candidate: Path | None


def _untold(done: float, step: str) -> None:
    pass


def improve(
    flags: str | Path,
    model: str | Path = "model.h5",
    data: str | Path | None = None,
    seed: int = 1,
    report: Report = _untold,
) -> Improvement:
    """Learn from the labelled flags of a folder, and put the new model in service if it passes the gate.

    flags: folder of a FlagStore. model: the .h5 that is improved, and whose .onnx is served. data: as in load_mnist.
    report: told how far it is.
    Prints what was measured. Raises FlagsError if fewer than two pictures can be learned from, ModelError, DataError.
    """
    started, model = time.monotonic(), Path(model)
    samples = labelled_digits(FlagStore(flags).flags())
    if len(set(samples.pictures)) < 2:
        raise FlagsError(
            f"At least two labelled pictures are needed to learn from and to check. {flags} holds "
            f"{len(set(samples.pictures))} whose label has as many digits as were found."
        )
    learner = Learner(model, load_mnist(data), seed, report)
    conditions = learner.improve(samples)
    report(0.95, "Saving")
    candidate = learner.save(model.with_name(f"{model.stem}.candidate.h5"))
    print(f"Learned from {len(samples)} digits in {time.monotonic() - started:.0f} s.")
    print(f"{'':<38} {'before':>9} {'after':>9}", *conditions, sep="\n")
    return _promote_or_keep(model, candidate, conditions, len(samples))


def labelled_digits(flags: list[Flag]) -> Samples:
    """The digits whose true label is known. flags: newest first; of two labels for one picture the newer one counts."""
    images, labels, pictures = [], [], []
    newest = {flag.picture_sha256: flag for flag in reversed(flags) if flag.label is not None}
    for number, flag in enumerate(newest.values()):
        for image, label in _pairs(flag):
            images.append(image)
            labels.append(label)
            pictures.append(number)
    return Samples(np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, int), np.array(pictures, int))


def _pairs(flag: Flag) -> list[tuple[np.ndarray, int]]:
    """The digits of a flag with their labels; none if it cannot be known which label belongs to which."""
    wanted = re.sub("[^0-9]", "", flag.label or "")
    found = flag.recognition.digits
    if not wanted:
        return [(digit.image, NOT_A_DIGIT) for digit in found]
    read = tuple(digit for digit in found if digit.verdict != "not a digit")
    for group in (read, found):
        if len(group) == len(wanted):
            return [(digit.image, int(label)) for digit, label in zip(group, wanted, strict=True)]
    return []


class Learner:
    """A trained model whose last layer can learn.

    model: a .h5 file written by train_model.py. What the layers before the last one answer are its features: rows of
    (n, features + 1) float32 whose last column is 1, so that a head, (features + 1, 11), holds weights and biases of
    ten labels and of "is a digit".
    """

    def __init__(self, model: Path, mnist: Mnist, seed: int = 1, report: Report = _untold) -> None:
        report(0.1, "Looking at what the model must not forget")
        self.model = load_calibrated_network(model)
        network = self.model.get_layer("digits")
        self._layers = [network.get_layer(name) for name in ANSWERS]
        self._body = keras.Model(network.input, self._layers[0].input)
        self._report = report
        self.mnist, self._rng = mnist, np.random.default_rng(seed)
        self._validation = self.features(mnist.validation.images)
        self._calibration = self.features(mnist.calibration.images)
        report(0.3, "Choosing what is rehearsed")
        self._rehearsal = np.vstack([self.features(_rehearsal_pictures(mnist.train, seed)), self._hardest()])

    @property
    def head(self) -> np.ndarray:
        """The last layer as it is: (features + 1, 11) float32."""
        return np.hstack([np.vstack(layer.get_weights()) for layer in self._layers])

    @head.setter
    def head(self, head: np.ndarray) -> None:
        for layer, columns in zip(self._layers, (head[:, PROBABILITIES], head[:, IS_DIGIT:]), strict=True):
            layer.set_weights([columns[:-1], columns[-1]])

    def improve(self, samples: Samples) -> tuple[Condition, ...]:
        """Learn from the samples, and measure the conditions of the gate. The head is then the new one."""
        copies = _copies(samples, self._rng)
        features, old = self.features(copies.images), self.head
        before, after = self._cross_validate(samples, copies, features)
        self._report(0.9, "Learning from all of them")
        self.head = self.learn(features, copies.labels)
        corrections = _no_fall(f"corrections, {FOLDS}-fold cross-validated", before, after, 0.0)
        return (*self._on_mnist(old, self.head), corrections)

    def learn(self, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The head after it has learned from corrections: as far as MNIST's validation split allows."""
        old = self.head
        change = fit_head(old, self._rehearsal, features, labels) - old
        heads = [old + step * change for step in STEPS]
        return next((head for head in heads if _all_pass(self._on_mnist(old, head))), heads[-1])

    def features(self, images: np.ndarray) -> np.ndarray:
        """images: (n, 28, 28) uint8."""
        features = self._body.predict(to_input(images), batch_size=256, verbose=0)
        return np.hstack([features, np.ones((len(images), 1), np.float32)])

    def probabilities(self, features: np.ndarray, head: np.ndarray) -> np.ndarray:
        """(n, 10) in [0, 1], what the model answers with that head; a row sums to the probability of a digit."""
        logits = features @ head
        temperature, platt = self.model.get_layer("temperature"), self.model.get_layer("platt")
        labels = softmax(temperature.scale * logits[:, PROBABILITIES], axis=1)
        return np.asarray(labels * expit(platt.scale * logits[:, IS_DIGIT:] + platt.offset))

    def answers(self, features: np.ndarray, head: np.ndarray) -> np.ndarray:
        """(n,) int: 0..9 or NOT_A_DIGIT."""
        probabilities = self.probabilities(features, head)
        return np.where(probabilities.sum(axis=1) < NOT_A_DIGIT_BELOW, NOT_A_DIGIT, probabilities.argmax(axis=1))

    def save(self, path: Path) -> Path:
        """Write the model as .h5 and, beside it, as .onnx."""
        self.model.save(path)
        export_onnx(self.model, path.with_suffix(".onnx"), to_input(self.mnist.validation.images[:500]))
        return path

    def _hardest(self) -> np.ndarray:
        """Features of the training pictures that the model is least sure of: a small change makes it forget them."""
        chosen = self._rng.choice(len(self.mnist.train), min(LOOKED_THROUGH, len(self.mnist.train)), replace=False)
        features = self.features(self.mnist.train.images[chosen])
        confidence = self.probabilities(features, self.head).max(axis=1)
        return np.repeat(features[np.argsort(confidence)[:HARDEST]], HARDEST_COUNT, axis=0)

    def _cross_validate(self, samples: Samples, copies: Samples, features: np.ndarray) -> tuple[float, float]:
        """Share of the samples read right by the old head, and by heads that learned from other pictures."""
        originals, old = features[: len(samples)], self.head
        after = np.zeros(len(samples), int)
        for fold in range(FOLDS):
            self._report(0.7 + 0.05 * fold, f"Trying it on digits held back, part {fold + 1} of {FOLDS}")
            held_out = samples.pictures % FOLDS == fold
            if held_out.any():
                others = copies.pictures % FOLDS != fold
                after[held_out] = self.answers(originals[held_out], self.learn(features[others], copies.labels[others]))
        before = self.answers(originals, old)
        return float((before == samples.labels).mean()), float((after == samples.labels).mean())

    def _on_mnist(self, old: np.ndarray, new: np.ndarray) -> tuple[Condition, ...]:
        """What MNIST's validation split says about a new head, and what all says that the model was not trained on."""
        before, after = self._right(old), self._right(new)
        shown = len(self._validation)
        error_before, error_after = self._calibration_error(old), self._calibration_error(new)
        bar = max(CALIBRATION_BAR, error_before + CALIBRATION_SLACK)
        return (
            _no_fall(
                "MNIST validation, share read right",
                float(before[:shown].mean()),
                float(after[:shown].mean()),
                MNIST_MAY_FALL,
            ),
            _no_fall("the same and the calibration split", float(before.mean()), float(after.mean()), MNIST_MAY_FALL),
            Condition(
                "calibration error on MNIST validation",
                error_before,
                error_after,
                error_after <= bar,
                f"at most {bar:.4f}",
            ),
        )

    def _right(self, head: np.ndarray) -> np.ndarray:
        """(n,) bool: which pictures of MNIST's validation split, and then of its calibration split, are read right."""
        answers = self.answers(np.vstack([self._validation, self._calibration]), head)
        return np.asarray(answers == np.concatenate([self.mnist.validation.labels, self.mnist.calibration.labels]))

    def _calibration_error(self, head: np.ndarray) -> float:
        """On MNIST's validation split."""
        probabilities = self.probabilities(self._validation, head)
        correct = probabilities.argmax(axis=1) == self.mnist.validation.labels
        return expected_calibration_error(probabilities.max(axis=1), correct)


def fit_head(head: np.ndarray, rehearsal: np.ndarray, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The head that reads the corrections right and answers the rehearsal as before.

    head: (f, 11); rehearsal: (m, f); features: (n, f) of the corrections; labels: (n,) 0..9 or NOT_A_DIGIT.
    Minimises cross-entropies and the squared change of the head with L-BFGS (Liu & Nocedal 1989).
    """
    inputs = np.vstack([rehearsal, features])
    targets = np.vstack([_activate(rehearsal @ head), _targets(labels)])
    weights = np.full(targets.shape, 1 / len(rehearsal), np.float32)
    weights[len(rehearsal) :] = CORRECTIONS_WEIGHT / len(features)
    weights[len(rehearsal) :, PROBABILITIES] *= (labels != NOT_A_DIGIT)[:, None]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        change = flat.reshape(head.shape).astype(np.float32)
        logits = inputs @ (head + change)
        value = (weights * _cross_entropy(logits, targets)).sum() + PULL / 2 * (change**2).sum()
        gradient = inputs.T @ (weights * (_activate(logits) - targets)) + PULL * change
        return float(value), gradient.ravel().astype(np.float64)

    result = minimize(loss, np.zeros(head.size), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return head + result.x.reshape(head.shape).astype(np.float32)


def _activate(logits: np.ndarray) -> np.ndarray:
    return np.asarray(np.hstack([softmax(logits[:, PROBABILITIES], axis=1), expit(logits[:, IS_DIGIT:])]))


def _cross_entropy(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(n, 11): by column, so that each can have its weight."""
    of_labels = -targets[:, PROBABILITIES] * log_softmax(logits[:, PROBABILITIES], axis=1)
    digit, is_digit = logits[:, IS_DIGIT:], targets[:, IS_DIGIT:]
    return np.asarray(np.hstack([of_labels, np.logaddexp(0, digit) - is_digit * digit]))


def _targets(labels: np.ndarray) -> np.ndarray:
    targets = np.eye(11, dtype=np.float32)[labels]
    targets[:, IS_DIGIT] = labels != NOT_A_DIGIT
    return targets


def _copies(samples: Samples, rng: np.random.Generator) -> Samples:
    """The samples as they are, and then bent as the same hand would write them another time.

    Other pens and other forms would be those of other hands.
    """
    changed = np.stack([bend(image.astype(np.float32) / 255, rng) for image in list(samples.images) * COPIES])
    return Samples(
        np.concatenate([samples.images, np.round(changed * 255).astype(np.uint8)]),
        np.tile(samples.labels, COPIES + 1),
        np.tile(samples.pictures, COPIES + 1),
    )


def _rehearsal_pictures(train: Split, seed: int) -> np.ndarray:
    """(n, 28, 28) uint8: what the model must go on reading as it did. Their labels are its own answers."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(train), min(REHEARSED, len(train)), replace=False)
    plain = train.images[chosen]
    changed = [augment(train.images[i], int(train.labels[i]), rng) for i in chosen]
    drawn, _ = synthesise(len(plain) // 2, seed, 0.4)
    spliced = [no_digit(train.images, rng) for _ in range(len(plain) // 6)]
    return np.concatenate([plain, np.round(np.stack(changed) * 255).astype(np.uint8), drawn, np.stack(spliced)])


def _no_fall(name: str, before: float, after: float, by: float) -> Condition:
    rule = f"may fall by {100 * by:.2f} points" if by else "may not fall"
    return Condition(name, before, after, after >= before - by, rule)


def _all_pass(conditions: tuple[Condition, ...]) -> bool:
    return all(condition.passed for condition in conditions)


def _promote_or_keep(model: Path, candidate: Path, conditions: tuple[Condition, ...], learned: int) -> Improvement:
    failed = [condition.name for condition in conditions if not condition.passed]
    if failed:
        print(f"The model stays as it is. Failed: {'; '.join(failed)}. The candidate is kept as {candidate}.")
        return Improvement(conditions, None, candidate)
    history = ModelHistory(model.parent / "models", served_file(model), model)
    id = history.promote(candidate.with_suffix(".onnx"), candidate, f"learned from {learned} corrected digits")
    for file in (candidate, candidate.with_suffix(".onnx")):
        file.unlink()
    print(f"In service: model {id}. Go back with: digits model rollback")
    return Improvement(conditions, id, None)
