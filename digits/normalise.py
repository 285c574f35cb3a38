"""Normalise: the ink of one digit into MNIST's frame."""

from __future__ import annotations

import cv2
import numpy as np

FRAME = 28
FIT = 20  # pixels of the longer side of a digit in the frame
ENLARGED = 4  # the pen is changed on a picture of 4 x FIT pixels, for smooth edges
PEN = (1.4, 4.4)  # pixels in the frame: between these lie the pens of nearly all of MNIST's pictures


def normalise(ink: np.ndarray) -> np.ndarray:
    """Fit a digit's ink into 20x20, aspect kept, with a pen like MNIST's, its centre of mass in the middle of 28x28.

    ink: (height, width) float32 in [0, 1], ink = 1, cropped to the digit.
    Returns (28, 28) float32 in [0, 1], made as MNIST's pictures are (LeCun et al. 1998,
    http://yann.lecun.com/exdb/mnist/). An image of MNIST itself comes out as it went in.
    """
    if _is_like_mnist(ink):
        return _centre(_fit(ink))
    enlarged = _enlarge(ink)
    width = pen_width(enlarged) / ENLARGED
    wanted = min(max(width, PEN[0]), PEN[1])
    return _centre(_fit(change_pen(enlarged, (wanted - width) * ENLARGED)))


def _is_like_mnist(ink: np.ndarray) -> bool:
    """Has it MNIST's size and no thinner pen? Then it is left as it is: to thin a wide pen this small breaks strokes.

    A picture twice as large is enough to tell the pen.
    """
    return 0.9 < FIT / max(ink.shape) < 1.1 and pen_width(_resize(ink, 2, cv2.INTER_LINEAR)) / 2 > PEN[0]


def pen_width(ink: np.ndarray) -> float:
    """Width of the pen in pixels: twice the median distance to the paper along the ridge of the ink.

    ink: (height, width) float32 in [0, 1], best with strokes of 3 pixels and more.
    """
    inked = cv2.copyMakeBorder((ink > 0.5).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    distance = cv2.distanceTransform(inked, cv2.DIST_L2, 3)
    ridge = np.sort(distance[(inked > 0) & (distance >= cv2.dilate(distance, NEIGHBOURS))])
    if not ridge.size:
        return 1.0
    median = (ridge[(ridge.size - 1) // 2] + ridge[ridge.size // 2]) / 2  # np.median takes five times as long
    return float(2 * median - 0.5)


def _enlarge(ink: np.ndarray) -> np.ndarray:
    """Scale to 80 pixels, smoothing the staircase of a picture that had far fewer."""
    scale = ENLARGED * FIT / max(ink.shape)
    if scale <= 1:
        return _resize(ink, scale, cv2.INTER_AREA)
    enlarged = _resize(ink, scale, cv2.INTER_CUBIC)
    if scale > 2:
        sigma = 0.4 * scale
        reach = 2 * round(2.5 * sigma) + 1  # OpenCV's own choice for floats, four sigma, takes twice as long
        enlarged = cv2.GaussianBlur(enlarged, (reach, reach), sigma, borderType=cv2.BORDER_CONSTANT)
        enlarged = enlarged / max(float(enlarged.max()), 1e-6)
    return np.clip(enlarged, 0, 1, out=enlarged)


def change_pen(ink: np.ndarray, by: float) -> np.ndarray:
    """Make the strokes wider (by > 0) or narrower, in pixels of `ink`."""
    size = round(abs(by))
    if size == 0:
        return ink
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size + 1, size + 1))
    if by > 0:
        room = cv2.copyMakeBorder(ink, size, size, size, size, cv2.BORDER_CONSTANT)
        return crop(cv2.dilate(room, kernel))
    thin = crop(cv2.erode(ink, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0))
    return thin if thin.max() > 0.5 else ink


def crop(ink: np.ndarray, faintest: float = 0.2) -> np.ndarray:
    """The part of (height, width) float32 ink that is above `faintest`; all of it if nothing is."""
    left, top, width, height = cv2.boundingRect((ink > faintest).view(np.uint8))
    return ink[top : top + height, left : left + width] if width else ink


def _fit(ink: np.ndarray) -> np.ndarray:
    scale = FIT / max(ink.shape)
    return ink if scale == 1 else _resize(ink, scale, cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _resize(ink: np.ndarray, scale: float, interpolation: int) -> np.ndarray:
    height, width = ink.shape
    return cv2.resize(ink, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=interpolation)


def _centre(ink: np.ndarray) -> np.ndarray:
    """Shift by whole pixels, so that nothing is blurred; what would leave the frame stays at its edge."""
    height, width = ink.shape
    columns, rows = ink.sum(axis=0), ink.sum(axis=1)  # not cv2.moments: it takes a picture 2 wide for a list of points
    mass = max(float(rows.sum()), 1e-6)
    left = round(FRAME / 2 - float(columns @ PLACES[:width]) / mass)
    top = round(FRAME / 2 - float(rows @ PLACES[:height]) / mass)
    left, top = min(max(left, 0), FRAME - width), min(max(top, 0), FRAME - height)
    frame = np.zeros((FRAME, FRAME), np.float32)
    frame[top : top + height, left : left + width] = ink
    return frame


NEIGHBOURS = np.ones((3, 3), np.uint8)
PLACES = np.arange(FRAME, dtype=np.float32)
