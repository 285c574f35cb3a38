import numpy as np
import pytest

from digits.training.calibrate import fit_platt, fit_temperature, negative_log_likelihood


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_fit_temperature_agrees_with_a_grid_search(rng):
    true_logits = rng.normal(0, 2, (4000, 10))
    odds = np.exp(true_logits)
    labels = np.array([rng.choice(10, p=row / row.sum()) for row in odds])
    boastful = 2.5 * true_logits
    grid = np.linspace(0.5, 5, 451)
    best = grid[np.argmin([negative_log_likelihood(boastful / t, labels) for t in grid])]
    assert fit_temperature(boastful, labels) == pytest.approx(best, abs=0.02)
    assert best == pytest.approx(2.5, abs=0.15)


def test_fit_platt_finds_the_scale_and_offset_that_made_the_data(rng):
    logits = rng.normal(0, 3, 50_000)
    is_digit = rng.random(50_000) < 1 / (1 + np.exp(-(0.5 * logits + 1)))
    scale, offset = fit_platt(logits, is_digit)
    assert scale == pytest.approx(0.5, abs=0.02)
    assert offset == pytest.approx(1, abs=0.05)


def test_negative_log_likelihood_survives_huge_logits():
    assert negative_log_likelihood(np.array([[1e4, 0.0]]), np.array([0])) == 0
