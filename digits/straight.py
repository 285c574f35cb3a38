"""Straight: a stroke that looks like a ruled line, a 1 or the stem of a 4, and a rest of a line that looks like a 1."""

from __future__ import annotations

import cv2
import numpy as np

from digits.recognition import Box
from digits.turn import SEEN

LONGER = 1.25  # times as long as the digits are high: such a stroke may be a ruled line
STUMPY, PART_OF_SIGN = 1.3, 0.06  # width of a sign in its heights at most, and share of it that is ink at least
MOSTLY = 0.15  # and of one that is no ruled line for certain, within its outline and some pixels around;
SLIM, LEVEL, NEAR = 2.5, 0.35, 2.0  # a 1 beside it: in widths how high; in its heights how far off the line, and apart
MOST_SLIM, LEANING = 200, 0.15  # strokes that may be such 1s; slope up to which a ruled line is upright
SHORTEST, SPECK = 6, 12  # pixels of a rest of a line, and of what is smaller than any digit
OFF, EVEN = 1, 1.7  # pixels that its middle may be off a straight line; how wide it is anywhere, in its mean width
GOES_ON = 0.7  # share of the way beyond its ends on which a line goes on, as far as others are high,
AS_DARK, FAR = 0.6, 2.0  # how dark it is there, in its own; times as far it goes on at one end, if not at both
ENDLESS = 3.5  # times as long as others are high: no stroke is, whatever is beyond its ends


def with_straight_strokes(ink: np.ndarray, maybe: np.ndarray, rules: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sure ink and rules; what looks ruled but is a part of a sign, or stands beside signs as one of them, is ink: a 1.

    Lines that are ruled reach beyond what is written on them, to the edge, or around cells. ink, maybe: (height, width)
    float32 in [0, 1], what is sure and what may be ink; rules: the same.
    """
    ruled = rules > SEEN
    if not ruled.any():
        return ink, rules
    ink = ink.copy()
    drawn = maybe + rules
    both = cv2.dilate((drawn > SEEN).view(np.uint8), np.ones((5, 5), np.uint8))
    contours, tree = cv2.findContours(both, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = [place for place in range(len(contours)) if tree[0, place, 3] < 0]
    boxes = np.array([cv2.boundingRect(contours[place]) for place in outer])
    shares = np.array([_share_of_ink(contours[place], box, ink) for place, box in zip(outer, boxes, strict=True)])
    beside = _stand_beside(boxes, shares > MOSTLY) & ~_are_columns(ruled, boxes[shares > MOSTLY, 3])
    rules = rules.copy()
    for place, (x, y, width, height), share, is_beside in zip(outer, boxes, shares, beside, strict=True):
        at_edge = min(x, y) == 0 or x + width == ink.shape[1] or y + height == ink.shape[0]
        if at_edge or tree[0, place, 2] >= 0 or width > STUMPY * height or not (share > PART_OF_SIGN or is_beside):
            continue
        part = slice(y, y + height), slice(x, x + width)
        if not ruled[part].any():
            continue
        sign = _filled(contours[place], (x, y, width, height)) > 0
        ink[part] = np.where(sign & (drawn[part] > SEEN), np.clip(drawn[part], 0, 1), ink[part])
        rules[part] = np.where(sign & ruled[part], 0, rules[part])
    return ink, rules


def _share_of_ink(contour: np.ndarray, box: Box, ink: np.ndarray) -> float:
    """Share of what is within a contour that is ink."""
    x, y, width, height = box
    sign = _filled(contour, box)
    return float(np.count_nonzero((sign > 0) & (ink[y : y + height, x : x + width] > SEEN)) / sign.sum())


def _filled(contour: np.ndarray, box: Box) -> np.ndarray:
    x, y, width, height = box
    sign = np.zeros((height, width), np.uint8)
    cv2.drawContours(sign, [contour], -1, 1, cv2.FILLED, offset=(-x, -y))
    return sign


def _are_columns(ruled: np.ndarray, heights: np.ndarray) -> bool:
    """Are there upright ruled lines, longer than a sign is high? heights: of the signs, in pixels."""
    if not heights.size:
        return False
    reach = round(LONGER * float(np.median(heights)))
    thick = cv2.dilate(ruled.view(np.uint8), np.ones((1, max(3, round(LEANING * reach))), np.uint8))
    return bool(cv2.erode(thick, np.ones((reach, 1), np.uint8), borderValue=0).any())


def _stand_beside(boxes: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Of each box (x, y, width, height): is it slim and upright, and near to a sign as high as it, in its line?

    signs: whether each is one. Beside a single sign it may be the side of its cell. If more than MOST_SLIM are slim, it
    is a pattern.
    """
    slim = np.flatnonzero(~signs & (boxes[:, 3] > SLIM * boxes[:, 2]))
    beside = np.zeros(len(boxes), bool)
    if slim.size > MOST_SLIM or np.count_nonzero(signs) < 2:
        return beside
    x, y, width, height = boxes[slim, :, None].transpose(1, 0, 2)
    sign_x, sign_y, sign_width, sign_height = boxes[signs].T
    gap = np.maximum(sign_x - x - width, x - sign_x - sign_width)
    over, under = np.abs(y - sign_y), np.abs(y + height - sign_y - sign_height)
    beside[slim] = ((np.maximum(over, under) < LEVEL * height) & (gap < NEAR * height)).any(axis=1)
    return beside


def without_straight_rests(ink: np.ndarray, rules: np.ndarray, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ink without what goes on beyond both of its ends as dark and as straight, as no 1 and no dash does; the rules
    with it: a piece of a ruled line, of a fold, of the edge of a sheet.

    ink, rules: (height, width) float32 in [0, 1]; grey: what was seen of them, uint8, ink dark.
    """
    rests = _upright_rests(ink, grey) | _upright_rests(ink.T, grey.T).T
    if not rests.any():
        return ink, rules
    around = cv2.dilate(rests.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(around, 0, ink), np.where(rests, np.maximum(rules, ink), rules)


def _upright_rests(ink: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Where such pieces are, (height, width) bool."""
    inked = np.ascontiguousarray(ink > SEEN)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inked.view(np.uint8), connectivity=8)
    width, height = stats[1:, 2], stats[1:, 3]
    is_slim = (height > SLIM * width) & (height >= SHORTEST)
    rests = np.zeros(ink.shape, bool)
    no_specks = np.maximum(width, height) >= SPECK
    if not is_slim.any() or not no_specks.any():
        return rests
    usual = _middle_of_ink(height[no_specks], stats[1:, cv2.CC_STAT_AREA][no_specks])
    for label in (1 + np.flatnonzero(is_slim))[:MOST_SLIM].tolist():
        x, y, across, down = stats[label, :4].tolist()
        own = labels[y : y + down, x : x + across] == label
        if _is_rest(own, x, y, grey, usual):
            rests[y : y + down, x : x + across] |= own
    return rests


def _middle_of_ink(heights: np.ndarray, areas: np.ndarray) -> float:
    """The height of that of several pieces in which the middle of all their ink is: small ones count for little."""
    order = np.argsort(heights)
    ink = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(ink, ink[-1] / 2)])


