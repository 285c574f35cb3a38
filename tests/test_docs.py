"""What the documents say is what the program does."""

import doctest
import importlib.util
import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
SEVEN = [(60, 60), (140, 60), (95, 160)]
ONE = [(185, 85), (205, 60), (200, 160)]


@pytest.fixture
def readme():
    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def draw(path: Path, size: tuple[int, int], *strokes) -> None:
    image = Image.new("L", size, 255)
    for stroke in strokes:
        ImageDraw.Draw(image).line(stroke, fill=0, width=11, joint="curve")
    image.save(path)


def test_examples_of_the_python_page_give_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "7.png", (200, 220), SEVEN)
    draw(tmp_path / "71.png", (320, 220), SEVEN, ONE)
    text = (ROOT / "docs" / "python.md").read_text("utf-8")
    examples = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, "docs/python.md", None, None)
    runner = doctest.DocTestRunner()
    problems = []
    runner.run(test, out=problems.append)
    assert not problems, "".join(problems)
    assert runner.tries > 20


def test_fill_puts_the_help_of_a_command_between_its_marks(readme):
    text = readme.fill("before\n<!-- help: predict -->\nSTALE\n<!-- end -->\nafter")
    assert "Usage: digits predict" in text
    assert "STALE" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")


def test_readme_shows_the_help_of_today(readme):
    text = (ROOT / "README.md").read_text("utf-8")
    assert readme.REGION.search(text)
    assert readme.fill(text) == text, "run: python -m docs.readme"
