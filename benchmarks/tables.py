"""Tables: is their shape right, is the right text in each cell, and is what is wrong marked for a look?

    python benchmarks/tables.py --data ../shared/drawings
    python benchmarks/tables.py --count 200 --only composed

A cell is right if its text is: the comma and the point, which nobody tells apart in some hands, count as one. If the
shape is wrong, all its cells count as wrong. A cell is marked if it is not sure; nobody need look at an empty one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from composed import RULINGS, Composed, a_number, a_page, compose_table
from reading import at_least, at_most, print_table, spread
from rendering import drawings_folder, load_strokes
from sets import SEED, Sets, read_csv

from digits import Recognizer
from digits.networks import name_networks
from digits.recognition import Cell, Recognition
from digits.training.evaluate import describe_machine

ROWS, COLUMNS = (5, 20), (4, 10)  # of a composed table, least and most
HEAD = [
    "tables", "n", "shape right %", "95 % interval", "bar", "cells", "exact %", "95 % interval", "bar",
    "wrong, not marked %", "bar", "marked %", "bar", "s",
]  # fmt: skip

Texts = Sequence[Sequence[str]]


@dataclass
class Counted:
    """What was made of tables. cells: those whose truth is asked about."""

    tables: int = 0
    shapes: int = 0
    cells: int = 0
    exact: int = 0
    unmarked: int = 0
    marked: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, found: Recognition, truth: Texts, asked: Callable[[str], bool], seconds: float) -> None:
        """Count one picture of one table."""
        wide = max(map(len, truth))
        table = found.table
        right = table is not None and (len(table.rows), len(table.rows[0])) == (len(truth), wide)
        self.tables, self.shapes = self.tables + 1, self.shapes + right
        self.seconds.append(seconds)
        for row, texts in enumerate(truth):
            for column, text in enumerate((*texts, *[""] * (wide - len(texts)))):
                if asked(text):
                    self._add_cell(table.rows[row][column] if table and right else None, text)

    def _add_cell(self, cell: Cell | None, text: str) -> None:
        exact = cell is not None and _alike(cell.text) == _alike(text)
        marked = cell is None or cell.verdict in ("unsure", "not a digit")
        self.cells, self.exact = self.cells + 1, self.exact + exact
        self.marked, self.unmarked = self.marked + marked, self.unmarked + (not exact and not marked)

    def row(self, name: str, bars: Sequence[float | None]) -> list[str]:
        """A row under HEAD. bars: of shape, cells, wrong cells that are not marked, marked cells."""
        shape, exact = (100 * a / max(b, 1) for a, b in ((self.shapes, self.tables), (self.exact, self.cells)))
        unmarked, marked = (100 * count / max(self.cells, 1) for count in (self.unmarked, self.marked))
        return [
            name,
            *(str(self.tables), f"{shape:.1f}", spread(self.shapes, self.tables), at_least(shape, bars[0])),
            *(str(self.cells), f"{exact:.1f}", spread(self.exact, self.cells), at_least(exact, bars[1])),
            *(f"{unmarked:.2f}", at_most(unmarked, bars[2]), f"{marked:.1f}", at_most(marked, bars[3])),
            f"{np.median(self.seconds):.2f}",
        ]


def _alike(text: str) -> str:
    return text.replace(".", ",").replace("'", ",")


@dataclass(frozen=True)
class Bench:
    """What the sections work on. count: composed tables, and pictures without one, of each kind."""

    recognizer: Recognizer
    data: Path
    split: str
    count: int

    def read(self, picture: Any) -> tuple[Recognition, float]:
        """What stands in a picture, and the processor's seconds that it took."""
        start = time.process_time()
        return self.recognizer.recognize(picture), time.process_time() - start


def composed(bench: Bench) -> Iterator[list[str]]:
    """Tables of one hand, photographed: empty cells count as cells."""
    drawings = load_strokes(bench.data / "pen_digits.jsonl.gz", bench.split)
    yield HEAD
    every = Counted()
    for kind, ruling in enumerate(RULINGS):
        counted = Counted()
        for number in range(-(-bench.count // len(RULINGS))):
            rng = np.random.default_rng([SEED, kind, number])
            shape = (int(rng.integers(*sides, endpoint=True)) for sides in (ROWS, COLUMNS))
            made = compose_table(drawings, rng, *shape, ruling=ruling)
            found, seconds = bench.read(made.picture)
            for one in (counted, every):
                one.add(found, made.rows, lambda text: True, seconds)
        yield counted.row(f"lines: {ruling}", [None] * 4)
    yield every.row("all", [98, 97, 0.5, 10])


def photos(bench: Bench) -> Iterator[list[str]]:
    """Other people's tables: of the cells, those whose truth is a number."""
    yield HEAD
    every = Counted()
    rows = [row for row in read_csv(bench.data / "photos" / "labels.csv") if row["kind"] == "table"]
    for row in rows:
        found, seconds = bench.read(bench.data / "photos" / row["file"])
        truth, counted = [line.split("|") for line in row["truth"].split("\n")], Counted()
        for one in (counted, every):
            one.add(found, truth, lambda text: any(sign.isdigit() for sign in text), seconds)
        yield counted.row(Path(row["file"]).name, [None] * 4)
    yield every.row("all", [80, 85, None, None])


def none(bench: Bench) -> Iterator[list[str]]:
    """Pictures in which nothing stands in rows and columns."""
    yield ["pictures", "n", "with a table %", "95 % interval", "bar"]
    sets = Sets(bench.data, bench.split, bench.count)
    makers: tuple[tuple[str, Callable[..., Composed]], ...] = (
        ("composed numbers", a_number),
        ("composed pages", a_page),
    )
    kinds: list[tuple[str, Sequence[Any]]] = [
        (name, [make(sets.drawings, np.random.default_rng([SEED, place])).picture for place in range(bench.count)])
        for name, make in makers
    ]
    kinds += [(pictures.name, pictures.pictures) for pictures in sets.photos() if pictures.name != "tables, exact rows"]
    kinds += [(pictures.name, pictures.pictures) for pictures in sets.nothing()]
    for name, pictures in kinds:
        found = sum(bool(bench.read(one() if callable(one) else one)[0].tables) for one in pictures)
        percent = 100 * found / max(len(pictures), 1)
        yield [name, str(len(pictures)), f"{percent:.1f}", spread(found, len(pictures)), at_most(percent, 2.0)]


SECTIONS: dict[str, Callable[[Bench], Iterator[list[str]]]] = {"composed": composed, "photos": photos, "none": none}


def main() -> None:
    """Print a table of each section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=drawings_folder(), help="folder of real drawings")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--split", choices=("dev-train", "dev-test"), default="dev-test", help="writers")
    parser.add_argument("--count", type=int, default=36, help="composed tables, and pictures of each kind without one")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    bench = Bench(Recognizer(), options.data, options.split, options.count)
    print(f"{describe_machine()}; {name_networks(bench.recognizer.networks)}; writers {bench.split}")
    for name in options.only:
        print(f"\n## {name}: {SECTIONS[name].__doc__}\n", flush=True)
        print_table(SECTIONS[name](bench))


if __name__ == "__main__":
    main()
