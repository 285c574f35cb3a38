"""Hostile pictures: files made to take memory or time, written by hand or by Pillow."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image


def saved(image: Image.Image, kind: str, **options) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, content: bytes, claimed: int | None = None) -> bytes:
    """A chunk of a PNG; claimed: the length that it says it has."""
    length = len(content) if claimed is None else claimed
    return struct.pack(">I", length) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG of these chunks between its first and its last."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def white_rows(width: int, height: int) -> bytes:
    """What stands in the IDAT of a white PNG of 8 bit grey."""
    return zlib.compress((b"\0" + b"\xff" * width) * height, 1)


def tiff(entries: list[tuple[int, int, int, int]], body: bytes = b"") -> bytes:
    """A TIFF with one directory of (tag, type, count, value) and `body` behind it."""
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + body


def exif_of_many_mentions() -> bytes:
    """EXIF whose 5,000 entries each name the same 4,000 bytes; then 65,535 of a megabyte would do as well."""
    entries = [(tag, 7, 4_000, 8) for tag in range(1_000, 6_000)]
    return b"Exif\0\0" + tiff(entries)


def png_whose_idat_claims_gigabytes() -> bytes:
    return png(400, 400, chunk(b"IDAT", white_rows(400, 400)[:100], claimed=4_278_190_229))


def png_of_a_million_chunks() -> bytes:
    return png(10, 10, *[chunk(b"prVt", b"")] * 1_000_000, chunk(b"IDAT", white_rows(10, 10)))


def png_of_unpacking_texts() -> bytes:
    packed = zlib.compress(bytes(1_000_000), 9)
    return png(10, 10, *[chunk(b"zTXt", b"k\0\0" + packed)] * 5_000, chunk(b"IDAT", white_rows(10, 10)))


def jpeg_of_padding() -> bytes:
    whole = saved(Image.new("L", (40, 40), 255), "JPEG")
    return whole[:2] + b"\xff\xff" * 10_000_000 + whole[2:]


def jpeg_of_many_comments() -> bytes:
    whole = saved(Image.new("L", (40, 40), 255), "JPEG")
    return whole[:2] + b"\xff\xfe\0\2" * 5_000_000 + whole[2:]


def jpeg_whose_exif_mentions_the_same_bytes() -> bytes:
    whole = saved(Image.new("L", (40, 40), 255), "JPEG")
    exif = exif_of_many_mentions()
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    more = b"\xff\xe1" + struct.pack(">H", 65_000) + b"Exif\0\0" + bytes(64_992)
    return whole[:2] + segment + 100 * more + whole[2:]


def jpeg_of_many_scans() -> bytes:
    whole = saved(Image.new("L", (8_000, 8_000), 255), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * 3_000 + whole[-2:]


def gif_of_a_long_comment() -> bytes:
    whole = saved(Image.new("L", (40, 40), 255), "GIF")
    place = whole.index(b"\x2c")
    return whole[:place] + b"\x21\xfe" + (b"\x01a") * 20_000_000 + b"\0" + whole[place:]


def bmp_of_single_runs() -> bytes:
    size = 10_000
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    runs = b"\x01\xff" * (20_000_000)
    header = struct.pack("<IiiHHIIiiII", 40, size, size, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(runs), 0, 0, 54 + 1024) + header + palette + runs


def tiff_that_mentions_the_same_bytes() -> bytes:
    shape = [(256, 3, 1, 40), (257, 3, 1, 40), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    shape += [(277, 3, 1, 1), (278, 3, 1, 40), (279, 4, 1, 1600)]
    return tiff(shape + [(tag, 7, 1_500_000, 8) for tag in range(1_000, 61_000)], bytes(1_500_000))


def tiff_of_millions_of_strips() -> bytes:
    count = 10_000_000
    shape = [(256, 4, 1, 1), (257, 4, 1, 90_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    shape += [(273, 3, count, 122), (277, 3, 1, 1), (278, 3, 1, 1), (279, 3, 1, 1)]
    return tiff(shape, bytes(2 * count))


def tiff_of_a_tile_larger_than_the_picture() -> bytes:
    shape = [(256, 3, 1, 40), (257, 3, 1, 40), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1), (277, 3, 1, 1)]
    shape += [(322, 4, 1, 64_000), (323, 4, 1, 64_000), (324, 4, 1, 200), (325, 4, 1, 100)]
    return tiff(shape, bytes(400))


def webp_of_many_pixels() -> bytes:
    return saved(Image.new("RGB", (9_000, 9_000), "white"), "WEBP", quality=10, method=0)


def bmp_that_claims_a_large_picture() -> bytes:
    whole = bytearray(saved(Image.new("L", (40, 40), 255), "BMP"))
    whole[18:26] = struct.pack("<ii", 40_000, 40_000)
    return bytes(whole)


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is its catalog."""
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, trailer, len(body))
    return body + head + table + end


def pdf_page(resources: bytes = b"", content: bytes = b"", *others: bytes, box: bytes = b"0 0 300 300") -> bytes:
    """A PDF of one page; `others` are its objects from 5 on."""
    kids = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Resources<<%s>>/Contents 4 0 R>>" % (box, resources)
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", kids, page, pdf_stream(b"", content), *others)


