"""Training of the ink network, which tells what the pen has left from the paper (digits/ink.py).

It learns from synthetic pages alone (digits/training/paper.py), which are made anew all the time.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from digits.errors import ModelError
from digits.files import digest, sole_writer
from digits.ink import INK, InkReader, standardise
from digits.training.blocks import convolve, refine
from digits.training.callbacks import Interruption, OneCycle, Stopwatch
from digits.training.data import DIGESTS, Mnist, Split
from digits.training.export import TOLERANCE_HALVED, export_compared, halve
from digits.training.fit import forget
from digits.training.fonts import cached_fonts
from digits.training.further import GENTLER, go_on_from, record_of_origin, write_mean
from digits.training.history import read_round
from digits.training.network import copy_for_training
from digits.training.page import SIDE
from digits.training.paper import synthesise_page
from digits.training.processes import serve_parent
from digits.training.save import versions, write_record

CHANNELS = (16, 24, 32, 48, 64)  # of the maps at a half, a quarter, ... of the page's size
REFINED = 32  # channels from which on a map is so small that more layers take hardly any time
WEIGHTS = (1.0, 0.3, 0.2)  # of ink, rules and lines of writing in the loss
AHEAD = 12  # batches of pages that are made before they are needed
STRIPS = (64, 96, 128)  # pixels of height to which the pages of every second batch are cut, as lines of writing are
CLOSE = 0.4  # share of the strips that are cut closely to a line
GAIN = 0.4  # deviation of the logarithm of the contrast that a page is shown with: pages are not cut like pictures
FLATTER = 2.5  # by how much that logarithm is less where nothing is written, at most
COMPARED = 64  # pages on which Keras and ONNX must agree, and on which the network is tried in the end


@dataclass(frozen=True)
class InkRecipe:
    """epochs: after each the state is saved; batch: pages a step."""

    epochs: int = 28
    steps_per_epoch: int = 200
    batch: int = 8
    learning_rate: float = 4e-3

    def further(self) -> InkRecipe:
        """The recipe for a network that is trained already."""
        return replace(self, learning_rate=GENTLER * self.learning_rate)


def train_ink(
    recipe: InkRecipe,
    mnist: Mnist,
    seed: int,
    path: Path,
    folder: Path,
    resume: bool = False,
    start: Path | None = None,
) -> float:
    """Train the ink network on pages of MNIST's training split and write it as ONNX, with a record (.json) beside it.

    folder: where the training's state and history are, to resume from. start: an exported network to go on from.
    Returns the overlap (intersection over union, in [0, 1]) of found and true ink on COMPARED pages of the validation
    split. Raises ModelError if another program is training in the folder.
    """
    try:
        with sole_writer(folder):
            if not resume:
                forget(folder)
            network = fit_ink(recipe, mnist, seed, folder, start)
    except TimeoutError as error:
        raise ModelError(f"Another training is at work in {folder}. Wait until it has ended.") from error
    pages, truths = _batch(mnist.validation, COMPARED, (seed, 2))
    difference = export_ink(network, path, pages)
    overlap = _overlap(InkReader(path), pages, truths)
    record = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": asdict(recipe),
        **record_of_origin(start),
        "seed": seed,
        "parameters": network.count_params(),
        "fonts": len(cached_fonts()),
        "compared": COMPARED,
        "overlap": overlap,
        "keras_onnx_difference": difference,
        "seconds": round(sum(row["seconds"] for row in read_round(folder))),
        "versions": versions(),
        "data_sha256": DIGESTS,
        "model_sha256": digest(path),
    }
    write_record(record, path)
    return overlap


def average_inks(paths: Sequence[Path], mnist: Mnist, path: Path) -> float:
    """Write the mean of ink networks, with a record beside it. Returns as train_ink."""

    def measure(record: dict[str, Any]) -> dict[str, float]:
        return {"overlap": _overlap(InkReader(path), *_batch(mnist.validation, COMPARED, (record["seed"], 2)))}

    return float(write_mean(paths, path, measure)["overlap"])


def build_ink_network() -> keras.Model:
    """Build the net: (n, h, w, 1) float32, standardised grey, to (n, h, w, 3) logits of ink, rules and lines.

    h and w: multiples of 32. A U-Net (Ronneberger et al. 2015, arXiv:1505.04597) whose finest map has half the size: at
    full size, layers take half of the time and find hardly more. The smaller ones, which see what a stroke is part of,
    are refined by residual blocks.
    """
    images = keras.Input((None, None, 1), name="grey")
    x, passed = images, []
    for channels in CHANNELS:
        x = convolve(x, channels, 4 if x is images else 3, strides=2)
        x = _refined(convolve(x, channels, 3))
        passed.append(x)
    for beside in passed[-2::-1]:
        x = _enlarge(x, beside.shape[-1])
        x = _refined(convolve(layers.Concatenate()([x, beside]), beside.shape[-1], 3))
    return keras.Model(images, _enlarge(x, len(WEIGHTS)), name="ink")


def _refined(x: keras.KerasTensor) -> keras.KerasTensor:
    return refine(x, 3) if x.shape[-1] >= REFINED else x


def _enlarge(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    return layers.Conv2DTranspose(channels, 2, strides=2, kernel_initializer="he_normal")(x)


def ink_loss(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Cross-entropy of the three maps, and half of what the ink lacks of overlap (Milletari et al. 2016)."""
    entropy = ops.mean(ops.softplus(logits) - truth * logits, axis=(0, 1, 2))
    found, there = ops.sigmoid(logits[..., :1]), truth[..., :1]
    common = 2 * ops.sum(found * there, axis=(1, 2, 3)) + 50
    dice = common / (ops.sum(found, axis=(1, 2, 3)) + ops.sum(there, axis=(1, 2, 3)) + 50)
    return ops.sum(entropy * ops.convert_to_tensor(WEIGHTS)) + 0.5 * (1 - ops.mean(dice))


