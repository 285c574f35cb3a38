"""The tiny run on the production path: python train_model.py on 64 pictures, as a user starts it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from digits.classifier import Classifier
from digits.errors import ModelError
from digits.files import digest, sole_writer
from digits.ink import InkReader
from digits.sequence import SHIPPED_SEQUENCE_MODEL, SequenceReader
from digits.training.data import load_mnist
from digits.training.export import TOLERANCE_HALVED
from digits.training.fit import fit
from digits.training.history import read_history
from digits.training.recipe import PRESETS

PROJECT = Path(__file__).parent.parent
OPTIONS = ("--preset", "best", "--epochs", "2", "--seed", "5")


def start(folder, *options):
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(PROJECT / "train_model.py"), "--limit", "64", "--out", "tiny.h5", *options]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def train(folder, *options):
    process = start(folder, *options)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    return output


def read_losses(folder):
    return [row["loss"] for row in read_history(folder / "runs" / "tiny")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(folder, *OPTIONS)
    return folder


@pytest.fixture(scope="module")
def pictures():
    return load_mnist().validation.images[:200].astype(np.float32)[..., None] / 255


def test_train_model_writes_two_files_that_answer_the_same(trained, pictures):
    from_h5 = Classifier(trained / "tiny.h5").classify(pictures)
    from_onnx = Classifier(trained / "tiny.onnx").classify(pictures)
    assert np.abs(from_h5 - from_onnx).max() < 1e-5
    assert (from_onnx.sum(axis=1) <= 1 + 1e-6).all()


def test_model_h5_loads_in_safe_mode_and_gives_ten_probabilities_first(trained, pictures):
    import keras

    model = keras.models.load_model(trained / "tiny.h5")
    probabilities, is_digit = model.predict(pictures, verbose=0)
    assert probabilities.shape == (200, 10) and is_digit.shape == (200, 1)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_train_model_writes_a_run_record_and_training_curves(trained):
    record = json.loads((trained / "tiny.json").read_text())
    assert record["seed"] == 5
    assert record["epochs_run"] == 48  # two and twice five refining ones, of either column, in two cycles
    losses = [row["val_loss"] for row in read_history(trained / "runs" / "tiny")]
    chosen, refined = record["kept_epochs"][::3], record["kept_epochs"][1::3] + record["kept_epochs"][2::3]
    assert [epoch["val_loss"] for epoch in chosen] == [min(losses[cycle : cycle + 2]) for cycle in (0, 12, 24, 36)]
    assert {epoch["epoch"] for epoch in refined} == {6, 11, 18, 23, 30, 35, 42, 47}  # the last ones
    assert set(record) >= {"recipe", "versions", "data_sha256", "model_sha256", "calibration", "seconds"}
    assert (trained / "tiny.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("interrupted", ["cycle-2", "column-2/refining-2"])
def test_train_model_resumes_after_an_interruption_and_ends_where_a_clean_run_ends(
    trained, pictures, tmp_path, interrupted
):
    process = start(tmp_path, *OPTIONS)
    interrupted_round = tmp_path / "runs" / "tiny" / interrupted
    wait_for_an_epoch(process, interrupted_round)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=500)
    assert "go on with the same command and --resume" in output
    assert not (tmp_path / "tiny.h5").exists()
    train(tmp_path, *OPTIONS, "--resume")
    resumed = Classifier(tmp_path / "tiny.onnx")
    clean = Classifier(trained / "tiny.onnx")
    assert np.allclose(resumed.classify(pictures), clean.classify(pictures), atol=1e-5)


def wait_for_an_epoch(process, round_folder):
    history, state = round_folder / "history.csv", round_folder / "state" / "training_metadata.json"
    while not (state.exists() and history.exists() and history.read_text().count("\n") >= 2):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)


def test_a_killed_training_takes_the_processes_of_its_columns_along(tmp_path):
    process = start(tmp_path, *OPTIONS)
    wait_for_an_epoch(process, tmp_path / "runs" / "tiny" / "column-2")
    columns = psutil.Process(process.pid).children()
    assert len(columns) >= 2
    process.kill()
    _, alive = psutil.wait_procs(columns, timeout=20)
    assert not alive


def test_an_interruption_before_a_round_has_said_that_it_ended_changes_nothing(trained, pictures, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    (tmp_path / "runs" / "tiny" / "column-2" / "refining-2" / "ended").unlink()
    train(tmp_path, *OPTIONS, "--resume")
    assert read_losses(tmp_path) == read_losses(trained)
    again, before = Classifier(tmp_path / "tiny.onnx"), Classifier(trained / "tiny.onnx")
    assert np.allclose(again.classify(pictures), before.classify(pictures), atol=1e-5)


def test_a_second_training_in_the_same_folder_is_turned_away(tmp_path, monkeypatch):
    monkeypatch.setattr("digits.files.PATIENCE", 0.1)
    with sole_writer(tmp_path), pytest.raises(ModelError, match="Another training is at work"):
        fit(PRESETS["quick"], load_mnist(), 1, tmp_path)


def test_the_tiny_preset_learns_what_a_teacher_answers(trained, tmp_path):
    train(tmp_path, "--preset", "tiny", "--epochs", "1", "--teacher", str(trained / "tiny.onnx"))
    record = json.loads((tmp_path / "tiny.json").read_text())
    assert record["recipe"]["tiny"] and record["parameters"] < 10_000
    assert record["teacher_sha256"] == Classifier(trained / "tiny.onnx").digest


def test_train_model_without_a_pass_says_so(tmp_path):
    process = start(tmp_path, "--preset", "quick", "--epochs", "0")
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 1
    assert "nothing to train" in said and "Traceback" not in said


def test_train_model_starts_from_the_weights_of_an_earlier_model(trained, tmp_path):
    train(tmp_path, "--preset", "best", "--epochs", "0", "--seed", "6", "--start", str(trained / "tiny.h5"))
    record = json.loads((tmp_path / "tiny.json").read_text())
    assert record["epochs_run"] == 20  # the refining ones, of either column
    assert record["start"]["seed"] == 5 and record["start"]["epochs_run"] == 48
    assert read_losses(tmp_path)[0] < read_losses(trained)[0]


def test_train_model_keeps_an_earlier_run_when_what_it_is_to_start_from_is_of_another_size(trained):
    losses = read_losses(trained)
    process = start(trained, "--preset", "quick", "--start", "tiny.h5")
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 1
    assert "another size" in said and "Traceback" not in said
    assert losses and read_losses(trained) == losses


def test_train_model_says_in_one_line_what_is_wrong_with_the_data(tmp_path):
    process = start(tmp_path, "--data", str(tmp_path))
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 1
    assert "Traceback" not in output
    assert "no train-images-idx3-ubyte" in output


def test_train_model_trains_the_sequence_network_and_keeps_a_record(tmp_path):
    output = train(tmp_path, "--sequence", "mine.onnx", "--limit", "200", "--epochs", "1")
    assert "Saved mine.onnx" in output
    framed = np.zeros((40, 64), np.float32)
    assert SequenceReader(tmp_path / "mine.onnx").probabilities(framed).sum(axis=1) == pytest.approx(np.ones(32))
    record = json.loads((tmp_path / "mine.json").read_text())
    assert record["recipe"]["lines"] == 200 and record["keras_onnx_difference"] <= TOLERANCE_HALVED
    assert not (tmp_path / "tiny.h5").exists()


def test_train_model_goes_on_from_the_shipped_network_of_lines_and_writes_the_mean_of_both(tmp_path):
    further = ("--start", str(SHIPPED_SEQUENCE_MODEL), "--limit", "64", "--epochs", "1")
    train(tmp_path, "--sequence", "further.onnx", *further)
    record = json.loads((tmp_path / "further.json").read_text())
    assert record["went_on_from"]["model_sha256"] == digest(SHIPPED_SEQUENCE_MODEL)
    assert record["read_right"] > 0.15  # as one that began anew could not
    said = train(tmp_path, "--sequence", "mean.onnx", "--mean", str(SHIPPED_SEQUENCE_MODEL), "further.onnx")
    record = json.loads((tmp_path / "mean.json").read_text())
    assert f"{record['read_right']:.1%}" in said and len(record["mean_of"]) == 2


def test_train_model_trains_the_ink_network_keeps_a_record_and_goes_on_where_it_was(tmp_path):
    output = train(tmp_path, "--ink", "mine.onnx", "--limit", "2", "--epochs", "1")
    assert "Saved mine.onnx" in output
    maps = InkReader(tmp_path / "mine.onnx").maps(np.zeros((70, 40), np.float32))
    assert maps.shape == (70, 40, 3) and 0 <= maps.min() <= maps.max() <= 1
    train(tmp_path, "--ink", "mine.onnx", "--limit", "2", "--epochs", "2", "--resume")
    record = json.loads((tmp_path / "mine.json").read_text())
    assert record["recipe"]["epochs"] == 2 and record["keras_onnx_difference"] <= TOLERANCE_HALVED
    assert len(read_history(tmp_path / "runs" / "mine")) == 2
    assert not (tmp_path / "tiny.h5").exists()


def test_train_model_refuses_fewer_lines_than_a_step_needs(tmp_path):
    process = start(tmp_path, "--sequence", "mine.onnx", "--limit", "32")
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 1
    assert "64 with --limit" in said and "Traceback" not in said
