"""Bulk: how fast and how steadily pictures are read by the million, on this machine.

    python -m benchmarks.bulk                               every section, small
    python -m benchmarks.bulk --full                        10,000 and 100,000 files, 60 s of HTTP
    python -m benchmarks.bulk --full --only kill --only http

Pictures: pen drawings if there is a folder of them (--data), else written numbers. DISTINCT different ones are made and
linked under as many names as a section needs. Each section names its limit, measured in the same run.
"""

from __future__ import annotations

import asyncio
import io
import os
import platform
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import onnxruntime
import psutil
import typer
from PIL import Image

import digits
from benchmarks.rendering import PAD, draw_anywhere, drawings_folder, load_strokes
from digits.bulk import CHUNK, Engine, Journal, Settings, local_engine, ray_engine, read_pictures
from digits.training.evaluate import describe_machine

DISTINCT = 500
CONNECTIONS = 64


@dataclass(frozen=True)
class Scale:
    """How much is measured. Counts are files; seconds are of HTTP load; repeats give the spread."""

    few: int
    many: int
    seconds: float
    repeats: int


SMALL = Scale(few=500, many=2_000, seconds=5, repeats=2)
FULL = Scale(few=10_000, many=100_000, seconds=60, repeats=3)


class Section(StrEnum):
    """What can be measured on its own."""

    start = "start"
    rate = "rate"
    memory = "memory"
    kill = "kill"
    ray = "ray"
    http = "http"


