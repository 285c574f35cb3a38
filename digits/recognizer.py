"""Recognizer: the road of a picture, from what the user hands in to the numbers that stand in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from digits.classifier import Classifier
from digits.errors import PictureError
from digits.frames import part_at_frames
from digits.ink import Ink, InkReader
from digits.judge import (
    Found,
    FoundNumber,
    Span,
    alone,
    as_word,
    doubt_among_words,
    is_one,
    judge,
    look_again,
    mostly_words,
    propose,
    take_as_one,
)
from digits.layout import MOST, Layout, Strip, find_layout, level
from digits.light import Light
from digits.networks import digests_beside
from digits.picture import read_grey
from digits.recognition import OTHER, Box, Cell, Digit, Number, Recognition, Sign, Table
from digits.sequence import Reading, SequenceReader
from digits.table import Form, Grid, around, choose, find_aligned, find_ruled, part_at_boxes, part_at_cells

Result = TypeVar("Result")

SIGNS_OF_PAGE, LINES_OF_PAGE = 6, 2  # signs and lines that a page has at least: less is not turned
UPRIGHT = 0.8  # mean probability of the signs of a page from which on it stands upright for certain
CLEARER = 0.15  # by which it must be higher from another side
MUDDLED = 0.75  # share of what may be ink that surely is, below which it is looked at again, so many times closer,
AGAIN = (0.6, 1.6, 2.5)
READABLE = 0.8  # until its signs are so probable on average
FEW = 200  # strokes at most: to look at more again would take long, and at none would find what is not there
CERTAIN = 0.99  # probability of a digit, from which on the reader has hardly ever seen several signs
STROKES = f"1-/.,:={OTHER}"  # what straight strokes, and pieces of them, are read as
BATCH = 64  # pictures that recognize_many classifies in one go


@dataclass(frozen=True, eq=False)
class _Part:
    """A strip and what may stand in it.

    reading: None if the reader is not asked. one: all of it, if that is one digit; row: (10,), what the digit network
    says of it, if it was asked.
    """

    strip: Strip
    reading: Reading | None
    one: Span | None = None
    row: np.ndarray | None = None

    @cached_property
    def spans(self) -> list[Span]:
        """Every run of its pieces that may be one sign."""
        if self.one is not None:
            return [self.one]
        return propose(self.strip, self.reading) if self.reading else []

    @property
    def text(self) -> str:
        """What the reader sees in it, or the digit network if the reader is not asked."""
        if self.reading:
            return self.reading.text
        return "" if self.row is None else str(self.row.argmax())

    @property
    def clarity(self) -> list[float]:
        """How probable each sign of it is, in [0, 1]."""
        if self.reading:
            return self.reading.clarity
        return [] if self.row is None else [float(self.row.max())]

    @property
    def images(self) -> list[np.ndarray]:
        """(28, 28) float32 of each mark that may be a digit, of which the digit network is still to be asked."""
        return [span.mark.image for span in self.spans if span.mark.image is not None and self.row is None]


@dataclass(frozen=True, eq=False)
class _Page:
    """The ink of a picture, its lines, and what may stand in them. grids: the tables that ruled lines make."""

    ink: Ink
    layout: Layout
    grids: Sequence[Grid | Form]
    parts: list[_Part]

    @cached_property
    def _clear(self) -> list[float]:
        return [clear for part in self.parts for clear in part.clarity]

    @property
    def strokes(self) -> int:
        """Of how many strokes its strips are."""
        return sum(len(strip.strokes) for strip in self.layout.strips)

    @property
    def lines(self) -> dict[int, list[_Part]]:
        """The parts of each line."""
        lines: dict[int, list[_Part]] = {}
        for part in self.parts:
            lines.setdefault(part.strip.line, []).append(part)
        return lines

    @property
    def signs(self) -> int:
        """How many signs are seen."""
        return len(self._clear)

    @property
    def is_words(self) -> bool:
        """Are most of many signs none of a number's?"""
        seen = "".join(part.text for part in self.parts)
        return len(seen) >= SIGNS_OF_PAGE and seen.count(OTHER) > len(seen) / 2

    @property
    def clarity(self) -> float:
        """How probable they are on average, in [0, 1]."""
        return float(np.mean(self._clear or [0.0]))


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A picture before the digit network has seen it.

    to_picture: as of digits.ink.Ink; size: width and height of the picture; grids: the tables that lines make.
    """

    layout: Layout
    parts: list[_Part]
    notes: tuple[str, ...]
    to_picture: np.ndarray
    size: tuple[int, int]
    grids: Sequence[Grid | Form]

    @property
    def images(self) -> list[np.ndarray]:
        """(28, 28) float32 of each mark that may be a digit."""
        return [image for part in self.parts for image in part.images]


class Recognizer:
    """Reads digits and numbers from any picture.

    model: an .onnx or .h5 file; the shipped model if None. Raises ModelError. Many threads may use one Recognizer.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        self.classifier = Classifier(model)
        self.ink = InkReader()
        self.reader = SequenceReader()
        self._beside = digests_beside()

    @property
    def networks(self) -> dict[str, str]:
        """SHA-256 of each network that answers, hexadecimal: of "model", "ink" and "sequence"."""
        return {"model": self.classifier.digest, **self._beside}

    def recognize(self, picture: Any, single: bool = False, boxes: Sequence[Box] = ()) -> Recognition:
        """Read one picture.

        picture: as in digits.picture.read_grey. single: take the whole picture as one digit. boxes: read what stands in
        these boxes of a picture that stands upright, and nothing else, as a table of one row.
        Raises PictureError if it is no picture.
        """
        prepared = self._prepare(picture, single, boxes)
        return self._answer(prepared, self._classify([prepared]))

    def recognize_many(self, pictures: Iterable[Any], single: bool = False) -> Iterator[Recognition]:
        """Read pictures lazily and in order; a picture that cannot be read gives a result with .error set."""
        pictures = iter(pictures)
        while batch := list(islice(pictures, BATCH)):
            prepared = [_attempt(self._prepare, picture, single) for picture in batch]
            rows = self._classify([one for one in prepared if isinstance(one, _Prepared)])
            for one in prepared:
                if isinstance(one, Recognition):
                    yield one
                    continue
                count = len(one.images)
                yield _attempt(self._answer, one, rows[:count])
                rows = rows[count:]

    def _prepare(self, picture: Any, single: bool, boxes: Sequence[Box] = ()) -> _Prepared:
        """Ink, lines, signs, and each digit in MNIST's frame."""
        grey, scale, notes = read_grey(picture)
        ink = self.ink.find(grey, level=bool(boxes))
        if boxes:
            page = self._read_boxes(ink, boxes, scale)
        else:
            page = _without_grain(self._read_clearest(grey, ink, single), grey)
        height, width = (round(side * scale) for side in grey.shape)
        to_picture = scale * page.ink.to_picture
        return _Prepared(page.layout, page.parts, (*notes, *page.ink.notes), to_picture, (width, height), page.grids)

    def _read_clearest(self, grey: np.ndarray, ink: Ink, single: bool) -> _Page:
        """What does not read clearly is looked at again until it does; the first look counts if it never does."""
        page = self._read_upright(ink, single, grey.shape)
        if single or page.clarity >= READABLE or page.is_words or not 0 < page.strokes <= FEW:
            return page
        looks = (self._read_upright(again, single, grey.shape) for again in self._look_again(grey, ink))
        return next((other for other in looks if _reads_better(other, page)), page)

    def _look_again(self, grey: np.ndarray, ink: Ink) -> Iterator[Ink]:
        """In even light if it was not seen so; muddled ink from farther away, and from closer, too.

        What was muddled and taken for light ink may be dark ink all the same.
        """
        look = ink.look
        if look and not look.even and (even := self.ink.find_in_even_light(grey)):
            yield even
        if look and ink.clarity < MUDDLED:
            maybe_dark = [] if look.dark or look.certain else [replace(ink, look=look.negative())]
            yield from filter(None, (self.ink.look_again(one, times) for one in (*maybe_dark, ink) for times in AGAIN))

    def _read_upright(self, ink: Ink, single: bool, shape: tuple[int, ...]) -> _Page:
        """Lines and what may stand in them. A page that reads more clearly from another side is turned to it."""
        page = self._read_page(ink, single, shape)
        is_page = page.signs >= SIGNS_OF_PAGE and len(page.lines) >= LINES_OF_PAGE
        if not is_page or page.clarity >= UPRIGHT or page.strokes >= MOST:  # a pattern is read but once
            return page
        turned = {
            quarters: self._read_page(ink.turned_by_quarters(quarters), single, shape, tables=False)
            for quarters in (1, 2, 3)
        }
        quarters, best = max(turned.items(), key=lambda one: one[1].clarity)
        if best.clarity < max(UPRIGHT, page.clarity + CLEARER) or 2 * best.signs < page.signs:
            return page
        return self._read_page(self.ink.look_from_side(ink, quarters), single, shape)

    def _read_page(self, ink: Ink, single: bool, shape: tuple[int, ...], tables: bool = True) -> _Page:
        layout = find_layout(ink.ink, single, shape, rules=ink.rules)
        grids = find_ruled(ink.rules, layout.strips) if tables and not layout.single else []
        layout = part_at_cells(layout, grids, ink.rules) if grids else part_at_frames(layout, ink.rules)
        read = _take_whole if layout.single else self._read
        return _Page(ink, layout, grids, [read(strip) for strip in layout.strips])

    def _read_boxes(self, ink: Ink, boxes: Sequence[Box], scale: float) -> _Page:
        """What stands in boxes of the picture."""
        (across, _, left), (_, down, top) = scale * ink.to_picture
        sides = (np.array(boxes, float) - [left, top, left, top]) / [across, down, across, down]
        form = Form(sides)
        layout = part_at_boxes(find_layout(ink.ink, wanted=form.reaches), form)
        return _Page(ink, layout, [form], [self._read(strip) for strip in layout.strips])

    def _read(self, strip: Strip) -> _Part:
        """The digit network is asked at once of all of a strip: most are one digit, and then nothing has to be cut.

        Of a single stroke that is surely one, the reader is not asked: it takes three times as long.
        """
        if not strip.may_be_one:
            return _Part(strip, self.reader.read(level(strip)))
        whole = _Part(strip, None, take_as_one(strip))
        row = self.classifier.classify(np.stack(whole.images)[..., None])[0]
        if len(strip.strokes) == 1 and row.max() >= CERTAIN:
            return replace(whole, row=row)
        reading = self.reader.read(level(strip))
        return replace(whole, reading=reading, row=row) if is_one(reading, row) else _Part(strip, reading)

    def _classify(self, prepared: list[_Prepared]) -> np.ndarray:
        """(n, 10) probabilities, one row for each image of each picture."""
        images = [image for one in prepared for image in one.images]
        return self.classifier.classify(np.stack(images)[..., None] if images else np.zeros((0, 28, 28, 1), np.float32))

    def _answer(self, prepared: _Prepared, rows: np.ndarray) -> Recognition:
        found: list[FoundNumber] = []
        for part in prepared.parts:
            count = len(part.images)
            own, rows = rows[:count], rows[count:]
            own = own if part.row is None else part.row[None]
            one = part.one or (part.spans and part.strip.may_be_one)
            whole = part.spans[-1].mark.image if one else None
            if whole is not None:
                seen = look_again(whole, own[-1], self.classifier.classify, prepared.layout.framed)
                own = np.concatenate([own[:-1], seen[None]])
            found += _numbers(part, own)
        found = doubt_among_words(found)
        grids = prepared.grids
        if not any(isinstance(grid, Form) for grid in grids):
            grids = choose(grids, find_aligned([_boxes(number) for number in found]))
        found = _with_words([part for number in found for part in _part(number, grids)], grids)
        boxes = [around(_boxes(number)) for number in found]
        numbers = tuple(_number(number, prepared) for number in found)
        tables = tuple(_table(grid, boxes, numbers, prepared) for grid in grids)
        digits = tuple(digit for number in numbers for digit in number.digits)
        blank = sum(not part.spans for part in prepared.parts)
        notes = (*prepared.notes, *prepared.layout.notes, *_told(found, blank))
        return Recognition(digits, notes, numbers=numbers, tables=tables)


