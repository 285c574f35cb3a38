"""Picture: anything that holds a picture becomes ink.

Decode, stand upright, lay on paper, and tell ink from paper: 1 where the pen has been, 0 elsewhere.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from digits.errors import PictureError

LONGEST = 1000  # pixels; larger pictures are reduced first: a digit needs 28
MOST_PIXELS = 120_000_000  # more than any camera gives; beyond that it is an attack or a mistake
FAINTEST = 0.06  # contrast, as a share of full black on white, below which there is nothing to see
SMALLEST_RULED = 56  # pixels a side below which a picture has no room for ruled lines
PARALLEL = 3  # lines across clean paper: fewer may be the bars of a digit
FLAT = 4  # grey levels that clean paper may vary by
LEVELS = np.arange(256, dtype=np.float32)  # of grey

Image.MAX_IMAGE_PIXELS = None  # limited by MOST_PIXELS instead, before anything is decoded


def read_ink(picture: Any) -> tuple[np.ndarray, float, tuple[str, ...]]:
    """Decode a picture and separate the ink from the paper.

    picture: a path, the bytes of a file, a PIL image, an array (height, width), (height, width, 1), RGB or RGBA, of
        bool, 8 or 16 bit integers, or float in [0, 1]; or a sketchpad value (a dict with "composite").
    Returns the ink, (height, width) float32 in [0, 1], ink = 1 and paper = 0; how many pixels of the picture one of
    its pixels stands for; and notes on what was done.
    Raises PictureError if it holds no picture.
    """
    picture, pixels = _read_plain_png(picture)
    colours, scale = _reduce(np.asarray(decode(picture)) if pixels is None else pixels)
    notes = [] if scale == 1 else [f"large picture: reduced to {colours.shape[1]}x{colours.shape[0]}"]
    ink, more = separate_ink(colours)
    return ink, scale, (*notes, *more)


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
    image.draft(None, (LONGEST, LONGEST))  # a JPEG is decoded at a half or a quarter of its size, which is quick
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


def _reduce(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """The pixels, (height, width) or (height, width, channels) uint8, at most LONGEST on a side, and the scale."""
    scale = max(1.0, max(pixels.shape[:2]) / LONGEST)
    if scale > 1:
        size = max(1, round(pixels.shape[1] / scale)), max(1, round(pixels.shape[0] / scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return pixels, scale


def separate_ink(colours: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Ink and notes from pixels (height, width[, channels]) uint8 of grey, grey + alpha, RGB or RGBA."""
    grey, notes = _to_grey(colours)
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    paper = _paper_level(counts)
    clean = paper is not None
    # Ink is what there is less of: the side of the paper's level with the heavier tail.
    if paper is None:
        difference = _against_shading(grey)
        dark_ink = float(difference.sum()) <= 0
    else:  # a pixel's level alone decides: work out the levels that there are, and look each pixel up
        difference = (LEVELS - paper) * (counts > 0)
        dark_ink = float(difference @ counts) <= 0
    ink = np.maximum(-difference if dark_ink else difference, 0) / 255
    if not dark_ink:
        notes.append("dark background: inverted")
    if clean:
        ink = cv2.LUT(grey, _stretch(ink))
    else:
        ink = _clean(ink)
        notes.append("uneven paper: shading removed")
    return _without_rules(ink, clean, notes), notes


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


def _paper_level(counts: np.ndarray) -> float | None:
    """The grey of clean, even paper; None if the paper is shaded or rough. counts: (256,) pixels of each grey."""
    size = counts.sum()
    level = int(counts.argmax())
    near = counts[max(0, level - FLAT) : level + FLAT + 1].sum()
    if near < 0.5 * size and not _has_two_levels(counts):
        return None
    beside = counts[max(0, level - 40) : level + 41].sum() - near
    return None if beside > 0.06 * size and size > 4096 else float(level)


def _has_two_levels(counts: np.ndarray) -> bool:
    """Is it a binary scan, or nearly one?"""
    return bool(counts[:16].sum() + counts[240:].sum() > 0.8 * counts.sum())


def _against_shading(grey: np.ndarray) -> np.ndarray:
    """Difference from the paper around each pixel, with the shading of light divided out: float32, -255..255."""
    height, width = grey.shape
    shrink = max(1.0, max(height, width) / 160)
    small = cv2.resize(
        grey, (max(1, round(width / shrink)), max(1, round(height / shrink))), interpolation=cv2.INTER_AREA
    )
    window = max(3, min(small.shape) // 3 | 1)
    paper = cv2.medianBlur(cv2.medianBlur(small, min(window, 99)), min(window, 99))
    paper = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), window / 6)
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.8) if max(height, width) > 64 else grey
    return (smooth.astype(np.float32) - paper) * (200 / np.maximum(paper, 60))


def _stretch(ink: np.ndarray) -> np.ndarray:
    """Full ink becomes 1. Where there is hardly any contrast, there is no ink."""
    full = float(ink.max())
    return (ink / full).astype(np.float32) if full >= FAINTEST else np.zeros_like(ink, np.float32)


