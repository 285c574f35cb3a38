"""Callbacks: the learning rate, the time, dropout and interruptions of a round of training."""

from __future__ import annotations

import math
import signal
import time

import keras

from digits.training.processes import is_told_to_end

WARM_UP = 0.2  # share of the steps during which the learning rate rises
LEAST = 0.01  # share of the highest learning rate at the last step


class Stopwatch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Puts the seconds that each epoch took beside what it measured, for a run may be resumed on another day."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs is not None:
            logs["seconds"] = time.monotonic() - self.began


class OneCycle(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """The learning rate of each step: up along a line during WARM_UP of a round, then down along a cosine.

    It is multiplied from step to step, so that the reductions of ReduceLROnPlateau stay in force.
    Source: Smith & Topin 2018, "Super-convergence", arXiv:1708.07120.
    """

    def __init__(self, first_epoch: int, epochs: int, steps_per_epoch: int) -> None:
        super().__init__()
        self.first_epoch, self.steps, self.steps_per_epoch = first_epoch, epochs * steps_per_epoch, steps_per_epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.done = (epoch - self.first_epoch) * self.steps_per_epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        step = self.done + batch
        rate = self.model.optimizer.learning_rate
        rate.assign(rate * self.share(step) / (self.share(step - 1) if step else 1.0))

    def share(self, step: int) -> float:
        """Share of the highest learning rate, in (0, 1]."""
        done = (step + 1) / self.steps
        if done < WARM_UP:
            return done / WARM_UP
        return LEAST + (1 - LEAST) * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


class EpochSeed(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """What dropout draws depends on the epoch alone, or a run that was resumed would end elsewhere.

    Saved weights do not hold the state of a layer's random numbers.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([self.seed, epoch << 16])  # it counts up by one a step


class Interruption(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Ctrl-C takes effect between two batches: no file is half written then, and no call of the backend is cut short.

    So does being told to end by the process that started this one.

    TensorFlow has ended without a word where an interrupt reached it in the midst of a call.
    """

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.asked = False
        self.usual = signal.getsignal(signal.SIGINT)
        if self.usual is signal.default_int_handler:  # else it is ignored, or somebody else's
            signal.signal(signal.SIGINT, self._ask)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self.asked or is_told_to_end():
            self.on_train_end()
            raise KeyboardInterrupt

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        signal.signal(signal.SIGINT, self.usual)

    def _ask(self, *_: object) -> None:
        self.asked = True
