"""Load: a classroom draws while an archive is sent over HTTP: python benchmarks/load.py

Starts the program, lets 100 page users draw live for 2 minutes (each asks for an answer 2 times a second, as the page
does after a stroke), then sends 24,000 HTTP requests of 1 KB to 10 MB from 16 clients. Every picture shows a digit of
its own, and the answer has to be that digit: so a mix-up is found. Prints counts, errors, mix-ups, p50, p95, p99, and
the server's memory. A client that is told that the server is busy (503) waits and asks again, and is counted.

Traffic goes to 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio
import httpx
import numpy as np
import onnxruntime
import psutil
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "web"))

from desk import ROOT, free_port, wait_until_served
from pictures import draw_digit

from digits import Recognizer
from digits.networks import name_networks

EVERY = 0.5  # seconds between two questions of a page user: a stroke takes about as long
FLAT = 0.10  # share by which the memory may grow after the first tenth
SIZES = ((0.80, 1_000), (0.15, 100_000), (0.04, 1_000_000), (0.01, 10_000_000))  # share of requests, bytes
PATIENCE = 60  # seconds that a client waits for an answer


@dataclass
class Tally:
    """What came back. times: seconds from question to answer."""

    times: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    mix_ups: int = 0
    busy: int = 0

    def note(self, began: float, text: str, label: int) -> None:
        """An answer that was right or another's."""
        self.times.append(time.perf_counter() - began)
        self.mix_ups += text != str(label)


def main() -> None:
    """Start, load, print."""
    options = read_options()
    print(f"python {' '.join(sys.argv)}")
    versions = f"Gradio {gradio.__version__}, ONNX Runtime {onnxruntime.__version__}"
    print(f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}")
    print(name_networks(Recognizer().networks))
    print(f"load average before: {os.getloadavg()[0]:.1f}\n", flush=True)
    pictures = [[as_file(label, size) for _, size in SIZES] for label in range(10)]
    with running() as (url, process):
        if options.seconds:
            report("page users drawing live", url, process, draw_live(url, options.users, options.seconds, pictures))
        if options.requests:
            report("HTTP requests, 1 KB to 10 MB", url, process, send(url, options.requests, options.clients, pictures))


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100, help="page users")
    parser.add_argument("--seconds", type=float, default=120, help="how long they draw (0: not at all)")
    parser.add_argument("--requests", type=int, default=24_000, help="HTTP requests (0: none)")
    parser.add_argument("--clients", type=int, default=16, help="that send them side by side")
    return parser.parse_args()


@contextmanager
def running() -> Iterator[tuple[str, psutil.Process]]:
    """The program on a free port of this computer."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as log:
        command = [sys.executable, "app.py", "--port", str(port), "--flagged", folder]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until_served(f"http://127.0.0.1:{port}", process, Path(log.name))
            yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def as_file(label: int, size: int) -> bytes:
    """A digit as a PNG file of about so many bytes: a chunk that nobody reads fills it up."""
    file = io.BytesIO()
    Image.fromarray(draw_digit(label, size=200, at=(50, 50), pad=300)).resize((150, 150)).save(file, "PNG")
    content = file.getvalue()
    filling = b"fiLl" + bytes(max(0, size - len(content) - 12))
    chunk = (len(filling) - 4).to_bytes(4, "big") + filling + zlib.crc32(filling).to_bytes(4, "big")
    return content[:33] + chunk + content[33:] if len(filling) > 4 else content


async def draw_live(url: str, users: int, seconds: float, pictures: list[list[bytes]]) -> Tally:
    """Every user asks for an answer, waits for it, and asks again, as the page does."""
    tally = Tally()
    async with client(url, users) as session:
        component = await component_of(session)
        end = time.perf_counter() + seconds
        await asyncio.gather(*(draw(session, component, user, end, pictures, tally) for user in range(users)))
    return tally


async def draw(
    session: httpx.AsyncClient, component: int, user: int, end: float, pictures: list[list[bytes]], tally: Tally
) -> None:
    """One user."""
    dice = random.Random(user)
    await asyncio.sleep(dice.uniform(0, EVERY))
    while time.perf_counter() < end:
        label = dice.randrange(10)
        url = "data:image/png;base64," + base64.b64encode(pictures[label][0]).decode()
        question = question_of(component, f"user{user}", url)
        answer = await ask(session, "/gradio_api/component_server", tally, json=question)
        if answer is not None:
            tally.note(answer[0], answer[1].get("text", ""), label)
        await asyncio.sleep(EVERY)


def question_of(component: int, user: str, picture: str) -> dict[str, Any]:
    """What the page sends to have a drawing recognized."""
    data = {"picture": picture}
    return {"data": data, "fn_name": "recognize", "component_id": component, "session_hash": user}


async def component_of(session: httpx.AsyncClient) -> int:
    """The number of the page's component that recognizes."""
    components = (await session.get("/config")).json()["components"]
    return int(next(one["id"] for one in components if "recognize" in str(one["props"].get("server_fns"))))


