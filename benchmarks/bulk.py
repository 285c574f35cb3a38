"""Bulk: how fast and how steadily pictures are read by the million, on this machine.

    python -m benchmarks.bulk                               every section, small
    python -m benchmarks.bulk --full                        10,000 and 100,000 files, 60 s of HTTP; about half an hour
    python -m benchmarks.bulk --full --only kill --only http

Pictures: pen drawings if there is a folder of them (--data), else written numbers. DISTINCT different ones are made and
linked under as many names as a section needs. Each figure stands beside a peer or a limit measured in the same run.
A section that fails says so and leaves the others their turn; the exit code is then 1.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import json
import multiprocessing
import os
import platform
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
import onnxruntime
import psutil
import typer
from PIL import Image

import digits
from benchmarks.rendering import PAD, draw_anywhere, drawings_folder, load_strokes
from digits import Recognizer
from digits.bulk import CHUNK, Engine, Journal, Settings, local_engine, ray_engine, read_pictures
from digits.networks import name_networks
from digits.rows import Row
from digits.training.evaluate import describe_machine

DISTINCT = 500
CONNECTIONS = 64
PATIENCE = 60  # seconds that a server or an answer may take
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Scale:
    """How much is measured. few, many: files; seconds: of HTTP load; repeats, repeats_of_many: give the spread."""

    few: int
    many: int
    seconds: float
    repeats: int
    repeats_of_many: int


SMALL = Scale(few=1_000, many=3_000, seconds=6, repeats=2, repeats_of_many=1)
FULL = Scale(few=10_000, many=100_000, seconds=60, repeats=3, repeats_of_many=2)


@dataclass(frozen=True)
class Bench:
    """What the sections work on. folder: for what they write; data: the drawings."""

    folder: Path
    scale: Scale
    data: Path


@dataclass(frozen=True)
class Figure:
    """One line of a table. met: None if there is no bar."""

    name: str
    value: str
    spread: str
    n: str
    beside: str = ""  # a peer or a limit, measured in the same run
    bar: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = "" if self.met is None else "met" if self.met else "NOT met"
        return f"| {' | '.join((self.name, self.value, self.spread, self.n, self.beside, self.bar, verdict))} |"


HEAD = "| figure | median | min-max | n | beside it, same run | bar | met |\n|---|---:|---:|---:|---|---|---|"


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
    began = time.perf_counter()
    failed = []
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), FULL if full else SMALL, data or drawings_folder())
        print_header(bench)
        for section in only or list(Section):
            print(f"\n## {section}\n\n{inspect.getdoc(MEASURES[section])}\n\n{HEAD}", flush=True)
            try:
                for figure in MEASURES[section](bench):
                    print(figure, flush=True)
            except Exception as error:  # whatever it is, the other sections are still to be measured
                failed.append(section)
                print(f"\n**{section} FAILED**: {type(error).__name__}: {error}", flush=True)
    print(f"\nTook {(time.perf_counter() - began) / 60:.0f} minutes; sections failed: {', '.join(failed) or 'none'}.")
    if failed:
        raise typer.Exit(1)


def print_header(bench: Bench) -> None:
    """The command, the machine, the versions, the pictures."""
    print(f"`{' '.join(['python -m benchmarks.bulk', *sys.argv[1:]])}`  ")
    print(
        f"{describe_machine()}, load {os.getloadavg()[0]:.1f} at the start; Python {platform.python_version()}, "
        f"digits {digits.__version__}, {name_networks(Recognizer().networks)}, "
        f"ONNX Runtime {onnxruntime.__version__}, OpenCV {cv2.__version__}  "
    )
    kind = "pen drawings of the writers dev-test" if _pen_digits(bench.data).exists() else "written numbers"
    print(f"Pictures: {DISTINCT} different {kind} under many names, PNG", flush=True)


# Pictures


def make_pictures(bench: Bench, size: int, count: int) -> Path:
    """A folder of `count` PNG files of size x size, linked to DISTINCT different pictures."""
    target = bench.folder / f"{count}_of_{size}"
    if target.exists():
        return target
    distinct = bench.folder / f"distinct_{size}"
    if not distinct.exists():
        distinct.mkdir()
        drawings = _drawings(bench.data)
        for number, picture in enumerate(drawings if size == PAD else map(_as_mnist, drawings)):
            Image.fromarray(picture).save(distinct / f"{number}.png")
    originals = sorted(distinct.iterdir())
    target.mkdir()
    for number in range(count):
        os.link(originals[number % len(originals)], target / f"{number:07}.png")
    return target


def _pen_digits(data: Path) -> Path:
    return data / "pen_digits.jsonl.gz"


def _drawings(data: Path) -> Iterator[np.ndarray]:
    """(400, 400) uint8, dark on light."""
    chance = np.random.default_rng(0)
    if _pen_digits(data).exists():
        strokes = load_strokes(_pen_digits(data), "dev-test")
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


def measure_start(bench: Bench) -> Iterator[Figure]:
    """From nothing to a recognizer that is ready, in milliseconds, beside Python and its four libraries alone.

    Python's compiled files are in their cache, as they are from the second start on.
    """
    libraries = "import numpy, PIL.Image, cv2, onnxruntime"
    ready = "from digits import Recognizer; Recognizer()"
    times: dict[str, list[float]] = {"pass": [], libraries: [], ready: []}
    cached = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    cached["PYTHONPYCACHEPREFIX"] = str(bench.folder / "cache")
    _seconds([sys.executable, "-c", ready], cached)
    for _ in range(5 * bench.scale.repeats):
        for code in times:
            times[code].append(1000 * _seconds([sys.executable, "-c", code], cached))
    bare, loaded = (statistics.median(times[code]) for code in ("pass", libraries))
    own = [time - bare for time in times[ready]]
    yield _figure("whole process, ms", times[ready], beside=f"python {bare:.0f}, its libraries {loaded:.0f}")
    yield _figure("import and ready, without the start of Python, ms", own, most=500)


def measure_rate(bench: Bench) -> Iterator[Figure]:
    """Pictures a second through the whole road, list and journal included.

    A core's rate is pictures by CPU time, which neighbours on the machine disturb less than the clock.
    """
    for size, bar in ((PAD, 300), (28, 1500)):
        pictures = make_pictures(bench, size, bench.scale.few)
        one, all_, apart = [], [], []
        for _ in range(bench.scale.repeats):
            one.append(_rate(pictures, local_engine(1)))
            all_.append(_rate(pictures, local_engine(CORES)))
            apart.append(_rate_of_separate_runs(pictures))
        plain, decoding = (
            [_cpu_rate(pictures, step) for _ in range(bench.scale.repeats)] for step in (_read_plainly, _decode)
        )
        n = f"{bench.scale.repeats} x {bench.scale.few:,}"
        beside = f"plain pipeline {statistics.median(plain):.0f}, decoding alone {statistics.median(decoding):.0f}"
        yield _figure(f"{size}x{size}: a second of a core's time", [rate.by_cpu for rate in one], n, beside, bar)
        yield _figure(f"{size}x{size}: a second by the clock, 1 process", [rate.by_clock for rate in one], n)
        beside = f"{CORES} separate runs at once {statistics.median(apart):.0f}"
        yield _figure(
            f"{size}x{size}: a second by the clock, {CORES} processes", [rate.by_clock for rate in all_], n, beside
        )
        linear = [100 * many.by_clock / single.by_clock / CORES for many, single in zip(all_, one, strict=True)]
        limit = [100 * rate / single.by_clock / CORES for rate, single in zip(apart, one, strict=True)]
        beside = f"{CORES} separate runs at once {statistics.median(limit):.0f}"
        yield _figure(f"{size}x{size}: % of linear on {CORES} cores", linear, n, beside, 90)
        shares = [_network_share(pictures) for _ in range(bench.scale.repeats)]
        yield _figure(f"{size}x{size}: % of the CPU time that is the network's", shares, n)


def measure_memory(bench: Bench) -> Iterator[Figure]:
    """Peak resident memory of the command and all its processes, in MB; pages that they share count in each."""
    runs = {
        count: [clean_run(bench, count, number) for number in range(repeats)]
        for count, repeats in (
            (bench.scale.few, bench.scale.repeats),
            (bench.scale.many, bench.scale.repeats_of_many),
        )
    }
    limit = f"{CORES + 1} processes that only load: {(CORES + 1) * _loaded_memory():.0f}"
    for count, same in runs.items():
        yield _figure(f"{count:,} files", [run.peak for run in same], beside=limit)
    few, many = (statistics.median(run.peak for run in same) for same in runs.values())
    growth = 100 * (many / few - 1)
    n = " and ".join(str(len(same)) for same in runs.values())
    yield Figure("growth, %", f"{growth:+.1f}", "", n, "", "within 10", abs(growth) <= 10)


def measure_kill(bench: Bench) -> Iterator[Figure]:
    """The same command killed three times on the way, beside one clean run."""
    pictures = make_pictures(bench, PAD, bench.scale.many)
    clean = clean_run(bench, bench.scale.many, 0)
    killed = bench.folder / "killed.jsonl"
    start = _seconds(_predict(make_pictures(bench, PAD, CORES * CHUNK), bench.folder / "start.jsonl"))
    total, spent, done = f"of {bench.scale.many:,}", 0.0, 0
    for number in (1, 2, 3):
        share = max(number / 4 - done / bench.scale.many, 0.01)  # of the pictures, to have a quarter more done
        spent += (seconds := start + (clean.seconds - start) * share)
        _kill_after(seconds, _predict(pictures, killed))
        done = bench.scale.many if killed.exists() else _done(killed)
        on_the_way = 0 < done < bench.scale.many
        yield Figure(f"pictures done at kill {number}", f"{done:,}", "", total, "", "some, not all", on_the_way)
    spent += _seconds(_predict(pictures, killed))
    yield Figure("seconds, kills included", f"{spent:.0f}", "", "1", f"clean run {clean.seconds:.0f}")
    for name, count in _differences(clean.out, killed).items():
        yield Figure(f"{name} rows", f"{count:,}", "", total, "against the clean run", "0", count == 0)
    same = killed.read_bytes() == clean.out.read_bytes()
    yield Figure("the same file, byte for byte", "yes" if same else "NO", "", "1", "the clean run", "yes", same)


def measure_ray(bench: Bench) -> Iterator[Figure]:
    """Ray on this machine beside the local engine, a process a core each, by the clock, without start and end."""
    pictures = make_pictures(bench, PAD, bench.scale.few)
    local: list[Rate] = []
    ray: list[Rate] = []
    for _ in range(bench.scale.repeats):
        local.append(_rate(pictures, local_engine(CORES)))
        ray.append(_rate(pictures, ray_engine(None, CORES)))
    n = f"{bench.scale.repeats} x {bench.scale.few:,}"
    beside = f"local engine {statistics.median(rate.by_clock for rate in local):.0f}"
    yield _figure(f"pictures a second, {CORES} processes", [rate.by_clock for rate in ray], n, beside)
    wrong = sum(a != b for one in ray for a, b in itertools.zip_longest(local[0].rows, one.rows))
    yield Figure("rows that differ", f"{wrong:,}", "", n, "local engine", "0", wrong == 0)


def measure_http(bench: Bench) -> Iterator[Figure]:
    """Requests of one 400x400 PNG each; a worker a core, 64 connections, load generator on the same machine."""
    pictures = sorted(make_pictures(bench, PAD, bench.scale.few).iterdir())[:DISTINCT]
    posts = [_request("POST", "/api/recognize", picture.read_bytes()) for picture in pictures]
    with _server(CORES) as port:
        asyncio.run(put_under_load(port, posts, 3))  # warm
        load = asyncio.run(put_under_load(port, posts, bench.scale.seconds))
        health = asyncio.run(put_under_load(port, [_request("GET", "/api/health")], bench.scale.seconds / 6))
    seconds = f"{bench.scale.seconds:.0f} s"
    empty = f"GET /api/health {statistics.median(health.rates()):.0f}"
    yield _figure("requests a second (spread: of six parts)", load.rates(), seconds, empty, 150)
    for percent in (50, 95, 99):
        spread = f"{min(load.times) * 1000:.0f}-{max(load.times) * 1000:.0f}" if percent == 50 else ""
        yield Figure(
            f"p{percent}, ms",
            f"{load.percentile(percent):.0f}",
            spread,
            f"{len(load.times):,}",
            f"GET /api/health {health.percentile(percent):.0f}",
        )
    errors = f"GET /api/health {health.errors}"
    yield Figure("errors", str(load.errors), "", f"{len(load.times) + load.errors:,}", errors, "0", load.errors == 0)


MEASURES: dict[Section, Callable[[Bench], Iterator[Figure]]] = {
    Section.start: measure_start,
    Section.rate: measure_rate,
    Section.memory: measure_memory,
    Section.kill: measure_kill,
    Section.ray: measure_ray,
    Section.http: measure_http,
}


def _figure(
    name: str,
    values: list[float],
    n: str | None = None,
    beside: str = "",
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    """Median and range; least, most: the bar."""
    median = statistics.median(values)
    bar = f"at least {least:,}" if least is not None else f"at most {most:,}" if most is not None else ""
    met = median >= least if least is not None else median <= most if most is not None else None
    spread = f"{min(values):.0f}-{max(values):.0f}"
    return Figure(name, f"{median:.0f}", spread, n or str(len(values)), beside, bar, met)


# Rates


class Rate(NamedTuple):
    """Pictures a second, and their rows. by_clock: without the first and last tenth; by_cpu: time of this process."""

    by_clock: float
    by_cpu: float
    rows: list[Row]


def _rate(pictures: Path, engine: AbstractContextManager[Engine]) -> Rate:
    settings = Settings()
    times, rows = [], []
    busy = time.process_time()
    with Journal("", [str(pictures)], settings) as journal, engine as ready:
        for row in read_pictures(journal, settings, ready):
            times.append(time.perf_counter())
            rows.append(row)
    busy = time.process_time() - busy
    tenth = max(len(times) // 10, CHUNK)
    return Rate((len(times) - 2 * tenth) / (times[-tenth - 1] - times[tenth - 1]), len(times) / busy, rows)


def _rate_of_separate_runs(pictures: Path) -> float:
    """Pictures a second of one run a core that know nothing of each other: what the machine itself can do."""
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        return sum(pool.map(_rate_of_one_process, [pictures] * CORES))


def _rate_of_one_process(pictures: Path) -> float:
    return _rate(pictures, local_engine(1)).by_clock


def _cpu_rate(pictures: Path, step: Callable[[list[Path]], object]) -> float:
    """Pictures a second of CPU time that a step reads, in chunks as large as the program's."""
    paths = sorted(pictures.iterdir())
    busy = time.process_time()
    for first in range(0, len(paths), CHUNK):
        step(paths[first : first + CHUNK])
    return len(paths) / (time.process_time() - busy)


