"""Reading sets of pictures and counting what was right: the same for the program, the plain pipeline and the peer."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from plain import to_frame

from digits import PictureError, Recognizer
from digits.recognition import Box, Digit, Recognition
from digits.rows import as_row
from digits.training.metrics import expected_calibration_error, wilson_interval

OVERLAP = 0.5  # intersection over union of a digit's box and the box that was found for it


@dataclass(frozen=True)
class Pictures:
    """A set.

    pictures: what is read, or functions without arguments that make it when it is read. answers: each one's right text.
    bar: percent right that is asked for. single: say that there is one digit. lines: count lines instead of pictures.
    digits_only: compare only the digits of the text. sure_wrong: percent of the answers that may be sure and wrong.
    boxes: of each picture the boxes of its digits, where they are known. whole: a line that needs no search for text.
    """

    name: str
    pictures: Sequence[Any]
    answers: Sequence[str]
    bar: float | None = None
    single: bool = False
    lines: bool = False
    digits_only: bool = False
    sure_wrong: float | None = None
    boxes: Sequence[np.ndarray] | None = None
    whole: bool = True

    @cached_property
    def kind(self) -> str:
        """What those are told that must be told: "digit", "line", or "page" where text is to be found first."""
        if not self.whole:
            return "page"
        return "digit" if all(len(answer) <= 1 for answer in self.answers) else "line"

    def some(self, count: int | None) -> Pictures:
        """At most about `count` pictures, evenly spread; all if None."""
        keep = slice(None, None, max(1, len(self.pictures) // count) if count else 1)
        boxes = None if self.boxes is None else self.boxes[keep]
        return replace(self, pictures=self.pictures[keep], answers=self.answers[keep], boxes=boxes)


@dataclass(frozen=True)
class Answer:
    """What was read in a picture. confidence: of the whole text; digits: those with a place."""

    text: str = ""
    sure: bool = False
    confidence: float = 0.0
    milliseconds: float = 0.0
    digits: Sequence[Digit] = ()
    notes: Sequence[str] = ()


Read = Callable[[Any, Pictures], Answer]
"""A picture, and the set to which it belongs, to an answer."""


@dataclass(frozen=True)
class Reader:
    """at_most: pictures of a set that it is given."""

    name: str
    read: Read
    at_most: int | None = None


def read_by_road(recognizer: Recognizer) -> Read:
    """The program itself."""

    def read(picture: Any, pictures: Pictures) -> Answer:
        start = time.process_time()
        try:
            result = recognizer.recognize(picture, pictures.single)
        except PictureError as error:
            result = Recognition(error=str(error))
        milliseconds = 1000 * (time.process_time() - start)
        row = as_row("", result)
        digits = [digit for digit in result.digits if digit.verdict != "not a digit"]
        notes = (*result.notes, *filter(None, [result.error]))
        return Answer(result.text, row["verdict"] == "sure", row["confidence"] or 0.0, milliseconds, digits, notes)

    return read


def read_plainly(recognizer: Recognizer) -> Read:
    """The plain pipeline before the program's network."""

    def read(picture: Any, pictures: Pictures) -> Answer:
        start = time.process_time()
        image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else _open(picture)
        probabilities = recognizer.classifier.classify(to_frame(image))[0]
        milliseconds = 1000 * (time.process_time() - start)
        best = float(probabilities.max())
        return Answer(str(probabilities.argmax()), best >= 0.8, best, milliseconds)

    return read


def _open(picture: Path | bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture)


