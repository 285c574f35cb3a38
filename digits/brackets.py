"""Brackets around a number, or after it: arcs that each alone look like a 1, but are higher than what they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.normalise import pen_width
from digits.strokes import INKED, Stroke

MOST = 60  # arcs of a picture; more are a pattern
SLIM = 0.55  # width of a bracket in its heights, at most,
THICK = 1.6  # and its ink, in that of a pen drawn along it
FEWEST = 5  # rows that it is high at least
BOW = 0.07  # how far its middle lies off the line between its ends, in its heights, at least;
ALONE = 0.09  # of a closing bracket without an opening one
ROUND, FLATTEST = 0.45, 1.3  # how far it is off at its quarters, in its bow, at least, and anywhere at most
HIGHER = 1.05  # its height, in those of the highest stroke that it holds,
LOWEST = 0.35  # which is so high, in those of the bracket, at least
ALIKE, LEVEL = 0.7, 0.7  # height of the lower of a pair in those of the higher; share of it that both have in common
LONGEST = 8.0  # how far it holds what stands beside it at most, in its heights,
NEAR = 0.8  # and how near that is, if there is no other bracket; nothing is so near behind it


def find_brackets(strokes: Sequence[Stroke]) -> list[Stroke]:
    """Closing brackets after something lower, and the opening ones before it. One that is not closed is not found."""
    if len(strokes) == 1:
        return []
    bows = ((stroke, _bow(stroke)) for stroke in strokes if stroke.width < SLIM * stroke.height)
    arcs = [(stroke, bow) for stroke, bow in bows if abs(bow) > BOW]
    if len(arcs) > MOST:
        return []
    opening = [stroke for stroke, bow in arcs if bow < 0]
    found = []
    for closing, bow in arcs:
        if bow < 0:
            continue
        pairs = [other for other in opening if _are_pair(other, closing) and _hold(other, closing, strokes)]
        if pairs:
            found += [max(pairs, key=lambda other: other.box[2]), closing]
        elif bow > ALONE and _ends(closing, strokes):
            found.append(closing)
    return found


def _bow(stroke: Stroke) -> float:
    """How far an arc's middle lies to the right of the line between its ends, in its heights; 0 of what is no arc."""
    inked = stroke.ink > INKED
    rows = np.flatnonzero(inked.any(axis=1))
    if len(rows) < FEWEST:
        return 0.0
    columns = inked[rows] @ np.arange(inked.shape[1]) / inked[rows].sum(axis=1)  # the middle of the pen in each row
    length = float(np.hypot(np.diff(columns), 1).sum())
    if inked.sum() > THICK * pen_width(stroke.ink) * length:
        return 0.0
    off = (columns - np.linspace(columns[0], columns[-1], len(rows))) / len(rows)
    quarter, bow, other = off[[len(rows) // 4, len(rows) // 2, 3 * len(rows) // 4]].tolist()
    is_arc = min(quarter * bow, other * bow) > ROUND * bow**2 and np.abs(off).max() < FLATTEST * abs(bow)
    return bow if is_arc else 0.0


def _are_pair(opening: Stroke, closing: Stroke) -> bool:
    """Does one stand before the other, as high as it and level with it?"""
    low, high = sorted((opening.height, closing.height))
    common = min(opening.box[3], closing.box[3]) - max(opening.box[1], closing.box[1])
    return low > ALIKE * high and common > LEVEL * low and opening.box[2] < closing.box[0]


def _hold(opening: Stroke, closing: Stroke, strokes: Sequence[Stroke]) -> bool:
    """Is what stands between two brackets lower than both?"""
    highest = _highest(opening.box[0], closing, strokes)
    return highest > LOWEST * closing.height and HIGHER * highest < min(opening.height, closing.height)


def _ends(closing: Stroke, strokes: Sequence[Stroke]) -> bool:
    """Is what stands before a bracket near and lower, and nothing right behind it?"""
    left, _, right, _ = closing.box
    level = [stroke for stroke in strokes if stroke is not closing and _is_level(stroke, closing)]
    near = NEAR * closing.height
    before = [stroke for stroke in level if left - near < stroke.box[2] and stroke.box[0] < left]
    after = [stroke for stroke in level if right < stroke.box[2] and stroke.box[0] < right + near]
    highest = _highest(-1, closing, strokes)
    return bool(before) and not after and LOWEST * closing.height < highest < closing.height / HIGHER


def _highest(first: int, closing: Stroke, strokes: Sequence[Stroke]) -> int:
    """Height of the highest stroke from a column on that stands before a bracket; 0 if nothing does."""
    first = max(first, round(closing.box[0] - LONGEST * closing.height))
    within = (stroke for stroke in strokes if first < stroke.box[0] and stroke.box[2] < closing.box[2])
    return max((stroke.height for stroke in within if _is_level(stroke, closing)), default=0)


def _is_level(stroke: Stroke, bracket: Stroke) -> bool:
    return bracket.box[1] < stroke.middle[1] < bracket.box[3]
