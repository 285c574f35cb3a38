"""Classify: pictures of one digit in MNIST's frame to calibrated probabilities."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime

from digits.errors import ModelError, shown

SHIPPED_MODEL = Path(__file__).with_name("model.onnx")
BATCH = 256  # enough to keep a core busy, small enough for constant memory

Run = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(n, 28, 28, 1) float32 -> (n, 10) and (n, 1) float32."""


@dataclass(frozen=True)
class _Model:
    """What was read from a model file: everything that one answer needs, so that no answer mixes two models."""

    run: Run
    digest: str
    stamp: tuple[int, int, int]


class Classifier:
    """A model file, ready to answer. When the file is replaced, the next call answers with the new one.

    model: path of an .onnx file (answered by ONNX Runtime) or of a Keras .h5 or .keras file (Keras is imported only
        then); the shipped model if None.
    threads: how many cores ONNX Runtime may use for one call.

    Raises ModelError if the file is missing or does not take (n, 28, 28, 1). Many threads may classify at once.
    """

    def __init__(self, model: str | Path | None = None, threads: int = 1) -> None:
        self.path = Path(model) if model is not None else SHIPPED_MODEL
        self._threads = threads
        self._renewing = threading.Lock()
        if not self.path.is_file():
            raise ModelError(
                f"No model at {self.path}. Train one with: python train_model.py, or name another with --model."
            )
        self._model = self._load()

    @property
    def digest(self) -> str:
        """SHA-256 of the model file that answers, hexadecimal."""
        return self._present().digest

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Probabilities of the ten digits for each image.

        images: (n, 28, 28, 1) float32 in [0, 1], ink = 1.
        Returns (n, 10) float32 in [0, 1]: the probability that the image is a digit and that this is its label. A row
        sums to the probability that the image is a digit at all.
        """
        if len(images) == 0:
            return np.zeros((0, 10), np.float32)
        run = self._present().run
        batches = [run(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate([labels * is_digit for labels, is_digit in batches])

    def _present(self) -> _Model:
        """The model as the file is now; while one thread reads a new file, the others go on with the old one."""
        if self._renewing.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._renewing.release()
        return self._model

    def _renew(self) -> None:
        if not self.path.is_file() or (stamp := _stamp(self.path)) == self._model.stamp:
            return
        try:
            self._model = self._load()
        except (OSError, ModelError):  # no model of ours: the one that answered so far goes on answering
            self._model = replace(self._model, stamp=stamp)

    def _load(self) -> _Model:
        stamp = _stamp(self.path)  # before the content: a file replaced in between is read again
        if self.path.suffix in (".h5", ".keras"):
            return _Model(_keras_runner(self.path), _digest(self.path.read_bytes()), stamp)
        if self.path.suffix == ".onnx":
            content = self.path.read_bytes()
            return _Model(_onnx_runner(self.path, content, self._threads), _digest(content), stamp)
        raise ModelError(f"{self.path.name} is no model that can be read. Expected a file ending in .onnx or .h5.")


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes whenever the file is replaced. Costs microseconds."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def open_session(path: Path, content: bytes, threads: int) -> onnxruntime.InferenceSession:
    """ONNX Runtime with the content of `path`, on so many cores. Raises ModelError if it is no ONNX model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelError(f"{path.name} is no ONNX model that ONNX Runtime can load: {shown(str(error))}") from error


def open_network(path: Path, kind: str, answer: tuple[str | int, ...]) -> onnxruntime.InferenceSession:
    """One of the other networks, on one core. kind: "ink" or "sequence", as train_model.py names it.

    answer: shape of what it answers with; the last side counts. Raises ModelError if it is missing or another.
    """
    if not path.is_file():
        raise ModelError(f"No model at {path}. Train one with: python train_model.py --{kind}")
    session = open_session(path, path.read_bytes(), threads=1)
    shape = session.get_outputs()[0].shape
    if len(shape) != len(answer) or shape[-1] != answer[-1]:
        expected = ", ".join(map(str, answer))
        raise ModelError(f"{path.name} is no {kind} network: it answers in shape {shape}, not ({expected}).")
    return session


def _onnx_runner(path: Path, content: bytes, threads: int) -> Run:
    session = open_session(path, content, threads)
    name = session.get_inputs()[0].name
    _check_shape(path, session.get_inputs()[0].shape)

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        labels, is_digit = session.run(None, {name: images})
        return labels, is_digit

    return _tried(path, run)


def _keras_runner(path: Path) -> Run:
    try:
        import keras

        model = keras.saving.load_model(path, compile=False)
    except ImportError as error:
        raise ModelError(f"{path.name} needs Keras, which is not installed. Take the .onnx file instead.") from error
    except Exception as error:  # Keras raises what it likes on what is no model of its own
        raise ModelError(f"{path.name} is no Keras model that Keras can load: {shown(str(error))}") from error
    shape = getattr(model, "input_shape", None)
    _check_shape(path, list(shape) if isinstance(shape, tuple) else [])

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        labels, is_digit = model(images, training=False)
        return keras.ops.convert_to_numpy(labels), keras.ops.convert_to_numpy(is_digit)

    return _tried(path, run)


def _tried(path: Path, run: Run) -> Run:
    """`run`, if it answers as a model of ours does. Raises ModelError."""
    expected = "Expected the probabilities of ten labels, (n, 10), and that of being a digit, (n, 1)."
    try:
        answer = run(np.zeros((2, 28, 28, 1), np.float32))
    except Exception as error:  # whatever a foreign model does with a picture
        raise ModelError(
            f"{path.name} does not answer as a model of digits: {shown(str(error))}. {expected}"
        ) from error
    shapes = [array.shape for array in answer]
    finite = all(np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all() for array in answer)
    if shapes != [(2, 10), (2, 1)] or not finite:
        raise ModelError(f"{path.name} answers two pictures with {shapes}. {expected}")
    return run


def _check_shape(path: Path, shape: list[int | str]) -> None:
    if shape[1:] != [28, 28, 1]:
        raise ModelError(f"{path.name} takes pictures of shape {shape[1:]}. Expected [28, 28, 1].")
