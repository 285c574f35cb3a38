"""Corrections: do flags outlive a kill, and does the model read a hand better once it has learned from a third of it?

python benchmarks/corrections.py --data ../shared/drawings
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import platform
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy
from PIL import Image
from rendering import draw_anywhere, drawings_folder, load_strokes

import digits
from digits import Recognizer
from digits.classifier import Classifier
from digits.flags import FlagStore
from digits.models import served_file
from digits.recognition import Digit, Recognition

if TYPE_CHECKING:
    from digits.training.corrections import Learner, Samples

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--model", type=Path, default=Path("model.h5"), help="the Keras model that learns")
    parser.add_argument("--writers", type=int, default=20, help="the writers with the most errors; 0 to leave out")
    parser.add_argument("--seeds", type=int, default=1, help="how many different thirds of each writer's digits")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of kill -9; 0 to leave out")
    parser.add_argument("--processes", type=int, default=8, help="programs that flag at once")
    parser.add_argument("--flags", type=int, default=250, help="flags of each program")
    parser.add_argument("--kills", type=int, default=5, help="kill -9 a round")
    options = parser.parse_args()
    print(f"`python benchmarks/corrections.py {' '.join(sys.argv[1:])}`  ")
    print_machine()
    if options.rounds:
        safety(options.rounds, options.processes, options.flags, options.kills)
    if options.writers and options.data.is_dir():
        hands(options.model, options.mnist, options.data, options.writers, options.seeds)


def print_machine() -> None:
    """What the figures were measured on, and with."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    versions = f"digits {digits.__version__}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    print(f"{machine}; Python {platform.python_version()}, {versions}; {load}\n", flush=True)


def met(bar: str, reached: bool) -> str:
    """A bar, and whether it was reached."""
    return f"- {bar}: {'met' if reached else 'NOT met'}"


# Safety: programs are killed while they flag.


@dataclass(frozen=True)
class Safety:
    """What was found in a folder of flags after programs that wrote to it were killed."""

    acknowledged: int
    kept: int
    lost: int
    doubled: int
    unreadable: int
    seconds: float

    @property
    def intact(self) -> bool:
        """Nothing that was acknowledged is missing, doubled or damaged."""
        return self.lost == self.doubled == self.unreadable == 0


def safety(rounds: int, processes: int, flags: int, kills: int) -> None:
    """Kill programs while they flag, and look for what was lost."""
    print(f"## {processes} processes x {flags} flags, {kills} x kill -9 at random moments, n = {rounds} rounds\n")
    print(f"One disk, two bare writes with fsync one after the other: {_bare_writes_a_second():.0f} a second.\n")
    print("| round | acknowledged | kept | lost | doubled | unreadable | flags/s |\n|---|---|---|---|---|---|---|")
    results = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            result = kill_while_flagging(Path(folder), processes, flags, kills, seed=number)
        results.append(result)
        print(
            f"| {number} | {result.acknowledged} | {result.kept} | {result.lost} | {result.doubled} |"
            f" {result.unreadable} | {result.kept / result.seconds:.0f} |",
            flush=True,
        )
    intact = sum(result.intact for result in results)
    print(f"\nintact: {intact} of {rounds} rounds\n")
    print(met("every acknowledged flag is there once, every picture opens", intact == rounds), "\n", flush=True)


def kill_while_flagging(folder: Path, processes: int, flags: int, kills: int, seed: int) -> Safety:
    """Let programs flag into one folder, kill some and start them again where they stopped; then look."""
    store_folder, receipts = folder / "flagged", folder / "receipts"
    receipts.mkdir()
    chance = random.Random(seed)
    moments = sorted(chance.randrange(processes * flags * 9 // 10) for _ in range(kills))
    start = time.perf_counter()
    running = {worker: _start(store_folder, receipts, worker, flags) for worker in range(processes)}
    for moment in moments:
        while _count(receipts) < moment:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.01))
        worker = chance.choice([worker for worker, process in running.items() if process.is_alive()])
        os.kill(running[worker].pid or 0, signal.SIGKILL)
        running[worker].join()
        running[worker] = _start(store_folder, receipts, worker, flags)
    for process in running.values():
        process.join()
    seconds = time.perf_counter() - start
    return _look(store_folder, _receipts(receipts), seconds)


def _look(folder: Path, acknowledged: list[str], seconds: float) -> Safety:
    kept = FlagStore(folder).flags()
    ids, pictures = {flag.id for flag in kept}, {flag.picture_sha256 for flag in kept}
    return Safety(
        acknowledged=len(acknowledged),
        kept=len(kept),
        lost=sum(id not in ids for id in acknowledged),
        doubled=len(kept) - len(pictures),
        unreadable=sum(not _opens(flag.picture_path) for flag in kept),
        seconds=seconds,
    )


def _start(folder: Path, receipts: Path, worker: int, flags: int) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["digits.flags"])
    process = context.Process(target=_flag_many, args=(folder, receipts / str(worker), worker, flags))
    process.start()
    return process


