"""What the shipped network is worth: accuracy, calibration, robustness, what it takes for a digit, speed, size.

    python benchmarks/network.py --data ../shared/drawings
    python benchmarks/network.py --only accuracy speed          # some sections
    python benchmarks/network.py --peer-epochs 3 --limit 500    # a quick look
    python benchmarks/network.py --only letters pen-calibration --split dev-train      # to choose a recipe by

MNIST's test set and the drawings of dev-test writers are only measured here, never fitted or chosen on.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from non_digits import KINDS, make_non_digits
from rendering import draw_anywhere, drawings_folder, load_strokes
from rich.console import Console
from rich.progress import track

from digits import Recognizer
from digits.classifier import Classifier
from digits.recognition import Recognition
from digits.training.corruptions import CORRUPTIONS, corrupt
from digits.training.data import Mnist, load_mnist
from digits.training.evaluate import Classify, describe_machine, measure_corruptions, measure_latency, score, to_input
from digits.training.metrics import auroc, expected_calibration_error, kept_when_rejecting, wilson_interval

SEED = 2019
TINY_MODEL = Path(__file__).resolve().parents[1] / "model-tiny.onnx"
ROAD_SAMPLE = 500  # pictures of each corruption that also take the whole road
NON_DIGITS = 400  # pictures of each kind


@dataclass(frozen=True)
class Row:
    """One figure. interval: 95 % interval, or for a time its quartiles; bar, peer: as text."""

    figure: str
    n: int
    value: float
    interval: tuple[float, float] | None = None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    peer: str = ""

    @property
    def bar(self) -> str:
        if self.at_least is None and self.at_most is None:
            return ""
        limit, sign = (self.at_least, ">=") if self.at_least is not None else (self.at_most, "<=")
        met = self.value >= limit if self.at_least is not None else self.value <= limit
        return f"{sign} {limit:g}, {'met' if met else 'NOT met'}"


@dataclass(frozen=True)
class Bench:
    """What the sections work on."""

    recognizer: Recognizer
    mnist: Mnist
    data: Path
    split: str
    limit: int | None
    peer_epochs: int


def accuracy(bench: Bench) -> list[Row]:
    """MNIST's test set."""
    test = bench.mnist.test.first(bench.limit)
    scores = score(bench.recognizer.classifier.classify(to_input(test.images)), test.labels)
    low, high = scores.interval
    return [
        Row("MNIST test accuracy, %", scores.count, 100 * scores.accuracy, (100 * low, 100 * high), at_least=99.70),
        Row("ECE of the confidence, 15 bins", scores.count, scores.ece, at_most=0.002),
        Row("ECE of the label given a digit", scores.count, scores.ece_of_labels, at_most=0.002),
        Row("NLL as shown, nats", scores.count, scores.nll, at_most=0.010),
        Row("NLL of the label given a digit", scores.count, scores.nll_of_labels, at_most=0.010),
        Row("Brier score", scores.count, scores.brier),
    ]


def corruptions(bench: Bench) -> list[Row]:
    """The 15 corruptions of MNIST-C: the network alone, the whole road on some, and keras-io's convnet."""
    from keras_convnet import train_convnet

    test = bench.mnist.test.first(bench.limit)
    peer_classify = train_convnet(bench.mnist.train, bench.peer_epochs)
    peer_clean = score(peer_classify(to_input(test.images)), test.labels).accuracy
    ours = measure_corruptions(bench.recognizer.classifier.classify, test)
    peers = measure_corruptions(peer_classify, test)
    road = {name: _accuracy_on_the_road(bench, name) for name in CORRUPTIONS}
    rows = [
        Row(f"{our.name}, %", len(test), 100 * our.accuracy, peer=f"keras-io {100 * peer.accuracy:.2f}; {on_road}")
        for our, peer in zip(ours, peers, strict=True)
        for on_road in [f"whole road {road[our.name]:.1f}"]
    ]
    mean, peer_mean = (100 * float(np.mean([c.accuracy for c in found])) for found in (ours, peers))
    low, high = wilson_interval(round(mean / 100 * 15 * len(test)), 15 * len(test))
    comparison = (
        f"keras-io convnet, {bench.peer_epochs} epochs, clean {100 * peer_clean:.2f}: {peer_mean:.2f}; "
        f"whole road {np.mean(list(road.values())):.1f}"
    )
    total = Row("mean of the 15, %", 15 * len(test), mean, (100 * low, 100 * high), at_least=97, peer=comparison)
    return [*rows, total]


def letters(bench: Bench) -> list[Row]:
    """Pen digits against pen letters, through the whole Recognizer."""
    return [*_letters(bench, single=True), *_letters(bench, single=False)]


