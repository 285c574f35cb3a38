"""The site: every document becomes a page, every link leads somewhere, and nothing is fetched from elsewhere."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from digits import Recognizer

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "docs"))

import road  # noqa: E402


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site; a warning is a failure."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    built = subprocess.run(command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True)
    assert built.returncode == 0, built.stderr.decode()
    return folder


def test_every_document_is_a_page(site):
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    documents = [*ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md"), ROOT / "MODEL_CARD.md", ROOT / "SECURITY.md"]
    names = (path.relative_to(ROOT).as_posix().removeprefix("docs/") for path in documents if path.name != "space.md")
    assert {name.replace(".md", ".html") for name in names} | {"index.html"} <= pages


def test_pages_fetch_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="https?:[^"]*"', text) == [], page.name


def test_reference_has_what_programs_call(site):
    text = (site / "reference.html").read_text("utf-8")
    for name in ("digits.Recognizer.recognize_many", "digits.rows.as_row", "digits.web.api.create_router"):
        assert f'id="{name}"' in text, name


def test_every_page_is_in_the_navigation():
    told = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = re.findall(r"[\w./-]+\.md", told[told.index("nav:") :])
    assert len(pages) == len(set(pages)) and {"index.md", "reference.md", "how-it-works.md"} <= set(pages)
    assert yaml.safe_load(told)["strict"] is True


def test_photo_of_the_road_is_read_as_its_page_shows():
    assert Recognizer().recognize(road.take_photo()).text == "2026\n3.85"


def test_snippets_for_programs_are_those_of_the_page_which_run():
    """tests/web/test_server.py runs them as the page shows them."""
    shown = html.unescape((ROOT / "digits" / "web" / "assets" / "programs.html").read_text("utf-8"))
    told = (ROOT / "docs" / "python.md").read_text("utf-8")
    snippets = re.findall(r"```(?:js|py)\n(.*?)\n```", told, re.DOTALL)
    assert len(snippets) == 2 and all(snippet in shown for snippet in snippets)
