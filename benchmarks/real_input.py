"""What people draw, photograph and scan, read by the whole road: accuracy, guises, ablation, invariance, cost.

    python benchmarks/real_input.py --data ../shared/drawings
    python benchmarks/real_input.py --limit 40                             # a quick look at everything
    python benchmarks/real_input.py --only guises photos --limit 100
    python benchmarks/real_input.py --split dev-train                      # to tune by: MNIST's test set is not read

The peers are the plain pipeline that most programs have (grey, resized to 28x28, normalised, light paper inverted),
with the same network, and RapidOCR, in an environment that is made where there is none. Everything runs on one core;
times are medians of the processor's time. Tables are Markdown.
"""

from __future__ import annotations

import argparse
import io
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import onnxruntime
from composed import Drawing, compose_lines
from peer import RAPIDOCR, Worker, default_folder
from PIL import Image
from reading import (
    Measured,
    Pictures,
    Reader,
    at_least,
    at_most,
    measure,
    met,
    print_table,
    read_by_road,
    read_plainly,
    spread,
)
from rendering import PAD, Pose, Strokes, draw, draw_anywhere, drawings_folder
from sets import Sets

import digits
from digits import Recognizer
from digits.networks import name_networks
from digits.training.data import load_mnist
from digits.training.evaluate import describe_machine, to_input

SEED = 2024
INVARIANCE_SAMPLE = 500
ABLATION_SAMPLE = 400  # pictures of each set, and everything of the smaller sets
PEER_SAMPLE = 100  # pictures of a large set that RapidOCR is given
TIMED = 100
MEAN_OF_GUISES = 98.5
DIGITS_FOUND, DIGITS_INVENTED = 98.0, 1.0

SURE_HEAD = ["sure %", "sure and wrong %", "bar"]
PEER_HEAD = ["RapidOCR %", "RapidOCR n", "RapidOCR ms"]
LINES_HEAD = [
    "set", "n", "right %", "95 % interval", "bar", "sure %", "sure and wrong %", "wrong of the sure %", "ECE",
    "digits", "found %", "invented %", "bar of digits", "ms", *PEER_HEAD,
]  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """What the sections work on. rapidocr: beside us, or None."""

    recognizer: Recognizer
    rapidocr: Worker | None
    sets: Sets
    mnist: Path | None

    @property
    def limit(self) -> int | None:
        return self.sets.limit

    @property
    def road(self) -> Reader:
        return Reader("road", read_by_road(self.recognizer))

    @property
    def plain(self) -> Reader:
        return Reader("plain", read_plainly(self.recognizer))

    def peer(self, sample: int | None) -> list[Reader]:
        """RapidOCR on at most so many pictures of a set; nothing if it is not wanted."""
        return [Reader("RapidOCR", self.rapidocr.read, sample)] if self.rapidocr else []


def _beside(peer: Sequence[Measured]) -> list[str]:
    """The columns of the peer."""
    return [f"{peer[0].percent:.1f}", str(peer[0].count), f"{peer[0].milliseconds:.0f}"] if peer else ["", "", ""]


def _sure(measured: Measured, bar: float | None) -> list[str]:
    """How many answers are sure, how many are sure and wrong, and the bar of these, in percent of the answers."""
    count = len(measured.answers)
    wrong = 100 * measured.sure_and_wrong / max(count, 1)
    return [f"{100 * measured.sure / max(count, 1):.1f}", f"{wrong:.2f}", at_most(wrong, bar)]


