"""Classify: pictures of one digit in MNIST's frame to calibrated probabilities."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime

from digits.errors import ModelError

SHIPPED_MODEL = Path(__file__).with_name("model.onnx")
BATCH = 256  # enough to keep a core busy, small enough for constant memory


class Classifier:
    """A model file, ready to answer.

    model: path of an .onnx file (answered by ONNX Runtime) or of a Keras .h5 or .keras file (Keras is imported only
        then); the shipped model if None.
    threads: how many cores ONNX Runtime may use for one call.

    Raises ModelError if the file is missing or does not take (n, 28, 28, 1).
    """

    def __init__(self, model: str | Path | None = None, threads: int = 1) -> None:
        self.path = Path(model) if model is not None else SHIPPED_MODEL
        if not self.path.is_file():
            raise ModelError(
                f"No model at {self.path}. Train one with: python train_model.py, or name another with --model."
            )
        if self.path.suffix in (".h5", ".keras"):
            self._run = _keras_runner(self.path)
        elif self.path.suffix == ".onnx":
            self._run = _onnx_runner(self.path, threads)
        else:
            raise ModelError(f"{self.path.name} is no model that can be read. Expected a file ending in .onnx or .h5.")

    @property
    def digest(self) -> str:
        """SHA-256 of the model file, hexadecimal."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Probabilities of the ten digits for each image.

        images: (n, 28, 28, 1) float32 in [0, 1], ink = 1.
        Returns (n, 10) float32 in [0, 1]: the probability that the image is a digit and that this is its label. A row
        sums to the probability that the image is a digit at all.
        """
        if len(images) == 0:
            return np.zeros((0, 10), np.float32)
        batches = [self._run(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate([labels * is_digit for labels, is_digit in batches])


def _onnx_runner(path: Path, threads: int):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelError(f"{path.name} is no ONNX model that ONNX Runtime can load: {error}") from error
    name = session.get_inputs()[0].name
    _check_shape(path, session.get_inputs()[0].shape)
    return lambda images: session.run(None, {name: images})[:2]


def _keras_runner(path: Path):
    import keras

    model = keras.saving.load_model(path, compile=False)
    _check_shape(path, list(model.input_shape))

    def run(images):
        labels, is_digit = model(images, training=False)
        return keras.ops.convert_to_numpy(labels), keras.ops.convert_to_numpy(is_digit)

    return run


def _check_shape(path: Path, shape: list) -> None:
    if shape[1:] != [28, 28, 1]:
        raise ModelError(f"{path.name} takes pictures of shape {shape[1:]}. Expected [28, 28, 1].")
