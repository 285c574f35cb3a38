import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

from digits.classifier import SHIPPED_MODEL

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "handwritten_digit_recognition.py"
sys.path.insert(0, str(ROOT / "docs"))

import build  # noqa: E402


def committed_notebook() -> nbformat.NotebookNode:
    return nbformat.read(SOURCE.with_suffix(".ipynb"), as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.skipif(not SHIPPED_MODEL.is_file(), reason="no model.onnx yet")
def test_notebook_runs_from_the_first_cell_to_the_last(monkeypatch):
    monkeypatch.setenv("DIGITS_NOTEBOOK_EPOCHS", "1")
    monkeypatch.setenv("DIGITS_NOTEBOOK_LIMIT", "600")
    executed = build.execute(jupytext.read(SOURCE))
    printed = "".join(output.get("text", "") for cell in code_cells(executed) for output in cell.outputs)
    assert "accuracy" in printed
    assert "text '7'" in printed


def test_committed_notebook_is_built_from_its_source():
    source = jupytext.read(SOURCE)
    assert [cell.source for cell in committed_notebook().cells] == [cell.source for cell in source.cells]


def test_committed_notebook_has_the_outputs_of_a_real_run():
    cells = code_cells(committed_notebook())
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs) >= 8
    assert SOURCE.with_suffix(".ipynb").stat().st_size < 1_500_000
