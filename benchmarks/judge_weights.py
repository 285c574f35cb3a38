"""Tune the weights of the judge (digits/judge.py) on numbers of the development writers, by random search.

    python benchmarks/judge_weights.py --data ../shared/drawings --minutes 10

Every picture's lattice is made once; then weights are tried, each time a few of them changed by chance, and kept where
more texts are right. Pages of letters count as right where no digit is read. Prints the weights that were best, and
what they read; and then the weights of TRUST, which change no text, that fit best.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from reading import only_digits
from rendering import drawings_folder
from sets import Sets
from written_numbers import Bench, write_among_words, write_apart, write_prose, write_signs

import digits.judge as judging
from digits import Recognizer
from digits.judge import Span
from digits.layout import Strip, find_layout, level
from digits.picture import read_grey
from digits.sequence import SIGNS, Reading

KINDS = ("OWN", "CUT", "SIGN", "OTHERS", "ONE", "CHANGE")  # weights of digits.judge
STEP = np.array([0.15, 0.15, 0.5])  # deviation of a change: of both powers, and of what is added
LEAST = np.array([*5 * [(0.2, 0.2, -9)], (0.0, 0.0, 0.0)])  # what no network has seen must not win,
LEAST[3, 0] = 0.5
CHANGED = 0.3  # share of the weights that are changed at a time
STEPS, RIDGE = 50, 1e-3  # of the fit of TRUST, and what keeps its weights small


@dataclass(frozen=True, eq=False)
class Lattice:
    """What may stand in a strip, and what the digit network says of it."""

    strip: Strip
    reading: Reading
    spans: list[Span]
    rows: np.ndarray

    def read(self) -> str:
        """The text, under the judge's weights as they are."""
        numbers = judging.judge(self.strip, self.reading, self.spans, self.rows)
        return "".join(mark.text for number in numbers for mark in number.marks)

    def text(self) -> str:
        """The text alone, in a tenth of the time."""
        if self.strip.may_be_one:
            return self.read()
        path = judging.make_lattice(self.strip, self.spans, self.rows).best_path()
        return "".join(SIGNS[column] for _, column in path)


@dataclass(frozen=True)
class Tuned:
    """Pictures of a kind. weight: what they count for; digits_only: compare only the digits."""

    name: str
    weight: float
    lattices: list[list[Lattice]]
    answers: Sequence[str]
    digits_only: bool

    def percent(self) -> float:
        """Texts that are right."""
        texts = ("".join(lattice.text() for lattice in picture) for picture in self.lattices)
        return 100 * float(
            np.mean([self._right(text, answer) for text, answer in zip(texts, self.answers, strict=True)])
        )

    def trusted(self, seen: list[tuple[float, float, int]]) -> Iterator[tuple[float, float, int, bool]]:
        """Of each picture, its numbers taken together, what the judge is asked to trust; and whether it is right.

        seen: what it is asked, as it is asked.
        """
        for picture, answer in zip(self.lattices, self.answers, strict=True):
            seen.clear()
            text = "".join(lattice.read() for lattice in picture)
            if seen:
                reader, network, signs = zip(*seen, strict=True)
                yield float(np.prod(reader)), min(network), sum(signs), self._right(text, answer)

    def _right(self, text: str, answer: str) -> bool:
        if self.digits_only or not answer:
            return only_digits(text) == only_digits(answer)
        return text == "".join(answer.split())


def lattices_of(recognizer: Recognizer, picture: Any) -> list[Lattice]:
    """The lattice of every strip of a picture."""
    grey, _, _ = read_grey(picture)
    found = []
    for strip in find_layout(recognizer.ink.find(grey).ink, shape=grey.shape).strips:
        reading = recognizer.reader.read(level(strip))
        spans = judging.propose(strip, reading)
        images = [span.mark.image for span in spans if span.mark.image is not None]
        rows = recognizer.classifier.classify(np.array(images, np.float32).reshape(-1, 28, 28, 1))
        found.append(Lattice(strip, reading, spans, rows))
    return found


