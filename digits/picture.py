"""Picture: anything that holds a picture becomes grey: decoded, stood upright, laid on paper, in one channel."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from digits.errors import PictureError

LONGEST = 1000  # pixels a side of a small picture
MOST_PIXELS = 120_000_000  # more than any camera gives; beyond that it is an attack or a mistake

Image.MAX_IMAGE_PIXELS = None  # limited by MOST_PIXELS instead, before anything is decoded


def read_grey(picture: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Decode a picture into one channel, that in which the ink stands out most.

    picture: a path, the bytes of a file, a PIL image, an array (height, width), (height, width, 1), RGB or RGBA, of
        bool, 8 or 16 bit integers, or float in [0, 1]; or a sketchpad value (a dict with "composite").
    Returns (height, width) uint8 grey, and notes on what was done.
    Raises PictureError if it holds no picture.
    """
    picture, pixels = _read_plain_png(picture)
    grey, notes = _to_grey(np.asarray(decode(picture)) if pixels is None else pixels)
    return grey, tuple(notes)


def _read_plain_png(picture: Any) -> tuple[Any, np.ndarray | None]:
    """The pixels of a small PNG file of grey or RGB, which archives of scanned forms are full of; None of all others.

    OpenCV decodes them in about half of Pillow's time. Returns the picture, too: its bytes, if they were read.
    """
    if isinstance(picture, (str, os.PathLike)) and str(picture).lower().endswith(".png"):
        try:
            with open(picture, "rb") as file:  # noqa: PTH123 (Path takes as long as the decoding)
                picture = file.read()
        except OSError:
            return picture, None  # who decodes all the others says what is wrong with it
    if not isinstance(picture, bytes) or not _is_plain_png(picture):
        return picture, None
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    return picture, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels is not None and pixels.ndim == 3 else pixels


def _is_plain_png(data: bytes) -> bool:
    """A PNG of 8 bits, whole, without palette, transparency or EXIF (https://www.w3.org/TR/png-3/#11Chunks)."""
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return (
        data.startswith(b"\x89PNG\r\n\x1a\n")
        and data.endswith(b"IEND\xaeB`\x82")
        and data[24:26] in (b"\x08\x00", b"\x08\x02")  # depth 8; grey or RGB
        and max(width, height) <= LONGEST
        and b"tRNS" not in data
        and b"eXIf" not in data
    )


def decode(picture: Any) -> Image.Image:
    """The picture, upright, as a PIL image of mode L, LA, RGB or RGBA. Raises PictureError."""
    if isinstance(picture, dict):
        picture = picture.get("composite")
    if picture is None:
        raise PictureError("No picture was received. Expected a path, bytes, a PIL image or an array: received None.")
    image = _from_array(picture) if isinstance(picture, np.ndarray) else _open(picture)
    try:
        image.load()
        return _plain_mode(_upright(image))
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what PIL's decoders raise on damaged files
        raise PictureError(f"The picture is damaged or cut short: {error}. Save it again and try once more.") from error


def _open(picture: Any) -> Image.Image:
    if isinstance(picture, Image.Image):
        return picture
    if isinstance(picture, (bytes, bytearray, memoryview)):
        source: Any = io.BytesIO(picture)
        name = f"{len(bytes(picture)):,} bytes"
    elif isinstance(picture, (str, os.PathLike)):
        source, name = Path(picture), str(picture)
    else:
        raise PictureError(
            f"A {type(picture).__name__} is no picture. Expected a path, bytes, a PIL image or a NumPy array."
        )
    try:
        image = Image.open(source)
    except FileNotFoundError as error:
        raise PictureError(f"There is no file {name}. Check the path.") from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{name}: no picture that can be read. Expected PNG, JPEG, GIF, BMP, TIFF, WebP.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(f"{name} could not be opened as a picture: {error}") from error
    if image.width * image.height > MOST_PIXELS:
        raise PictureError(
            f"The picture has {image.width}x{image.height} pixels. Expected at most {MOST_PIXELS:,}: reduce it first."
        )
    return image