def _reads_better(other: _Page, page: _Page) -> bool:
    """Does another look at a page that does not read clearly do so? Nothing of clear ink may be lost by it, and what is
    dark there instead of light, or the reverse, in the same light, must be a page."""
    look, first = other.ink.look, page.ink.look
    if other.clarity < READABLE or look is None or first is None:
        return False
    if page.ink.clarity >= MUDDLED:
        return other.signs >= page.signs
    return look.even or look.dark == first.dark or other.signs >= SIGNS_OF_PAGE


def _without_grain(page: _Page, grey: np.ndarray) -> _Page:
    """Without lines of nothing but strokes that lie beside the sheet: the grain of the desk."""
    lines = page.lines
    strokes = {line for line, parts in lines.items() if _are_strokes("".join(part.text for part in parts))}
    sheet = Light(grey).find_sheet() if strokes and page.ink.look and not page.layout.single else None
    if sheet is None:
        return page
    beside = {line for line in strokes if not any(_lies_on(sheet, part, page.ink, grey) for part in lines[line])}
    parts = [part for part in page.parts if part.strip.line not in beside]
    notes = [*page.layout.notes, f"beside the sheet and ignored: {len(beside)}"] if beside else page.layout.notes
    return replace(page, parts=parts, layout=replace(page.layout, strips=[part.strip for part in parts], notes=notes))


