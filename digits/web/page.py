"""Page: the Gradio app, put together from tabs that each are one component with its own HTML and JavaScript."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio

from digits.errors import PictureError
from digits.recognizer import Recognizer
from digits.rows import as_row
from digits.web.actions import LARGEST_SIDE, LARGEST_UPLOAD, Actions, for_page
from digits.web.answer import Json
from digits.web.examples import EXAMPLES
from digits.web.shelf import LARGEST_PNG

ASSETS = Path(__file__).with_name("assets")
TITLE = "Handwritten Digit Recognition"
SYSTEM_FONT = ["system-ui", "sans-serif"]  # of the user's computer: nothing is fetched
THEME = gradio.themes.Soft(primary_hue="blue", font=SYSTEM_FONT, font_mono=["ui-monospace", "monospace"])
PAD = ["sheet.js", "pad.js"]


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


LANGUAGES = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((ASSETS / "languages").glob("*.json"))}
"""For each language but English, which is the key: what the page says in it."""

I18N = gradio.I18n(en={"help.md": _asset("help.md")}, **LANGUAGES)

# In the head, because Gradio drops from its own css what it does not know, such as rules for containers.
LOOK: dict[str, Any] = {
    "theme": THEME,
    "head": f"<style>{_asset('page.css')}</style>",
    "footer_links": [],
    "i18n": I18N,
}


def build_page(actions: Actions) -> gradio.Blocks:
    """The page that draws, answers and keeps flags; `launch(**LOOK)` shows it."""
    page = gradio.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with page:
        _sheet("title", [], [])
        with gradio.Tabs(overflow_behavior="wrap"):
            with gradio.Tab(I18N("Draw")):
                _draw_tab(actions)
            with gradio.Tab(I18N("Flagged")):
                _sheet("flags", [], [actions.list_flags, actions.relabel, actions.delete_flag, actions.restore_flag])
            with gradio.Tab(I18N("My handwriting")):
                _handwriting_tab(actions)
            with gradio.Tab(I18N("Help")):
                gradio.Markdown(I18N("help.md"))
        _endpoint(actions.recognizer)
    return page


def _draw_tab(actions: Actions) -> None:
    _sheet(
        "draw",
        [
            *PAD,
            "keep.js",
            "pictures.js",
            "camera.js",
            "answer.js",
            "bars.js",
            "inside.js",
            "correct.js",
            "table.js",
            "columns.js",
            "fields.js",
        ],
        [
            actions.recognize,
            actions.look_inside,
            actions.make_card,
            actions.enter_tables,
            actions.make_workbook,
            actions.make_template,
            actions.flag,
            actions.flag_cell,
            actions.delete_flag,
        ],
        examples=EXAMPLES,
        largest=LARGEST_UPLOAD,
        largestPng=LARGEST_PNG,
        side=LARGEST_SIDE,
    )


def _handwriting_tab(actions: Actions) -> None:
    asked: list[Callable[..., Json]] = [
        actions.save_sample,
        actions.delete_flag,
        actions.teach,
        actions.lesson,
        actions.roll_back,
    ]
    _sheet("handwriting", [*PAD, "lesson.js"], asked)


def _sheet(name: str, tools: list[str], actions: list[Callable[..., Json]], **props: Any) -> gradio.HTML:
    """A tab's content: NAME.html and NAME.js, which finds `actions` in `server`, the props in `props`, and `tools`."""
    return gradio.HTML(
        html_template=_asset(f"{name}.html"),
        js_on_load="\n".join(_asset(script) for script in ["common.js", "language.js", *tools, f"{name}.js"]),
        server_functions=[for_page(action) for action in actions],
        apply_default_css=False,
        **props,
    )


def _endpoint(recognizer: Recognizer) -> None:
    """/recognize in Gradio's own API, for gradio_client and, as a tool, for MCP; it has no place on the page."""

    def recognize(picture: bytes) -> Json:
        """Read the handwritten digits in a picture.

        Args:
            picture: a photo, scan or drawing of a handwritten digit, a number, or lines of numbers.
        Returns:
            the text that was read; for each digit its label, confidence, verdict, three most probable labels and box;
            and which networks answered.
        """
        try:
            return {**as_row("picture", recognizer.recognize(picture)), "networks": recognizer.networks}
        except PictureError as error:
            raise gradio.Error(str(error), print_exception=False) from error

    picture = gradio.File(type="binary", label="picture", visible=False)
    answer = gradio.JSON(label="answer", visible=False)
    gradio.Button(visible=False).click(recognize, picture, answer, api_name="recognize", queue=False)
