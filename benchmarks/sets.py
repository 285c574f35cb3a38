"""The sets of pictures: real ones from the folder of drawings, and those that are made of its pen strokes."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from composed import KINDS, Drawing, compose_lines
from guises import GUISES, NOTHING, dress
from non_digits import KINDS as NON_DIGITS
from PIL import Image
from reading import Pictures
from rendering import draw_anywhere, draw_touching, load_strokes

SEED = 2024
PUT_TOGETHER = 400  # numbers of pen digits
DRESSED = 500  # drawings in each guise
COMPOSED = 60  # pages or tables of each kind, and three times as many numbers
WITHOUT_DIGITS = 100  # pictures of each kind that has no digits
SHOWN = 128  # pixels to which scans are enlarged
SINGLE_SURE_WRONG = 0.5  # percent of single digits that may be sure and wrong


@dataclass(frozen=True)
class Sets:
    """data: the folder of drawings; split: of the writers of pen strokes; limit: about so many pictures of each set."""

    data: Path
    split: str = "dev-test"
    limit: int | None = None

    @cached_property
    def drawings(self) -> list[Drawing]:
        """The pen drawings of the split."""
        return load_strokes(self.data / "pen_digits.jsonl.gz", self.split)

    def accuracy(self) -> Iterator[Pictures]:
        """Single digits and numbers as the first versions of the program were measured with."""
        rng = np.random.default_rng(SEED)
        drawings = self.drawings[:: max(1, len(self.drawings) // self.limit) if self.limit else 1]
        pads = [draw_anywhere(drawing["strokes"], rng) for drawing in drawings]
        labels = [str(drawing["label"]) for drawing in drawings]
        yield Pictures("pen digits", pads, labels, 99.3, sure_wrong=SINGLE_SURE_WRONG)
        yield Pictures("pen digits, single=True", pads, labels, 99.3, single=True, sure_wrong=SINGLE_SURE_WRONG)
        yield _touching(self.drawings, self.limit or PUT_TOGETHER)
        for pictures in (self._photo_cells(), *self._scans(), *self._shown_large(), *self._numbers(), self._pages()):
            yield pictures.some(self.limit)

    def guises(self) -> Iterator[Pictures]:
        """The same drawings in every guise."""
        count = min(self.limit or DRESSED, DRESSED)
        chosen = np.random.default_rng(SEED).permutation(len(self.drawings))[:count]
        drawings = [self.drawings[place] for place in chosen]
        for name in GUISES:
            made = [
                partial(dress, name, drawing["strokes"], place) for place, drawing in zip(chosen, drawings, strict=True)
            ]
            labels = [str(drawing["label"]) for drawing in drawings]
            beside = "words beside" in name  # they are read, too, each as "?"
            yield Pictures(name, made, labels, 97.0, sure_wrong=SINGLE_SURE_WRONG, digits_only=beside)

    def composed(self) -> Iterator[Pictures]:
        """Numbers, pages and tables of one hand, photographed."""
        for name, make in KINDS.items():
            count = COMPOSED if self.limit is None else min(max(1, self.limit // 4), COMPOSED)
            count *= 3 if name.startswith("numbers") else 1
            made = [make(self.drawings, _random(name, index)) for index in range(count)]
            yield Pictures(
                f"composed {name}", [one.picture for one in made], [one.text for one in made], None,
                lines=True, digits_only=True, boxes=[one.boxes for one in made], whole=name.startswith("numbers"),
            )  # fmt: skip

    def nothing(self) -> Iterator[Pictures]:
        """Pictures without any digit: photos, pages of written letters, print, drawings, empty paper."""
        files, truths = self._photos("nodigits")
        yield Pictures("photos of words", files, truths, digits_only=True, whole=False)
        letters = load_strokes(self.data / "pen_letters.jsonl.gz", self.split)
        makers: dict[str, Callable[[np.random.Generator], Any]] = {
            "written letters, photographed": lambda rng: compose_lines(letters, rng, 5, numbers=3).picture,
            **NON_DIGITS,
            **NOTHING,
        }
        count = WITHOUT_DIGITS if self.limit is None else min(max(1, self.limit // 4), WITHOUT_DIGITS)
        for name, make in makers.items():
            made = [partial(make, _random(name, index)) for index in range(count)]
            yield Pictures(name, made, [""] * count, digits_only=True, whole=False)

    def other_things(self) -> Iterator[Pictures]:
        """Pictures of one thing each that is no digit: pen letters, scribbles, shapes, textures, photo-like scenes."""
        letters = load_strokes(self.data / "pen_letters.jsonl.gz", self.split)
        rng = np.random.default_rng(SEED)
        pads = [draw_anywhere(letter["strokes"], rng) for letter in letters]
        yield Pictures("pen letters", pads, [""] * len(pads)).some(self.limit)
        count = WITHOUT_DIGITS if self.limit is None else min(max(1, self.limit // 4), WITHOUT_DIGITS)
        for name, make in NON_DIGITS.items():
            yield Pictures(name, [partial(make, _random(name, index)) for index in range(count)], [""] * count)

    def photos(self) -> Iterator[Pictures]:
        """Other people's photos and scans, by kind."""
        for kind, name, bar in PHOTOS:
            files, truths = self._photos(kind)
            whole = kind in ("cheque", "number", "single")
            yield Pictures(name, files, truths, bar, lines=not whole, digits_only=True, whole=whole).some(self.limit)

    def _photos(self, kind: str) -> tuple[list[Path], list[str]]:
        """The photos of a kind, and what stands in them; those that are ambiguous are left out."""
        rows = read_csv(self.data / "photos" / "labels.csv")
        chosen = [row for row in rows if row["kind"] == kind and "ambiguous" not in row["note"]]
        return [self.data / "photos" / row["file"] for row in chosen], [row["truth"] for row in chosen]

    def sudokus(self) -> Iterator[tuple[Path, np.ndarray, dict[tuple[int, int], int]]]:
        """Each whole photo, the corners of its grid, clockwise from the top left, and its handwritten digits."""
        folder = self.data / "photo_cells"
        grids = json.loads((folder / "grids.json").read_text(encoding="utf-8"))
        labels = read_csv(folder / "labels.csv")
        for name, grid in grids.items():
            corners = [grid["corners"][corner] for corner in ("top_left", "top_right", "bottom_right", "bottom_left")]
            cells = {(int(row["row"]), int(row["column"])): int(row["label"]) for row in labels if row["photo"] in name}
            yield folder / "photos" / name, np.array(corners, np.float32), cells

    def _photo_cells(self) -> Pictures:
        rows = read_csv(self.data / "photo_cells" / "labels.csv")
        files = [self.data / "photo_cells" / row["file"] for row in rows]
        return Pictures("photo cells", files, [row["label"] for row in rows], 98.0, sure_wrong=SINGLE_SURE_WRONG)

    def _scans(self) -> Iterator[Pictures]:
        """Dark on light; those that fill their box get the margin that their README asks for."""
        for name, bar in (("semeion", 98.0), ("optdigits_tra", 98.5), ("hwd1000", None)):
            paper, labels = self._scan(name)
            margin = 0 if name == "hwd1000" else paper.shape[1] // 4
            yield Pictures(f"scans: {name}", list(_framed(paper, margin)), labels, bar, sure_wrong=SINGLE_SURE_WRONG)

    def _shown_large(self) -> Iterator[Pictures]:
        """The scans as a viewer enlarges them, in both polarities, filling the picture and with a margin."""
        for name, bar in (("semeion", 98.0), ("optdigits_tra", 98.5)):
            paper, labels = self._scan(name)
            for margin in (0, paper.shape[1] // 4):
                for light in (False, True):
                    scans = _framed(255 - paper if light else paper, margin, 0 if light else 255)
                    made = [partial(_enlarged, scan, place) for place, scan in enumerate(scans)]
                    guise = f"{'light on dark' if light else 'dark on light'}, {'margin' if margin else 'no margin'}"
                    yield Pictures(f"{name} at {SHOWN}, {guise}", made, labels, bar, sure_wrong=SINGLE_SURE_WRONG)

    def _scan(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Dark on light, (n, height, width) uint8, and the labels."""
        scans = np.load(self.data / "scans" / f"{name}.npz")
        return scans["x"] if name == "hwd1000" else 255 - scans["x"], [str(label) for label in scans["y"]]

    def _numbers(self) -> Iterator[Pictures]:
        rows = read_csv(self.data / "numbers" / "labels.csv")
        for touching, name, bar in (("0", "numbers, apart", 96.0), ("1", "numbers, touching", 75.0)):
            chosen = [row for row in rows if row["touching"] == touching]
            files = [self.data / "numbers" / row["file"] for row in chosen]
            yield Pictures(name, files, [row["label"] for row in chosen], bar)

    def _pages(self) -> Pictures:
        pages: dict[str, list[str]] = {}
        for row in read_csv(self.data / "numbers" / "pages.csv"):
            pages.setdefault(row["file"], []).append(row["label"])
        files = [self.data / "numbers" / name for name in pages]
        answers = ["\n".join(lines) for lines in pages.values()]
        return Pictures("pages, exact lines", files, answers, 90.0, lines=True, whole=False)


PHOTOS = (
    ("cheque", "cheque amounts", 75.0),
    ("number", "photographed numbers", None),
    ("page", "pages, exact lines", None),
    ("table", "tables, exact rows", None),
    ("single", "single digits", None),
    ("print", "print, exact lines", None),
)
"""Kind, name and bar of the photos."""


def _random(name: str, index: int) -> np.random.Generator:
    """The same for the same name and index."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode()), index])


def _framed(paper: np.ndarray, margin: int, ground: int = 255) -> np.ndarray:
    return np.pad(paper, ((0, 0), (margin, margin), (margin, margin)), constant_values=ground)


def _enlarged(scan: np.ndarray, place: int) -> np.ndarray:
    """Smoothly, in one of the ways that viewers have."""
    ways = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    return np.asarray(Image.fromarray(scan).resize((SHOWN, SHOWN), ways[place % len(ways)]))


def _touching(drawings: Sequence[Drawing], count: int) -> Pictures:
    """Numbers of two to five digits of one writer, some of which touch: more of them than there are real ones."""
    rng = np.random.default_rng(SEED)
    of_writer: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        of_writer.setdefault(drawing["writer"], []).append(drawing)
    pictures, answers = [], []
    for writer in rng.choice(sorted(of_writer), count):
        chosen = [of_writer[writer][place] for place in rng.integers(0, len(of_writer[writer]), rng.integers(2, 6))]
        pictures.append(draw_touching([drawing["strokes"] for drawing in chosen], rng))
        answers.append("".join(str(drawing["label"]) for drawing in chosen))
    return Pictures("pen digits put together, touching", pictures, answers)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
