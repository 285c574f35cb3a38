"""Training that goes on from an exported network, and the mean of several."""

import json
import shutil

import keras
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from digits.errors import ModelError
from digits.files import digest
from digits.ink import SHIPPED_INK_MODEL, InkReader
from digits.sequence import SHIPPED_SEQUENCE_MODEL, SequenceReader
from digits.training import ink, sequence
from digits.training.data import load_mnist
from digits.training.further import go_on_from, mean_of, read_record, record_of_origin, write_mean


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


def test_ink_network_that_goes_on_finds_at_first_what_the_exported_one_finds(mnist):
    pages, _ = ink._batch(mnist.train, 8, (1, 0))
    network = ink.build_ink_network()
    go_on_from(SHIPPED_INK_MODEL, network, [pages])
    maps, learning = (
        keras.ops.convert_to_numpy(keras.ops.sigmoid(network(pages, training=training))) for training in (False, True)
    )
    assert np.abs(maps[0] - InkReader().maps(pages[0, ..., 0])).max() < 1e-4
    assert np.abs(learning - maps).max() < 1e-2  # the statistics are those of what it sees


def test_sequence_network_that_goes_on_reads_at_first_what_the_exported_one_reads(mnist):
    lines = sequence.side_by_side([picture for picture, _ in sequence.write_lines(mnist.train, 16, 3)])
    network = sequence.build_sequence_network(0.1)
    go_on_from(SHIPPED_SEQUENCE_MODEL, network, [lines])
    answers = keras.ops.convert_to_numpy(keras.ops.softmax(network(lines, training=False)))
    assert np.abs(answers[0] - SequenceReader().probabilities(lines[0, ..., 0])).max() < 1e-4


def test_network_does_not_go_on_from_one_with_other_layers():
    with pytest.raises(ModelError, match="expected the layers of the network 'sequence'"):
        go_on_from(SHIPPED_INK_MODEL, sequence.build_sequence_network(0.1), [])


def changed(path, by, folder):
    """The network at `path` with so much added to all its weights, and its record."""
    model = onnx.load(path)
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype.kind == "f":
            weights.CopyFrom(numpy_helper.from_array((values + by).astype(values.dtype), weights.name))
    onnx.save(model, folder / f"{by}.onnx")
    shutil.copy(path.with_suffix(".json"), folder / f"{by}.json")
    return folder / f"{by}.onnx"


def test_mean_of_two_networks_lies_between_them_and_one_named_twice_counts_twice(tmp_path):
    first, last = changed(SHIPPED_INK_MODEL, 0.0, tmp_path), changed(SHIPPED_INK_MODEL, 0.3, tmp_path)
    mean_of([first, last, last], tmp_path / "mean.onnx")
    expected, received = onnx.load(changed(SHIPPED_INK_MODEL, 0.2, tmp_path)), onnx.load(tmp_path / "mean.onnx")
    convolutions = [one for one in received.graph.initializer if len(one.dims) == 4]
    assert len(convolutions) > 10
    for weights in convolutions:
        same = next(one for one in expected.graph.initializer if one.name == weights.name)
        mean, wanted = (numpy_helper.to_array(one).astype(np.float32) for one in (weights, same))
        np.testing.assert_allclose(mean, wanted, atol=1e-3)  # weights are kept in 16 bits


def test_networks_with_other_layers_have_no_mean(tmp_path):
    with pytest.raises(ModelError, match="expected networks with the same layers"):
        mean_of([SHIPPED_INK_MODEL, SHIPPED_SEQUENCE_MODEL], tmp_path / "mean.onnx")
    assert not (tmp_path / "mean.onnx").exists()


def test_records_tell_from_what_training_went_on_and_of_what_a_mean_is(tmp_path):
    record = json.loads(SHIPPED_INK_MODEL.with_suffix(".json").read_text())
    origin = record_of_origin(SHIPPED_INK_MODEL)["went_on_from"]
    assert origin["model_sha256"] == record["model_sha256"]
    assert origin["seconds"] == record["seconds"] + record["went_on_from"]["seconds"]
    last = changed(SHIPPED_INK_MODEL, 0.3, tmp_path)
    before = digest(last)
    mean = write_mean([SHIPPED_INK_MODEL, last, last], last, lambda record: {"overlap": 0.5})
    assert mean == read_record(last) and mean["model_sha256"] == digest(last)
    assert [one["model_sha256"] for one in mean["mean_of"]] == [record["model_sha256"], before]
    assert [one["weight"] for one in mean["mean_of"]] == [1, 2] and mean["overlap"] == 0.5
    assert mean["model_sha256"] not in {one["model_sha256"] for one in mean["mean_of"]}
    with pytest.raises(ModelError, match="expected the record that training writes"):
        read_record(tmp_path / "none.onnx")
