"""Training of the sequence network, which reads digits that touch in one look (digits/sequence.py).

It learns from numbers written with MNIST's digits, augmented, and with drawn ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
from keras import layers

from digits.files import digest
from digits.layout import FAINT_EDGE
from digits.normalise import crop
from digits.sequence import ABOVE, HEIGHT, STEP, SequenceReader, find_signs, frame
from digits.training.data import DIGESTS, Mnist, Split
from digits.training.export import TOLERANCE, export_compared
from digits.training.network import copy_for_training
from digits.training.numbers import write_number
from digits.training.save import versions, write_record

COUNTS = {1: 0.15, 2: 0.37, 3: 0.28, 4: 0.12, 5: 0.08}  # shares of numbers of so many digits
WIDEST = 128  # pixels of a framed number; a wider one is written anew
ROUNDING = 8  # the width of a batch is a multiple of so many pixels, so that few shapes are compiled
ALIKE = 6  # pixels by which the widths of a batch may differ by chance
COMPARED = 500  # numbers on which Keras and ONNX must agree, and that are read in the end

Number = tuple[np.ndarray, list[int]]
"""(32, w) uint8 picture, ink = 255, as digits.sequence.frame gives it, and the digits from left to right."""


@dataclass(frozen=True)
class SequenceRecipe:
    """numbers: written once, and read in each of `passes`. batch: pictures a step."""

    numbers: int = 300_000
    passes: int = 4
    batch: int = 96
    learning_rate: float = 2e-3
    dropout: float = 0.2


def train_sequence(recipe: SequenceRecipe, mnist: Mnist, seed: int, path: Path) -> float:
    """Train the sequence network on MNIST's training split and write it as ONNX, with a record (.json) beside it.

    Returns the share in [0, 1] of COMPARED numbers, written with the validation split, that it reads right.
    """
    began = time.monotonic()
    network = fit_sequence(recipe, mnist.train, seed)
    numbers = write_numbers(mnist.validation, COMPARED, seed)
    difference = export_sequence(network, path, [picture for picture, _ in numbers])
    reader = SequenceReader(path)
    right = float(np.mean([read_number(reader, picture) == labels for picture, labels in numbers]))
    record = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": asdict(recipe),
        "seed": seed,
        "parameters": network.count_params(),
        "compared": len(numbers),
        "read_right": right,
        "keras_onnx_difference": difference,
        "seconds": round(time.monotonic() - began),
        "versions": versions(),
        "data_sha256": DIGESTS,
        "model_sha256": digest(path),
    }
    write_record(record, path)
    return right


def write_numbers(split: Split, count: int, seed: int) -> list[Number]:
    """Numbers of one to five digits that touch, the same for the same seed."""
    rng = np.random.default_rng((seed, count, len(split)))
    numbers: list[Number] = []
    while len(numbers) < count:
        length = int(rng.choice(list(COUNTS), p=list(COUNTS.values())))
        ink, _, labels = write_number(split, length, rng, varied=True)
        picture = np.round(frame(crop(ink, FAINT_EDGE)) * 255).astype(np.uint8)
        if picture.shape[1] <= WIDEST:
            numbers.append((picture, labels))
    return numbers


def build_sequence_network(dropout: float) -> keras.Model:
    """Build the net: (n, 32, w, 1) float32 in [0, 1], ink = 1, to (n, w / STEP, 11) logits, NONE and the ten digits.

    Convolutions only, so that any width will do.
    """
    images = keras.Input((HEIGHT + 2 * ABOVE, None, 1), name="image")
    x = _convolve(images, 24, 5, strides=(2, STEP))  # (n, 16, w / 2, 24)
    x = _convolve(x, 32, 3)
    x = _convolve(x, 48, 3, strides=(2, 1))  # (n, 8, w / 2, 48)
    x = _convolve(x, 48, 3)
    x = _convolve(x, 64, 3, strides=(2, 1))  # (n, 4, w / 2, 64)
    x = _convolve(x, 64, 3)
    x = layers.ZeroPadding2D((0, 1))(x)
    x = _convolve(x, 96, (4, 3), padding="valid")  # (n, 1, w / 2, 96)
    x = _convolve(x, 96, (1, 5))
    x = layers.Dropout(dropout)(layers.Reshape((-1, 96))(x))  # (n, w / 2, 96)
    return keras.Model(images, layers.Dense(11, name="logits")(x), name="sequence")


def _convolve(x: keras.KerasTensor, filters: int, size: int | tuple[int, int], **options: object) -> keras.KerasTensor:
    x = layers.Conv2D(filters, size, use_bias=False, **{"padding": "same", **options})(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.98)(x))


def fit_sequence(recipe: SequenceRecipe, train: Split, seed: int) -> keras.Model:
    """Train a network with Adam, the learning rate rising and then falling along a cosine."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    numbers = write_numbers(train, recipe.numbers, seed)
    network = build_sequence_network(recipe.dropout)
    copy = copy_for_training(network)
    steps = recipe.passes * (len(numbers) // recipe.batch)
    warm_up = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-6, max(1, steps - warm_up), alpha=0.01, warmup_target=recipe.learning_rate, warmup_steps=warm_up
    )
    copy.compile(keras.optimizers.Adam(rate), keras.losses.CTC(), jit_compile=False)
    for done in range(1, recipe.passes + 1):
        losses = [copy.train_on_batch(*batch) for batch in _batches(numbers, recipe.batch, rng)]
        print(f"Sequence network, pass {done} of {recipe.passes}: loss {np.mean(losses):.4f}", flush=True)
    network.set_weights(copy.get_weights())
    return network


