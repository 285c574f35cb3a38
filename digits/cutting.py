"""Cutting: the parts into which a stroke falls that may hold several digits, touching or overlapping.

Seams are laid from top to bottom wherever little ink is in the way, many more than are needed; what lies between two
of them may be a digit. Which of the parts are is judged later (digits/judge.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digits.normalise import pen_width
from digits.recognition import Box
from digits.strokes import INKED

DEEP = 0.62  # pens from the paper: ink as deep as this lies where two strokes touch, since one is half a pen deep
DEEP_COST = 0.1  # of crossing deep ink, where other ink costs 1: a seam may run along the contact of two digits
PAPER_COST = 0.02  # of crossing paper: a straight seam is better than a long one
SLANT_COST = 0.04  # of a step to the side
MOST_INK = 5.0  # pens of ink that a seam may cross
MOST_SEAMS = 22.0  # in a stroke as wide as high; in proportion in wider ones
THROUGH = (0.2, 0.35, 0.5, 0.65, 0.8)  # heights at which the places are sought that seams pass through
SEAMS_APART = 0.035  # mean distance of two seams, in heights
MARGIN = 0.08  # at both ends, in heights, where nothing is cut off
NARROWEST, WIDEST, LOWEST = 0.06, 1.4, 0.4  # width and height of a part, in heights of the line


@dataclass(frozen=True, eq=False)
class Part:
    """What lies between two seams: the pieces `first` to `last`.

    start, end: mean columns of the seams. ink: (height, width) float32, cropped to the box.
    """

    first: int
    last: int
    start: float
    end: float
    box: Box
    ink: np.ndarray


def find_parts(ink: np.ndarray, line_height: float) -> tuple[list[Part], int]:
    """Every part that has the size of a digit.

    ink: (height, width) float32 in [0, 1] of one stroke, best 64 pixels high; line_height: in its pixels.
    Returns the parts (the whole stroke is none) and the number of pieces that a row of digits has to cover.
    """
    pen = max(pen_width(ink), 1.0)
    seams = _find_seams(ink, pen)
    count = len(seams) - 1
    parts = []
    for first in range(count):
        for last in range(first, min(count, first + count - 1)):
            part = _between(ink, seams, first, last)
            if part is None:
                continue
            width, height = part.ink.shape[1] / line_height, part.ink.shape[0] / line_height
            if width > WIDEST:
                break
            if width > NARROWEST and height > LOWEST:
                parts.append(part)
    return parts, count


def _find_seams(ink: np.ndarray, pen: float) -> list[np.ndarray]:
    """Paths from top to bottom along which little ink is crossed, from left to right, both edges included.

    Each path gives its column for every row. The cheapest path through each place in a few rows is found by dynamic
    programming; the cheapest paths that differ are kept.
    """
    height, width = ink.shape
    most = MOST_SEAMS * max(1.0, width / height)
    kept: list[np.ndarray] = []
    for _, seam in sorted(_local_seams(ink, pen), key=lambda pair: pair[0]):
        inside = MARGIN * height < seam.mean() < width - MARGIN * height
        if inside and len(kept) < most and all(np.abs(seam - other).mean() > SEAMS_APART * height for other in kept):
            kept.append(seam)
    kept.sort(key=lambda seam: float(seam.mean()))
    return [np.full(height, -1), *kept, np.full(height, width)]


def _local_seams(ink: np.ndarray, pen: float) -> list[tuple[float, np.ndarray]]:
    """The seams that are cheaper than those beside them, each with its cost."""
    height = len(ink)
    cost = _crossing_cost(ink, pen)
    # One pass for both directions: from the top down, and, in the picture upside down, from the bottom up.
    (down, up), (from_above, from_below) = _cheapest(np.stack([cost, cost[::-1]]))
    up, from_below = up[::-1], from_below[::-1]
    found: list[tuple[float, np.ndarray]] = []
    for row in (int(share * height) for share in THROUGH):
        through = down[row] + up[row] - cost[row]
        inner = through[2:-2]
        low = (inner <= through[1:-3]) & (inner < through[3:-1]) & (inner < MOST_INK * pen + 2 * PAPER_COST * height)
        columns = np.flatnonzero(low) + 2
        found += zip(through[columns].tolist(), _trace(from_above, from_below, row, columns), strict=True)
    return found


def _crossing_cost(ink: np.ndarray, pen: float) -> np.ndarray:
    """What a seam pays for each pixel: little on paper, and little where two strokes lie side by side or cross."""
    inked = cv2.copyMakeBorder((ink > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(inked, cv2.DIST_L2, 3)[1:-1, 1:-1]
    cost: np.ndarray = np.where(depth > DEEP * pen + 0.5, DEEP_COST * ink, ink) + PAPER_COST
    return cost


def _cheapest(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cost of the cheapest path from the first row to each place, and the step (-1, 0, 1) that led there.

    cost: (n, height, width) float32, n pictures side by side; so are both answers.
    """
    total, step = cost.copy(), np.zeros(cost.shape, np.int64)
    above = np.full((len(cost), cost.shape[2] + 2), np.inf, np.float32)
    for row in range(1, cost.shape[1]):
        above[:, 1:-1] = total[:, row - 1]
        ways = np.stack([above[:, :-2] + SLANT_COST, above[:, 1:-1], above[:, 2:] + SLANT_COST])
        step[:, row] = ways.argmin(axis=0) - 1
        total[:, row] += ways.min(axis=0)
    return total, step


def _trace(from_above: np.ndarray, from_below: np.ndarray, row: int, columns: np.ndarray) -> np.ndarray:
    """The cheapest paths through these columns of a row: (len(columns), height), the column of each in every row."""
    seams = np.empty((len(columns), len(from_above)), np.int64)
    seams[:, row] = columns
    for y in range(row, 0, -1):
        seams[:, y - 1] = seams[:, y] + from_above[y, seams[:, y]]
    for y in range(row, len(from_above) - 1):
        seams[:, y + 1] = seams[:, y] + from_below[y, seams[:, y]]
    return seams


def _between(ink: np.ndarray, seams: list[np.ndarray], first: int, last: int) -> Part | None:
    """The ink of the pieces `first` to `last`; None if there is none."""
    start, end = int(seams[first].min()) + 1, min(int(seams[last + 1].max()) + 1, ink.shape[1])
    x = np.arange(start, end)
    inside = ink[:, start:end] * ((x > seams[first][:, None]) & (x <= seams[last + 1][:, None]))
    left, top, width, height = cv2.boundingRect((inside > INKED).view(np.uint8))
    if width == 0:
        return None
    right, bottom = left + width, top + height
    ends = max(float(seams[first].mean()), 0.0), float(seams[last + 1].mean())
    return Part(first, last, *ends, (start + left, top, start + right, bottom), inside[top:bottom, left:right])
