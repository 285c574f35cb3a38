"""Fields: what is known of the columns of a table, and what follows for the numbers that were read there.

A number that cannot be is replaced by the most probable one that can, and that is said; a sum that does not add up is
said. Nothing is changed in silence: what was read stays in `written`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from digits.errors import DigitsError, shown
from digits.recognition import WORDS, Box, Cell, Digit, Table, is_sure

STRUCK = ("", "-", "/")  # texts that stand for no number
MOST_DIGITS = 5  # of a number for which another is looked for
LEAST = 1e-3  # probability of a number that is taken for another that was read, at least
SAME = 1e-6  # by which a sum may miss

Typed = Mapping[tuple[int, int], str]
"""What a person has written into cells of a table, by row and column, from 0."""


@dataclass(frozen=True)
class Field:
    """What is known of a column, counted from 1.

    low, high: the least and the greatest number that is allowed. digits: how many a number has. like: an example, such
    as "12:30", whose digits may be others. pattern: a regular expression that all of its text fulfils. sum: the first
    and the last of the columns whose sum stands here.
    """

    column: int
    name: str = ""
    low: float | None = None
    high: float | None = None
    digits: int | None = None
    like: str | None = None
    pattern: str | None = None
    sum: tuple[int, int] | None = None

    def allows(self, text: str) -> bool:
        """May this text stand in the column?"""
        if self.digits is not None and sum(sign.isdigit() for sign in text) != self.digits:
            return False
        if self.like is not None and _form(text) != _form(self.like):
            return False
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            return False
        if self.low is None and self.high is None:
            return True
        value = value_of(text)
        return value is not None and _or(self.low, -np.inf) <= value <= _or(self.high, np.inf)

    @property
    def rule(self) -> str:
        """In plain words, what is allowed."""
        limits = f"{_or(self.low, '')} to {_or(self.high, '')}" if (self.low, self.high) != (None, None) else ""
        count = f"{self.digits} digits" if self.digits is not None else ""
        forms = [f"like {form}" for form in (self.like, self.pattern) if form]
        return ", ".join(filter(None, [limits, count, *forms]))


def _form(text: str) -> str:
    return re.sub(r"\d", "0", text)


def _or(value: Any, other: Any) -> Any:
    return other if value is None else f"{value:g}" if isinstance(other, str) else value


@dataclass(frozen=True)
class Entry:
    """What goes into one cell of a spreadsheet. text, confidence, verdict, box: as of a Cell.

    written: what was read there, if it is another; remark: in plain words, what is to be looked at; "" if nothing is.
    """

    text: str
    confidence: float
    verdict: str
    box: Box
    written: str | None = None
    remark: str = ""

    @property
    def to_check(self) -> bool:
        """Should a person look at it?"""
        return bool(self.remark) or self.verdict == "unsure"


def value_of(text: str) -> float | None:
    """The number that a text is; None if it is none."""
    try:
        return float(text.replace(",", ".").replace(" ", ""))
    except ValueError:
        return None


def enter(table: Table, known: Sequence[Field] = (), typed: Typed | None = None) -> list[list[Entry]]:
    """The table's cells as they go into a spreadsheet, with what follows from the fields.

    typed: what a person has written into cells. It is what counts, allowed or not.
    """
    of_column, typed = {field.column: field for field in known}, typed or {}
    rows = [
        [_entry(cell, of_column.get(column + 1), typed.get((row, column))) for column, cell in enumerate(cells)]
        for row, cells in enumerate(table.rows)
    ]
    for field in known:
        if field.sum is not None:
            rows = [_with_sum(row, field) for row in rows]
    return rows


def _entry(cell: Cell, field: Field | None, typed: str | None) -> Entry:
    if typed is None:
        read = Entry(cell.text, cell.confidence, cell.verdict, cell.box)
    else:
        read = Entry(typed, 1.0, "sure" if typed else "empty", cell.box)
    if field is None or not field.rule or read.text in (*STRUCK, WORDS):
        return read
    if typed is not None:
        return read if field.allows(typed) else replace(read, remark=f"{typed} is not allowed: {field.rule}")
    texts, shares = _candidates(cell)
    allowed = [place for place, text in enumerate(texts) if field.allows(text)]
    likely = float(shares[allowed].sum())
    if field.allows(cell.text):
        confidence = min(cell.confidence / likely, 1.0) if likely > cell.confidence else cell.confidence
        return Entry(cell.text, confidence, "sure" if is_sure(confidence, len(cell.marks)) else "unsure", cell.box)
    if not allowed or shares[allowed].max() < LEAST:
        return Entry(cell.text, 0.0, "unsure", cell.box, remark=f"{cell.text} is not allowed: {field.rule}")
    best = max(allowed, key=shares.__getitem__)
    remark = f"read as {cell.text}, which is not allowed: {field.rule}"
    return Entry(texts[best], float(shares[best]), "unsure", cell.box, cell.text, remark)


def _candidates(cell: Cell) -> tuple[list[str], np.ndarray]:
    """Every text that the cell's digits may be, and the probability of each; none if they are many."""
    digits = [mark for mark in cell.marks if isinstance(mark, Digit)]
    if not 0 < len(digits) <= MOST_DIGITS or len(cell.numbers) > 1:
        return [], np.zeros(0)
    form = "".join("{}" if isinstance(mark, Digit) else mark.text for mark in cell.marks)
    texts = [form.format(*labels) for labels in product(range(10), repeat=len(digits))]
    shares = np.ones(1)
    for digit in digits:
        shares = np.outer(shares, digit.probabilities).ravel()
    return texts, shares