def _upright(image: Image.Image) -> Image.Image:
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    return ImageOps.exif_transpose(image) if turned else image  # which copies the image even if it is upright


def _from_array(array: np.ndarray) -> Image.Image:
    """An array as an image. Floats and bools are in [0, 1]; 16 bits span 0..65535."""
    shape = array.shape
    if array.ndim == 3 and shape[2] == 1:
        array = array[..., 0]
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (2, 3, 4)):
        raise PictureError(
            f"An array of shape {shape} is no picture. "
            "Expected (height, width), (height, width, 3) or (height, width, 4)."
        )
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    elif array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif np.issubdtype(array.dtype, np.floating):
        array = _from_floats(array)
    elif np.issubdtype(array.dtype, np.integer) and array.min() >= 0 and array.max() <= 255:
        array = array.astype(np.uint8)
    if array.dtype != np.uint8:
        values = f"from {array.min()} to {array.max()} " if np.issubdtype(array.dtype, np.integer) else ""
        raise PictureError(
            f"An array of {array.dtype} {values}is no picture. Expected bool, uint8, uint16, or float in [0, 1]."
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _from_floats(array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise PictureError("The array has values that are not finite. Expected float in [0, 1].")
    lowest, highest = float(array.min()), float(array.max())
    if lowest < -1e-3 or highest > 255:
        raise PictureError(f"The array has values from {lowest:g} to {highest:g}. Expected float in [0, 1].")
    unit = 255 if highest <= 1 + 1e-3 else 1  # some hand over grey levels as floats
    return np.clip(np.round(array * unit), 0, 255).astype(np.uint8)


def _plain_mode(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "LA", "RGB", "RGBA"):
        return image.convert("RGBA") if "transparency" in image.info else image
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _from_array(_deep_grey(np.asarray(image)))
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if "transparency" in image.info or image.mode in ("PA", "La", "RGBa") else "RGB")


def _deep_grey(values: np.ndarray) -> np.ndarray:
    """Grey of more than 8 bits: 0..65535, or whatever range a float picture has, to uint8."""
    values = values.astype(np.float32)
    if values.max() > 255:
        return np.clip(values / 257, 0, 255).astype(np.uint8)
    return np.clip(values * (255 if values.max() <= 1 else 1), 0, 255).astype(np.uint8)


def _to_grey(colours: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """One channel, in which the ink stands out most."""
    notes: list[str] = []
    if colours.ndim == 3 and colours.shape[2] in (2, 4):
        colours, notes = _lay_on_paper(colours)
    if colours.ndim == 2:
        return colours, notes
    red, green, blue = cv2.split(colours)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return green, notes
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    channels = (red, green, blue)
    contrasts = [_contrast(channel) for channel in channels]
    best = int(np.argmax(contrasts))
    # Grey has the least noise: a single colour must be clearly better.
    return (channels[best], [*notes, "coloured ink"]) if contrasts[best] > 1.3 * _contrast(grey) else (grey, notes)


def _contrast(channel: np.ndarray) -> float:
    step = max(1, min(channel.shape) // 200)
    sample = channel[::step, ::step]
    middle = float(np.median(sample))
    return float(np.percentile(np.abs(sample.astype(np.float32) - middle), 98))


def _lay_on_paper(colours: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Transparent pictures: on white, or on black if the ink is light."""
    if colours[..., -1].min() == 255:  # opaque
        grey = colours.shape[2] == 2
        return np.ascontiguousarray(colours[..., 0]) if grey else cv2.cvtColor(colours, cv2.COLOR_RGBA2RGB), []
    alpha = colours[..., -1:].astype(np.float32) / 255
    inked = colours[..., :-1].astype(np.float32)
    seen = float((inked * alpha).sum() / max(float(alpha.sum()) * inked.shape[2], 1e-6))
    opaque = float(alpha.mean()) > 0.5  # then most of what is seen is paper, and it decides
    paper = 255.0 if (seen >= 128) == opaque else 0.0
    flat = np.round(inked * alpha + paper * (1 - alpha)).astype(np.uint8)
    return (flat[..., 0] if flat.shape[2] == 1 else flat), ["transparent background: laid on paper"]
