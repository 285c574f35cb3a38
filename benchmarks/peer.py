"""The peers beside us, each a worker (worker.py) in an environment of its own, which is made if there is none yet."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import platformdirs
import psutil
from reading import Answer, Pictures

HERE = Path(__file__).resolve().parent
SURE = 0.8  # score of every line, by which an answer counts as sure
PATIENCE = 60.0  # seconds for an answer
PATIENCE_AT_START = 300.0  # seconds for the first answer of a process
THREADS = ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class PeerError(Exception):
    """A peer cannot be installed or does not run. The message is a sentence that says why."""


@dataclass(frozen=True)
class Peer:
    """A program as a worker.

    worker: its script in this folder, and the script's arguments.
    packages: what is installed for it, pinned; if nothing is, it runs in this environment.
    needs: the packages that it cannot do without, by which its size is told. debian: those of the system's.
    one_digit: it takes every picture as one digit, and nothing else.
    """

    name: str
    worker: tuple[str, ...]
    packages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    one_digit: bool = False

    def python(self, environments: Path) -> Path:
        """The Python that runs it. Raises PeerError if its environment cannot be made."""
        if not self.packages:
            return Path(sys.executable)
        folder = environments / self.name.lower()
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        made = folder / "packages.txt"  # written last
        if not made.is_file() or made.read_text() != "\n".join(self.packages):
            print(f"{self.name} is installed into {folder}", file=sys.stderr)
            self._install(folder, python)
            made.write_text("\n".join(self.packages))
        return python

    def _install(self, folder: Path, python: Path) -> None:
        install = [python, "-m", "pip", "install", "--quiet", *self.packages]
        try:
            venv.create(folder, clear=True, symlinks=os.name != "nt", with_pip=True)
            subprocess.run(install, capture_output=True, text=True, check=True)
        except subprocess.CalledProcessError as error:
            raise PeerError(f"{self.name} could not be installed: {_reason(error.stderr or '')}") from error
        except OSError as error:
            raise PeerError(f"{self.name} could not be installed: {error.strerror}") from error


RAPIDOCR = Peer(
    "RapidOCR",
    ("rapidocr_worker.py",),
    packages=("rapidocr==3.10.0", "onnxruntime", "opencv-python-headless"),
    needs=("rapidocr", "onnxruntime", "opencv-python-headless"),
)


def default_folder() -> Path:
    """Where environments are kept: below $DIGITS_CACHE, else the user's cache folder."""
    return Path(os.environ.get("DIGITS_CACHE") or platformdirs.user_cache_dir("digits", appauthor=False)) / "peers"


class Worker:
    """A peer that runs on one core. What it reads of a picture is the digits of its text.

    If it ends over a picture or does not answer in time, that is no answer, and it is started anew for the next.

    seconds: from its start to its first answer; megabytes: the most memory it had by then, None where that is unknown.
    lost: pictures that it raised an error, ended or hung over.

    Raises PeerError if it cannot be installed or does not read a first picture.
    """

    def __init__(self, peer: Peer, environments: Path, patience: float = PATIENCE) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" or not peer.packages}
        self._name, self._patience = peer.name, patience
        self._command = [peer.python(environments), HERE / peer.worker[0], *peer.worker[1:]]
        self._environment = environment | dict.fromkeys(THREADS, "1")
        self._place = tempfile.TemporaryDirectory()
        self._errors = Path(self._place.name) / "errors.txt"
        self.lost = 0
        self.seconds, self.megabytes = self._start()

    def read(self, picture: Any, pictures: Pictures) -> Answer:
        """Read a picture as what the set says that it is."""
        found = self._ask(self._file(picture), pictures.kind)
        if found is None or found["error"]:
            self.lost += 1
            return Answer(notes=(found["error"] if found else "no answer",))
        text = "\n".join(_line(line) for line in _in_lines(found["lines"]))
        confidence = min((one["score"] for one in found["lines"]), default=0.0)
        return Answer(text, confidence >= SURE, confidence, found["milliseconds"])

    def close(self) -> None:
        """End the worker."""
        try:
            self._process.communicate(timeout=self._patience)
        except subprocess.TimeoutExpired:
            self._kill()
        self._place.cleanup()

    def _start(self) -> tuple[float, float | None]:
        """Start the process and let it read a one, drawn on a pad."""
        pad = cv2.line(np.full((400, 400), 255, np.uint8), (210, 90), (190, 310), 0, 20, cv2.LINE_AA)
        one = Path(self._place.name) / "one.png"  # beside the picture for which it may be started anew
        cv2.imwrite(str(one), pad)
        began = time.perf_counter()
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=self._environment,
            )  # fmt: skip
        found = self._exchange(one, "digit", PATIENCE_AT_START)
        if found is None:
            raise PeerError(f"{self._name} does not run: {_reason(self._errors.read_text(errors='replace'))}")
        return time.perf_counter() - began, found["megabytes"]

    def _ask(self, picture: Path, kind: str) -> dict[str, Any] | None:
        if self._process.poll() is not None:
            try:
                self._start()
            except PeerError:
                return None
        return self._exchange(picture, kind, self._patience)

    def _exchange(self, picture: Path, kind: str, patience: float) -> dict[str, Any] | None:
        """Its answer; None if it ends first, or is ended because it takes too long."""
        assert self._process.stdin and self._process.stdout
        late = threading.Timer(patience, self._kill)
        late.start()
        try:
            self._process.stdin.write(json.dumps({"path": str(picture), "kind": kind}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            late.cancel()
        if not answer:
            self._process.wait()
        return json.loads(answer) if answer else None

    def _kill(self) -> None:
        """The process and those that it started."""
        for process in (*psutil.Process(self._process.pid).children(recursive=True), self._process):
            process.kill()

    def _file(self, picture: Any) -> Path:
        if isinstance(picture, Path):
            return picture
        file = Path(self._place.name) / ("picture.jpg" if isinstance(picture, bytes) else "picture.png")
        if isinstance(picture, bytes):
            file.write_bytes(picture)
        else:
            cv2.imwrite(str(file), picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1]))
        return file


def _reason(errors: str) -> str:
    """The last line that a program wrote before it gave up, files without their folders."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return re.sub(r"(/[^\s'\":/]+)+/", "", lines[-1]).rstrip(".") if lines else "it says nothing"


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
