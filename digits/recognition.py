"""What the recogniser answers: a Recognition holds the Digits that were found, in reading order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels of the picture as the viewer sees it; right and bottom exclusive."""

UNSURE_BELOW = 0.8
"""A digit whose confidence is lower than this is "unsure"."""

NOT_A_DIGIT_BELOW = 0.5
"""What is a digit with a probability lower than this is "not a digit"."""


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit.

    probabilities: (10,) float32 in [0, 1], calibrated; their sum is the probability that this is a digit at all.
    box: (left, top, right, bottom) in the picture, right and bottom exclusive.
    image: (28, 28) uint8, ink = 255: what the network saw.
    line: index of the line that it stands in, from 0.
    """

    probabilities: np.ndarray
    box: Box
    image: np.ndarray
    line: int = 0

    @cached_property
    def label(self) -> int:
        """The most probable digit, 0..9."""
        return int(self.probabilities.argmax())

    @cached_property
    def confidence(self) -> float:
        """Calibrated probability in [0, 1] that the label is right; low when this is no digit."""
        return float(self.probabilities.max())

    @cached_property
    def verdict(self) -> str:
        """ "sure", "unsure" or "not a digit"."""
        if self.probabilities.sum() < NOT_A_DIGIT_BELOW:
            return "not a digit"
        return "sure" if self.confidence >= UNSURE_BELOW else "unsure"

    def top(self, count: int = 3) -> tuple[tuple[int, float], ...]:
        """The `count` most probable labels with their probabilities, best first."""
        probabilities = self.probabilities.tolist()
        best = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)[:count]
        return tuple((label, probabilities[label]) for label in best)


@dataclass(frozen=True, eq=False)
class Recognition:
    """What stands in one picture.

    digits: in reading order, those that are "not a digit" included.
    notes: in plain words what was done to the picture.
    error: why the picture could not be read; None otherwise. Only recognize_many gives such a result.
    """

    digits: tuple[Digit, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The text of each line that has a digit, top to bottom."""
        texts: dict[int, str] = {}
        for digit in self.digits:
            if digit.verdict != "not a digit":
                texts[digit.line] = texts.get(digit.line, "") + str(digit.label)
        return tuple(texts[line] for line in sorted(texts))

    @property
    def text(self) -> str:
        """The lines joined by newlines; "" when there is nothing to read."""
        return "\n".join(self.lines)
