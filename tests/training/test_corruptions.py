import numpy as np
import pytest

from digits.training.corruptions import CORRUPTIONS, corrupt
from digits.training.data import load_mnist


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_mnist().validation.images[:64]


def test_corruptions_are_the_15_of_mnist_c():
    assert len(CORRUPTIONS) == 15


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupt_changes_every_picture_and_keeps_shape_and_type(digits, name):
    corrupted = corrupt(digits, name)
    assert (corrupted.shape, corrupted.dtype) == (digits.shape, np.uint8)
    assert (corrupted != digits).any(axis=(1, 2)).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupt_gives_the_same_pictures_for_the_same_seed(digits, name):
    assert np.array_equal(corrupt(digits, name, seed=7), corrupt(digits, name, seed=7))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupt_leaves_its_input_alone(digits, name):
    before = digits.copy()
    corrupt(digits, name)
    assert np.array_equal(digits, before)


def test_shot_noise_keeps_the_mean_of_half_tones():
    grey = np.full((100, 28, 28), 51, np.uint8)  # a fifth of full ink: Poisson(0.6) is rarely above 3 photons
    assert corrupt(grey, "shot noise").mean() == pytest.approx(51, rel=0.02)


def test_impulse_noise_replaces_17_percent(digits):
    grey = np.full((100, 28, 28), 128, np.uint8)
    assert (corrupt(grey, "impulse noise") != 128).mean() == pytest.approx(0.17, abs=0.01)


def test_scale_shrinks_to_70_percent_about_the_middle():
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 4:24, 4:24] = 255
    rows = corrupt(square, "scale")[0].astype(float).sum(axis=1)
    assert rows.sum() / square.sum() == pytest.approx(0.7**2, rel=0.02)
    assert (rows * np.arange(28)).sum() / rows.sum() == pytest.approx(13.5, abs=0.01)


@pytest.mark.parametrize(("name", "angle"), [("rotate", 0.4), ("shear", 0.4)])
def test_upright_stroke_leans_by_the_published_angle(name, angle):
    stroke = np.zeros((20, 28, 28), np.uint8)
    stroke[:, 4:24, 13:15] = 255
    for leaning in corrupt(stroke, name).astype(float):
        rows, columns = np.nonzero(leaning > 64)
        slope = np.polyfit(rows, columns, 1)[0]
        expected = np.tan(angle)  # a shear looks up (x - sin(a) y, cos(a) y): it leans by sin(a) / cos(a) as well
        assert abs(slope) == pytest.approx(expected, rel=0.12)


def test_translate_moves_by_three_pixels_along_both_axes():
    dot = np.zeros((50, 28, 28), np.uint8)
    dot[:, 14, 14] = 255
    found = {tuple(np.argwhere(moved)[0] - 14) for moved in corrupt(dot, "translate")}
    assert found == {(3, 3), (3, -3), (-3, 3), (-3, -3)}


def test_stripe_inverts_the_outer_quarters(digits):
    striped = corrupt(digits, "stripe")
    assert np.array_equal(striped[:, :, 7:21], digits[:, :, 7:21])
    assert np.array_equal(striped[:, :, :7], 255 - digits[:, :, :7])


def test_motion_blur_keeps_the_ink_of_a_dot_and_drags_it_one_way():
    dot = np.zeros((20, 28, 28), np.uint8)
    dot[:, 14, 14] = 255
    for dragged in corrupt(dot, "motion blur").astype(float):
        assert dragged.sum() == pytest.approx(255, rel=0.05)
        columns = np.nonzero(dragged.sum(axis=0))[0]
        assert columns.min() == 14 or columns.max() == 14


def test_lines_only_add_ink(digits):
    for name in ("dotted line", "zigzag"):
        assert (corrupt(digits, name) >= digits).all()