def _batches(numbers: list[Number], size: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Numbers of about the same width together: (size, 32, w, 1) pictures, (size, 5) digits + 1, filled up with 0."""
    widths = np.array([picture.shape[1] for picture, _ in numbers])
    order = np.argsort(widths + rng.uniform(-ALIKE, ALIKE, len(numbers)))
    for start in size * rng.permutation(len(numbers) // size):
        batch = [numbers[place] for place in order[start : start + size]]
        targets = np.zeros((size, max(COUNTS)), np.int32)
        for row, (_, labels) in zip(targets, batch, strict=True):
            row[: len(labels)] = np.add(labels, 1)
        yield _side_by_side([picture for picture, _ in batch]), targets


def _side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """(n, 32, w, 1) float32 in [0, 1], with paper to the right of the narrower ones."""
    width = max(picture.shape[1] for picture in pictures)
    images = np.zeros((len(pictures), HEIGHT + 2 * ABOVE, width + -width % ROUNDING, 1), np.float32)
    for image, picture in zip(images, pictures, strict=True):
        image[:, : picture.shape[1], 0] = picture / np.float32(255)
    return images


def export_sequence(network: keras.Model, path: Path, pictures: list[np.ndarray]) -> float:
    """Write `network` with a softmax to `path` as ONNX once it is known to read `pictures` as Keras does.

    Returns the largest difference between two probabilities. Raises ModelError if it is above TOLERANCE; `path` is
    then left as it was.
    """
    model = keras.Model(network.input, layers.Softmax()(network.output))

    def compare(exported: Path) -> float:
        reader = SequenceReader(exported)
        return max(_difference(model, reader, picture / np.float32(255)) for picture in pictures)

    return export_compared(model, path, _side_by_side(pictures[:1]), compare, TOLERANCE, f"{len(pictures)} numbers")


def _difference(model: keras.Model, reader: SequenceReader, framed: np.ndarray) -> float:
    expected = keras.ops.convert_to_numpy(model(framed[None, ..., None], training=False))[0]
    return float(np.abs(expected - reader.probabilities(framed)).max())


def read_number(reader: SequenceReader, picture: np.ndarray) -> list[int]:
    """What the network reads in a picture of write_numbers."""
    signs = find_signs(reader.probabilities(picture / np.float32(255)), picture.shape)
    return [int(sign.probabilities.argmax()) for sign in signs]
