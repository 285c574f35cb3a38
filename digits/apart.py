"""Apart: PDF, HEIC and AVIF become pixels in a process of their own, which the system stops when it takes too much.

Their decoders are large, and what a file may make them do cannot be told from its header. So whatever they do, hang,
crash or ask for gigabytes, it ends with that process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from digits.apart_process import MEMORY, SECONDS
from digits.errors import PictureError, shown

PATIENCE = 60  # seconds that a busy machine may take for it


def draw_apart(data: bytes, form: str, number: int) -> tuple[Image.Image | None, int, int]:
    """A page of a file as an image of mode L, LA, RGB or RGBA, upright, at most 4096 pixels a side.

    form: "PDF", "HEIC" or "AVIF". number: of the page, from 1.
    Returns the image, None if there is no such page; the longer side of the whole; and how many pages there are.
    Raises PictureError.
    """
    process = Path(__file__).with_name("apart_process.py")
    command = [sys.executable, "-P", str(process), form, str(number)]
    try:
        ended = subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise _too_much(form) from error
    except OSError as error:
        raise PictureError(f"The {form} could not be read: no process could be started for it ({error}).") from error
    line, _, pixels = ended.stdout.partition(b"\n")
    if ended.returncode != 0 or not line:
        raise _too_much(form)
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise PictureError(shown(answer["error"], 400))
    if "size" not in answer:
        return None, 0, answer["pages"]
    image = Image.frombuffer(answer["mode"], tuple(answer["size"]), pixels, "raw", answer["mode"], 0, 1)
    return image, answer["longest"], answer["pages"]


def _too_much(form: str) -> PictureError:
    return PictureError(
        f"The {form} could not be drawn within {SECONDS} s and {MEMORY / 1e6:.0f} MB. "
        "Make it smaller, or export it as PNG or JPEG, and try once more."
    )