def _with_sum(row: list[Entry], field: Field) -> list[Entry]:
    """The row with a remark where its sum does not add up."""
    assert field.sum is not None
    first, last = field.sum
    if len(row) < max(field.column, last) or value_of(row[field.column - 1].text) is None:
        return row
    parts = [0.0 if entry.text in STRUCK else value_of(entry.text) for entry in row[first - 1 : last]]
    total = value_of(row[field.column - 1].text)
    added = None if None in parts else float(sum(part for part in parts if part is not None))
    if added is not None and total is not None and abs(total - added) < SAME:
        return row
    entry = row[field.column - 1]
    said = "holds what is no number" if added is None else f"is {added:g}"
    remark = "; ".join(filter(None, [entry.remark, f"the sum of columns {first} to {last} {said}"]))
    changed = replace(entry, verdict="unsure", remark=remark)
    return [*row[: field.column - 1], changed, *row[field.column :]]


# What the user says


def parse_column(text: str) -> Field:
    """A field from COLUMN: and LOW-HIGH, digits=COUNT, like=EXAMPLE or sum=FIRST-LAST. Raises DigitsError.

    The column is counted from 1: "2:0-100".
    """
    column, _, said = text.strip().partition(":")
    if text.isprintable() and re.fullmatch(COUNT, column) and int(column) > 0:
        for form, described in FORMS.items():
            if (found := re.fullmatch(form, said)) and (field := described(int(column), *found.groups())):
                return field
    raise DigitsError(
        f"It is not known what column {shown(text)} is. Expected its number from 1, a colon, and the least and the "
        "greatest number that are allowed (2:0-100), how many digits they have (2:digits=3), an example of their form "
        "(2:like=12:30), or the columns whose sum it is (4:sum=1-3)."
    )


def _within(column: int, low: str, high: str) -> Field | None:
    return Field(column, low=float(low), high=float(high)) if float(low) <= float(high) else None


def _sum_of(column: int, first: str, last: str) -> Field | None:
    return Field(column, sum=(int(first), int(last))) if 0 < int(first) <= int(last) else None


COUNT = r"\d{1,6}"
LIMIT = r"-?\d{1,15}(?:\.\d{1,15})?"
FORMS: dict[str, Callable[..., Field | None]] = {
    f"({LIMIT})-({LIMIT})": _within,
    f"digits=({COUNT})": lambda column, count: Field(column, digits=int(count)),
    r"like=(.*\d.*)": lambda column, like: Field(column, like=like),
    f"sum=({COUNT})-({COUNT})": _sum_of,
}
"""What may be said of a column, and the field that it makes; None if it makes none."""


def load_fields(path: Path) -> list[Field]:
    """Fields from a JSON file: a list with an object a column. Raises DigitsError."""
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        return fields_of(described)
    except (ValueError, TypeError, KeyError, re.error) as error:
        keys = ", ".join(field.name for field in fields(Field))
        raise DigitsError(
            f"{shown(str(path))} does not describe columns: {shown(str(error))}. Expected a list of objects with some "
            f'of the keys {keys}, as in [{{"column": 2, "name": "Marks", "low": 0, "high": 100}}].'
        ) from error


def fields_of(described: Any) -> list[Field]:
    """Fields from a list with an object a column. Raises ValueError, TypeError, re.error if it is none."""
    known = [Field(**{"column": place, **one}) for place, one in enumerate(described, 1)]
    for field in known:
        re.compile(field.pattern or "")
        _form(field.like or "")
        if not all(isinstance(number, int | float) for number in (field.column, *_given(field))):
            raise TypeError(f"what should be a number of column {field.column} is none")
    return [replace(field, sum=_span(field.sum)) for field in known]


def _given(field: Field) -> Iterator[Any]:
    return (number for number in (field.low, field.high, field.digits) if number is not None)


def _span(columns: Any) -> tuple[int, int] | None:
    if columns is None:
        return None
    first, last = map(int, columns)
    return first, last
