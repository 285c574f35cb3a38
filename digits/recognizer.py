"""Recognizer: the road of a picture, from what the user hands in to the digits that stand in it."""

from __future__ import annotations

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
from digits.recognition import Box, Digit, Recognition
from digits.sequence import SequenceReader

Result = TypeVar("Result")

BATCH = 64  # pictures that recognize_many classifies in one go


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A picture before the classifier has seen it. scale: from its ink to the picture."""

    layout: Layout
    notes: tuple[str, ...]
    scale: float


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
            probabilities = self._classify([one for one in prepared if isinstance(one, _Prepared)])
            for one in prepared:
                if isinstance(one, Recognition):
                    yield one
                    continue
                count = len(one.layout.candidates)
                yield _attempt(self._answer, one, probabilities[:count])
                probabilities = probabilities[count:]

    def _prepare(self, picture: Any, single: bool) -> _Prepared:
        grey, scale, notes = read_grey(picture)
        found = self.ink.find(grey)
        return _Prepared(find_layout(found.ink, single), (*notes, *found.notes), scale * found.scale)

    def _classify(self, prepared: list[_Prepared]) -> np.ndarray:
        """(n, 10) probabilities, one row for each candidate of each picture."""
        images = [candidate.image for one in prepared for candidate in one.layout.candidates]
        return self.classifier.classify(np.stack(images)[..., None] if images else np.zeros((0, 28, 28, 1), np.float32))

    def _answer(self, prepared: _Prepared, probabilities: np.ndarray) -> Recognition:
        found, notes = choose_digits(prepared.layout, probabilities, self.classifier.classify, self.reader.read)
        digits = tuple(_digit(one, prepared.scale) for one in found)
        return Recognition(digits, (*prepared.notes, *prepared.layout.notes, *notes))


def _attempt(step: Callable[..., Result], *arguments: Any) -> Result | Recognition:
    """What a step on one picture gives, or why it gives nothing: one picture in a million must not end the rest."""
    try:
        return step(*arguments)
    except PictureError as error:
        return Recognition(error=str(error))
    except Exception as error:  # Pillow's decoders and OpenCV raise what they like, and memory may run out
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Recognition(error=f"The picture could not be read ({reason}). Save it again and try once more.")


def _digit(found: Found, scale: float) -> Digit:
    image = np.round(found.image * 255).astype(np.uint8)
    return Digit(found.probabilities, _scaled(found.box, scale), image, found.line)


def _scaled(box: Box, scale: float) -> Box:
    left, top, right, bottom = (round(side * scale) for side in box)
    return left, top, max(right, left + 1), max(bottom, top + 1)  # ink that was seen enlarged may be less than a pixel