def main(
    full: Annotated[bool, typer.Option("--full", help="The sizes of the published figures.")] = False,
    only: Annotated[list[Section] | None, typer.Option(help="Only this section; may be repeated.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of drawings.")] = None,
) -> None:
    """Measure bulk reading."""
    scale = FULL if full else SMALL
    print(f"`python -m benchmarks.bulk {' '.join(sys.argv[1:])}`  ")
    print(f"{describe_machine()}; Python {platform.python_version()}, digits {digits.__version__}, ", end="")
    print(
        f"ONNX Runtime {onnxruntime.__version__}, OpenCV {cv2.__version__}, load {os.getloadavg()[0]:.1f} at the start"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for section in only or list(Section):
            print(f"\n## {section}\n", flush=True)
            MEASURES[section](folder, scale, data or drawings_folder())


# Pictures


def make_pictures(folder: Path, size: int, count: int, data: Path) -> Path:
    """A folder of `count` PNG files of size x size, linked to DISTINCT different pictures."""
    target = folder / f"{count}_of_{size}"
    if target.exists():
        return target
    distinct = folder / f"distinct_{size}"
    if not distinct.exists():
        distinct.mkdir()
        for number, picture in enumerate(_drawings(data) if size == PAD else map(_as_mnist, _drawings(data))):
            Image.fromarray(picture).save(distinct / f"{number}.png")
    originals = sorted(distinct.iterdir())
    target.mkdir()
    for number in range(count):
        os.link(originals[number % len(originals)], target / f"{number:07}.png")
    return target


def _drawings(data: Path) -> Iterator[np.ndarray]:
    """(400, 400) uint8, dark on light."""
    chance = np.random.default_rng(0)
    path = data / "pen_digits.jsonl.gz"
    if path.exists():
        strokes = load_strokes(path, "dev-test")
        for index in chance.permutation(len(strokes))[:DISTINCT]:
            yield draw_anywhere(strokes[index]["strokes"], chance)
        return
    for number in range(DISTINCT):
        paper = np.full((PAD, PAD), 255, np.uint8)
        place = (int(chance.integers(20, 120)), int(chance.integers(240, 340)))
        cv2.putText(paper, str(number % 10), place, cv2.FONT_HERSHEY_SIMPLEX, chance.uniform(4, 9), 0, 18, cv2.LINE_AA)
        yield paper


def _as_mnist(drawing: np.ndarray) -> np.ndarray:
    """(28, 28) uint8, light on dark, the drawing's box fitted into 20x20."""
    rows, columns = np.nonzero(drawing < 128)
    ink = 255 - drawing[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = 20 / max(ink.shape)
    small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.zeros((28, 28), np.uint8)
    top, left = (28 - small.shape[0]) // 2, (28 - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


# Sections


def measure_start(_: Path, scale: Scale, __: Path) -> None:
    """From nothing to a recognizer that is ready, beside the start of Python and of its four libraries."""
    print("| fresh process | median ms | min | max | n |\n|---|---|---|---|---|")
    for what, code in (
        ("python", "pass"),
        ("import numpy, PIL.Image, cv2, onnxruntime", "import numpy, PIL.Image, cv2, onnxruntime"),
        ("from digits import Recognizer; Recognizer()", "from digits import Recognizer; Recognizer()"),
    ):
        times = [_seconds([sys.executable, "-c", code]) * 1000 for _ in range(5 * scale.repeats)]
        print(f"| {what} | {statistics.median(times):.0f} | {min(times):.0f} | {max(times):.0f} | {len(times)} |")


def measure_rate(folder: Path, scale: Scale, data: Path) -> None:
    """Pictures a second through the whole road, by one process and by one a core; the limit is decoding alone."""
    cores = os.cpu_count() or 1
    print("| PNG | 1 process /s | spread | CPU ms each | a core each /s | spread | of linear | decoding alone /s | n |")
    print("|---|---|---|---|---|---|---|---|---|")
    for size in (PAD, 28):
        pictures = make_pictures(folder, size, scale.few, data)
        busy = time.process_time()
        alone = [_rate(pictures, local_engine(1)) for _ in range(scale.repeats)]
        busy = (time.process_time() - busy) / scale.repeats / scale.few * 1000
        together = [_rate(pictures, local_engine(cores)) for _ in range(scale.repeats)]
        one, all_ = statistics.median(alone), statistics.median(together)
        print(
            f"| {size}x{size} | {one:.0f} | {min(alone):.0f}-{max(alone):.0f} | {busy:.2f} | {all_:.0f} on {cores} | "
            f"{min(together):.0f}-{max(together):.0f} | {all_ / one / cores:.0%} | {_decoding_rate(pictures):.0f} | "
            f"{scale.repeats} x {scale.few:,} |",
            flush=True,
        )


def measure_memory(folder: Path, scale: Scale, data: Path) -> None:
    """Peak memory of the command and its processes together."""
    print("| files | peak MB (RSS, all processes) | seconds |\n|---|---|---|")
    peaks = []
    for count in (scale.few, scale.many):
        pictures = make_pictures(folder, PAD, count, data)
        start = time.perf_counter()
        with subprocess.Popen(_predict(pictures, folder / "memory.jsonl")) as process:
            peaks.append(_peak_memory(process))
        print(f"| {count:,} | {peaks[-1] / 1e6:.0f} | {time.perf_counter() - start:.0f} |", flush=True)
    print(f"\n{scale.many:,} files take {peaks[1] / peaks[0] - 1:+.1%} against {scale.few:,}.")


def measure_kill(folder: Path, scale: Scale, data: Path) -> None:
    """One clean run; then the same command killed three times on the way."""
    pictures = make_pictures(folder, PAD, scale.many, data)
    clean, killed = folder / "clean.jsonl", folder / "killed.jsonl"
    seconds = _seconds(_predict(pictures, clean))
    print("| run | pictures done | \n|---|---|")
    for number in (1, 2, 3):
        with subprocess.Popen(_predict(pictures, killed)) as process:
            time.sleep(seconds / 4)
            process.send_signal(signal.SIGKILL)
        print(f"| killed after {seconds / 4:.0f} s, {number} | {_done(killed):,} of {scale.many:,} |", flush=True)
    _seconds(_predict(pictures, killed))
    rows = killed.read_text().splitlines()
    print(f"| not killed | {len(rows):,} rows, {len(rows) - len(set(rows)):,} doubled |")
    same = killed.read_bytes() == clean.read_bytes()
    print(f"\nThe files are {'byte for byte the same' if same else 'NOT THE SAME'}. Clean run: {seconds:.0f} s.")


def measure_ray(folder: Path, scale: Scale, data: Path) -> None:
    """Ray on this machine beside the local engine, both with a process a core."""
    cores = os.cpu_count() or 1
    pictures = make_pictures(folder, PAD, scale.few, data)
    local, ray = [], []
    rates = _rate(pictures, local_engine(cores), local), _rate(pictures, ray_engine(None, cores), ray)
    print("| engine | pictures/s |\n|---|---|")
    print(f"| local, {cores} processes | {rates[0]:.0f} |\n| Ray, {cores} processes | {rates[1]:.0f} |")
    print(f"\nThe rows are {'the same' if local == ray else 'NOT THE SAME'}, n = {scale.few:,}.")


def measure_http(folder: Path, scale: Scale, data: Path) -> None:
    """Requests with one 400x400 PNG each; the limit is the same server answering /api/health."""
    picture = next(make_pictures(folder, PAD, scale.few, data).iterdir()).read_bytes()
    workers = os.cpu_count() or 1
    post = _request("POST", "/api/recognize", picture)
    print(f"{workers} workers, load generator on the same machine, {CONNECTIONS} connections, {scale.seconds:.0f} s\n")
    print("| request | requests/s | p50 ms | p95 ms | p99 ms | errors | n |\n|---|---|---|---|---|---|---|")
    with _server(workers) as port:
        for what, request in (("POST /api/recognize", post), ("GET /api/health", _request("GET", "/api/health"))):
            asyncio.run(_load(port, request, 2))  # warm
            times, errors = asyncio.run(_load(port, request, scale.seconds))
            p50, p95, p99 = (1000 * float(p) for p in np.percentile(times, [50, 95, 99]))
            print(
                f"| {what} | {len(times) / scale.seconds:.0f} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {errors} | "
                f"{len(times):,} |",
                flush=True,
            )


MEASURES = {
    Section.start: measure_start,
    Section.rate: measure_rate,
    Section.memory: measure_memory,
    Section.kill: measure_kill,
    Section.ray: measure_ray,
    Section.http: measure_http,
}


# Instruments


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def _predict(pictures: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "digits", "predict", str(pictures), "--out", str(out)]


def _rate(pictures: Path, engine: AbstractContextManager[Engine], rows: list[object] | None = None) -> float:
    """Pictures a second in the middle of a run: without its first and last tenth. Fills `rows`."""
    settings = Settings()
    times = []
    with Journal("", [str(pictures)], settings) as journal, engine as ready:
        for row in read_pictures(journal, settings, ready):
            times.append(time.perf_counter())
            if rows is not None:
                rows.append(row)
    tenth = max(len(times) // 10, CHUNK)
    return (len(times) - 2 * tenth) / (times[-tenth - 1] - times[tenth - 1])


def _decoding_rate(pictures: Path) -> float:
    paths = list(pictures.iterdir())
    start = time.perf_counter()
    for path in paths:
        np.asarray(Image.open(io.BytesIO(path.read_bytes())))
    return len(paths) / (time.perf_counter() - start)


def _peak_memory(process: subprocess.Popen[bytes]) -> int:
    """The largest sum of resident memory of a process and its descendants, looked at ten times a second."""
    peak = 0
    whole = psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, sum(_resident([whole, *whole.children(recursive=True)])))
        time.sleep(0.1)
    return peak


def _resident(processes: Iterable[psutil.Process]) -> Iterator[int]:
    for process in processes:
        try:
            yield process.memory_info().rss
        except psutil.NoSuchProcess:
            continue


def _done(out: Path) -> int:
    with closing(sqlite3.connect(f"{out}.partial")) as journal:
        return CHUNK * int(journal.execute("SELECT count(*) FROM chunks").fetchone()[0])


@contextmanager
def _server(workers: int) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "digits", "serve", "--no-page", "--port", str(port), "--workers", str(workers)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield port
        finally:
            process.terminate()


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _load(port: int, request: bytes, seconds: float) -> tuple[list[float], int]:
    """Seconds of each answer, and how many answers were no 200, at CONNECTIONS connections."""
    times: list[float] = []
    errors = 0

    async def ask_again_and_again() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (start := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            times.append(time.perf_counter() - start)
            errors += not head.startswith(b"HTTP/1.1 200")
        writer.close()

    end = time.perf_counter() + seconds
    await asyncio.gather(*(ask_again_and_again() for _ in range(CONNECTIONS)))
    return times, errors


if __name__ == "__main__":
    typer.run(main)
