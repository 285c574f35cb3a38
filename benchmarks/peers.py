"""This program beside what else one would take: the same pictures in the same run, written as docs/comparison.md.

    python benchmarks/peers.py --data ../shared/drawings --limit 60
    python benchmarks/peers.py --limit 2 --peers Tesseract --out look.md   # a quick look, with one of the others only
    python benchmarks/peers.py --limit 60 --only costs                     # some sections

The plain pipeline has this program's own network. The others have environments of their own, which are made where there
are none yet (digit-recognizer-py brings PyTorch: several GB); Tesseract is the one on the PATH. One that cannot be
installed or does not run is left out, and the document says why. One that crashes or hangs over a picture has not read
it. Everything runs on one core. A confidence of at least 80 % counts as sure, for all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from peer import RAPIDOCR, Peer, PeerError, Worker, default_folder
from reading import Measured, Pictures, Reader, measure, read_by_road, read_plainly, spread
from rendering import drawings_folder
from sets import Sets

from digits import Recognizer, __version__
from digits.files import replace_file
from digits.networks import name_networks
from digits.training.evaluate import describe_machine
from digits.training.metrics import auroc

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "comparison.md"
RACE = ROOT / "benchmarks" / "time_to_accuracy.md"
TIMED = 100  # drawings
TIMED_SHEETS = 3
NEEDED = tuple(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"])

OURS = Peer("this program", ("own_worker.py",), needs=NEEDED)
PLAIN = Peer(
    "plain pipeline", ("plain.py", str(ROOT / "digits" / "model.onnx")), needs=("numpy", "pillow", "onnxruntime"),
    one_digit=True,
)  # fmt: skip
PLAIN_KERAS = Peer(
    "plain, Keras predict", ("plain.py", str(ROOT / "model.h5")),
    needs=("numpy", "pillow", "keras", "tensorflow-cpu", "tensorflow"), one_digit=True,
)  # fmt: skip
OTHERS = (
    Peer(
        "digit-recognizer-py", ("digit_recognizer_worker.py",), packages=("digit-recognizer-py==0.1.0",),
        needs=("digit-recognizer-py", "torch"), one_digit=True,
    ),
    Peer(
        "digitsclassifier", ("digitsclassifier_worker.py",), packages=("digitsclassifier==2.1.0",),
        needs=("digitsclassifier", "tensorflow"), one_digit=True,
    ),
    RAPIDOCR,
    Peer("Tesseract", ("tesseract_worker.py",), debian=("tesseract-ocr", "tesseract-ocr-eng", "tesseract-ocr-osd",
                                                        "libtesseract5", "liblept5")),
)  # fmt: skip
WHY_READ = {
    PLAIN.name: "where one digit fills a picture as in MNIST nothing is to be found, and its network is this program's",
    "digit-recognizer-py": "it need not find out that there is one digit",
    "digitsclassifier": "it need not find out that there is one digit",
    RAPIDOCR.name: "its networks are several times as large and have seen photos of real text, this program's only "
    "MNIST and what is synthesised",
    "Tesseract": "it is told that there are digits only, and whether they are one, a line or a block",
}
ONE_LOOK = "it looks for nothing: no ink, no lines, no second look"
WHY_COST = {
    **dict.fromkeys((PLAIN.name, PLAIN_KERAS.name, "digit-recognizer-py", "digitsclassifier"), ONE_LOOK),
    RAPIDOCR.name: "it has neither a page nor an HTTP interface, and looks at a picture once",
    "Tesseract": "it is a compiled program, without Python and its libraries, and looks at a picture once",
}
"""Where another is ahead, what it owes that to."""


@dataclass(frozen=True)
class Figure:
    """A row of a table.

    values: of each reader that has one; spreads: their 95 % intervals. form: how they are written. better: "more" or
    "less"; if neither, nobody is ahead in it.
    """

    name: str
    n: str
    values: Mapping[str, float]
    form: str = ".1f"
    spreads: Mapping[str, str] = field(default_factory=dict)
    better: str = "more"

    def shown(self, reader: str) -> str:
        """A value with its interval; a dash if there is none."""
        if reader not in self.values:
            return "–"
        value = format(self.values[reader], self.form)
        return f"{value} ({self.spreads[reader]})" if reader in self.spreads else value

    def ahead(self) -> list[str]:
        """Those who are better than this program, the best first."""
        if self.better not in ("more", "less") or OURS.name not in self.values:
            return []
        loss = {name: value if self.better == "less" else -value for name, value in self.values.items()}
        return sorted((name for name in loss if loss[name] < loss[OURS.name]), key=lambda name: loss[name])


@dataclass(frozen=True)
class Section:
    """A table of the document. readers: its columns. why: what each owes it to where it is ahead."""

    title: str
    text: str
    readers: Sequence[str]
    figures: Sequence[Figure]
    why: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        head = f"| | n | {' | '.join(self.readers)} |\n|---|---:|{'---:|' * len(self.readers)}"
        rows = (
            f"| {figure.name} | {figure.n} | {' | '.join(map(figure.shown, self.readers))} |" for figure in self.figures
        )
        return "\n".join([f"## {self.title}\n\n{self.text}\n\n{head}", *rows])


@dataclass
class Bench:
    """What the sections work on.

    starts: fresh processes of each peer. absent: why peers are not measured, by name. notes: what else is to be told.
    """

    recognizer: Recognizer
    sets: Sets
    peers: Sequence[Peer]
    environments: Path
    starts: int
    absent: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def start(self, peer: Peer) -> Worker | None:
        """A peer that runs, or None."""
        if peer.name in self.absent:
            return None
        try:
            return Worker(peer, self.environments)
        except PeerError as error:
            self.absent[peer.name] = str(error)
            return None


def _has_tables(pictures: Pictures) -> bool:
    return "tables" in pictures.name


GROUPS: dict[str, Callable[[Pictures], bool]] = {
    "single digits, right %": lambda pictures: pictures.kind == "digit",
    "numbers, every digit right %": lambda pictures: pictures.kind == "line",
    "pages, exact lines %": lambda pictures: pictures.kind == "page" and not _has_tables(pictures),
    "tables, exact rows %": _has_tables,
}
"""Sets of one kind together."""

Results = list[tuple[Pictures, dict[str, Measured]]]
"""Each set, and what each reader made of it."""


def reading(bench: Bench) -> Iterator[Section]:
    """What is read right, what is told from digits, and what "sure" is worth."""
    workers = {peer: worker for peer in bench.peers if (worker := bench.start(peer))}
    readers = {
        OURS: Reader(OURS.name, read_by_road(bench.recognizer)),
        PLAIN: Reader(PLAIN.name, read_plainly(bench.recognizer)),
    } | {peer: Reader(peer.name, worker.read) for peer, worker in workers.items()}
    # That there is one digit is told to those that must know it, not to this program.
    results = [(pictures, _measure(readers, pictures)) for pictures in _sets(bench.sets) if not pictures.single]
    others = [_measure(readers, pictures) for pictures in bench.sets.other_things()]
    bench.notes += [
        f"{peer.name} crashed, hung or raised an error over {worker.lost} pictures; they count as not read."
        for peer, worker in workers.items()
        if worker.lost
    ]
    for worker in workers.values():
        worker.close()
    names = [OURS.name, PLAIN.name, *(peer.name for peer in bench.peers)]
    yield Section(
        "Of all sets", OF_ALL, names, [*_of_groups(results), _auroc(results, others), *_of_sure(results)], WHY_READ
    )
    yield Section("Set by set", SET_BY_SET, names, [_of_set(*result) for result in results], WHY_READ)


OF_ALL = """The sets below taken together; scans that are also shown enlarged count each time. Those that read one digit
a picture are given single digits only. None of the others gives the cells of a table, so that the digits of its rows
are compared. AUROC is the area under the ROC curve of the confidence, pen digits against letters, scribbles, shapes,
textures and photo-like scenes: 1 is perfect, 0.5 is chance."""
SET_BY_SET = "Percent read exactly, with the 95 % interval."


def _sets(sets: Sets) -> Iterator[Pictures]:
    """The sets of the folder."""
    yield from sets.accuracy()
    yield from (replace(pictures, name=f"photos: {pictures.name}") for pictures in sets.photos())


def _measure(readers: Mapping[Peer, Reader], pictures: Pictures) -> dict[str, Measured]:
    """A set, read by all who can."""
    due = [reader for peer, reader in readers.items() if pictures.kind == "digit" or not peer.one_digit]
    print(f"{pictures.name}: {len(pictures.pictures)} pictures", file=sys.stderr, flush=True)
    return {reader.name: found for reader, found in zip(due, measure(due, pictures), strict=True)}


def _of_set(pictures: Pictures, found: Mapping[str, Measured]) -> Figure:
    return Figure(
        pictures.name,
        str(found[OURS.name].count),
        {name: measured.percent for name, measured in found.items()},
        spreads={name: measured.interval for name, measured in found.items()},
    )


def _of_groups(results: Results) -> Iterator[Figure]:
    for group, has in GROUPS.items():
        sets = [found for pictures, found in results if has(pictures)]
        right = {name: sum(found[name].right for found in sets) for name in sets[0]}
        count = sum(found[OURS.name].count for found in sets)
        yield Figure(
            group,
            str(count),
            {name: 100 * right[name] / count for name in right},
            spreads={name: spread(right[name], count) for name in right},
        )


def _auroc(results: Results, others: Sequence[Mapping[str, Measured]]) -> Figure:
    """Pen digits against what is no digit."""
    digits = next(found for pictures, found in results if pictures.name == "pen digits")
    values = {
        name: auroc(_confidences([digits[name]]), _confidences(found[name] for found in others)) for name in digits
    }
    n = f"{digits[OURS.name].count} + {sum(found[OURS.name].count for found in others)}"
    return Figure("digit or not, AUROC", n, values, ".4f")


def _confidences(sets: Iterable[Measured]) -> np.ndarray:
    return np.array([answer.confidence for measured in sets for answer in measured.answers])


def _of_sure(results: Results) -> Iterator[Figure]:
    """Of single digits and of numbers: how many answers are sure, and how many of these are wrong."""
    for name, kind in (("single digits", "digit"), ("numbers", "line")):
        sets = [found for pictures, found in results if pictures.kind == kind]
        sure = {reader: sum(found[reader].sure for found in sets) for reader in sets[0]}
        wrong = {reader: sum(found[reader].sure_and_wrong for found in sets) for reader in sets[0]}
        answers = sum(len(found[OURS.name].answers) for found in sets)
        yield Figure(
            f"{name}: sure, %", str(answers), {reader: 100 * sure[reader] / answers for reader in sure}, better=""
        )
        some = [reader for reader in sure if sure[reader]]
        yield Figure(
            f"{name}: wrong of those that are sure, %",
            "those",
            {reader: 100 * wrong[reader] / sure[reader] for reader in some},
            spreads={reader: spread(wrong[reader], sure[reader]) for reader in some},
            better="less",
        )


def costs(bench: Bench) -> Iterator[Section]:
    """What a picture, a start and an installation take."""
    peers = [OURS, PLAIN, PLAIN_KERAS, *bench.peers]
    drawings = next(bench.sets.accuracy()).some(TIMED)
    sheets = next(pictures for pictures in bench.sets.photos() if _has_tables(pictures)).some(TIMED_SHEETS)
    found = {peer.name: _cost(bench, peer, drawings, sheets) for peer in peers}
    counts = {DRAWING: len(drawings.pictures), SHEET: len(sheets.pictures), START: bench.starts}
    figures = [
        Figure(
            name,
            str(counts.get(name, 1)),
            {peer: cost[name] for peer, cost in found.items() if name in cost},
            form,
            better="less",
        )
        for name, form in COSTS.items()
    ]
    yield Section("What it takes", WHAT_IT_TAKES, [peer.name for peer in peers], figures, WHY_COST)


DRAWING, SHEET = "a drawing on a 400x400 pad, ms", "a photo of a table, ms"
START, MEMORY, INSTALLED = "start to first answer, s", "memory, MB", "installed, MB"
COSTS = {DRAWING: ".1f", SHEET: ".0f", START: ".2f", MEMORY: ".0f", INSTALLED: ".0f"}
"""What is measured of each, and how it is written."""
WHAT_IT_TAKES = """Each in a process of its own, the same files, one core; medians. Milliseconds are of the processor's
time. The start is by the clock, from the command to the answer to a drawn 1; the memory is the most that the process
had until then. Installed are the packages with all that they need, without Python: of this program that includes the
page and the HTTP interface; of Tesseract its own packages, without the system's libraries."""


