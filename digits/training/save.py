"""Save: the trained network calibrated, as model.h5 and model.onnx, with its run record and its training curves."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import matplotlib
import numpy as np
from matplotlib.figure import Figure

from digits.files import digest, replace_file
from digits.models import served_file
from digits.training.augment import NOT_A_DIGIT, no_digit
from digits.training.batches import augmented
from digits.training.calibrate import fit_platt, fit_temperature
from digits.training.data import DIGESTS, Mnist, Split
from digits.training.export import export_onnx
from digits.training.fonts import cached_fonts
from digits.training.history import kept_epochs, read_rounds, read_seconds
from digits.training.network import calibrated_network
from digits.training.recipe import Recipe
from digits.training.strokes import synthesise

AUGMENTED_COPIES = 3  # of each picture of the calibration split: with one, the temperature is a matter of luck
DRAWN = 2_000  # synthetic drawings that the calibration sees beside MNIST's calibration split
DIGITS_IN_USE = 0.975  # share of digits in what people hand in: they come to have digits read
COMPARED = 1_000  # pictures on which Keras and ONNX must agree
PACKAGES = ("keras", "numpy", "onnx", "onnxruntime", "opencv-python-headless", "tf2onnx")

Calibration = dict[str, float]


def calibrate(network: keras.Model, split: Split, seed: int) -> tuple[keras.Model, Calibration]:
    """Fit the calibration on pictures that look like real input, and build it into the model.

    split: MNIST's calibration split, taken as it is and augmented; the temperature is fitted on that. What is a digit
        is told on synthetic drawings and non-digits, too. The share of non-digits among them is higher than in use;
        the offset makes up for it (Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori
        probabilities").
    Returns the model of calibrated_network and its calibration {"temperature", "scale", "offset"}.
    """
    images, labels = _calibration_pictures(split, seed)
    label_logits, digit_logits = network.predict(images[..., None], batch_size=256, verbose=0)
    is_digit = labels != NOT_A_DIGIT
    mnist = slice(len(split) * (1 + AUGMENTED_COPIES))
    temperature = fit_temperature(label_logits[mnist], labels[mnist])
    scale, offset = fit_platt(digit_logits[:, 0], is_digit)
    offset += _log_odds(DIGITS_IN_USE) - _log_odds(is_digit.mean())
    model = calibrated_network(network, temperature, scale, offset)
    return model, {"temperature": temperature, "scale": scale, "offset": offset}


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _calibration_pictures(split: Split, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 28, 28) float32 pictures and their labels: MNIST's plain, then augmented, drawn ones, spliced non-digits."""
    rng = np.random.default_rng((seed, 1))
    drawn_images, drawn_labels = synthesise(DRAWN, seed + 1_000_000, 0.4)
    spliced = [no_digit(split.images, rng) for _ in range(DRAWN // 5)]
    changed = [augmented(split, rng, spoiled=0.0) for _ in range(AUGMENTED_COPIES)]
    plain, others = split.images.astype(np.float32) / 255, np.concatenate([drawn_images, spliced])
    labels = [np.tile(split.labels, 1 + AUGMENTED_COPIES), drawn_labels, np.full(len(spliced), NOT_A_DIGIT)]
    return np.concatenate([plain, *changed, others.astype(np.float32) / 255]), np.concatenate(labels).astype(int)


def save(
    model: keras.Model,
    path: Path,
    recipe: Recipe,
    seed: int,
    mnist: Mnist,
    calibration: Calibration,
    folder: Path,
    start: Path | None = None,
    teacher: Path | None = None,
) -> None:
    """Write the model as `path` (.h5) and .onnx, the run record (.json) and the training curves (.png) beside it.

    start: the model from whose weights training started, if any; teacher: that whose answers were learned. model.h5
    itself is served from the package, as digits/model.onnx. All are written aside and moved into place.
    """
    pictures = mnist.validation.first(COMPARED).images.astype(np.float32)[..., None] / 255
    onnx_path = served_file(path)
    aside = path.with_name(f"new-{path.name}")
    earlier_round = _earlier_round(start) if start else None  # read now: the new model may take its place
    teacher_sha256 = digest(teacher) if teacher else None
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(aside)
    difference = export_onnx(model, onnx_path, pictures)
    aside.replace(path)
    rounds = read_rounds(folder)
    record = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        "start": earlier_round,
        "teacher_sha256": teacher_sha256,
        "parameters": model.count_params(),
        "training_pictures": len(mnist.train),
        "fonts": len(cached_fonts()),
        "calibration": calibration,
        "kept_epochs": kept_epochs(recipe, rounds),
        "epochs_run": sum(map(len, rounds)),
        "keras_onnx_difference": difference,
        "seconds": round(read_seconds(folder)),  # however often they were interrupted
        "versions": versions(),
        "data_sha256": DIGESTS,
        "model_sha256": {file.name: digest(file) for file in (path, onnx_path)},
    }
    write_record(record, path)
    replace_file(path.with_suffix(".png"), plot_history(rounds))
    print(f"Saved {path} and {onnx_path}; their probabilities differ by at most {difference:.1e}.")


def _earlier_round(start: Path) -> dict[str, Any]:
    """How the model was made from whose weights training started, as far as the record beside it tells."""
    record = start.with_suffix(".json")
    known = json.loads(record.read_text()) if record.is_file() else {}
    kept = ("recipe", "seed", "start", "epochs_run", "seconds")
    return {
        "sha256": digest(start),
        **{key: known[key] for key in kept if key in known},
    }


def write_record(record: dict[str, Any], path: Path) -> None:
    """Put the run record of the model at `path` beside it, as .json. Raises OSError."""
    replace_file(path.with_suffix(".json"), f"{json.dumps(record, indent=2)}\n".encode())


def versions() -> dict[str, str]:
    """What the run was made with: Python, the backend, the packages, the processor."""
    backend = keras.backend.backend()
    packages: dict[str, Any] = {name: version(name) for name in PACKAGES}
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "backend": f"{backend} {__import__(backend).__version__}",
        **packages,
    }


def plot_history(rounds: list[list[dict[str, float]]]) -> bytes:
    """Loss and accuracy by epoch as a PNG picture, a line for each round: they are validated on other pictures."""
    matplotlib.use("Agg")
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    losses, errors = figure.subplots(1, 2)
    for prefix, name, colour in (("", "training", "C0"), ("val_", "validation", "C1")):
        for number, history in enumerate(rounds):
            epochs = [int(row["epoch"]) + 1 for row in history]
            style = {"color": colour, "marker": ".", "label": None if number else name}
            losses.plot(epochs, [row[f"{prefix}loss"] for row in history], **style)
            errors.plot(epochs, [100 * (1 - row[f"{prefix}label_accuracy"]) for row in history], **style)
    losses.set(title="Loss", xlabel="epoch", yscale="log")
    errors.set(title="Wrong digits, %", xlabel="epoch", yscale="log")
    losses.legend()
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format="png")
    return picture.getvalue()