def _letters(bench: Bench, single: bool) -> list[Row]:
    mode = "told that it is one digit" if single else "not told"
    digits = _confidences(bench, _pen_pictures(bench, "pen_digits"), single)
    others = _confidences(bench, _pen_pictures(bench, "pen_letters"), single)
    count = len(digits) + len(others)
    return [
        Row(f"AUROC, digits against letters, {mode}", count, auroc(digits, others),
            _bootstrap(auroc, digits, others), at_least=0.97),
        Row(f"digits kept, 90 % of letters turned away, {mode}, %", count,
            100 * kept_when_rejecting(digits, others),
            _bootstrap(lambda d, o: 100 * kept_when_rejecting(d, o), digits, others), at_least=97),
    ]  # fmt: skip


def non_digits(bench: Bench) -> list[Row]:
    """Pen digits against scribbles, shapes, textures and photo-like scenes, drawn by other code than training's."""
    digits = _confidences(bench, _pen_pictures(bench, "pen_digits"))
    count = min(NON_DIGITS, bench.limit or NON_DIGITS)
    found = {kind: _confidences(bench, make_non_digits(kind, count, SEED)) for kind in KINDS}
    found["all of them"] = np.concatenate(list(found.values()))
    return [
        Row(f"AUROC, digits against {kind}", len(digits) + len(others), auroc(digits, others),
            _bootstrap(auroc, digits, others), at_least=0.99, peer=f"{100 * (others < 0.5).mean():.1f} % below 50 %")
        for kind, others in found.items()
    ]  # fmt: skip


def pen_calibration(bench: Bench) -> list[Row]:
    """How honest the percentages are on pen digits, through the whole Recognizer."""
    drawings = _pen_drawings(bench, "pen_digits")
    labels = np.array([int(drawing["label"]) for drawing in drawings])
    rows = []
    for mode, single in (("told that it is one digit", True), ("not told", False)):
        answers = _answers(bench, _pen_pictures(bench, "pen_digits"), single)
        confidence = np.array([_confidence(answer) for answer in answers])
        found = [[digit.label for digit in answer.digits] for answer in answers]
        correct = np.array([read == [label] for read, label in zip(found, labels, strict=True)])
        low, high = wilson_interval(int(correct.sum()), len(correct))
        rows += [
            Row(f"ECE, pen digits, {mode}", len(labels), expected_calibration_error(confidence, correct),
                _bootstrap_pairs(expected_calibration_error, confidence, correct), at_most=0.01),
            Row(f"label right, pen digits, {mode}, %", len(labels), 100 * correct.mean(), (100 * low, 100 * high)),
        ]  # fmt: skip
    return rows


def speed(bench: Bench) -> list[Row]:
    """ONNX Runtime on one core, and keras.Model.predict of the peer."""
    images = to_input(bench.mnist.test.images[:256])
    latency = measure_latency(Classifier(bench.recognizer.classifier.path, threads=1).classify, images)
    peer = measure_latency(_untrained_peer(), images, singles=50)
    first, median, third = latency.single_ms
    return [
        Row("one digit, one core, ms (quartiles)", 500, median, (first, third), at_most=0.5,
            peer=f"keras-io convnet, model.predict: {peer.single_ms[1]:.1f}"),
        Row("digits a second, batches of 256, one core", 5, latency.per_second, at_least=4000,
            peer=f"keras-io convnet, model.predict, all cores: {peer.per_second:.0f}"),
    ]  # fmt: skip


def size(bench: Bench) -> list[Row]:
    """The file that is shipped."""
    import onnx

    path = bench.recognizer.classifier.path
    parameters = sum(int(np.prod(weights.dims)) for weights in onnx.load(path).graph.initializer)
    return [
        Row("size of the file, MB", 1, path.stat().st_size / 1e6, at_most=2),
        Row("numbers stored in it, thousands", 1, parameters / 1e3, at_most=400),
    ]


def tiny(bench: Bench) -> list[Row]:
    """model-tiny.onnx, for small devices, learned from the shipped model."""
    small = replace(bench, recognizer=Recognizer(TINY_MODEL))
    right, *honest = accuracy(small)
    file, numbers = size(small)
    return [
        replace(right, at_least=99.4),
        *(replace(row, at_most=None) for row in honest),
        *speed(small),
        file,
        replace(numbers, at_most=10),
        *(replace(row, at_least=None) for row in _letters(small, single=True)),
    ]


