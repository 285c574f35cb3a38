"""Things: what a synthetic page lies on, and what covers it: no ink, though much of it looks like some."""

from __future__ import annotations

import cv2
import numpy as np

from digits.training.page import SIDE, Page, cloud, put, round_box


def put_on_patch(page: Page, rng: np.random.Generator) -> None:
    """A button, a sign or a plate around all that is written; nothing is ruled beyond it."""
    left, top, width, height = cv2.boundingRect((page.ink > 0.1).view(np.uint8))
    middle = np.array([left + width / 2, top + height / 2])
    if rng.random() < 0.5:
        reach = np.hypot(width, height) / 2 * rng.uniform(1, 1.4) * np.exp(rng.normal(0, 0.07, 2))
        roundness = 0.5 if rng.random() < 0.8 else rng.uniform(0.2, 0.5)
    else:
        reach = np.array([width, height]) / 2 + rng.uniform(0.05, 0.5, 2) * max(width, height)
        roundness = rng.uniform(0, 0.4)
    page.patch = np.zeros((SIDE, SIDE), np.float32)
    outline = round_box((*(middle - reach), *(middle + reach)), roundness)
    cv2.fillPoly(page.patch, [outline], 1.0, cv2.LINE_AA, 4)
    for layer in (page.ink, page.rules, page.lines):
        layer *= page.patch


def cover(page: Page, rng: np.random.Generator) -> None:
    """Fingers, pens, coins, clips, holes along a side, codes, or the bars that fit a picture into another shape."""
    things = THINGS[rng.integers(len(THINGS))](page.pen, rng)
    turned = np.rot90(things, int(rng.integers(4)))
    page.things = cv2.GaussianBlur(np.ascontiguousarray(turned), (0, 0), rng.uniform(0.3, 1.5))
    for layer in (page.ink, page.rules, page.lines):
        layer *= 1 - page.things


def _fingers(pen: float, rng: np.random.Generator) -> np.ndarray:
    """Their tips, that hold the sheet from the left."""
    fingers = np.zeros((SIDE, SIDE), np.float32)
    thick = round(rng.uniform(max(14, 3 * pen), 75))
    at = int(rng.integers(0, SIDE))
    for _ in range(rng.integers(1, 4)):
        tip = int(rng.uniform(0, 0.3) * SIDE), at + int(rng.normal(0, 0.3) * thick)
        cv2.line(fingers, (-thick, at), tip, 1.0, thick, cv2.LINE_AA)
        at += round(thick * rng.uniform(1, 1.5))
    return fingers


