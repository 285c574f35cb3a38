"""Formats: which picture files are opened, and what is looked at before one is believed.

A file of some bytes can claim gigabytes, or keep a decoder busy for hours. So what decoding needs is worked out from
the header, and what some decoders read in Python, one by one or as often as the file says, is counted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from PIL import BmpImagePlugin, GifImagePlugin, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin
from PIL import WebPImagePlugin as WebpImagePlugin

from digits.errors import PictureError, shown

MOST_BYTES = 100_000_000  # of a file
MOST_PIXELS = 200_000_000  # as many as the largest cameras give
LONGEST_SIDE = 100_000  # pixels
MOST_MEMORY = 450_000_000  # bytes for decoding; what comes after needs another 100 MB
MOST_SCANNED = 2_000_000_000  # pixels times scans of a JPEG: each scan goes over all of them
SMALLER = "Make it smaller, or save it as a plain JPEG, and try once more."
WEBP_BYTES = 20  # a pixel, for two canvases of its animation, the frame, its bytes, and Pillow's own copy


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """Its EXIF is not searched for a resolution: that of a small file can name the same bytes 5,000 times."""

    def _read_dpi_from_exif(self) -> None:
        pass


class Format(NamedTuple):
    """Who opens a file, with what its content begins, how its name ends."""

    open: Callable[[io.BytesIO], ImageFile.ImageFile]
    heads: tuple[bytes, ...]
    endings: tuple[str, ...]


FORMATS = {
    "PNG": Format(PngImagePlugin.PngImageFile, (b"\x89PNG\r\n\x1a\n",), (".png",)),
    "JPEG": Format(_Jpeg, (b"\xff\xd8\xff",), (".jfif", ".jpeg", ".jpg")),
    "GIF": Format(GifImagePlugin.GifImageFile, (b"GIF87a", b"GIF89a"), (".gif",)),
    "BMP": Format(BmpImagePlugin.BmpImageFile, (b"BM",), (".bmp",)),
    "TIFF": Format(TiffImagePlugin.TiffImageFile, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), (".tif", ".tiff")),
    "WebP": Format(WebpImagePlugin.WebPImageFile, (b"RIFF",), (".webp",)),
}
"""The formats that are opened here."""


class FormatApart(NamedTuple):
    """Brands of which one stands in the head of a file (ISO/IEC 14496-12, section 4.3), and how its name ends."""

    brands: tuple[bytes, ...]
    endings: tuple[str, ...]


FORMATS_APART = {
    "PDF": FormatApart((), (".pdf",)),
    "AVIF": FormatApart((b"avif", b"avis"), (".avif",)),
    "HEIC": FormatApart((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"), (".heic", ".heif", ".hif")),
}
"""The formats that digits.apart opens: no other is opened, by any way in."""

PROMISED = ", ".join((*FORMATS, *FORMATS_APART))
ENDINGS = [
    *(ending for known in FORMATS.values() for ending in known.endings),
    *(ending for known in FORMATS_APART.values() for ending in known.endings),
]

CORE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
"""Bytes in which Pillow keeps a pixel; 4 in all other modes."""


def open_image(data: bytes, least: int) -> tuple[ImageFile.ImageFile, int]:
    """The picture in a file, its header read and found fit to be loaded, and the longer side of the whole picture.

    least: a JPEG may be decoded at a half, a quarter or an eighth of its size, as long as both sides keep so many
        pixels: that is quick, and takes little memory.
    Raises PictureError.
    """
    check_bytes(len(data))
    known = next((known for known in FORMATS.values() if data.startswith(known.heads)), None)
    if known is None:
        raise PictureError(f"This is no picture that can be read. Expected {PROMISED}. {_received(data)}")
    if known is FORMATS["WebP"]:
        check_size(size := _webp_size(data))
        _check_memory(WEBP_BYTES * size[0] * size[1], size)  # whose canvases are made while it is opened
    file = _Counted(data)
    with decoding():
        image = known.open(file)
        file.bytes = 4 * len(data) + 1_000_000  # from here on it is the pixels that are read
        check_size(image.size)
        scans = 1 + data.count(b"\xff\xda", file.tell()) if known.open is _Jpeg else 1
        full, longest = image.width * image.height, max(image.size)
        image.draft(None, (least, least))
        _check_memory(2 * len(data) + _decoder_memory(image, full, scans), image.size)
    return image, longest


def apart_format(data: bytes) -> str | None:
    """Which of FORMATS_APART the file has, by its head; None if it has none of them."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return "PDF"
    if data[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(data[:4], "big"), 200)
    brands = {data[place : place + 4] for place in (8, *range(16, length, 4))}
    return next((name for name, known in FORMATS_APART.items() if brands.intersection(known.brands)), None)


