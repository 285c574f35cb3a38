"""How long it takes to train to 99.0 % on MNIST's validation split: our --preset quick beside keras-io's convnet.

    python benchmarks/time_to_accuracy.py --seeds 3 --out benchmarks/time_to_accuracy.md

Ours is charged for the preset's whole run, whatever it reaches on the way. The peer (batch 128, Adam, clean digits) is
charged for training only, and only up to the end of the first epoch that reaches the target. Both train on the same
57,000 pictures and are asked about the same 2,000.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in train_model.py

import keras
import numpy as np
from keras_convnet import build_convnet

from digits.training.data import Mnist, Split, load_mnist
from digits.training.evaluate import describe_machine, to_input
from digits.training.fit import fit
from digits.training.recipe import PRESETS

TARGET = 0.99
MOST_OF_ITS_TIME = 0.25
PEER_EPOCHS = 30  # the peer has lost if it needs more


def time_preset(preset: str, mnist: Mnist, seed: int) -> tuple[float, float]:
    """(seconds, accuracy on validation) of one of our presets."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        network = fit(PRESETS[preset], mnist, seed, Path(folder))
        seconds = time.perf_counter() - start
    labels, _ = network.predict(to_input(mnist.validation.images), batch_size=256, verbose=0)
    return seconds, _accuracy(labels, mnist.validation)


def time_convnet(mnist: Mnist, seed: int) -> tuple[float, float]:
    """(seconds, accuracy on validation) of keras-io's convnet, stopped as soon as an epoch reaches the target."""
    keras.utils.set_random_seed(seed)
    model = build_convnet()
    images, validation = to_input(mnist.train.images), to_input(mnist.validation.images)
    seconds, accuracy = 0.0, 0.0
    for _ in range(PEER_EPOCHS):
        start = time.perf_counter()
        model.fit(images, mnist.train.labels, batch_size=128, verbose=0)
        seconds += time.perf_counter() - start
        accuracy = _accuracy(model.predict(validation, batch_size=256, verbose=0), mnist.validation)
        if accuracy >= TARGET:
            break
    return seconds, accuracy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="quick")
    parser.add_argument("--seeds", type=int, default=3, help="how many runs of each")
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--out", type=Path, help="Markdown file to write the table to")
    options = parser.parse_args()
    mnist = load_mnist(options.mnist)
    # In turns, so that a busy machine slows both alike.
    runs = [(time_preset(options.preset, mnist, seed), time_convnet(mnist, seed)) for seed in range(options.seeds)]
    ours, peers = (np.array(column) for column in zip(*runs, strict=True))
    text = report(options.preset, ours, peers)
    print(f"\n{text}")
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


def report(preset: str, ours: np.ndarray, peers: np.ndarray) -> str:
    """Both as Markdown. ours, peers: (n, 2), seconds and accuracy of each run."""
    ratio = ours[:, 0].mean() / peers[:, 0].mean()
    met = ratio <= MOST_OF_ITS_TIME and bool((ours[:, 1] >= TARGET).all())
    backend = f"Keras {keras.__version__} on {keras.backend.backend()}"
    lines = [
        f"`python benchmarks/time_to_accuracy.py {' '.join(sys.argv[1:])}`\n",
        f"{describe_machine()}; Python {platform.python_version()}, {backend}\n",
        "| run | n | seconds, mean (min to max) | validation accuracy, % |",
        "|---|---|---|---|",
        _row(f"--preset {preset}, whole run", ours),
        _row(f"keras-io convnet, to {TARGET:.1%}", peers),
        f"\nRatio {ratio:.3f}; bar: at most {MOST_OF_ITS_TIME} with at least {TARGET:.1%} in every run: "
        + ("met" if met else "NOT met"),
    ]
    return "\n".join(lines)


def _accuracy(probabilities: np.ndarray, split: Split) -> float:
    return float((probabilities.argmax(axis=1) == split.labels).mean())


def _row(name: str, runs: np.ndarray) -> str:
    seconds, accuracy = runs.T
    spread = f"{seconds.mean():.0f} ({seconds.min():.0f} to {seconds.max():.0f})"
    return f"| {name} | {len(runs)} | {spread} | {100 * accuracy.mean():.2f} (lowest {100 * accuracy.min():.2f}) |"


if __name__ == "__main__":
    main()
