"""Train the digit recogniser on MNIST and save model.h5: python train_model.py

Loads MNIST, augments it, fits a small convolutional network with Adam, early stopping and learning-rate reduction,
calibrates its percentages, and saves it as model.h5 and, for serving, as digits/model.onnx.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up chatter hides what matters
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the augmentation's small products only disturb the network's

try:
    from digits.classifier import SHIPPED_MODEL
    from digits.errors import DigitsError
    from digits.ink import SHIPPED_INK_MODEL
    from digits.models import served_file
    from digits.sequence import SHIPPED_SEQUENCE_MODEL
    from digits.training.data import Mnist, load_mnist
    from digits.training.evaluate import evaluate
    from digits.training.fit import fit
    from digits.training.fonts import DIGESTS as FONTS
    from digits.training.fonts import load_fonts
    from digits.training.recipe import PRESETS
    from digits.training.save import calibrate, save
except ModuleNotFoundError as error:
    sys.exit(f"train_model.py: training needs {error.name}. Install it with: pip install -r requirements-dev.txt")


def main() -> None:
    """Train, calibrate, save; interrupted, it can be taken up again with --resume."""
    options = parse_options()
    try:
        train(options)
    except DigitsError as error:
        sys.exit(f"train_model.py: {error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The last saved model is untouched; go on with the same command and --resume.")


def train(options: argparse.Namespace) -> None:
    """The story: data, network, calibration, files."""
    if options.corrections:
        from digits.training.corrections import improve

        improve(options.corrections, model=options.out, data=options.data, seed=options.seed)
        return
    if options.mean and not (options.sequence or options.ink):
        raise DigitsError("--mean is of networks for ink or lines: name --ink FILE or --sequence FILE, too.")
    if options.sequence:
        train_sequence_network(options)
        return
    if options.ink:
        train_ink_network(options)
        return
    recipe = PRESETS[options.preset]
    if options.start:
        recipe = recipe.further_cycle()
    if options.epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=options.epochs)
    if recipe.epochs < 0 or recipe.passes < 1:
        raise DigitsError(
            f"There is nothing to train: {recipe.epochs} passes and {recipe.refining} refining ones. "
            "Name at least 1 with --epochs, or 0 with a preset that has refining passes."
        )
    mnist = load_data(options)
    if options.limit:
        mnist = dataclasses.replace(mnist, train=mnist.train.first(options.limit))
        recipe = recipe.limited(options.limit)
    print(f"MNIST: {len(mnist.train):,} pictures to train on, {len(mnist.validation):,} to validate. {recipe}")
    folder = Path("runs") / options.out.stem
    network = fit(recipe, mnist, options.seed, folder, options.resume, options.start, options.teacher)
    model, calibration = calibrate(network, mnist.calibration, options.seed)
    save(model, options.out, recipe, options.seed, mnist, calibration, folder, options.start, options.teacher)
    if not options.limit:  # a trial run is not worth a look at the test set
        print(evaluate(served_file(options.out), options.data, folder / "evaluation"))


def load_data(options: argparse.Namespace) -> Mnist:
    """MNIST; and, but for trial runs, the fonts of handwriting come into the cache."""
    mnist = load_mnist(options.data)
    if not options.limit:
        print(f"Fonts of handwriting to write words and numbers in: {load_fonts()} of {len(FONTS)}.")
    return mnist


def train_sequence_network(options: argparse.Namespace) -> None:
    """The same for the network that reads lines of digits and signs."""
    from digits.training.sequence import SequenceRecipe, average_sequences, train_sequence

    if options.mean:
        right = average_sequences(options.mean, load_data(options), options.sequence)
        print(f"Saved {options.sequence}; it reads {right:.1%} of the lines that it is tried on.")
        return
    recipe = SequenceRecipe().further() if options.start else SequenceRecipe()
    if options.epochs is not None:
        recipe = dataclasses.replace(recipe, rounds=options.epochs)
    if options.limit:
        recipe = dataclasses.replace(recipe, lines=options.limit)
    if recipe.rounds < 1 or recipe.lines < recipe.batch:
        raise DigitsError(
            f"There is nothing to train: {recipe.rounds} rounds of {recipe.lines} lines. "
            f"Name at least 1 with --epochs, and {recipe.batch} with --limit."
        )
    folder = Path("runs") / options.sequence.stem
    mnist = load_data(options)
    right = train_sequence(recipe, mnist, options.seed, options.sequence, folder, options.resume, options.start)
    print(f"Saved {options.sequence}; it reads {right:.1%} of the lines that it is tried on.")


def train_ink_network(options: argparse.Namespace) -> None:
    """The same for the network that tells ink from paper."""
    from digits.training.ink import InkRecipe, average_inks, train_ink

    if options.mean:
        overlap = average_inks(options.mean, load_data(options), options.ink)
        print(f"Saved {options.ink}; what it finds and the true ink of pages overlap by {overlap:.1%}.")
        return
    recipe = InkRecipe().further() if options.start else InkRecipe()
    if options.limit:
        recipe = dataclasses.replace(recipe, steps_per_epoch=options.limit)
    if options.epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=options.epochs)
    if recipe.epochs < 1 or recipe.steps_per_epoch < 1:
        raise DigitsError(
            f"There is nothing to train: {recipe.epochs} epochs of {recipe.steps_per_epoch} steps. "
            "Name at least 1 with --epochs, and 1 with --limit."
        )
    folder = Path("runs") / options.ink.stem
    mnist = load_data(options)
    overlap = train_ink(recipe, mnist, options.seed, options.ink, folder, options.resume, options.start)
    print(f"Saved {options.ink}; what it finds and the true ink of pages that it is tried on overlap by {overlap:.1%}.")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="default", help="how long to train (default: %(default)s)")
    parser.add_argument("--epochs", type=int, help="passes over the training pictures before the last, refining ones")
    parser.add_argument("--limit", type=int, help="train on the first LIMIT pictures only")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same machine: same result (default: 1)")
    parser.add_argument("--data", type=Path, help="folder with MNIST's four IDX files (default: cache, then download)")
    parser.add_argument("--out", type=Path, help="the model to write (default: model.h5; model-tiny.h5 of tiny)")
    parser.add_argument(
        "--teacher", type=Path, help="model to learn from instead of the labels (tiny: the shipped one)"
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="MODEL",
        help="start a further round from this model.h5; with --ink or --sequence, from this .onnx",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last finished epoch")
    parser.add_argument(
        "--sequence",
        type=Path,
        nargs="?",
        const=SHIPPED_SEQUENCE_MODEL,
        metavar="FILE",
        help="train the network that reads lines instead (default file: digits/sequence.onnx)",
    )
    parser.add_argument(
        "--ink",
        type=Path,
        nargs="?",
        const=SHIPPED_INK_MODEL,
        metavar="FILE",
        help="train the network that tells ink from paper instead (default file: digits/ink.onnx)",
    )
    parser.add_argument(
        "--mean",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="with --ink or --sequence: write the mean of the weights of these .onnx files, and train nothing",
    )
    parser.add_argument("--corrections", type=Path, metavar="FOLDER", help="improve the model with flagged pictures")
    options = parser.parse_args()
    if PRESETS[options.preset].tiny:
        options.teacher = options.teacher or SHIPPED_MODEL
        options.out = options.out or Path("model-tiny.h5")
    options.out = options.out or Path("model.h5")
    return options


if __name__ == "__main__":
    main()
