"""The ink network's training: what it finds on pages that it has not seen, and the record of the shipped one."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from digits.errors import ModelError
from digits.ink import INK, SHIPPED_INK_MODEL, InkReader, standardise
from digits.training.data import load_mnist
from digits.training.history import read_round
from digits.training.ink import InkRecipe, build_ink_network, export_ink, fit_ink, make_batches
from digits.training.page import SIDE
from digits.training.paper import synthesise_page


def test_shipped_network_finds_the_ink_of_pages_that_it_has_not_seen():
    rng = np.random.default_rng(11)
    reader, validation = InkReader(), load_mnist().validation
    overlaps = []
    for _ in range(40):
        page, truth = synthesise_page(validation, rng)
        found, there = reader.maps(standardise(page))[..., INK] > 0.5, truth[..., INK] > 127
        if there.any():
            overlaps.append((found & there).sum() / (found | there).sum())
    assert 0.55 <= np.median(overlaps) < 0.95, "perfect would mean that the pages are too easy"


def test_batches_are_the_same_wherever_training_was_interrupted():
    recipe, train = InkRecipe(batch=2), load_mnist().train.first(100)
    whole = make_batches(recipe, train, 1, 0)
    batches = [next(whole) for _ in range(4)]
    whole.close()
    resumed = make_batches(recipe, train, 1, 2)
    for pages, truths in batches[2:]:
        again, same_truths = next(resumed)
        assert np.array_equal(pages, again) and np.array_equal(truths, same_truths)
    resumed.close()
    assert batches[0][0].shape == (2, SIDE, SIDE, 1) and batches[1][0].shape[1] < SIDE, "every second one is strips"


def test_training_goes_on_from_the_epoch_before_when_the_last_one_was_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr("digits.training.ink.COMPARED", 4)
    recipe, mnist = InkRecipe(epochs=2, steps_per_epoch=1, batch=1), load_mnist()
    fit_ink(recipe, mnist, 1, tmp_path)
    state = tmp_path / "state" / "latest.weights.h5"
    state.write_bytes(state.read_bytes()[:5000])
    fit_ink(replace(recipe, epochs=3), mnist, 1, tmp_path)
    assert [row["epoch"] for row in read_round(tmp_path)] == [0, 1, 2]


def test_record_beside_the_shipped_network_is_its_own():
    record = json.loads(SHIPPED_INK_MODEL.with_suffix(".json").read_text())
    assert record["model_sha256"] == hashlib.sha256(SHIPPED_INK_MODEL.read_bytes()).hexdigest()


def test_an_export_that_differs_is_not_kept(tmp_path, monkeypatch):
    kept = shutil.copy(SHIPPED_INK_MODEL, tmp_path / "mine.onnx")
    before = kept.read_bytes()
    monkeypatch.setattr("digits.training.ink.TOLERANCE_HALVED", -1.0)
    with pytest.raises(ModelError, match="not kept"):
        export_ink(build_ink_network(), kept, np.zeros((1, 64, 64, 1), np.float32))
    assert kept.read_bytes() == before and list(tmp_path.iterdir()) == [kept]
