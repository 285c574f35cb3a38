"""Objects: what lies on the sheet and reaches in from its edge, far wider than any pen: a pen, a finger, a ruler."""

from __future__ import annotations

import cv2
import numpy as np

from digits.normalise import pen_width
from digits.strokes import INKED, Stroke

WIDER = 1.8  # width of an object, in those of the pen
HIGH = 0.3  # height, in those of the highest, from which on a stroke tells how wide the pen is
SOLID = 0.8  # share of its hull that an object fills


def find_objects(strokes: list[Stroke], shape: tuple[int, ...]) -> list[Stroke]:
    """The strokes that are objects. shape: of the ink in which they are, (height, width)."""
    at_edge = [stroke for stroke in strokes if _reaches_edge(stroke, shape)]
    inside = [stroke for stroke in strokes if stroke not in at_edge]
    if not at_edge or not inside:
        return []
    highest = max(stroke.height for stroke in inside)
    pen = max(pen_width(stroke.ink) for stroke in inside if stroke.height >= HIGH * highest)
    return [stroke for stroke in at_edge if pen_width(stroke.ink) > WIDER * pen and _is_solid(stroke)]


def _reaches_edge(stroke: Stroke, shape: tuple[int, ...]) -> bool:
    left, top, right, bottom = stroke.box
    return min(left, top) == 0 or right >= shape[1] or bottom >= shape[0]


def _is_solid(stroke: Stroke) -> bool:
    inked = (stroke.ink > INKED).view(np.uint8)
    hull = cv2.convexHull(cv2.findNonZero(inked))
    return float(inked.sum()) > SOLID * (cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2)
