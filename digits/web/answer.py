"""Answer: what was read as the page shows it: numbers, their marks in order, and ten probabilities a digit."""

from __future__ import annotations

from typing import Any

from digits.recognition import Digit, Number, Recognition
from digits.sheets import as_tables

Json = dict[str, Any]


def as_answer(recognition: Recognition) -> Json:
    """The answer as JSON-ready values.

    text     str, as in Recognition
    numbers  list of {line, confidence, verdict, in_table, marks}; a mark is {text, digit}: what stands there, and the
             index of the digit that it is, None for a sign
    tables   list of tables, of rows, of cells, as in digits.sheets.as_tables
    digits   list of {label, confidence, verdict, box, probabilities}; ten probabilities, rounded to 5 places
    notes    list of str
    """
    places = {id(digit): place for place, digit in enumerate(recognition.digits)}
    cells = [cell for table in recognition.tables for row in table.rows for cell in row]
    in_table = {id(number) for cell in cells for number in cell.numbers}
    return {
        "text": recognition.text,
        "numbers": [
            _as_number(number, places) | {"in_table": id(number) in in_table} for number in recognition.numbers
        ],
        "tables": as_tables(recognition) if recognition.tables else [],
        "digits": [_as_digit(digit) for digit in recognition.digits],
        "notes": list(recognition.notes),
    }


def _as_number(number: Number, places: dict[int, int]) -> Json:
    return {
        "line": number.line,
        "confidence": round(number.confidence, 5),
        "verdict": number.verdict,
        "marks": [{"text": mark.text, "digit": places.get(id(mark))} for mark in number.marks],
    }


def _as_digit(digit: Digit) -> Json:
    return {
        "label": digit.label,
        "confidence": round(digit.confidence, 5),
        "verdict": digit.verdict,
        "box": list(digit.box),
        "probabilities": [round(probability, 5) for probability in digit.probabilities.tolist()],
    }
