"""Numbers: digits that touch, cut apart at the columns between them, as the layout does (digits/layout.py).

What lies between two cuts is rarely a clean digit: a crumb of its neighbour sticks to it, or a bit of it stayed there.
From these parts the network learns what is still a digit, and what are pieces of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np

from digits.layout import FAINT_EDGE
from digits.normalise import crop, normalise, pen_width
from digits.training.augment import NOT_A_DIGIT, augment
from digits.training.data import Split
from digits.training.progress import tracked
from digits.training.strokes import draw

CUT_HEIGHT = 64  # pixels of a digit
MISSED = 0.15  # widths of a digit by which a cut misses the middle between two, as a standard deviation
SAME = 0.85  # share of the digit's ink in a part, and of the part's ink in the digit, that makes it this digit
MIXED = 0.25  # share of a part's ink, and of a digit, from which on it belongs to two
JOINED = 0.25  # share of the numbers whose digits the pen joins instead of laying them side by side
OF_A_KIND = 3  # digits and non-digits taken from one number


def synthesise_parts(train: Split, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Parts of numbers as the layout asks the classifier about them, the same for the same seed.

    Returns (count, 28, 28) uint8, ink = 255, and (count,) uint8 labels, 0..9 or NOT_A_DIGIT.
    """
    rng = np.random.default_rng((seed, count, len(train)))
    images, labels = np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8)
    places = tracked(range(count), "Parts of numbers", count)
    for place, (ink, label) in zip(places, _endless_parts(train, rng), strict=False):
        images[place] = np.round(normalise(crop(ink, FAINT_EDGE)) * 255)
        labels[place] = label
    return images, labels


def _endless_parts(train: Split, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int]]:
    while True:
        yield from _parts(train, rng)


def _parts(train: Split, rng: np.random.Generator) -> list[tuple[np.ndarray, int]]:
    """Some of the parts of one number: those that are nearly a digit, and those that are pieces of two."""
    number, digits, labels = write_number(train, 2 + int(rng.random() < 0.3), rng)
    digits_found, mixed = [], [(number, NOT_A_DIGIT)]
    for part in _cut(number, digits, rng):
        whole, pure = _shares(part, digits)
        best = int(pure.argmax())
        ink = np.ascontiguousarray(number[:, part])
        if min(whole[best], pure[best]) > SAME:
            digits_found.append((ink, labels[best]))
        elif np.count_nonzero((pure > MIXED) & (whole > MIXED)) > 1:
            mixed.append((ink, NOT_A_DIGIT))
    return _some(digits_found, rng) + _some(mixed, rng)


def write_number(
    train: Split, count: int, rng: np.random.Generator, varied: bool = False
) -> tuple[np.ndarray, list[np.ndarray], list[int]]:
    """So many digits that touch, overlap or are joined: all drawn with one pen, or all MNIST's.

    varied: whether MNIST's digits are augmented, and the heights of all differ as those of a quick hand do.
    Returns the number's ink, (height, width) float32 in [0, 1], that of each digit alone, of the same shape, and their
    labels.
    """
    pen = np.exp(rng.uniform(np.log(0.03), np.log(0.14))) if rng.random() < 0.6 else None
    least = rng.uniform(0.4, 0.9) if varied else 0.8
    line = rng.uniform(0.3, 1) if varied else 0.5  # what is lower is so far down
    labels, shapes = zip(*(_digit(train, pen, least, rng, varied) for _ in range(count)), strict=True)
    joined = rng.random() < JOINED
    paper = np.zeros((round(1.25 * CUT_HEIGHT), sum(shape.shape[1] for shape in shapes) + CUT_HEIGHT), np.float32)
    digits: list[np.ndarray] = []
    for shape in shapes:
        overlap = rng.uniform(-0.2, -0.04) if joined else rng.uniform(-0.01, 0.12)
        digits.append(_write_beside(digits[-1] if digits else paper, shape, overlap, line, rng))
    number = np.max(digits, axis=0)
    if joined:
        for left, right in pairwise(digits):
            _join(number, left, right, rng)
    end = int(np.flatnonzero(number.any(axis=0))[-1]) + 1
    return number[:, :end], [digit[:, :end] for digit in digits], list(labels)


