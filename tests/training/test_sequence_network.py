"""The sequence network's training: the lines that it learns from, and the record of the shipped one."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

from digits.errors import ModelError
from digits.normalise import crop
from digits.sequence import ABOVE, HEIGHT, NONE, SHIPPED_SEQUENCE_MODEL, SIGNS, STEP, SequenceReader
from digits.training.data import load_mnist
from digits.training.export import halve
from digits.training.lines import Placed
from digits.training.seen import see_line
from digits.training.sequence import (
    LONGEST,
    UNDECIDED,
    _targets,
    build_sequence_network,
    export_sequence,
    read_line,
    side_by_side,
    text_of,
    write_lines,
)


@pytest.fixture(scope="module")
def lines():
    return write_lines(load_mnist().validation, 300, seed=7)


def test_write_lines_gives_digits_and_signs_the_same_for_the_same_seed(lines):
    again = write_lines(load_mnist().validation, 300, seed=7)
    assert all(np.array_equal(one, other) for (one, _), (other, _) in zip(lines, again, strict=True))
    assert set("".join(text_of(signs) for _, signs in lines)) == set(SIGNS)
    assert {len(signs) for _, signs in lines} >= set(range(1, 12))
    assert all(picture.shape[0] == HEIGHT + 2 * ABOVE and picture.dtype == np.uint8 for picture, _ in lines)


def test_signs_of_a_line_are_where_their_ink_is(lines):
    for picture, signs in lines:
        middles = [one.middle for one in signs]
        assert min(middles) >= 0 and max(middles) < picture.shape[1]
    single = [(picture, signs[0]) for picture, signs in lines if len(signs) == 1 and signs[0].label.isdigit()]
    off = [one.middle - np.average(np.arange(p.shape[1]), weights=p.sum(axis=0) + 1e-6) for p, one in single]
    assert len(single) > 10 and np.median(np.abs(off)) < 4


def test_targets_are_the_order_of_the_signs_and_the_places_that_are_known():
    targets = _targets([Placed("3", 20, 20), Placed(".", 60, 4)], 40)
    in_order, places = targets[:LONGEST], targets[LONGEST:]
    assert in_order[:3].tolist() == [4, 11, 0]
    assert places[20 // STEP] == 4 and places[60 // STEP] == 11
    assert places[20 // STEP + 3] == UNDECIDED and places[20 // STEP + 6] == NONE == places[-1]


def test_shipped_network_reads_lines_that_it_has_not_seen(lines):
    reader = SequenceReader()
    right = np.mean([read_line(reader, picture) == text_of(signs) for picture, signs in lines])
    assert 0.5 <= right < 0.98, "many of them are beyond reading, and perfect would mean a leak"


def test_record_beside_the_shipped_network_is_its_own():
    record = json.loads(SHIPPED_SEQUENCE_MODEL.with_suffix(".json").read_text())
    assert record["model_sha256"] == hashlib.sha256(SHIPPED_SEQUENCE_MODEL.read_bytes()).hexdigest()


def test_an_export_that_differs_is_not_kept(lines, tmp_path, monkeypatch):
    kept = shutil.copy(SHIPPED_SEQUENCE_MODEL, tmp_path / "mine.onnx")
    before = kept.read_bytes()
    monkeypatch.setattr("digits.training.sequence.TOLERANCE_HALVED", -1.0)
    with pytest.raises(ModelError, match="not kept"):
        export_sequence(build_sequence_network(0.0), kept, [lines[0][0]])
    assert kept.read_bytes() == before and list(tmp_path.iterdir()) == [kept]


def test_weights_in_half_the_size_read_the_same(lines, tmp_path):
    whole, half = tmp_path / "whole.onnx", tmp_path / "half.onnx"
    network = build_sequence_network(0.0)
    network(side_by_side([lines[0][0]]))
    network.export(whole, format="onnx", verbose=False)
    shutil.copy(whole, half)
    halve(half)
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    picture = lines[0][0] / np.float32(255)
    same, rounded = (SequenceReader(path).probabilities(picture) for path in (whole, half))
    assert 0 < np.abs(same - rounded).max() < 0.02 * np.abs(same).max()


def test_a_line_on_paper_is_seen_where_it_was_laid():
    rng, images = np.random.default_rng(5), load_mnist().validation.images
    line = crop(np.hstack(images[:4]).astype(np.float32) / 255)
    seen = [one for one in (see_line(line, rng) for _ in range(30)) if one]
    assert len(seen) > 10
    missed = []
    for ink, moved, scale in seen:
        inked = np.flatnonzero((ink > 0.5).any(axis=0))
        missed.append((inked[0] - moved, inked[-1] - moved - scale * line.shape[1]))
    assert np.median(np.abs(missed), axis=0).max() < 3, "pixels; one line may have a stain at its end"
