"""Fit: the recipe, from MNIST to a trained network that can be interrupted and resumed."""

from __future__ import annotations

import csv
import math
import multiprocessing
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from digits.classifier import Classifier
from digits.errors import ModelError
from digits.files import sole_writer
from digits.training.augment import NOT_A_DIGIT, augment, bend, no_digit
from digits.training.data import Mnist, Split
from digits.training.network import (
    build_network,
    build_pooling_network,
    build_tiny_network,
    join_columns,
    load_calibrated_network,
    split_columns,
)
from digits.training.numbers import synthesise_parts
from digits.training.processes import is_told_to_end, run_beside
from digits.training.strokes import synthesise

VALIDATION_SEED = 17  # the augmented part of the validation pictures is the same in every run
DIFFERENT = 3  # passes' worth of synthetic pictures that are made, and then augmented anew in each pass
WARM_UP = 0.2  # share of the steps during which the learning rate rises
LEAST = 0.01  # share of the highest learning rate at the last step
KEPT = "kept.weights.h5"
ENDED = "ended"  # an empty file in the folder of a round that has ended, perhaps before its last epoch
REFINING = "refining-"  # and its number: folder of a refining round, in that of its cycle
CYCLE = "cycle-"  # and its number: folder of a later cycle, in that of its column
SECOND_COLUMN = "column-2"  # folder of the second column, if there is one, in that of the run
PATIENCE = 10  # epochs without a better validation loss before training stops
REFINING_RATE = 2e-3  # highest learning rate of the refining passes
REFINING_AUGMENTED = 0.1  # share of MNIST's pictures that are augmented in them
SOFTNESS = 3.0  # temperature at which a teacher's answers are learned

