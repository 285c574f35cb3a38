"""Camera: what a camera or a scanner makes of a synthetic page: blur, few pixels, noise, black and white, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from digits.training.page import SIDE


def take(grey: np.ndarray, pen: float, scanned: bool, rng: np.random.Generator) -> np.ndarray:
    """Blur, few pixels, noise, black and white, JPEG: each in some pictures."""
    if rng.random() < 0.6:
        blur = min(float(np.exp(rng.uniform(np.log(0.3), np.log(4)))), max(0.45 * pen, 0.5))
        grey = cv2.GaussianBlur(grey, (0, 0), blur)
    if rng.random() < 0.05:
        grey = _motion(grey, min(pen * rng.uniform(0.5, 1.2), 15), rng)
    if rng.random() < 0.6:
        grey = grey + _noise(rng)
    picture = np.clip(grey * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        picture = few_pixels(picture, rng, pen, scanned)
    if scanned and rng.random() < 0.3:
        picture = _black_and_white(picture, rng)
    if rng.random() < 0.45:
        picture = _as_jpeg(picture, rng)
    return picture


def _as_jpeg(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(np.exp(rng.uniform(np.log(8), np.log(95))))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_GRAYSCALE))


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Of a sensor: of single pixels, or, where a picture was enlarged, of spots."""
    noise: np.ndarray = rng.normal(0, 1, (SIDE, SIDE))
    if rng.random() < 0.4:
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 2))
        noise = noise / noise.std()
    return np.asarray(np.exp(rng.uniform(np.log(0.003), np.log(0.06))) * noise)


def _motion(grey: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    size = 2 * max(1, round(length / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    middle, angle = size // 2, rng.uniform(0, np.pi)
    away = round(middle * np.cos(angle)), round(middle * np.sin(angle))
    cv2.line(kernel, (middle - away[0], middle - away[1]), (middle + away[0], middle + away[1]), 1.0)
    return cv2.filter2D(grey, -1, kernel / kernel.sum())


def few_pixels(picture: np.ndarray, rng: np.random.Generator, pen: float, scanned: bool = True) -> np.ndarray:
    """Reduced and enlarged again, to blocks or to blur: a thumbnail, an old scanner, a screen shot."""
    least = max(12, round(SIDE * min(1.0, 0.9 / pen)))  # a pen keeps about a pixel
    side = round(float(np.exp(rng.uniform(np.log(least), np.log(max(SIDE * 0.7, least + 1))))))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    if scanned and rng.random() < 0.5:
        small = _black_and_white(small, rng)
    if rng.random() < 0.3:
        small = _as_jpeg(small, rng)
    way = int(rng.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    return cv2.resize(small, (SIDE, SIDE), interpolation=way)


def _black_and_white(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a scanner's threshold leaves, by the whole picture or around each pixel."""
    if rng.random() < 0.3 and min(picture.shape) > 60:
        around = 2 * int(rng.integers(7, 30)) + 1
        way = cv2.ADAPTIVE_THRESH_GAUSSIAN_C
        return cv2.adaptiveThreshold(picture, 255, way, cv2.THRESH_BINARY, around, int(rng.integers(4, 14)))
    threshold, _ = cv2.threshold(picture, 0, 255, cv2.THRESH_OTSU)
    return np.where(picture > threshold + rng.normal(0, 6), 255, 0).astype(np.uint8)
