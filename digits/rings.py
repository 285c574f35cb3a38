"""Rings: the circle or box that people draw around a number to mark it. It is no zero, and no part of a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.normalise import pen_width
from digits.strokes import INKED, Stroke, lie_within

MOST = 40  # strokes that are looked at, the largest
AROUND = 2.5  # area of a ring's hull, in that of its ink, at least
SLIMMEST, ROUNDISH = 0.65, 0.8  # its width in its heights, at least; if what is in it touches it, as in some zeros
PENS = 1.5  # that a ring is thick
HOLLOW, AT_RIM = 0.65, 0.9  # how far from its middle, in its half width and height, so much of a ring is
DIRECTIONS, CLOSED = 36, 0.85  # in which a ring is looked at; share of them in which it has ink
INSIDE = 0.95  # share of the ink of what stands in a ring that lies within it
LONGEST = 2.8  # how long its line is, in its width and height together: ink for more is a blot
HIGH = 0.3  # height of the highest stroke in it, in those of the ring: the eyes of a face are lower
CONVEX, HIGHER = 0.95, 0.5  # share of its hull that it then fills, as two digits do not; height of what touches it
STRAIGHT, ACROSS = 0.35, 0.7  # width of a stroke through a zero, in its length; that in the zero's height, at least
DRAWN = 0.2  # share of a ring that is ink: one of ruled lines is left to the tables


@dataclass(frozen=True, eq=False)
class _Ring:
    """A stroke around a middle. pen: its width, in pixels; rim: (DIRECTIONS,) how far its inner edge is from it, in its
    half width and height; inked: (height, width) bool, its own pixels."""

    stroke: Stroke
    pen: float
    rim: np.ndarray
    inked: np.ndarray

    def marks(self, other: Stroke) -> bool:
        """Is another stroke within it, high enough for a digit, and no blot?"""
        direction, away = _seen_from_middle(other, self.stroke)
        return bool(np.mean(away < self.rim[direction]) > INSIDE) and self.may_mark(other)

    def may_mark(self, other: Stroke) -> bool:
        """Is it high enough for a digit, and no blot, far too long for the ring's pen, and no stroke through a zero?"""
        length = np.count_nonzero(other.ink > INKED) / self.pen
        short, long = _sides(other)
        is_slash = short < STRAIGHT * long and long > ACROSS * self.stroke.height
        is_blot = length > LONGEST * (other.width + other.height)
        return other.height > HIGH * self.stroke.height and not (is_slash or is_blot)

    def without(self, parts: Sequence[Stroke]) -> _Ring:
        """The ring without what touches it."""
        inked = self.inked.copy()
        for part in parts:
            left, top = part.box[0] - self.stroke.box[0], part.box[1] - self.stroke.box[1]
            inked[top : top + part.height, left : left + part.width] &= part.ink <= 0
        return replace(self, inked=inked)


def without_rings(ink: np.ndarray, strokes: Sequence[Stroke]) -> tuple[np.ndarray, list[str]]:
    """The ink without what is drawn around other ink, and a note of it.

    ink: (height, width) float32. strokes: of the ink and what looks ruled together, as some of a ring may.
    """
    rings = [ring for ring in find_rings(strokes) if _share_of(ring, ink) > DRAWN]
    if not rings:
        return ink, []
    ink = ink.copy()
    for ring in rings:
        left, top, right, bottom = ring.stroke.box
        wider = cv2.dilate(ring.inked.view(np.uint8), np.ones((3, 3), np.uint8))
        ink[top:bottom, left:right][wider > 0] = 0
    return ink, [f"drawn around what is written and ignored: {len(rings)}"]


def find_rings(strokes: Sequence[Stroke]) -> list[_Ring]:
    """The strokes in which others stand, or parts of their own that touch them, that may be digits."""
    boxes = np.array([stroke.box for stroke in strokes]).reshape(-1, 4)
    left, top, right, bottom = boxes.T
    largest = np.argsort((left - right) * (bottom - top), kind="stable")[:MOST]
    within = lie_within(boxes, boxes[largest]).T
    found = (
        _find_ring(strokes[place], [strokes[other] for other in np.flatnonzero(inside).tolist()])
        for place, inside in zip(largest.tolist(), within, strict=True)
    )
    return [ring for ring in found if ring is not None]


