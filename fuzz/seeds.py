"""Seeds: a small file of each kind that the ways in know, made here."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def picture(size: int = 24) -> Image.Image:
    """A one on white."""
    image = Image.new("L", (size, size), 255)
    ImageDraw.Draw(image).line([(size // 2, 3), (size // 2, size - 4)], fill=0, width=3)
    return image


def pictures() -> Iterator[bytes]:
    """Files of every format, in the modes that each has."""
    grey = picture()
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: list[tuple[str, str, dict[str, object]]] = [
        *[("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        ("PNG", "P", {"transparency": 1}),
        ("PNG", "L", {"exif": exif}),
        *[("JPEG", mode, {"exif": exif}) for mode in ("L", "RGB", "CMYK")],
        ("JPEG", "RGB", {"progressive": True}),
        ("GIF", "P", {}),
        ("GIF", "P", {"save_all": True, "append_images": [grey], "comment": b"a comment"}),
        *[("BMP", mode, {}) for mode in ("1", "L", "RGB")],
        *[("TIFF", mode, {"tiffinfo": {274: 6}}) for mode in ("1", "L", "RGB", "F", "I;16", "CMYK")],
        *[("TIFF", "L", {"compression": how}) for how in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")],
        ("TIFF", "1", {"compression": "group4"}),
        *[("WEBP", mode, {"lossless": lossless}) for mode in ("RGB", "RGBA") for lossless in (False, True)],
        ("WEBP", "RGB", {"exif": exif}),
    ]
    for form, mode, options in kinds:
        if mode == "I;16":
            image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
        else:
            image = grey.convert("RGB").convert(mode) if mode == "CMYK" else grey.convert(mode)
        file = io.BytesIO()
        image.save(file, form, **options)
        yield file.getvalue()


def archives() -> Iterator[bytes]:
    """Zips, tars and manifests with two pictures each; the first letter tells which."""
    content = next(pictures())
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", packing) as archive:
            archive.writestr("a.png", content)
            archive.writestr("ä/b.png", content)
        yield b"z" + file.getvalue()
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            file = io.BytesIO()
            with tarfile.open(fileobj=file, mode=mode, format=form) as archive:
                for name in ("a.png", "ä" * 120 + ".png"):
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
            yield b"t" + file.getvalue()
    yield b"m" + b"a.png\n\xff.png\nhttp://nowhere/a.png\n"
    yield b"c" + b'label,file\n1,a.png\n"2","b\n.png"\n'


def flag_lines() -> Iterator[bytes]:
    """Lines of metadata.jsonl."""
    row = {
        **dict.fromkeys(("id", "time", "predicted", "picture_sha256", "model_digest", "version"), "a"),
        "file_name": "images/a.png",
        "label": None,
        **{name: [] for name in ("probabilities", "boxes", "images", "lines")},
    }
    yield json.dumps(row).encode() + b"\n"
    yield json.dumps(row | {"label": "12\n3"}).encode() + b"\n" + json.dumps(row)[:50].encode()


SEEDS = {"picture": pictures, "archive": archives, "flags": flag_lines}


def write(kind: str, folder: Path) -> None:
    """Write the seeds of a kind, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(SEEDS[kind]()):
        (folder / f"{number:02d}").write_bytes(content)
