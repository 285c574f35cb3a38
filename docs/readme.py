"""Fill what is generated into README.md: between `<!-- help: predict -->` and `<!-- end -->`, `digits predict --help`.

    python -m docs.readme

The name after "help:" is a command, several words for a group's ("help: flags list"), or nothing for `digits --help`.
tests/test_docs.py fails when README.md is not up to date.
"""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from digits.cli import app

README = Path(__file__).resolve().parents[1] / "README.md"
REGION = re.compile(r"(<!-- help: ?([\w ]*?) ?-->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str) -> str:
    """The text with every marked region filled anew."""
    return REGION.sub(lambda region: f"{region[1]}```text\n{_help(region[2].split())}```\n{region[3]}", text)


def _help(command: list[str]) -> str:
    run = CliRunner().invoke(app, [*command, "--help"], prog_name="digits", env={"COLUMNS": "100", "TERM": "dumb"})
    return run.output


if __name__ == "__main__":
    README.write_text(fill(README.read_text("utf-8")), "utf-8")