SECTIONS: dict[str, Callable[[Bench], list[Row]]] = {
    "accuracy": accuracy,
    "corruptions": corruptions,
    "letters": letters,
    "non-digits": non_digits,
    "pen-calibration": pen_calibration,
    "speed": speed,
    "size": size,
    "tiny": tiny,
}
NEEDS_DRAWINGS = ("letters", "non-digits", "pen-calibration", "tiny")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--model", type=Path, help="model file; the shipped one by default")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION",
                        help=", ".join(SECTIONS))  # fmt: skip
    parser.add_argument(
        "--split", choices=("dev-train", "dev-test"), default="dev-test", help="writers of the drawings"
    )
    parser.add_argument("--limit", type=int, help="only the first pictures of each set, for a quick look")
    parser.add_argument("--peer-epochs", type=int, default=15, help="epochs of keras-io's convnet (15 in its source)")
    parser.add_argument("--out", type=Path, help="JSON file that keeps the figures, section by section")
    options = parser.parse_args()
    mnist = load_mnist(options.mnist)
    bench = Bench(Recognizer(options.model), mnist, options.data, options.split, options.limit, options.peer_epochs)
    print(f"`python benchmarks/network.py {' '.join(sys.argv[1:])}`\n\n{_setting(bench)}")
    for name in options.only:
        if name in NEEDS_DRAWINGS and not bench.data.is_dir():
            print(f"\n## {name}: left out, no drawings at {bench.data}")
            continue
        rows = SECTIONS[name](bench)
        print(f"\n## {name}: {SECTIONS[name].__doc__}\n\n{_table(rows)}", flush=True)
        if options.out is not None:
            _keep(options.out, name, rows, bench)


def _pen_drawings(bench: Bench, name: str) -> list[dict[str, Any]]:
    drawings = load_strokes(bench.data / f"{name}.jsonl.gz", bench.split)
    return drawings[:: max(1, len(drawings) // bench.limit)] if bench.limit else drawings


def _pen_pictures(bench: Bench, name: str) -> Iterable[np.ndarray]:
    rng = np.random.default_rng(SEED)
    return [draw_anywhere(drawing["strokes"], rng) for drawing in _pen_drawings(bench, name)]


def _answers(bench: Bench, pictures: Iterable[np.ndarray], single: bool) -> list[Recognition]:
    shown = track(list(pictures), console=Console(stderr=True), transient=True)
    return list(bench.recognizer.recognize_many(shown, single=single))


def _confidences(bench: Bench, pictures: Iterable[np.ndarray], single: bool = True) -> np.ndarray:
    return np.array([_confidence(answer) for answer in _answers(bench, pictures, single)])


def _confidence(answer: Recognition) -> float:
    """Of the digit that was found; of the surest if several were; 0 if there was nothing to read."""
    return max((digit.confidence for digit in answer.digits), default=0.0)


def _accuracy_on_the_road(bench: Bench, name: str) -> float:
    """Percent right when each corrupted picture is handed to the Recognizer as a picture of one digit."""
    test = bench.mnist.test.first(min(ROAD_SAMPLE, bench.limit or ROAD_SAMPLE))
    answers = bench.recognizer.recognize_many(corrupt(test.images, name), single=True)
    found = [answer.digits[0].label if answer.digits else None for answer in answers]
    return 100 * float(np.mean([label == right for label, right in zip(found, test.labels, strict=True)]))


def _untrained_peer() -> Classify:
    from keras_convnet import build_convnet

    model = build_convnet()
    return lambda images: model.predict(images, verbose=0)


def _bootstrap(statistic: Callable[..., float], *samples: np.ndarray) -> tuple[float, float]:
    """95 % interval of a statistic of independent samples, from 500 resamples of each."""
    rng = np.random.default_rng(SEED)
    values = [statistic(*(rng.choice(sample, len(sample)) for sample in samples)) for _ in range(500)]
    return tuple(np.percentile(values, [2.5, 97.5]).tolist())


def _bootstrap_pairs(statistic: Callable[..., float], *columns: np.ndarray) -> tuple[float, float]:
    """The same for columns of one sample, resampled together."""
    return _bootstrap(lambda rows: statistic(*(column[rows] for column in columns)), np.arange(len(columns[0])))


def _setting(bench: Bench) -> str:
    model = bench.recognizer.classifier
    return (
        f"{model.path.name} {model.digest[:12]}; drawings of {bench.split} writers; {describe_machine()}; "
        f"Python {platform.python_version()}, NumPy {np.__version__}, ONNX Runtime {onnxruntime.__version__}"
    )


def _table(rows: list[Row]) -> str:
    lines = ["| figure | n | value | 95 % interval | bar | peer |", "|---|---|---|---|---|---|"]
    for row in rows:
        interval = f"{_number(row.interval[0])} to {_number(row.interval[1])}" if row.interval else ""
        lines.append(f"| {row.figure} | {row.n:,} | {_number(row.value)} | {interval} | {row.bar} | {row.peer} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 2 else f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def _keep(path: Path, section: str, rows: list[Row], bench: Bench) -> None:
    """Put a section's figures into the file and leave the other sections as they are."""
    kept = json.loads(path.read_text()) if path.is_file() else {}
    kept[section] = {"setting": _setting(bench), "rows": [asdict(row) | {"bar": row.bar} for row in rows]}
    path.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