def _are_strokes(text: str) -> bool:
    """May most of what is read be nothing but straight strokes?"""
    return 2 * sum(sign in STROKES for sign in text) >= len(text)


def _lies_on(sheet: np.ndarray, part: _Part, ink: Ink, grey: np.ndarray) -> bool:
    """Is the middle of a part on the sheet? sheet: (h, w) bool, the picture made small."""
    x, y = ink.to_picture @ (*part.strip.whole.middle, 1)
    row, column = int(y * sheet.shape[0] / grey.shape[0]), int(x * sheet.shape[1] / grey.shape[1])
    inside = 0 <= row < sheet.shape[0] and 0 <= column < sheet.shape[1]
    return inside and bool(sheet[row, column])


def _take_whole(strip: Strip) -> _Part:
    return _Part(strip, None, take_as_one(strip))


def _numbers(part: _Part, rows: np.ndarray) -> list[FoundNumber]:
    if part.reading is None or part.one:
        return [alone(part.spans[0].mark, rows[0])]
    return judge(part.strip, part.reading, part.spans, rows)


def _attempt(step: Callable[..., Result], *arguments: Any) -> Result | Recognition:
    """What a step on one picture gives, or why it gives nothing: one picture in a million must not end the rest."""
    try:
        return step(*arguments)
    except PictureError as error:
        return Recognition(error=str(error))
    except Exception as error:  # Pillow's decoders and OpenCV raise what they like, and memory may run out
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Recognition(error=f"The picture could not be read ({reason}). Save it again and try once more.")


