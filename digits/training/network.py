"""The network: small convolutional nets with two answers, which digit and whether it is one at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from digits.errors import ModelError

ANSWERS = ("label", "digit")  # names of the two outputs, and of the dense layers that give them
FEATURES = "features"  # name of the layer that they follow, after a dropout or none
LANES = 16  # channels that a CPU's vector instructions take at once: 40 cost as much as 48


def build_network(width: float = 1.0, dropout: float = 0.3) -> keras.Model:
    """Build the net that training fits: (n, 28, 28, 1) float32 in [0, 1], ink = 1, to two logits.

    width: multiplies the channels of every layer, rounded to multiples of LANES.
    Returns a model with outputs "label" (n, 10) and "digit" (n, 1), logits both.

    The first layer halves the picture, because on a CPU large feature maps cost most.
    """

    def channels(count: int) -> int:
        return max(1, round(count * width / LANES)) * LANES

    images = keras.Input((28, 28, 1), name="image")
    x = _convolve(images, channels(32), 5, strides=2, padding="same")  # (n, 14, 14, 32)
    x = _convolve(x, channels(48))  # (n, 12, 12, 48)
    x = _convolve(x, channels(64))  # (n, 10, 10, 64)
    x = _convolve(x, channels(96), strides=2, padding="same")  # (n, 5, 5, 96)
    x = _convolve(x, channels(96), padding="same")  # (n, 5, 5, 96)
    x = _convolve(x, channels(160))  # (n, 3, 3, 160)
    x = layers.Flatten(name=FEATURES)(x)
    return _with_answers(images, layers.Dropout(dropout)(x))


def build_pooling_network() -> keras.Model:
    """A net that sees otherwise than build_network's, with the same input and outputs, to have other errors.

    Its first layer sees the picture in full resolution, pooling keeps the strongest response wherever it is, and of
    the last layer only the mean over all places counts. After the residual net of github.com/ttdoucet/mnist.
    """
    images = keras.Input((28, 28, 1), name="image")
    x = layers.MaxPooling2D()(_convolve(images, 16, 5, padding="same"))  # (n, 14, 14, 16)
    x = _add_convolved(x)
    x = layers.MaxPooling2D()(_convolve(x, 48, padding="same"))  # (n, 7, 7, 48)
    x = _add_convolved(x)
    x = layers.MaxPooling2D(padding="same")(_convolve(x, 96, padding="same"))  # (n, 4, 4, 96)
    x = _add_convolved(x)
    return _with_answers(images, layers.GlobalAveragePooling2D(name=FEATURES)(x))


def join_columns(columns: list[keras.Model]) -> keras.Model:
    """One network of several that were trained apart: its logits are the means of theirs.

    Such networks err less than each of their columns, for these err on different pictures. The mean of dense layers is
    a dense layer on all their features, so that the result is built as a single column is.
    Source: Ciresan et al. 2012, "Multi-column deep neural networks for image classification", arXiv:1202.2745.
    """
    if len(columns) == 1:
        return columns[0]
    images = keras.Input((28, 28, 1), name="image")
    bodies = [
        keras.Model(column.input, column.get_layer(FEATURES).output, name=f"column_{number}")
        for number, column in enumerate(columns, 1)
    ]
    network = _with_answers(images, layers.Concatenate(name=FEATURES)([body(images) for body in bodies]))
    for name in ANSWERS:
        kernels, biases = zip(*(column.get_layer(name).get_weights() for column in columns), strict=True)
        network.get_layer(name).set_weights([np.concatenate(kernels) / len(columns), np.mean(biases, axis=0)])
    return network


def split_columns(network: keras.Model, columns: list[keras.Model]) -> None:
    """Give the columns the weights that they have in a network of join_columns, to be trained on apart."""
    if len(columns) == 1:
        columns[0].set_weights(network.get_weights())
        return
    sizes = [column.get_layer(FEATURES).output.shape[-1] for column in columns]
    kernels, biases = zip(*(network.get_layer(name).get_weights() for name in ANSWERS), strict=True)
    parts = [np.split(kernel * len(columns), np.cumsum(sizes)[:-1]) for kernel in kernels]
    for number, column in enumerate(columns):
        answers = [array for part, bias in zip(parts, biases, strict=True) for array in (part[number], bias)]
        column.set_weights([*network.get_layer(f"column_{number + 1}").get_weights(), *answers])


def build_tiny_network() -> keras.Model:
    """A net of under 10,000 parameters for small devices, with the same input and outputs as build_network's.

    Its first layers see the picture in full resolution; its last has a weight for each place instead of their mean.
    """
    images = keras.Input((28, 28, 1), name="image")
    x = _convolve(images, 10)  # (n, 26, 26, 10)
    x = _convolve(x, 12)  # (n, 24, 24, 12)
    x = layers.MaxPooling2D()(x)
    x = _convolve(x, 16, padding="same")  # (n, 12, 12, 16)
    x = _convolve(x, 18)  # (n, 10, 10, 18)
    x = layers.MaxPooling2D()(x)
    x = _convolve(x, 22)  # (n, 3, 3, 22)
    x = layers.DepthwiseConv2D(3, use_bias=False)(x)  # (n, 1, 1, 22)
    return _with_answers(images, layers.Flatten(name=FEATURES)(x))


def copy_for_training(network: keras.Model) -> keras.Model:
    """A copy with the same weights that takes a quarter less time to train where Keras runs on TensorFlow.

    It is for training alone: its batch normalisation is no stock layer, so that other programs could not load it.
    """

    def copied(layer: layers.Layer) -> layers.Layer:
        fused = type(layer) is layers.BatchNormalization and keras.backend.backend() == "tensorflow"
        return (_FusedBatchNormalization if fused else type(layer)).from_config(layer.get_config())

    copy = keras.models.clone_model(network, clone_function=copied)
    copy.set_weights(network.get_weights())
    return copy


def calibrated_network(network: keras.Model, temperature: float, scale: float, offset: float) -> keras.Model:
    """The model that is saved: the trained net with its calibration built in, in stock layers only.

    temperature divides the label logits (Guo et al. 2017, arXiv:1706.04599); scale and offset are applied to the
    digit logit (Platt 1999). Outputs "probabilities" (n, 10), softmax, and "is_digit" (n, 1), both in [0, 1].
    """
    label, digit = network(network.input)
    label = layers.Rescaling(1 / temperature, name="temperature")(label)
    digit = layers.Rescaling(scale, offset, name="platt")(digit)
    probabilities = layers.Activation("softmax", name="probabilities")(label)
    is_digit = layers.Activation("sigmoid", name="is_digit")(digit)
    return keras.Model(network.input, [probabilities, is_digit], name="handwritten_digits")


def load_calibrated_network(path: Path) -> keras.Model:
    """A model of calibrated_network from its .h5 file, to go on with. Raises ModelError if the file holds none."""
    if not path.is_file():
        raise ModelError(f"No model at {path}. Train one first: python train_model.py")
    try:
        model = keras.saving.load_model(path, compile=False)
        network = model.get_layer("digits")
        _ = (
            [network.get_layer(name) for name in ANSWERS],
            [model.get_layer(name) for name in ("temperature", "platt")],
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is no model that train_model.py wrote: {error}") from error
    return model


class _FusedBatchNormalization(layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """Keras' layer, normalised in training by the one operation that TensorFlow has for it instead of by a dozen."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf  # only here, for Keras may run on another backend

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        for moving, present in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + present * (1 - self.momentum))
        return outputs


def _with_answers(images: keras.KerasTensor, features: keras.KerasTensor) -> keras.Model:
    answers = [layers.Dense(units, name=name)(features) for name, units in zip(ANSWERS, (10, 1), strict=True)]
    return keras.Model(images, answers, name="digits")


def _add_convolved(x: keras.KerasTensor) -> keras.KerasTensor:
    """A residual step. Source: He et al. 2015, arXiv:1512.03385."""
    return layers.Add()([x, _convolve(x, x.shape[-1], padding="same")])


def _convolve(
    x: keras.KerasTensor,
    channels: int,
    size: int = 3,
    strides: int = 1,
    padding: str = "valid",
) -> keras.KerasTensor:
    x = layers.Conv2D(channels, size, strides=strides, padding=padding, use_bias=False, kernel_initializer="he_normal")(
        x
    )
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)
