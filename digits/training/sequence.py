"""Training of the sequence network, which reads a line of digits and signs in one look (digits/sequence.py).

It learns from lines that a process beside it writes all the time (digits/training/lines.py).
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from digits.files import digest
from digits.sequence import ABOVE, BESIDE, HEIGHT, NONE, SIGNS, STEP, Reading, SequenceReader, frame
from digits.training.blocks import convolve, refine
from digits.training.data import DIGESTS, Mnist, Split
from digits.training.export import TOLERANCE_HALVED, export_compared, halve
from digits.training.fonts import cached_fonts
from digits.training.further import GENTLER, go_on_from, record_of_origin, write_mean
from digits.training.lines import LONGEST, Placed, write_line
from digits.training.network import copy_for_training
from digits.training.save import versions, write_record

WIDEST = 480  # pixels of a framed line; a wider one is written anew
ROUNDING = 16  # the width of a batch is a multiple of so many pixels, so that few shapes are compiled
ALIKE = 24  # pixels by which the widths of a batch may differ by chance
KEPT = 3  # rounds for which a line is learned from
CENTRE, BODY = 0.1, 0.35  # shares of a sign's width about its middle: where it is to be seen, and where it may be
UNDECIDED = -1  # a place where the sign or none may be seen
HOPELESS = 8.0  # loss from which on a line, which may be beyond reading, counts for less and less
PLACES_COUNT = 0.2  # weight of where signs are seen, beside that of their order
SEEN_AT_FIRST = 64  # lines of a batch from which a network that goes on gets its statistics
COMPARED = 1000  # lines that are read in the end; on the first of them Keras and ONNX must agree

Line = tuple[np.ndarray, list[Placed]]
"""(40, w) uint8 picture, ink = 255, as digits.sequence.frame gives it; signs from left to right, in its columns."""


@dataclass(frozen=True)
class SequenceRecipe:
    """rounds: in each, so many `lines` are written anew, and the last KEPT rounds' are learned from `reuse` times."""

    rounds: int = 110
    lines: int = 3_000
    reuse: float = 1.5
    batch: int = 64
    learning_rate: float = 2e-3
    dropout: float = 0.1

    def further(self) -> SequenceRecipe:
        """The recipe for a network that is trained already."""
        return replace(self, learning_rate=GENTLER * self.learning_rate)


def train_sequence(
    recipe: SequenceRecipe,
    mnist: Mnist,
    seed: int,
    path: Path,
    folder: Path,
    resume: bool,
    start: Path | None = None,
) -> float:
    """Train the sequence network on MNIST's training split and write it as ONNX, with a record (.json) beside it.

    folder: where its state is kept after each round, so that it can go on if `resume`. start: an exported network to go
    on from. Returns the share in [0, 1] of COMPARED lines, fewer in a trial run, that it reads right; they are written
    with the validation split.
    """
    network, seconds = fit_sequence(recipe, mnist.train, seed, folder, resume, start)
    lines = write_lines(mnist.validation, min(COMPARED, recipe.lines), seed)
    difference = export_sequence(network, path, [picture for picture, _ in lines[:100]])
    right = _share_right(path, lines)
    record = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": asdict(recipe),
        **record_of_origin(start),
        "seed": seed,
        "parameters": network.count_params(),
        "fonts": len(cached_fonts()),
        "compared": len(lines),
        "read_right": right,
        "keras_onnx_difference": difference,
        "seconds": round(seconds),
        "versions": versions(),
        "data_sha256": DIGESTS,
        "model_sha256": digest(path),
    }
    write_record(record, path)
    return right


def average_sequences(paths: Sequence[Path], mnist: Mnist, path: Path) -> float:
    """Write the mean of sequence networks, with a record beside it. Returns as train_sequence."""

    def measure(record: dict[str, Any]) -> dict[str, float]:
        return {"read_right": _share_right(path, write_lines(mnist.validation, record["compared"], record["seed"]))}

    return float(write_mean(paths, path, measure)["read_right"])


def _share_right(path: Path, lines: list[Line]) -> float:
    reader = SequenceReader(path)
    return float(np.mean([read_line(reader, picture) == text_of(signs) for picture, signs in lines]))


def write_lines(split: Split, count: int, seed: int) -> list[Line]:
    """Lines as the network gets them, the same for the same seed."""
    rng = np.random.default_rng((seed, count, len(split)))
    lines: list[Line] = []
    while len(lines) < count:
        ink, placed = write_line(split, rng)
        framed = frame(ink)
        if framed.shape[1] <= WIDEST:
            scale = (framed.shape[1] - 2 * BESIDE) / ink.shape[1]
            signs = [Placed(one.label, BESIDE + scale * one.middle, scale * one.width) for one in placed]
            lines.append((np.round(framed * 255).astype(np.uint8), signs))
    return lines