def _decode(paths: list[Path]) -> list[np.ndarray]:
    return [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]


def _read_plainly(paths: list[Path]) -> np.ndarray:
    """The pipeline that most programs have: grey, resized to 28x28, 0..1, light paper inverted, and the network."""
    small = [cv2.resize(grey, (28, 28), interpolation=cv2.INTER_AREA) for grey in _decode(paths)]
    ink = np.stack(small)[..., None].astype(np.float32) / 255
    light = ink.mean(axis=(1, 2, 3)) > 0.5
    ink[light] = 1 - ink[light]
    return _recognizer().classifier.classify(ink)


@functools.cache
def _recognizer() -> Recognizer:
    return Recognizer()


def _network_share(pictures: Path) -> float:
    """Percent of the CPU time of the road that the network takes."""
    recognizer = Recognizer()
    classify, inside = recognizer.classifier.classify, 0.0

    def timed(images: np.ndarray) -> np.ndarray:
        nonlocal inside
        start = time.process_time()
        answer = classify(images)
        inside += time.process_time() - start
        return answer

    recognizer.classifier.classify = timed
    start = time.process_time()
    for _ in recognizer.recognize_many(sorted(pictures.iterdir())):
        pass
    return 100 * inside / (time.process_time() - start)


# Runs of the command


