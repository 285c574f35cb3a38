"""What the recogniser answers: a Recognition holds the Digits, Signs, Numbers and Tables that were found."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels of the picture as the viewer sees it; right and bottom exclusive."""

UNSURE_BELOW = 0.8
"""A digit whose confidence is lower than this is "unsure","""

SEVERAL_UNSURE_BELOW = 0.9
"""and what has several digits or signs, if it is lower than this: one that is wrong makes all of it wrong."""

NOT_A_DIGIT_BELOW = 0.5
"""What is a digit with a probability lower than this is "not a digit"."""

OTHER = "?"
"""What stands in a text for a mark that is no digit and no sign."""

WORDS = "#"
"""What stands in a cell of a table for words."""


def is_sure(confidence: float, marks: int) -> bool:
    """Is what has so many digits and signs "sure"? confidence: that all of it is read right."""
    return confidence >= (UNSURE_BELOW if marks <= 1 else SEVERAL_UNSURE_BELOW)


def verdict_of(is_digit: float, confidence: float) -> str:
    """ "sure", "unsure" or "not a digit". is_digit: probability that it is one; confidence: that its label is right."""
    if is_digit < NOT_A_DIGIT_BELOW:
        return "not a digit"
    return "sure" if confidence >= UNSURE_BELOW else "unsure"


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
        return verdict_of(float(self.probabilities.sum()), self.confidence)

    @property
    def text(self) -> str:
        """The label, or OTHER if this is no digit."""
        return OTHER if self.verdict == "not a digit" else str(self.label)

    def top(self, count: int = 3) -> tuple[tuple[int, float], ...]:
        """The `count` most probable labels with their probabilities, best first."""
        probabilities = self.probabilities.tolist()
        best = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)[:count]
        return tuple((label, probabilities[label]) for label in best)


@dataclass(frozen=True)
class Sign:
    """A sign of a number. text: one of . , - / : + = %; box, line: as of a Digit.

    confidence: the probability in [0, 1] that it is this sign.
    """

    text: str
    box: Box
    confidence: float
    line: int = 0