def _number(found: FoundNumber, prepared: _Prepared) -> Number:
    return Number(tuple(_mark(one, prepared) for one in found.marks), found.confidence)


def _boxes(found: FoundNumber) -> list[Box]:
    """Of its marks, in the ink."""
    return [one.mark.box for one in found.marks]


def _part(found: FoundNumber, grids: Sequence[Grid | Form]) -> list[FoundNumber]:
    """A number parted where its marks stand in several cells."""
    cells = [[grid.find(box) for grid in grids] for box in _boxes(found)]
    borders = [place for place, (before, after) in enumerate(pairwise(cells), 1) if before != after]
    return [FoundNumber(found.marks[a:b], found.confidence) for a, b in pairwise([0, *borders, len(cells)])]


def _with_words(found: list[FoundNumber], grids: Sequence[Grid | Form]) -> list[FoundNumber]:
    """The numbers; in a cell most of which is no number, what looks like digits is letters of words."""
    places = [_cell(number, grids) for number in found]
    cells: dict[tuple[tuple[int, int] | None, ...], list[FoundNumber]] = {}
    for number, place in zip(found, places, strict=True):
        cells.setdefault(place, []).append(number)
    words = {cell for cell, numbers in cells.items() if cell.count(None) < len(cell) and mostly_words(numbers)}
    return [as_word(number) if place in words else number for number, place in zip(found, places, strict=True)]


def _cell(number: FoundNumber, grids: Sequence[Grid | Form]) -> tuple[tuple[int, int] | None, ...]:
    """Its cell in each table."""
    return tuple(grid.find(around(_boxes(number))) for grid in grids)


def _table(grid: Grid | Form, boxes: list[Box], numbers: tuple[Number, ...], prepared: _Prepared) -> Table:
    """The cells of a grid with the numbers that stand in them. boxes: of the numbers, in the ink."""
    places = [grid.find(box) for box in boxes]
    rows, columns = grid.shape
    return Table(
        tuple(
            tuple(
                Cell(
                    tuple(number for number, place in zip(numbers, places, strict=True) if place == (row, column)),
                    _placed(grid.box(row, column), prepared),
                )
                for column in range(columns)
            )
            for row in range(rows)
        )
    )


def _mark(found: Found, prepared: _Prepared) -> Digit | Sign:
    mark, box = found.mark, _placed(found.mark.box, prepared)
    if mark.image is None or found.probabilities is None:  # read as a sign
        return Sign(found.text, box, found.confidence, mark.line)
    return Digit(found.probabilities, box, np.round(mark.image * 255).astype(np.uint8), mark.line)


def _placed(box: Box, prepared: _Prepared) -> Box:
    """The box in the picture that holds a box of the ink, which may be turned, and is never empty."""
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    (x, y), (end_x, end_y) = (
        [limits([a * x + b * y + c for x, y in corners]) for a, b, c in prepared.to_picture.tolist()]
        for limits in (min, max)
    )  # plain numbers: for four corners, arrays take five times as long
    width, height = prepared.size
    x, y = min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)
    return x, y, max(min(round(end_x), width), x + 1), max(min(round(end_y), height), y + 1)


def _told(found: list[FoundNumber], blank: int) -> list[str]:
    """In plain words, how strokes became digits, and in how many places they did not."""
    marks = [one.mark for number in found for one in number.marks if one.probabilities is not None]
    parted = sum(mark.cut for mark in marks)
    joined = [f"{mark.strokes} strokes joined into one digit" for mark in marks if mark.strokes > 1 and not mark.cut]
    notes = [f"touching digits: parted into {parted}"] if parted else []
    return [*notes, *dict.fromkeys(joined), *([f"nothing to be read in marks at {blank} places"] if blank else [])]
