"""Printed: digits and signs of fonts, and of displays of seven segments."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = (
    *(f"DejaVuSans{style}.ttf" for style in ("", "-Bold", "-Oblique", "Mono", "Mono-Bold")),
    *(f"DejaVuSerif{style}.ttf" for style in ("", "-Bold", "-Italic")),
    *(f"STIXGeneral{style}.ttf" for style in ("", "Bol", "Italic")),
    *(f"cm{style}10.ttf" for style in ("b", "r", "ss", "tt", "ti")),
)
"""Of those that come with matplotlib."""

FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
PRINT = tuple(str(FOLDER / name) for name in FONTS)
STROKE_FONTS = tuple((font, pen) for font in (0, 1, 2, 3, 4, 6, 7) for pen in (2, 5, 8))
"""OpenCV's fonts of strokes, and pens in pixels."""

Printed = tuple[np.ndarray, int]
"""The ink of a sign, (height, width) float32, and the row of its top, counted from the base line down."""


@lru_cache(4096)
def font_glyph(name: str, sign: str, height: int) -> Printed:
    """A sign of a font of matplotlib's, of the size at which its digits are `height` pixels high."""
    font = open_font(str(FOLDER / name), height)
    image = Image.new("L", ((3 + len(sign)) * height, 4 * height))
    ImageDraw.Draw(image).text((height, 2 * height), sign, 255, font, anchor="ls")
    return _cropped(np.asarray(image), 2 * height, sign)


@cache
def open_font(path: str, height: int) -> ImageFont.FreeTypeFont:
    """A font of the size at which its digits are `height` pixels high."""
    probe = ImageFont.truetype(path, 100)
    _, top, _, bottom = probe.getbbox("0")
    return ImageFont.truetype(path, round(100 * height / (bottom - top)))


def font_text(path: str, text: str, height: int) -> np.ndarray:
    """A text in a font of handwriting: (height, width) float32, cropped. height: of its digits, in pixels."""
    font = open_font(path, height)
    image = Image.new("L", (round(font.getlength(text)) + 4 * height, 5 * height))
    ImageDraw.Draw(image).text((2 * height, 3 * height), text, 255, font, anchor="ls")
    left, top, width, down = cv2.boundingRect(np.asarray(image))
    return np.asarray(image)[top : top + down, left : left + width].astype(np.float32) / 255


@cache
def lacks(path: str) -> frozenset[str]:
    """The signs of numbers that a font has no form for."""
    font = open_font(path, 40)
    missing = bytes(font.getmask("\uffff"))
    return frozenset(sign for sign in "0123456789.,-/:+=%()$#€£₹¥" if bytes(font.getmask(sign)) in (missing, b""))


@lru_cache(4096)
def stroke_glyph(font: int, pen: int, sign: str, height: int) -> Printed:
    """A sign of an OpenCV font."""
    image = np.zeros((4 * height, (4 + 2 * len(sign)) * height), np.uint8)
    cv2.putText(image, sign, (height, 2 * height), font, height / 21, 255, max(1, pen * height // 40), cv2.LINE_AA)
    return _cropped(image, 2 * height, sign)


def _cropped(image: np.ndarray, base: int, sign: str) -> Printed:
    left, top, width, height = cv2.boundingRect((image > 60).view(np.uint8))
    if not width:
        raise ValueError(f"The font has no {sign!r}.")
    return image[top : top + height, left : left + width].astype(np.float32) / 255, top - base


SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
    "8": "abcdefg", "9": "abcdfg", "-": "g",
}  # fmt: skip
ENDS = {
    "a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2), "e": (0, 1, 0, 2), "f": (0, 0, 0, 1),
    "g": (0, 1, 1, 1),
}  # fmt: skip
"""From where to where each segment goes: columns and rows of a 2 x 3 grid."""


def display_glyph(sign: str, height: int, width: float, thick: float, apart: float) -> Printed:
    """A sign of a seven-segment display.

    width, thick and apart: of a digit, of a segment, and between two segments, as shares of the height.
    """
    pen = max(1, round(thick * height))
    if sign in ".:":
        rows = (height - pen,) if sign == "." else (round(0.25 * height), round(0.7 * height))
        ink = np.zeros((height, pen), np.float32)
        for row in rows:
            ink[row : row + pen] = 1
        return ink[rows[0] :], rows[0] - height
    ink = np.zeros((height + 2, round(width * height) + 2), np.float32)
    scale = np.array([width * height - pen, (height - pen) / 2])
    for segment in SEGMENTS[sign]:
        start, end = (np.array(point) * scale + pen / 2 + 1 for point in (ENDS[segment][:2], ENDS[segment][2:]))
        along = (end - start) / np.linalg.norm(end - start) * (apart * height + pen / 3)
        (x, y), (to_x, to_y) = np.round(16 * np.stack([start + along, end - along])).astype(int).tolist()
        cv2.line(ink, (x, y), (to_x, to_y), 1.0, max(1, round(0.9 * pen)), cv2.LINE_AA, 4)
    left, top, across, down = cv2.boundingRect((ink > 0.3).view(np.uint8))
    return ink[top : top + down, left : left + across], top - height - 1


Printer = Callable[[str, int], Printed]
PRINTERS: tuple[Printer, ...] = (
    *(partial(font_glyph, name) for name in FONTS),
    *(partial(stroke_glyph, font, pen) for font, pen in STROKE_FONTS),
)
