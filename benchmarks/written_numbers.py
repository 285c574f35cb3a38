"""Numbers as people write them, put together from real pen drawings: signs, touching digits, print, and what is none.

    python benchmarks/written_numbers.py --data ../shared/drawings
    python benchmarks/written_numbers.py --split dev-train --limit 100       # to tune by
    python benchmarks/written_numbers.py --only signs cost

Every digit and letter is a drawing of a writer that training has not seen; signs, displays and scribbles are drawn by
code of their own. A text counts only if all of it is right. Tables are Markdown.
"""

from __future__ import annotations

import argparse
import string
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from non_digits import scribble
from PIL import Image, ImageDraw, ImageFont
from reading import print_table
from rendering import _ink, draw_anywhere, draw_touching, drawings_folder, load_strokes

from digits import Recognition, Recognizer
from digits.networks import name_networks
from digits.training.evaluate import describe_machine
from digits.training.metrics import auroc, expected_calibration_error, wilson_interval

SEED = 2025
SETS = {
    "signs": 500,
    "touching": 400,
    "apart": 400,
    "words": 200,
    "lines": 150,
    "print": 300,
    "nothing": 500,
    "letters": 1000,
    "cost": 60,
}
SIGNS = ".,-/:+=%"
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/Library/Fonts"), Path("C:/Windows/Fonts"))
TRAINED_ON = ("dejavu", "stix", "cm", "lastresort")  # families that come with matplotlib


@dataclass(frozen=True)
class Written:
    """A picture, dark on white, and the text that stands in it."""

    picture: np.ndarray
    text: str


@dataclass(frozen=True)
class Bench:
    """What the sections work on."""

    recognizer: Recognizer
    data: Path
    split: str
    limit: int | None

    def count(self, name: str) -> int:
        """How many pictures a section reads."""
        return min(self.limit or SETS[name], SETS[name])

    @cached_property
    def digits(self) -> dict[str, dict[str, list[Any]]]:
        """Strokes by writer and label; of writers who have each digit."""
        return _by_writer(load_strokes(self.data / "pen_digits.jsonl.gz", self.split), 10)

    @cached_property
    def letters(self) -> dict[str, dict[str, list[Any]]]:
        """Strokes by writer and label; of writers who have five letters and more."""
        return _by_writer(load_strokes(self.data / "pen_letters.jsonl.gz", self.split), 5)


def _by_writer(drawings: list[dict[str, Any]], least: int) -> dict[str, dict[str, list[Any]]]:
    writers: dict[str, dict[str, list[Any]]] = {}
    for drawing in drawings:
        if "note" not in drawing:
            writers.setdefault(drawing["writer"], {}).setdefault(str(drawing["label"]), []).append(drawing["strokes"])
    return {writer: labels for writer, labels in writers.items() if len(labels) >= least}


@dataclass(frozen=True)
class Hand:
    """One writer's drawings, with one pen, in one size."""

    drawings: dict[str, list[Any]]
    height: float
    pen: int
    gap: tuple[float, float]

    def write(self, text: str, rng: np.random.Generator) -> np.ndarray:
        """A line of digits, signs, letters and blanks: (height, width) uint8, ink = 255, cropped."""
        scale = self.height / _usual_height(self.drawings)
        base, right = round(4 * self.height), round(self.height)
        page = np.zeros((round(6 * self.height), round((2 + 4 * len(text)) * self.height)), np.uint8)
        for sign in text:
            if sign == " ":
                right += round(rng.uniform(1.3, 2.0) * self.height)
                continue
            ink, below = self._sign(sign, scale, rng)
            top = base - len(ink) + round(below + rng.normal(0, 0.03) * self.height)
            left = right + round(rng.uniform(*self.gap) * self.height)
            view = page[top : top + len(ink), left : left + ink.shape[1]]
            np.maximum(view, ink, out=view)
            right = left + ink.shape[1]
        x, y, width, height = cv2.boundingRect(page)
        return page[y : y + height, x : x + width]

    def _sign(self, sign: str, scale: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """Ink, and how far its foot is below the base line."""
        if sign in self.drawings:
            strokes = self.drawings[sign][rng.integers(len(self.drawings[sign]))]
            own = max(float(np.ptp(np.concatenate([np.asarray(s, float) for s in strokes])[:, 1])), 1e-6)
            return _ink(strokes, min(scale, 2 * self.height / own), self.pen), 0.0
        strokes = [np.array(stroke, float) * self.height for stroke in STROKES[sign](rng)]
        return _ink(strokes, 1.0, self.pen), max(float(stroke[:, 1].max()) for stroke in strokes) - self.height


def _usual_height(drawings: dict[str, list[Any]]) -> float:
    heights = [np.ptp(np.concatenate([np.asarray(s, float) for s in strokes])[:, 1])
               for forms in drawings.values() for strokes in forms]  # fmt: skip
    return max(float(np.median(heights)), 1e-6)


def _line(rng: np.random.Generator, x: float, y: float, to_x: float, to_y: float) -> list[list[float]]:
    """A stroke of a hand: from here to there, each end missed a little. In heights of a digit, 1 the base line."""
    middle = [(x + to_x) / 2 + rng.normal(0, 0.02), (y + to_y) / 2 + rng.normal(0, 0.02)]
    ends = np.array([[x, y], [to_x, to_y]]) + rng.normal(0, 0.02, (2, 2))
    return [ends[0].tolist(), middle, ends[1].tolist()]


def _ring(rng: np.random.Generator, x: float, y: float, radius: float) -> list[list[float]]:
    turn = np.linspace(0, 2 * np.pi, 16) + rng.uniform(0, 6)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1).tolist()