def _cost(bench: Bench, peer: Peer, drawings: Pictures, sheets: Pictures) -> dict[str, float]:
    """The figures of a peer, by name; none if it does not run."""
    print(f"costs of {peer.name}", file=sys.stderr, flush=True)
    starts = []
    for _ in range(bench.starts):
        if (worker := bench.start(peer)) is None:
            return {}
        starts.append(worker.seconds)
        sets = {DRAWING: drawings} if peer.one_digit else {DRAWING: drawings, SHEET: sheets}
        times = _milliseconds(worker, sets) if len(starts) == bench.starts else {}  # only the last one goes on reading
        worker.close()
    memory = {} if worker.megabytes is None else {MEMORY: worker.megabytes}
    size = {} if (megabytes := measure_size(bench, peer)[0]) is None else {INSTALLED: megabytes}
    return {START: statistics.median(starts), **times, **memory, **size}


def _milliseconds(worker: Worker, sets: Mapping[str, Pictures]) -> dict[str, float]:
    """Of each set the median of what it could read; no set of which it could read nothing."""
    answers = {
        name: [worker.read(picture, pictures) for picture in pictures.pictures] for name, pictures in sets.items()
    }
    times = {name: [answer.milliseconds for answer in found if answer.milliseconds] for name, found in answers.items()}
    return {name: statistics.median(found) for name, found in times.items() if found}


