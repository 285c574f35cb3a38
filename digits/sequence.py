"""Sequence: a line of ink, read in one look from left to right.

A part that is cut out of a number has lost what its neighbours would tell: half a 0 looks like a 6, a 1 like a crumb.
The sequence network sees the whole line; at each place of it, it says which digit or sign stands there, or none (Graves
et al. 2006, "Connectionist temporal classification").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from digits.classifier import open_network
from digits.normalise import change_pen, pen_width
from digits.recognition import OTHER

SHIPPED_SEQUENCE_MODEL = Path(__file__).with_name("sequence.onnx")
SIGNS = f"0123456789.,-/:+=%{OTHER}"
HEIGHT = 36  # pixels to which a line is brought
ABOVE, BESIDE = 2, 6  # pixels of paper around it
THINNEST = 1.6  # pixels that the pen is widened to
LOWEST = 4.0  # pens that a line is high at least, so that a dash or a dot alone is not blown up
STEP = 2  # pixels from one place to the next
WIDEST = 72  # places of a sign at most
PLAIN = 0.98  # probability of its least clear digit from which on a line is looked at once,
WIDTHS = (0.87, 1.15)  # and else in these widths, too,
LONG = 1000  # unless it is so many pixels wide, which would take long
NONE = 0  # column of "no sign here"; sign s has column s + 1


@dataclass(frozen=True, eq=False)
class Seen:
    """A sign seen in a line. text: one of SIGNS.

    probabilities: (19,) of SIGNS, that just this one stands there; what they lack to 1 is for none, or several.
    """

    text: str
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class Reading:
    """What is seen in a line. probabilities: (places, 20) float32; scale: from the ink to the framed line."""

    probabilities: np.ndarray
    scale: float

    @property
    def text(self) -> str:
        """What stands in the line, by best path decoding (Graves et al. 2006, section 3.2).

        That is the most probable column of each place, repeats as one.
        """
        return "".join(SIGNS[column - 1] for column, _ in self._runs)

    @property
    def clarity(self) -> list[float]:
        """How probable each sign that is seen is at its best place, if it is a digit; 0 of other signs."""
        return [probability if column <= 10 else 0.0 for column, probability in self._runs]

    @cached_property
    def _runs(self) -> list[tuple[int, float]]:
        """Column of each sign that is seen, and its highest probability: a run of the same column is one sign."""
        best = self.probabilities.argmax(axis=1)
        ends = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), len(best)]
        return [
            (int(best[first]), float(self.probabilities[first:end, best[first]].max()))
            for first, end in pairwise(ends)
            if end > first and best[first] != NONE
        ]

    def between(self, first: int, end: int) -> Reading:
        """What is seen from the place `first` to before `end`."""
        return Reading(self.probabilities[first:end], self.scale)

    def border(self, column: float) -> int:
        """The place that begins nearest to a column of the ink."""
        return min(max(round((column * self.scale + BESIDE) / STEP), 0), len(self.probabilities))

    def probability(self, text: str) -> float:
        """Probability that just this text stands in the line, wherever each of its signs is."""
        columns = np.array([1 + SIGNS.index(sign) for sign in text], int)
        return float(sequence_probability(self.probabilities, columns))

    def one_sign(self, first: int, end: int) -> np.ndarray:
        """(19,) probabilities of SIGNS: that just this one begins between two places; 0 where they are far apart."""
        if end - first > WIDEST:
            return np.zeros(len(SIGNS))
        if first not in self._from:
            before = self.probabilities[first - 1] if first else None
            self._from[first] = one_sign_until(self.probabilities[first : first + WIDEST], before)
        return self._from[first][max(end - first, 0)]

    def is_other(self, first: int, end: int) -> bool:
        """Is nothing seen between two places but marks that are no digit and no sign?"""
        return set(self.probabilities[first:end].argmax(axis=1).tolist()) - {NONE} == {len(SIGNS)}

    @cached_property
    def _from(self) -> dict[int, np.ndarray]:
        return {}


class SequenceReader:
    """The sequence network, ready to read. Many threads may use one reader.

    model: an .onnx file as digits.training.sequence writes it. Raises ModelError if it is missing or another.
    """

    def __init__(self, model: Path = SHIPPED_SEQUENCE_MODEL) -> None:
        self._session = open_network(model, "sequence", ("n", "places", 1 + len(SIGNS)))

    def read(self, ink: np.ndarray) -> Reading:
        """What stands in a line. ink: (height, width) float32 in [0, 1], ink = 1, cropped to the line."""
        framed = frame(ink)
        scale = (framed.shape[1] - 2 * BESIDE) / ink.shape[1]
        reading = Reading(self.probabilities(framed), scale)
        clear = reading.clarity
        if not any(clear) or min(clear) >= PLAIN or framed.shape[1] > LONG:  # or no digit is seen
            return reading
        return Reading(self._look_again(framed, reading.probabilities), scale)

    def _look_again(self, framed: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Mean of what is seen in a line as it stands, and in it made narrower and wider."""
        places, columns = first.shape
        looks = [first]
        for width in WIDTHS:
            size = max(STEP, STEP * round(width * places)), framed.shape[0]
            way = cv2.INTER_AREA if width < 1 else cv2.INTER_LINEAR
            seen = self.probabilities(cv2.resize(framed, size, interpolation=way))
            looks.append(cv2.resize(seen, (columns, places), interpolation=cv2.INTER_LINEAR))
        return np.asarray(np.mean(looks, axis=0), np.float32)

    def probabilities(self, framed: np.ndarray) -> np.ndarray:
        """Of each place, (w / STEP, 20): that no sign is there, and each of SIGNS. framed: as from `frame`."""
        answer: np.ndarray = self._session.run(None, {"image": framed[None, ..., None]})[0][0]
        return answer


