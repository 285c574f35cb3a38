"""Decode: anything that holds a picture becomes pixels, upright, and not too many of them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageFile

from digits.apart import draw_apart
from digits.arrays import checked_shape, deep_grey, grey_levels
from digits.errors import PictureError, shown
from digits.files import read_regular
from digits.formats import (
    FORMATS,
    MOST_BYTES,
    apart_format,
    check_bytes,
    check_size,
    check_unloaded,
    decoding,
    open_image,
)
from digits.pages import MOST_PAGES, Page, check_page, count_pages, tiff_of_page

LARGEST = 4096  # pixels a side that a picture keeps: a digit needs 28
SMALL = 1000  # pixels a side up to which a PNG is plain
BAND = 2_000_000  # pixels that are converted in one go
PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"sRGB", b"cHRM", b"tEXt", b"tIME"}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture upright, by EXIF's orientation."""

Band = Callable[[int, int], Image.Image]
"""The rows from one number to another, as an image of mode L, LA, RGB or RGBA."""


class _Loaded(NamedTuple):
    """An image, upright, reduced by a whole factor to LARGEST a side.

    longest: the longer side of the whole picture. pages: that the file has.
    """

    image: Image.Image
    longest: int
    pages: int = 1


def read_pixels(picture: Any) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """The picture, upright, as pixels of grey, grey + alpha, RGB or RGBA, at most LARGEST on a side.

    picture: as in digits.picture.read_grey.
    Returns (height, width) or (height, width, channels) uint8; how many pixels of the picture one of them stands
    for; and notes on what was done. Raises PictureError, and nothing else.
    """
    content, page = _content(picture)
    pixels = _read_plain_png(content) if isinstance(content, bytes) and page == 1 else None
    if pixels is not None:
        return pixels, 1.0, ()
    image, longest, pages = _load(content, page)
    first = [f"the first of {pages} pages"] if pages > 1 and not isinstance(picture, Page) else []
    scale = max(1.0, longest / max(image.size))
    reduced = [f"large picture: reduced to {image.width}x{image.height}"] if scale > 1 else []
    return np.asarray(image), scale, (*first, *reduced)


def decode(picture: Any) -> Image.Image:
    """The picture, upright, as a PIL image of mode L, LA, RGB or RGBA.

    A large one is reduced by a whole factor to LARGEST pixels a side or fewer. Raises PictureError.
    """
    return _load(*_content(picture)).image


def find_pages(file: str | os.PathLike[str] | bytes) -> list[Page]:
    """The pages of a file, each to be read as a picture; one if its format has no pages.

    file: a path, or the bytes of a file. Raises PictureError, also if there are more than MOST_PAGES pages.
    """
    count = count_pages(file if isinstance(file, bytes) else read_file(file))
    if count > MOST_PAGES:
        raise PictureError(f"The file has {count:,} pages. Expected at most {MOST_PAGES:,}. Split it.")
    return [Page(file, number) for number in range(1, count + 1)]


def format_of(data: bytes) -> str:
    """Which of FORMATS the file has, by its header. Raises PictureError if none, or if it is not fit to be loaded."""
    open_image(data, LARGEST)
    return next(name for name, known in FORMATS.items() if data.startswith(known.heads))


def _content(picture: Any) -> tuple[bytes | np.ndarray | Image.Image, int]:
    """What was handed in as one of three: the bytes of a file, an array or a PIL image; and which page, from 1."""
    if isinstance(picture, Page):
        return _content(picture.file)[0], picture.number
    if isinstance(picture, dict):
        picture = picture.get("composite")
    if picture is None:
        raise PictureError("No picture was received. Expected a path, bytes, a PIL image or an array: received None.")
    if isinstance(picture, (str, os.PathLike)):
        return read_file(picture), 1
    if isinstance(picture, (bytes, bytearray, memoryview)):
        check_bytes(memoryview(picture).nbytes)
        return bytes(picture), 1
    if isinstance(picture, (np.ndarray, Image.Image)):
        return picture, 1
    raise PictureError(
        f"A {type(picture).__name__} is no picture. Expected a path, bytes, a PIL image or a NumPy array."
    )


