import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from digits import ModelError, Recognizer
from digits.classifier import Classifier
from digits.models import ModelHistory


def tiny_model(path, label):
    """An ONNX model with the two outputs of ours that always answers `label`."""
    probabilities = helper.make_tensor("p", TensorProto.FLOAT, [1, 10], np.eye(10, dtype=np.float32)[label])
    is_digit = helper.make_tensor("d", TensorProto.FLOAT, [1, 1], [1.0])
    count = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("ReduceSum", ["flat", "axes"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "p"], ["probabilities"]),
        helper.make_node("Add", ["nothing", "d"], ["is_digit"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 28, 28, 1])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10]),
            helper.make_tensor_value_info("is_digit", TensorProto.FLOAT, ["n", 1]),
        ],
        [probabilities, is_digit, count, helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    path.with_suffix(".h5").write_text(f"Keras model that answers {label}")
    return path


@pytest.fixture
def history(tmp_path):
    tiny_model(tmp_path / "model.onnx", 0)
    return ModelHistory(tmp_path / "models", tmp_path / "model.onnx", tmp_path / "model.h5")


def promote(history, label):
    onnx_path = tiny_model(history.folder.parent / "candidate.onnx", label)
    return history.promote(onnx_path, onnx_path.with_suffix(".h5"), f"answers {label}")


def answer(history):
    """What the pair in service answers: the ONNX model, and the label in the Keras file."""
    onnx_path, keras_path = history.in_service.values()
    return int(Classifier(onnx_path).classify(IMAGE).argmax()), int(keras_path.read_text()[-1])


IMAGE = np.zeros((1, 28, 28, 1), np.float32)


def test_promote_puts_both_files_in_service_and_keeps_the_old_ones(history):
    id = promote(history, 1)

    assert answer(history) == (1, 1)
    assert [(model.note, model.in_service) for model in history.models()] == [
        ("answers 1", True),
        ("was in service", False),
    ]
    assert history.models()[0].id == id


def test_kept_model_names_the_networks_that_answered_beside_it(history):
    promote(history, 1)
    assert {"model": Recognizer().classifier.digest, **history.models()[0].beside} == Recognizer().networks


def test_rollback_goes_back_one_model_at_a_time(history):
    promote(history, 1)
    promote(history, 2)

    history.rollback()
    assert answer(history) == (1, 1)
    history.rollback()
    assert answer(history) == (0, 0)
    with pytest.raises(ModelError, match="no earlier model"):
        history.rollback()


def test_use_puts_any_kept_model_in_service(history):
    first = promote(history, 1)
    promote(history, 2)

    history.use(first[:5])

    assert answer(history) == (1, 1)
    with pytest.raises(ModelError, match="No kept model begins with 'xyz'"):
        history.use("xyz")


def test_a_model_that_came_by_another_way_is_kept_too(history):
    promote(history, 1)
    tiny_model(history.in_service["model.onnx"], 5)  # trained anew, say

    promote(history, 2)
    history.rollback()

    assert answer(history) == (5, 5)


KILLED_AT_STEP = """
import os, signal, sys
from pathlib import Path
from digits.models import ModelHistory

folder, left = Path(sys.argv[1]), int(sys.argv[2])
replace = os.replace

def counted(*arguments):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*arguments)

os.replace = counted
history = ModelHistory(folder / "models", folder / "model.onnx", folder / "model.h5")
history.promote(folder / "candidate.onnx", folder / "candidate.h5", "killed")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
@pytest.mark.parametrize("step", range(1, 13))
def test_a_kill_at_any_step_of_promote_leaves_one_whole_model(history, step):
    folder = history.folder.parent
    tiny_model(folder / "candidate.onnx", 1)

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    killed = subprocess.run([sys.executable, "-c", KILLED_AT_STEP, str(folder), str(step)], env=environment)
    mended = ModelHistory(history.folder, *history.in_service.values())

    assert killed.returncode == -9
    assert answer(mended) in [(0, 0), (1, 1)]
    promote(mended, 2)
    assert answer(mended) == (2, 2)


def test_a_running_classifier_takes_up_a_promoted_model(history):
    classifier = Classifier(history.in_service["model.onnx"])
    before = classifier.digest

    promote(history, 1)

    assert classifier.classify(IMAGE).argmax() == 1
    assert classifier.digest != before


def test_a_running_classifier_goes_on_when_its_file_is_missing_or_broken(history):
    path = history.in_service["model.onnx"]
    classifier = Classifier(path)

    path.write_text("junk")
    assert classifier.classify(IMAGE).argmax() == 0
    path.unlink()
    assert classifier.classify(IMAGE).argmax() == 0
    tiny_model(path, 3)
    assert classifier.classify(IMAGE).argmax() == 3


def test_threads_classify_while_the_model_changes(history):
    classifier = Classifier(history.in_service["model.onnx"])

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(lambda: int(classifier.classify(IMAGE).argmax())) for _ in range(200)]
        promote(history, 1)
        assert {answer.result() for answer in answers} <= {0, 1}
    assert classifier.classify(IMAGE).argmax() == 1