def measure_size(bench: Bench, peer: Peer) -> tuple[float | None, str]:
    """Megabytes of a peer's packages with all that they need, None if unknown; and the versions of those it names."""
    if peer.debian:
        return _size_of_debian(peer.debian)
    command = [peer.python(bench.environments), ROOT / "benchmarks" / "installed.py", *map(_bare, peer.needs)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    if peer is not OURS:
        return found["megabytes"], versions
    own = sum(path.stat().st_size for path in (ROOT / "digits").rglob("*") if path.is_file())
    return found["megabytes"] + own / 1e6, f"digits {__version__}, {versions}"


def _size_of_debian(packages: Sequence[str]) -> tuple[float | None, str]:
    if not shutil.which("dpkg-query"):
        return None, ""
    command = ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Installed-Size}\\n", *packages]
    rows = [line.split() for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines()]
    found = {row[0]: row for row in rows if len(row) == 3}  # what is not installed has no version
    if packages[0] not in found:
        return None, ""
    kilobytes = sum(float(size) for *_, size in found.values())
    return kilobytes * 1024 / 1e6, " ".join(found[packages[0]][:2])


def _bare(requirement: str) -> str:
    """The name of what is required, without its version."""
    return re.split(r"[^\w.-]", requirement)[0]


def training(bench: Bench) -> Iterator[Section]:
    """How long it takes to train to 99.0 %: what time_to_accuracy.py has recorded."""
    lines = RACE.read_text("utf-8").splitlines() if RACE.is_file() else []
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    runs = dict(zip((OURS.name, KERAS_IO), cells[1:], strict=False))  # what ran, n, seconds (spread), accuracy (lowest)
    seconds = {name: float(run[2].split()[0]) for name, run in runs.items()}
    spreads = {name: run[2].split("(")[1].rstrip(")") for name, run in runs.items()}
    accuracies = {name: float(run[3].split()[0]) for name, run in runs.items()}
    n = runs[OURS.name][1] if runs else "–"
    figures = [
        Figure("seconds, mean (min to max)", n, seconds, ".0f", spreads, better="less"),
        Figure("accuracy on validation then, %", n, accuracies, ".2f"),
    ]
    told = f"It was run as {lines[0]} on {lines[2]}." if runs else "It has not been run yet."
    yield Section("Training to 99.0 %", f"{TO_TARGET} {told}", [OURS.name, KERAS_IO], figures)