def fit_ink(recipe: InkRecipe, mnist: Mnist, seed: int, folder: Path, start: Path | None = None) -> keras.Model:
    """Train a network with Adam, from where the state in `folder` ends; interrupted, it goes on from the last epoch."""
    keras.utils.set_random_seed(seed)
    network = build_ink_network()
    if start:
        go_on_from(start, network, [_batch(mnist.train, recipe.batch, (seed, 3, k), k % 2 == 1)[0] for k in range(32)])
    copy = copy_for_training(network)
    copy.compile(keras.optimizers.Adam(recipe.learning_rate), ink_loss, jit_compile=False)
    copy.optimizer.build(copy.trainable_variables)
    done = len(read_round(folder))
    copy.fit(
        make_batches(recipe, mnist.train, seed, done * recipe.steps_per_epoch),
        steps_per_epoch=recipe.steps_per_epoch,
        initial_epoch=done,
        epochs=recipe.epochs,
        validation_data=_batch(mnist.validation, COMPARED, (seed, 1)),
        validation_batch_size=recipe.batch,
        callbacks=[
            OneCycle(0, recipe.epochs, recipe.steps_per_epoch),
            keras.callbacks.BackupAndRestore(folder / "state", double_checkpoint=True, delete_checkpoint=False),
            Stopwatch(),
            keras.callbacks.CSVLogger(folder / "history.csv", append=True),
            Interruption(),
        ],
        verbose=2,
        shuffle=False,
    )
    network.set_weights(copy.get_weights())
    return network


def make_batches(recipe: InkRecipe, train: Split, seed: int, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Endless batches from step `first` on, made in a process of its own while the network learns.

    The same for the same seed, wherever it was interrupted.
    """
    context = multiprocessing.get_context("spawn")  # a forked TensorFlow hangs
    waiting: deque[Future[tuple[np.ndarray, np.ndarray]]] = deque()
    with ProcessPoolExecutor(1, context, _remember, (train,)) as pool:
        step = first
        while True:
            while len(waiting) < AHEAD:
                waiting.append(pool.submit(_batch, None, recipe.batch, (seed, 0, step), step % 2 == 1))
                step += 1
            yield waiting.popleft().result()


_train: Split | None = None  # of the process that makes the pages


def _remember(train: Split) -> None:
    """Once a process, not with every batch."""
    global _train
    _train = train
    serve_parent()


def _batch(
    split: Split | None, size: int, seed: tuple[int, ...], strips: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """(size, h, SIDE, 1) standardised pages and (size, h, SIDE, 3) what is on them, both float32.

    h: SIDE, or a strip's height.
    """
    split = split or _train
    assert split is not None
    rng = np.random.default_rng(seed)
    height = int(rng.choice(STRIPS)) if strips else SIDE
    pages, truths = zip(*(_page_or_strip(split, height, rng) for _ in range(size)), strict=True)
    seen = [standardise(page) * _gain(truth, rng) for page, truth in zip(pages, truths, strict=True)]
    return np.stack(seen)[..., None], np.stack(truths).astype(np.float32) / 255


def _gain(truth: np.ndarray, rng: np.random.Generator) -> np.float32:
    """Contrast that a page is shown with: what is written elsewhere on a picture makes its empty paper look flat."""
    flatter = 0.0 if truth[..., INK].any() else rng.uniform(0, FLATTER)
    return np.float32(np.exp(rng.normal(0, GAIN) - flatter))


def _page_or_strip(split: Split, height: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A page of this height: whole, or a strip of it with writing on it if there is any."""
    closely = height < SIDE and rng.random() < CLOSE
    page, truth = synthesise_page(split, rng, height if closely else None)
    written = np.flatnonzero(truth[..., INK].any(axis=1))
    middle = rng.choice(written) if written.size and not closely else SIDE // 2
    top = int(np.clip(middle - height // 2, 0, SIDE - height))
    return page[top : top + height], truth[top : top + height]


def export_ink(network: keras.Model, path: Path, pages: np.ndarray) -> float:
    """Write `network` with a sigmoid to `path` as ONNX, its weights in 16 bits, once it finds the same ink as Keras.

    pages: (n, h, w, 1) float32 to compare on. Returns the largest difference between two probabilities. Raises
    ModelError if it is above TOLERANCE_HALVED; `path` is then left as it was.
    """
    model = keras.Model(network.input, layers.Activation("sigmoid")(network.output))

    def compare(exported: Path) -> float:
        halve(exported)
        reader = InkReader(exported)
        expected = model.predict(pages, batch_size=8, verbose=0)
        return float(np.abs(expected - np.stack([reader.maps(page[..., 0]) for page in pages])).max())

    return export_compared(model, path, pages[:1], compare, TOLERANCE_HALVED, f"{len(pages)} pages")


def _overlap(reader: InkReader, pages: np.ndarray, truths: np.ndarray) -> float:
    found = np.stack([reader.maps(page[..., 0])[..., INK] for page in pages]) > 0.5
    there = truths[..., INK] > 0.5
    return float((found & there).sum() / (found | there).sum())