def _flag_many(folder: Path, receipt: Path, worker: int, flags: int) -> None:
    """One program: go on after the last flag that was acknowledged, and write a receipt for each."""
    store = FlagStore(folder)
    done = receipt.read_text().count("\n") if receipt.exists() else 0
    with receipt.open("ab", buffering=0) as file:
        for number in range(done, flags):
            flag = store.add(_unique_picture(worker, number), SOME_RECOGNITION, "7", "0" * 64)
            file.write(f"{flag.id}\n".encode())


def _unique_picture(worker: int, number: int) -> bytes:
    return as_png(np.random.default_rng([worker, number]).integers(0, 256, (100, 100), np.uint8))


SOME_RECOGNITION = Recognition(
    (Digit(np.eye(10, dtype=np.float32)[7], (0, 0, 100, 100), np.zeros((28, 28), np.uint8)),)
)


def as_png(image: np.ndarray) -> bytes:
    """The image as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _receipts(folder: Path) -> list[str]:
    return [id for path in folder.iterdir() for id in path.read_text().split()]


def _count(receipts: Path) -> int:
    return sum(path.stat().st_size for path in receipts.iterdir()) // 17  # 16 hexadecimal digits and a newline


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except OSError:
        return False
    return True


def _bare_writes_a_second(count: int = 100) -> float:
    """The limit: a picture and a line written and synced, with no lock, no check and no layout."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lines").open("wb") as lines:
        start = time.perf_counter()
        for number in range(count):
            with (Path(folder) / str(number)).open("wb") as picture:
                for file, size in ((picture, 10_000), (lines, 1_000)):
                    file.write(bytes(size))
                    file.flush()
                    os.fsync(file.fileno())
        return count / (time.perf_counter() - start)


# Hands: the model learns from a third of a writer's digits and is tested on the others.


@dataclass(frozen=True)
class Hand:
    """One writer's drawings: PNG files, what was recognised in them, and what they show."""

    writer: str
    pictures: list[bytes]
    recognitions: list[Recognition]
    labels: np.ndarray

    @property
    def images(self) -> np.ndarray:
        """(n, 28, 28) uint8."""
        return np.stack([recognition.digits[0].image for recognition in self.recognitions])


@dataclass(frozen=True)
class Learned:
    """Errors on the digits that were not learned from, and accuracy on MNIST's validation split, before and after.

    unlike: errors that are left and whose like (the same digit read as the same other one) no correction showed.
    """

    before: int
    after: int
    unlike: int
    mnist_before: float
    mnist_after: float

    @property
    def fall(self) -> float:
        """In points."""
        return 100 * (self.mnist_before - self.mnist_after)


