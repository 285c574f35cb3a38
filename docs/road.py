"""The road of a picture, step by step, as pictures for docs/how-it-works.md: python docs/road.py

Writes docs/road-1-photo.jpg to docs/road-6-answer.jpg. The photo is made: the page's examples, written on ruled
paper, in light from one side.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from digits import Recognition, Recognizer
from digits.layout import find_layout
from digits.picture import read_grey
from digits.web.examples import EXAMPLES

DOCS = Path(__file__).resolve().parent
sys.path.append(str(DOCS.parent / "benchmarks"))  # of whose pens, papers and lights the photo is made

from photograph import BALL_PEN, expose, ink, lay, paper, print_on, rules, shade, trace  # noqa: E402

STROKES = {example["name"]: example["strokes"] for example in EXAMPLES}
POINT = [[(0, 0), (2, 2)]]
WRITTEN = [("2026", 90, 60, 60), ("3", 90, 80, 210), (POINT, 8, 155, 290), ("8", 90, 190, 210), ("5", 90, 270, 210)]
"""What is written: an example or its strokes, how high, and where: pixels, from the left and from the top."""

GREEN, ORANGE, BLUE = (22, 130, 60), (200, 110, 0), (30, 80, 200)
CELL = 112  # pixels of a digit's frame as it is shown


def take_photo() -> np.ndarray:
    """(height, width, 3) uint8 RGB."""
    rng = np.random.default_rng(3)
    sheet = paper(360, 640, rng)
    sheet = print_on(sheet, rules(sheet.shape, 36, 1.5, rng, 0.0), (0.5, 0.7, 0.65), 0.6)
    for what, height, left, top in WRITTEN:
        cover = trace(STROKES.get(what, what) if isinstance(what, str) else what, height, 7, square=False)
        sheet = ink(sheet, lay(cover, sheet.shape, left, top), BALL_PEN, np.random.default_rng(5))
    return expose(shade(sheet, rng), rng)


def steps(photo: np.ndarray) -> dict[str, np.ndarray]:
    """The picture after each step of the road."""
    recognizer = Recognizer()
    grey = read_grey(photo)[0]
    found = recognizer.ink.find(grey)
    answer = recognizer.recognize(photo)
    return {
        "photo": photo,
        "grey": grey,
        "ink": _shown(found.ink),
        "lines": _lines(found.ink),
        "frames": np.hstack([_frame(digit.image) for digit in answer.digits]),
        "answer": _answer(photo, answer),
    }


def _shown(ink: np.ndarray) -> np.ndarray:
    return (255 - 255 * ink).astype(np.uint8)


def _lines(ink: np.ndarray) -> np.ndarray:
    shown = cv2.cvtColor(_shown(ink), cv2.COLOR_GRAY2RGB)
    for strip in find_layout(ink).strips:
        left, top, right, bottom = strip.whole.box
        cv2.rectangle(shown, (left - 4, top - 4), (right + 4, bottom + 4), (GREEN, BLUE)[strip.line % 2], 3)
    return shown


def _frame(image: np.ndarray) -> np.ndarray:
    large = cv2.resize(image, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
    return cv2.copyMakeBorder(255 - large, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=160)


def _answer(photo: np.ndarray, answer: Recognition) -> np.ndarray:
    shown = photo.copy()
    for number in answer.numbers:
        left, top, right, bottom = number.box
        colour = GREEN if number.verdict == "sure" else ORANGE
        cv2.rectangle(shown, (left - 5, top - 5), (right + 5, bottom + 5), colour, 2)
        said = f"{number.text}  {number.confidence:.0%}"
        cv2.putText(shown, said, (left, top - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2, cv2.LINE_AA)
    return shown


def main() -> None:
    """Write them."""
    for place, (name, picture) in enumerate(steps(take_photo()).items(), start=1):
        bgr = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(DOCS / f"road-{place}-{name}.jpg"), bgr)


if __name__ == "__main__":
    main()
