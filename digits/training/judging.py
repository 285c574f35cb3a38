"""Judging: the weights of digits/judge.py, fitted on lines written with digits that no network has learned from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

from digits.classifier import Classifier
from digits.judge import KINDS, Weights, combine_logits, features, kind_of, number_kind, part_marks, propose, weigh
from digits.layout import Mark, Strip, find_layout, level
from digits.sequence import Reading, SequenceReader
from digits.training.data import Split
from digits.training.lines import OTHER, Placed, write_line

MARGIN = 20  # pixels of paper around a line
NO_DIGIT = 10
SPOILED = 0.4  # share of the lines that are on bad paper: most pictures are clean
BEFORE, PRIOR = np.array([0.5, 0.5, 0.0]), 3.0  # weights without any case, and how many cases they count for
NEAR = 0.4  # widths of a sign within which what is seen is this sign


@dataclass
class Cases:
    """What the weights are fitted on. digits: of each kind, rows of both networks and the true label or NO_DIGIT."""

    digits: dict[str, list[tuple[np.ndarray, np.ndarray, int]]] = field(
        default_factory=lambda: {kind: [] for kind in KINDS}
    )
    strips: list[tuple[Strip, Reading, list[Mark], np.ndarray, list[Placed]]] = field(default_factory=list)


def fit_weights(reader: SequenceReader, classifier: Classifier, held_out: Split, count: int, seed: int) -> Weights:
    """The weights of digits.judge, by maximum likelihood on `count` lines."""
    cases = Cases()
    rng = np.random.default_rng((seed, count, 7))
    for _ in range(count):
        for strip, signs in _strips(held_out, rng):
            reading = reader.read(level(strip))
            for marks in propose(strip, reading):
                images = [mark.image for mark in marks if mark.image is not None]
                rows = classifier.classify(np.array(images, np.float32).reshape(-1, 28, 28, 1))
                cases.strips.append((strip, reading, marks, rows, signs))
                _collect(cases, strip, marks, rows, signs)
    weights = {kind: _fit_digits(cases.digits[kind]) for kind in KINDS}
    return {**weights, **{kind: _fit_numbers(cases, weights, kind) for kind in ("number", "single")}}


def _strips(split: Split, rng: np.random.Generator) -> Iterator[tuple[Strip, list[Placed]]]:
    """The strips that the layout finds in a line, each with the signs that stand in it."""
    ink, placed = write_line(split, rng, SPOILED)
    layout = find_layout(np.pad(ink, MARGIN))
    if layout.single or len({strip.line for strip in layout.strips}) != 1:
        return
    for strip in layout.strips:
        left, _, right, _ = strip.whole.box
        yield strip, [one for one in placed if left <= one.middle + MARGIN < right]


def _collect(cases: Cases, strip: Strip, marks: list[Mark], rows: np.ndarray, signs: list[Placed]) -> None:
    rest = iter(rows)
    for place, mark in enumerate(marks):
        if mark.image is not None:
            middle = (mark.box[0] + mark.box[2]) / 2 - MARGIN
            near = [one for one in signs if abs(one.middle - middle) <= NEAR * max(one.width, 6)]
            label = int(near[0].label) if len(near) == 1 and near[0].label.isdigit() else NO_DIGIT
            cases.digits[kind_of(marks, place, strip.height)].append((mark.seen.probabilities, next(rest), label))


def _fit_digits(cases: list[tuple[np.ndarray, np.ndarray, int]]) -> list[float]:
    """Powers of the two networks, and what is added for no digit."""
    if not cases:
        return BEFORE.tolist()
    seen, rows, labels = (np.array(values) for values in zip(*cases, strict=True))

    def loss(weights: np.ndarray) -> float:
        logits = combine_logits(seen, rows, weights)
        highest = logits.max(axis=1)
        each = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest
        surprise = float(np.mean(each - logits[np.arange(len(labels)), labels]))
        return surprise + PRIOR / len(labels) * float(np.square(weights - BEFORE).sum())

    return [round(float(value), 4) for value in minimize(loss, BEFORE, method="Nelder-Mead").x]


def _fit_numbers(cases: Cases, weights: Weights, kind: str) -> list[float]:
    """A constant and the factors of digits.judge.features: logistic regression."""
    rows, right = [], []
    for strip, reading, marks, answers, signs in cases.strips:
        found = weigh(marks, answers, strip.height, weights)
        if number_kind(found) != kind:
            continue
        for group, first, end in part_marks(found, strip.height):
            left, _, right_end, _ = strip.whole.box
            start = strip.whole.box[0] + reading.column(first) if first else left
            stop = strip.whole.box[0] + reading.column(end) if end is not None else right_end
            text = "".join(one.label for one in signs if start <= one.middle + MARGIN < stop)
            rows.append(features(reading, group, first, end))
            right.append(_alike(text) == _alike("".join(one.text for one in group)))
    x, y = np.column_stack([np.ones(len(rows)), np.array(rows)]), np.array(right, float)

    def loss(factors: np.ndarray) -> float:
        score = x @ factors
        return float(np.mean(np.logaddexp(0, score) - y * score)) + 1e-4 * float(factors @ factors)

    return [round(float(value), 4) for value in minimize(loss, np.zeros(x.shape[1])).x]


def _alike(text: str) -> str:
    """The text with a word as one mark, however many it is read as."""
    return re.sub(r"\?+", OTHER, text)