class Run(NamedTuple):
    """A run of the command from start to end. peak: MB of memory, all processes together."""

    out: Path
    seconds: float
    peak: float


@functools.cache
def clean_run(bench: Bench, count: int, number: int) -> Run:
    """The undisturbed run with this number; sections share it."""
    pictures = make_pictures(bench, PAD, count)
    out = bench.folder / f"clean_{count}_{number}.jsonl"
    start = time.perf_counter()
    with subprocess.Popen(_predict(pictures, out)) as process:
        peak = _peak_memory(process)
    if process.returncode:
        raise RuntimeError(f"a clean run of {count:,} files ended with exit code {process.returncode}")
    return Run(out, time.perf_counter() - start, peak / 1e6)


def _predict(pictures: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "digits", "predict", str(pictures), "--out", str(out)]


def _seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    return time.perf_counter() - start


def _peak_memory(process: subprocess.Popen[bytes]) -> int:
    """The largest sum of resident memory of a process and its descendants in bytes, looked at five times a second."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(_resident(_family(process.pid))))
        time.sleep(0.2)
    return peak


def _family(pid: int) -> list[psutil.Process]:
    """A process and its descendants; none if it is gone."""
    try:
        whole = psutil.Process(pid)
        return [whole, *whole.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _resident(processes: Iterable[psutil.Process]) -> Iterator[int]:
    for process in processes:
        try:
            yield process.memory_info().rss
        except psutil.NoSuchProcess:
            continue


def _loaded_memory() -> float:
    """MB of a process that is ready to read and has read nothing."""
    code = "import psutil; from digits import bulk; bulk._recognizer(None); print(psutil.Process().memory_info().rss)"
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout) / 1e6


def _kill_after(seconds: float, command: list[str]) -> None:
    """Kill a command if it still runs then, and see its processes end by themselves."""
    with subprocess.Popen(command) as process:
        time.sleep(seconds)
        family = _family(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    if alive:
        raise RuntimeError(f"{len(alive)} processes outlived the command that was killed")


def _done(out: Path) -> int:
    """Pictures in the journal, looked at in a copy: what a kill has left is the next run's to mend."""
    with tempfile.TemporaryDirectory() as name:
        for path in out.parent.glob(f"{out.name}.partial*"):
            shutil.copy(path, name)
        with closing(sqlite3.connect(Path(name) / f"{out.name}.partial")) as journal:
            known = journal.execute("SELECT count(*) FROM sqlite_master WHERE name = 'chunks'").fetchone()[0]
            return CHUNK * int(journal.execute("SELECT count(*) FROM chunks").fetchone()[0]) if known else 0


