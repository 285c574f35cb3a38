"""The sequence network's training: the numbers that it learns from, and the record of the shipped one."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

from digits.errors import ModelError
from digits.sequence import ABOVE, HEIGHT, SHIPPED_SEQUENCE_MODEL, SequenceReader
from digits.training.data import load_mnist
from digits.training.sequence import build_sequence_network, export_sequence, read_number, write_numbers


@pytest.fixture(scope="module")
def numbers():
    return write_numbers(load_mnist().validation, 300, seed=7)


def test_write_numbers_gives_one_to_five_digits_the_same_for_the_same_seed(numbers):
    again = write_numbers(load_mnist().validation, 300, seed=7)
    assert all(np.array_equal(one, other) for (one, _), (other, _) in zip(numbers, again, strict=True))
    assert {len(labels) for _, labels in numbers} == {1, 2, 3, 4, 5}
    assert all(picture.shape[0] == HEIGHT + 2 * ABOVE and picture.dtype == np.uint8 for picture, _ in numbers)


def test_shipped_network_reads_numbers_of_digits_that_it_has_not_seen(numbers):
    reader = SequenceReader()
    right = np.mean([read_number(reader, picture) == labels for picture, labels in numbers])
    assert 0.88 <= right < 1, "perfect would mean a leak"


def test_record_beside_the_shipped_network_is_its_own():
    record = json.loads(SHIPPED_SEQUENCE_MODEL.with_suffix(".json").read_text())
    assert record["model_sha256"] == hashlib.sha256(SHIPPED_SEQUENCE_MODEL.read_bytes()).hexdigest()


def test_an_export_that_differs_is_not_kept(numbers, tmp_path, monkeypatch):
    kept = shutil.copy(SHIPPED_SEQUENCE_MODEL, tmp_path / "mine.onnx")
    before = kept.read_bytes()
    monkeypatch.setattr("digits.training.sequence.TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="not kept"):
        export_sequence(build_sequence_network(0.0), kept, [numbers[0][0]])
    assert kept.read_bytes() == before and list(tmp_path.iterdir()) == [kept]
