import numpy as np
import pytest

from digits.training.augment import augment, bend, no_digit, rewrite, spoil
from digits.training.data import load_mnist


@pytest.fixture(scope="module")
def validation():
    return load_mnist().validation


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def of_label(split, label, count=50):
    return split.images[split.labels == label][:count].astype(np.float32) / 255


def correlation(first, second):
    return np.corrcoef(first.ravel(), second.ravel())[0, 1]


def test_augment_gives_a_picture_like_mnists(validation, rng):
    for image, label in zip(validation.images[:200], validation.labels[:200], strict=True):
        changed = augment(image, int(label), rng)
        assert changed.shape == (28, 28) and changed.dtype == np.float32
        assert changed.min() >= 0 and changed.max() <= 1 and np.isfinite(changed).all()


def test_augment_gives_the_same_pictures_for_the_same_seed(validation):
    first, second = (
        [augment(image, 0, np.random.default_rng(3)) for image in validation.images[:20]] for _ in range(2)
    )
    assert np.array_equal(first, second)


@pytest.mark.parametrize("label", [2, 3, 4, 5, 6, 7, 9])
def test_bend_never_flips(validation, rng, label):
    digits = of_label(validation, label)
    bent = np.mean([bend(digit, rng) for digit in digits], axis=0)
    plain = digits.mean(axis=0)
    for flipped in (plain[:, ::-1], plain[::-1]):
        assert correlation(bent, plain) > correlation(bent, flipped)


def test_bend_moves_things_by_little(validation, rng):
    digits = of_label(validation, 3)
    assert np.mean([correlation(bend(digit, rng), digit) for digit in digits]) > 0.55


def test_bend_changes_less_the_weaker_it_is(validation):
    digits = of_label(validation, 3)

    def likeness(strength):
        rng = np.random.default_rng(7)  # the same motions
        return np.mean([correlation(bend(digit, rng, strength), digit) for digit in digits])

    assert likeness(0.0) == pytest.approx(1, abs=1e-3)
    assert likeness(0.0) > likeness(0.5) > likeness(1.0)


@pytest.mark.parametrize("label", [0, 1, 7])
def test_rewrite_adds_a_stroke_and_keeps_the_frame(validation, rng, label):
    digits = of_label(validation, label, 100)
    written = np.array([rewrite(digit, label, rng) for digit in digits])
    assert written[:, 14, 14].mean() > 0.2 or label != 0  # the slash crosses the middle of a zero
    assert (written.max(axis=(1, 2)) > 0.8).all()
    border = np.concatenate([written[:, :3].ravel(), written[:, -3:].ravel()])
    assert border.mean() < 0.02


def test_spoil_keeps_the_range(validation, rng):
    for image in validation.images[:300]:
        spoiled = spoil(image.astype(np.float32) / 255, rng)
        assert spoiled.dtype == np.float32 and spoiled.min() >= 0 and spoiled.max() <= 1


def test_no_digit_fills_the_frame_like_a_digit(validation, rng):
    pictures = np.array([no_digit(validation.images, rng) for _ in range(200)])
    assert pictures.dtype == np.uint8 and pictures.shape == (200, 28, 28)
    assert (pictures.max(axis=(1, 2)) > 150).all()
