import json
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from digits.classifier import SHIPPED_MODEL, Classifier
from digits.training.metrics import wilson_interval

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import build  # noqa: E402

pytestmark = pytest.mark.skipif(not SHIPPED_MODEL.is_file(), reason="no model.onnx yet")


@pytest.fixture(scope="module")
def evaluation():
    return json.loads((build.EVALUATION / "evaluation.json").read_text())


@pytest.fixture(scope="module")
def record():
    return json.loads((ROOT / "model.json").read_text())


def test_committed_evaluation_and_record_are_those_of_the_committed_model(evaluation, record):
    assert evaluation["digest"] == Classifier().digest == record["model_sha256"]["model.onnx"]
    assert record["model_sha256"]["model.h5"] == Classifier(ROOT / "model.h5").digest


def test_committed_card_is_what_the_generator_writes():
    assert build.CARD.read_text(encoding="utf-8") == build.render_card()


def test_committed_report_is_of_the_whole_test_set(evaluation):
    assert evaluation["scores"]["count"] == 10_000
    assert evaluation["scores"]["interval"] == list(wilson_interval(evaluation["scores"]["correct"], 10_000))


def test_card_metadata_is_read_by_hugging_face(evaluation):
    results = ModelCard(build.CARD.read_text(encoding="utf-8")).data.eval_results
    accuracy = next(result for result in results if result.dataset_name == "MNIST" and result.metric_type == "accuracy")
    assert accuracy.metric_value == pytest.approx(evaluation["scores"]["accuracy"])


def test_figures_beyond_mnist_were_measured_on_the_committed_model():
    figures = json.loads((ROOT / "benchmarks" / "network.json").read_text())
    for section in figures.values():
        assert Classifier().digest[:12] in section["setting"]