def read_file(path: str | os.PathLike[str]) -> bytes:
    """The content of a file that may hold a picture. Raises PictureError if it is no file, or is too large."""
    try:
        data = read_regular(path, MOST_BYTES)
    except FileNotFoundError as error:
        raise PictureError(f"There is no file {shown(path)}. Check the path.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PictureError(f"{shown(path)} could not be opened as a picture: {reason}.") from error
    return data


def _read_plain_png(data: bytes) -> np.ndarray | None:
    """The pixels of a small PNG file of grey or RGB, which archives of scanned forms are full of; None of all others.

    OpenCV decodes them in about half of Pillow's time.
    """
    if not _is_plain_png(data):
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None  # who decodes all the others says what is wrong with it
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels is not None and pixels.ndim == 3 else pixels


def _is_plain_png(data: bytes) -> bool:
    """A PNG of 8 bits, whole, without palette, transparency or EXIF (https://www.w3.org/TR/png-3/#11Chunks)."""
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return (
        data.startswith(FORMATS["PNG"].heads)
        and data[24:26] in (b"\x08\x00", b"\x08\x02")  # depth 8; grey or RGB
        and 0 < width <= SMALL
        and 0 < height <= SMALL
        and PLAIN_CHUNKS.issuperset(_chunks(data))
    )


def _chunks(data: bytes) -> Iterator[bytes]:
    """The names of a PNG's chunks, IEND the last; b"" if one claims to be longer than the file, or there are many."""
    place = 8
    for _ in range(100):
        name = data[place + 4 : place + 8]
        place += 12 + int.from_bytes(data[place : place + 4], "big")
        if place > len(data):
            break
        yield name
        if name == b"IEND":
            return
    yield b""


def _load(content: bytes | np.ndarray | Image.Image, page: int) -> _Loaded:
    """The picture, or the page of that number in its file, fit for the road."""
    pages = 1
    if isinstance(content, bytes):
        form = apart_format(content)
        if form is not None:
            return _load_apart(content, form, page)
        content, pages = tiff_of_page(content, page)
    check_page(page, pages)
    if isinstance(content, np.ndarray):
        height, width, band = _array_bands(content)
        return _Loaded(_reduced(width, height, band), max(width, height))
    with decoding():
        image, longest = _opened(content)
        image.load()
        reduced = _reduced(image.width, image.height, _image_bands(image))
        turn = TURNS.get(_orientation(image.info.get("exif")))
        return _Loaded(reduced if turn is None else reduced.transpose(turn), longest, pages)


def _load_apart(content: bytes, form: str, page: int) -> _Loaded:
    image, longest, pages = draw_apart(content, form, page)
    if image is None:
        check_page(page, pages)
        raise PictureError(f"The {form} has no pages.")
    return _Loaded(image, longest, pages)


def _opened(content: bytes | Image.Image) -> tuple[Image.Image, int]:
    """The image, fit to be loaded, and the longer side of the whole picture, of which a JPEG may be a reduced one."""
    if isinstance(content, bytes):
        return open_image(content, LARGEST)
    if isinstance(content, ImageFile.ImageFile) and content._im is None:  # what PIL asks itself: is it loaded?
        check_unloaded(content)
    check_size(content.size)
    return content, max(content.size)


def _orientation(exif: bytes | None) -> int:
    """Tag 274 of the first directory (12 bytes an entry: TIFF 6.0, section 2); 1 if there is none.

    Pillow's own reader copies what each entry points to, and a small file can point to the same megabyte 65,535 times.
    """
    exif = (exif or b"").removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if exif[:2] == b"II" else "big"
    start = int.from_bytes(exif[4:8], order) + 2
    end = start + 12 * int.from_bytes(exif[start - 2 : start], order)
    for entry in range(start, min(end, len(exif)), 12):
        if int.from_bytes(exif[entry : entry + 2], order) == 274:
            return int.from_bytes(exif[entry + 8 : entry + 10], order)
    return 1


def _reduced(width: int, height: int, band: Band) -> Image.Image:
    """The picture, reduced by a whole factor to LARGEST pixels a side, band by band: so only what was decoded is ever
    held whole."""
    factor = -(-max(width, height) // LARGEST)
    if factor == 1:
        return band(0, height)
    rows = factor * max(1, BAND // (factor * width))
    parts = [band(top, min(top + rows, height)).reduce(factor) for top in range(0, height, rows)]
    reduced = Image.new(parts[0].mode, (parts[0].width, sum(part.height for part in parts)))
    top = 0
    for part in parts:
        reduced.paste(part, (0, top))
        top += part.height
    return reduced


def _image_bands(image: Image.Image) -> Band:
    def rows(top: int, bottom: int) -> Image.Image:
        return image if (top, bottom) == (0, image.height) else image.crop((0, top, image.width, bottom))

    if image.mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return rows
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        tops = range(0, image.height, step := max(1, BAND // image.width))
        most = max(float(np.nanmax(np.asarray(rows(top, min(top + step, image.height))), initial=0)) for top in tops)
        return lambda top, bottom: Image.fromarray(deep_grey(np.asarray(rows(top, bottom)), most))
    if image.mode == "1":
        return lambda top, bottom: rows(top, bottom).convert("L")
    clear = "transparency" in image.info or image.mode in ("PA", "La", "RGBa")
    return lambda top, bottom: rows(top, bottom).convert("RGBA" if clear else "RGB")


def _array_bands(array: np.ndarray) -> tuple[int, int, Band]:
    """Height, width and bands of an array."""
    array = checked_shape(array)
    height, width = array.shape[:2]
    check_size((width, height))
    levels = grey_levels(array)
    return height, width, lambda top, bottom: Image.fromarray(np.ascontiguousarray(levels(array[top:bottom])))


def as_png(image: Image.Image) -> bytes:
    """The reverse: a PNG file of an image."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
