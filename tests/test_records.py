"""Every record of a benchmark was measured on the networks that are shipped, as far as it names them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from digits import Recognizer

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
OF_RECIPES = {"ablation.md", "presets.md", "presets.json", "time_to_accuracy.md"}  # they train networks of their own
STALE: set[str] = {"bulk.md", "web.md"}  # of earlier networks, to be measured anew
NAMED = re.compile(r"\b(model|ink|sequence)(?:\.onnx| network)? ([0-9a-f]{12})\b", re.IGNORECASE)


LOADS = """
import importlib, pathlib, pkgutil
for path in sorted(pathlib.Path().glob("*.py")):
    if not path.stem.endswith("_worker"):  # which run in environments of their own
        importlib.import_module(path.stem)
import real_input
for step in real_input.STEPS.values():
    for name in step:
        pkgutil.resolve_name(name)
"""


def test_every_benchmark_loads_and_every_step_that_it_leaves_out_is_there():
    run = [sys.executable, "-c", f"import sys; sys.path.append('..')\n{LOADS}"]
    ended = subprocess.run(run, cwd=BENCHMARKS, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def records():
    """For each record of the shipped networks, which it names: (kind, digest)."""
    files = [path for path in BENCHMARKS.iterdir() if path.suffix in (".md", ".json") and path.name not in OF_RECIPES]
    files.append(BENCHMARKS.parent / "docs" / "comparison.md")
    return {path.name: {(kind.lower(), digest) for kind, digest in NAMED.findall(path.read_text())} for path in files}


def test_every_record_names_the_model_that_was_measured(records):
    assert [name for name, named in records.items() if "model" not in dict(named)] == []


def test_every_record_is_of_the_shipped_networks_or_known_to_be_stale(records):
    shipped = {(kind, digest[:12]) for kind, digest in Recognizer().networks.items()}
    assert {name for name, named in records.items() if named - shipped} == STALE