def _digit(
    train: Split, pen: float | None, least: float, rng: np.random.Generator, augmented: bool
) -> tuple[int, np.ndarray]:
    """Label and ink of a digit: drawn with this pen, or one of MNIST's.

    least: its least height, as a share of that of a number that is cut.
    """
    if pen:
        label = int(rng.integers(10))
        ink = draw(label, rng, pen)
    else:
        place = rng.integers(len(train))
        image, label = train.images[place], int(train.labels[place])
        ink = crop(augment(image, label, rng, spoiled=0.0) if augmented else image.astype(np.float32) / 255)
    scale = CUT_HEIGHT * rng.uniform(least, 1.1) / ink.shape[0]
    scale = min(scale, 1.4 * CUT_HEIGHT / ink.shape[1])
    size = [max(2, round(scale * side)) for side in reversed(ink.shape)]
    resized = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return label, np.clip(resized, 0, 1)


def _write_beside(
    last: np.ndarray, shape: np.ndarray, overlap: float, line: float, rng: np.random.Generator
) -> np.ndarray:
    """The digit on paper of its own, so that it overlaps the one written last by so much, in heights.

    line: where it is in the paper's height, from 0, at the top, to 1.
    """
    height, width = shape.shape
    lowest = len(last) - height
    top = int(np.clip(lowest * line + rng.normal(0, 3), 0, lowest))
    contact = _contact(last[top : top + height] > 0.5, shape > 0.5)
    left = max(0, contact - round(overlap * CUT_HEIGHT))
    digit = np.zeros_like(last)
    digit[top : top + height, left : left + width] = shape
    return digit


def _contact(last: np.ndarray, shape: np.ndarray) -> int:
    """The column at which `shape` first lies to the right of `last` in every row. Both: bool, of the same height."""
    rows = last.any(axis=1) & shape.any(axis=1)
    if not rows.any():
        return int(np.flatnonzero(last.any(axis=0)).max(initial=-1)) + 1
    ends = last.shape[1] - last[:, ::-1].argmax(axis=1)
    return int((ends - shape.argmax(axis=1))[rows].max())


def _join(number: np.ndarray, left: np.ndarray, right: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the pen's way from one digit to the next, as if it had not been lifted."""
    end = _outermost(left, np.array([1, rng.uniform(0, 1)]))
    start = _outermost(right, np.array([-1, rng.uniform(-0.6, 0.3)]))
    cv2.line(number, end, start, 1.0, max(1, round(pen_width(number))), cv2.LINE_AA)


def _outermost(ink: np.ndarray, direction: np.ndarray) -> tuple[int, int]:
    """The inked point, (x, y), that lies farthest in the direction. A bent digit may be pale all over."""
    points = np.argwhere(ink > 0.5 * ink.max())[:, ::-1]
    x, y = points[(points @ direction).argmax()]
    return int(x), int(y)


def _cut(number: np.ndarray, digits: list[np.ndarray], rng: np.random.Generator) -> list[slice]:
    """The columns of each digit, and of a part between two, if the cuts are not quite where they should be."""
    boxes = [cv2.boundingRect((digit > 0.5 * digit.max()).view(np.uint8)) for digit in digits]
    middles = [left + width / 2 for left, _, width, _ in boxes]
    missed = rng.normal(0, MISSED, len(middles) - 1) * [width for _, _, width, _ in boxes[1:]]
    width = number.shape[1]
    between_two = np.clip(np.round(np.add(middles[:-1], middles[1:]) / 2 + missed), 0, width)
    cuts = [0, *between_two.astype(int).tolist(), width]
    between = [round(middle) for middle in middles[:2]]
    parts = [slice(first, end) for first, end in [*pairwise(cuts), between] if end - first > 1]
    return [part for part in parts if number[:, part].max() > 0.5]


def _shares(part: slice, digits: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(of each digit's ink how much is in the part, of the part's ink how much is each digit's)"""
    common = np.array([digit[:, part].sum() for digit in digits])
    return common / [digit.sum() for digit in digits], common / max(common.sum(), 1e-6)


def _some(parts: list[tuple[np.ndarray, int]], rng: np.random.Generator) -> list[tuple[np.ndarray, int]]:
    return [parts[place] for place in rng.permutation(len(parts))[:OF_A_KIND]]
