"""Augment: what hands, pens, pads and scanners do to a digit, done to MNIST's pictures.

Five steps, each a function of one picture (28, 28) float32 in [0, 1], ink = 1, and a random generator: `rewrite` gives
it a form of writing that MNIST lacks, `bend` an affine and an elastic deformation (Simard et al. 2003), `rescan` the
coarse pixels of an old scanner, `repen` another pen, `spoil` what a bad scan does. Nothing is ever flipped: a mirrored
digit is another sign.
"""

from __future__ import annotations

import cv2
import numpy as np

from digits.normalise import crop, normalise, pen_width

NOT_A_DIGIT = 10
"""The label of pictures that hold no digit, or more or less than one."""

SIZE = 28
ENLARGED = 4  # strokes are added on an enlarged picture, for smooth edges


def augment(image: np.ndarray, label: int, rng: np.random.Generator, spoiled: float = 0.2) -> np.ndarray:
    """A new picture of the same digit. image: (28, 28) uint8; returns (28, 28) float32 in [0, 1].

    spoiled: the share of pictures that get noise, lines, haze or the like.
    """
    ink = image.astype(np.float32) / 255
    if label in FORMS and rng.random() < 0.12:
        ink = rewrite(ink, label, rng)
    ink = bend(ink, rng)
    if rng.random() < 0.1:
        ink = rescan(ink, rng)
    if rng.random() < 0.3:
        ink = repen(ink, rng)
    if rng.random() < spoiled:
        ink = spoil(ink, rng)
    return ink


def bend(ink: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Rotate, scale, slant, shift, and deform elastically, all of it `strength` times as far."""
    angle = strength * rng.normal(0, 7) * np.pi / 180
    shear = strength * rng.normal(0, 0.1)
    scale_x, scale_y = np.exp(strength * rng.normal(0, 0.07, 2))
    cosine, sine = np.cos(angle), np.sin(angle)
    motion = np.empty((len(BASIS.T), 2), np.float32)  # where each pixel is read from, in the terms of BASIS
    motion[0] = cosine * scale_x, sine * scale_x
    motion[1] = cosine * shear - sine * scale_y, sine * shear + cosine * scale_y
    motion[2] = (SIZE - 1) / 2 + strength * rng.normal(0, 0.8, 2)
    motion[3:] = strength * rng.normal(0, rng.uniform(0.2, 1.2), (ELASTIC * ELASTIC, 2))
    return cv2.remap(ink, (BASIS @ motion).reshape(SIZE, SIZE, 2), None, cv2.INTER_LINEAR)  # type: ignore


def repen(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A thicker, thinner, softer or harder pen."""
    change = rng.integers(4)
    if change == 0:
        return _blend(ink, cv2.dilate(ink, CROSS), rng)
    if change == 1:
        return _blend(ink, cv2.erode(ink, CROSS), rng.uniform(0, 0.6))
    if change == 2:
        return cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 0.9))
    gain = rng.uniform(1.2, 4)  # up to nearly binary
    return np.clip((ink - 0.5) * gain + 0.5, 0, 1).astype(np.float32)