def _share_of(ring: _Ring, ink: np.ndarray) -> float:
    left, top, right, bottom = ring.stroke.box
    return float(np.mean(ink[top:bottom, left:right][ring.inked] > INKED))


def _find_ring(stroke: Stroke, others: Sequence[Stroke]) -> _Ring | None:
    """The stroke as a ring; None if it is open, or slim, or not hollow, or marks nothing.

    others: those that lie near its middle. Where one is marked, what touches the ring is marked, too; else that must be
    clear.
    """
    if stroke.width < SLIMMEST * stroke.height:
        return None
    inked, outline = stroke.ink > INKED, _outline(stroke)
    hull = cv2.contourArea(cv2.convexHull(outline))
    is_convex = cv2.contourArea(outline) > CONVEX * hull and stroke.width > ROUNDISH * stroke.height
    if hull < AROUND * np.count_nonzero(inked) or not (others or is_convex):
        return None
    direction, away = _seen_from_middle(stroke, stroke)
    edge = np.full(DIRECTIONS, -np.inf)
    np.maximum.at(edge, direction, away)
    if np.isfinite(edge).mean() < CLOSED:
        return None
    pen = pen_width(stroke.ink)
    rim = edge - 2 * PENS * pen / min(stroke.width, stroke.height)
    at_rim = away >= rim[direction]
    of_rim = inked.copy()
    of_rim[inked] = at_rim
    if np.mean(away[at_rim] > HOLLOW) < AT_RIM or not _goes_round(of_rim, direction[at_rim]):
        return None
    ring = _Ring(stroke, pen, rim, inked)
    touching = list(_parts(stroke, inked & ~of_rim))
    if any(map(ring.marks, others)):
        return ring.without(touching)
    clear = [part for part in touching if is_convex and _is_clear(part, stroke)]
    return ring.without(clear) if any(map(ring.may_mark, clear)) else None


def _goes_round(of_rim: np.ndarray, direction: np.ndarray) -> bool:
    """Does the outermost ink hold together all around? That of a number whose digits touch does not.

    of_rim: (height, width) bool; direction: of each of its pixels.
    """
    _, labels = cv2.connectedComponents(of_rim.view(np.uint8), connectivity=8)
    own = labels[of_rim]
    longest = own == np.bincount(own).argmax()
    return len(np.unique(direction[longest])) >= CLOSED * DIRECTIONS


def _outline(stroke: Stroke) -> np.ndarray:
    inked = (stroke.ink > INKED).view(np.uint8)
    contours, _ = cv2.findContours(inked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return max(contours, key=cv2.contourArea)


def _parts(ring: Stroke, inner: np.ndarray) -> Iterator[Stroke]:
    """What touches a ring from within and may be a digit. inner: (height, width) bool, ink that is none of the rim."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inner.view(np.uint8), connectivity=8)
    for label in range(1, count):
        left, top, width, height = stats[label, :4].tolist()
        if height > HIGH * ring.height:
            own = labels[top : top + height, left : left + width] == label
            box = ring.box[0] + left, ring.box[1] + top, ring.box[0] + left + width, ring.box[1] + top + height
            yield Stroke(box, np.where(own, ring.ink[top : top + height, left : left + width], 0).astype(np.float32))


def _is_clear(part: Stroke, ring: Stroke) -> bool:
    """Is it high, and no stroke through a zero?"""
    short, long = _sides(part)
    return part.height >= HIGHER * ring.height and short >= STRAIGHT * long


def _sides(stroke: Stroke) -> tuple[float, float]:
    """The shorter and the longer side of the smallest rectangle, however turned, around its ink."""
    _, sides, _ = cv2.minAreaRect(np.argwhere(stroke.ink > INKED).astype(np.float32))
    return min(sides), max(sides)


def _seen_from_middle(stroke: Stroke, ring: Stroke) -> tuple[np.ndarray, np.ndarray]:
    """Of each inked pixel: in which of DIRECTIONS it lies from the ring's middle, and how far, in its half sides."""
    left, top, right, bottom = ring.box
    y, x = np.nonzero(stroke.ink > INKED)
    across = (2 * (x + stroke.box[0]) - left - right) / (right - left)
    down = (2 * (y + stroke.box[1]) - top - bottom) / (bottom - top)
    direction = ((np.arctan2(down, across) / (2 * np.pi) % 1) * DIRECTIONS).astype(int) % DIRECTIONS
    return direction, np.hypot(across, down)