def _differences(clean: Path, killed: Path) -> dict[str, int]:
    """How many rows of a run are missing, doubled or different against a clean one."""
    lines = killed.read_text("utf-8").splitlines()
    wanted, found = _by_picture(clean.read_text("utf-8").splitlines()), _by_picture(lines)
    return {
        "missing": len(wanted.keys() - found.keys()),
        "doubled": len(lines) - len(found),
        "different": sum(wanted.get(key) != line for key, line in found.items()),
    }


def _by_picture(lines: list[str]) -> dict[str, str]:
    return {json.loads(line)["picture"]: line for line in lines}


# HTTP


@contextmanager
def _server(workers: int) -> Iterator[int]:
    """The port of a server that answers; it has ended when this is left."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "digits", "serve", "--no-page", "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_until_served(port, process)
            yield port
        finally:
            family = _family(process.pid)
            process.terminate()
            _, alive = psutil.wait_procs(family, timeout=PATIENCE)
            for one in alive:
                one.kill()


def _wait_until_served(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode} before it answered")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server does not answer after {PATIENCE} s")


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@dataclass
class Load:
    """What came back in so many seconds. times: of each answer that was a 200; ends: when it came; both in seconds."""

    seconds: float
    times: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    errors: int = 0

    def rates(self) -> list[float]:
        """Answers a second in each sixth of the time."""
        counts, _ = np.histogram(self.ends, bins=6, range=(0, self.seconds))
        return [6 * float(count) / self.seconds for count in counts]

    def percentile(self, percent: float) -> float:
        """Milliseconds."""
        return 1000 * float(np.percentile(self.times, percent))


async def put_under_load(port: int, requests: list[bytes], seconds: float) -> Load:
    """Ask for so long at CONNECTIONS connections, each its next question when it has its answer.

    Whatever is no 200 is an error: another status, a refused or broken connection, no answer within PATIENCE.
    """
    load = Load(seconds)
    turn = itertools.cycle(requests)
    began = time.perf_counter()

    async def ask_until_broken() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with closing(writer):
            while (start := time.perf_counter()) < began + seconds:
                writer.write(next(turn))
                good = await asyncio.wait_for(_is_answered(reader), PATIENCE)
                load.errors += not good
                if good:
                    load.ends.append((now := time.perf_counter()) - began)
                    load.times.append(now - start)

    async def ask_again_and_again() -> None:
        while time.perf_counter() < began + seconds:
            try:
                await ask_until_broken()
            except (OSError, EOFError, ValueError, TimeoutError):  # gone, cut short, no HTTP, too late
                load.errors += 1
                await asyncio.sleep(0.1)

    await asyncio.gather(*(ask_again_and_again() for _ in range(CONNECTIONS)))
    return load


async def _is_answered(reader: asyncio.StreamReader) -> bool:
    """Whether the next answer is a 200; read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, found, rest = head.partition(b"content-length: ")
    if not found:
        raise ValueError("an answer without its length")
    await reader.readexactly(int(rest.split(b"\r\n")[0]))
    return head.startswith(b"http/1.1 200")


if __name__ == "__main__":
    typer.run(main)