KERAS_IO = "keras-io's mnist_convnet"
TO_TARGET = """`train_model.py --preset quick`, the whole run, beside keras.io's example until the first epoch that
reaches 99.0 % of MNIST's validation split: `python benchmarks/time_to_accuracy.py --seeds 3 --out
benchmarks/time_to_accuracy.md`."""

SECTIONS: dict[str, Callable[[Bench], Iterator[Section]]] = {"reading": reading, "costs": costs, "training": training}


def document(bench: Bench, sections: Sequence[Section], command: str) -> str:
    """The whole document, in Markdown."""
    parts = [
        "# Beside others",
        "<!-- Generated by benchmarks/peers.py. -->",
        "This program beside what else one would take, on the same pictures in the same run: pen strokes, scans and "
        "photos of real people, of whom its networks have seen none.",
        f"`{command}`",
        _setting(bench),
        behind(sections),
        *map(str, sections),
        "## The programs",
        _programs(bench, {name for section in sections for name in section.readers}),
    ]
    return "\n\n".join(parts) + "\n"


def behind(sections: Sequence[Section]) -> str:
    """Where this program is not the best, and what the others owe it to."""
    figures = [figure for section in sections for figure in section.figures if figure.better in ("more", "less")]
    lost = [figure for figure in figures if figure.ahead()]
    title = f"## Where this program is behind\n\nIn {len(lost)} of {len(figures)} rows another is ahead"
    if not lost:
        return f"{title}."
    reasons = [
        f"* {name}: {why}."
        for section in sections
        for name, why in section.why.items()
        if any(name in figure.ahead() for figure in section.figures)
    ]
    return "\n".join([f"{title}:\n", *map(_loss, lost), "\nWhat they owe it to:\n", *dict.fromkeys(reasons)])


