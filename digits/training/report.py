"""Report: an evaluation as Markdown, as one self-contained page, and as the model card.

An evaluation is the dictionary that evaluation.json holds: digits.training.evaluate.Evaluation, as `asdict` gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2

Json = Mapping[str, Any]


def markdown(evaluation: Json) -> str:
    """The report as Markdown, for the terminal and for a repository."""
    return _render("evaluation.md", evaluation=evaluation)


def html(evaluation: Json) -> str:
    """The report as one page with its pictures inside."""
    return _render("evaluation.html", evaluation=evaluation)


def card(
    evaluation: Json,
    record: Json,
    sequence: Json | None = None,
    ink: Json | None = None,
    figures: Json | None = None,
    ablation: str = "",
    presets: str = "",
    race: str = "",
    tiny: Json | None = None,
) -> str:
    """The model card, with the metadata that Hugging Face reads.

    record: the run record beside the model (model.json). sequence: that of the sequence network; ink: of the
        ink network. figures: what
    benchmarks/network.py keeps, if it was run.
    ablation, presets, race: Markdown on how the recipe was chosen, what the presets reach over several seeds, and how
    long the shortest takes beside keras-io's convnet. tiny: the run record of the tiny model.
    """
    return _render(
        "card.md",
        evaluation=evaluation,
        record=record,
        sequence=sequence,
        ink=ink,
        figures=figures,
        ablation=ablation,
        presets=presets,
        race=race,
        tiny=tiny,
    )


def _render(template: str, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits.training"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": _percent, "figure": _figure, "thousands": lambda number: f"{number:,.0f}"}
    return environment.get_template(template).render(**values)


def _percent(share: float, decimals: int = 2) -> str:
    return f"{100 * share:.{decimals}f}"


def _figure(value: float) -> str:
    """Four decimals for shares and scores, two for percentages, none for thousands."""
    return f"{value:.4f}" if abs(value) < 2 else f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"
