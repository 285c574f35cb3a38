"""Batches: the pictures that a network is trained and validated on, changed anew in every pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from digits.training.augment import NOT_A_DIGIT, augment, bend, no_digit
from digits.training.data import Split
from digits.training.numbers import synthesise_parts
from digits.training.recipe import Recipe
from digits.training.strokes import synthesise

VALIDATION_SEED = 17  # the augmented part of the validation pictures is the same in every run
DIFFERENT = 3  # passes' worth of synthetic pictures that are made, and then augmented anew in each pass
SOFTNESS = 3.0  # temperature at which a teacher's answers are learned

Batch = tuple[np.ndarray, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(n, 28, 28, 1) pictures; targets (n, 10) and (n, 1) in [0, 1]; (n,) weights of either. All float32."""

Teacher = Callable[[np.ndarray], np.ndarray]
"""(n, 28, 28, 1) float32 to (n, 10) probabilities, a row summing to that of a digit: Classifier.classify."""


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
