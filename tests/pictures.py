"""Pictures that the tests draw: digits of a plain hand, on a pad, in a number, on a page."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import cv2
import numpy as np
from PIL import Image

from digits.ink import Ink, InkReader
from digits.picture import read_grey

Path = list[tuple[float, float]]


def _arc(x: float, y: float, across: float, down: float, start: int, end: int) -> Path:
    """Part of an ellipse, in degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 24))
    return [(x + across * float(np.cos(a)), y + down * float(np.sin(a))) for a in angles]


HAND: dict[str, list[Path]] = {
    "0": [_arc(0.5, 0.5, 0.3, 0.5, -90, 270)],
    "1": [[(0.5, 0.0), (0.5, 1.0)]],
    "2": [[*_arc(0.5, 0.28, 0.3, 0.28, 190, 400), (0.2, 1.0), (0.85, 1.0)]],
    "3": [[*_arc(0.45, 0.25, 0.32, 0.25, 200, 450), *_arc(0.45, 0.75, 0.35, 0.25, -90, 160)]],
    "4": [[(0.55, 0.0), (0.15, 0.65), (0.9, 0.65)], [(0.7, 0.3), (0.7, 1.0)]],
    "5": [[(0.25, 0.05), (0.25, 0.45), *_arc(0.45, 0.7, 0.33, 0.3, 240, 510)], [(0.25, 0.05), (0.8, 0.05)]],
    "6": [[(0.65, 0.0), (0.35, 0.35), *_arc(0.5, 0.72, 0.27, 0.28, 190, 550)]],
    "7": [[(0.15, 0.0), (0.85, 0.0), (0.4, 1.0)]],
    "8": [[*_arc(0.5, 0.24, 0.24, 0.24, 90, 450), *_arc(0.5, 0.74, 0.29, 0.26, -90, 270)]],
    "9": [[*_arc(0.5, 0.28, 0.28, 0.28, 0, 360), (0.72, 1.0)]],
}
"""Strokes of each digit, x and y in 0..1."""

SIGNS: dict[str, list[Path]] = {
    ".": [[(0.3, 0.97), (0.31, 0.98)]],
    ",": [[(0.32, 0.93), (0.26, 1.18)]],
    "-": [[(0.2, 0.55), (0.7, 0.53)]],
    "/": [[(0.1, 1.12), (0.75, -0.1)]],
    ":": [[(0.3, 0.4), (0.31, 0.41)], [(0.3, 0.9), (0.31, 0.91)]],
    "+": [[(0.15, 0.55), (0.7, 0.55)], [(0.43, 0.28), (0.43, 0.82)]],
    "=": [[(0.15, 0.42), (0.7, 0.42)], [(0.15, 0.66), (0.7, 0.66)]],
    "%": [[(0.1, 1.0), (0.85, 0.0)], _arc(0.2, 0.2, 0.15, 0.15, 0, 360), _arc(0.75, 0.8, 0.15, 0.15, 0, 360)],
}
"""Strokes of signs, on the same scale."""


def draw_digit(label: int | str, size: int = 200, pen: int = 16, at: tuple[int, int] = (100, 100), pad: int = 400):
    """A digit on a white pad: (pad, pad) uint8, its upper left corner `at` (x, y)."""
    picture = np.full((pad, pad), 255, np.uint8)
    draw_on(picture, HAND[str(label)], size, pen, at)
    return picture


def draw_number(text: str, size: int = 100, pen: int = 9, gap: int = 30):
    """A number with signs and blanks, or lines of them, on a white page: (height, width) uint8."""
    lines = text.split("\n")
    step = size + gap
    picture = np.full((step * len(lines) + 2 * gap, step * max(map(len, lines)) + 2 * gap), 255, np.uint8)
    for row, line in enumerate(lines):
        for column, label in enumerate(line):
            strokes = (HAND | SIGNS).get(label, [])
            draw_on(picture, strokes, size, pen, (gap + column * step, gap + row * step))
    return picture


def pages_of(kind: str, *texts: str, **options: Any) -> bytes:
    """A PDF or TIFF with these numbers, one a page."""
    first, *others = (Image.fromarray(draw_number(text)) for text in texts)
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=others, **options)
    return file.getvalue()


def draw_on(picture: np.ndarray, strokes: list[Path], size: int, pen: int, at: tuple[int, int], ink: int = 0) -> None:
    """Draw strokes into a picture, the unit square `size` pixels large with its corner `at` (x, y)."""
    for stroke in strokes:
        points = np.round((np.array(stroke) * size + at) * 16).astype(np.int32)
        cv2.polylines(picture, [points], False, ink, pen, cv2.LINE_AA, 4)


def shade(picture: np.ndarray, noise: float = 3.0) -> np.ndarray:
    """The picture on grainy paper, lit from one corner."""
    height, width = picture.shape
    rows, columns = np.mgrid[:height, :width]
    light = 0.5 + 0.45 * (rows / height + columns / width) / 2
    grain = np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.clip((60 + picture.astype(float) * 0.7) * light + grain, 0, 255).astype(np.uint8)


def find_ink(picture: Any) -> Ink:
    """The ink of any picture, as the road finds it."""
    return ink_reader().find(read_grey(picture)[0])


@cache
def ink_reader() -> InkReader:
    return InkReader()
