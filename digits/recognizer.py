"""Recognizer: the road of a picture, from what the user hands in to the digits that stand in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digits.classifier import Classifier
from digits.errors import PictureError
from digits.layout import find_digits
from digits.normalise import normalise
from digits.picture import read_ink
from digits.recognition import Digit, Recognition


class Recognizer:
    """Reads digits and numbers from any picture. model: as in Classifier."""

    def __init__(self, model: str | Path | None = None) -> None:
        self.classifier = Classifier(model)

    def recognize(self, picture: Any, single: bool = False) -> Recognition:
        """Read one picture; `single` takes the whole of it as one digit. Raises PictureError."""
        ink, notes = read_ink(picture)
        lines = find_digits(ink)
        if not lines:
            return Recognition(notes=(*notes, "nothing drawn"))
        boxes = [(index, box) for index, line in enumerate(lines) for box in line]
        images = np.stack([normalise(ink[top:bottom, left:right]) for _, (left, top, right, bottom) in boxes])
        probabilities = self.classifier.classify(images[..., None])
        digits = tuple(
            Digit(row, box, np.round(image * 255).astype(np.uint8), line)
            for row, image, (line, box) in zip(probabilities, images, boxes, strict=True)
        )
        return Recognition(digits, notes)

    def recognize_many(self, pictures: Iterable[Any], single: bool = False) -> Iterator[Recognition]:
        """Read pictures lazily and in order; a picture that cannot be read gives a result with .error set."""
        for picture in pictures:
            try:
                yield self.recognize(picture, single)
            except PictureError as error:
                yield Recognition(error=str(error))