async def send(url: str, requests: int, clients: int, pictures: list[list[bytes]]) -> Tally:
    """Clients that send one picture after the other."""
    tally = Tally()
    numbers = iter(range(requests))

    async def work(session: httpx.AsyncClient) -> None:
        for number in numbers:
            dice = random.Random(number)
            label = dice.randrange(10)
            kind = dice.choices(range(len(SIZES)), [share for share, _ in SIZES])[0]
            answer = await ask(session, "/api/recognize", tally, content=pictures[label][kind])
            if answer is not None:
                tally.note(answer[0], answer[1]["results"][0]["text"], label)

    async with client(url, clients) as session:
        await asyncio.gather(*(work(session) for _ in range(clients)))
    return tally


def client(url: str, most: int) -> httpx.AsyncClient:
    """A client with a connection for each user."""
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits)


async def ask(
    session: httpx.AsyncClient, path: str, tally: Tally, **question: Any
) -> tuple[float, dict[str, Any]] | None:
    """When the question was first asked, and its answer; asked again while the server is busy. None if it failed."""
    began = time.perf_counter()
    while True:
        try:
            response = await session.post(path, **question)
        except httpx.HTTPError as error:
            tally.errors[type(error).__name__] += 1
            return None
        if response.status_code != 503:
            break
        tally.busy += 1
        await asyncio.sleep(float(response.headers["Retry-After"]))
    if response.status_code != 200:
        tally.errors[f"{response.status_code} {response.text[:80]}"] += 1
        return None
    answer: dict[str, Any] = json.loads(response.text)
    return began, answer


def report(name: str, url: str, process: psutil.Process, load: Any) -> None:
    """Run a load, and print what came of it."""
    began = time.perf_counter()
    tally, memory = asyncio.run(watched(process, load))
    seconds = time.perf_counter() - began
    times = [1000 * value for value in np.quantile(tally.times or [0.0], (0.5, 0.95, 0.99))]
    warm = memory[len(memory) // 10 :]
    growth = max(warm) / np.median(warm[: max(1, len(warm) // 10)]) - 1
    answered = len(tally.times)
    print(f"{name}: {answered:,} answers in {seconds:.0f} s, {answered / seconds:.0f} a second")
    print(
        f"  errors {sum(tally.errors.values())} {dict(tally.errors) or ''}, mix-ups {tally.mix_ups}, busy {tally.busy}"
    )
    print(f"  p50 {times[0]:.0f} ms, p95 {times[1]:.0f} ms, p99 {times[2]:.0f} ms")
    met = "flat" if growth <= FLAT else "NOT flat"
    print(
        f"  memory {memory[0] / 1e6:.0f} MB at first, {max(memory) / 1e6:.0f} MB at most; {growth:+.0%} warm: {met}\n"
    )


async def watched(process: psutil.Process, load: Any) -> tuple[Tally, list[float]]:
    """The load's tally, and the server's memory in bytes, looked at twice a second."""
    memory = [float(process.memory_info().rss)]
    task = asyncio.create_task(load)
    while not task.done():
        await asyncio.sleep(0.5)
        memory.append(float(process.memory_info().rss))
    return await task, memory


if __name__ == "__main__":
    main()