STROKES: dict[str, Callable[[np.random.Generator], list[Any]]] = {
    ".": lambda rng: [_line(rng, 0, 0.98, 0.01, 0.99)],
    ",": lambda rng: [_line(rng, 0.05, 0.94, -0.05, rng.uniform(1.12, 1.25))],
    "-": lambda rng: [_line(rng, 0, 0.55, rng.uniform(0.3, 0.6), 0.53)],
    "/": lambda rng: [_line(rng, 0, 1.1, rng.uniform(0.4, 0.7), -0.1)],
    ":": lambda rng: [_line(rng, 0, 0.4, 0.01, 0.42), _line(rng, 0, 0.88, 0.01, 0.9)],
    "+": lambda rng: [_line(rng, 0, 0.55, 0.5, 0.55), _line(rng, 0.25, 0.3, 0.25, 0.8)],
    "=": lambda rng: [_line(rng, 0, 0.43, 0.5, 0.43), _line(rng, 0, 0.65, 0.5, 0.65)],
    "%": lambda rng: [_line(rng, 0.1, 1.0, 0.7, 0.0), _ring(rng, 0.15, 0.2, 0.13), _ring(rng, 0.68, 0.82, 0.13)],
}
"""Signs as straight strokes and rings, in heights of a digit, 0 its top and 1 the base line."""


def _hand(drawings: dict[str, list[Any]], rng: np.random.Generator) -> Hand:
    height = rng.uniform(35, 110)
    middle = rng.uniform(0.12, 0.4)
    return Hand(drawings, height, max(2, round(rng.uniform(0.05, 0.11) * height)), (middle - 0.07, middle + 0.1))


def _digits(rng: np.random.Generator, least: int, most: int) -> str:
    return "".join(str(digit) for digit in rng.integers(0, 10, rng.integers(least, most + 1)))


def _with_sign(rng: np.random.Generator) -> str:
    """A number with a sign, of ten kinds."""
    two = _digits(rng, 2, 2)
    kinds = (
        f"{_digits(rng, 1, 3)}.{_digits(rng, 1, 3)}",
        f"{_digits(rng, 1, 3)},{_digits(rng, 1, 3)}",
        f"-{_digits(rng, 1, 4)}",
        f"{_digits(rng, 1, 2)}/{_digits(rng, 1, 2)}",
        f"{_digits(rng, 1, 2)}:{two}",
        f"{_digits(rng, 1, 2)}.{_digits(rng, 1, 2)}.{two}{two}",
        f"{_digits(rng, 1, 3)}.{_digits(rng, 3, 3)}",
        f"{_digits(rng, 1, 3)}%",
        f"{_digits(rng, 1, 2)}+{_digits(rng, 1, 2)}={_digits(rng, 1, 3)}",
        f"+{_digits(rng, 1, 3)}",
    )
    return kinds[rng.integers(len(kinds))]


def _on_page(ink: np.ndarray) -> np.ndarray:
    return np.pad(255 - ink, 40, constant_values=255)


