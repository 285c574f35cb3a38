"""Export: the Keras model as ONNX, and the proof that both answer the same."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from digits.classifier import Classifier
from digits.errors import ModelError

TOLERANCE = 1e-5  # largest difference between two probabilities,
TOLERANCE_HALVED = 2e-2  # and of a network whose weights are halved
LEAST_HALVED = 256  # weights of a layer: less is not worth it
OUTPUTS = ("probabilities", "is_digit")


def export_onnx(model: keras.Model, path: Path, images: np.ndarray) -> float:
    """Write `model` to `path` as ONNX once it is known to give the same probabilities as Keras.

    images: (n, 28, 28, 1) float32 in [0, 1], the pictures to compare on.
    Returns the largest difference. Raises ModelError if it is above TOLERANCE; `path` is then left as it was.
    """

    def compare(exported: Path) -> float:
        _name_outputs(exported)
        return _difference(model, exported, images)

    return export_compared(model, path, images[:1], compare, TOLERANCE, f"{len(images)} pictures")


def export_compared(
    model: keras.Model,
    path: Path,
    example: np.ndarray,
    compare: Callable[[Path], float],
    tolerance: float,
    compared: str,
) -> float:
    """Write `model` to `path` as ONNX if what `compare` says of the exported file is within the tolerance.

    example: an input of the model. compare: from the exported file to the largest difference between an answer of it
        and of the model; compared: on what, in words.
    Returns the difference. Raises ModelError if it is above the tolerance; `path` is then left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        aside = Path(folder) / "model.onnx"
        model(example)  # a model must have been called before it is exported
        model.export(aside, format="onnx", verbose=False)
        difference = compare(aside)
        if difference > tolerance:
            raise ModelError(
                f"The ONNX export differs from the Keras model: expected at most {tolerance}, received "
                f"{difference:.2e} on {compared}. The export was not kept."
            )
        aside.replace(path)
    return difference


def halve(path: Path) -> None:
    """Keep the weights of an ONNX file as 16-bit floats: half the size. They are widened when the file is opened.

    The runtime computes in 32 bits as before; only the rounding of the weights remains (about 0.05 % of each).
    """
    model = onnx.load(path)
    graph = model.graph
    casts = []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < LEAST_HALVED:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}/half"))
        casts.append(helper.make_node("Cast", [f"{name}/half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def _difference(model: keras.Model, path: Path, images: np.ndarray) -> float:
    labels, is_digit = model.predict(images, batch_size=256, verbose=0)
    return float(np.abs(labels * is_digit - Classifier(path).classify(images)).max())


def _name_outputs(path: Path) -> None:
    """Give the graph's outputs the names of the Keras model's: exporters number them."""
    model = onnx.load(path)
    names = dict(zip([output.name for output in model.graph.output], OUTPUTS, strict=True))
    for output in model.graph.output:
        output.name = names[output.name]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    onnx.save(model, path)
