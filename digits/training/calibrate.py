"""Calibrate: make the percentages mean what they say."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize, minimize_scalar


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that minimises the negative log-likelihood of softmax(logits / temperature).

    logits: (n, 10) float; labels: (n,) int. Source: Guo et al. 2017, arXiv:1706.04599.
    """
    result = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits / np.exp(log_t), labels), bounds=(-3, 3), method="bounded"
    )
    return float(np.exp(result.x))


def fit_platt(logits: np.ndarray, is_digit: np.ndarray) -> tuple[float, float]:
    """Scale and offset that minimise the negative log-likelihood of sigmoid(scale * logit + offset).

    logits: (n,) float; is_digit: (n,) bool. Source: Platt 1999, "Probabilistic outputs for support vector machines".
    """
    sign = np.where(is_digit, 1.0, -1.0)
    result = minimize(lambda p: np.logaddexp(0, -sign * (p[0] * logits + p[1])).mean(), x0=(1.0, 0.0))
    return float(result.x[0]), float(result.x[1])


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean -log softmax(logits)[label]. logits: (n, 10) float; labels: (n,) int."""
    logits = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits).sum(axis=1))
    return float((log_sum - logits[np.arange(len(labels)), labels]).mean())
