"""Answer: what was read as the page shows it: numbers, their marks in order, and ten probabilities a digit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from digits.recognition import UNSURE_BELOW, Digit, Recognition

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Number:
    """What stands together in a line. marks: its digits from left to right. confidence: that all are right."""

    marks: tuple[Digit, ...]
    confidence: float

    @property
    def line(self) -> int:
        """Index of the line that it stands in, from 0."""
        return self.marks[0].line

    @property
    def verdict(self) -> str:
        """ "sure", "unsure", or "not a digit" if nothing in it is one."""
        if all(digit.verdict == "not a digit" for digit in self.marks):
            return "not a digit"
        return "sure" if self.confidence >= UNSURE_BELOW else "unsure"


def numbers_of(recognition: Recognition) -> tuple[Number, ...]:
    """The numbers of a picture: each line is one."""
    lines = groupby(recognition.digits, lambda digit: digit.line)
    return tuple(_number(tuple(digits)) for _, digits in lines)


def _number(digits: tuple[Digit, ...]) -> Number:
    read = [digit.confidence for digit in digits if digit.verdict != "not a digit"]
    return Number(digits, math.prod(read) if read else 0.0)


def mark_text(mark: Digit) -> str:
    """What stands there: the label, or a question mark."""
    return "?" if mark.verdict == "not a digit" else str(mark.label)


def as_answer(recognition: Recognition) -> Json:
    """The answer as JSON-ready values.

    text     str, as in Recognition
    numbers  list of {line, confidence, verdict, marks}; a mark is {text, digit}: what stands there, and the index of
             the digit that it is, None for a sign
    digits   list of {label, confidence, verdict, box, probabilities}; ten probabilities, rounded to 5 places
    notes    list of str
    """
    places = {id(digit): place for place, digit in enumerate(recognition.digits)}
    return {
        "text": recognition.text,
        "numbers": [_as_number(number, places) for number in numbers_of(recognition)],
        "digits": [_as_digit(digit) for digit in recognition.digits],
        "notes": list(recognition.notes),
    }


def _as_number(number: Number, places: dict[int, int]) -> Json:
    return {
        "line": number.line,
        "confidence": round(number.confidence, 5),
        "verdict": number.verdict,
        "marks": [{"text": mark_text(mark), "digit": places.get(id(mark))} for mark in number.marks],
    }


def _as_digit(digit: Digit) -> Json:
    return {
        "label": digit.label,
        "confidence": round(digit.confidence, 5),
        "verdict": digit.verdict,
        "box": list(digit.box),
        "probabilities": [round(probability, 5) for probability in digit.probabilities.tolist()],
    }