def check_unloaded(image: ImageFile.ImageFile) -> None:
    """The same for a PIL image that was opened elsewhere and is not loaded yet. Raises PictureError."""
    if str(image.format).upper() not in {name.upper() for name in FORMATS} | {"MPO"}:
        raise PictureError(
            f"A PIL image of the format {image.format} is not loaded here. Expected {', '.join(FORMATS)}. "
            "Load or convert it first, if you trust where it comes from."
        )
    check_size(image.size)
    _check_memory(_decoder_memory(image, image.width * image.height, 2), image.size)


def check_bytes(size: int) -> None:
    """Raises PictureError if a file of so many bytes is too large."""
    if size > MOST_BYTES:
        raise PictureError(f"The picture has {size:,} bytes. Expected at most {MOST_BYTES:,}. {SMALLER}")


def check_size(size: tuple[int, int]) -> None:
    """Raises PictureError if a picture of so many pixels, (width, height), is too large, or has none."""
    width, height = size
    if min(size) < 1:
        raise PictureError(f"The picture has no pixels: {width}x{height}. Expected at least 1x1.")
    if width * height > MOST_PIXELS or max(size) > LONGEST_SIDE:
        raise PictureError(
            f"The picture has {width}x{height} pixels. Expected at most {MOST_PIXELS:,}, and {LONGEST_SIDE:,} a side. "
            + SMALLER
        )


def _check_memory(needed: float, size: tuple[int, int]) -> None:
    if needed > MOST_MEMORY:
        raise PictureError(
            f"The picture ({size[0]}x{size[1]} pixels) would take {needed / 1e6:,.0f} MB of memory to decode. "
            f"Expected at most {MOST_MEMORY / 1e6:.0f} MB. {SMALLER}"
        )


def _decoder_memory(image: ImageFile.ImageFile, full: int, scans: int) -> float:
    """Bytes that Pillow takes to load the image: its own copy, and what the format's decoder keeps beside it.

    full: pixels of the whole picture, though it may be decoded smaller. scans: of a JPEG.
    """
    core: float = image.width * image.height * CORE_BYTES.get(image.mode, 4)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        if scans * full > MOST_SCANNED:
            raise PictureError(f"The picture has {full:,} pixels in {scans:,} passes, which takes too long. {SMALLER}")
        return core + (2 * full * _samples(image.layer) if scans > 1 else 0)  # the coefficients, two bytes each
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 2 * core + _strip_memory(image)  # which Pillow may turn as a whole
    if isinstance(image, WebpImagePlugin.WebPImageFile):
        return WEBP_BYTES * full
    if isinstance(image, BmpImagePlugin.BmpImageFile) and image.tile[0].codec_name == "bmp_rle":
        return 3 * core  # runs are unpacked in Python
    return core


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height by the header of each of the three kinds (RFC 9649, sections 2.5 to 2.7)."""
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _samples(layers: list[tuple[Any, ...]]) -> float:
    """Samples a pixel of a JPEG: (id, across, down, ...) of each of its layers."""
    most = max(across * down for _, across, down, *_ in layers)
    return sum(across * down for _, across, down, *_ in layers) / most if most else len(layers)


def _strip_memory(image: TiffImagePlugin.TiffImageFile) -> int:
    """Bytes of a TIFF's largest strip or tile: all of the picture at worst; a tile may be larger than the picture."""
    tags = image.tag_v2
    bits = sum(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    tile = int(tags.get(TiffImagePlugin.TILEWIDTH, 0)) * int(tags.get(TiffImagePlugin.TILELENGTH, 0))
    return max(image.width * image.height, tile) * max(bits, 32) // 8


class _Counted(io.BytesIO):
    """A file in memory that may be read so many times, and for so many bytes.

    reads: a part of a PNG has 8 KB or so, a run of a BMP two bytes, and each takes Pillow a few reads.
    bytes: nobody writes more beside a picture; of a TIFF, where a place of 2 bytes becomes an object in Python, less.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        png, bmp, tiff = (data.startswith(FORMATS[name].heads) for name in ("PNG", "BMP", "TIFF"))
        self.reads = 1_000_000 if bmp else 10_000 + (len(data) // 1024 if png else 0)
        self.bytes = 2_000_000 if tiff else 16_000_000

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.reads -= 1
        self.bytes -= len(data)
        if self.reads < 0 or self.bytes < 0:
            raise PictureError(
                "The picture's file has too many parts, or too much beside the picture. Save it anew as PNG or JPEG."
            )
        return data


@contextmanager
def decoding() -> Iterator[None]:
    """Whatever a decoder raises within becomes a PictureError."""
    try:
        yield
    except PictureError:
        raise
    except Exception as error:  # Pillow's decoders raise what they like on damaged files
        reason = shown(f"{error}" if isinstance(error, (OSError, SyntaxError)) else f"{type(error).__name__}: {error}")
        raise PictureError(
            f"The picture is damaged or cut short: {reason}. Save it again and try once more."
        ) from error


def _received(data: bytes) -> str:
    return f"Received {len(data):,} bytes that begin with {data[:8]!r}."
