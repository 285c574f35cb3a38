"""Picture: anything that holds a picture becomes ink."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from digits.errors import PictureError


def read_ink(picture: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Decode a picture and separate the ink from the paper.

    picture: path | bytes | PIL image | array (grey, RGB, RGBA) | sketchpad value.
    Returns (height, width) float32 in [0, 1], ink = 1 and paper = 0, and notes on what was done.
    Raises PictureError if it holds no picture.
    """
    grey = np.asarray(_flatten(decode(picture)), np.float32) / 255
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.median(border) < 0.5:
        return grey, ("dark background: inverted",)
    return 1 - grey, ()


def decode(picture: Any) -> Image.Image:
    """The picture as an upright PIL image. Raises PictureError."""
    if isinstance(picture, dict):
        picture = picture.get("composite")
    if isinstance(picture, Image.Image):
        return ImageOps.exif_transpose(picture)
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8:
            picture = (picture * 255).astype(np.uint8)
        return Image.fromarray(picture)
    try:
        return ImageOps.exif_transpose(Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else Path(picture)))
    except (OSError, UnidentifiedImageError, TypeError) as error:
        raise PictureError(f"No picture could be read: {error}") from error


def _flatten(image: Image.Image) -> Image.Image:
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L")
