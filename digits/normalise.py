"""Normalise: the ink of one digit into MNIST's frame."""

from __future__ import annotations

import cv2
import numpy as np

FRAME = 28
FIT = 20


def normalise(ink: np.ndarray) -> np.ndarray:
    """Fit a digit's ink into 20x20, aspect kept, its centre of mass in the middle of 28x28.

    ink: (height, width) float32 in [0, 1], ink = 1, cropped to the digit.
    Returns (28, 28) float32 in [0, 1], as MNIST's pictures are made (LeCun et al. 1998,
    http://yann.lecun.com/exdb/mnist/).
    """
    height, width = ink.shape
    scale = FIT / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    moments = cv2.moments(small)
    middle = (FRAME - 1) / 2
    dx = middle - moments["m10"] / moments["m00"]
    dy = middle - moments["m01"] / moments["m00"]
    shift = np.float32([[1, 0, round(dx)], [0, 1, round(dy)]])
    return cv2.warpAffine(small, shift, (FRAME, FRAME))
