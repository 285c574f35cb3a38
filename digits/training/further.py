"""Further training: a network that goes on from an exported one, and the mean of several that did.

The export folds each batch normalisation into the convolution before it. To learn on, a network needs it back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from keras import layers
from onnx import numpy_helper

from digits.errors import ModelError
from digits.files import digest, replace_file
from digits.training.save import write_record

GENTLER = 0.35  # learning rate of a network that goes on, as a share of a new one's: higher, and it forgets
WITH_WEIGHTS = ("Conv", "ConvTranspose", "MatMul", "Gemm", "Add", "Mul")  # kinds of nodes


def go_on_from(path: Path, network: keras.Model, batches: Sequence[np.ndarray]) -> None:
    """Give `network` the weights of a network with the same layers that was exported to `path`.

    batches: inputs from which each batch normalisation gets its statistics; with them it changes nothing at first.
    Raises ModelError if the file holds other layers.
    """
    graph = onnx.load(path).graph
    known = _Weights(graph)
    folded = _of_kind(network, layers.Conv2D)
    normalising = [_normalising(network, layer) for layer in folded]
    try:
        for layer, normalisation, node in zip(folded, normalising, _nodes(graph, "Conv"), strict=True):
            layer.kernel.assign(known[node.input[1]].transpose(2, 3, 1, 0))
            _pass_on(normalisation, known[node.input[2]])
        for layer, node in zip(_of_kind(network, layers.Conv2DTranspose), _nodes(graph, "ConvTranspose"), strict=True):
            layer.kernel.assign(known[node.input[1]].transpose(2, 3, 1, 0))
            layer.bias.assign(known.bias_of(node, layer.bias.shape[0]))
        for layer, node in zip(_of_kind(network, layers.Dense), _nodes(graph, "MatMul"), strict=True):
            layer.kernel.assign(known[node.input[1]])
            layer.bias.assign(known.bias_of(node, layer.bias.shape[0]))
    except (ValueError, KeyError, IndexError, StopIteration) as error:
        raise ModelError(
            f"Training cannot go on from {path}: expected the layers of the network {network.name!r}, received others "
            f"({error}). Name a file that the same version of the program has written."
        ) from error
    _normalise(network, folded, normalising, batches)


def mean_of(paths: Sequence[Path], path: Path) -> None:
    """Write to `path` the exported network whose weights are the mean of those of networks with the same layers.

    One that is named twice counts twice. Networks that went on from the same one read better so than each of them
    (Wortsman et al. 2022, "Model soups", arXiv:2203.05482). Raises ModelError if their layers differ.
    """
    models = [onnx.load(one) for one in paths]
    rows = [list(_Weights(model.graph).of_nodes()) for model in models]
    shapes = {tuple((kind, tuple(weights.dims)) for kind, weights in row) for row in rows}
    if len(shapes) != 1:
        raise ModelError(f"No mean of {', '.join(map(str, paths))}: expected networks with the same layers.")
    for same in zip(*rows, strict=True):
        first = same[0][1]
        values = [numpy_helper.to_array(weights) for _, weights in same]
        if values[0].dtype.kind == "f":
            mean = np.mean([value.astype(np.float64) for value in values], axis=0).astype(values[0].dtype)
            first.CopyFrom(numpy_helper.from_array(mean, first.name))
    replace_file(path, models[0].SerializeToString())


def record_of_origin(start: Path | None) -> dict[str, Any]:
    """What a record tells of the network that training went on from, if any, and how long that had learned."""
    if start is None:
        return {}
    record = read_record(start)
    seconds = record.get("seconds", 0) + record.get("went_on_from", {}).get("seconds", 0)
    return {"went_on_from": {"model_sha256": digest(start), "seconds": seconds}}


def write_mean(
    paths: Sequence[Path], path: Path, measure: Callable[[dict[str, Any]], dict[str, float]]
) -> dict[str, Any]:
    """Write the mean of networks to `path`, which may be one of them, and beside it the record of the last, changed.

    measure: from the last one's record to what the mean reaches. Returns the record. Raises ModelError as mean_of and
    read_record.
    """
    record, weights = read_record(paths[-1]), Counter(map(digest, paths))
    mean_of(paths, path)
    record |= {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "mean_of": [{"model_sha256": sha256, "weight": weight} for sha256, weight in weights.items()],
        **measure(record),
        "model_sha256": digest(path),
    }
    write_record(record, path)
    return record


def read_record(path: Path) -> dict[str, Any]:
    """The record beside a network. Raises ModelError if there is none."""
    try:
        record: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path.with_suffix('.json')} cannot be read ({error}): expected the record that training writes beside "
            f"{path.name}. Copy it there."
        ) from error
    return record


class _Weights:
    """The weights of an ONNX graph by name, also those that are widened or handed on under another name."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._initializers = {one.name: one for one in graph.initializer}
        self._handed_on = {node.output[0]: node.input[0] for node in graph.node if node.op_type in ("Cast", "Identity")}

    def find(self, name: str) -> onnx.TensorProto | None:
        while name not in self._initializers and name in self._handed_on:
            name = self._handed_on[name]
        return self._initializers.get(name)

    def __getitem__(self, name: str) -> np.ndarray:
        if (weights := self.find(name)) is None:
            raise KeyError(f"no weights {name!r}")
        return numpy_helper.to_array(weights).astype(np.float32)

    def bias_of(self, node: onnx.NodeProto, size: int) -> np.ndarray:
        """Its third input, or as many weights that are added after it."""
        after = list(self._graph.node)[list(self._graph.node).index(node) :]
        adding = (name for other in after if other.op_type == "Add" for name in other.input if self.find(name))
        biases = (self[name].ravel() for name in (*node.input[2:], *adding))
        return next(bias for bias in biases if bias.size == size)

    def of_nodes(self) -> Iterator[tuple[str, onnx.TensorProto]]:
        """Kind of each node with weights, and its weights, in the order of the graph."""
        for node in self._graph.node:
            if node.op_type in WITH_WEIGHTS:
                yield from ((node.op_type, weights) for name in node.input if (weights := self.find(name)) is not None)


