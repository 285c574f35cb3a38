"""Desk: the page as a person uses it. It starts the program as a real process and drives a real Chromium."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import numpy as np
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, Playwright, Request

ROOT = Path(__file__).parents[2]
BROWSER_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 3}

A_STROKE = 48  # of 255: the thinnest stroke more or less makes at least so much of a difference, smoothed edges less

NOTE_UPLOADS = """
    const { send } = XMLHttpRequest.prototype; // of whose body the browser's tools see nothing
    XMLHttpRequest.prototype.send = function(body) {
        const reader = new FileReader();
        reader.onload = () => { window.uploaded = reader.result; send.call(this, body); };
        body instanceof Blob ? reader.readAsDataURL(body) : send.call(this, body);
    };
"""

Stroke = list[tuple[float, float]]  # points as fractions of the pad's width and height

SEVEN: list[Stroke] = [[(0.36, 0.2), (0.62, 0.19), (0.55, 0.45), (0.47, 0.82)]]
ONE: list[Stroke] = [[(0.5, 0.18), (0.49, 0.5), (0.48, 0.82)]]
THREE: list[Stroke] = [
    [(0.4, 0.24), (0.5, 0.17), (0.6, 0.25), (0.58, 0.4), (0.47, 0.47), (0.62, 0.55), (0.6, 0.75), (0.4, 0.77)]
]


@dataclass
class Server:
    """The program at work. connections: a file with every address that it connected to or looked up."""

    process: subprocess.Popen[bytes]
    url: str
    flagged: Path
    connections: Path


@contextmanager
def running_server(
    folder: Path, *options: str, port: int | None = None, served_at: int | None = None, root: Path = ROOT
) -> Iterator[Server]:
    """app.py on a free port, its log in `folder`; stopped at the end.

    served_at: if it will take another port. root: folder of the program, if it is a copy.
    """
    port = port or free_port()
    connections = folder / "connections.txt"
    command = [sys.executable, str(Path(__file__).with_name("watched.py")), str(connections), "app.py"]
    options = ("--port", str(port), *options)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([*command, *options], cwd=root, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{served_at or port}"
        wait_until_served(url, process, folder / "server.log")
        yield Server(process, url, folder / "flagged", connections)
    finally:
        process.terminate()
        process.wait(20)


def wait_until_served(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 400) -> None:
    """Return as soon as the page is served."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except (OSError, HTTPException):
            time.sleep(0.05)
    raise RuntimeError(f"{url} was not served: {log.read_text()}")


def served_model(server: Server) -> str:
    """Digest of the model that answers."""
    return str(json.loads(urllib.request.urlopen(server.url + "/api/model").read())["sha256"])


def free_port() -> int:
    """A port that nobody listens on, of those that the system does not give to outgoing connections."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def find_browser() -> str | None:
    """Path of the system's Chromium, if there is one."""
    names = ["chromium", "chromium-browser", "google-chrome", "chrome"]
    return next((path for name in names if (path := shutil.which(name))), None)


def launch_browser(playwright: Playwright) -> Browser:
    """The system's Chromium, headless, with a fresh profile."""
    return playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_FLAGS)


