"""What each part of the training recipe is worth: trained without it, and measured on what recipes are chosen by.

    python benchmarks/ablation.py --data ../shared/drawings --epochs 8 --seeds 3
    python benchmarks/ablation.py --epochs 12 --limit 10000 --seeds 2 --out benchmarks/ablation.md    # half an hour

Measured are pictures of MNIST's training split that were not trained on (with --limit; else the validation split), the
validation split augmented, and drawings and letters of the dev-train writers; never MNIST's test set or the dev-test
writers.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in train_model.py

import keras
import numpy as np
from rendering import draw_anywhere, drawings_folder, load_strokes

from digits import Recognizer
from digits.classifier import Classifier
from digits.training.batches import VALIDATION_SEED, augmented
from digits.training.calibrate import negative_log_likelihood
from digits.training.data import Mnist, Split, load_mnist
from digits.training.evaluate import describe_machine
from digits.training.export import export_onnx
from digits.training.fit import fit
from digits.training.metrics import auroc
from digits.training.recipe import PRESETS, Recipe
from digits.training.save import calibrate

VARIANTS: dict[str, dict[str, Any]] = {
    "the recipe": {},
    "no refining passes": {"refining": 0},
    "refined once, on a third of the drawn pictures": {"refining": 8, "refining_drawn": (1 / 3,)},
    "refined once, on all of them": {"refining": 8, "refining_drawn": (1.0,)},
    "no bends in the refining passes": {"bend": 0.0},
    "two columns": {"width": 0.7, "pooling": True},
    "half as wide": {"width": 0.5},
    "half again as wide": {"width": 1.5},
    "half the learning rate": {"learning_rate": 2e-3},
    "weights hardly averaged": {"ema": 0.9},
    "MNIST's pictures as they are": {"augmented": 0.0, "bend": 0.0},
    "no spoiled pictures": {"spoiled": 0.0},
    "no signs and spliced digits": {"not_digits": 0.0, "spliced": 0},
    "hardly any drawn pictures": {"drawn": 600},
}
COLUMNS = (
    "unseen, wrong %",
    "unseen, NLL",
    "augmented, wrong %",
    "pen drawings, wrong %",
    "AUROC against letters",
)
DRAWINGS = 1_000  # of the dev-train writers, and half as many letters
AUGMENTED_COPIES = 3


class Bench:
    """The pictures that every variant is asked about."""

    def __init__(self, mnist: Mnist, unseen: Split, data: Path) -> None:
        rng = np.random.default_rng(VALIDATION_SEED)
        self.mnist, self.unseen = mnist, unseen
        self.augmented = np.concatenate([augmented(mnist.validation, rng, 0.0) for _ in range(AUGMENTED_COPIES)])
        self.digits, self.labels = _draw(data / "pen_digits.jsonl.gz", DRAWINGS, rng)
        self.letters, _ = _draw(data / "pen_letters.jsonl.gz", DRAWINGS // 2, rng)

    def measure(self, model: Path) -> list[float]:
        """The figures of COLUMNS."""
        unseen = _answers(model, self.unseen.images.astype(np.float32) / 255)
        changed = _answers(model, self.augmented)
        recognizer = Recognizer(model)
        digits = list(recognizer.recognize_many(self.digits, single=True))
        letters = list(recognizer.recognize_many(self.letters, single=True))
        return [
            _wrong(unseen, self.unseen.labels),
            negative_log_likelihood(np.log(np.maximum(unseen, 1e-9)), self.unseen.labels),
            _wrong(changed, np.tile(self.mnist.validation.labels, AUGMENTED_COPIES)),
            100 * float(np.mean([one.text != label for one, label in zip(digits, self.labels, strict=True)])),
            auroc(_confidences(digits), _confidences(letters)),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="VARIANT")
    parser.add_argument(
        "--epochs", type=int, default=PRESETS["default"].passes, help="passes of each run, refining ones included"
    )
    parser.add_argument("--limit", type=int, help="train on the first pictures only, with fewer drawn ones, too")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs of each variant")
    parser.add_argument("--out", type=Path, help="Markdown file to write the table to")
    options = parser.parse_args()
    mnist = load_mnist(options.mnist)
    recipe, unseen = PRESETS["default"], mnist.validation
    if options.limit:
        share = options.limit / len(mnist.train)
        recipe = dataclasses.replace(
            recipe,
            drawn=round(recipe.drawn * share),
            spliced=round(recipe.spliced * share),
            ema=recipe.ema ** (1 / share),  # the same part of a pass
        )
        unseen = Split(mnist.train.images[options.limit :], mnist.train.labels[options.limit :])
        mnist = dataclasses.replace(mnist, train=mnist.train.first(options.limit))
    bench = Bench(mnist, unseen, options.data)
    lines = [_heading(options, recipe, bench), f"| trained with | {' | '.join(COLUMNS)} |", "|---" * 6 + "|"]
    for name in options.only:
        variant = dataclasses.replace(recipe, **VARIANTS[name])
        variant = dataclasses.replace(variant, epochs=variant.epochs + options.epochs - variant.passes)
        figures = np.array([_train_and_measure(variant, mnist, seed, bench) for seed in range(options.seeds)])
        lines.append(f"| {name} | {' | '.join(_cell(column) for column in figures.T)} |")
        print("\n".join(lines), flush=True)
        if options.out is not None:  # after each variant, for a run may be cut short
            options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _train_and_measure(recipe: Recipe, mnist: Mnist, seed: int, bench: Bench) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        network = fit(recipe, mnist, seed, Path(folder) / "run")
        model, _ = calibrate(network, mnist.calibration, seed)
        file = Path(folder) / "model.onnx"
        export_onnx(model, file, mnist.validation.first(100).images.astype(np.float32)[..., None] / 255)
        keras.utils.clear_session()
        return bench.measure(file)


def _wrong(answers: np.ndarray, labels: np.ndarray) -> float:
    return 100 * float((answers.argmax(axis=1) != labels).mean())


def _answers(model: Path, images: np.ndarray) -> np.ndarray:
    """(n, 10) probabilities of the labels, given that it is a digit."""
    answers = Classifier(model).classify(images[..., None])
    return answers / answers.sum(axis=1, keepdims=True)


def _draw(file: Path, count: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[str]]:
    drawings = load_strokes(file, "dev-train")
    chosen = [drawings[place] for place in rng.permutation(len(drawings))[:count]]
    return [draw_anywhere(one["strokes"], rng) for one in chosen], [str(one["label"]) for one in chosen]


def _confidences(answers: list[Any]) -> np.ndarray:
    return np.array([one.digits[0].confidence if one.digits else 0.0 for one in answers])


def _heading(options: argparse.Namespace, recipe: Recipe, bench: Bench) -> str:
    return (
        f"`python benchmarks/ablation.py {' '.join(sys.argv[1:])}`: {options.seeds} run(s) of each variant, "
        f"{len(bench.mnist.train):,} of MNIST's pictures and {recipe.drawn:,} drawn ones a pass, {options.epochs} "
        f"passes; n = {len(bench.unseen):,} unseen pictures, {len(bench.augmented):,} augmented ones, {DRAWINGS:,} "
        f"drawings and {DRAWINGS // 2} letters of dev-train writers. {describe_machine()}; Python "
        f"{platform.python_version()}, Keras {keras.__version__} on {keras.backend.backend()}. In brackets the lowest "
        "and the highest run.\n"
    )


def _cell(runs: np.ndarray) -> str:
    spread = f" ({runs.min():.3f} to {runs.max():.3f})" if len(runs) > 1 else ""
    return f"{runs.mean():.3f}{spread}"


if __name__ == "__main__":
    main()
