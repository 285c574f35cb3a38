"""Turn: a page that was photographed askew, or lies on its side, is turned until its lines of writing are level."""

from __future__ import annotations

import cv2
import numpy as np

SEEN = 0.5  # of a map, from which on something is there
STROKES = 4  # that a picture must have: a single digit stays as it stands
LONG, LONGER = 3.0, 4.5  # times as long as high: a line of writing that tells a direction, and one that stands upright
FEW = 3  # lines that must stand upright for the page to lie on its side
ASKEW = 20.0  # degrees that a page lies askew at most, upright or on its side
ALIKE, AGREE = 6.0, 0.7  # degrees that lines of a page differ by, and the share of them, by length, that does not more


def find_slope(ink: np.ndarray, lines: np.ndarray) -> float:
    """How far the lines of writing run down to the right, in degrees from -90 to 90; 0 if too few agree to tell.

    ink, lines: (height, width) float32 in [0, 1]; lines: ribbons along the middle of each line (digits.ink.LINES).
    """
    if cv2.connectedComponents((ink > SEEN).view(np.uint8))[0] - 1 < STROKES:
        return 0.0
    contours, _ = cv2.findContours((lines > SEEN).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rectangles = [cv2.minAreaRect(contour) for contour in contours]
    long = [rectangle for rectangle in rectangles if max(rectangle[1]) > LONG * max(min(rectangle[1]), 1.0)]
    if not long:
        return 0.0
    slopes = np.array([_slope(cv2.boxPoints(rectangle)) for rectangle in long])
    lengths = np.array([max(sides) for _, sides, _ in long])
    slope = _weighted_median(slopes, lengths)
    alike = np.abs((slopes - slope + 90) % 180 - 90) < ALIKE
    agree = lengths[alike].sum() > AGREE * lengths.sum()
    longer = sum(max(sides) > LONGER * max(min(sides), 1.0) for _, sides, _ in long)
    turned = abs(slope) < ASKEW or (abs(slope) > 90 - ASKEW and longer >= FEW)
    return slope if agree and turned else 0.0


def _slope(corners: np.ndarray) -> float:
    """Of the longer side of a rectangle, in degrees between -90 and 90."""
    sides = np.diff(corners[:3], axis=0)
    x, y = sides[np.hypot(*sides.T).argmax()]
    return float((np.degrees(np.arctan2(y, x)) + 90) % 180 - 90)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = values.argsort()
    passed = weights[order].cumsum()
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])


def turn(ink: np.ndarray, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """The ink turned so that lines of this slope, in degrees, are level, and nothing is cut off.

    Returns (height, width) float32, and the (2, 3) float64 matrix from its places (x, y, 1) to those of `ink`.
    """
    height, width = ink.shape
    forth = cv2.getRotationMatrix2D((width / 2, height / 2), slope, 1.0)
    cosine, sine = np.abs(forth[0, :2])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    forth[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cv2.warpAffine(ink, forth, size, flags=cv2.INTER_LINEAR), cv2.invertAffineTransform(forth)