@dataclass
class Measured:
    """What a reader made of a set. right of count: pictures, or lines of a set that counts lines.

    found and invented are digits, of true_digits that are there.
    """

    right: int = 0
    count: int = 0
    answers: list[Answer] = field(default_factory=list)
    exact: list[bool] = field(default_factory=list)  # of each picture: all of its text, and nothing more
    found: int = 0
    invented: int = 0
    true_digits: int = 0

    def add(self, answer: Answer, truth: str, pictures: Pictures, boxes: np.ndarray | None) -> None:
        """Count one picture."""
        right, count, exact = _compare(answer.text, truth, pictures)
        found, invented, true_digits = _count_digits(answer, truth, boxes)
        self.answers.append(answer)
        self.exact.append(exact)
        self.right, self.count = self.right + right, self.count + count
        self.found, self.invented = self.found + found, self.invented + invented
        self.true_digits += true_digits

    @property
    def percent(self) -> float:
        return 100 * self.right / max(self.count, 1)

    @property
    def interval(self) -> str:
        return spread(self.right, self.count)

    @property
    def milliseconds(self) -> float:
        return float(np.median([answer.milliseconds for answer in self.answers]))

    @property
    def sure(self) -> int:
        """Pictures whose text is called sure."""
        return sum(answer.sure for answer in self.answers)

    @property
    def sure_and_wrong(self) -> int:
        return sum(answer.sure and not exact for answer, exact in zip(self.answers, self.exact, strict=True))

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the confidence of whole texts, 0 to 1."""
        confidences = np.array([answer.confidence for answer in self.answers])
        return expected_calibration_error(confidences, np.array(self.exact))


def spread(right: int, count: int) -> str:
    """95 % interval of a share, in percent."""
    low, high = wilson_interval(right, max(count, 1))
    return f"{100 * low:.1f}-{100 * high:.1f}"


def measure(readers: Sequence[Reader], pictures: Pictures) -> list[Measured]:
    """Read a set by each reader; every picture is made once."""
    results = [Measured() for _ in readers]
    steps = [max(1, len(pictures.pictures) // reader.at_most) if reader.at_most else 1 for reader in readers]
    for index, (picture, truth) in enumerate(zip(pictures.pictures, pictures.answers, strict=True)):
        due = [place for place, step in enumerate(steps) if index % step == 0]
        made = picture() if callable(picture) and due else picture
        for place in due:
            answer = readers[place].read(made, pictures)
            boxes = None if pictures.boxes is None else pictures.boxes[index]
            results[place].add(answer, truth, pictures, boxes)
    return results


def _compare(text: str, truth: str, pictures: Pictures) -> tuple[int, int, bool]:
    """How many pictures (1 or 0) or lines are right, of how many, and whether all the text is.

    A line is right if it stands in the text in its order, whatever else is read beside.
    """
    if pictures.digits_only:
        text, truth = only_digits(text), only_digits(truth)
    if not pictures.lines:
        return int(text == truth), 1, text == truth
    found, wanted = text.split("\n"), truth.split("\n")
    common = SequenceMatcher(None, found, wanted, autojunk=False).get_matching_blocks()
    return sum(block.size for block in common), len(wanted), found == wanted


def only_digits(text: str) -> str:
    """The digits of each line; lines without any are left out."""
    lines = (re.sub("[^0-9]", "", line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _count_digits(answer: Answer, truth: str, boxes: np.ndarray | None) -> tuple[int, int, int]:
    """How many digits were found, invented, and are there: by their boxes where they are known, else by the text."""
    if boxes is not None and (answer.digits or not answer.text):
        found = match([digit.box for digit in answer.digits], boxes)
        return found, len(answer.digits) - found, len(boxes)
    text, wanted = (only_digits(lines).replace("\n", "") for lines in (answer.text, truth))
    return *align(text, wanted), len(wanted)


def align(text: str, truth: str) -> tuple[int, int]:
    """How many digits of the truth were found, rightly or wrongly read, and how many more stand in the text.

    Those of the shortest way of edits; of several, the one that inserts least.
    """
    ways = [(place, 0) for place in range(len(truth) + 1)]  # cost and insertions to get so far in the truth
    for sign in text:
        before, ways = ways, [(ways[0][0] + 1, ways[0][1] + 1)]
        for place, wanted in enumerate(truth):
            kept = (before[place][0] + (sign != wanted), before[place][1])
            inserted = (before[place + 1][0] + 1, before[place + 1][1] + 1)
            ways.append(min(kept, inserted, (ways[place][0] + 1, ways[place][1])))
    invented = ways[-1][1]
    return len(text) - invented, invented


def match(found: Sequence[Box], wanted: np.ndarray) -> int:
    """How many boxes were found: pairs that overlap by half, each box in one pair, the best first.

    Boxes are compared with a rim of a tenth of the digits' height around them, so that a thin 1 is not lost by a pixel.
    """
    if not len(found) or not len(wanted):
        return 0
    rim = 0.1 * float(np.median(wanted[:, 3] - wanted[:, 1])) * np.array([-1, -1, 1, 1])
    ours, theirs = np.asarray(found, float)[:, None] + rim, wanted[None] + rim
    sides = np.minimum(ours[..., 2:], theirs[..., 2:]) - np.maximum(ours[..., :2], theirs[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1) for boxes in (ours, theirs)]
    overlap = shared / (areas[0] + areas[1] - shared)
    pairs = 0
    while overlap.max() >= OVERLAP:
        one, other = np.unravel_index(overlap.argmax(), overlap.shape)
        overlap[one], overlap[:, other] = 0, 0
        pairs += 1
    return pairs


def print_table(rows: Iterator[list[str]]) -> None:
    """A table in Markdown, its head first, each row as soon as it is measured."""
    head = next(rows)
    print(f"| {' | '.join(head)} |\n|---|{'---:|' * (len(head) - 1)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def met(ok: bool) -> str:
    """What is written behind a bar."""
    return "met" if ok else "NOT met"


def at_least(percent: float, bar: float | None) -> str:
    """A bar that the figure must reach."""
    return "" if bar is None else f">= {bar:g}, {met(percent >= bar)}"


def at_most(value: float, bar: float | None) -> str:
    """A bar that the figure must not exceed."""
    return "" if bar is None else f"<= {bar:g}, {met(value <= bar)}"