def build_sequence_network(dropout: float) -> keras.Model:
    """Build the net: (n, 40, w, 1) float32 in [0, 1], ink = 1, to (n, w / STEP, 20) logits, NONE and the signs.

    Convolutions only, so that any width will do.
    """
    images = keras.Input((HEIGHT + 2 * ABOVE, None, 1), name="image")
    x = convolve(images, 16, 5, strides=(2, STEP))  # (n, 20, w / 2, 16)
    x = convolve(x, 24, 3)
    x = convolve(x, 40, 3, strides=(2, 1))  # (n, 10, w / 2, 40)
    x = convolve(x, 40, 3)
    x = convolve(x, 64, 3, strides=(2, 1))  # (n, 5, w / 2, 64)
    x = refine(convolve(x, 64, 3), 3)
    x = layers.ZeroPadding2D((0, 1))(x)
    x = convolve(x, 112, (5, 3), padding="valid")  # (n, 1, w / 2, 112)
    x = convolve(x, 112, (1, 5))
    x = refine(convolve(x, 112, (1, 7)), (1, 5))
    x = layers.Dropout(dropout)(layers.Reshape((-1, 112))(x))  # (n, w / 2, 112)
    return keras.Model(images, layers.Dense(1 + len(SIGNS), name="logits")(x), name="sequence")


def fit_sequence(
    recipe: SequenceRecipe, train: Split, seed: int, folder: Path, resume: bool, start: Path | None = None
) -> tuple[keras.Model, float]:
    """Train a network with Adam, the learning rate rising and then falling along a cosine.

    Returns it, and the seconds that it took, those before an interruption included.
    """
    keras.utils.set_random_seed(seed)
    network = build_sequence_network(recipe.dropout)
    if start:
        go_on_from(start, network, _seen_at_first(train))
    copy = copy_for_training(network)
    steps = round(recipe.lines * recipe.reuse / recipe.batch)  # a round
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, steps * recipe.rounds * 19 // 20, alpha=0.01, warmup_target=recipe.learning_rate,
        warmup_steps=max(1, steps * recipe.rounds // 20),
    )  # fmt: skip
    copy.compile(keras.optimizers.Adam(rate, clipnorm=5.0), sequence_loss, jit_compile=False)
    copy.optimizer.build(copy.trainable_variables)
    done, seconds = _restore(copy, folder) if resume else (0, 0.0)
    began = time.monotonic() - seconds
    with _writing(train, recipe, seed, done) as rounds:
        pool: list[list[Line]] = []
        for index, lines in rounds:
            pool = [*pool[1 - KEPT :], lines]
            if index < done:
                continue
            rng = np.random.default_rng((seed, index))
            batches = _batches([line for part in pool for line in part], recipe.batch, steps, rng)
            losses = [copy.train_on_batch(*batch) for batch in batches]
            print(f"Sequence network, round {index + 1} of {recipe.rounds}: loss {np.mean(losses):.4f}", flush=True)
            seconds = time.monotonic() - began
            _keep(copy, index + 1, seconds, folder)
    network.set_weights(copy.get_weights())
    return network, seconds


def _seen_at_first(train: Split) -> list[np.ndarray]:
    """Batches of lines of all widths, (SEEN_AT_FIRST, 40, w, 1) float32."""
    lines = write_lines(train, 8 * SEEN_AT_FIRST, 0)
    pictures = sorted((picture for picture, _ in lines), key=lambda picture: picture.shape[1])
    return [side_by_side(pictures[first : first + SEEN_AT_FIRST]) for first in range(0, len(pictures), SEEN_AT_FIRST)]


@contextmanager
def _writing(train: Split, recipe: SequenceRecipe, seed: int, done: int) -> Iterator[Iterator[tuple[int, list[Line]]]]:
    """The rounds' lines, written by a process beside this one, one round ahead; from the oldest that is still kept."""
    first = max(0, done - KEPT + 1)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:

        def order(index: int) -> Future[list[Line]]:
            return pool.submit(write_lines, train, recipe.lines, seed + 1000 * (index + 1))

        def rounds() -> Iterator[tuple[int, list[Line]]]:
            ordered = order(first)
            for index in range(first, recipe.rounds):
                lines = ordered.result()
                if index + 1 < recipe.rounds:
                    ordered = order(index + 1)
                yield index, lines

        yield rounds()


