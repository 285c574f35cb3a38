"""Rings: the circle or box that people draw around a number to mark it. It is no zero, and no part of a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import cv2
import numpy as np

from digits.normalise import pen_width
from digits.strokes import INKED, Stroke, find_strokes, join, lie_within

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
NEAR, PART = 0.08, 0.15  # gap between two strokes of one digit, and height of one of them, in heights of the ring
ARCS, REACH, THIN = 6, 0.6, 0.3  # largest strokes that may be halves of a ring; how far each reaches along it; its ink
DRAWN = 0.02  # share of a ring that is ink, at least: of ruled lines alone there is nothing to leave out
RULED = (1, 2)  # how many times as dark what looks ruled is taken to be


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


def without_rings(ink: np.ndarray, rules: np.ndarray | None, strokes: Sequence[Stroke]) -> tuple[np.ndarray, list[str]]:
    """The ink without what is drawn around other ink, and a note of it.

    ink, rules: (height, width) float32 in [0, 1]; rules may be None. strokes: of the ink.
    """
    for drawn in _drawn(ink, rules, strokes):
        if rings := [ring for ring in find_rings(drawn) if _share_of(ring, ink) > DRAWN]:
            return _without(ink, rings), [f"drawn around what is written and ignored: {len(rings)}"]
    return ink, []


def _drawn(ink: np.ndarray, rules: np.ndarray | None, strokes: Sequence[Stroke]) -> Iterator[Sequence[Stroke]]:
    """The strokes, with what looks ruled, as some of a ring may, if there is such: as dark as it is, and darker."""
    if rules is None or not (max(RULED) * rules > INKED).any():
        yield strokes
        return
    for times in RULED:
        yield find_strokes(np.minimum(ink + times * rules, 1))[0]


def _without(ink: np.ndarray, rings: Sequence[_Ring]) -> np.ndarray:
    ink = ink.copy()
    for ring in rings:
        left, top, right, bottom = ring.stroke.box
        wider = cv2.dilate(ring.inked.view(np.uint8), np.ones((3, 3), np.uint8))
        ink[top:bottom, left:right][wider > 0] = 0
    return ink


def find_rings(strokes: Sequence[Stroke]) -> list[_Ring]:
    """The strokes in which others stand, or parts of their own that touch them, that may be digits."""
    boxes = np.array([stroke.box for stroke in strokes]).reshape(-1, 4)
    left, top, right, bottom = boxes.T
    largest = np.argsort((left - right) * (bottom - top), kind="stable")[:MOST].tolist()
    whole = [strokes[place] for place in largest]
    halves = [join(two) for two in combinations(whole[:ARCS], 2) if _may_be_halves(*two)]
    candidates = [*((one, False) for one in whole), *((one, True) for one in halves)]
    within = lie_within(boxes, np.array([one.box for one, _ in candidates]).reshape(-1, 4)).T
    found = (
        _find_ring(one, [strokes[place] for place in np.flatnonzero(inside).tolist()], parted)
        for (one, parted), inside in zip(candidates, within, strict=True)
    )
    return [ring for ring in found if ring is not None]


def _may_be_halves(one: Stroke, other: Stroke) -> bool:
    """Are both thin, and on either side of a middle, as halves of a circle that was not seen all around?"""
    boxes = np.array([one.box, other.box])
    sides, size = boxes[:, 2:] - boxes[:, :2], boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)
    inked = max(np.count_nonzero(half.ink > INKED) / half.ink.size for half in (one, other))
    return bool((sides / size).max(axis=1).min() > REACH and (sides < size).any() and inked < THIN)


def _share_of(ring: _Ring, ink: np.ndarray) -> float:
    left, top, right, bottom = ring.stroke.box
    return float(np.mean(ink[top:bottom, left:right][ring.inked] > INKED))


def _find_ring(stroke: Stroke, others: Sequence[Stroke], parted: bool) -> _Ring | None:
    """The stroke as a ring; None if it is open, or slim, or not hollow, or marks nothing.

    others: those that lie near its middle. Where one is marked, what touches the ring is marked, too; else that must be
    clear. parted: it is of two halves, and nothing touches them.
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
    is_whole = at_rim.all() if parted else _goes_round(of_rim, direction[at_rim])
    if np.mean(away[at_rim] > HOLLOW) < AT_RIM or not is_whole:
        return None
    ring = _Ring(stroke, pen, rim, inked)
    touching = list(_parts(stroke, inked & ~of_rim))
    if any(map(ring.marks, _near_together(others, stroke.height))):
        return ring.without(touching)
    clear = [part for part in touching if is_convex and _is_clear(part, stroke)]
    return ring.without(clear) if any(map(ring.may_mark, clear)) else None


def _near_together(strokes: Sequence[Stroke], height: int) -> list[Stroke]:
    """Strokes near to each other as one, as those of a 5 are, if one of them is no fragment; many are no digit's.

    height: of the ring in which they stand.
    """
    if len(strokes) > MOST:
        return list(strokes)
    groups: list[list[Stroke]] = []
    for stroke in strokes:
        near = [group for group in groups if min(_apart(stroke, other) for other in group) < NEAR * height]
        groups = [group for group in groups if group not in near] + [[stroke, *chain.from_iterable(near)]]
    return [join(group) for group in groups if max(stroke.height for stroke in group) > PART * height]


def _apart(one: Stroke, other: Stroke) -> float:
    """How far the boxes of two strokes are from each other, in pixels."""
    (left, top, right, bottom), (x, y, end, foot) = one.box, other.box
    return float(np.hypot(max(left - end, x - right, 0), max(top - foot, y - bottom, 0)))


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
