"""Page: a synthetic page, and how marks are put on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

SIDE = 256  # pixels of a page
EDGE = 1.12  # steepness of the edge of an enlarged mark at least, so that nothing is left beside it


ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)


@dataclass
class Page:
    """What stands on a page, each (SIDE, SIDE) float32 in [0, 1].

    ink: written or printed; rules: lines, frames and squares; lines: a ribbon along the middle of each line of writing.
    pen: width of the pen, in pixels. sheet: (4, 2) corners of the paper where all of it lies on a desk. things: what
    covers the paper. patch: of another colour, that all is written on, if there is one.
    """

    ink: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    rules: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    lines: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    things: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    pen: float = 3.0
    sheet: np.ndarray | None = None
    patch: np.ndarray | None = None


def put(canvas: np.ndarray, mark: np.ndarray, left: int, top: int) -> None:
    """Lay a mark on the canvas; what reaches beyond its edge is cut off."""
    x, y = max(left, 0), max(top, 0)
    right, bottom = min(left + mark.shape[1], canvas.shape[1]), min(top + mark.shape[0], canvas.shape[0])
    if x < right and y < bottom:
        view = canvas[y:bottom, x:right]
        np.maximum(view, mark[y - top : bottom - top, x - left : right - left], out=view)


def enlarge(ink: np.ndarray, height: float, widest: float) -> np.ndarray:
    """So many pixels high, unless it gets wider than `widest`, with smooth and fairly sharp edges."""
    scale = min(height / ink.shape[0], widest / ink.shape[1])
    size = max(1, round(scale * ink.shape[1])), max(1, round(scale * ink.shape[0]))
    if scale <= 1:
        return cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    large = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC)
    if scale > 1.5:
        large = cv2.GaussianBlur(large, (0, 0), 0.35 * scale)
    return np.clip((large - 0.45) * max(EDGE, 0.8 * scale) + 0.5, 0, 1)


def round_box(box: tuple[float, float, float, float], round_by: float) -> np.ndarray:
    """Its outline in sixteenths of a pixel, (n, 2) int32; the radius of its corners is a share of its shorter side."""
    left, top, right, bottom = box
    radius = round_by * min(right - left, bottom - top)
    angles = np.linspace(0, 2 * np.pi, 36, endpoint=False) + np.pi / 36
    way = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    middle, half = np.array([left + right, top + bottom]) / 2, np.array([right - left, bottom - top]) / 2
    return np.round(16 * (middle + np.sign(way) * (half - radius) + radius * way)).astype(np.int32)


def cloud(size: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise in [0, 1] whose spots are about so many pixels wide."""
    side = max(2, round(SIDE / size))
    return cv2.resize(rng.random((side, side), dtype=np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