def _clean(ink: np.ndarray) -> np.ndarray:
    """Ink on rough or shaded paper: what stands clear of the paper's own noise."""
    noise = 1.4826 * float(np.median(np.abs(ink - np.median(ink)))) + float(np.median(ink))
    strong = ink[ink > max(FAINTEST, 3 * noise)]
    if strong.size < 4:
        return np.zeros_like(ink, np.float32)
    threshold, _ = cv2.threshold(np.round(strong * 255).astype(np.uint8).reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    full = float(np.percentile(strong, 80))
    if full < 1.5 * FAINTEST:
        return np.zeros_like(ink, np.float32)
    low = min(max(2.5 * noise, 0.25 * full), 0.6 * full, threshold / 255)
    return np.clip((ink - low) / max(full * 0.9 - low, 1e-3), 0, 1).astype(np.float32)


def _without_rules(ink: np.ndarray, clean: bool, notes: list[str]) -> np.ndarray:
    """Take away ruled lines, squares and cell borders; strokes that cross them are made whole again."""
    if min(ink.shape) < SMALLEST_RULED:
        return ink
    inked = (ink > 0.3).view(np.uint8)
    kept = ink
    if _reaches_far(inked, clean) and (rules := _find_rules(inked, clean)).any():
        notes.append("ruled lines removed")
        gone = cv2.dilate(rules, np.ones((3, 3), np.uint8))
        rest = inked & (gone == 0)
        reach = 2 * max(2, round(min(ink.shape) / 40)) + 1
        crossing = cv2.bitwise_or(
            cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((reach, 1), np.uint8)),
            cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8)),
        )
        kept = np.where((gone > 0) & (crossing == 0), 0, ink).astype(np.float32)
    return kept if clean else _without_fringe(kept)


def _reaches_far(inked: np.ndarray, clean: bool) -> bool:
    """Is there ink enough, from side to side or from top to bottom, for a line across?"""
    height, width = inked.shape
    _, _, across, down = cv2.boundingRect(inked)
    return max(across / width, down / height) > (0.9 if clean else 0.4)


def _find_rules(inked: np.ndarray, clean: bool) -> np.ndarray:
    """Ruled lines, level and upright: a mask."""
    rules, upright = _rules(inked, clean), _rules(inked.T, clean).T
    # On clean paper a tall line is a 1, with or without a foot.
    if upright.any() and (not clean or cv2.connectedComponents(rules)[0] > 2):
        rules |= upright
    return rules & _separate(inked, rules) if clean and rules.any() else rules


def _rules(inked: np.ndarray, clean: bool) -> np.ndarray:
    """Horizontal straight lines from border to border, or, on rough paper, long ones along the border: a mask.

    inked: (height, width) uint8 0 or 1.
    """
    height, width = inked.shape
    if np.count_nonzero(inked.any(axis=0)) <= (0.9 if clean else 0.4) * width:
        return np.zeros_like(inked)  # no ink reaches so far
    thick = cv2.dilate(inked, np.ones((3, 1), np.uint8))  # a line may slant a little
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, max(3, width // 4)), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
    mask = np.zeros_like(inked)
    parallel = 0
    for label in range(1, count):
        top, length, depth = (int(value) for value in stats[label, 1:4])
        across = length > 0.9 * width and depth < 0.15 * height
        at_border = min(top + depth / 2, height - top - depth / 2) < 0.2 * height and depth < 0.15 * height
        along = not clean and at_border and length > 0.4 * width
        if across or along:
            line = labels == label
            depths = np.count_nonzero(line, axis=0)
            usual = float(np.median(depths[depths > 0]))
            mask[line & (depths <= 1.5 * usual + 1)] = 1  # where it is deeper, a stroke lies on it
            parallel += across
    if clean and parallel == 0:
        return np.zeros_like(inked)
    return mask & thick


def _separate(inked: np.ndarray, rules: np.ndarray) -> np.ndarray:
    """On clean paper a line counts as ruled only if it stands apart, or crosses the picture with others beside it:
    the bar of a 7 that fills its picture is no rule."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inked | rules, connectivity=8)
    ruled = np.bincount(labels.ravel(), weights=rules.ravel(), minlength=count)
    lines, line_labels = cv2.connectedComponents(rules, connectivity=8)
    of_line = np.zeros(lines, np.int64)
    of_line[line_labels.ravel()] = labels.ravel()  # the component that each line is part of
    apart = (ruled > 0.6 * stats[:, cv2.CC_STAT_AREA]) | (np.bincount(of_line[1:], minlength=count) >= PARALLEL)
    apart[0] = False
    return apart[labels].astype(np.uint8)


def _without_fringe(ink: np.ndarray) -> np.ndarray:
    """On rough paper, leave out what the edge of the picture cut off: the neighbours' ink and ends of lines."""
    height, width = ink.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0.3).astype(np.uint8), connectivity=8)
    left, top = stats[:, 0], stats[:, 1]
    right, bottom = left + stats[:, 2], top + stats[:, 3]
    in_band = (right < 0.16 * width) | (left > 0.84 * width) | (bottom < 0.16 * height) | (top > 0.84 * height)
    at_edge = (left <= 2) | (top <= 2) | (right >= width - 2) | (bottom >= height - 2)
    thin = stats[:, 2:4].min(axis=1) < 0.05 * min(height, width)
    fringe = in_band & (at_edge | thin)
    fringe[0] = False
    return np.where(fringe[labels], 0, ink).astype(np.float32) if fringe.any() else ink