def _keep(copy: keras.Model, done: int, seconds: float, folder: Path) -> None:
    """Weights and the optimiser's state, written aside and moved into place."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {f"v{place}": ops.convert_to_numpy(value) for place, value in enumerate(_state(copy))}
    aside = folder / "aside.npz"
    np.savez(aside, done=done, seconds=seconds, **values)
    aside.replace(folder / "state.npz")


def _restore(copy: keras.Model, folder: Path) -> tuple[int, float]:
    """How many rounds were done, and in how many seconds; their state goes into the model."""
    path = folder / "state.npz"
    if not path.is_file():
        return 0, 0.0
    with np.load(path) as kept:
        for place, value in enumerate(_state(copy)):
            value.assign(kept[f"v{place}"])
        return int(kept["done"]), float(kept["seconds"])


def _state(copy: keras.Model) -> list[keras.Variable]:
    return [*copy.variables, *copy.optimizer.variables]


def sequence_loss(targets: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Connectionist temporal classification (Graves et al. 2006), and cross-entropy at the places that are known.

    targets: (n, LONGEST + places) int, the columns of the signs in order, filled up with 0, and of each place its
    column or UNDECIDED.
    """
    signs, places = targets[:, :LONGEST], targets[:, LONGEST:]
    in_order = HOPELESS * ops.mean(ops.log1p(keras.losses.CTC(reduction=None)(signs, logits) / HOPELESS))
    known = ops.cast(places != UNDECIDED, "float32")
    entropy = ops.sparse_categorical_crossentropy(ops.maximum(places, 0), logits, from_logits=True)
    return in_order + PLACES_COUNT * ops.sum(entropy * known) / ops.cast(ops.shape(signs)[0], "float32")


def _batches(
    lines: list[Line], size: int, count: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Lines of about the same width together: (size, 40, w, 1) pictures, and targets of sequence_loss."""
    widths = np.array([picture.shape[1] for picture, _ in lines])
    while count > 0:
        order = np.argsort(widths + rng.uniform(-ALIKE, ALIKE, len(lines)))
        for start in size * rng.permutation(len(lines) // size)[:count]:
            batch = [lines[place] for place in order[start : start + size]]
            images = side_by_side([picture for picture, _ in batch])
            yield images, np.stack([_targets(signs, images.shape[2] // STEP) for _, signs in batch])
        count -= len(lines) // size


def _targets(signs: list[Placed], places: int) -> np.ndarray:
    columns = [1 + SIGNS.index(one.label) for one in signs]
    seen = np.full(places, NONE, np.int32)
    middles = [int(one.middle / STEP) for one in signs]
    for share, mark in ((BODY, lambda column: UNDECIDED), (CENTRE, lambda column: column)):
        for one, column, middle in zip(signs, columns, middles, strict=True):
            reach = max(int(share > CENTRE), round(share * one.width / STEP))
            seen[max(0, middle - reach) : middle + reach + 1] = mark(column)
    in_order = np.zeros(LONGEST, np.int32)
    in_order[: len(columns)] = columns
    return np.concatenate([in_order, seen])


def side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """(n, 40, w, 1) float32 in [0, 1], with paper to the right of the narrower ones."""
    width = max(picture.shape[1] for picture in pictures)
    images = np.zeros((len(pictures), HEIGHT + 2 * ABOVE, width + -width % ROUNDING, 1), np.float32)
    for image, picture in zip(images, pictures, strict=True):
        image[:, : picture.shape[1], 0] = picture / np.float32(255)
    return images


def export_sequence(network: keras.Model, path: Path, pictures: list[np.ndarray]) -> float:
    """Write `network` with a softmax to `path` as ONNX, its weights in 16 bits, once it reads `pictures` as Keras does.

    Returns the largest difference between two probabilities. Raises ModelError if it is above TOLERANCE_HALVED; `path`
    is then left as it was.
    """
    model = keras.Model(network.input, layers.Softmax()(network.output))

    def compare(exported: Path) -> float:
        halve(exported)
        reader = SequenceReader(exported)
        return max(_difference(model, reader, picture / np.float32(255)) for picture in pictures)

    return export_compared(model, path, side_by_side(pictures[:1]), compare, TOLERANCE_HALVED, f"{len(pictures)} lines")


def _difference(model: keras.Model, reader: SequenceReader, framed: np.ndarray) -> float:
    expected = keras.ops.convert_to_numpy(model(framed[None, ..., None], training=False))[0]
    return float(np.abs(expected - reader.probabilities(framed)).max())


def read_line(reader: SequenceReader, picture: np.ndarray) -> str:
    """What the network reads in a picture of write_lines."""
    return Reading(reader.probabilities(picture / np.float32(255)), 1.0).text


def text_of(signs: list[Placed]) -> str:
    """The text of a line of write_lines."""
    return "".join(one.label for one in signs)
