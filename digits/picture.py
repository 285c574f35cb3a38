"""Picture: anything that holds a picture becomes grey: decoded, stood upright, laid on paper, in one channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from digits.decode import read_pixels

ROWS = 256  # that are laid on paper in one go


def read_grey(picture: Any) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Decode a picture into one channel, that in which the ink stands out most.

    picture: a path, the bytes of a file, a Page of either, a PIL image, an array (height, width), (height, width, 1),
        RGB or RGBA, of bool, 8 or 16 bit integers, or float in [0, 1]; or a sketchpad value (a dict with "composite").
    Returns (height, width) uint8 grey, at most digits.decode.LARGEST on a side; how many pixels of the picture one of
    its pixels stands for; and notes on what was done.
    Raises PictureError if it holds no picture, or one that takes too much memory.
    """
    pixels, scale, said = read_pixels(picture)
    grey, notes = _to_grey(pixels)
    return grey, scale, (*said, *notes)


def _to_grey(colours: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """One channel, in which the ink stands out most."""
    notes: list[str] = []
    if colours.ndim == 3 and colours.shape[2] in (2, 4):
        colours, notes = _lay_on_paper(colours)
    if colours.ndim == 2:
        return colours, notes
    red, green, blue = cv2.split(colours)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return green, notes
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    channels = (red, green, blue)
    contrasts = [_contrast(channel) for channel in channels]
    best = int(np.argmax(contrasts))
    # Grey has the least noise: a single colour must be clearly better.
    return (channels[best], [*notes, "coloured ink"]) if contrasts[best] > 1.3 * _contrast(grey) else (grey, notes)


def _contrast(channel: np.ndarray) -> float:
    step = max(1, min(channel.shape) // 200)
    sample = channel[::step, ::step]
    middle = float(np.median(sample))
    return float(np.percentile(np.abs(sample.astype(np.float32) - middle), 98))


def _lay_on_paper(colours: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Transparent pictures: on white, or on black if the ink is light."""
    if colours[..., -1].min() == 255:  # opaque
        grey = colours.shape[2] == 2
        return np.ascontiguousarray(colours[..., 0]) if grey else cv2.cvtColor(colours, cv2.COLOR_RGBA2RGB), []
    weight = seen = 0.0
    for rows in _bands(colours):
        weight += float(rows[..., -1].sum()) * (colours.shape[2] - 1)
        seen += float((rows[..., :-1].astype(np.uint16) * rows[..., -1:]).sum())
    opaque = float(colours[..., -1].mean()) > 127.5  # then most of what is seen is paper, and it decides
    paper = 255.0 if (seen / max(weight, 1e-6) >= 128) == opaque else 0.0
    flat = np.concatenate([_laid(rows, paper) for rows in _bands(colours)])
    return (flat[..., 0] if flat.shape[2] == 1 else flat), ["transparent background: laid on paper"]


def _bands(colours: np.ndarray) -> Iterator[np.ndarray]:
    """The picture in parts, since floats take so much memory."""
    return (colours[top : top + ROWS] for top in range(0, len(colours), ROWS))


def _laid(colours: np.ndarray, paper: float) -> np.ndarray:
    alpha = colours[..., -1:].astype(np.float32) / 255
    flat: np.ndarray = np.round(colours[..., :-1] * alpha + paper * (1 - alpha)).astype(np.uint8)
    return flat
