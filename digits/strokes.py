"""Strokes: ink that belongs together, found in a picture, specks left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from digits.normalise import pen_width
from digits.recognition import Box

THUMBNAIL = 40  # a picture of at most so many pixels a side holds one digit
INKED = 0.35  # what is darker belongs to a stroke
SPECK = 0.6  # size, in widths of the pen, below which it is no decimal point


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
    if count > 9:
        count, labels, stats = _bridge_dots(inked[window], longest, count, labels, stats)
    pen = pen_width(ink[window])
    least = max(SPECK * pen, min(longest / 200, 2 * pen))  # on a large page a point is smaller than the page's grain
    kept = [label for label in range(1, count) if max(stats[label, 2:4]) > least]
    strokes = [_stroke(ink[window], labels, stats, label).moved(left, top) for label in kept]
    notes = [f"specks ignored: {count - 1 - len(kept)}"] if len(kept) < count - 1 else []
    return strokes, notes


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
    bridged = cv2.dilate(inked, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach + 1, reach + 1)))
    fewer, bridged_labels = cv2.connectedComponents(bridged, connectivity=8)
    if fewer - 1 > (count - 1) / 3:
        return count, labels, stats
    labels = bridged_labels * inked
    stats = np.array([[0, 0, 0, 0, 0], *(_stat(labels == label) for label in range(1, fewer))], np.int32)
    return fewer, labels, stats


def _stat(mask: np.ndarray) -> list[int]:
    return [*cv2.boundingRect(mask.astype(np.uint8)), int(mask.sum())]


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
