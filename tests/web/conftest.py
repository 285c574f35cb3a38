"""One server and one browser for all tests of the page."""

import os
import sys
from pathlib import Path

import pytest
from desk import Desk, browser_is_required, find_browser, launch_browser, running_server
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # what the tests of all rooms share


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    model = ["--model", os.environ["DIGITS_MODEL"]] if "DIGITS_MODEL" in os.environ else []
    with running_server(folder, "--flagged", str(folder / "flagged"), *model) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    if find_browser() is None:
        (pytest.fail if browser_is_required() else pytest.skip)("no Chromium on this computer")
    with sync_playwright() as playwright:
        chromium = launch_browser(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def new_desk(server, browser):
    """Opens the page, each time in a fresh profile; at the end no console may have complained."""
    desks = []

    def open_desk(**options):
        desks.append(Desk(browser.new_context(**options).new_page(), server.url))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.page.context.close()
        assert desk.complaints == []


@pytest.fixture
def desk(new_desk):
    return new_desk()