def _writer(writers: dict[str, dict[str, list[Any]]], rng: np.random.Generator) -> dict[str, list[Any]]:
    return writers[rng.choice(sorted(writers))]


def _written(bench: Bench, name: str, compose: Callable[[np.random.Generator], str]) -> list[Written]:
    rng = np.random.default_rng((SEED, len(name)))
    texts = [compose(rng) for _ in range(bench.count(name))]
    return [Written(_on_page(_hand(_writer(bench.digits, rng), rng).write(text, rng)), text) for text in texts]


def write_signs(bench: Bench) -> list[Written]:
    """Numbers with signs."""
    return _written(bench, "signs", _with_sign)


def write_apart(bench: Bench) -> list[Written]:
    """Numbers of two to eight digits that do not touch."""
    return _written(bench, "apart", lambda rng: _digits(rng, 2, 8))


def write_prose(bench: Bench) -> list[Written]:
    """Two lines of words each, without any digit."""
    rng = np.random.default_rng(SEED)
    return [Written(_on_page(_prose(bench, 2, rng)), "") for _ in range(bench.count("letters") // 2)]


def write_among_words(bench: Bench) -> list[Written]:
    """A number of one to five digits between words of the same writer, or after one."""
    rng = np.random.default_rng(SEED)
    writers = sorted(set(bench.digits) & set(bench.letters))
    written = []
    for _ in range(bench.count("words")):
        writer = str(rng.choice(writers))
        letters = {label: forms for label, forms in bench.letters[writer].items() if label in string.ascii_letters}
        hand, number = _hand({**letters, **bench.digits[writer]}, rng), _digits(rng, 1, 5)
        words = ["".join(rng.choice(sorted(letters), rng.integers(2, 6))) for _ in range(2)] if letters else ["", ""]
        text = f"{words[0]} {number} {words[1]}" if rng.random() < 0.6 else f"{words[0]} {number}"
        written.append(Written(_on_page(hand.write(text, rng)), number))
    return written


def signs(bench: Bench) -> Iterator[list[str]]:
    """Numbers with signs, each of one writer: bars are 95 % of the texts, 97 % of the digits, 1 % of signs lost."""
    yield ["kind", *HEAD, "digits exact %", "signs lost or read as digits %"]
    written = write_signs(bench)
    results = [bench.recognizer.recognize(one.picture) for one in written]
    right = np.mean(
        [result.digits_text == _only_digits(one.text) for one, result in zip(written, results, strict=True)]
    )
    wanted = sum(sum(sign in SIGNS for sign in one.text) for one in written)
    lost = sum(_lost(one.text, result) for one, result in zip(written, results, strict=True))
    yield ["with signs", *_figures(written, results), f"{100 * right:.1f}", f"{100 * lost / wanted:.1f}"]


def _only_digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def _lost(text: str, result: Recognition) -> int:
    """How many signs of the text are missing in what was read."""
    return sum(max(0, text.count(sign) - result.text.count(sign)) for sign in SIGNS)


def numbers(bench: Bench) -> Iterator[list[str]]:
    """Digits of one writer: two to five touching, two to eight apart, or a number among words (the digits alone count).

    Bars are 90 % of those that touch, and 98 % of the others.
    """
    yield ["kind", *HEAD]
    rng = np.random.default_rng(SEED)
    touching = []
    for _ in range(bench.count("touching")):
        labels, writer = _digits(rng, 2, 5), _writer(bench.digits, rng)
        drawings = [writer[label][rng.integers(len(writer[label]))] for label in labels]
        touching.append(Written(draw_touching(drawings, rng), labels))
    apart = write_apart(bench)
    for kind, written in (("touching", touching), ("apart", apart)):
        yield [kind, *_figures(written, [bench.recognizer.recognize(one.picture) for one in written])]
    among = write_among_words(bench)
    yield ["among words", *_figures(among, [_without_words(bench.recognizer.recognize(one.picture)) for one in among])]


def _without_words(result: Recognition) -> Recognition:
    """The numbers alone."""
    return replace(result, numbers=tuple(number for number in result.numbers if number.verdict != "not a digit"))


def lines(bench: Bench) -> Iterator[list[str]]:
    """Lines that slant or are curved, of two sizes, and two columns of numbers: all of the page must be right."""
    yield ["kind", *HEAD]
    for kind, compose in (("slanted 6 degrees", _slanted), ("curved", _curved), ("two sizes", _two_sizes),
                          ("two columns", _two_columns)):  # fmt: skip
        rng = np.random.default_rng((SEED, len(kind)))
        written = [compose(_hand(_writer(bench.digits, rng), rng), rng) for _ in range(bench.count("lines") // 4)]
        yield [kind, *_figures(written, [bench.recognizer.recognize(one.picture) for one in written])]


def _slanted(hand: Hand, rng: np.random.Generator) -> Written:
    texts = [_digits(rng, 4, 7) for _ in range(3)]
    page = _stack([hand.write(text, rng) for text in texts], round(0.7 * hand.height))
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), rng.choice([-6, 6]), 0.9)
    return Written(cv2.warpAffine(page, turn, page.shape[::-1], borderValue=255), "\n".join(texts))


def _curved(hand: Hand, rng: np.random.Generator) -> Written:
    text = _digits(rng, 5, 8)
    page = np.pad(_on_page(hand.write(text, rng)), ((60, 60), (0, 0)), constant_values=255)
    x, y = np.meshgrid(np.arange(page.shape[1], dtype=np.float32), np.arange(page.shape[0], dtype=np.float32))
    bent = y + np.float32(0.4 * hand.height) * np.sin(np.pi * x / page.shape[1]) * rng.choice([-1, 1])
    return Written(cv2.remap(page, x, bent.astype(np.float32), cv2.INTER_LINEAR, borderValue=255), text)


def _two_sizes(hand: Hand, rng: np.random.Generator) -> Written:
    small = Hand(hand.drawings, 0.4 * hand.height, max(2, round(0.5 * hand.pen)), hand.gap)
    texts = [_digits(rng, 2, 5), _digits(rng, 3, 8)]
    inks = [one.write(text, rng) for one, text in zip((hand, small), texts, strict=True)]
    return Written(_stack(inks, round(0.8 * hand.height)), "\n".join(texts))


def _two_columns(hand: Hand, rng: np.random.Generator) -> Written:
    rows = [[_digits(rng, 1, 4) for _ in range(2)] for _ in range(4)]
    left, right = ([hand.write(row[column], rng) for row in rows] for column in range(2))
    height = round(1.8 * hand.height)
    second = max(ink.shape[1] for ink in left) + round(3 * hand.height)
    page = np.full((height * 4 + 80, second + max(ink.shape[1] for ink in right) + 80), 255, np.uint8)
    for place, pair in enumerate(zip(left, right, strict=True)):
        for ink, x in zip(pair, (40, 40 + second), strict=True):
            top = 40 + place * height + max(0, height - 20 - len(ink))
            page[top : top + len(ink), x : x + ink.shape[1]] = 255 - ink
    return Written(page, "\n".join(" ".join(row) for row in rows))


def _stack(inks: list[np.ndarray], gap: int) -> np.ndarray:
    width = max(ink.shape[1] for ink in inks)
    rows = [np.pad(255 - ink, ((0, gap), (0, width - ink.shape[1])), constant_values=255) for ink in inks]
    return np.pad(np.vstack(rows), 40, constant_values=255)


def printed(bench: Bench) -> Iterator[list[str]]:
    """Print in fonts that training has not seen, and displays of seven segments: the bar is 99 %."""
    yield ["kind", *HEAD]
    rng = np.random.default_rng(SEED)
    count = bench.count("print")
    kinds = {"seven segments": [_display(rng) for _ in range(count // 3)]}
    if fonts := _fonts():
        kinds["fonts"] = [_typeset(fonts[rng.integers(len(fonts))], rng) for _ in range(count - count // 3)]
    for kind, written in kinds.items():
        yield [kind, *_figures(written, [bench.recognizer.recognize(one.picture) for one in written])]


def _fonts() -> list[Path]:
    files = [path for folder in FONT_FOLDERS for path in sorted(folder.rglob("*.ttf"))]
    return [path for path in files if not path.name.lower().startswith(TRAINED_ON)]


def _typeset(font: Path, rng: np.random.Generator) -> Written:
    text, size = _digits(rng, 1, 8), int(rng.integers(24, 120))
    page = Image.new("L", (size * (len(text) + 2), 3 * size), 255)
    ImageDraw.Draw(page).text((size, size), text, 0, ImageFont.truetype(str(font), size))
    return Written(np.asarray(page), text)


SEGMENTS = ("012456", "25", "02346", "02356", "1235", "01356", "013456", "025", "0123456", "012356")
"""Of each digit: 0 above, 1 and 2 upper left and right, 3 the middle, 4 and 5 lower left and right, 6 below."""


def _display(rng: np.random.Generator) -> Written:
    """Pointed segments, lit on dark or dark on light."""
    text, high, thick = _digits(rng, 2, 6), int(rng.integers(50, 120)), rng.uniform(0.07, 0.11)
    wide = round(rng.uniform(0.42, 0.55) * high)
    page = np.zeros((2 * high, round(1.45 * wide) * len(text) + 2 * high), np.uint8)
    across = {0: (0, 0), 3: (0, 0.5), 6: (0, 1)}
    down = {1: (0, 0), 2: (1, 0), 4: (0, 0.5), 5: (1, 0.5)}
    for place, label in enumerate(text):
        corner = np.array([high + place * round(1.45 * wide), high / 2])
        for segment in map(int, SEGMENTS[int(label)]):
            start = np.array((across | down)[segment]) * (wide, high)
            end = start + ((wide, 0) if segment in across else (0, high / 2))
            _fill_segment(page, corner + start, corner + end, thick * high)
    return Written(page if rng.random() < 0.5 else 255 - page, text)


def _fill_segment(page: np.ndarray, start: np.ndarray, end: np.ndarray, thick: float) -> None:
    along = (end - start) / np.linalg.norm(end - start)
    aside, point = np.array([-along[1], along[0]]) * thick / 2, along * thick / 2
    start, end = start + along * 0.15 * thick, end - along * 0.15 * thick
    corners = [start, start + point + aside, end - point + aside, end, end - point - aside, start + point - aside]
    cv2.fillPoly(page, [np.round(corners).astype(np.int32)], 255, cv2.LINE_AA)


def nothing(bench: Bench) -> Iterator[list[str]]:
    """Words, pages of them and scribbles: no sure digit may be in more than 1 % of the pictures."""
    yield ["kind", "n", "with a sure digit %", "sure digits", "with a sure number %"]
    rng = np.random.default_rng(SEED)
    count = bench.count("nothing") // 3
    kinds = {
        "a word": [_on_page(_prose(bench, 1, rng)) for _ in range(count)],
        "lines of words": [_on_page(_prose(bench, 4, rng)) for _ in range(count)],
        "a scribble": [scribble(rng) for _ in range(count)],
    }
    for kind, pictures in kinds.items():
        results = [bench.recognizer.recognize(picture) for picture in pictures]
        sure = [sum(digit.verdict == "sure" for digit in result.digits) for result in results]
        believed = np.mean([any(number.verdict == "sure" and number.digits for number in r.numbers) for r in results])
        yield [
            kind,
            str(len(sure)),
            f"{100 * np.mean(np.array(sure) > 0):.1f}",
            str(sum(sure)),
            f"{100 * believed:.1f}",
        ]


def _prose(bench: Bench, rows: int, rng: np.random.Generator) -> np.ndarray:
    writer = _writer(bench.letters, rng)
    letters = {label: forms for label, forms in writer.items() if label in string.ascii_letters} or writer
    hand = _hand(letters, rng)
    words = ["".join(rng.choice(sorted(letters), rng.integers(3, 7))) for _ in range(rows)]
    return 255 - _stack([hand.write(word, rng) for word in words], round(0.6 * hand.height))


def letters(bench: Bench) -> Iterator[list[str]]:
    """Confidence of single digits against that of single letters and of made-up signs: bars are 0.99 and 0.97."""
    yield ["against", "n", "AUROC", "AUROC, single=True"]
    rng = np.random.default_rng(SEED)
    count = bench.count("letters")
    digits = _sample(bench.digits, count, rng)
    pools = {"letters": _sample(bench.letters, count, rng), "made-up signs": [_made_up(rng) for _ in range(count)]}
    ours = [_confidences(bench.recognizer, digits, single) for single in (False, True)]
    for name, pictures in pools.items():
        theirs = [_confidences(bench.recognizer, pictures, single) for single in (False, True)]
        yield [name, str(len(pictures)), *(f"{auroc(a, b):.4f}" for a, b in zip(ours, theirs, strict=True))]


def _sample(writers: dict[str, dict[str, list[Any]]], count: int, rng: np.random.Generator) -> list[np.ndarray]:
    drawings = [strokes for labels in writers.values() for forms in labels.values() for strokes in forms]
    chosen = rng.permutation(len(drawings))[:count]
    return [draw_anywhere(drawings[place], rng) for place in chosen]


def _made_up(rng: np.random.Generator) -> np.ndarray:
    """A character of no script: two to four strokes, straight or bent, that meet."""
    knots = rng.uniform(0, 1, (5, 2))
    strokes = []
    for _ in range(rng.integers(2, 5)):
        start, end = knots[rng.choice(5, 2, replace=False)]
        bend = (start + end) / 2 + rng.normal(0, 0.2, 2)
        t = np.linspace(0, 1, 12)[:, None]
        strokes.append(((1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end).tolist())
    return draw_anywhere(strokes, rng)


def _confidences(recognizer: Recognizer, pictures: list[np.ndarray], single: bool) -> np.ndarray:
    """Of each picture: the confidence of a single digit; 0 if there is not just one."""
    results = recognizer.recognize_many(pictures, single)
    return np.array([r.digits[0].confidence if len(r.digits) == 1 and not r.signs else 0.0 for r in results])


def cost(bench: Bench) -> Iterator[list[str]]:
    """Processor time on one core, from the picture to the answer: bars are 8 and 150 ms after the ink."""
    yield ["picture", "n", "ms", "of which ink"]
    rng = np.random.default_rng(SEED)
    hands = [_hand(_writer(bench.digits, rng), rng) for _ in range(bench.count("cost"))]
    kinds = {
        "a number of 8 digits": [_on_page(hand.write(_digits(rng, 8, 8), rng)) for hand in hands],
        "a page of 100 digits": [
            _on_page(255 - _stack([hand.write(_digits(rng, 10, 10), rng) for _ in range(10)], 20))
            for hand in hands[:15]
        ],
    }
    for kind, pictures in kinds.items():
        whole = _milliseconds(bench.recognizer.recognize, pictures)
        ink = _milliseconds(lambda picture: bench.recognizer.ink.find(picture), pictures)
        yield [kind, str(len(pictures)), f"{whole:.1f}", f"{ink:.1f}"]


def _milliseconds(step: Callable[[Any], Any], pictures: list[np.ndarray]) -> float:
    step(pictures[0])
    times = []
    for picture in pictures:
        began = time.process_time()
        step(picture)
        times.append(1000 * (time.process_time() - began))
    return float(np.median(times))


HEAD = ("n", "exact %", "95 % interval", "sure %", "wrong among sure %", "ECE of numbers")


def _figures(written: list[Written], results: list[Recognition]) -> list[str]:
    """What HEAD names. A number's confidence is held against whether the whole line of it is right."""
    right = np.array([result.text == one.text for one, result in zip(written, results, strict=True)])
    low, high = wilson_interval(int(right.sum()), len(right))
    confidence = np.array([np.prod([n.confidence for n in r.numbers]) if r.numbers else 0.0 for r in results])
    sure = np.array([bool(r.numbers) and all(n.verdict == "sure" for n in r.numbers) for r in results])
    wrong = f"{100 * (~right[sure]).mean():.1f}" if sure.any() else "-"
    error = expected_calibration_error(confidence, right)
    shares = [f"{100 * right.mean():.1f}", f"{100 * low:.1f}-{100 * high:.1f}", f"{100 * sure.mean():.0f}"]
    return [str(len(right)), *shares, wrong, f"{error:.3f}"]


SECTIONS = {
    "signs": signs,
    "numbers": numbers,
    "lines": lines,
    "print": printed,
    "nothing": nothing,
    "letters": letters,
    "cost": cost,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION",
                        help=", ".join(SECTIONS))  # fmt: skip
    parser.add_argument("--split", choices=("dev-train", "dev-test"), default="dev-test", help="writers")
    parser.add_argument("--limit", type=int, help="at most so many pictures of each set, for a quick look")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"no drawings at {options.data}: name their folder with --data")
    cv2.setNumThreads(1)
    bench = Bench(Recognizer(), options.data, options.split, options.limit)
    print(f"`python benchmarks/written_numbers.py {' '.join(sys.argv[1:])}`\n")
    print(f"{describe_machine()}, one thread; {name_networks(bench.recognizer.networks)}")
    for name in options.only:
        print(f"\n## {name}: {SECTIONS[name].__doc__}\n", flush=True)
        print_table(SECTIONS[name](bench))


if __name__ == "__main__":
    main()