def _peer_sample(bench: Bench, most: int = PEER_SAMPLE) -> int:
    """How many pictures of a set RapidOCR is given: it takes up to two seconds for one."""
    return max(4, min(bench.limit // 10, most)) if bench.limit else most


def accuracy(bench: Bench) -> Iterator[list[str]]:
    """Percent read exactly, in default mode: the recogniser is not told that there is one digit."""
    yield ["set", "n", "right %", "95 % interval", "bar", *SURE_HEAD, "ms", "plain %", *PEER_HEAD]
    readers = [bench.road, bench.plain, *bench.peer(_peer_sample(bench))]
    for pictures in bench.sets.accuracy():
        road, plain, *peer = measure(readers, pictures)
        right = [f"{road.percent:.2f}", road.interval, at_least(road.percent, pictures.bar)]
        sure = _sure(road, pictures.sure_wrong)
        times = [f"{road.milliseconds:.1f}", f"{plain.percent:.1f}"]
        yield [pictures.name, str(road.count), *right, *sure, *times, *_beside(peer)]


def guises(bench: Bench) -> Iterator[list[str]]:
    """The same pen drawings in guises of every kind, in default mode. RapidOCR reads the whole picture as a line."""
    yield ["guise", "n", "right %", "95 % interval", "bar", *SURE_HEAD, "ms", *PEER_HEAD]
    readers = [bench.road, *bench.peer(_peer_sample(bench))]
    percents = []
    for pictures in bench.sets.guises():
        road, *peer = measure(readers, pictures)
        percents.append(road.percent)
        right = [f"{road.percent:.1f}", road.interval, at_least(road.percent, pictures.bar)]
        sure = _sure(road, pictures.sure_wrong)
        yield [pictures.name, str(road.count), *right, *sure, f"{road.milliseconds:.1f}", *_beside(peer)]
    mean = float(np.mean(percents))
    bar = at_least(mean, MEAN_OF_GUISES)
    yield [f"mean of {len(percents)} guises", "", f"{mean:.2f}", "", bar, *[""] * (len(SURE_HEAD) + 1 + len(PEER_HEAD))]


def _lines_row(pictures: Pictures, road: Measured, peer: Sequence[Measured], digits_bar: bool) -> list[str]:
    """A row of what stands in lines: how many lines or numbers are right, and how many digits are found."""
    found, invented = (100 * count / max(road.true_digits, 1) for count in (road.found, road.invented))
    right = [f"{road.percent:.1f}", road.interval, at_least(road.percent, pictures.bar)]
    wrong = 100 * road.sure_and_wrong / max(road.sure, 1)
    sure = [*_sure(road, None)[:2], f"{wrong:.1f}", f"{road.calibration_error:.3f}"]
    reached = met(found >= DIGITS_FOUND and invented <= DIGITS_INVENTED)
    bar = f">= {DIGITS_FOUND:g} and <= {DIGITS_INVENTED:g}, {reached}" if digits_bar else ""
    digits_read = [str(road.true_digits), f"{found:.1f}", f"{invented:.1f}", bar]
    return [pictures.name, str(road.count), *right, *sure, *digits_read, f"{road.milliseconds:.0f}", *_beside(peer)]


def composed(bench: Bench) -> Iterator[list[str]]:
    """Numbers, pages and tables of one hand, photographed: lines and rows whose digits are exact, digits found."""
    yield LINES_HEAD
    readers = [bench.road, *bench.peer(_peer_sample(bench))]
    for pictures in bench.sets.composed():
        road, *peer = measure(readers, pictures)
        yield _lines_row(pictures, road, peer, True)


def photos(bench: Bench) -> Iterator[list[str]]:
    """Other people's photos and scans: digits compared, found by the shortest way of edits. They are few."""
    yield LINES_HEAD
    readers = [bench.road, *bench.peer(_peer_sample(bench) if bench.limit else None)]
    for pictures in bench.sets.photos():
        road, *peer = measure(readers, pictures)
        yield _lines_row(pictures, road, peer, pictures.lines)


def nothing(bench: Bench) -> Iterator[list[str]]:
    """Pictures without any digit: in how many of them a sure digit is seen. Of RapidOCR, any digit counts."""
    yield ["pictures", "n", "sure digits", "with one %", "95 % interval", "bar", "ms", "RapidOCR: with one %", "n"]
    readers = [bench.road, *bench.peer(_peer_sample(bench, 20))]
    for pictures in bench.sets.nothing():
        road, *peer = measure(readers, pictures)
        sure = [sum(digit.verdict == "sure" for digit in answer.digits) for answer in road.answers]
        pictures_with = np.count_nonzero(sure)
        percent = 100 * pictures_with / road.count
        figures = [f"{percent:.1f}", spread(pictures_with, road.count), at_most(percent, 1.0)]
        beside = [f"{100 - one.percent:.1f}" for one in peer] + [str(one.count) for one in peer] if peer else ["", ""]
        yield [pictures.name, str(road.count), str(sum(sure)), *figures, f"{road.milliseconds:.0f}", *beside]


def sudoku(bench: Bench) -> Iterator[list[str]]:
    """The whole photos of sudokus: handwritten digits that were read in their cells, and what the program says."""
    yield ["photo", "n", "right %", "95 % interval", "bar", "text", "notes", "ms"]
    for path, corners, cells in bench.sets.sudokus():
        answer = bench.road.read(path, Pictures("", [], []))
        right = sum(_in_cells(answer.digits, corners).get(cell) == {label} for cell, label in cells.items())
        percent = 100 * right / len(cells)
        figures = [f"{percent:.1f}", spread(right, len(cells)), at_least(percent, 98.0)]
        text = repr(answer.text if len(answer.text) < 20 else answer.text[:20] + "...")
        yield [path.name, str(len(cells)), *figures, text, "; ".join(answer.notes), f"{answer.milliseconds:.0f}"]


def _in_cells(found: Sequence[digits.Digit], corners: np.ndarray) -> dict[tuple[int, int], set[int]]:
    """The labels of the digits whose middle lies in each cell (row, column) of the grid with these corners."""
    square = np.array([[0, 0], [9, 0], [9, 9], [0, 9]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, square)
    cells: dict[tuple[int, int], set[int]] = {}
    for digit in found:
        left, top, right, bottom = digit.box
        middle = np.array([[[(left + right) / 2, (top + bottom) / 2]]], np.float32)
        column, row = np.floor(cv2.perspectiveTransform(middle, matrix)[0, 0]).astype(int).tolist()
        cells.setdefault((row, column), set()).add(digit.label)
    return cells


def mnist(bench: Bench) -> Iterator[list[str]]:
    """MNIST through the whole road as 28x28 pictures of both polarities, beside the network on the raw arrays."""
    yield ["picture", "n", "right %", "raw arrays %", "difference", "bar"]
    everything = load_mnist(bench.mnist)
    split = (everything.test if bench.sets.split == "dev-test" else everything.validation).first(bench.limit)
    raw = (bench.recognizer.classifier.classify(to_input(split.images)).argmax(axis=1) == split.labels).mean()
    for name, images in (("light on dark", split.images), ("dark on light", 255 - split.images)):
        answers = bench.recognizer.recognize_many(images)
        right = np.mean([answer.text == str(label) for answer, label in zip(answers, split.labels, strict=True)])
        difference = 100 * (right - raw)
        bar = f"within 0.05, {met(abs(difference) <= 0.05 + 1e-9)}"
        yield [name, str(len(split)), f"{100 * right:.2f}", f"{100 * raw:.2f}", f"{difference:+.2f}", bar]


STEPS: dict[str, dict[str, Any]] = {
    "the whole road": {},
    "every picture seen by the ink network": {"digits.ink._on_clean_pad": lambda look: look},
    "pages that lie askew left so": {"digits.ink.find_slope": lambda ink, lines: 0.0},
    "pen left as it is": {"digits.normalise.change_pen": lambda ink, by: ink},
    "the reader's word alone": {"digits.judge.OWN": (1, 0, 0), "digits.judge.CUT": (1, 0, 0)},
    "the digit network's word alone": {"digits.judge.OWN": (0, 1, 0), "digits.judge.CUT": (0, 1, 0)},
    "a narrow strip never one digit": {"digits.layout.NARROW": 0.0},
    "place kept, not centred by mass": {"digits.normalise._centre": lambda ink: _middle(ink)},
}
"""What stands in for a step of the road when it is left out."""


def ablation(bench: Bench) -> Iterator[list[str]]:
    """Percent right when one step of the road is left out (same network, not trained again)."""
    sample = bench.limit // 4 if bench.limit else ABLATION_SAMPLE
    sets = [pictures.some(sample) for pictures in bench.sets.accuracy()]
    yield ["road", *(f"{pictures.name} ({len(pictures.pictures)})" for pictures in sets)]
    for name, stands_in in STEPS.items():
        with _replaced(stands_in):
            results = [measure([bench.road], pictures)[0] for pictures in sets]
        yield [name, *(f"{result.percent:.1f}" for result in results)]
    results = [measure([bench.plain], pictures)[0] for pictures in sets]
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
    count = min(bench.limit or INVARIANCE_SAMPLE, INVARIANCE_SAMPLE, len(bench.sets.drawings))
    chosen = np.random.default_rng(SEED).choice(len(bench.sets.drawings), count, replace=False)
    drawings = [bench.sets.drawings[index]["strokes"] for index in chosen]
    usual = [bench.recognizer.recognize(USUAL(strokes)).text for strokes in drawings]
    for name, variant in VARIANTS.items():
        pictures = [variant(strokes) for strokes in drawings]
        same = measure([bench.road], Pictures(name, pictures, usual))[0]
        yield [name, str(count), f"{same.percent:.1f}", same.interval, at_least(same.percent, 99.0)]


def cost(bench: Bench) -> Iterator[list[str]]:
    """Processor time from picture to answer on one core, everything included: median and quartiles."""
    yield ["picture", "n", "ms", "quartiles", "plain ms", "plain quartiles", "bar"]
    count = min(bench.limit or TIMED, TIMED)
    few = max(5, count // 10)
    rng = np.random.default_rng(SEED)
    drawings = bench.sets.drawings
    pads = [draw_anywhere(drawing["strokes"], rng) for drawing in drawings[:: len(drawings) // count][:count]]
    sets = (
        ("drawing, 400x400, array", pads, 3.0),
        ("photo, 12 megapixels, JPEG", [_photo(pad, rng) for pad in pads[:few]], 250.0),
        ("number of 8 digits on paper", [_of_digits(drawings, rng, 1, 8) for _ in range(few)], 8.0),
        ("page of 100 digits", [_of_digits(drawings, rng, 10, 10) for _ in range(few)], 150.0),
    )
    for name, pictures, bar in sets:
        road, plain = (_times(reader, pictures) for reader in (bench.road, bench.plain))
        yield [name, str(len(pictures)), *_spread(road), *_spread(plain), at_most(float(np.median(road)), bar)]


def _of_digits(drawings: Sequence[Drawing], rng: np.random.Generator, lines: int, length: int) -> np.ndarray | bytes:
    return compose_lines(drawings, rng, lines, lengths=(length, length)).picture


def sizes(bench: Bench) -> Iterator[list[str]]:
    """The models that are shipped."""
    yield ["model", "megabytes", "bar"]
    models = sorted(Path(digits.__file__).parent.glob("*.onnx"))
    megabytes = [model.stat().st_size / 1e6 for model in models]
    for model, size in zip(models, megabytes, strict=True):
        yield [model.name, f"{size:.2f}", at_most(size, 1.0) if model.name == "ink.onnx" else ""]
    yield ["all together", f"{sum(megabytes):.2f}", at_most(sum(megabytes), 4.0)]


def _photo(pad: np.ndarray, rng: np.random.Generator) -> bytes:
    """A drawing on shaded, grainy paper as a phone takes it: a JPEG of 4000x3000 pixels."""
    page = cv2.copyMakeBorder(_on_shaded(pad), 50, 50, 100, 100, cv2.BORDER_REPLICATE)
    large = cv2.resize(page, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    grainy = np.clip(large[..., None] + rng.integers(-4, 5, (3000, 4000, 3), np.int16), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _times(reader: Reader, pictures: Sequence[Any]) -> np.ndarray:
    as_set = Pictures("", [], [])
    reader.read(pictures[0], as_set)  # the first call allocates
    return np.array([reader.read(picture, as_set).milliseconds for picture in pictures])


def _spread(times: np.ndarray) -> tuple[str, str]:
    low, middle, high = np.percentile(times, [25, 50, 75])
    return f"{middle:.2f}", f"{low:.2f}-{high:.2f}"


SECTIONS: dict[str, Callable[[Bench], Iterator[list[str]]]] = {
    "accuracy": accuracy,
    "guises": guises,
    "composed": composed,
    "photos": photos,
    "nothing": nothing,
    "sudoku": sudoku,
    "mnist": mnist,
    "ablation": ablation,
    "invariance": invariance,
    "cost": cost,
    "sizes": sizes,
}


def _options() -> argparse.Namespace:
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
    parser.add_argument(
        "--environments", type=Path, default=default_folder(), help="where RapidOCR is installed if it is not there yet"
    )
    parser.add_argument("--alone", action="store_true", help="without RapidOCR")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"no drawings at {options.data}: name their folder with --data")
    return options


def main() -> None:
    options = _options()
    cv2.setNumThreads(1)
    rapidocr = None if options.alone else Worker(RAPIDOCR, options.environments)
    sets = Sets(options.data, options.split, options.limit)
    bench = Bench(Recognizer(options.model), rapidocr, sets, options.mnist)
    print(f"`python benchmarks/real_input.py {' '.join(sys.argv[1:])}`\n\n{_setting(bench)}")
    for name in options.only:
        print(f"\n## {name}: {SECTIONS[name].__doc__}\n", flush=True)
        print_table(SECTIONS[name](bench))
    if rapidocr:
        rapidocr.close()


def _setting(bench: Bench) -> str:
    return (
        f"{describe_machine()}; Python {platform.python_version()}, OpenCV {cv2.__version__}, "
        f"ONNX Runtime {onnxruntime.__version__}, one thread; {name_networks(bench.recognizer.networks)}; "
        f"writers {bench.sets.split}"
    )


if __name__ == "__main__":
    main()
