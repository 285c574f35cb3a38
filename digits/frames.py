"""Frames: the boxes of a form. What stands in one is a field of its own, whatever is printed or written beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import cv2
import numpy as np

from digits.layout import Layout, Strip, find_strips
from digits.recognition import Box
from digits.strokes import Stroke
from digits.table import RULED

MOST = 12  # frames of a form; more are squared paper
BRIDGED = 0.15  # gap in a frame's sides, in heights of what stands in it, that is closed
STRAIGHT = 0.85  # share of the box around it, turned as it is, that a frame takes at least
HIGHER = 1.1  # height of a frame in those of what stands in it, at least


def part_at_frames(layout: Layout, rules: np.ndarray | None) -> Layout:
    """The layout with what stands in a frame in strips of its own, and what stands on either side of it in others.

    rules: (height, width) float32 in [0, 1], the map of ruled lines, frames among them.
    """
    strokes = [stroke for strip in layout.strips for stroke in strip.strokes]
    frames = find_frames(rules, strokes) if rules is not None and len(strokes) > 1 else []
    if not frames:
        return layout
    return replace(layout, strips=[part for strip in layout.strips for part in _part(strip, frames)])


def find_frames(rules: np.ndarray, strokes: list[Stroke]) -> list[Box]:
    """The insides of the frames in which something stands, from left to right."""
    height = float(np.median([stroke.height for stroke in strokes]))
    mask = (rules > RULED).view(np.uint8)
    gap = 2 * round(BRIDGED * height / 2) + 1
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    contours, tree = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    holes = [contour for place, contour in enumerate(contours) if tree[0, place, 3] >= 0]
    boxes = [_box(contour) for contour in holes if _is_box(contour)]
    if len(boxes) > MOST:
        return []
    return sorted(box for box in boxes if any(_holds(box, stroke) for stroke in strokes))


def _box(contour: np.ndarray) -> Box:
    x, y, width, height = cv2.boundingRect(contour)
    return x, y, x + width, y + height


def _is_box(contour: np.ndarray) -> bool:
    _, (width, height), _ = cv2.minAreaRect(contour)
    return cv2.contourArea(contour) > STRAIGHT * width * height


def _holds(frame: Box, stroke: Stroke) -> bool:
    left, top, right, bottom = frame
    x, y = stroke.middle
    return left < x < right and top < y < bottom and bottom - top > HIGHER * stroke.height


def _part(strip: Strip, frames: list[Box]) -> Iterator[Strip]:
    """The parts of a strip between the sides of frames, from left to right."""
    for _, part in groupby(strip.strokes, lambda stroke: _place(stroke, frames)):
        yield from find_strips(strip.line, list(part))


def _place(stroke: Stroke, frames: list[Box]) -> tuple[int, bool]:
    """How many frames end to the left of it, and whether it stands in one."""
    return sum(frame[2] <= stroke.middle[0] for frame in frames), any(_holds(frame, stroke) for frame in frames)