def hands(model: Path, mnist_folder: Path | None, data: Path, writers: int, seeds: int) -> None:
    """Table of the writers with the most errors: behind the gate, and retrained blindly."""
    from digits.training.corrections import Learner
    from digits.training.data import load_mnist

    learner = Learner(model, load_mnist(mnist_folder))
    hardest = sorted(read_hands(data), key=lambda hand: -count_errors(learner, hand, np.arange(len(hand.labels))))
    print(f"## The {writers} dev-train writers with the most errors; learned from a third of the digits, n = {seeds}\n")
    print(f"Model {Classifier(served_file(model)).digest[:12]}; read by the network alone, each digit once.\n")
    print(
        "| writer | learned | of them wrong | tested | errors before | after | of a kind not shown | MNIST fall "
        "| gate | s | blind: after |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    pairs = [_learn_a_third(learner, hand, seed) for hand in hardest[:writers] for seed in range(seeds)]
    gated, blind = ([pair[way] for pair in pairs] for way in range(2))
    _summarise("behind the gate", gated, seeds)
    _summarise("retrained blindly", blind, seeds)
    print("\nbehind the gate:\n")
    print(met("errors fall by at least half, all writers together", total_ratio(gated) <= 0.5))
    print(met("no writer loses more than one digit", worst(gated) <= 1))
    print(met("MNIST validation falls by at most 0.05 points", max(result.fall for result in gated) <= 0.05))


def read_hands(data: Path) -> Iterator[Hand]:
    """The dev-train writers, each digit drawn anywhere on a pad and read by the whole road."""
    recognizer = Recognizer()
    by_writer: dict[str, list[tuple[bytes, Recognition, int]]] = {}
    for number, drawing in enumerate(load_strokes(data / "pen_digits.jsonl.gz", "dev-train")):
        pad = draw_anywhere(drawing["strokes"], np.random.default_rng(number))
        row = as_png(pad), recognizer.recognize(pad, single=True), int(drawing["label"])
        by_writer.setdefault(drawing["writer"], []).append(row)
    for writer, rows in by_writer.items():
        pictures, recognitions, labels = zip(*rows, strict=True)
        yield Hand(writer, list(pictures), list(recognitions), np.array(labels))


def count_errors(learner: Learner, hand: Hand, chosen: np.ndarray) -> int:
    """How many of the chosen digits are read as another one, or as none."""
    return sum(confusions(learner, hand, chosen).values())


def confusions(learner: Learner, hand: Hand, chosen: np.ndarray) -> Counter[tuple[int, int]]:
    """How often which of the chosen digits is read as which other one (10: as no digit)."""
    answers = learner.answers(learner.features(hand.images[chosen]), learner.head)
    pairs = zip(hand.labels[chosen].tolist(), answers.tolist(), strict=True)
    return Counter((label, answer) for label, answer in pairs if label != answer)


def _learn_a_third(learner: Learner, hand: Hand, seed: int) -> tuple[Learned, Learned]:
    """What is gained behind the gate, and blindly; prints a row of the table."""
    weights = learner.model.get_weights()
    order = np.random.default_rng(seed).permutation(len(hand.labels))
    third, rest = np.split(order, [len(order) // 3])
    shown, before = confusions(learner, hand, third), confusions(learner, hand, rest)
    samples = _corrections(hand, third)
    start = time.perf_counter()
    conditions = learner.improve(samples)
    seconds = time.perf_counter() - start
    closed = [condition.name for condition in conditions if not condition.passed]
    if closed:
        learner.model.set_weights(weights)
    mnist = conditions[0].before
    gated = _learned(learner, shown, before, confusions(learner, hand, rest), mnist)
    learner.model.set_weights(weights)
    _retrain_blindly(learner, samples.images, samples.labels)
    blind = _learned(learner, shown, before, confusions(learner, hand, rest), mnist)
    learner.model.set_weights(weights)
    print(
        f"| {hand.writer} | {len(third)} | {shown.total()} | {len(rest)} | {gated.before} | {gated.after} |"
        f" {gated.unlike} | {gated.fall:.3f} | {'closed: ' + ', '.join(closed) if closed else 'open'} |"
        f" {seconds:.0f} | {blind.after} (MNIST falls {blind.fall:.2f}) |",
        flush=True,
    )
    return gated, blind


def _corrections(hand: Hand, chosen: np.ndarray) -> Samples:
    """The chosen drawings after they went through a folder of flags, right and wrong ones alike."""
    from digits.training.corrections import labelled_digits

    with tempfile.TemporaryDirectory() as folder:
        store = FlagStore(folder)
        for index in chosen:
            store.add(hand.pictures[index], hand.recognitions[index], str(hand.labels[index]), "benchmark")
        return labelled_digits(store.flags())


def _learned(
    learner: Learner,
    shown: Counter[tuple[int, int]],
    before: Counter[tuple[int, int]],
    after: Counter[tuple[int, int]],
    mnist_before: float,
) -> Learned:
    unlike = sum(count for confusion, count in after.items() if confusion not in shown)
    return Learned(before.total(), after.total(), unlike, mnist_before, _mnist_accuracy(learner))


def _retrain_blindly(learner: Learner, images: np.ndarray, labels: np.ndarray) -> None:
    """What other programs do with corrections, if anything: ten epochs on them, all layers, and no look back."""
    import keras

    network = learner.model.get_layer("digits")
    network.compile(keras.optimizers.Adam(1e-3), [keras.losses.SparseCategoricalCrossentropy(from_logits=True), None])
    network.fit(images[..., None] / np.float32(255), [labels, np.zeros(len(labels))], epochs=10, verbose=0)


def _mnist_accuracy(learner: Learner) -> float:
    answers = learner.answers(learner.features(learner.mnist.validation.images), learner.head)
    return float((answers == learner.mnist.validation.labels).mean())


def total_ratio(results: list[Learned]) -> float:
    """Errors after, as a share of the errors before, all writers together."""
    return sum(result.after for result in results) / max(sum(result.before for result in results), 1)


def mean_ratio(results: list[Learned]) -> float:
    """The same share, averaged over the results that had errors."""
    shares = [result.after / result.before for result in results if result.before]
    return float(np.mean(shares)) if shares else 0.0


def worst(results: list[Learned]) -> int:
    """How many digits the writer who fared worst lost."""
    return max(result.after - result.before for result in results)


def _summarise(name: str, results: list[Learned], seeds: int) -> None:
    """Both readings of the errors' fall, with 95 % intervals from a bootstrap over the writers."""
    writers = [results[start : start + seeds] for start in range(0, len(results), seeds)]
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(writers), (2_000, len(writers)))
    draws = [list(chain.from_iterable(writers[index] for index in row)) for row in drawn]
    print(f"\n{name}: errors {sum(one.before for one in results)} -> {sum(one.after for one in results)}", end="")
    for words, ratio in ((",", total_ratio), ("; mean over the writers with errors", mean_ratio)):
        low, high = np.percentile([ratio(draw) for draw in draws], [2.5, 97.5])
        print(f"{words} x {ratio(results):.2f} [95 % {low:.2f}, {high:.2f}]", end="")
    print(
        f"; worst writer {worst(results):+d} digits; MNIST validation falls by "
        f"{max(result.fall for result in results):.3f} points at most; of the errors left, "
        f"{sum(result.unlike for result in results)} are of a kind that no correction of that writer showed"
    )


if __name__ == "__main__":
    main()