def pdf_stream(head: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(content), content)


def pdf_of_pages(count: int) -> bytes:
    """The same page so many times."""
    kids = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * count, count)
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", kids, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")


def pdf_of_forms_in_forms() -> bytes:
    """Each draws the next ten times, which a billion squares come of."""
    draw = [b"/Next Do " * 10] * 9 + [b"0 0 99 99 re f"]
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 300 300]/Resources<</XObject<</Next %d 0 R>>>>"
    forms = [pdf_stream(head % number, content) for number, content in enumerate(draw, 6)]
    return pdf_page(b"/XObject<</Next 5 0 R>>", b"/Next Do", *forms)


def pdf_of_a_picture_of_gigapixels() -> bytes:
    head = b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceRGB/BitsPerComponent 8"
    packed = zlib.compress(bytes(30_000_000), 9)
    return pdf_page(
        b"/XObject<</Big 5 0 R>>",
        b"300 0 0 300 0 0 cm /Big Do",
        pdf_stream(head + b"/Filter/FlateDecode", packed),
    )


def pdf_that_is_locked() -> bytes:
    lock = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<00><00>]" % (b"00" * 32, b"11" * 32)
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        trailer=lock,
    )


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "png whose IDAT claims gigabytes": (png_whose_idat_claims_gigabytes, "damaged or cut short"),
    "png of a million chunks": (png_of_a_million_chunks, "too many parts"),
    "png of unpacking texts": (png_of_unpacking_texts, "damaged or cut short"),
    "jpeg of padding": (jpeg_of_padding, "too many parts"),
    "jpeg of many comments": (jpeg_of_many_comments, "too many parts"),
    "jpeg of many scans": (jpeg_of_many_scans, "takes too long"),
    "gif of a long comment": (gif_of_a_long_comment, "too many parts"),
    "bmp of single runs": (bmp_of_single_runs, "too many parts"),
    "bmp that claims a large picture": (bmp_that_claims_a_large_picture, "40000x40000 pixels"),
    "tiff that mentions the same bytes": (tiff_that_mentions_the_same_bytes, "too many parts"),
    "tiff of millions of strips": (tiff_of_millions_of_strips, "too many parts"),
    "tiff of a tile larger than the picture": (tiff_of_a_tile_larger_than_the_picture, "damaged|MB of memory"),
    "webp of many pixels": (webp_of_many_pixels, "MB of memory"),
    "pdf of forms in forms": (pdf_of_forms_in_forms, "within 4 s"),
    "pdf that is locked": (pdf_that_is_locked, "password"),
    "pdf without pages": (lambda: pdf_of_pages(0), "damaged"),
}
"""Files that are refused, and a part of the sentence that says why."""


def _white(mode: str, millions: float) -> Image.Image:
    side = int((millions * 1e6) ** 0.5)
    return Image.new(mode, (side, side), 1 if mode in ("F", "P", "1") else "white")


LARGEST: dict[str, Callable[[], bytes]] = {
    "png, grey": lambda: saved(_white("L", 199), "PNG", compress_level=1),
    "png, colours and transparency": lambda: saved(_white("RGBA", 111), "PNG", compress_level=1),
    "png, noise": lambda: saved(_noise(5_000, 6_000), "PNG", compress_level=0),
    "png, 16 bits": lambda: saved(_white("I;16", 199), "PNG", compress_level=1),
    "png, palette": lambda: saved(_white("P", 199), "PNG", compress_level=1, transparency=1),
    "gif": lambda: saved(_white("P", 199), "GIF"),
    "bmp": lambda: saved(_white("RGB", 33), "BMP"),
    "jpeg": lambda: saved(_white("RGB", 199), "JPEG"),
    "jpeg, noise": lambda: saved(_noise(9_000, 11_000), "JPEG", quality=30),
    "jpeg, progressive": lambda: saved(_white("RGB", 44), "JPEG", progressive=True, subsampling=0),
    "tiff, floats": lambda: saved(_white("F", 37), "TIFF", compression="tiff_deflate"),
    "tiff, 16 bits": lambda: saved(_white("I;16", 50), "TIFF", compression="tiff_lzw"),
    "tiff, lying on its side": lambda: saved(_white("RGB", 37), "TIFF", compression="tiff_lzw", tiffinfo={274: 6}),
    "webp": lambda: saved(_white("RGB", 22), "WEBP", quality=10, method=0),
    "webp, noise without loss": lambda: saved(_noise(4_000, 4_500), "WEBP", lossless=True, method=0, quality=0),
}
"""About the largest picture of each kind that is accepted."""


def _noise(height: int, width: int) -> Image.Image:
    tile = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)
    return Image.fromarray(np.tile(tile, (height // 500, width // 500, 1)))


def hollow_squares() -> bytes:
    """5,041 of them in 4 KB: 71 in a row, 71 rows."""
    square = np.zeros((14, 14), np.uint8)
    square[3:11, 3:11] = 255
    square[4:10, 4:10] = 0
    return saved(Image.fromarray(255 - np.tile(square, (71, 71))), "PNG", optimize=True)
