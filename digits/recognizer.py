"""Recognizer: the road of a picture, from what the user hands in to the numbers that stand in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from digits.classifier import Classifier
from digits.errors import PictureError
from digits.ink import InkReader
from digits.layout import Found, Layout, choose_digits, find_layout
from digits.picture import read_grey
from digits.recognition import Box, Digit, Number, Recognition
from digits.sequence import SequenceReader
from digits.strokes import THUMBNAIL

Result = TypeVar("Result")

WIDE = 1.5  # gap, in heights of a digit, that parts two numbers
BATCH = 64  # pictures that recognize_many classifies in one go


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A picture before the digit network has seen it.

    to_picture: as of digits.ink.Ink; size: width and height of the picture.
    """

    layout: Layout
    notes: tuple[str, ...]
    to_picture: np.ndarray
    size: tuple[int, int]

    @property
    def images(self) -> list[np.ndarray]:
        """(28, 28) float32 of each run of strokes that may be a digit."""
        return [candidate.image for candidate in self.layout.candidates]


class Recognizer:
    """Reads digits and numbers from any picture.

    model: an .onnx or .h5 file; the shipped model if None. Raises ModelError. Many threads may use one Recognizer.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        self.classifier = Classifier(model)
        self.ink = InkReader()
        self.reader = SequenceReader()

    def recognize(self, picture: Any, single: bool = False) -> Recognition:
        """Read one picture.

        picture: as in digits.picture.read_grey. single: take the whole picture as one digit.
        Raises PictureError if it is no picture.
        """
        prepared = self._prepare(picture, single)
        return self._answer(prepared, self._classify([prepared]))

    def recognize_many(self, pictures: Iterable[Any], single: bool = False) -> Iterator[Recognition]:
        """Read pictures lazily and in order; a picture that cannot be read gives a result with .error set."""
        pictures = iter(pictures)
        while batch := list(islice(pictures, BATCH)):
            prepared = [_attempt(self._prepare, picture, single) for picture in batch]
            rows = self._classify([one for one in prepared if isinstance(one, _Prepared)])
            for one in prepared:
                if isinstance(one, Recognition):
                    yield one
                    continue
                count = len(one.images)
                yield _attempt(self._answer, one, rows[:count])
                rows = rows[count:]

    def _prepare(self, picture: Any, single: bool) -> _Prepared:
        """Ink, and the strokes of each line."""
        grey, scale, notes = read_grey(picture)
        found = self.ink.find(grey)
        layout = find_layout(found.ink, single or max(grey.shape) <= THUMBNAIL)
        height, width = (round(side * scale) for side in grey.shape)
        return _Prepared(layout, (*notes, *found.notes), scale * found.to_picture, (width, height))

    def _classify(self, prepared: list[_Prepared]) -> np.ndarray:
        """(n, 10) probabilities, one row for each image of each picture."""
        images = [image for one in prepared for image in one.images]
        return self.classifier.classify(np.stack(images)[..., None] if images else np.zeros((0, 28, 28, 1), np.float32))

    def _answer(self, prepared: _Prepared, rows: np.ndarray) -> Recognition:
        found, notes = choose_digits(prepared.layout, rows, self.classifier.classify, self.reader.read)
        digits = tuple(_digit(one, prepared) for one in found)
        return Recognition(digits, (*prepared.notes, *prepared.layout.notes, *notes), numbers=_numbers(digits))


def _attempt(step: Callable[..., Result], *arguments: Any) -> Result | Recognition:
    """What a step on one picture gives, or why it gives nothing: one picture in a million must not end the rest."""
    try:
        return step(*arguments)
    except PictureError as error:
        return Recognition(error=str(error))
    except Exception as error:  # Pillow's decoders and OpenCV raise what they like, and memory may run out
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Recognition(error=f"The picture could not be read ({reason}). Save it again and try once more.")


def _digit(found: Found, prepared: _Prepared) -> Digit:
    image = np.round(found.image * 255).astype(np.uint8)
    return Digit(found.probabilities, _placed(found.box, prepared), image, found.line)


def _numbers(digits: tuple[Digit, ...]) -> tuple[Number, ...]:
    """Digits of a line without a wide gap between them are a number; what is no digit parts numbers, too."""
    groups: list[list[Digit]] = []
    for digit in digits:
        if groups and _go_together(groups[-1][-1], digit):
            groups[-1].append(digit)
        else:
            groups.append([digit])
    return tuple(Number(tuple(group), math.prod(digit.confidence for digit in group)) for group in groups)


def _go_together(last: Digit, digit: Digit) -> bool:
    if last.line != digit.line or "not a digit" in (last.verdict, digit.verdict):
        return False
    height = max(box[3] - box[1] for box in (last.box, digit.box))
    return digit.box[0] - last.box[2] <= WIDE * height


def _placed(box: Box, prepared: _Prepared) -> Box:
    """The box in the picture that holds a box of the ink, which may be turned, and is never empty."""
    left, top, right, bottom = box
    corners = prepared.to_picture @ np.array([(left, right, right, left), (top, top, bottom, bottom), (1, 1, 1, 1)])
    x, y = np.clip(corners.min(axis=1).round().astype(int), 0, np.array(prepared.size) - 1).tolist()
    end_x, end_y = np.minimum(corners.max(axis=1).round().astype(int), prepared.size).tolist()
    return x, y, max(end_x, x + 1), max(end_y, y + 1)
