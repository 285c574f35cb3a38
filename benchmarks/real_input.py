"""What people draw, photograph and scan, read by the whole road: accuracy, ablation, invariance, cost.

    python benchmarks/real_input.py --data ../shared/drawings
    python benchmarks/real_input.py --only accuracy cost --limit 100       # a quick look
    python benchmarks/real_input.py --split dev-train                      # to tune by: MNIST's test set is not read

The peer is the plain pipeline that most programs have (grey, resized to 28x28, normalised, light paper inverted), with
the same network. Tables are Markdown.
"""

from __future__ import annotations

import argparse
import csv
import io
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import onnxruntime
from PIL import Image
from rendering import PAD, Pose, Strokes, draw, draw_anywhere, draw_touching, drawings_folder, load_strokes

from digits import Recognizer
from digits.training.data import load_mnist
from digits.training.evaluate import describe_machine, to_input
from digits.training.metrics import wilson_interval

SEED = 2024
INVARIANCE_SAMPLE = 500
ABLATION_SAMPLE = 400  # pictures of each set, and everything of the smaller sets
PUT_TOGETHER = 400  # numbers of pen digits
TIMED = 100


@dataclass(frozen=True)
class Pictures:
    """A set. answers: the right text of each picture. bar: percent right that is asked for. lines: count lines."""

    name: str
    pictures: Sequence[Any]
    answers: Sequence[str]
    bar: float | None = None
    single: bool = False
    lines: bool = False

    def some(self, count: int | None) -> Pictures:
        """At most `count` pictures, evenly spread; all if None."""
        step = max(1, len(self.pictures) // count) if count else 1
        keep = slice(None, None, step)
        return Pictures(self.name, self.pictures[keep], self.answers[keep], self.bar, self.single, self.lines)


@dataclass(frozen=True)
class Bench:
    """What the sections work on."""

    recognizer: Recognizer
    data: Path
    mnist: Path | None
    split: str
    limit: int | None

    @cached_property
    def drawings(self) -> list[dict[str, Any]]:
        """The pen drawings of the split."""
        return load_strokes(self.data / "pen_digits.jsonl.gz", self.split)

    @cached_property
    def sets(self) -> list[Pictures]:
        """Every set of the accuracy table."""
        rng = np.random.default_rng(SEED)
        drawings = self.drawings[:: max(1, len(self.drawings) // self.limit) if self.limit else 1]
        pads = [draw_anywhere(drawing["strokes"], rng) for drawing in drawings]
        labels = [str(drawing["label"]) for drawing in drawings]
        rest = (_photo_cells(self.data), *_scans(self.data), *_numbers(self.data), _pages(self.data))
        return [
            Pictures("pen digits", pads, labels, 99.0),
            Pictures("pen digits, single=True", pads, labels, 99.2, single=True),
            _touching_pen_digits(self.drawings, self.limit or PUT_TOGETHER),
            *(pictures.some(self.limit) for pictures in rest),
        ]


def _touching_pen_digits(drawings: list[dict[str, Any]], count: int) -> Pictures:
    """Numbers of two to five digits of one writer, some of which touch: more of them than there are real ones."""
    rng = np.random.default_rng(SEED)
    of_writer: dict[str, list[dict[str, Any]]] = {}
    for drawing in drawings:
        of_writer.setdefault(drawing["writer"], []).append(drawing)
    pictures, answers = [], []
    for writer in rng.choice(sorted(of_writer), count):
        chosen = [of_writer[writer][place] for place in rng.integers(0, len(of_writer[writer]), rng.integers(2, 6))]
        pictures.append(draw_touching([drawing["strokes"] for drawing in chosen], rng))
        answers.append("".join(str(drawing["label"]) for drawing in chosen))
    return Pictures("pen digits put together, touching", pictures, answers)


def _photo_cells(data: Path) -> Pictures:
    rows = _read_csv(data / "photo_cells" / "labels.csv")
    files = [data / "photo_cells" / row["file"] for row in rows]
    return Pictures("photo cells", files, [row["label"] for row in rows], 97.0)


def _scans(data: Path) -> Iterator[Pictures]:
    """Dark on light; those that fill their box get the margin that their README asks for."""
    for name, bar in (("semeion", 98.0), ("optdigits_tra", 98.5), ("hwd1000", None)):
        scans = np.load(data / "scans" / f"{name}.npz")
        paper = scans["x"] if name == "hwd1000" else 255 - scans["x"]
        margin = 0 if name == "hwd1000" else paper.shape[1] // 4
        framed = np.pad(paper, ((0, 0), (margin, margin), (margin, margin)), constant_values=255)
        yield Pictures(f"scans: {name}", list(framed), [str(label) for label in scans["y"]], bar)


def _numbers(data: Path) -> Iterator[Pictures]:
    rows = _read_csv(data / "numbers" / "labels.csv")
    for touching, name, bar in (("0", "numbers, apart", 96.0), ("1", "numbers, touching", 75.0)):
        chosen = [row for row in rows if row["touching"] == touching]
        yield Pictures(name, [data / "numbers" / row["file"] for row in chosen], [row["label"] for row in chosen], bar)


def _pages(data: Path) -> Pictures:
    pages: dict[str, list[str]] = {}
    for row in _read_csv(data / "numbers" / "pages.csv"):
        pages.setdefault(row["file"], []).append(row["label"])
    files = [data / "numbers" / name for name in pages]
    return Pictures("pages, exact lines", files, ["\n".join(lines) for lines in pages.values()], 90.0, lines=True)


def _read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


Read = Callable[[Any, bool], str]
"""A picture, and whether it is one digit, to text."""


def read_by_road(recognizer: Recognizer) -> Read:
    """The program itself."""
    return lambda picture, single: recognizer.recognize(picture, single).text


def read_plainly(recognizer: Recognizer) -> Read:
    """The plain pipeline: grey, resized to 28x28, 0..1, inverted if the paper is light."""

    def read(picture: Any, single: bool) -> str:
        image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else _open(picture)
        small = np.asarray(image.convert("L").resize((28, 28), Image.Resampling.BILINEAR), np.float32) / 255
        ink = 1 - small if small.mean() > 0.5 else small
        return str(recognizer.classifier.classify(ink[None, ..., None])[0].argmax())

    return read


def _open(picture: Path | bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture)


@dataclass(frozen=True)
class Measured:
    """How many of a set were right, and the processor time of one picture in milliseconds."""

    right: int
    count: int
    milliseconds: float

    @property
    def percent(self) -> float:
        return 100 * self.right / self.count

    @property
    def interval(self) -> str:
        low, high = wilson_interval(self.right, self.count)
        return f"{100 * low:.1f}-{100 * high:.1f}"


def measure(read: Read, pictures: Pictures) -> Measured:
    """Read a set; a picture counts if its text is right, or each of its lines if the set counts lines."""
    start = time.process_time()
    texts = [read(picture, pictures.single) for picture in pictures.pictures]
    milliseconds = 1000 * (time.process_time() - start) / len(texts)
    if not pictures.lines:
        right = sum(text == answer for text, answer in zip(texts, pictures.answers, strict=True))
        return Measured(right, len(texts), milliseconds)
    right = sum(_right_lines(text, answer) for text, answer in zip(texts, pictures.answers, strict=True))
    return Measured(right, sum(answer.count("\n") + 1 for answer in pictures.answers), milliseconds)


def _right_lines(text: str, answer: str) -> int:
    found, wanted = text.split("\n"), answer.split("\n")
    return sum(a == b for a, b in zip(found, wanted, strict=True)) if len(found) == len(wanted) else 0


def accuracy(bench: Bench) -> Iterator[list[str]]:
    """Percent read exactly, in default mode: the recogniser is not told that there is one digit."""
    yield ["set", "n", "right %", "95 % interval", "ms a picture", "plain %", "plain ms", "bar"]
    for pictures in bench.sets:
        road, plain = (measure(read(bench.recognizer), pictures) for read in (read_by_road, read_plainly))
        times = [f"{road.milliseconds:.1f}", f"{plain.percent:.1f}", f"{plain.milliseconds:.1f}"]
        bar = "" if pictures.bar is None else f">= {pictures.bar:g}, {_met(road.percent >= pictures.bar)}"
        yield [pictures.name, str(road.count), f"{road.percent:.2f}", road.interval, *times, bar]


def _met(met: bool) -> str:
    return "met" if met else "NOT met"


def mnist(bench: Bench) -> Iterator[list[str]]:
    """MNIST through the whole road as 28x28 pictures of both polarities, beside the network on the raw arrays."""
    yield ["picture", "n", "right %", "raw arrays %", "difference", "bar"]
    everything = load_mnist(bench.mnist)
    split = (everything.test if bench.split == "dev-test" else everything.validation).first(bench.limit)
    raw = (bench.recognizer.classifier.classify(to_input(split.images)).argmax(axis=1) == split.labels).mean()
    for name, images in (("light on dark", split.images), ("dark on light", 255 - split.images)):
        answers = bench.recognizer.recognize_many(images)
        right = np.mean([answer.text == str(label) for answer, label in zip(answers, split.labels, strict=True)])
        difference = 100 * (right - raw)
        bar = f"within 0.05, {_met(abs(difference) <= 0.05 + 1e-9)}"
        yield [name, str(len(split)), f"{100 * right:.2f}", f"{100 * raw:.2f}", f"{difference:+.2f}", bar]


STEPS: dict[str, dict[str, Any]] = {
    "the whole road": {},
    "shading not removed": {"digits.picture._paper_level": lambda counts: float(counts.argmax())},
    "ruled lines kept": {"digits.picture._without_rules": lambda ink, clean, notes: ink},
    "pen left as it is": {"digits.normalise.change_pen": lambda ink, by: ink},
    "strokes not joined": {"digits.layout.LONGEST_RUN": 1},
    "touching digits not parted": {"digits.layout._part": lambda *arguments: []},
    "touching digits cut only": {"digits.layout._read_through": lambda *arguments: ([], 0.0)},
    "touching digits read in one look only": {"digits.layout._cut": lambda *arguments: ([], 0.0)},
    "place kept, not centred by mass": {"digits.normalise._centre": lambda ink: _middle(ink)},
}
"""What stands in for a step of the road when it is left out."""


def ablation(bench: Bench) -> Iterator[list[str]]:
    """Percent right when one step of the road is left out (same network, not trained again)."""
    sets = [pictures.some(bench.limit or ABLATION_SAMPLE) for pictures in bench.sets]
    yield ["road", *(f"{pictures.name} ({len(pictures.pictures)})" for pictures in sets)]
    for name, stands_in in STEPS.items():
        with _replaced(stands_in):
            results = [measure(read_by_road(bench.recognizer), pictures) for pictures in sets]
        yield [name, *(f"{result.percent:.1f}" for result in results)]
    results = [measure(read_plainly(bench.recognizer), pictures) for pictures in sets]
    yield ["no step (the plain pipeline)", *(f"{result.percent:.1f}" for result in results)]


@contextmanager
def _replaced(stands_in: dict[str, Any]) -> Iterator[None]:
    patches = [patch(name, substitute) for name, substitute in stands_in.items()]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def _middle(ink: np.ndarray) -> np.ndarray:
    """Centred by the box instead of by the centre of mass."""
    frame = np.zeros((28, 28), np.float32)
    top, left = (28 - ink.shape[0]) // 2, (28 - ink.shape[1]) // 2
    frame[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return frame


def _posed(
    size: float = 0.55, pen: float = 0.07, across: float = 0.5, down: float = 0.5
) -> Callable[[Strokes], np.ndarray]:
    """Draw in one pose. size: share of the pad; pen: share of the drawing; across, down: place, 0 to 1."""

    def drawn(strokes: Strokes) -> np.ndarray:
        points = np.concatenate([np.asarray(stroke, float) for stroke in strokes])
        extent = np.ptp(points, axis=0) / max(np.ptp(points, axis=0).max(), 1e-6) * size * PAD
        line = pen * size * PAD
        left, top = np.array([across, down]) * (PAD - extent - line - 4) + line / 2 + 2
        return draw(strokes, Pose(size * PAD, line, float(left), float(top)))

    return drawn


def _transparent(pad: np.ndarray) -> np.ndarray:
    return np.dstack([np.zeros((PAD, PAD, 3), np.uint8), 255 - pad])


def _jpeg(pad: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pad, [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()


def _turned(pad: np.ndarray) -> bytes:
    """Lying on its side, with an EXIF note that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(np.rot90(pad)).save(file, "PNG", exif=exif)
    return file.getvalue()


def _on_grey(pad: np.ndarray) -> np.ndarray:
    return (40 + pad.astype(np.float32) * (130 / 255)).astype(np.uint8)


def _on_shaded(pad: np.ndarray) -> np.ndarray:
    """Light from one corner, and the grain of paper."""
    rows, columns = np.mgrid[:PAD, :PAD] / PAD
    light = 0.45 + 0.5 * (rows + columns) / 2
    grain = np.random.default_rng(SEED).normal(0, 3, pad.shape)
    return np.clip((60 + pad.astype(np.float32) * (180 / 255)) * light + grain, 0, 255).astype(np.uint8)


USUAL = _posed()
VARIANTS: dict[str, Callable[[Strokes], Any]] = {
    "small (20 % of the pad)": _posed(size=0.2),
    "large (90 %)": _posed(size=0.9),
    "upper left corner": _posed(across=0, down=0),
    "upper right corner": _posed(across=1, down=0),
    "lower left corner": _posed(across=0, down=1),
    "lower right corner": _posed(across=1, down=1),
    "inverted": lambda strokes: 255 - USUAL(strokes),
    "transparent background": lambda strokes: _transparent(USUAL(strokes)),
    "pen of half the width": _posed(pen=0.035),
    "pen of double the width": _posed(pen=0.14),
    "JPEG, quality 30": lambda strokes: _jpeg(USUAL(strokes)),
    "turned, with EXIF": lambda strokes: _turned(USUAL(strokes)),
    "on grey paper": lambda strokes: _on_grey(USUAL(strokes)),
    "on shaded, grainy paper": lambda strokes: _on_shaded(USUAL(strokes)),
}


def invariance(bench: Bench) -> Iterator[list[str]]:
    """The same drawing in another guise: percent that get the same text as in the middle of a white pad."""
    yield ["guise", "n", "same %", "95 % interval", "bar"]
    count = min(bench.limit or INVARIANCE_SAMPLE, INVARIANCE_SAMPLE, len(bench.drawings))
    chosen = np.random.default_rng(SEED).choice(len(bench.drawings), count, replace=False)
    drawings = [bench.drawings[index]["strokes"] for index in chosen]
    usual = [bench.recognizer.recognize(USUAL(strokes)).text for strokes in drawings]
    for name, variant in VARIANTS.items():
        pictures = [variant(strokes) for strokes in drawings]
        same = measure(read_by_road(bench.recognizer), Pictures(name, pictures, usual))
        yield [name, str(count), f"{same.percent:.1f}", same.interval, f">= 99, {_met(same.percent >= 99)}"]


def cost(bench: Bench) -> Iterator[list[str]]:
    """Processor time from picture to answer on one core, classification included: median and quartiles."""
    yield ["picture", "n", "ms", "quartiles", "plain ms", "plain quartiles", "bar"]
    count = min(bench.limit or TIMED, TIMED)
    rng = np.random.default_rng(SEED)
    pads = [
        draw_anywhere(drawing["strokes"], rng) for drawing in bench.drawings[:: len(bench.drawings) // count][:count]
    ]
    photos = [_photo(pad, rng) for pad in pads[: max(5, count // 10)]]
    sets = (("drawing, 400x400, array", pads, 3.0), ("photo, 12 megapixels, JPEG", photos, 150.0))
    for name, pictures, bar in sets:
        road, plain = (_times(read(bench.recognizer), pictures) for read in (read_by_road, read_plainly))
        met = f"<= {bar:g}, {_met(bool(np.median(road) <= bar))}"
        yield [name, str(len(pictures)), *_spread(road), *_spread(plain), met]


def _photo(pad: np.ndarray, rng: np.random.Generator) -> bytes:
    """A drawing on shaded, grainy paper as a phone takes it: a JPEG of 4000x3000 pixels."""
    page = cv2.copyMakeBorder(_on_shaded(pad), 50, 50, 100, 100, cv2.BORDER_REPLICATE)
    large = cv2.resize(page, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    grainy = np.clip(large[..., None] + rng.integers(-4, 5, (3000, 4000, 3), np.int16), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _times(read: Read, pictures: Sequence[Any]) -> np.ndarray:
    read(pictures[0], False)  # the first call allocates
    times = []
    for picture in pictures:
        start = time.process_time()
        read(picture, False)
        times.append(1000 * (time.process_time() - start))
    return np.array(times)


def _spread(times: np.ndarray) -> tuple[str, str]:
    low, middle, high = np.percentile(times, [25, 50, 75])
    return f"{middle:.2f}", f"{low:.2f}-{high:.2f}"


SECTIONS = {"accuracy": accuracy, "mnist": mnist, "ablation": ablation, "invariance": invariance, "cost": cost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--model", type=Path, help="model file; the shipped one by default")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION",
                        help=", ".join(SECTIONS))  # fmt: skip
    parser.add_argument(
        "--split", choices=("dev-train", "dev-test"), default="dev-test", help="writers of the pen drawings"
    )
    parser.add_argument("--limit", type=int, help="about so many pictures of each set, for a quick look")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"no drawings at {options.data}: name their folder with --data")
    cv2.setNumThreads(1)
    bench = Bench(Recognizer(options.model), options.data, options.mnist, options.split, options.limit)
    print(f"`python benchmarks/real_input.py {' '.join(sys.argv[1:])}`\n\n{_setting(bench)}")
    for name in options.only:
        print(f"\n## {name}: {SECTIONS[name].__doc__}\n", flush=True)
        _print_table(SECTIONS[name](bench))


def _setting(bench: Bench) -> str:
    return (
        f"{describe_machine()}; Python {platform.python_version()}, OpenCV {cv2.__version__}, "
        f"ONNX Runtime {onnxruntime.__version__}, one thread; model {bench.recognizer.classifier.digest[:12]}; "
        f"writers {bench.split}"
    )


def _print_table(rows: Iterator[list[str]]) -> None:
    head = next(rows)
    print(f"| {' | '.join(head)} |\n|---|{'---:|' * (len(head) - 1)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