def rescan(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a coarse black-and-white scanner leaves, stretched by up to what fills a square, through the road again."""
    digit = crop(ink)
    height, width = digit.shape
    scale = rng.uniform(10, 30) / max(height, width)
    fill = rng.uniform(0, 1)  # 0 keeps the aspect, 1 makes a square of it
    size = [max(2, round(scale * side * (max(height, width) / side) ** fill)) for side in (width, height)]
    coarse = cv2.resize(digit, size, interpolation=cv2.INTER_AREA)
    coarse = (coarse > rng.uniform(0.25, 0.55)).astype(np.float32)
    return normalise(coarse) if coarse.any() else ink


def rewrite(ink: np.ndarray, label: int, rng: np.random.Generator) -> np.ndarray:
    """Add strokes that other people make in the same digit: slash or dot in 0, upstroke and foot of 1, bar of 7."""
    big = cv2.resize(ink, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_LINEAR)
    rows, columns = np.nonzero(big > 0.4)
    if rows.size == 0:
        return ink
    width = max(2, round(pen_width(big) * rng.uniform(0.8, 1.1)))
    FORMS[label](big, rows, columns, width, rng)
    small = cv2.resize(big, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return normalise(crop(small))


def _slash_or_dot(big: np.ndarray, rows: np.ndarray, columns: np.ndarray, width: int, rng: np.random.Generator) -> None:
    middle = np.array([columns.mean(), rows.mean()])
    half = np.array([np.ptp(columns), np.ptp(rows)]) / 2
    if rng.random() < 0.15:
        cv2.circle(big, _point(middle + rng.normal(0, 3, 2)), width, 1.0, -1, cv2.LINE_AA)
        return
    reach = rng.uniform(0.45, 1.25, 2)  # from inside the ring to across it
    direction = np.array([rng.uniform(0.4, 1.2), -rng.uniform(0.4, 1.1)]) * half
    if rng.random() < 0.15:
        direction[0] *= -1
    cv2.line(big, _point(middle - reach[0] * direction), _point(middle + reach[1] * direction), 1.0, width, cv2.LINE_AA)


def _upstroke_or_foot(
    big: np.ndarray, rows: np.ndarray, columns: np.ndarray, width: int, rng: np.random.Generator
) -> None:
    height = np.ptp(rows)
    top = np.array([columns[rows.argmin()], rows.min() + width / 2])
    bottom = np.array([columns[rows.argmax()], rows.max() - width / 2])
    if rng.random() < 0.8:
        slope = np.array([-rng.uniform(0.15, 0.45), rng.uniform(0.1, 0.5)]) * height
        cv2.line(big, _point(top), _point(top + slope), 1.0, width, cv2.LINE_AA)
    if rng.random() < 0.4:
        left, right = rng.uniform(0.1, 0.35, 2) * height
        cv2.line(big, _point(bottom - (left, 0)), _point(bottom + np.array((right, 0))), 1.0, width, cv2.LINE_AA)


def _bar(big: np.ndarray, rows: np.ndarray, columns: np.ndarray, width: int, rng: np.random.Generator) -> None:
    row = round(rows.min() + np.ptp(rows) * rng.uniform(0.4, 0.65))
    here = columns[rows == row]
    if here.size == 0:
        return
    middle = np.array([here.mean(), row])
    left, right = rng.uniform(0.15, 0.4, 2) * np.ptp(rows)
    tilt = rng.normal(0, 3)
    cv2.line(big, _point(middle - (left, tilt)), _point(middle + np.array((right, -tilt))), 1.0, width, cv2.LINE_AA)


FORMS = {0: _slash_or_dot, 1: _upstroke_or_foot, 7: _bar}


def spoil(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What bad scans, photos and forms leave in a picture: one or two of noise, lines, haze, blur, bands, outlines."""
    for step in rng.choice(len(SPOILERS), rng.integers(1, 3), replace=False):
        ink = SPOILERS[step](ink, rng)
    return np.clip(ink, 0, 1).astype(np.float32)


def _grain(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return ink + rng.normal(0, rng.uniform(0.05, 0.3), ink.shape)


def _salt_and_pepper(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(ink.shape) < rng.uniform(0.02, 0.25), rng.random(ink.shape) < 0.5, ink)


def _blots(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.normal(0, 1, ink.shape).astype(np.float32), (0, 0), 1.2)
    return np.maximum(ink, (noise > rng.uniform(0.55, 0.8)) * rng.uniform(0.4, 1))


def _strokes_across(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ink = np.ascontiguousarray(ink, np.float32)
    corners = rng.uniform(-4, SIZE + 4, (rng.integers(2, 7), 2)).astype(np.int32)
    if rng.random() < 0.4:
        for x, y in np.linspace(corners[0], corners[1], 12).astype(int):
            cv2.circle(ink, (int(x), int(y)), 0, 1.0, -1)
    else:
        cv2.polylines(ink, [corners], False, 1.0, 1, cv2.LINE_AA)
    return ink


def _haze(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    cloud = cv2.resize(rng.random((4, 4)).astype(np.float32), ink.shape, interpolation=cv2.INTER_CUBIC)
    strength = rng.uniform(0.2, 0.8)
    return (
        np.maximum(ink, strength * rng.random()) if rng.random() < 0.4 else ink * (1 - strength / 2) + strength * cloud
    )


def _smear(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    ends = rng.integers(0, length, 2)
    cv2.line(kernel, (0, int(ends[0])), (length - 1, int(ends[1])), 1.0)
    kernel = kernel if rng.random() < 0.5 else kernel.T
    return cv2.filter2D(np.asarray(ink, np.float32), -1, kernel / kernel.sum())


def _jumble(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    moved = INDEX + rng.normal(0, rng.uniform(0.4, 1.1), INDEX.shape).astype(np.float32)
    return cv2.remap(np.asarray(ink, np.float32), moved, None, cv2.INTER_LINEAR)  # type: ignore


def _bands(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ink = np.array(ink)
    start, size = rng.integers(0, SIZE - 2), rng.integers(2, 9)
    view = ink if rng.random() < 0.5 else ink.T
    view[:, start : start + size] = 1 - view[:, start : start + size]
    return ink


def _outline(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    solid = (ink > rng.uniform(0.2, 0.5)).astype(np.float32)
    return solid - cv2.erode(solid, CROSS) if rng.random() < 0.5 else cv2.dilate(solid, CROSS) - solid


def _coarse(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = int(rng.integers(11, 20))
    small = cv2.resize(np.asarray(ink, np.float32), (size, size), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.6:
        small = (small > rng.uniform(0.25, 0.5)).astype(np.float32)
    return cv2.resize(small, (SIZE, SIZE), interpolation=int(rng.integers(0, 3)))


SPOILERS = (
    _grain,
    _salt_and_pepper,
    _blots,
    _strokes_across,
    _haze,
    _smear,
    _jumble,
    _bands,
    _outline,
    _coarse,
)


def no_digit(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """No digit, made from MNIST's: two digits in one box, or a piece of one. images: (n, 28, 28) uint8.

    Returns (28, 28) uint8.
    """
    first, second = (images[i].astype(np.float32) / 255 for i in rng.integers(0, len(images), 2))
    ink = _two_in_a_box(first, second, rng) if rng.random() < 0.75 else _piece(first, rng)
    return np.round(normalise(ink) * 255).astype(np.uint8)


def _two_in_a_box(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    first, second = crop(first), crop(second)
    if rng.random() < 0.25:  # all of one and a part of its neighbour, as a wrong cut leaves them
        second = second[:, : max(2, round(second.shape[1] * rng.uniform(0.35, 0.7)))]
    if rng.random() < 0.5:
        first, second = second, first
    gap = int(rng.integers(-5, 4))  # touching ones are the easiest to take for one digit
    box = np.zeros((SIZE, first.shape[1] + second.shape[1] + max(gap, 0) + 2), np.float32)
    middle = SIZE / 2 + rng.normal(0, 1.5, 2)  # digits of a number stand about level
    _paste(box, first, 0, _top(first, middle[0]))
    _paste(box, second, max(0, first.shape[1] + gap), _top(second, middle[1]))
    return crop(box)


def _piece(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ink = crop(ink)
    height, width = ink.shape
    if width < 8:  # a piece of a 1 is a 1
        return _two_in_a_box(ink, ink, rng)
    share = rng.uniform(0.3, 0.5)
    columns, rows = round(width * share), round(height * share)
    pieces = (ink[:, :columns], ink[:, -columns:], ink[:rows], ink[-rows:])
    piece = pieces[rng.integers(4)]
    return crop(piece) if (piece > 0.4).any() else ink[:rows]


def _top(ink: np.ndarray, middle: float) -> int:
    return int(np.clip(round(middle - ink.shape[0] / 2), 0, SIZE - ink.shape[0]))


def _paste(box: np.ndarray, ink: np.ndarray, left: int, top: int) -> None:
    view = box[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.maximum(view, ink[:, : view.shape[1]], out=view)


def _blend(ink: np.ndarray, other: np.ndarray, rng: np.random.Generator | float) -> np.ndarray:
    share = rng if isinstance(rng, float) else float(rng.uniform(0, 1))
    return ink + share * (other - ink)


def _point(place: np.ndarray) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))


def _motion_basis() -> np.ndarray:
    """(784, 3 + 25) float32: for each pixel its x and y from the centre, 1, and its share in each elastic knot."""
    knots = np.eye(ELASTIC * ELASTIC, dtype=np.float32).reshape(-1, ELASTIC, ELASTIC)
    smooth = [cv2.resize(knot, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).ravel() for knot in knots]
    x, y = (INDEX - (SIZE - 1) / 2).reshape(-1, 2).T
    return np.stack([x, y, np.ones_like(x), *smooth], axis=1)


CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
ELASTIC = 5  # knots a side of the elastic deformation
INDEX = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1).astype(np.float32)  # (28, 28, 2) of x, y
BASIS = _motion_basis()
