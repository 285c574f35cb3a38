"""Blocks: what the networks of ink and of lines are built of."""

from __future__ import annotations

import keras
from keras import layers

Size = int | tuple[int, int]


def convolve(x: keras.KerasTensor, channels: int, size: Size, **options: object) -> keras.KerasTensor:
    """A convolution, normalised (Ioffe and Szegedy 2015, arXiv:1502.03167), and what of it is above 0.

    options: of keras.layers.Conv2D.
    """
    return layers.ReLU()(_normalised(x, channels, size, "ones", **options))


def refine(x: keras.KerasTensor, size: Size) -> keras.KerasTensor:
    """A residual block (He et al. 2016), which begins as the identity (Goyal et al. 2017, section 5.1)."""
    channels = x.shape[-1]
    return layers.ReLU()(layers.Add()([x, _normalised(convolve(x, channels, size), channels, size, "zeros")]))


def _normalised(x: keras.KerasTensor, channels: int, size: Size, gamma: str, **options: object) -> keras.KerasTensor:
    options = {"padding": "same", **options}
    x = layers.Conv2D(channels, size, use_bias=False, kernel_initializer="he_normal", **options)(x)
    return layers.BatchNormalization(momentum=0.98, gamma_initializer=gamma)(x)