def frame(ink: np.ndarray) -> np.ndarray:
    """A line's ink as the sequence network takes it: (40, w) float32, HEIGHT pixels high with paper around it.

    ink: (height, width) float32 in [0, 1], cropped to the line.
    """
    enlarged = _to_height(ink, 2 * HEIGHT)  # the pen is measured and widened on an enlarged picture, for smooth edges
    pen = pen_width(enlarged) / 2
    if pen > HEIGHT / LOWEST:
        enlarged = _to_height(enlarged, round(2 * HEIGHT * HEIGHT / (LOWEST * pen)))
        pen = HEIGHT / LOWEST
        missing = 2 * HEIGHT - enlarged.shape[0]
        enlarged = np.pad(enlarged, ((missing // 2, missing - missing // 2), (0, 0)))
    small = _to_height(change_pen(enlarged, max(0, 2 * (THINNEST - pen))), HEIGHT)
    return np.pad(small, ((ABOVE, ABOVE), (BESIDE, BESIDE + small.shape[1] % STEP))).astype(np.float32)


def _to_height(ink: np.ndarray, height: int) -> np.ndarray:
    scale = height / ink.shape[0]
    size = max(STEP, round(scale * ink.shape[1])), height
    return cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def sequence_probability(probabilities: np.ndarray, columns: np.ndarray) -> float:
    """Probability that just these signs stand in a line, wherever each of them is.

    probabilities: (places, 20); columns: (signs,) int, from left to right. The sum over all alignments, by the forward
    algorithm (Graves et al. 2006, section 4.1).
    """
    path = np.full(2 * len(columns) + 1, NONE)
    path[1::2] = columns
    passable = np.zeros(len(path), bool)  # one sign may follow another at once, unless it is the same
    passable[2:] = (path[2:] != NONE) & (path[2:] != path[:-2])
    arrived = np.zeros(len(path) + 2)  # two empty places in front, from which nothing comes
    arrived[2] = 1.0
    for row in probabilities.astype(np.float64):
        from_before = arrived[1:-1] + passable * arrived[:-2]
        arrived[2:] = (arrived[2:] + from_before) * row[path]
    return float(arrived[-min(2, len(path)) :].sum())


def one_sign_until(probabilities: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """Probability that just one sign begins before each place. (places, 20) to (places + 1, 19), of SIGNS.

    before: (20,), of the place in front of the first: a sign that is seen there and goes on does not begin. The forward
    algorithm for all texts of one sign, and all ends, at once.
    """
    none = probabilities[:, NONE].astype(np.float64)
    signs = np.delete(probabilities, NONE, axis=1).astype(np.float64)
    earlier = np.zeros(signs.shape[1]) if before is None else np.delete(before, NONE).astype(np.float64)
    nothing = 1.0 - earlier.sum()  # none is seen yet
    within, after = np.zeros((2, signs.shape[1]))
    answer = np.zeros((len(none) + 1, signs.shape[1]))
    for place in range(len(none)):
        unbegun = nothing + earlier.sum()
        after = (after + within) * none[place]
        within = (within + unbegun - earlier) * signs[place]
        nothing, earlier = unbegun * none[place], earlier * signs[place]
        answer[place + 1] = within + after
    return answer
