"""Take the screenshots in docs/: the page at three sizes, light and dark, with a drawn example and a look inside.

    python docs/screenshots.py

It needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).resolve().parent
sys.path.append(str(DOCS.parent / "tests" / "web"))  # the desk that the tests sit at

from desk import PHONE, Desk, launch_browser, running_server  # noqa: E402

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {**PHONE, "device_scale_factor": 2},
    "laptop": {"viewport": {"width": 1280, "height": 800}},
    "wide": {"viewport": {"width": 1920, "height": 1080}},
}


def take(browser: Browser, url: str, screen: str, theme: str) -> None:
    """docs/screenshot-SCREEN-THEME.png; on the wide screen a number on wide paper."""
    desk = Desk(browser.new_context(**SCREENS[screen]).new_page(), url)
    desk.open(f"?__theme={theme}")
    if screen == "wide":
        desk.press("wide")
    desk.page.get_by_role("button", name=f"Example: {'2026' if screen == 'wide' else '8'}").click()
    desk.settle()
    desk.look_inside()
    desk.page.evaluate("scrollTo(0, 0)")
    desk.page.screenshot(path=DOCS / f"screenshot-{screen}-{theme}.png")
    desk.page.context.close()


def main() -> None:
    """Start the program, and take them all."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        running_server(Path(folder), "--flagged", str(Path(folder) / "flagged")) as server,
    ):
        browser = launch_browser(playwright)
        for screen in SCREENS:
            for theme in ("light", "dark"):
                take(browser, server.url, screen, theme)
        browser.close()


if __name__ == "__main__":
    main()
