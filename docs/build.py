"""Make what is generated: the evaluation, the model card, the notebook.

    python docs/build.py                      # all three, in this order, for the shipped model
    python docs/build.py card                 # only the card, from what is already measured

evaluation: docs/evaluation/ from digits/model.onnx and MNIST's test set. card: MODEL_CARD.md from model.json,
model-tiny.json, digits/sequence.json, digits/ink.json, the evaluation, and, where they exist, the figures in
benchmarks/: network.json, ablation.md, presets.md and time_to_accuracy.md, which the scripts of these names write.
notebook: handwritten_digit_recognition.ipynb, executed, from the .py beside it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

from digits.ink import SHIPPED_INK_MODEL
from digits.sequence import SHIPPED_SEQUENCE_MODEL
from digits.training.evaluate import evaluate
from digits.training.report import card

ROOT = Path(__file__).resolve().parents[1]
EVALUATION = ROOT / "docs" / "evaluation"
CARD = ROOT / "MODEL_CARD.md"
NOTEBOOK = ROOT / "handwritten_digit_recognition.py"


def build_evaluation() -> None:
    """Measure the shipped model."""
    evaluate(out=EVALUATION)


def build_card() -> None:
    """Write MODEL_CARD.md."""
    CARD.write_text(render_card(), encoding="utf-8")


def render_card() -> str:
    """The model card of what is in the repository."""
    return card(
        evaluation=_read(EVALUATION / "evaluation.json"),
        record=_read(ROOT / "model.json"),
        sequence=_read(SHIPPED_SEQUENCE_MODEL.with_suffix(".json")),
        ink=_read(SHIPPED_INK_MODEL.with_suffix(".json")),
        figures=_read(ROOT / "benchmarks" / "network.json"),
        ablation=_read_text(ROOT / "benchmarks" / "ablation.md"),
        presets=_read_text(ROOT / "benchmarks" / "presets.md"),
        race=_read_text(ROOT / "benchmarks" / "time_to_accuracy.md"),
        tiny=_read(ROOT / "model-tiny.json"),
    )


def build_notebook() -> None:
    """Execute the notebook and keep it with its outputs, what the libraries say on stderr left out."""
    notebook = execute(jupytext.read(NOTEBOOK))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(notebook, NOTEBOOK.with_suffix(".ipynb"))


def execute(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run every cell in a fresh kernel, in the repository's root. Raises CellExecutionError if one fails."""
    client = NotebookClient(
        notebook, timeout=3600, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}, record_timing=False
    )
    return client.execute()


BUILDERS = {"evaluation": build_evaluation, "card": build_card, "notebook": build_notebook}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(BUILDERS)}; all by default")
    parts = parser.parse_args().parts or list(BUILDERS)
    if unknown := set(parts) - set(BUILDERS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(BUILDERS)}")
    for part in parts:
        start = time.monotonic()
        BUILDERS[part]()
        print(f"{part}: done in {time.monotonic() - start:.0f} s", flush=True)


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


if __name__ == "__main__":
    main()