def _is_rest(own: np.ndarray, left: int, top: int, grey: np.ndarray, usual: float) -> bool:
    """Does a straight line in the grey go on beyond both ends of a piece, or far beyond one? Or is it too long itself?

    own: (height, width) bool, the piece; left, top: where it is; usual: height of others.
    """
    rows = np.arange(len(own))
    columns = own @ np.arange(own.shape[1]) / own.sum(axis=1)
    slope, start = np.polyfit(rows, columns, 1)
    pen = own.sum() / len(own)
    if np.abs(start + slope * rows - columns).max() > OFF + pen / 4 or own.sum(axis=1).max() > OFF + EVEN * pen:
        return False
    if len(own) > ENDLESS * usual:
        return True
    near, far = round(usual), round(FAR * usual)
    dark = max(AS_DARK * float(np.median(_depth(grey, left + columns, top + rows, pen))), 1.0)
    before, after = (
        _depth(grey, left + start + slope * way, top + way, pen) > dark
        for way in (-1 - np.arange(far), len(own) + np.arange(far))
    )
    beyond_both = min(np.mean(before[:near]), np.mean(after[:near]))
    return bool(max(beyond_both, np.mean(before), np.mean(after)) > GOES_ON)


def _depth(grey: np.ndarray, columns: np.ndarray, rows: np.ndarray, pen: float) -> np.ndarray:
    """How much darker the picture is at each place than on both sides of it, in grey levels; 0 above and below it."""
    height, width = grey.shape
    x, y, beside = np.round(columns).astype(int), np.clip(rows, 0, height - 1), 1 + round(pen)
    left, right, *own = (grey[y, np.clip(x + off, 0, width - 1)] for off in (-beside, beside, -1, 0, 1))
    depth = (left.astype(float) + right) / 2 - np.min(own, axis=0)
    return np.where(y == rows, depth, 0)
