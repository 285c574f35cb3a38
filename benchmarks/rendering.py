"""Pen strokes drawn on a pad as a person would draw them: any size, anywhere, with a thin or a thick round brush."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

PAD = 400  # width and height of the pad in pixels
FINE = 4  # strokes are drawn this much larger and averaged down, for smooth edges

Strokes = Sequence[Sequence[Sequence[float]]]
"""Strokes of points (x, y), x to the right and y down, in any unit."""


@dataclass(frozen=True)
class Pose:
    """How a drawing lies on the pad, in pixels. size: its longer side; pen: width of the brush; left, top: its corner.

    The size and the corner are those of the pen's path; the ink reaches half a pen further.
    """

    size: float
    pen: float
    left: float
    top: float


def drawings_folder() -> Path:
    """The folder of real drawings: $DIGITS_DRAWINGS, else ../shared/drawings beside the checkout (may not exist)."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "drawings"
    return Path(os.environ.get("DIGITS_DRAWINGS", beside))


def load_strokes(path: Path, split: str | None = None) -> list[dict[str, Any]]:
    """The drawings of a .jsonl.gz file (keys label, writer, split, strokes), of one split if named."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        drawings = [json.loads(line) for line in lines]
    return [drawing for drawing in drawings if split in (None, drawing["split"])]


def tile(picture: np.ndarray | bytes, side: int = 150) -> np.ndarray:
    """A picture, or a file of one, fitted into a square of a contact sheet: (side + 4, side + 4, 3) uint8."""
    image = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else Image.fromarray(picture)
    image = image.convert("RGB")
    image.thumbnail((side, side))
    square = Image.new("RGB", (side + 4, side + 4), "magenta")
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(square)


def random_pose(strokes: Strokes, rng: np.random.Generator) -> Pose:
    """30-90 % of the pad, anywhere on it, with a brush of 2.5-12 % of the drawing's size."""
    size = rng.uniform(0.3, 0.9) * PAD
    pen = rng.uniform(0.025, 0.12) * size
    width, height = _extent(strokes, size)
    room = np.maximum(PAD - pen - np.array([width, height]), 0)
    left, top = rng.uniform(0, 1, 2) * room + pen / 2
    return Pose(size, pen, float(left), float(top))


def draw(strokes: Strokes, pose: Pose) -> np.ndarray:
    """The strokes on the pad: (400, 400) uint8, black on white."""
    points = np.concatenate([np.asarray(stroke, np.float32) for stroke in strokes])
    low = points.min(axis=0)
    scale = pose.size / max(float((points.max(axis=0) - low).max()), 1e-6)
    fine = np.full((PAD * FINE, PAD * FINE), 255, np.uint8)
    for stroke in strokes:
        path = (np.asarray(stroke, np.float32) - low) * scale + [pose.left, pose.top]
        _draw_stroke(fine, path * FINE, max(1, round(pose.pen * FINE)))
    return cv2.resize(fine, (PAD, PAD), interpolation=cv2.INTER_AREA)


def draw_anywhere(strokes: Strokes, rng: np.random.Generator) -> np.ndarray:
    """The strokes on the pad in a random pose: (400, 400) uint8, black on white."""
    return draw(strokes, random_pose(strokes, rng))


def _extent(strokes: Strokes, size: float) -> tuple[float, float]:
    points = np.concatenate([np.asarray(stroke, np.float32) for stroke in strokes])
    width, height = points.max(axis=0) - points.min(axis=0)
    longer = max(float(width), float(height), 1e-6)
    return float(width) / longer * size, float(height) / longer * size


def _draw_stroke(picture: np.ndarray, path: np.ndarray, pen: int) -> None:
    corners = np.round(path * 16).astype(np.int32)  # 4 fractional bits
    if len(corners) == 1:
        cv2.circle(picture, tuple(corners[0].tolist()), pen * 8, 0, cv2.FILLED, cv2.LINE_8, 4)
    else:
        cv2.polylines(picture, [corners], False, 0, pen, cv2.LINE_8, 4)


def draw_touching(digits: Sequence[Strokes], rng: np.random.Generator) -> np.ndarray:
    """One writer's digits as a number in which at least two neighbours touch: (height, width) uint8, black on white.

    Digits are 50 to 110 pixels high as they were drawn to each other, on a line that the hand keeps roughly; the pen is
    5 to 11 % as wide. Half of the neighbours touch or overlap by up to the pen's width, the others stand apart.
    """
    height = rng.uniform(50, 110)
    pen = max(2, round(rng.uniform(0.05, 0.11) * height))
    scale = height / float(np.median([_height(strokes) for strokes in digits]))
    inks = [_ink(strokes, scale, pen) for strokes in digits]
    touches = rng.random(len(inks) - 1) < 0.5
    touches[rng.integers(len(touches))] = True
    tallest = max(len(ink) for ink in inks)
    page = np.zeros((2 * tallest, sum(ink.shape[1] for ink in inks) + round(height) * len(inks)), np.uint8)
    left = right = 0
    for place, ink in enumerate(inks):
        top = int(np.clip(1.5 * tallest - len(ink) + rng.normal(0, 0.05 * height), 0, len(page) - len(ink)))
        if place and touches[place - 1]:
            left = _contact(page[top : top + len(ink)], ink) - int(rng.integers(0, pen))
        elif place:
            left = right + round(rng.uniform(0.05, 0.35) * height)
        left = max(left, 0)
        window = page[top : top + len(ink), left : left + ink.shape[1]]
        np.maximum(window, ink, out=window)
        right = max(right, left + ink.shape[1])
    x, y, width, high = cv2.boundingRect(page)
    return np.pad(255 - page[y : y + high, x : x + width], 30, constant_values=255)


def _height(strokes: Strokes) -> float:
    return max(float(np.ptp(np.concatenate([np.asarray(stroke) for stroke in strokes])[:, 1])), 1e-6)


def _ink(strokes: Strokes, scale: float, pen: int) -> np.ndarray:
    """The strokes so many times as large: (height, width) uint8, ink = 255, cropped to the ink."""
    paths = [np.asarray(stroke, np.float32) * scale for stroke in strokes]
    points = np.concatenate(paths)
    low = points.min(axis=0) - pen
    width, height = (np.ceil(points.max(axis=0) - low).astype(int) + pen).tolist()
    fine = np.full((height * FINE, width * FINE), 255, np.uint8)
    for path in paths:
        _draw_stroke(fine, (path - low) * FINE, pen * FINE)
    ink = 255 - cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    x, y, width, height = cv2.boundingRect(ink)
    return ink[y : y + height, x : x + width]


def _contact(page: np.ndarray, ink: np.ndarray) -> int:
    """The column at which `ink`, moved in from the right, first touches what is on the page at its height."""
    for left in range(page.shape[1] - ink.shape[1], 0, -1):
        if (np.minimum(page[:, left : left + ink.shape[1]], ink) > 127).any():
            return left
    return 0
