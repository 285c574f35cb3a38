"""Explain: which parts of a digit decided what the network calls it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from digits.classifier import Classifier
from digits.normalise import FRAME

PATCH = 5  # pixels: about two pen widths of a normalised digit
STEP = 2

FOR = np.array([22, 120, 220])  # blue and orange: told apart by the colour-blind too
AGAINST = np.array([230, 110, 0])


def occlusion_map(classifier: Classifier, image: np.ndarray, label: int) -> np.ndarray:
    """How much each part of the image speaks for the label, found by covering it with paper.

    image: (28, 28) float32 in [0, 1], ink = 1.
    Returns (28, 28) float32 in [-1, 1]: the mean change of the label's probability over the patches of 5x5 pixels
    that cover a pixel; positive where covering makes the label less probable, 0 where there is no ink to cover.
    Source: M. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
    """
    patches = [patch for patch in _patches() if image[patch].any()]
    covered = np.repeat(image[None], len(patches) + 1, axis=0)  # (n + 1, 28, 28); the last stays whole
    for picture, patch in zip(covered, patches, strict=False):
        picture[patch] = 0
    probabilities = classifier.classify(covered[..., None].astype(np.float32))[:, label]
    total, count = np.zeros_like(image), np.zeros_like(image)
    for patch, probability in zip(patches, probabilities, strict=False):
        total[patch] += probabilities[-1] - probability
        count[patch] += 1
    influence: np.ndarray = total / np.maximum(count, 1)
    return influence


def paint_map(image: np.ndarray, influence: np.ndarray) -> Image.Image:
    """The image on white paper, its parts coloured: blue speaks for the label, orange against it.

    image, influence: (28, 28) float32 as in occlusion_map. Returns a 28x28 RGB image; the colours are relative to the
    strongest influence in it.
    """
    strength = np.abs(influence) / max(float(np.abs(influence).max()), 1e-6)
    colour = np.where(influence[..., None] >= 0, FOR, AGAINST)
    paper = 255 + (colour - 255) * (0.75 * strength)[..., None]  # (28, 28, 3)
    return Image.fromarray((paper * (1 - 0.8 * image[..., None])).astype(np.uint8))


def _patches() -> list[tuple[slice, slice]]:
    starts = range(1 - PATCH, FRAME, STEP)
    return [(slice(max(0, top), top + PATCH), slice(max(0, left), left + PATCH)) for top in starts for left in starts]
