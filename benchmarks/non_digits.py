"""Pictures of what is no digit, for measuring only: training draws its own, from other forms and with other code.

Each maker draws one (400, 400) uint8 picture, dark on light, from a random generator.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

PAD = 400
Maker = Callable[[np.random.Generator], np.ndarray]


def scribble(rng: np.random.Generator) -> np.ndarray:
    """A pen that wanders over the pad without an aim, crossing its own line again and again."""
    turns, count = rng.integers(5, 12), 400
    time = np.linspace(0, 1, count)
    waves = [rng.normal(0, 1, (turns, 1)) * np.sin(2 * np.pi * np.outer(np.arange(1, turns + 1), time)) for _ in "xy"]
    phases = [rng.normal(0, 1, (turns, 1)) * np.cos(2 * np.pi * np.outer(np.arange(1, turns + 1), time)) for _ in "xy"]
    path = np.stack([(wave + phase).sum(axis=0) for wave, phase in zip(waves, phases, strict=True)], axis=1)
    return _draw([path], rng)


def shape(rng: np.random.Generator) -> np.ndarray:
    """A drawn sign or figure that nobody reads as a digit."""
    strokes = STROKES[rng.choice(list(STROKES))]
    wobbly = [np.asarray(stroke, float) + rng.normal(0, 0.015, (len(stroke), 2)) for stroke in strokes]
    angle = rng.uniform(-0.2, 0.2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return _draw([stroke @ turn for stroke in wobbly], rng)


def texture(rng: np.random.Generator) -> np.ndarray:
    """A pattern that fills the pad: weave, dots, stripes, grain or clouds."""
    rows, columns = np.mgrid[:PAD, :PAD] * rng.uniform(0.05, 0.6)
    angle = rng.uniform(0, np.pi)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    patterns = [
        np.sin(along),
        np.sin(along) * np.sin(across),
        np.maximum(np.sin(along), np.sin(across)),
        _clouds(rng, 6),
        np.sin(along + 3 * _clouds(rng, 3)),
    ]
    return _to_grey(patterns[rng.integers(len(patterns))], rng)


def photo(rng: np.random.Generator) -> np.ndarray:
    """Shaded things lying over one another, out of focus and grainy, as a photo of a desk has them."""
    scene = _clouds(rng, 2)
    for _ in range(rng.integers(5, 40)):
        corners = rng.uniform(0, PAD, 2) + rng.uniform(10, 120) * rng.normal(0, 1, (rng.integers(3, 8), 2))
        mask = cv2.fillConvexPoly(np.zeros((PAD, PAD), np.uint8), cv2.convexHull(corners.astype(np.int32)), 1) > 0
        scene = np.where(mask, rng.normal() + 0.5 * _clouds(rng, 2), scene)
    return _to_grey(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 3)), rng)


def _circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    return [(x + radius * np.cos(a), y + radius * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 24)]


STROKES: dict[str, list[list[tuple[float, float]]]] = {
    "star": [[(0.5, 0), (0.8, 1), (0, 0.4), (1, 0.4), (0.2, 1), (0.5, 0)]],
    "triangle": [[(0, 1), (0.5, 0.1), (1, 1), (0, 1)]],
    "plus": [[(0, 0.5), (1, 0.5)], [(0.5, 0), (0.5, 1)]],
    "cross": [[(0, 0), (1, 1)], [(1, 0), (0, 1)]],
    "arrow": [[(0, 0.5), (1, 0.5), (0.7, 0.2)], [(1, 0.5), (0.7, 0.8)]],
    "hash": [[(0.3, 0), (0.3, 1)], [(0.7, 0), (0.7, 1)], [(0, 0.3), (1, 0.3)], [(0, 0.7), (1, 0.7)]],
    "house": [[(0, 0.4), (0.5, 0), (1, 0.4), (1, 1), (0, 1), (0, 0.4), (1, 0.4)]],
    "face": [
        _circle(0.5, 0.5, 0.5),
        _circle(0.3, 0.4, 0.05),
        _circle(0.7, 0.4, 0.05),
        [(0.3, 0.7), (0.5, 0.8), (0.7, 0.7)],
    ],
    "heart": [[(0.5, 1), (0, 0.4), (0.2, 0.1), (0.4, 0.1), (0.5, 0.35), (0.6, 0.1), (0.8, 0.1), (1, 0.4), (0.5, 1)]],
    "spiral": [[(a / 20 * np.cos(a) + 0.5, a / 20 * np.sin(a) + 0.5) for a in np.linspace(0, 20, 120)]],
    "waves": [[(0, 0), (0.25, 1), (0.5, 0), (0.75, 1), (1, 0)]],
    "tick": [[(0, 0.6), (0.35, 1), (1, 0)]],
    "equals": [[(0, 0.3), (1, 0.3)], [(0, 0.7), (1, 0.7)]],
    "asterisk": [[(0.5, 0), (0.5, 1)], [(0.07, 0.25), (0.93, 0.75)], [(0.07, 0.75), (0.93, 0.25)]],
    "lightning": [[(0.6, 0), (0.2, 0.55), (0.55, 0.5), (0.3, 1), (0.85, 0.35), (0.5, 0.4), (0.6, 0)]],
    "bicycle": [
        _circle(0.2, 0.8, 0.2),
        _circle(0.8, 0.8, 0.2),
        [(0.2, 0.8), (0.4, 0.3), (0.8, 0.8)],
        [(0.4, 0.3), (0.75, 0.3)],
    ],
    "envelope": [[(0, 0.2), (1, 0.2), (1, 0.8), (0, 0.8), (0, 0.2), (0.5, 0.55), (1, 0.2)]],
    "wheel": [_circle(0.5, 0.5, 0.5), [(0, 0.5), (1, 0.5)], [(0.5, 0), (0.5, 1)]],
}

KINDS: dict[str, Maker] = {"scribbles": scribble, "shapes": shape, "textures": texture, "photos": photo}


def make_non_digits(kind: str, count: int, seed: int = 0) -> list[np.ndarray]:
    """Pictures of one of KINDS, the same for the same seed."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    return [KINDS[kind](rng) for _ in range(count)]


def _draw(strokes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Strokes in any unit on a white pad: 30-90 % of it, anywhere, with a brush of 2.5-8 % of their size."""
    points = np.concatenate(strokes)
    size, pen = rng.uniform(0.3, 0.9) * PAD, rng.uniform(0.025, 0.08)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    corner = rng.uniform(0, 1, 2) * (PAD - size * (extent / extent.max() + pen)) + size * pen / 2
    pad = np.full((PAD, PAD), 255, np.uint8)
    for stroke in strokes:
        path = np.round(((stroke - low) / extent.max() * size + corner) * 16).astype(np.int32)
        cv2.polylines(pad, [path], False, 0, max(1, round(pen * size)), cv2.LINE_AA, 4)
    return pad


def _clouds(rng: np.random.Generator, octaves: int) -> np.ndarray:
    layers = [rng.normal(0, 1, (2 ** (octave + 1), 2 ** (octave + 1))) / 2**octave for octave in range(octaves)]
    return np.sum([cv2.resize(layer, (PAD, PAD), interpolation=cv2.INTER_CUBIC) for layer in layers], axis=0)


def _to_grey(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = values.min(), values.max()
    grey = rng.uniform(0, 100) + (values - low) / (high - low) * rng.uniform(80, 155)
    return np.clip(grey + rng.normal(0, rng.uniform(0, 8), values.shape), 0, 255).astype(np.uint8)
