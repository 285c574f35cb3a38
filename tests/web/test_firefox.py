"""The page in a second engine: Firefox, driven over WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/)."""

import itertools
import json
import shutil
import subprocess
import time

import pytest
from desk import SEVEN, free_port

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One window of a fresh profile."""

    def __init__(self, profile):
        port = free_port()
        command = [FIREFOX, "--headless", "--no-remote", "--profile", str(profile), f"--remote-debugging-port={port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._ids = itertools.count()
        self._socket = self._connect(f"ws://127.0.0.1:{port}/session")
        self.ask("session.new", capabilities={})
        self.window = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def _connect(self, address):
        client = pytest.importorskip("websockets.sync.client")
        for _ in range(120):
            try:
                return client.connect(address, max_size=None)
            except OSError:
                time.sleep(0.5)
        raise RuntimeError(f"Firefox does not listen on {address}.")

    def ask(self, method, **params):
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=120))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, url):
        self.ask("browsingContext.navigate", context=self.window, url=url, wait="complete")

    def evaluate(self, expression):
        target = {"context": self.window}
        return self.ask("script.evaluate", expression=expression, target=target, awaitPromise=True)["result"]["value"]

    def wait_for(self, expression, seconds=60):
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < end, expression
            time.sleep(0.1)

    def draw(self, points):
        (x, y), *others = [(round(x), round(y)) for x, y in points]
        moves = [{"type": "pointerMove", "x": x, "y": y, "duration": 50} for x, y in others]
        steps = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}, *moves]
        mouse = {"type": "pointer", "id": "mouse", "actions": [*steps, {"type": "pointerUp", "button": 0}]}
        self.ask("input.performActions", context=self.window, actions=[mouse])

    def close(self):
        self._socket.close()
        self.process.terminate()
        self.process.wait(20)


@pytest.mark.skipif(FIREFOX is None, reason="no Firefox on this computer")
def test_firefox_draws_answers_and_looks_inside(server, tmp_path):
    firefox = Firefox(tmp_path)
    try:
        firefox.open(server.url)
        firefox.wait_for("document.querySelector('.examples button') !== null")
        frame = json.loads(
            firefox.evaluate("JSON.stringify(document.querySelector('canvas.pad').getBoundingClientRect())")
        )
        place = lambda x, y: (frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])  # noqa: E731
        firefox.draw([place(x, y) for x, y in SEVEN[0]])
        firefox.wait_for("document.querySelector('.text .mark')?.textContent === '7'")
        firefox.wait_for("document.querySelector('img.decided').naturalWidth === 28")
        assert firefox.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        firefox.close()
