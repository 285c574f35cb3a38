"""Sequence: digits that touch, read in one look from left to right.

A part that was cut out of a number has lost what its neighbours would tell: half a 0 looks like a 6, a 1 like a crumb.
The sequence network sees the whole stroke; at each place of it, it says which digit stands there, or none (Graves et
al. 2006, "Connectionist temporal classification").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from digits.classifier import open_network
from digits.normalise import change_pen, pen_width

SHIPPED_SEQUENCE_MODEL = Path(__file__).with_name("sequence.onnx")
HEIGHT = 28  # pixels to which a stroke is brought
ABOVE, BESIDE = 2, 4  # pixels of paper around it
PEN = (2.0, 3.5)  # pixels; the width of the pen is brought between these
STEP = 2  # pixels from one place to the next
NONE = 0  # column of "no digit here"; digit d has column d + 1


@dataclass(frozen=True)
class Sign:
    """One digit of a sequence. probabilities: (10,) float32; start, end: columns of the stroke between which it is."""

    probabilities: np.ndarray
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """What stands in a stroke. signs: from left to right; probability: in [0, 1], that it is just these digits."""

    signs: list[Sign]
    probability: float


Read = Callable[[np.ndarray], Reading]
"""(height, width) float32 ink of one stroke to what stands in it."""


class SequenceReader:
    """The sequence network, ready to read. Many threads may use one reader.

    model: an .onnx file as digits.training.sequence writes it. Raises ModelError if it is missing or another.
    """

    def __init__(self, model: Path = SHIPPED_SEQUENCE_MODEL) -> None:
        self._session = open_network(model, "sequence", ("n", "places", 11))

    def read(self, ink: np.ndarray) -> Reading:
        """What stands in a stroke; no signs if it holds no digit.

        ink: (height, width) float32 in [0, 1], ink = 1, cropped to the stroke.
        """
        probabilities = self.probabilities(frame(ink))
        signs = find_signs(probabilities, ink.shape)
        labels = [int(sign.probabilities.argmax()) for sign in signs]
        return Reading(signs, sequence_probability(probabilities, labels))

    def probabilities(self, framed: np.ndarray) -> np.ndarray:
        """Of each place, (w / STEP, 11): that no digit is there, and each of the ten. framed: as from `frame`."""
        answer: np.ndarray = self._session.run(None, {"image": framed[None, ..., None]})[0][0]
        return answer


def frame(ink: np.ndarray) -> np.ndarray:
    """A stroke's ink as the sequence network takes it: (32, w) float32, HEIGHT pixels high with paper around it."""
    enlarged = _to_height(ink, 2 * HEIGHT)  # the pen is changed on an enlarged picture, for smooth edges
    pen = pen_width(enlarged) / 2
    wanted = min(max(pen, PEN[0]), PEN[1])
    small = _to_height(change_pen(enlarged, 2 * (wanted - pen)), HEIGHT)
    return np.pad(small, ((ABOVE, ABOVE), (BESIDE, BESIDE + small.shape[1] % STEP))).astype(np.float32)


def _to_height(ink: np.ndarray, height: int) -> np.ndarray:
    scale = height / ink.shape[0]
    size = max(STEP, round(scale * ink.shape[1])), height
    return cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def find_signs(probabilities: np.ndarray, shape: tuple[int, ...]) -> list[Sign]:
    """Best path decoding (Graves et al. 2006, section 3.2): the most probable column of each place, repeats as one.

    probabilities: (places, 11); shape: of the stroke's ink, of which each sign gets the columns around its place.
    """
    best = probabilities.argmax(axis=1)
    ends = np.flatnonzero(np.diff(best, append=-1)) + 1  # of runs of the same column
    runs = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True) if best[start] != NONE]
    places = [run.start + int(probabilities[run, best[run.start]].argmax()) for run in runs]
    scale = shape[0] / HEIGHT
    middles = [scale * (STEP * (first + second + 1) / 2 - BESIDE) for first, second in pairwise(places)]
    borders = [0, *(min(max(round(middle), 0), shape[1]) for middle in middles), shape[1]]
    return [Sign(probabilities[place, 1:], *ends) for place, ends in zip(places, pairwise(borders), strict=False)]


def sequence_probability(probabilities: np.ndarray, labels: list[int]) -> float:
    """Probability that just these digits stand in a stroke, wherever each of them is.

    probabilities: (places, 11); labels: 0..9, from left to right. The sum over all alignments, by the forward algorithm
    (Graves et al. 2006, section 4.1).
    """
    columns = np.full(2 * len(labels) + 1, NONE)
    columns[1::2] = np.add(labels, 1)
    passable = np.zeros(len(columns), bool)  # one digit may follow another at once, unless it is the same
    passable[2:] = (columns[2:] != NONE) & (columns[2:] != columns[:-2])
    arrived = np.zeros(len(columns) + 2)  # two empty places in front, from which nothing comes
    arrived[2] = 1.0
    for row in probabilities.astype(np.float64):
        from_before = arrived[1:-1] + np.where(passable, arrived[:-2], 0)
        arrived[2:] = (arrived[2:] + from_before) * row[columns]
    return float(arrived[-2:].sum())
