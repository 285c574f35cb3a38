"""Take the screenshots in docs/: the page on every kind of screen, light and dark, and in every state.

    python docs/screenshots.py [NAME...]

Without names all are taken. It needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from playwright.sync_api import Browser, sync_playwright

from digits.web.examples import EXAMPLES, paint

DOCS = Path(__file__).resolve().parent
sys.path.append(str(DOCS.parent / "tests" / "web"))  # the desk that the tests sit at

from desk import PHONE, Desk, launch_browser, running_server  # noqa: E402

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {**PHONE, "device_scale_factor": 2},
    "phone-on-its-side": {**PHONE, "viewport": {"width": 844, "height": 390}, "device_scale_factor": 2},
    "tablet": {"viewport": {"width": 820, "height": 1180}, "has_touch": True},
    "laptop": {"viewport": {"width": 1280, "height": 800}},
    "wide": {"viewport": {"width": 1920, "height": 1080}},
}
LINES = (5, 8, 11, 4, 7, 3)  # digits in each line of the page


def choose_example(desk: Desk, name: str) -> None:
    """Put an example onto the pad."""
    desk.page.get_by_role("button", name=f"Example: {name}", exact=True).click()
    desk.settle()
    desk.look_inside()


def show_number(desk: Desk) -> None:
    """A number on wide paper."""
    desk.press("wide")
    choose_example(desk, "2026")


def show_page(desk: Desk) -> None:
    """A photo of six lines."""
    desk.upload(page_of_lines(), "page.jpg")
    desk.look_inside()


def show_waiting(desk: Desk) -> None:
    """A stroke that the server is silent about."""
    choose_example(desk, "3")
    desk.page.route("**/component_server/**", lambda route: None)
    frame = desk.frame()
    desk.page.mouse.click(frame["x"] + 40, frame["y"] + 40)
    desk.page.locator(".desk.waiting").wait_for()


STATES: dict[str, Callable[[Desk], None]] = {
    "empty": lambda desk: None,
    "digit": lambda desk: choose_example(desk, "8"),
    "number": show_number,
    "page": show_page,
    "not-a-digit": lambda desk: choose_example(desk, "not a digit"),
    "error": lambda desk: desk.upload(b"<svg/>", "form.svg"),
    "waiting": show_waiting,
}
SHOTS = {
    **{
        f"{screen}-{theme}": (screen, theme, "number" if screen == "wide" else "digit")
        for screen in SCREENS
        for theme in ("light", "dark")
    },
    **{f"state-{state}-laptop": ("laptop", "light", state) for state in STATES},
    **{f"state-{state}-phone": ("phone", "dark", state) for state in STATES},
}


def page_of_lines() -> bytes:
    """Lines of the page's own example digits on yellowish paper, as a JPEG."""
    dice = random.Random(1)
    singles = [paint(example).resize((120, 120)) for example in EXAMPLES if len(example["name"]) == 1]
    sheet = Image.new("L", (1400, 160 * len(LINES) + 80), 255)
    for row, count in enumerate(LINES):
        for column in range(count):
            sheet.paste(dice.choice(singles), (80 + 112 * column, 60 + 160 * row))
    file = io.BytesIO()
    ImageOps.colorize(sheet, "#203080", "#f4f1e6").save(file, "JPEG", quality=90)
    return file.getvalue()


def take(browser: Browser, url: str, name: str) -> None:
    """docs/screenshot-NAME.png."""
    screen, theme, state = SHOTS[name]
    desk = Desk(browser.new_context(**SCREENS[screen]).new_page(), url)
    desk.open(f"?__theme={theme}")
    STATES[state](desk)
    desk.page.evaluate("scrollTo(0, 0)")
    desk.page.wait_for_timeout(300)  # until colours and bars have come to rest
    desk.page.screenshot(path=DOCS / f"screenshot-{name}.png")
    desk.page.unroute_all(behavior="ignoreErrors")
    desk.page.context.close()


def main() -> None:
    """Start the program, and take them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        running_server(Path(folder), "--flagged", str(Path(folder) / "flagged")) as server,
    ):
        browser = launch_browser(playwright)
        for name in sys.argv[1:] or SHOTS:
            take(browser, server.url, name)
        browser.close()


if __name__ == "__main__":
    main()
