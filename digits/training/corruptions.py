"""The 15 corruptions of MNIST-C, made anew: what a network trained on clean digits is tested against.

N. Mu and J. Gilmer 2019, "MNIST-C: A Robustness Benchmark for Computer Vision", arXiv:1906.02337. Kinds and severities
are those of the published set; the pictures differ, because the random numbers do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

SIZE = 28
MIDDLE = (SIZE - 1) / 2

Corruption = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""(n, 28, 28) float32 in [0, 1] -> the same, not yet clipped."""


def corrupt(images: np.ndarray, name: str, seed: int = 0) -> np.ndarray:
    """The images under one corruption, the same for the same seed.

    images: (n, 28, 28) uint8, ink = 255; name: a key of CORRUPTIONS. Returns (n, 28, 28) uint8.
    """
    rng = np.random.default_rng([seed, list(CORRUPTIONS).index(name)])
    corrupted = CORRUPTIONS[name](images.astype(np.float32) / 255, rng)
    return np.round(np.clip(corrupted, 0, 1) * 255).astype(np.uint8)


def shot_noise(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three photons for full ink."""
    return rng.poisson(images * 3) / 3


def impulse_noise(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """17 % of the pixels become black or white."""
    salt = rng.integers(0, 2, images.shape)
    return np.where(rng.random(images.shape) < 0.17, salt, images)


def glass_blur(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurred, every second pixel swapped with a neighbour, twice, and blurred again."""
    glass = _blur(images, 0.7)
    every = np.arange(len(images))
    for row, column in 2 * [(row, column) for row in range(SIZE - 1, 1, -1) for column in range(SIZE - 1, 1, -1)]:
        up, left = rng.integers(0, 2, (2, len(images))) * rng.integers(0, 2, len(images))
        other = every, row - up, column - left
        glass[other], glass[:, row, column] = glass[:, row, column].copy(), glass[other]
    return _blur(glass, 0.7)


def motion_blur(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dragged along one direction within 45 degrees of the horizontal, half a Gaussian of 3 pixels long."""
    angles = rng.uniform(-np.pi / 4, np.pi / 4, len(images))
    return np.stack([cv2.filter2D(image, -1, _trail(angle)) for image, angle in zip(images, angles, strict=True)])


def shear(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Slanted by 0.4 radians to the left or the right."""
    angles = 0.4 * _signs(rng, len(images))
    return _warp(images, [[[1, -np.sin(angle)], [0, np.cos(angle)]] for angle in angles])


def scale(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shrunk to 70 %."""
    return _warp(images, [np.eye(2) / 0.7] * len(images))


def rotate(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turned by 0.4 radians (23 degrees) either way."""
    angles = 0.4 * _signs(rng, len(images))
    return _warp(images, [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])


def brightness(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of full ink added everywhere."""
    return images + 0.5


def translate(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Moved by 3 pixels along both axes."""
    return _warp(images, [np.eye(2)] * len(images), 3 * _signs(rng, (len(images), 2)))


def stripe(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The left and the right quarter inverted."""
    quarter = SIZE // 4
    edge = (np.arange(SIZE) < quarter) | (np.arange(SIZE) >= SIZE - quarter)
    return np.where(edge, 1 - images, images)


def fog(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three parts of fog over one part of digit."""
    clouds = np.stack([_cloud(rng) for _ in images])
    brightest = images.max(axis=(1, 2), keepdims=True)
    return np.asarray((images + 3 * clouds) * brightest / (brightest + 3))


def spatter(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Drops of thin grey mud."""
    liquid = _blur(rng.normal(0.65, 0.3, images.shape).astype(np.float32), 1)
    drops = _blur((liquid > 0.65).astype(np.float32), 1.5)
    drops[drops < 0.8] = 0
    return np.asarray(images * (1 - drops) + 63 / 255 * drops)


def dotted_line(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A dotted line from the left edge to the right."""
    ends = rng.integers(0, SIZE - 1, (len(images), 2))
    lines = np.stack([_segment((0, left), (SIZE - 1, right)) for left, right in ends])
    lines[:, :, np.arange(SIZE) // 2 % 2 == 0] = 0
    return np.asarray(images + lines)


def zigzag(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A zigzag of 2 pixels up and down, from the left edge to the right."""
    starts = rng.integers(0, SIZE - 1, len(images))
    rises = rng.integers(-5, 5, len(images))
    lines = np.stack([_zigzag(start, rise) for start, rise in zip(starts, rises, strict=True)])
    return np.asarray(images + lines)


def canny_edges(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The outlines alone, as Canny's detector finds them."""
    smooth = np.round(_blur(images, 1) * 255).astype(np.uint8)
    return np.stack([cv2.Canny(image, 25, 51, L2gradient=True) for image in smooth]) / 255  # 0.1 and 0.2 of full ink


CORRUPTIONS: dict[str, Corruption] = {
    "shot noise": shot_noise,
    "impulse noise": impulse_noise,
    "glass blur": glass_blur,
    "motion blur": motion_blur,
    "shear": shear,
    "scale": scale,
    "rotate": rotate,
    "brightness": brightness,
    "translate": translate,
    "stripe": stripe,
    "fog": fog,
    "spatter": spatter,
    "dotted line": dotted_line,
    "zigzag": zigzag,
    "canny edges": canny_edges,
}


def _signs(rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    return rng.choice([-1, 1], shape)


def _blur(images: np.ndarray, sigma: float) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for image in images])


def _warp(images: np.ndarray, matrices: Sequence[Any], shifts: np.ndarray | None = None) -> np.ndarray:
    """Each image looked up at matrix @ (x, y) from the middle of the frame, then shifted."""
    lookups = np.zeros((len(images), 2, 3))
    lookups[:, :, :2] = matrices
    lookups[:, :, 2] = MIDDLE - lookups.sum(axis=2) * MIDDLE + (0 if shifts is None else shifts)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([cv2.warpAffine(i, m, (SIZE, SIZE), flags=flags) for i, m in zip(images, lookups, strict=True)])


def _trail(angle: float, length: int = 10, sigma: float = 3.0) -> np.ndarray:
    """A kernel of weights falling off from its middle in one direction."""
    steps = np.arange(length + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    rows, columns = (np.round(steps * along).astype(int) + length for along in (np.sin(angle), np.cos(angle)))
    np.add.at(kernel, (rows, columns), weights / weights.sum())
    return kernel


def _cloud(rng: np.random.Generator, octaves: int = 8, decay: float = 1.4**2) -> np.ndarray:
    """A corner of plasma 256 pixels wide: enlarged again and again, each time with finer noise; [0, 1] as a whole."""
    cloud = np.zeros((1, 1), np.float32)
    for octave in range(1, octaves + 1):
        grain = rng.random((2**octave, 2**octave), np.float32) / decay**octave
        cloud = cv2.resize(cloud, grain.shape, interpolation=cv2.INTER_LINEAR) + grain
    return np.asarray((cloud - cloud.min()) / (cloud.max() - cloud.min()))[:SIZE, :SIZE]


def _segment(start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    """A line between two points (column, row), fading with the distance up and down; (28, 28) in [0, 1]."""
    (left, top), (right, bottom) = start, end
    rows, columns = np.mgrid[:SIZE, :SIZE]
    distance = np.abs(rows - top - (columns - left) * (bottom - top) / (right - left))
    line = np.maximum(1 + np.log(1 - np.minimum(distance, 2.29) / 2.3), 0)
    return np.where((columns >= np.floor(left)) & (columns < np.ceil(right)), line, 0)


def _zigzag(start: int, rise: int) -> np.ndarray:
    """Strokes of 4 pixels to and fro around the line from column 2, row `start`, to column 25, row `start + rise`."""
    along = np.array([23, rise]) / np.hypot(23, rise)
    across = np.array([-along[1], along[0]])
    steps = np.arange(2, np.hypot(23, rise) - 2, 4)
    sides = np.where(np.arange(len(steps)) % 2, -2, 2)
    turns = np.array([2, start]) + np.outer(steps, along) + np.outer(sides, across)
    corners = [(2, start), *turns, (25, start + rise)]
    segments = np.stack([_segment(start, end) for start, end in pairwise(corners)])
    return np.asarray(np.clip(segments.sum(axis=0), 0, 1))