def rod(pen: float, rng: np.random.Generator) -> np.ndarray:
    """A pen or a ruler that lies on the sheet, or partly on it."""
    rod = np.zeros((SIDE, SIDE), np.float32)
    thick = rng.uniform(max(8, 2.5 * pen), 60)
    angle = rng.uniform(-1.2, 1.2)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)]) * thick / 2
    tip = SIDE * np.array([rng.uniform(0.05, 0.5), rng.uniform(0, 1)])
    end, shoulder = tip - 2 * SIDE * along, tip - rng.uniform(0, 1.2) * thick * along
    outline = [end - across, shoulder - across, tip, shoulder + across, end + across]
    cv2.fillPoly(rod, [np.round(16 * np.array(outline)).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return rod


def _holes(pen: float, rng: np.random.Generator) -> np.ndarray:
    """Punched along the left side, round or square: two, or as many as a spiral needs."""
    holes = np.zeros((SIDE, SIDE), np.float32)
    period = float(np.exp(rng.uniform(np.log(10), np.log(180))))
    radius = float(np.clip(period * rng.uniform(0.15, 0.36), max(2.5, 0.9 * pen), 18))
    x = rng.uniform(0, 0.15) * SIDE
    for y in np.arange(rng.uniform(0, period), SIDE, period):
        middle = round(16 * x), round(16 * y)
        cv2.circle(holes, middle, round(16 * radius), 1.0, cv2.FILLED, cv2.LINE_AA, 4)
    return holes if rng.random() < 0.8 else cv2.dilate(holes, np.ones((1, 2 * round(radius) + 1), np.uint8))


def _bars(pen: float, rng: np.random.Generator) -> np.ndarray:
    """One, or two on opposite sides."""
    bars = np.zeros((SIDE, SIDE), np.float32)
    bars[:, : round(rng.uniform(max(4, 2 * pen), 90))] = 1
    if rng.random() < 0.7:
        bars = np.maximum(bars, bars[:, ::-1])
    return bars


def blobs(pen: float, rng: np.random.Generator) -> np.ndarray:
    """Coins, an eraser, a phone: round or not, far wider than the pen."""
    blobs = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 3)):
        reach = rng.uniform(max(10, 2.5 * pen), 70) * np.exp(rng.normal(0, 0.3, 2) * rng.integers(2))
        outline = round_box((*-reach, *reach), rng.choice((0.5, 0.5, rng.uniform(0, 0.5)))) / 16
        angle = rng.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        outline = outline @ turn.T + rng.uniform(-0.05, 1.05, 2) * SIDE
        cv2.fillPoly(blobs, [np.round(16 * outline).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return blobs


def _clip(pen: float, rng: np.random.Generator) -> np.ndarray:
    """A paper clip at the left side: a wire in three turns."""
    clip = np.zeros((SIDE, SIDE), np.float32)
    size, y = rng.uniform(24, 110), rng.uniform(0, SIDE)
    long, wide = size * rng.uniform(0.8, 1.1), size * rng.uniform(0.2, 0.3)
    thick = max(1, round(size * rng.uniform(0.02, 0.06)))
    for inset, start in ((0, 0.0), (0.12, 0.12), (0.24, 0.3)):
        box = (start * long - 4, y + inset * wide, (1 - inset) * long, y + (1 - inset) * wide)
        cv2.polylines(clip, [round_box(box, 0.5)], True, 1.0, thick, cv2.LINE_AA, 4)
    return clip


def _code(pen: float, rng: np.random.Generator) -> np.ndarray:
    """A code for machines: bars, or squares with three larger ones in its corners."""
    module = int(rng.integers(1, 6))
    if rng.random() < 0.5:
        small = np.repeat(rng.random((1, int(rng.integers(20, 60)))) < 0.5, int(rng.integers(8, 30)), axis=0)
    else:
        small = rng.random((21, 21)) < 0.5
        finder = np.pad(np.pad(np.ones((3, 3), bool), 1), 1, constant_values=True)
        for rows, columns in ((0, 0), (0, 14), (14, 0)):
            small[rows : rows + 7, columns : columns + 7] = finder
    large = np.kron(small, np.ones((module, module))).astype(np.float32)
    code = np.zeros((SIDE, SIDE), np.float32)
    top, left = (int(rng.uniform(-0.1, 1) * (SIDE - side)) for side in large.shape)
    put(code, large, left, top)
    return code


THINGS = (_fingers, _fingers, rod, rod, _holes, _holes, _bars, blobs, blobs, _clip, _code)


def lay_things(grey: np.ndarray, things: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """What covers the paper, dark or light, with its shadow."""
    tone = rng.uniform(0, 1.1) * level if rng.random() < 0.7 else float(rng.choice((0.0, 1.0)))
    grain = 1 + rng.uniform(0, 0.3) * (cloud(float(rng.uniform(2, 60)), rng) - 0.5)
    if rng.random() < 0.6:
        moved = np.hstack([np.eye(2), rng.uniform(-9, 9, (2, 1))])
        shadow = cv2.GaussianBlur(cv2.warpAffine(things, moved, (SIDE, SIDE)), (0, 0), rng.uniform(1, 8))
        grey = grey * (1 - rng.uniform(0.1, 0.6) * shadow)
    return np.asarray(grey * (1 - things) + tone * grain * things, np.float32)