def prepare(data: Path, count: int) -> Iterator[Tuned]:
    """The pictures to tune on: about so many of each kind."""
    recognizer = Recognizer()

    def tuned(name: str, weight: float, pictures: Sequence[Any], answers: Sequence[str], only: bool = False) -> Tuned:
        print(f"{name}: {len(pictures)} pictures", flush=True)
        return Tuned(name, weight, [lattices_of(recognizer, picture) for picture in pictures], answers, only)

    sets = Sets(data, "dev-train", count)
    touching = next(pictures for pictures in sets.accuracy() if "touching" in pictures.name)
    yield tuned("touching", 1.0, touching.pictures, touching.answers)
    cheques = next(pictures for pictures in sets.photos() if "cheque" in pictures.name)
    yield tuned("cheques", 1.5, cheques.pictures, cheques.answers, only=True)
    bench = Bench(recognizer, data, "dev-train", count)
    for name, weight, write in (
        ("signs", 1.0, write_signs),
        ("apart", 1.0, write_apart),
        ("letters", 0.5, write_prose),
        ("words", 0.5, write_among_words),
    ):
        written = write(bench)
        yield tuned(name, weight, [one.picture for one in written], [one.text for one in written], name == "words")


def use(weights: np.ndarray) -> None:
    """Let the judge work with these, (6, 3); of CHANGE, only the last counts."""
    *powers, (_, _, judging.CHANGE) = np.round(weights, 2).tolist()
    for kind, row in zip(KINDS, powers, strict=False):
        setattr(judging, kind, tuple(row))


def rate(tuned: list[Tuned], weights: np.ndarray) -> tuple[float, str]:
    """The mean of what is read right under these weights, and a line that tells it."""
    use(weights)
    percents = [one.percent() for one in tuned]
    mean = float(np.average(percents, weights=[one.weight for one in tuned]))
    told = ", ".join(f"{one.name} {percent:.1f}" for one, percent in zip(tuned, percents, strict=True))
    return mean, f"{mean:.2f}: {told}; {[getattr(judging, kind) for kind in KINDS]}"


def search(tuned: list[Tuned], minutes: float, seed: int = 0) -> np.ndarray:
    """The best weights that were found in this time, from those of the judge on."""
    rng = np.random.default_rng(seed)
    best = np.array([*(getattr(judging, kind) for kind in KINDS[:-1]), (0.0, 0.0, judging.CHANGE)])
    highest, told = rate(tuned, best)
    print(told, flush=True)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        weights = best + (rng.random(best.shape) < CHANGED) * rng.normal(0, STEP, best.shape)
        weights = np.maximum(weights, LEAST)
        rated, told = rate(tuned, weights)
        if rated > highest:
            highest, best = rated, weights
            print(told, flush=True)
    return best


def fit_trust(tuned: list[Tuned]) -> None:
    """Print the weights that fit whole texts best, by logistic regression, and what is sure then."""
    seen: list[tuple[float, float, int]] = []
    trust = judging.trust

    def note(reader: float, network: float, signs: int) -> float:
        seen.append((reader, network, signs))
        return trust(reader, network, signs)

    judging.trust = note
    kinds = {kind.name: list(kind.trusted(seen)) for kind in tuned if kind.name != "letters"}
    judging.trust = trust
    reader, network, signs, right = (np.array(values) for values in zip(*chain(*kinds.values()), strict=True))
    odds = np.array([[judging.log_odds(one) for one in both] for both in zip(reader, network, strict=True)])
    weights = fit_logistic(np.column_stack([odds, np.log(signs)]), right)
    judging.TRUST = tuple(np.round(weights, 2).tolist())
    print(f"TRUST = {judging.TRUST}", flush=True)
    for name, asked in kinds.items():
        trusted = np.array([trust(*one[:3]) for one in asked])
        good = np.array([one[3] for one in asked])
        for bar in (0.8, 0.9, 0.95):
            sure = trusted >= bar
            print(f"{name}: {100 * sure.mean():.0f} % above {bar}, {100 * (1 - good[sure].mean()):.1f} % of them wrong")


def fit_logistic(features: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Weights of the features, (n, k), and the offset, (k + 1,), of the log-odds that fit best, by Newton's method."""
    with_one = np.column_stack([features, np.ones(len(features))])
    weights = np.zeros(with_one.shape[1])
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-with_one @ weights))
        curvature = (with_one * (likely * (1 - likely))[:, None]).T @ with_one
        weights += np.linalg.solve(
            curvature + RIDGE * np.eye(len(weights)), with_one.T @ (right - likely) - RIDGE * weights
        )
    return weights


def main() -> None:
    """Search, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of the drawings")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--limit", type=int, default=150, help="about so many pictures of each kind (150)")
    options = parser.parse_args()
    tuned = list(prepare(options.data, options.limit))
    use(search(tuned, options.minutes))
    fit_trust(tuned)


if __name__ == "__main__":
    main()
