"""Every record of a benchmark was measured on the networks that are shipped, as far as it names them."""

import re
from pathlib import Path

import pytest

from digits import Recognizer

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
OF_RECIPES = {"ablation.md", "presets.md", "presets.json", "time_to_accuracy.md"}  # they train networks of their own
STALE = {"bulk.md", "web.md"}  # measured on earlier networks; to be measured anew, and then taken from this list
NAMED = re.compile(r"\b(model|ink|sequence)(?:\.onnx| network)? ([0-9a-f]{12})\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def records():
    """For each record of the shipped networks, which it names: (kind, digest)."""
    files = [path for path in BENCHMARKS.iterdir() if path.suffix in (".md", ".json") and path.name not in OF_RECIPES]
    return {path.name: {(kind.lower(), digest) for kind, digest in NAMED.findall(path.read_text())} for path in files}


def test_every_record_names_the_model_that_was_measured(records):
    assert [name for name, named in records.items() if "model" not in dict(named)] == []


def test_every_record_is_of_the_shipped_networks_or_known_to_be_stale(records):
    shipped = {(kind, digest[:12]) for kind, digest in Recognizer().networks.items()}
    assert {name for name, named in records.items() if named - shipped} == STALE