class Desk:
    """The tab Draw, open in a browser.

    complaints: what the browser's console reported. asked: what the server was to recognize: strokes, id of a picture.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.asked: list[dict[str, str | None]] = []
        page.add_init_script(NOTE_UPLOADS)
        page.set_default_timeout(60_000)
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_request)
        self.open()

    def open(self, query: str = "") -> None:
        """Load the page, and wait until the pad is ready."""
        self.page.goto(f"{self.url}/{query}")
        self.page.wait_for_selector("canvas.pad")
        self.page.wait_for_selector(".examples button")

    def draw(self, strokes: list[Stroke], moves: int = 4) -> None:
        """Draw with the mouse, in so many moves from point to point, and wait for the answer."""
        frame = self.frame()
        for (x, y), *points in strokes:
            self.page.mouse.move(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])
            self.page.mouse.down()
            for x, y in points:
                self.page.mouse.move(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"], steps=moves)
            self.page.mouse.up()
        self.settle()

    def frame(self) -> dict[str, float]:
        """Where the pad is in the window."""
        box = self.page.locator("canvas.pad").first.bounding_box()
        assert box is not None
        return dict(box)

    def press(self, name: str) -> None:
        """Press the button of that name, and wait for the answer."""
        self.page.locator(f'.desk [data-do="{name}"]').click()
        self.settle()

    def upload(self, picture: bytes, name: str = "picture.png") -> None:
        """Hand in a file, and wait for what becomes of it."""
        self.page.set_input_files("[name=picture]", {"name": name, "mimeType": "image/png", "buffer": picture})
        self.settle()

    def go_to(self, tab: str) -> None:
        """Open a tab, and wait until its content is there."""
        self.page.get_by_role("tab", name=tab).click()
        content = {"Flagged": ".flags .summary:not(:empty)", "My handwriting": ".prompt b", "Help": "td"}
        self.page.locator(content.get(tab, "canvas.pad")).first.wait_for()

    def look_inside(self) -> None:
        """Wait until both pictures of the look inside are there."""
        self.page.wait_for_function(
            "['seen', 'decided'].every(name => document.querySelector(`img.${name}`).naturalWidth)"
        )

    def settle(self) -> None:
        """Wait until the newest question is answered."""
        self.page.wait_for_function("document.querySelector('.answer').getAttribute('aria-busy') !== 'true'")

    def text(self) -> str:
        """The text that was recognized, a line a line, its numbers parted by blanks."""
        return self.page.locator(".desk .text").evaluate(
            """text => [...text.querySelectorAll(".line")].map(line =>
                [...line.querySelectorAll(".marks")].map(marks => marks.textContent).join(" ")).join("\\n")"""
        )

    def status(self) -> str:
        """The sentence beside the text."""
        return self.page.locator(".status").inner_text()

    def bars(self) -> list[str]:
        """The bars of the chosen digit as text: label, percentage, label, ..."""
        return [part for bar in self.page.locator(".bars .bar").all() for part in bar.inner_text().split("\n")]

    def columns(self) -> list[float]:
        """The ten probabilities of the chosen digit, as high as their columns stand."""
        heights = self.page.locator(".ten .column > i > i")
        return [
            float(height) for height in heights.evaluate_all("all => all.map(each => parseFloat(each.style.height))")
        ]

    def notice(self) -> str:
        """The notice on the page, "" if there is none."""
        notice = self.page.locator(".desk .notice")
        return notice.inner_text() if notice.is_visible() else ""

    def shown(self) -> Image.Image:
        """The pad as the screen shows it."""
        url = self.page.locator("canvas.pad").first.evaluate("canvas => canvas.toDataURL()")
        return Image.open(io.BytesIO(content_of(url))).convert("L")

    def blank(self) -> bool:
        """Nothing is on the pad."""
        return self.shown().getextrema() == (255, 255)

    def sent(self) -> bytes:
        """What the server was to read last, as a file: the strokes, the picture uploaded, or the one over the other."""
        strokes, picture = self.asked[-1]["strokes"], self.asked[-1]["picture"]
        if not picture:
            return content_of(strokes or "")
        uploaded = content_of(self.page.evaluate("window.uploaded"))
        if not strokes:
            return uploaded
        both = Image.open(io.BytesIO(uploaded)).convert("RGBA")
        both.alpha_composite(Image.open(io.BytesIO(content_of(strokes))).convert("RGBA"))
        file = io.BytesIO()
        both.convert("RGB").save(file, "PNG")
        return file.getvalue()

    def mismatch(self) -> float:
        """The greatest difference, 0..255, between the pad and the picture sent last, or white paper if the page says
        that nothing is drawn. Both are blurred, so that only a stroke more or less shows, and not how its edge was
        smoothed at the screen's scale."""
        shown = self.shown()
        if self.page.locator(".hint").is_visible():
            sent = Image.new("L", shown.size, "white")
        else:
            sent = Image.open(io.BytesIO(self.sent())).convert("L").resize(shown.size)
        blur = ImageFilter.GaussianBlur(2)
        return float(np.abs(np.asarray(sent.filter(blur), float) - np.asarray(shown.filter(blur), float)).max())

    def _note_request(self, request: Request) -> None:
        self.requested.append(request.url)
        if "component_server" in request.url and request.method == "POST":
            question = json.loads(request.post_data or "{}")
            if question["fn_name"] == "recognize":
                self.asked.append(question["data"])


def content_of(data_url: str) -> bytes:
    """What a data URL holds."""
    return base64.b64decode(data_url.partition(",")[2])


def picture_of(
    strokes: list[Stroke], size: tuple[int, int] = (400, 300), ink: str = "black", paper: str = "white"
) -> bytes:
    """The strokes as a PNG file."""
    image = Image.new("RGB", size, paper)
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        points = [(x * size[0], y * size[1]) for x, y in stroke]
        pen.line(points, ink, size[1] // 20, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def random_step(desk: Desk, dice: random.Random) -> str:
    """Do one random thing at the desk; returns what it was."""
    step = dice.choice(["draw", "draw", "draw", "erase", "undo", "redo", "clear", "upload", "resize", "wide", "size"])
    if step in ("draw", "erase"):
        desk.press("brush" if step == "draw" else "eraser")
        desk.draw([[(dice.uniform(0.05, 0.95), dice.uniform(0.05, 0.95)) for _ in range(dice.randint(2, 4))]], 1)
    elif step == "upload":
        ink, paper = dice.choice([("black", "white"), ("white", "#204030"), ("#203080", "#f0ecd8")])
        size = (dice.randint(60, 500), dice.randint(60, 500))
        desk.upload(picture_of(dice.choice([ONE, SEVEN, THREE]), size, ink, paper))
    elif step == "resize":
        desk.page.set_viewport_size({"width": dice.randint(360, 1600), "height": dice.randint(600, 1000)})
        desk.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    elif step == "size":
        desk.page.locator(".size input").fill(str(dice.randrange(8, 60, 2)))
    elif (button := desk.page.locator(f'.desk [data-do="{step}"]')).is_visible() and button.is_enabled():
        desk.press(step)
    return step


def browser_is_required() -> bool:
    """A missing browser is a failure, not a reason to skip."""
    return os.environ.get("DIGITS_REQUIRE_BROWSER") == "1"


def load_axe(page: Page) -> None:
    """Bring axe to the page; colours on their way would be findings that are none."""
    page.evaluate(AXE_SCRIPT)
    page.add_style_tag(content="* { transition: none !important }")


def axe_finds(page: Page, asked: str) -> list[tuple[str, list[str]]]:
    """The rules that are not kept, and the elements that do not. asked: what axe.run takes, in JavaScript."""
    found = page.evaluate(f"axe.run({asked}).then(({{ violations }}) => violations)")
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


def assert_accessible(page: Page, part: str) -> None:
    """Axe finds nothing in a part of the page, a selector, in the light; nor in the dark, in which the page stays."""
    load_axe(page)
    for theme in ("light", "dark"):
        found = axe_finds(page, repr(part))
        assert found == [], (theme, found)
        page.evaluate("document.body.classList.add('dark')")
