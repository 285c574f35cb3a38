"""Turn: a page that was photographed askew, or lies on its side, is turned until its lines of writing are level."""

from __future__ import annotations

import cv2
import numpy as np

SEEN = 0.5  # of a map, from which on something is there
STROKES = 4  # that a picture must have: a single digit stays as it stands
LONG, LONGER = 3.0, 4.5  # times as long as high: a line of writing that tells a direction, and one that stands upright
FEW, AGREE = 3, 0.7  # lines that must stand upright for the page to lie on its side, and their share of all, by length
ASKEW = 20  # degrees that a page lies askew at most, upright or on its side
SIDE, FAINT = 300, 0.2  # pixels of the longer side at which the slope is looked for; ink that counts there
FINER = 0.25  # degrees between the slopes that are tried in the end
SHARPER = 1.12  # times as sharp as it is level, a profile must be for its slope to be believed

Places = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Columns and rows of inked pixels, and how much ink each has."""


def find_slope(ink: np.ndarray, lines: np.ndarray) -> float:
    """How far the lines of writing run down to the right, in degrees from -90 to 90; 0 if it is not clear.

    At their slope, the ink lies in few rows with gaps between them (Postl 1986, "Detection of linear oblique structures
    and skew scan in digitized documents"). ink, lines: (height, width) float32 in [0, 1]; lines: ribbons along the
    middle of each line (digits.ink.LINES), which tell whether the page lies on its side.
    """
    if cv2.connectedComponents((ink > SEEN).view(np.uint8))[0] - 1 < STROKES:
        return 0.0
    scale = min(1.0, SIDE / max(ink.shape))
    small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    y, x = np.nonzero(small > FAINT)
    if not x.size:  # all of it is finer than that
        return 0.0
    places = x - x.mean(), y - y.mean(), small[y, x]
    middle = 90.0 if _stand_upright(lines) else 0.0
    tried = np.arange(middle - ASKEW, middle + ASKEW + 1)
    slope = max(tried, key=lambda degrees: _sharpness(places, degrees))
    if slope in tried[[0, -1]]:  # it gets sharper beyond
        return 0.0
    slope = max(slope + FINER * np.arange(-3, 4), key=lambda degrees: _sharpness(places, degrees))
    if not middle and _sharpness(places, slope) < SHARPER * _sharpness(places, 0.0):
        return 0.0
    return float((slope + 90) % 180 - 90)


def _sharpness(places: Places, degrees: float) -> float:
    """How unevenly the ink is spread over rows that slope so: the sum of the squares of what each row has."""
    x, y, amount = places
    angle = np.radians(degrees)
    rows = y * np.cos(angle) - x * np.sin(angle)
    profile = np.convolve(np.bincount(np.round(rows - rows.min()).astype(int), weights=amount), (0.25, 0.5, 0.25))
    return float(profile @ profile)


def _stand_upright(lines: np.ndarray) -> bool:
    """Do several lines of writing, most of what is long enough to tell, run up or down? lines: as of `find_slope`."""
    contours, _ = cv2.findContours((lines > SEEN).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rectangles = [cv2.minAreaRect(contour) for contour in contours]
    long = [rectangle for rectangle in rectangles if max(rectangle[1]) > LONG * max(min(rectangle[1]), 1.0)]
    if sum(max(sides) > LONGER * max(min(sides), 1.0) for _, sides, _ in long) < FEW:
        return False
    upright = [abs(_slope(cv2.boxPoints(rectangle))) > 90 - ASKEW for rectangle in long]
    lengths = np.array([max(sides) for _, sides, _ in long])
    return bool(lengths[upright].sum() > AGREE * lengths.sum())


def _slope(corners: np.ndarray) -> float:
    """Of the longer side of a rectangle, in degrees between -90 and 90."""
    sides = np.diff(corners[:3], axis=0)
    x, y = sides[np.hypot(*sides.T).argmax()]
    return float((np.degrees(np.arctan2(y, x)) + 90) % 180 - 90)


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