def _loss(figure: Figure) -> str:
    better = ", ".join(f"{name} {figure.shown(name)}" for name in figure.ahead())
    within = "; the intervals overlap" if figure.spreads and _overlap(figure, figure.ahead()[0]) else ""
    return f"* {figure.name}: {better}; this program {figure.shown(OURS.name)}{within}."


def _overlap(figure: Figure, other: str) -> bool:
    (low, high), (least, most) = (
        map(float, re.findall(r"[\d.]+", figure.spreads[name])) for name in (OURS.name, other)
    )  # fmt: skip
    return low <= most and least <= high


def _setting(bench: Bench) -> str:
    limit = f"about {bench.sets.limit} pictures of each set" if bench.sets.limit else "every picture"
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return (
        f"{describe_machine()}{load}; Python {platform.python_version()}, OpenCV {cv2.__version__}, ONNX Runtime "
        f"{onnxruntime.__version__}, one thread; {name_networks(bench.recognizer.networks)}; writers "
        f"{bench.sets.split}; {limit}"
    )


def _programs(bench: Bench, measured: set[str]) -> str:
    """Their versions, how they were used, and which could not be measured."""
    rows = ["| program | versions | used as |", "|---|---|---|"]
    for peer in (peer for peer in (OURS, PLAIN, PLAIN_KERAS, *bench.peers) if peer.name in measured):
        versions = "–" if peer.name in bench.absent else measure_size(bench, peer)[1]
        rows.append(f"| {peer.name} | {versions} | {HOW[peer.name]} |")
    absent = [f"Not measured: {reason}." for reason in bench.absent.values()]
    return "\n".join([*rows, *(f"\n{note}" for note in (*absent, *bench.notes))])


HOW = {
    OURS.name: "as it comes; it is not told what stands in a picture",
    PLAIN.name: "grey, resized to 28x28, light paper inverted; this program's network by ONNX Runtime",
    PLAIN_KERAS.name: "the same with `model.h5` and Keras' `predict`: for what it takes",
    "digit-recognizer-py": "`DigitRecognizer.predict`, as its page says; one digit a picture; PyTorch as pip brings it",
    "digitsclassifier": "`predict_digits` on a grey array, as its page says; one digit a picture",
    RAPIDOCR.name: "PP-OCRv6 as it comes; its detector where text must be found; the digits of what it reads",
    "Tesseract": "only digits allowed; told that there is one character (10), one line (7) or a block of text (6)",
}


def main() -> None:
    """Measure, and write the document."""
    options = _options()
    cv2.setNumThreads(1)
    peers = [peer for peer in OTHERS if peer.name in options.peers]
    sets = Sets(options.data, options.split, options.limit)
    bench = Bench(Recognizer(), sets, peers, options.environments, options.starts)
    sections = [section for name in options.only for section in SECTIONS[name](bench)]
    text = document(bench, sections, " ".join(["python benchmarks/peers.py", *sys.argv[1:]]))
    replace_file(options.out, text.encode())
    print(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [peer.name for peer in OTHERS]
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION",
                        help=", ".join(SECTIONS))  # fmt: skip
    parser.add_argument("--peers", nargs="*", choices=names, default=names, metavar="PEER", help=", ".join(names))
    parser.add_argument(
        "--split", choices=("dev-train", "dev-test"), default="dev-test", help="writers of the pen drawings"
    )
    parser.add_argument("--limit", type=int, help="about so many pictures of each set, for a quick look")
    parser.add_argument(
        "--environments", type=Path, default=default_folder(), help="where the others are installed if they are not yet"
    )
    parser.add_argument("--starts", type=int, default=3, help="fresh processes of each, whose starts are timed")
    parser.add_argument("--out", type=Path, default=OUT, help="Markdown file to write")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"no drawings at {options.data}: name their folder with --data")
    return options


if __name__ == "__main__":
    main()
