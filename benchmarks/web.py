"""The page: how soon it is ready, how fast it answers, what it weighs, and whether it ever loses a stroke.

    python benchmarks/web.py                        # everything, about ten minutes
    python benchmarks/web.py --starts 0 --sequences 0            # only the strokes and the looks inside

A bare Gradio page with the stock Sketchpad, started and measured in the same run, is the peer. Each figure is printed
as soon as it is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gradio
import numpy as np
import onnxruntime
from playwright.sync_api import Browser, Page, sync_playwright

from digits import Recognizer
from digits.networks import name_networks

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "web"))  # the desk that the tests sit at

from desk import A_STROKE, SEVEN, Desk, Stroke, free_port, launch_browser, random_step, wait_until_served  # noqa: E402

EXAMPLES = json.loads((ROOT / "digits" / "web" / "assets" / "examples.json").read_text("utf-8"))

BARE = """
import sys, gradio
with gradio.Blocks(analytics_enabled=False) as page:
    pad, label, submit = gradio.Sketchpad(), gradio.Label(), gradio.Button()
    submit.click(lambda picture: {"7": 1.0}, pad, label)
page.launch(server_port=int(sys.argv[1]), quiet=True)
"""

SLOW = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # ms, bytes/s
STEPS = 8  # in each random sequence

STOPWATCH = """() => {
    window.times = [];
    const pad = document.querySelector("canvas.pad");
    pad.addEventListener("pointerup", () => { window.lifted = performance.now(); }, true);
    new MutationObserver(() => {
        // "Reading..." is no answer
        const waits = document.querySelector(".answer").getAttribute("aria-busy") === "true";
        if (window.lifted && !waits) requestAnimationFrame(() => {
            window.times.push(performance.now() - window.lifted);
            window.lifted = null;
        });
    }).observe(document.querySelector(".status"), {childList: true});
}"""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: str
    spread: str
    n: int
    bar: str
    met: bool | None  # None: there is no bar


@dataclass(frozen=True)
class Start:
    """One start of a program. All in seconds after the command, but `resident` in MB."""

    served: float
    ready: float
    answered: float
    resident: float


def main() -> None:
    """Measure and print."""
    options = read_options()
    print_header()
    began = time.perf_counter()
    with sync_playwright() as playwright:
        browser = launch_browser(playwright)
        if options.starts:
            print_figures(measure_starts(browser, options.starts, options.model))
        with tempfile.TemporaryDirectory() as folder, running(app_command(folder, options.model)) as (url, _, _):
            if options.strokes:
                print_figures(measure_strokes(browser, url, options.strokes))
            if options.looks:
                print_figures(measure_look_inside(browser, url, options.looks))
            if options.sequences:
                print_figures(measure_sequences(browser, url, options.sequences, options.seed))
        browser.close()
    print(f"took {time.perf_counter() - began:.0f} s")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5, help="starts of each of the two programs (0: none)")
    parser.add_argument("--strokes", type=int, default=200, help="strokes to time")
    parser.add_argument("--looks", type=int, default=30, help="looks inside to time")
    parser.add_argument("--sequences", type=int, default=200, help=f"random sequences of {STEPS} steps")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--model", help="model to serve; the shipped one if left out")
    return parser.parse_args()


def app_command(folder: str, model: str | None = None) -> list[str]:
    """Our program with its flags in `folder`; the port is appended."""
    return [sys.executable, "app.py", "--flagged", folder, *(["--model", model] if model else []), "--port"]


@contextmanager
def running(command: list[str]) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """The program behind a command that lacks its port: address, process, when it was started."""
    port, began = free_port(), time.perf_counter()
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen([*command, str(port)], cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until_served(f"http://127.0.0.1:{port}", process, Path(log.name))
            yield f"http://127.0.0.1:{port}", process, began
        finally:
            process.terminate()
            process.wait(20)


def measure_starts(browser: Browser, n: int, model: str | None) -> list[Figure]:
    """Start both programs in turn, and compare when they are served, ready to draw, and have answered."""
    bare, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(n):
            bare.append(start([sys.executable, "-c", BARE], browser, "[data-testid=image] canvas, canvas", None))
            ours.append(start(app_command(folder, model), browser, "canvas.pad", answer_a_drawing))
    ready = [one.ready - other.ready for one, other in zip(ours, bare, strict=True)]
    ratio = [one.answered / other.ready for one, other in zip(ours, bare, strict=True)]
    weight = [one.resident - other.resident for one, other in zip(ours, bare, strict=True)]
    return [
        figure("bare Gradio page ready [s]", [one.ready for one in bare]),
        figure("our page ready to draw [s]", [one.ready for one in ours]),
        figure("ready later than bare Gradio by [s]", ready, 1),
        figure("first answer / bare Gradio page", ratio, 1.0),
        figure("resident memory above bare Gradio [MB]", weight, 130),
    ]


def start(command: list[str], browser: Browser, pad: str, first_answer: Callable[[Page], None] | None) -> Start:
    """One start, seen from a browser with an empty cache."""
    with running(command) as (url, process, began):
        served = time.perf_counter() - began
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector(pad)
        ready = time.perf_counter() - began
        if first_answer:
            first_answer(page)
        answered = time.perf_counter() - began
        resident = resident_memory(process.pid)
        context.close()
        return Start(served, ready, answered, resident)


def answer_a_drawing(page: Page) -> None:
    """Draw at once, without waiting for anything, and wait for the answer."""
    frame = page.locator("canvas.pad").first.bounding_box() or {}
    points = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in SEVEN[0]]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()
    page.wait_for_selector(".bars .bar")


def resident_memory(process: int) -> float:
    """MB in memory of a process (Linux)."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure_strokes(browser: Browser, url: str, n: int) -> list[Figure]:
    """From the end of a stroke to the frame that shows the changed answer; and the bare request beside it."""
    dice = random.Random(1)
    digits = time_strokes(browser, url, n, lambda: a_digit(dice), 1)
    slow = time_strokes(browser, url, max(1, n // 10), lambda: a_digit(dice), 1, SLOW)
    scribbles = time_strokes(browser, url, n, lambda: a_scribble(dice), 4)
    return [
        figure("end of stroke to changed answer, median [ms]", digits, 60),
        tail("the same, 95th percentile [ms]", digits, 120),
        figure("the same for scribbles across each other [ms]", scribbles),
        measure_route(url, n),
        figure("end of stroke to answer at 400 kbit/s and 300 ms delay [ms]", slow, 1000),
    ]


def time_strokes(
    browser: Browser,
    url: str,
    n: int,
    drawing: Callable[[], list[Stroke]],
    most: int,
    network: dict[str, float] | None = None,
) -> list[float]:
    """Milliseconds for each of n strokes or more. most: drawings on a sheet before it is cleared."""
    desk = Desk(browser.new_context().new_page(), url)
    if network:
        devtools = desk.page.context.new_cdp_session(desk.page)
        devtools.send("Network.emulateNetworkConditions", network)
    desk.page.evaluate(STOPWATCH)
    drawings = strokes = 0
    while strokes < n:
        if drawings % most == 0:
            desk.page.keyboard.press("Escape")
        drawings += 1
        for stroke in drawing():
            desk.draw([stroke])
            desk.page.wait_for_function("window.lifted === null")
            strokes += 1
    times: list[float] = desk.page.evaluate("window.times")
    desk.page.context.close()
    return times


def a_digit(dice: random.Random) -> list[Stroke]:
    """One of the examples of the page, which were drawn by hand, somewhere near the middle of the pad."""
    example = dice.choice([one for one in EXAMPLES if len(one["name"]) == 1])
    middle, down = dice.uniform(0.4, 0.6), dice.uniform(-0.05, 0.05)
    side = example["height"]  # of a square; the pad is 4:3
    return [[(middle + (x / side - 0.5) * 3 / 4, y / side + down) for x, y in stroke] for stroke in example["strokes"]]


def a_scribble(dice: random.Random) -> list[Stroke]:
    """Four points anywhere: the program has to try every way to part what crosses."""
    return [[(dice.uniform(0.1, 0.9), dice.uniform(0.1, 0.9)) for _ in range(4)]]


def tail(name: str, values: list[float], most: float) -> Figure:
    """The 95th percentile."""
    worst = float(np.quantile(values, 0.95))
    return Figure(name, f"{worst:.2f}", f"max {max(values):.2f}", len(values), _bar(most), worst <= most)


def measure_route(url: str, n: int) -> Figure:
    """The lower limit of what a page could reach: an empty request, without a browser."""
    times = []
    for _ in range(n):
        began = time.perf_counter()
        urllib.request.urlopen(f"{url}/api/health").read()
        times.append(1000 * (time.perf_counter() - began))
    return figure("limit: an empty request, no browser [ms]", times)


def measure_look_inside(browser: Browser, url: str, n: int) -> list[Figure]:
    """From the click to both pictures."""
    desk = Desk(browser.new_context().new_page(), url)
    desk.draw(SEVEN)
    times = []
    for _ in range(n):
        times.append(
            desk.page.evaluate(
                """async () => {
                    const look = document.querySelector('[data-do="look"]');
                    const image = document.querySelector("img.decided");
                    look.click();
                    image.removeAttribute("src");
                    const began = performance.now();
                    look.click();
                    while (!image.getAttribute("src")) await new Promise(requestAnimationFrame);
                    return performance.now() - began;
                }"""
            )
        )
    desk.page.context.close()
    return [figure("look inside, click to picture [ms]", times, 300)]


def measure_sequences(browser: Browser, url: str, n: int, seed: int) -> list[Figure]:
    """Random sequences of draw, erase, undo, redo, clear, upload, resize: is what was sent what is shown?

    Each starts on a page just loaded, and is the same whenever its seed is; one that fails is printed.
    """
    desk = Desk(browser.new_context().new_page(), url)
    wrong = 0
    for number in range(seed, seed + n):
        desk.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        desk.open()
        dice = random.Random(number)
        done = []
        for _ in range(STEPS):
            done.append(random_step(desk, dice))
            if desk.mismatch() >= A_STROKE:
                wrong += 1
                print(f"--seed {number}: what was sent differs from what is shown after {', '.join(done)}", flush=True)
        if (number - seed) % 20 == 19:
            print(f"  {number - seed + 1} sequences: {wrong} states differ, {len(desk.complaints)} errors", flush=True)
    complaints = len(desk.complaints)
    desk.page.context.close()
    return [
        Figure("states where sent and shown differ", str(wrong), f"of {n * STEPS} in sequences", n, "0", wrong == 0),
        Figure("errors in the browser's console", str(complaints), "in as many sequences", n, "0", complaints == 0),
    ]


def figure(name: str, values: list[float], most: float | None = None) -> Figure:
    """The median with its quartiles; most: the bar."""
    median = statistics.median(values)
    low, high = np.quantile(values, [0.25, 0.75])
    spread = f"quartiles {low:.2f} .. {high:.2f}"
    return Figure(name, f"{median:.2f}", spread, len(values), _bar(most), None if most is None else median <= most)


def _bar(most: float | None) -> str:
    return "" if most is None else f"at most {most:g}"


def print_header() -> None:
    """The command, the machine and the versions."""
    versions = f"Gradio {gradio.__version__}, ONNX Runtime {onnxruntime.__version__}"
    print(f"python {' '.join(sys.argv)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}")
    print(f"{name_networks(Recognizer().networks)}\n", flush=True)


def print_figures(figures: list[Figure]) -> None:
    """One line each: what, median, spread, n, the bar, and whether it is met."""
    for one in figures:
        met = "" if one.met is None else "met" if one.met else "NOT met"
        line = f"{one.name:<46} {one.value:>8}  {one.spread:<27} n = {one.n:<5} {one.bar:<13} {met}"
        print(line.rstrip(), flush=True)


if __name__ == "__main__":
    main()
