"""Fit: the recipe, from MNIST to a trained network that can be interrupted and resumed."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
from pathlib import Path

import keras
import numpy as np

from digits.classifier import Classifier
from digits.errors import ModelError
from digits.files import sole_writer
from digits.training.batches import Batch, Pictures, validation_pictures
from digits.training.callbacks import EpochSeed, Interruption, OneCycle, Stopwatch
from digits.training.data import Mnist, Split
from digits.training.history import REFINING, column_folders, cycle_folders, read_round
from digits.training.network import copy_for_training, join_columns, load_calibrated_network, split_columns
from digits.training.processes import run_beside
from digits.training.recipe import Recipe

KEPT = "kept.weights.h5"
ENDED = "ended"  # an empty file in the folder of a round that has ended, perhaps before its last epoch
PATIENCE = 10  # epochs without a better validation loss before training stops


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
        forget(folder)
    arguments = [
        (number, column.get_weights(), recipe, mnist, seed, column_folder, bool(start), teacher)
        for number, (column, column_folder) in enumerate(zip(columns, column_folders(folder), strict=False))
    ]
    trained = run_beside(_fit_column, arguments) if len(columns) > 1 else [_fit_column(*arguments[0])]
    for column, weights in zip(columns, trained, strict=True):
        column.set_weights(weights)
    return join_columns(columns)


def _trained_network(columns: list[keras.Model], start: Path) -> keras.Model:
    trained = load_calibrated_network(start).get_layer("digits")
    if [weight.shape for weight in trained.weights] != [weight.shape for weight in join_columns(columns).weights]:
        raise ModelError(f"{start} holds a network of another size. Start from a model of the same preset.")
    return trained


def forget(folder: Path) -> None:
    """Remove what an earlier run left, all but the lock that this one holds."""
    for path in folder.glob("[!.]*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


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
    for cycle, cycle_folder in enumerate(cycle_folders(folder, recipe.cycles)):
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
    network = copy_for_training(network)  # a new one: a network keeps the epoch from which it was resumed
    _compile(network, recipe)
    if not (folder / ENDED).exists():
        epoch = first + len(read_round(folder))
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
    # Made now, or TensorFlow would trace the training step twice: it does so where the first trace makes variables.
    network.optimizer.build(network.trainable_variables)


def _callbacks(
    recipe: Recipe, folder: Path, pictures: Pictures, first: int, choose: bool
) -> list[keras.callbacks.Callback]:
    best = min((row["val_loss"] for row in read_round(folder)), default=None)
    return [
        # The order matters: the state is saved with the plain weights, those that are kept are the averaged ones.
        OneCycle(first, recipe.epochs, pictures.steps(recipe)),
        EpochSeed(pictures.seed),
        keras.callbacks.BackupAndRestore(folder / "state", double_checkpoint=True, delete_checkpoint=False),
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


def _mean(weights: list[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.mean(arrays, axis=0) for arrays in zip(*weights, strict=True)]
