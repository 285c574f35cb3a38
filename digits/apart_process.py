"""The process in which digits.apart has files decoded. It knows nothing of the rest of the program, to start quickly.

    python apart_process.py FORMAT PAGE < file > pixels

FORMAT: PDF, HEIC or AVIF. PAGE: from 1; 0 counts the pages. It writes a line of JSON ({"pages": ..., and of a picture
"mode", "size", "longest"}) and the pixels, row by row; or {"error": why not}.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

MEMORY = 420_000_000  # bytes more than it starts with
SECONDS = 4  # of a core
LARGEST = 4096  # pixels a side that are handed on
DPI = 200  # at which a page is drawn: a digit of 4 mm is 31 pixels high

Drawn = tuple[Any, int, int]
"""An image, the longer side of the whole picture, and how many pages the file has."""


def main() -> None:
    """Decode what comes on standard input."""
    form, number = sys.argv[1], int(sys.argv[2])
    data = sys.stdin.buffer.read()
    try:
        decode = {"PDF": _draw_page, "HEIC": _decode_heic, "AVIF": _decode_avif}[form]
        _limit()
        image, longest, pages = decode(data, number)
    except ModuleNotFoundError as error:
        package = (error.name or "").replace("_", "-")
        advice = f"Install it with: pip install {package}. Or export the file as JPEG or PNG."
        return _answer({"error": f"Reading {form} needs {package}. {advice}"})
    except Exception as error:  # decoders raise what they like
        return _answer({"error": _sentence(form, error)})
    if image is None:
        return _answer({"pages": pages})
    return _answer(
        {"pages": pages, "mode": image.mode, "size": image.size, "longest": longest},
        image.tobytes(),
    )


def _limit() -> None:
    """From here on the system stops this process when it takes more than it may; Windows does not."""
    with contextlib.suppress(ImportError, OSError):
        import resource
        from pathlib import Path

        taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        used = resource.getrusage(resource.RUSAGE_SELF)
        _lower(resource.RLIMIT_AS, taken + MEMORY)
        _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + SECONDS)
        _lower(resource.RLIMIT_CORE, 0)


def _lower(limit: int, most: int) -> None:
    import resource

    hard = resource.getrlimit(limit)[1]
    resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _draw_page(data: bytes, number: int) -> Drawn:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    pages = len(document)
    if not 1 <= number <= pages:
        return None, 0, pages
    document.init_forms()  # so that what was filled in is drawn
    page = document[number - 1]
    scale = min(DPI / 72, LARGEST / max(page.get_size()))
    image = page.render(scale=scale).to_pil()
    return image, max(image.size), pages


def _decode_heic(data: bytes, number: int) -> Drawn:
    import pi_heif

    pi_heif.register_heif_opener()
    return _decode(data, number, "HEIF")


def _decode_avif(data: bytes, number: int) -> Drawn:
    from PIL import AvifImagePlugin, features

    if not features.check("avif"):
        raise ValueError("this Pillow was built without it")
    assert AvifImagePlugin
    return _decode(data, number, "AVIF")


def _decode(data: bytes, number: int, form: str) -> Drawn:
    from PIL import Image, ImageOps

    image: Image.Image = Image.open(io.BytesIO(data), formats=[form])
    if number != 1:
        return None, 0, 1
    longest = max(image.size)
    image = ImageOps.exif_transpose(image.reduce(-(-longest // LARGEST)))
    return image if image.mode in ("L", "LA", "RGB", "RGBA") else image.convert("RGB"), longest, 1


def _sentence(form: str, error: Exception) -> str:
    if "password" in str(error).lower():
        return "The PDF is protected by a password. Save it without one, and try once more."
    if isinstance(error, MemoryError):
        return f"The {form} takes more than {MEMORY / 1e6:.0f} MB of memory. Make it smaller, or export it as PNG."
    reason = str(error).partition(" <_io")[0].rstrip(".") or type(error).__name__
    return f"The {form} is damaged or cut short: {reason}. Save it again and try once more."


def _answer(answer: dict[str, Any], pixels: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + pixels)


if __name__ == "__main__":
    main()
