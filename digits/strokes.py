"""Strokes: ink that belongs together, found in a picture, specks left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from digits.normalise import pen_width
from digits.recognition import Box

THUMBNAIL = 40  # a picture of at most so many pixels a side holds one digit
INKED = 0.35  # what is darker belongs to a stroke
FEWEST, MOSTLY = 4, 0.7  # strokes of a display, and share of them that are bars:
BAR, BETWEEN, UPRIGHT = 2.0, 0.7, 1.6  # of so many pens, with gaps of so many pens between them, and upright ones
MOST_SEGMENTS, ALIKE = 100, 0.6  # strokes of one whose digits fall in halves, and height of the lower of two halves
EXACT = 0.1  # by which the heights of its digits differ, in their own
MATCHED = 0.6  # share of the columns that two bars, one over the other, have in common
LYING, STRAIGHT = 1.5, 0.4  # width of a bar in its heights at least, and how thick it is in its widths at most,
SOLID = 2.2  # and in what it is thick on average;
FILLED = 0.8  # share of what lies between its edges that is inked
SPECK = 0.6  # size, in widths of the pen, below which it is no decimal point
GRAIN = 1 / 200  # of the picture's longer side: what is smaller may be of the paper


@dataclass(frozen=True, eq=False)
class Stroke:
    """Ink that belongs together. box: in the ink; ink: (height, width) float32, cropped to the box, others' ink out."""

    box: Box
    ink: np.ndarray

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def middle(self) -> tuple[float, float]:
        """Of its box, x and y."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @cached_property
    def slope(self) -> float | None:
        """How many rows a bar runs down for each column: a dash, or half of an equals sign. None of what is no bar."""
        if self.width < LYING * self.height:
            return None
        inked = self.ink > INKED
        between = np.maximum.accumulate(inked) & np.maximum.accumulate(inked[::-1])[::-1]
        if inked.sum() < FILLED * between.sum():
            return None
        y, x = np.nonzero(inked)
        x, y = x - x.mean(), y - y.mean()
        slope = (x @ y) / max(x @ x, 1.0)
        thick = 2 * np.abs(y - slope * x).max(initial=0)
        return float(slope) if thick < min(STRAIGHT * self.width, SOLID * x.size / self.width) else None

    def moved(self, right: int, down: int) -> Stroke:
        """The same ink elsewhere."""
        left, top, *end = self.box
        return Stroke((left + right, top + down, end[0] + right, end[1] + down), self.ink)

    def columns(self, first: int, last: int) -> Stroke | None:
        """What is inked of it between two columns of the picture; None if nothing is."""
        left, top = max(first, self.box[0]), self.box[1]
        part = self.ink[:, left - self.box[0] : max(last - self.box[0], 0)]
        if not part.size:
            return None
        x, y, width, height = cv2.boundingRect((part > INKED).view(np.uint8))
        box = left + x, top + y, left + x + width, top + y + height
        return Stroke(box, part[y : y + height, x : x + width]) if width else None


def find_strokes(ink: np.ndarray) -> tuple[list[Stroke], list[str]]:
    """Connected ink, specks left out; all ink of a thumbnail, where a pixel may be a piece of the pen's line."""
    longest = max(ink.shape)
    inked = (ink > INKED).view(np.uint8)
    rectangle = cv2.boundingRect(inked)
    if rectangle[2] == 0:
        return [], []
    left, top, right, bottom = box = _with_edge(rectangle, ink.shape)
    window = slice(top, bottom), slice(left, right)
    if longest <= THUMBNAIL:
        return [Stroke(box, ink[window])], []
    count, labels, stats = _components(inked[window])
    if count == 2 and max(stats[1, 2:4]) > longest * GRAIN:  # no speck: nothing is there to compare it with
        return [_stroke(ink[window], labels, stats, 1).moved(left, top)], []
    pen = pen_width(ink[window])
    if count > 9:
        count, labels, stats = _bridge_dots(inked[window], longest, count, labels, stats)
    if count > FEWEST and np.mean(stats[1:, 2:4].min(axis=1) < BAR * pen) > MOSTLY:
        count, labels, stats = _bridged(inked[window], round(BETWEEN * pen) + 1)
    least = max(SPECK * pen, min(longest * GRAIN, 2 * pen))  # on a large page a point is smaller than the page's grain
    kept = [label for label in range(1, count) if max(stats[label, 2:4]) > least]
    strokes = [_stroke(ink[window], labels, stats, label).moved(left, top) for label in kept]
    notes = [f"specks ignored: {count - 1 - len(kept)}"] if len(kept) < count - 1 else []
    return _join_segments(strokes, pen), notes


def _join_segments(strokes: list[Stroke], pen: float) -> list[Stroke]:
    """The digits of a display: halves of which one stands right on the other, if there are several such, or such a
    digit is as high as another stroke."""
    if not FEWEST <= len(strokes) <= MOST_SEGMENTS:
        return strokes
    left, top, right, bottom = np.array([stroke.box for stroke in strokes], float).T
    height = bottom - top
    near = np.abs(top - bottom[:, None]) < UPRIGHT * pen  # [upper, lower]
    flush = np.minimum(*(np.abs(side - side[:, None]) for side in (left, right))) < BETWEEN * pen
    alike = np.minimum(height, height[:, None]) > ALIKE * np.maximum(height, height[:, None])
    halves: dict[int, int] = {}
    for upper, lower in np.argwhere(near & flush & alike).tolist():
        if not {upper, lower} & {*halves, *halves.values()} and _ends_meet(strokes[upper], strokes[lower], pen):
            halves[upper] = lower
    as_high = any(np.abs((bottom[lower] - top[upper]) / height - 1).min() < EXACT for upper, lower in halves.items())
    if len(halves) < 2 and not as_high:
        return strokes
    whole = [join([strokes[upper], strokes[lower]]) for upper, lower in halves.items()]
    rest = set(range(len(strokes))) - {*halves, *halves.values()}
    return [*(strokes[place] for place in sorted(rest)), *whole]


