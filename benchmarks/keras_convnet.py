"""The peer: keras-io's example network for MNIST (keras.io/examples/vision/mnist_convnet), 34,826 parameters.

Two convolutions of 32 and 64 maps, each followed by pooling, half of the features dropped, one dense layer; trained on
clean digits by Adam in batches of 128.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from digits.training.data import Split
from digits.training.evaluate import to_input


def build_convnet() -> keras.Model:
    """The network, compiled. (n, 28, 28, 1) float32 in [0, 1] -> (n, 10) probabilities."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def train_convnet(train: Split, epochs: int = 15) -> Callable[[np.ndarray], np.ndarray]:
    """Train it, the last epoch counts, and return its classify: (n, 28, 28, 1) float32 -> (n, 10) float32."""
    model = build_convnet()
    model.fit(to_input(train.images), train.labels, batch_size=128, epochs=epochs, verbose=2)
    return lambda images: model.predict(images, batch_size=256, verbose=0)