def _nodes(graph: onnx.GraphProto, kind: str) -> list[onnx.NodeProto]:
    return [node for node in graph.node if node.op_type == kind]


def _of_kind(network: keras.Model, kind: type[layers.Layer]) -> list[layers.Layer]:
    return [layer for layer in network.layers if type(layer) is kind]


def _normalising(network: keras.Model, layer: layers.Layer) -> layers.BatchNormalization:
    """The batch normalisation that takes what a layer gives."""
    return next(one for one in _of_kind(network, layers.BatchNormalization) if one.input is layer.output)


def _pass_on(normalisation: layers.BatchNormalization, bias: np.ndarray) -> None:
    """Let it add the bias and change nothing else."""
    normalisation.gamma.assign(np.ones_like(bias))
    normalisation.beta.assign(bias)
    normalisation.moving_mean.assign(np.zeros_like(bias))
    normalisation.moving_variance.assign(np.full_like(bias, 1 - normalisation.epsilon))


def _normalise(
    network: keras.Model,
    folded: Sequence[layers.Layer],
    normalising: Sequence[layers.BatchNormalization],
    batches: Sequence[np.ndarray],
) -> None:
    """Let each batch normalisation know mean and variance of what it sees, and undo what it then changes."""
    probe = keras.Model(network.input, [layer.output for layer in folded])
    totals = [np.zeros((2, layer.filters)) for layer in folded]
    counts = np.zeros(len(folded))
    for batch in batches:
        for place, output in enumerate(probe(batch, training=False)):
            seen = keras.ops.convert_to_numpy(output).astype(np.float64).reshape(-1, output.shape[-1])
            totals[place] += seen.sum(axis=0), (seen**2).sum(axis=0)
            counts[place] += len(seen)
    for normalisation, total, count in zip(normalising, totals, counts, strict=True):
        mean, square = total / count
        variance = square - mean**2
        normalisation.gamma.assign(np.sqrt(variance + normalisation.epsilon))
        normalisation.beta.assign(keras.ops.convert_to_numpy(normalisation.beta) + mean)
        normalisation.moving_mean.assign(mean)
        normalisation.moving_variance.assign(variance)
