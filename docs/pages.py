"""Hooks of MkDocs: the documents outside docs/ become pages, and links among all of them lead where they led. And how
docstrings are shown.

mkdocs.yml names this file. README.md is the site's first page; what is linked to and is no page becomes plain text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = ["README.md", "MODEL_CARD.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)#]+)(#[^)]*)?\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents outside docs/."""
    measured = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "benchmarks").glob("*.md"))
    for path in [*OUTSIDE, *measured]:
        files.append(File.generated(config, _on_site(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links, from what they are in the repository to what they are on the site."""
    here = page.file.src_uri

    def moved(link: str) -> str | None:
        target = _on_site(posixpath.normpath(posixpath.join(posixpath.dirname(_in_repository(here)), link)))
        file = files.get_file_from_path(target)
        shown = file is not None and file.inclusion.is_included()
        return posixpath.relpath(target, posixpath.dirname(here) or ".") if shown else None

    def link(found: re.Match[str]) -> str:
        target = moved(found[2])
        return f"[{found[1]}]({target}{found[3] or ''})" if target else found[1]

    markdown = PICTURE.sub(lambda found: f"![{found[1]}]({moved(found[2])})", LINK.sub(link, markdown))
    return markdown.replace("<details>", '<details markdown="1">')


def _on_site(path: str) -> str:
    return "index.md" if path == "README.md" else path.removeprefix("docs/")


def _in_repository(page: str) -> str:
    if page == "index.md":
        return "README.md"
    return page if (ROOT / page).is_file() else f"docs/{page}"


class Lines(griffe.Extension):
    """In docstrings what begins with the name of an argument, or says what is returned or raised, begins a line."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Break the lines."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"\n(?=[\w, ]{1,40}: |Returns|Raises)", "  \n", obj.docstring.value)