@dataclass(frozen=True, eq=False)
class Number:
    """Digits and signs that stand together in a line, from left to right.

    confidence: calibrated probability in [0, 1] that the whole of it is read right.
    """

    marks: tuple[Digit | Sign, ...]
    confidence: float

    @cached_property
    def text(self) -> str:
        """As it is written: "3.14", "-5", "12:30"; OTHER for a mark that is no digit and no sign, and for a word."""
        text = "".join(mark.text for mark in self.marks)
        return text if text.strip(OTHER) else text[:1]

    @cached_property
    def digits(self) -> tuple[Digit, ...]:
        """Its digits, those that are "not a digit" included."""
        return tuple(mark for mark in self.marks if isinstance(mark, Digit))

    @cached_property
    def signs(self) -> tuple[Sign, ...]:
        """Its signs."""
        return tuple(mark for mark in self.marks if isinstance(mark, Sign))

    @property
    def line(self) -> int:
        """Index of the line that it stands in, from 0."""
        return self.marks[0].line

    @cached_property
    def box(self) -> Box:
        """(left, top, right, bottom) of all its marks in the picture."""
        left, top, right, bottom = zip(*(mark.box for mark in self.marks), strict=True)
        return min(left), min(top), max(right), max(bottom)

    @cached_property
    def verdict(self) -> str:
        """ "sure", "unsure", or "not a digit" if it is nothing but marks that are no digits and no signs.

        A number with a mark among others that nobody can read is never "sure".
        """
        if not self.text.strip(OTHER):
            return "not a digit"
        return "sure" if is_sure(self.confidence, len(self.marks)) and OTHER not in self.text else "unsure"


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell of a table.

    numbers: what stands in it, in reading order; () if it is empty. box: of the cell, as of a Digit.
    """

    numbers: tuple[Number, ...]
    box: Box

    @cached_property
    def text(self) -> str:
        """Its numbers parted by a blank; "" if it is empty, WORDS if most of it is no number.

        What is struck is "-" or "/", as it is written.
        """
        if not self.numbers:
            return ""
        words = sum(_width(mark.box) for mark in self.marks if mark.text == OTHER)
        if 2 * words > sum(_width(mark.box) for mark in self.marks):
            return WORDS
        return " ".join(number.text for number in self.numbers if number.verdict != "not a digit")

    @cached_property
    def marks(self) -> tuple[Digit | Sign, ...]:
        """All that stands in it."""
        return tuple(mark for number in self.numbers for mark in number.marks)

    @cached_property
    def digits(self) -> tuple[Digit, ...]:
        """Its digits, those that are "not a digit" included."""
        return tuple(digit for number in self.numbers for digit in number.digits)

    @cached_property
    def confidence(self) -> float:
        """Calibrated probability in [0, 1] that all of it is read right; 1 if it is empty."""
        return math.prod(number.confidence for number in self.numbers)

    def alone(self) -> Recognition:
        """What stands in it, as in a picture of the cell alone."""
        numbers = tuple(
            Number(
                tuple(replace(mark, box=_within(mark.box, self.box), line=0) for mark in number.marks),
                number.confidence,
            )
            for number in self.numbers
        )
        return Recognition(tuple(digit for number in numbers for digit in number.digits), numbers=numbers)

    @cached_property
    def verdict(self) -> str:
        """ "empty", "not a digit" if there are words, else "sure" or "unsure"."""
        if not self.numbers:
            return "empty"
        if self.text == WORDS:
            return "not a digit"
        return "sure" if is_sure(self.confidence, len(self.marks)) else "unsure"


def _within(box: Box, outer: Box) -> Box:
    """The part of a box that lies in another, in its pixels; at least one pixel."""
    left, top, right, bottom = outer
    x, y = min(max(box[0], left), right - 1), min(max(box[1], top), bottom - 1)
    return x - left, y - top, max(min(box[2], right), x + 1) - left, max(min(box[3], bottom), y + 1) - top


def _width(box: Box) -> int:
    return box[2] - box[0]


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers in rows and columns. rows: of cells, all of the same length."""

    rows: tuple[tuple[Cell, ...], ...]

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """The text of each cell, row by row."""
        return tuple(tuple(cell.text for cell in row) for row in self.rows)

    @cached_property
    def box(self) -> Box:
        """(left, top, right, bottom) of all its cells in the picture."""
        left, top, right, bottom = zip(*(cell.box for row in self.rows for cell in row), strict=True)
        return min(left), min(top), max(right), max(bottom)


@dataclass(frozen=True, eq=False)
class Recognition:
    """What stands in one picture.

    digits: in reading order, those that are "not a digit" included.
    notes: in plain words what was done to the picture.
    error: why the picture could not be read; None otherwise. Only recognize_many gives such a result.
    numbers: what stands together, in reading order; every digit and every sign is in one of them. () where only the
        digits are known, as in a flag.
    tables: those that numbers stand in, in reading order; their numbers are among `numbers`, too.
    """

    digits: tuple[Digit, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None
    numbers: tuple[Number, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def table(self) -> Table | None:
        """The first table, if there is one."""
        return self.tables[0] if self.tables else None

    @cached_property
    def signs(self) -> tuple[Sign, ...]:
        """The signs of all numbers, in reading order."""
        return tuple(sign for number in self.numbers for sign in number.signs)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The text of each line that has a digit or a sign, top to bottom; its numbers are parted by a blank."""
        if not self.numbers:
            return tuple(self.digits_text.split())
        texts: dict[int, list[str]] = {}
        for number in self.numbers:
            texts.setdefault(number.line, []).append(number.text)
        joined = (" ".join(texts[line]) for line in sorted(texts))
        return tuple(line for line in joined if line.strip(f"{OTHER} "))

    @property
    def text(self) -> str:
        """The lines joined by newlines; "" when there is nothing to read."""
        return "\n".join(self.lines)

    @property
    def digits_text(self) -> str:
        """The digits alone, line by line: "314" where 3.14 is written."""
        texts: dict[int, str] = {}
        for digit in self.digits:
            if digit.verdict != "not a digit":
                texts[digit.line] = texts.get(digit.line, "") + str(digit.label)
        return "\n".join(texts[line] for line in sorted(texts))
