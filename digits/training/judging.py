"""Judging: the weights of digits/judge.py, fitted on lines written with digits that no network has learned from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from digits.classifier import Classifier
from digits.judge import Span, Weights, log_share, merge_others, propose, score
from digits.layout import Strip, find_layout, level
from digits.sequence import SequenceReader
from digits.training.data import Split
from digits.training.lines import Placed, write_line

MARGIN = 20  # pixels of paper around a line
SPOILED = 0.5  # share of the lines that are on bad paper
KINDS = ("own", "cut", "sign", "other")
BEFORE = np.array([(0.4, 0.6, 0.0), (0.5, 0.5, -1.0), (0.5, 0.5, -1.0), (0.5, 0.5, -1.5)])  # of each kind: a guess,
PRIOR = 2.0  # and how many lines it counts for
HOPELESS = 8.0  # logarithm of a probability: a line that is read worse counts no more


class Case(NamedTuple):
    """A strip, what the digit network says of its spans, and what stands in it."""

    spans: list[Span]
    rows: np.ndarray
    text: str


def fit_weights(reader: SequenceReader, classifier: Classifier, held_out: Split, count: int, seed: int) -> Weights:
    """The weights under which what stands in `count` lines is most probable."""
    cases = list(_cases(reader, classifier, held_out, count, seed))

    def loss(values: np.ndarray) -> float:
        weights = _named(values)
        surprise = [
            min(HOPELESS, -log_share(case.text, case.spans, score(case.spans, case.rows, weights), 0, _pieces(case)))
            for case in cases
        ]
        return float(np.mean(surprise)) + PRIOR / len(cases) * float(np.square(values - BEFORE.ravel()).sum())

    return _named(minimize(loss, BEFORE.ravel(), method="Powell", options={"maxiter": 4, "ftol": 1e-3}).x)


def _pieces(case: Case) -> int:
    return max(span.last for span in case.spans) + 1


def _named(values: np.ndarray) -> Weights:
    return {kind: np.round(row, 4).tolist() for kind, row in zip(KINDS, values.reshape(-1, 3), strict=True)}


def _cases(reader: SequenceReader, classifier: Classifier, held_out: Split, count: int, seed: int) -> Iterator[Case]:
    rng = np.random.default_rng((seed, count, 7))
    for _ in range(count):
        for strip, signs in _strips(held_out, rng):
            spans = propose(strip, reader.read(level(strip)))
            images = [span.mark.image for span in spans if span.mark.image is not None]
            rows = classifier.classify(np.array(images, np.float32).reshape(-1, 28, 28, 1))
            if spans and signs:
                yield Case(spans, rows, merge_others("".join(sign.label for sign in signs)))


def _strips(split: Split, rng: np.random.Generator) -> Iterator[tuple[Strip, list[Placed]]]:
    """The strips that the layout finds in a line, each with the signs that stand in it."""
    ink, placed = write_line(split, rng, SPOILED)
    layout = find_layout(np.pad(ink, MARGIN))
    if layout.single or len({strip.line for strip in layout.strips}) != 1:
        return
    for strip in layout.strips:
        left, _, right, _ = strip.whole.box
        yield strip, [one for one in placed if left <= one.middle + MARGIN < right]