Batch = tuple[np.ndarray, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(n, 28, 28, 1) pictures; targets (n, 10) and (n, 1) in [0, 1]; (n,) weights of either. All float32."""

Teacher = Callable[[np.ndarray], np.ndarray]
"""(n, 28, 28, 1) float32 to (n, 10) probabilities, a row summing to that of a digit: Classifier.classify."""


@dataclass(frozen=True)
class Recipe:
    """What training costs and what it is fed with; the presets are one recipe scaled up and down.

    epochs: passes over MNIST's training split. refining: passes of each refining round that follows; in them MNIST's
    pictures are changed little. refining_drawn: share of the drawn pictures that each of these rounds sees.
    cycles: how often this all is done, each time from the weights of the time before.
    width: of the network's layers.
    pooling: whether a second network, that of build_pooling_network, is trained likewise and joined as a column.
    drawn: synthetic pictures a pass; a third are parts of numbers, and of the others `not_digits` hold no digit.
    spliced: non-digits a pass that are made of MNIST's digits. augmented: share of MNIST's pictures that are augmented;
    all others are. spoiled: share of the augmented ones with noise, lines, haze and the like. bend: how far those that
    are not augmented are bent, as a share of how far these are. batch: pictures a step. betas: Adam's. ema: momentum of
    the weights' average.
    tiny: the network of build_tiny_network, which has neither a width nor dropout.
    """

    epochs: int
    refining: int = 0
    refining_drawn: tuple[float, ...] = (1 / 3, 1.0)
    cycles: int = 1
    width: float = 1.0
    drawn: int = 24_000
    not_digits: float = 0.4
    spliced: int = 4_800
    augmented: float = 1.0
    spoiled: float = 0.1
    bend: float = 0.5
    dropout: float = 0.3
    batch: int = 128
    learning_rate: float = 4e-3
    betas: tuple[float, float] = (0.9, 0.999)
    ema: float = 0.998
    pooling: bool = False
    tiny: bool = False

    def build(self) -> keras.Model:
        """The network before training."""
        return join_columns(self.build_columns())

    def build_columns(self) -> list[keras.Model]:
        """The networks that are trained apart, and joined then."""
        if self.tiny:
            return [build_tiny_network()]
        return [build_network(self.width, self.dropout), *([build_pooling_network()] if self.pooling else [])]

    @property
    def passes(self) -> int:
        """Those of each column, the refining ones included."""
        return self.cycles * (self.epochs + self.refining * len(self.refining_drawn))

    def cycle(self, number: int) -> Recipe:
        """The recipe of one cycle, counted from 0."""
        return self.further_cycle() if number else replace(self, cycles=1)

    def further_cycle(self) -> Recipe:
        """The recipe for a network that is trained already: the learning rate rises again, half as high, and falls.

        Source: Loshchilov & Hutter 2017, "SGDR", arXiv:1608.03983.
        """
        return replace(self, learning_rate=self.learning_rate / 2, cycles=1)

    def limited(self, pictures: int) -> Recipe:
        """The recipe for a trial run on so many of MNIST's pictures."""
        return replace(self, drawn=min(self.drawn, pictures), spliced=min(self.spliced, pictures))

    def refining_rounds(self) -> list[Recipe]:
        """The recipes of the refining rounds: back to pictures nearly as they are, which training has hardly seen.

        Source: He et al. 2019, "Data augmentation revisited: Rethinking the distribution gap between clean and
        augmented data", arXiv:1909.09148.
        """
        return [
            replace(
                self,
                epochs=self.refining,
                drawn=round(self.drawn * drawn),
                augmented=min(self.augmented, REFINING_AUGMENTED),
                learning_rate=REFINING_RATE,
            )
            for drawn in self.refining_drawn
        ]


PRESETS = {
    # In two passes there is no time for what is hard, nor for long memories.
    "quick": Recipe(
        epochs=2,
        width=0.375,
        drawn=500,
        spliced=100,
        augmented=0.3,
        spoiled=0.0,
        bend=0.0,
        dropout=0.0,
        batch=256,
        learning_rate=0.03,
        betas=(0.8, 0.95),
        ema=0.96,
    ),
    "default": Recipe(epochs=8, refining=4, drawn=12_000, spliced=2_400),
    "best": Recipe(epochs=18, refining=5, cycles=2, width=0.8, pooling=True),
    # A small net has no room for what it is rarely asked, and is not at risk of learning pictures by heart.
    "tiny": Recipe(
        epochs=57,
        refining=3,
        drawn=8_000,
        spliced=1_600,
        augmented=0.7,
        spoiled=0.05,
        batch=256,
        learning_rate=0.01,
        tiny=True,
    ),
}


def fit(
    recipe: Recipe,
    mnist: Mnist,
    seed: int,
    folder: Path,
    resume: bool = False,
    start: Path | None = None,
    teacher: Path | None = None,
) -> keras.Model:
    """Train a network, in cycles: a round of recipe.epochs passes, then refining rounds of recipe.refining passes.

    Its columns, if it has several, are each trained so beside each other, in processes of their own, and then joined.

    folder: where the training state, the weights that are kept and history.csv of each round are, to resume from.
    start: a model.h5 whose weights to start from; random weights if None.
    teacher: the file of a larger model whose answers the network learns instead of the labels (Hinton et al. 2015,
        "Distilling the knowledge in a neural network", arXiv:1503.02531).
    Returns the network. Of a cycle's first round, the best weights on the validation pictures are kept; if it started
    from trained weights, the mean of these and them. The refining rounds all start from what is kept of the first; they
    are short and end at a learning rate of nearly 0, so that their last weights count. What they see differs, and the
    mean of their weights is better at all of it than each of them (Wortsman et al. 2022, "Model soups",
    arXiv:2203.05482).
    Raises ModelError if another program is training in the folder, if `start` is no model of this recipe's size, or if
    `teacher` is no model.
    """
    try:
        with sole_writer(folder):
            return _fit(recipe, mnist, seed, folder, resume, start, teacher)
    except TimeoutError as error:
        raise ModelError(
            f"Another training is at work in {folder}. Wait until it has ended, or train a model of another name: --out"
        ) from error


def _fit(
    recipe: Recipe,
    mnist: Mnist,
    seed: int,
    folder: Path,
    resume: bool,
    start: Path | None,
    teacher: Path | None,
) -> keras.Model:
    keras.utils.set_random_seed(seed)
    columns = recipe.build_columns()
    # Files that are no models are refused before an earlier run is forgotten.
    if teacher:
        Classifier(teacher)
    if start:
        split_columns(_trained_network(columns, start), columns)
    if not resume:
        _forget(folder)
    arguments = [
        (number, column.get_weights(), recipe, mnist, seed, column_folder, bool(start), teacher)
        for number, (column, column_folder) in enumerate(zip(columns, _column_folders(folder), strict=False))
    ]
    trained = run_beside(_fit_column, arguments) if len(columns) > 1 else [_fit_column(*arguments[0])]
    for column, weights in zip(columns, trained, strict=True):
        column.set_weights(weights)
    return join_columns(columns)


def _fit_column(
    number: int,
    weights: list[np.ndarray],
    recipe: Recipe,
    mnist: Mnist,
    seed: int,
    folder: Path,
    trained: bool,
    teacher: Path | None,
) -> list[np.ndarray]:
    """The weights of a column after all cycles.

    number: of the column, counted from 0. weights: to start from. trained: whether they are from an earlier run.
    """
    network = recipe.build_columns()[number]
    network.set_weights(weights)
    pictures = Pictures(recipe, mnist.train, seed, Classifier(teacher).classify if teacher else None)
    first = number * recipe.passes
    for cycle, cycle_folder in enumerate(_cycle_folders(folder, recipe.cycles)):
        cycle_recipe = recipe.cycle(cycle)
        _fit_cycle(network, cycle_recipe, mnist.validation, pictures, cycle_folder, first, trained or cycle > 0)
        first += cycle_recipe.passes
    return list(network.get_weights())


def _fit_cycle(
    network: keras.Model,
    recipe: Recipe,
    validation: Split,
    pictures: Pictures,
    folder: Path,
    first: int,
    trained: bool,
) -> None:
    """All rounds of a cycle. first: number of its first epoch. trained: whether the network is already."""
    if recipe.epochs:
        seen = validation_pictures(validation, pictures.teacher)
        best = _train(network, recipe, pictures, seen, folder, first)
        network.set_weights(_mean([network.get_weights(), best]) if trained else best)
    if recipe.refining:
        seen = validation_pictures(validation, pictures.teacher, changed=False)
        first += recipe.epochs
        refined = []
        for number, refining in enumerate(recipe.refining_rounds(), 1):
            refined.append(
                _train(network, refining, pictures, seen, folder / f"{REFINING}{number}", first, choose=False)
            )
            first += recipe.refining
        network.set_weights(_mean(refined))


def _column_folders(folder: Path) -> tuple[Path, Path]:
    return folder, folder / SECOND_COLUMN


def _cycle_folders(column: Path, cycles: int) -> list[Path]:
    return [column, *(column / f"{CYCLE}{number}" for number in range(2, cycles + 1))]


def _mean(weights: list[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.mean(arrays, axis=0) for arrays in zip(*weights, strict=True)]


def _forget(folder: Path) -> None:
    """Remove what an earlier run left, all but the lock that this one holds."""
    for path in folder.glob("[!.]*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


class Pictures:
    """The training pictures: MNIST's and drawn ones, changed anew in every pass, the same for the same seed.

    recipe: that of the first round; later ones draw on the same pictures.
    """

    def __init__(self, recipe: Recipe, train: Split, seed: int, teacher: Teacher | None = None) -> None:
        self.train, self.seed, self.teacher = train, seed, teacher
        drawn = recipe.drawn * min(recipe.passes, DIFFERENT)
        drawn_images, drawn_labels = synthesise(drawn - drawn // 3, seed, recipe.not_digits)
        part_images, part_labels = synthesise_parts(train, drawn // 3, seed)
        self.images = np.concatenate([train.images, drawn_images, part_images])
        self.labels = np.concatenate([train.labels, drawn_labels, part_labels])

    def steps(self, recipe: Recipe) -> int:
        """Batches in a pass."""
        return max(1, (len(self.train) + recipe.drawn + recipe.spliced) // recipe.batch)

    def batches(self, recipe: Recipe, epoch: int) -> Iterator[Batch]:
        """Endless batches from the start of `epoch` on."""
        while True:
            rng = np.random.default_rng((self.seed, epoch))
            order = self._order(recipe, rng)
            for step in range(self.steps(recipe)):
                yield self._batch(order[step * recipe.batch :][: recipe.batch], recipe, rng)
            epoch += 1

    def _order(self, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
        """A pass: every MNIST picture, some of the drawn ones, and -1 for each picture yet to be spliced."""
        mnist = np.arange(len(self.train))
        drawn = rng.permutation(np.arange(len(self.train), len(self.labels)))[: recipe.drawn]
        return rng.permutation(np.concatenate([mnist, drawn, np.full(recipe.spliced, -1)]))

    def _batch(self, indices: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> Batch:
        chosen = [
            (self.images[i], int(self.labels[i])) if i >= 0 else (no_digit(self.train.images, rng), NOT_A_DIGIT)
            for i in indices
        ]
        # The drawn and the spliced ones are always augmented: without that, letters are taken for digits more often.
        augmented = np.where((indices >= 0) & (indices < len(self.train)), recipe.augmented, 1.0)
        images = np.stack(
            [_change(image, label, share, recipe, rng) for (image, label), share in zip(chosen, augmented, strict=True)]
        )
        return as_batch(images, np.array([label for _, label in chosen]), self.teacher)


def _change(image: np.ndarray, label: int, augmented: float, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """augmented: probability that it is; else it is bent a little."""
    if rng.random() < augmented:
        return augment(image, label, rng, recipe.spoiled)
    ink = image.astype(np.float32) / 255
    return bend(ink, rng, recipe.bend) if recipe.bend else ink


class Stopwatch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Puts the seconds that each epoch took beside what it measured, for a run may be resumed on another day."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs is not None:
            logs["seconds"] = time.monotonic() - self.began


class OneCycle(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """The learning rate of each step: up along a line during WARM_UP of a round, then down along a cosine.

    It is multiplied from step to step, so that the reductions of ReduceLROnPlateau stay in force.
    Source: Smith & Topin 2018, "Super-convergence", arXiv:1708.07120.
    """

    def __init__(self, first_epoch: int, epochs: int, steps_per_epoch: int) -> None:
        super().__init__()
        self.first_epoch, self.steps, self.steps_per_epoch = first_epoch, epochs * steps_per_epoch, steps_per_epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.done = (epoch - self.first_epoch) * self.steps_per_epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        step = self.done + batch
        rate = self.model.optimizer.learning_rate
        rate.assign(rate * self.share(step) / (self.share(step - 1) if step else 1.0))

    def share(self, step: int) -> float:
        """Share of the highest learning rate, in (0, 1]."""
        done = (step + 1) / self.steps
        if done < WARM_UP:
            return done / WARM_UP
        return LEAST + (1 - LEAST) * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


class EpochSeed(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """What dropout draws depends on the epoch alone, or a run that was resumed would end elsewhere.

    Saved weights do not hold the state of a layer's random numbers.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([self.seed, epoch << 16])  # it counts up by one a step


class Interruption(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Ctrl-C takes effect between two batches: no file is half written then, and no call of the backend is cut short.

    So does being told to end by the process that started this one.

    TensorFlow has ended without a word where an interrupt reached it in the midst of a call.
    """

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.asked = False
        self.usual = signal.getsignal(signal.SIGINT)
        if self.usual is signal.default_int_handler:  # else it is ignored, or somebody else's
            signal.signal(signal.SIGINT, self._ask)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self.asked or is_told_to_end():
            self.on_train_end()
            raise KeyboardInterrupt

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        signal.signal(signal.SIGINT, self.usual)

    def _ask(self, *_: object) -> None:
        self.asked = True


def as_batch(images: np.ndarray, labels: np.ndarray, teacher: Teacher | None = None) -> Batch:
    """Pictures, targets and weights as Keras takes them: what is no digit does not count for the label.

    images: (n, 28, 28) float32 in [0, 1]; labels: (n,) int, 0..9 or NOT_A_DIGIT. teacher: whose answers to which digit
        it is are the targets. They are softened, or what is unlikely would teach nothing; calibration makes up for it.
    """
    is_digit = (labels != NOT_A_DIGIT).astype(np.float32)
    images = images[..., None]
    which = _soften(teacher(images)) if teacher else np.eye(11, dtype=np.float32)[labels][:, :10]
    return images, (which, is_digit[:, None]), (is_digit, np.ones_like(is_digit))


def _soften(answers: np.ndarray) -> np.ndarray:
    soft = np.maximum(answers, 1e-9) ** (1 / SOFTNESS)
    return soft / soft.sum(axis=1, keepdims=True)


def validation_pictures(validation: Split, teacher: Teacher | None = None, changed: bool = True) -> Batch:
    """The validation split as it is, if `changed` once more augmented, and half as many non-digits spliced from it."""
    rng = np.random.default_rng(VALIDATION_SEED)
    images = [validation.images.astype(np.float32) / 255]
    if changed:
        images.append(augmented(validation, rng))
    labels = np.tile(validation.labels, len(images))
    spliced = [no_digit(validation.images, rng).astype(np.float32) / 255 for _ in range(len(validation) // 2)]
    labels = np.concatenate([labels, np.full(len(spliced), NOT_A_DIGIT)])
    return as_batch(np.concatenate([*images, spliced]), labels, teacher)


def augmented(split: Split, rng: np.random.Generator, spoiled: float = 0.2) -> np.ndarray:
    """Every picture of a split augmented once: (n, 28, 28) float32 in [0, 1]."""
    pairs = zip(split.images, split.labels, strict=True)
    return np.stack([augment(image, int(label), rng, spoiled) for image, label in pairs])


def read_history(folder: Path) -> list[dict[str, float]]:
    """What each epoch of a run measured, one round after the other, from `folder`; [] if there is none."""
    return [epoch for epochs in read_rounds(folder) for epoch in epochs]


def read_rounds(folder: Path) -> list[list[dict[str, float]]]:
    """The same, a list for each round that has been begun, one column after the other."""
    return [epochs for column in _column_folders(folder) for epochs in _read_column(column)]


def read_seconds(folder: Path) -> float:
    """How long the epochs of a run took: those of its slowest column, for columns are trained beside each other."""
    return max(
        sum(epoch["seconds"] for epochs in _read_column(column) for epoch in epochs)
        for column in _column_folders(folder)
    )


def kept_epochs(recipe: Recipe, rounds: list[list[dict[str, float]]]) -> list[dict[str, float]]:
    """What the epoch measured whose weights were kept, of each of read_rounds.

    It is the best of a cycle's first round, and the last of its refining ones.
    """
    rounds_of_cycle = bool(recipe.epochs) + len(recipe.refining_drawn) * bool(recipe.refining)
    return [
        min(epochs, key=lambda epoch: epoch["val_loss"])
        if recipe.epochs and number % rounds_of_cycle == 0
        else epochs[-1]
        for number, epochs in enumerate(rounds)
    ]


def _read_column(folder: Path) -> list[list[dict[str, float]]]:
    rounds = [
        _read_round(path)
        for cycle in (folder, *sorted(folder.glob(f"{CYCLE}*")))
        for path in (cycle, *sorted(cycle.glob(f"{REFINING}*")))
    ]
    return [epochs for epochs in rounds if epochs]


def _read_round(folder: Path) -> list[dict[str, float]]:
    path = folder / "history.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _trained_network(columns: list[keras.Model], start: Path) -> keras.Model:
    trained = load_calibrated_network(start).get_layer("digits")
    if [weight.shape for weight in trained.weights] != [weight.shape for weight in join_columns(columns).weights]:
        raise ModelError(f"{start} holds a network of another size. Start from a model of the same preset.")
    return trained


def _train(
    network: keras.Model,
    recipe: Recipe,
    pictures: Pictures,
    validation: Batch,
    folder: Path,
    first: int,
    choose: bool = True,
) -> list[np.ndarray]:
    """One round, or what is left of it. Returns its best weights on the validation pictures, or its last ones.

    network: to start from; it stays as it is. first: number of the round's first epoch. choose: keep the best weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = network.get_weights()
    network = keras.models.clone_model(network)  # a new one: a network keeps the epoch from which it was resumed
    network.set_weights(weights)
    _compile(network, recipe)
    if not (folder / ENDED).exists():
        epoch = first + len(_read_round(folder))
        network.fit(
            pictures.batches(recipe, epoch),
            steps_per_epoch=pictures.steps(recipe),
            initial_epoch=epoch,
            epochs=first + recipe.epochs,
            validation_data=validation,
            validation_batch_size=500,
            callbacks=_callbacks(recipe, folder, pictures, first, choose),
            # The bars of several processes would overwrite each other.
            verbose=1 if sys.stdout.isatty() and not multiprocessing.parent_process() else 2,
            shuffle=False,  # the generator has shuffled already
        )
        (folder / ENDED).touch()
    network.load_weights(folder / KEPT)
    return list(network.get_weights())


def _compile(network: keras.Model, recipe: Recipe) -> None:
    network.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate, *recipe.betas, use_ema=True, ema_momentum=recipe.ema),
        loss=[
            keras.losses.CategoricalCrossentropy(from_logits=True),
            keras.losses.BinaryCrossentropy(from_logits=True),
        ],
        weighted_metrics=[["accuracy"], [keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)]],
        # XLA's convolutions on a CPU are slower than TensorFlow's own.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )


def _callbacks(
    recipe: Recipe, folder: Path, pictures: Pictures, first: int, choose: bool
) -> list[keras.callbacks.Callback]:
    best = min((row["val_loss"] for row in _read_round(folder)), default=None)
    return [
        # The order matters: the state is saved with the plain weights, those that are kept are the averaged ones.
        OneCycle(first, recipe.epochs, pictures.steps(recipe)),
        EpochSeed(pictures.seed),
        keras.callbacks.BackupAndRestore(folder / "state", delete_checkpoint=False),
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.ModelCheckpoint(
            folder / KEPT,
            monitor="val_loss",
            save_best_only=choose,
            save_weights_only=True,
            initial_value_threshold=best,
        ),
        # In the first half, while the learning rate is high, a second round is rightly worse than where it started.
        keras.callbacks.EarlyStopping(
            "val_loss", patience=PATIENCE, baseline=best, start_from_epoch=first + recipe.epochs // 2
        ),
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=PATIENCE // 2),
        Stopwatch(),
        keras.callbacks.CSVLogger(folder / "history.csv", append=True),
        Interruption(),
    ]
