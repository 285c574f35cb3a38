"""The peer beside us: RapidOCR in an environment of its own, which is made where there is none yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import platformdirs
from reading import Answer, Pictures

PACKAGES = ("rapidocr==3.10.0", "onnxruntime", "opencv-python-headless")
SURE = 0.8  # score of every line, by which an answer counts as sure
WORKER = Path(__file__).with_name("rapidocr_worker.py")


def default_folder() -> Path:
    """Where the environment is kept: below $DIGITS_CACHE, else the user's cache folder."""
    return Path(os.environ.get("DIGITS_CACHE") or platformdirs.user_cache_dir("digits", appauthor=False)) / "rapidocr"


class RapidOcr:
    """RapidOCR on one core. folder: its environment. What it reads of a picture is the digits of its text."""

    def __init__(self, folder: Path) -> None:
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        if not python.is_file():
            _install(folder, python)
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self._worker = subprocess.Popen(
            [python, WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._place = tempfile.TemporaryDirectory()

    def read(self, picture: Any, pictures: Pictures) -> Answer:
        """Read a picture: as a line of text if the set says that it is one, else wherever its detector finds text."""
        assert self._worker.stdin and self._worker.stdout
        task = {"path": str(self._file(picture)), "detect": not pictures.whole}
        self._worker.stdin.write(json.dumps(task) + "\n")
        self._worker.stdin.flush()
        found = json.loads(self._worker.stdout.readline())
        text = "\n".join(_line(line) for line in _in_lines(found["lines"]))
        confidence = min((one["score"] for one in found["lines"]), default=0.0)
        return Answer(text, confidence >= SURE, confidence, found["milliseconds"])

    def close(self) -> None:
        """End the worker."""
        self._worker.communicate()
        self._place.cleanup()

    def _file(self, picture: Any) -> Path:
        if isinstance(picture, Path):
            return picture
        file = Path(self._place.name) / ("picture.jpg" if isinstance(picture, bytes) else "picture.png")
        if isinstance(picture, bytes):
            file.write_bytes(picture)
        else:
            cv2.imwrite(str(file), picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1]))
        return file


def _install(folder: Path, python: Path) -> None:
    print(f"RapidOCR is installed into {folder}", file=sys.stderr)
    venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)


def _in_lines(found: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Pieces of text by lines: one whose middle is within half its height of a line's mean stands in that line."""
    lines: list[list[dict[str, Any]]] = []
    for piece in sorted(found, key=_middle):
        if lines and _middle(piece) - float(np.mean([_middle(one) for one in lines[-1]])) < 0.5 * _height(piece):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return lines


def _line(pieces: list[dict[str, Any]]) -> str:
    ordered = sorted(pieces, key=lambda piece: min(x for x, _ in piece["box"]))
    return "".join(sign for piece in ordered for sign in piece["text"] if sign in "0123456789")


def _middle(piece: dict[str, Any]) -> float:
    return float(np.mean([y for _, y in piece["box"]]))


def _height(piece: dict[str, Any]) -> float:
    return float(np.ptp([y for _, y in piece["box"]]))