def _ends_meet(upper: Stroke, lower: Stroke, pen: float) -> bool:
    """Do bars at the sides of one stroke, and nothing else, stand right above those of the other?"""
    rows = max(1, round(pen / 2))
    feet = upper.box[0] + np.flatnonzero((upper.ink[-rows:] > INKED).any(axis=0))
    heads = lower.box[0] + np.flatnonzero((lower.ink[:rows] > INKED).any(axis=0))
    either = np.union1d(feet, heads)
    left, right = min(upper.box[0], lower.box[0]), max(upper.box[2], lower.box[2])
    inside = np.minimum(either - left, right - 1 - either).max(initial=0)
    return inside < BAR * pen and len(np.intersect1d(feet, heads)) > MATCHED * len(either)


def lie_within(inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """(n, m) bool: does each of the inner boxes, (n, 4), lie within each of the outer ones, (m, 4), sides left out?"""
    begins, ends = inner[:, None, :2] > outer[:, :2], inner[:, None, 2:] < outer[:, 2:]
    return np.asarray((begins & ends).all(axis=2))


def join(strokes: Sequence[Stroke]) -> Stroke:
    """Several strokes as one."""
    if len(strokes) == 1:
        return strokes[0]
    boxes = np.array([stroke.box for stroke in strokes])
    left, top = (int(value) for value in boxes[:, :2].min(axis=0))
    right, bottom = (int(value) for value in boxes[:, 2:].max(axis=0))
    ink = np.zeros((bottom - top, right - left), np.float32)
    for stroke in strokes:
        x, y = stroke.box[0] - left, stroke.box[1] - top
        view = ink[y : y + stroke.height, x : x + stroke.width]
        np.maximum(view, stroke.ink, out=view)
    return Stroke((left, top, right, bottom), ink)


def _with_edge(rectangle: Sequence[int], shape: tuple[int, ...]) -> Box:
    """The box of left, top, width, height, and one pixel more on each side, where the pen's soft edge is."""
    left, top, width, height = rectangle
    return max(0, left - 1), max(0, top - 1), min(shape[1], left + width + 1), min(shape[0], top + height + 1)


def _components(inked: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Connected components of what is inked: number, labels, stats as OpenCV gives them."""
    most = ((inked.shape[0] + 1) // 2) * ((inked.shape[1] + 1) // 2)  # components that there can be
    kind = cv2.CV_16U if most < 65_535 else cv2.CV_32S  # 16 bits are twice as fast as 32
    return cv2.connectedComponentsWithStats(inked, connectivity=8, ltype=kind)[:3]


def _bridge_dots(
    inked: np.ndarray, longest: int, count: int, labels: np.ndarray, stats: np.ndarray
) -> tuple[int, np.ndarray, np.ndarray]:
    """A dotted line is one stroke: if a pen's width bridges most gaps between many dots, they are bridged."""
    areas, widths, heights = (stats[1:, column].astype(float) for column in (cv2.CC_STAT_AREA, 2, 3))
    if np.median(areas / (widths * heights)) < 0.5 or np.median(np.maximum(widths, heights)) > 0.05 * longest:
        return count, labels, stats  # strokes, not dots
    reach = max(2, round(float(np.sqrt(np.median(areas)))))
    bridged = _bridged(inked, reach + 1)
    return bridged if bridged[0] - 1 <= (count - 1) / 3 else (count, labels, stats)


def _bridged(inked: np.ndarray, reach: int) -> tuple[int, np.ndarray, np.ndarray]:
    """The components of what is inked, where gaps of less than so many pixels are none: as of `_components`."""
    wide = cv2.dilate(inked, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    count, labels = cv2.connectedComponents(wide, connectivity=8)
    labels = labels * inked
    y, x = np.nonzero(labels)
    own = labels[y, x]
    first, last = np.full((2, count), max(inked.shape)), np.zeros((2, count), int)
    for axis, places in enumerate((x, y)):
        np.minimum.at(first[axis], own, places)
        np.maximum.at(last[axis], own, places + 1)
    stats = np.column_stack([*first, *(last - first), np.bincount(own, minlength=count)])
    return count, labels, stats.astype(np.int32)


def _stroke(ink: np.ndarray, labels: np.ndarray, stats: np.ndarray, label: int) -> Stroke:
    left, top, right, bottom = box = _with_edge(stats[label, :4].tolist(), ink.shape)
    window = slice(top, bottom), slice(left, right)
    if len(stats) == 2:  # the background and this: no ink of others
        return Stroke(box, ink[window].copy())
    own = labels[window] == label
    other = (labels[window] > 0) & ~own
    part = np.where(other, 0, ink[window])
    if other.any():
        part = part * cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8))
    return Stroke(box, part.astype(np.float32))
