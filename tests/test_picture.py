"""Any picture in, and the ink of it: the same digit whatever it is handed in as."""

import io
import struct

import numpy as np
import pytest
from pictures import draw_digit, find_ink
from PIL import Image

from digits.decode import decode
from digits.errors import PictureError
from digits.picture import read_grey

PAD = draw_digit(4)
INK = find_ink(PAD).ink


def _file(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _colours(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> np.ndarray:
    share = (PAD / 255)[..., None]
    return np.round(np.array(ink) * (1 - share) + np.array(paper) * share).astype(np.uint8)


def _transparent(ink: int) -> np.ndarray:
    return np.dstack([np.full((*PAD.shape, 3), ink, np.uint8), 255 - PAD])


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: turn it clockwise to look at it
    return _file(Image.fromarray(np.rot90(PAD)), "PNG", exif=exif)


def _animated() -> bytes:
    blank = Image.new("L", PAD.shape, 255)
    return _file(Image.fromarray(PAD), "GIF", save_all=True, append_images=[blank])


IMAGE = Image.fromarray(PAD)
SAME = {
    "grey": PAD,
    "one channel": PAD[..., None],
    "RGB": np.dstack([PAD] * 3),
    "RGBA": np.dstack([*[PAD] * 3, np.full_like(PAD, 255)]),
    "bool": PAD > 127,
    "16 bit": PAD.astype(np.uint16) * 257,
    "integers": PAD.astype(np.int64),
    "float": PAD.astype(np.float32) / 255,
    "grey levels as float": PAD.astype(np.float64),
    "light on dark": 255 - PAD,
    "PIL": IMAGE,
    "PIL, one bit": IMAGE.convert("1"),
    "palette": IMAGE.convert("P"),
    "CMYK": IMAGE.convert("RGB").convert("CMYK"),
    "16 bit PNG": _file(Image.fromarray(PAD.astype(np.uint16) * 257), "PNG"),
    "bytes": _file(IMAGE, "PNG"),
    "JPEG": _file(IMAGE, "JPEG", quality=50),
    "animated": _animated(),
    "turned by EXIF": _turned(),
    "transparent, dark ink": _transparent(0),
    "transparent, light ink": _transparent(255),
    "grey paper": (PAD * 0.5 + 60).astype(np.uint8),
    "faint pencil": (PAD * 0.3 + 170).astype(np.uint8),
    "green on white": _colours((0, 150, 60), (255, 255, 255)),
    "blue on black": _colours((60, 90, 255), (0, 0, 0)),
    "red on yellow": _colours((220, 30, 30), (250, 240, 120)),
    "sketchpad value": {"background": None, "layers": [], "composite": np.dstack([*[PAD] * 3, np.full_like(PAD, 255)])},
}


@pytest.mark.parametrize("picture", SAME.values(), ids=SAME.keys())
def test_every_kind_of_picture_has_the_same_ink(picture):
    found = find_ink(picture)
    assert found.ink.shape == PAD.shape and found.ink.dtype == np.float32 and found.scale == 1
    assert found.ink.min() == 0 and found.ink.max() == 1
    assert np.abs(found.ink - INK).mean() < 0.004
    assert ((found.ink > 0.5) ^ (INK > 0.5)).mean() < 0.002


def test_read_grey_reads_a_file_by_its_path(tmp_path):
    IMAGE.save(tmp_path / "four.png")
    assert np.array_equal(read_grey(tmp_path / "four.png")[0], PAD)
    assert np.array_equal(read_grey(str(tmp_path / "four.png"))[0], PAD)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (None, "No picture"),
        ({"composite": None}, "No picture"),
        (7, "int is no picture"),
        ("missing.png", "no file missing.png"),
        (b"no picture", "no picture that can be read"),
        (_file(IMAGE, "PNG")[:200], "damaged|could not be opened"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.zeros((4, 4, 7)), r"shape \(4, 4, 7\)"),
        (np.full((9, 9), np.nan), "not finite"),
        (np.full((9, 9), -3.0), "from -3 to -3"),
        (np.full((9, 9), 1000), "from 1000 to 1000"),
        (np.full((9, 9), "ink"), "no picture"),
    ],
)
def test_decode_says_in_plain_words_what_is_no_picture(picture, words):
    with pytest.raises(PictureError, match=words):
        decode(picture)


def test_decode_refuses_a_picture_of_too_many_pixels_before_it_reads_them():
    bitmap = bytearray(_file(IMAGE, "BMP"))
    bitmap[18:26] = struct.pack("<ii", 40_000, 40_000)  # what the header says of its width and height
    with pytest.raises(PictureError, match="40000x40000 pixels"):
        decode(bytes(bitmap))
