"""Numbers, pages and tables that one hand writes with pen strokes on paper, photographed, and all that is true of them.

    python benchmarks/composed.py composed.png              # a contact sheet, to look at

Digits are a writer's own, of the sizes that they have to each other, on a base line that the hand keeps roughly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from photograph import (
    BALL_PEN,
    BLACKS,
    FELT_PEN,
    LINE_COLOURS,
    PENCIL,
    Cover,
    Pen,
    Rng,
    Sheet,
    expose,
    fold,
    hand_shadow,
    ink,
    jpeg,
    paper,
    print_on,
    rules,
    scan,
    shade,
    squares,
    tilt_on_desk,
    trace,
)
from rendering import drawings_folder, load_strokes, tile

HEIGHTS = (18, 64)  # of digits, in pixels

Drawing = dict[str, Any]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Composed:
    """A picture and its truth.

    rows: the numbers of each row, from left to right; "" is an empty cell. boxes: (n, 4) float, left, top, right and
    bottom of each digit in the picture, in reading order. cells: of each number, the corners of its cell in the
    picture, (rows, columns, 4, 2), of a table; None of lines.
    """

    picture: np.ndarray | bytes
    rows: tuple[tuple[str, ...], ...]
    boxes: np.ndarray
    cells: np.ndarray | None = None

    @property
    def text(self) -> str:
        """Rows by a newline, numbers by a space."""
        return "\n".join(" ".join(number for number in row if number) for row in self.rows)


@dataclass
class Hand:
    """One writer with one pen who writes digits some `height` pixels high onto a page."""

    drawings: Sequence[Drawing]
    height: float
    pen: float
    page: Cover
    inks: list[np.ndarray] = field(default_factory=list)  # of each digit, the places (x, y) of its ink

    def choose(self, count: int, rng: Rng) -> list[Drawing]:
        """Some digits of this writer."""
        return [self.drawings[place] for place in rng.integers(0, len(self.drawings), count)]

    def write(self, number: Sequence[Drawing], left: float, base: float, rng: Rng) -> float:
        """Write a number whose digits stand on `base`; returns where it ends."""
        usual = float(np.median([_tall(drawing) for drawing in self.drawings]))
        slope = rng.normal(0, 0.01)
        for drawing in number:
            tall = self.height * float(np.clip(_tall(drawing) / usual, 0.55, 1.6))
            cover = trace(drawing["strokes"], tall, self.pen, square=False)
            top = base - len(cover) + rng.normal(0, 0.04 * self.height) + slope * (left - base)
            self._put(cover, round(left), round(top))
            left += cover.shape[1] + rng.uniform(0.06, 0.4) * self.height
        return left

    def _put(self, cover: Cover, left: int, top: int) -> None:
        window = self.page[top : top + cover.shape[0], left : left + cover.shape[1]]
        cover = cover[: window.shape[0], : window.shape[1]]  # what does not fit onto the page is lost
        np.maximum(window, cover, out=window)
        self.inks.append(np.argwhere(cover > 0.5)[:, ::-1] + [left, top])


def _tall(drawing: Drawing) -> float:
    return max(float(np.ptp([point[1] for stroke in drawing["strokes"] for point in stroke])), 1e-6)


def _hand(drawings: Sequence[Drawing], height: float, shape: tuple[int, int], rng: Rng) -> Hand:
    """One of the writers, at random."""
    writers = sorted({drawing["writer"] for drawing in drawings})
    writer = writers[rng.integers(len(writers))]
    own = [drawing for drawing in drawings if drawing["writer"] == writer]
    return Hand(own, height, max(1.6, rng.uniform(0.05, 0.11) * height), np.zeros(shape, np.float32))


def _text(number: Sequence[Drawing]) -> str:
    return "".join(str(drawing["label"]) for drawing in number)


def compose_lines(
    drawings: Sequence[Drawing],
    rng: Rng,
    count: int,
    numbers: int = 1,
    lengths: tuple[int, int] = (2, 6),
    turn: float = 0.0,
) -> Composed:
    """So many lines, each of up to so many numbers with wide gaps between, turned clockwise on the desk.

    lengths: of a number, in digits, the least and the most.
    """
    height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
    step = rng.uniform(1.6, 2.4) * height
    shape = (round((count + 1) * step), round((3 + (2.5 + 1.8 * lengths[1]) * numbers) * height))
    hand = _hand(drawings, height, shape, rng)
    rows = [_write_line(hand, numbers, lengths, (line + 1.2) * step, rng) for line in range(count)]
    page = hand.page[:, : round(max(places[:, 0].max() for places in hand.inks if len(places)) + height)]
    hand.page = np.ascontiguousarray(page)
    return _photograph(hand, rows, _ground(hand.page.shape, step, 0.2 * step, rng), None, rng, turn)


def _write_line(hand: Hand, numbers: int, lengths: tuple[int, int], base: float, rng: Rng) -> tuple[str, ...]:
    left, texts = rng.uniform(0.8, 2) * hand.height, []
    for _ in range(rng.integers(1, numbers + 1)):
        number = hand.choose(int(rng.integers(*lengths, endpoint=True)), rng)
        left = hand.write(number, left, base, rng) + rng.uniform(1.2, 2.5) * hand.height
        texts.append(_text(number))
    return tuple(texts)


RULINGS = ("all", "thick", "inside", "dotted", "level", "none")
"""Which printed lines a table has."""


def compose_table(
    drawings: Sequence[Drawing], rng: Rng, rows: int, columns: int, turn: float = 0.0, ruling: str = "all"
) -> Composed:
    """A table: numbers of one to three digits in its cells, one cell in eight empty. ruling: one of RULINGS."""
    height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
    tall, wide = rng.uniform(1.7, 2.3) * height, rng.uniform(4.2, 5.5) * height
    margin = 1.2 * height
    hand = _hand(drawings, height, (round(rows * tall + 2 * margin), round(columns * wide + 2 * margin)), rng)
    truth = []
    for row in range(rows):
        numbers = []
        for column in range(columns):
            number = hand.choose(int(rng.integers(1, 4)) if rng.random() < 0.875 else 0, rng)
            left = margin + (column + rng.uniform(0.08, 0.16)) * wide
            hand.write(number, left, margin + (row + rng.uniform(0.82, 0.9)) * tall, rng)
            numbers.append(_text(number))
        truth.append(tuple(numbers))
    downs, acrosses = margin + tall * np.arange(rows + 1), margin + wide * np.arange(columns + 1)
    sheet = _with_grid(_blank(hand.page.shape, rng), downs, acrosses, rng, ruling)
    places = np.stack(np.meshgrid(acrosses, downs), axis=-1)  # (rows + 1, columns + 1, 2)
    corners = [places[:-1, :-1], places[:-1, 1:], places[1:, 1:], places[1:, :-1]]
    return _photograph(hand, truth, sheet, np.stack(corners, axis=2), rng, turn)


@dataclass(frozen=True)
class BlankForm:
    """A printed form. size: height and width; boxes: of its fields; labels: (text, x, y, height) of what is printed."""

    size: tuple[int, int]
    boxes: tuple[Box, ...]
    labels: tuple[tuple[str, float, float, float], ...]

    def scaled(self, scale: float) -> BlankForm:
        """So many times as large."""
        return BlankForm(
            (round(scale * self.size[0]), round(scale * self.size[1])),
            tuple((scale * a, scale * b, scale * c, scale * d) for a, b, c, d in self.boxes),
            tuple((text, scale * x, scale * y, scale * tall) for text, x, y, tall in self.labels),
        )


def labelled_form(rng: Rng) -> BlankForm:
    """A title, and fields with a label before each, in two columns."""
    labels, boxes = [("REPORT OF VISIT", 60.0, 90.0, 34.0), ("please write clearly", 560.0, 88.0, 16.0)], []
    words = ("Date", "Number", "Age", "Weight", "Height", "Pulse", "Rooms", "Meter", "Price", "Hours", "Ward")
    for place, word in enumerate(rng.permutation(words)):
        left, top = 60 + 430 * (place % 2), 150 + 95 * (place // 2) + float(rng.uniform(-6, 6))
        labels.append((word, left, top + 38, 20.0))
        boxes.append((left + 150, top, left + 150 + float(rng.uniform(150, 220)), top + 58))
    return BlankForm((870, 920), tuple(boxes), tuple(labels))


def table_form(rng: Rng) -> BlankForm:
    """A plain ruled table, without a word."""
    rows, columns = int(rng.integers(5, 11)), int(rng.integers(3, 7))
    downs, acrosses = 60 + 64 * np.arange(rows + 1), 60 + 150 * np.arange(columns + 1)
    boxes = [
        (float(acrosses[column]), float(downs[row]), float(acrosses[column + 1]), float(downs[row + 1]))
        for row in range(rows)
        for column in range(columns)
    ]
    return BlankForm((int(downs[-1]) + 60, int(acrosses[-1]) + 60), tuple(boxes), ())


def fill_form(
    form: BlankForm, drawings: Sequence[Drawing], rng: Rng, turn: float = 0.0, empty: float = 0.1
) -> Composed:
    """A form that one hand has filled in: numbers of one to three digits, and a share of the fields left empty.

    Its truth is one row, a number a field, and the corners of each box.
    """
    height = 0.5 * float(np.mean([bottom - top for _, top, _, bottom in form.boxes]))
    hand = _hand(drawings, height, form.size, rng)
    truth = []
    for left, _, right, bottom in form.boxes:
        number = hand.choose(int(rng.integers(1, 4)) if rng.random() >= empty else 0, rng)
        hand.write(number, left + rng.uniform(0.08, 0.16) * (right - left), bottom - 0.25 * height, rng)
        truth.append(_text(number))
    sheet = _blank(form.size, rng)
    print_, width = np.zeros(form.size, np.uint8), max(1, round(0.03 * height) + int(rng.integers(0, 2)))
    for left, top, right, bottom in form.boxes:
        cv2.rectangle(print_, (round(left), round(top)), (round(right), round(bottom)), 255, width)
    for text, x, y, tall in form.labels:
        scale = tall / 21  # as OpenCV's letters are high
        place = (round(x), round(y))
        cv2.putText(print_, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, max(1, round(tall / 10)), cv2.LINE_AA)
    sheet = print_on(
        sheet,
        print_.astype(np.float32) / 255,
        BLACKS[1] if rng.random() < 0.6 else LINE_COLOURS[0],
        rng.uniform(0.6, 0.95),
    )
    left, top, right, bottom = np.array(form.boxes).T
    corners = np.stack([(left, top), (right, top), (right, bottom), (left, bottom)]).transpose(2, 0, 1)
    if not hand.inks or not max(map(len, hand.inks)):
        hand.inks.append(np.zeros((1, 2)))
    return _photograph(hand, [tuple(truth)], sheet, corners[None], rng, turn)


def _with_grid(sheet: Sheet, downs: np.ndarray, acrosses: np.ndarray, rng: Rng, ruling: str) -> Sheet:
    grid = np.zeros(sheet.shape[:2], np.float32)
    width = int(rng.integers(1, 4)) + 3 * (ruling == "thick")
    inner = slice(1, -1) if ruling == "inside" else slice(None)
    for y in downs[inner]:
        cv2.line(grid, (round(acrosses[0]), round(y)), (round(acrosses[-1]), round(y)), 1.0, width)
    for x in acrosses[inner] if ruling != "level" else ():
        cv2.line(grid, (round(x), round(downs[0])), (round(x), round(downs[-1])), 1.0, width)
    if ruling == "dotted":
        rows, columns = np.indices(grid.shape)
        grid[(rows + columns) // (3 * width) % 2 == 1] = 0
    if ruling == "none":
        return sheet
    return print_on(sheet, grid, BLACKS[1] if rng.random() < 0.6 else LINE_COLOURS[0], rng.uniform(0.6, 0.95))


def _blank(shape: tuple[int, ...], rng: Rng) -> Sheet:
    return paper(shape[0], shape[1], rng, (0.96, 0.94, 0.72) if rng.random() < 0.1 else None)


def _ground(shape: tuple[int, ...], step: float, offset: float, rng: Rng) -> Sheet:
    """Plain, ruled (the lines are those on which is written) or squared paper."""
    sheet, kind = _blank(shape, rng), rng.integers(3)
    colour = LINE_COLOURS[rng.integers(len(LINE_COLOURS))]
    if kind == 1:
        return print_on(sheet, rules(shape, step, rng.uniform(1, 2), rng, offset=0.5 * step - offset), colour, 0.7)
    if kind == 2:
        return print_on(sheet, squares(shape, step / rng.integers(2, 4), rng.uniform(0.8, 1.6), rng), colour, 0.6)
    return sheet


def _photograph(
    hand: Hand, rows: Sequence[tuple[str, ...]], sheet: Sheet, cells: np.ndarray | None, rng: Rng, turn: float
) -> Composed:
    """The page in ink, scanned, or seen by a hand-held camera on a desk in uneven light."""
    pen: Pen = (BALL_PEN, FELT_PEN, PENCIL)[rng.choice(3, p=[0.6, 0.2, 0.2])]
    sheet = ink(sheet, hand.page, pen, rng)
    if not turn and rng.random() < 0.15:
        places = np.array([[places.min(axis=0), places.max(axis=0) + 1] for places in hand.inks], float)
        return Composed(scan(sheet, rng), tuple(rows), places.reshape(-1, 4), cells)
    sheet = fold(sheet, rng) if rng.random() < 0.2 else sheet
    seen, matrix = tilt_on_desk(sheet, rng, rng.uniform(-0.03, 0.12), rng.uniform(0.005, 0.03), turn)
    lit = hand_shadow(seen, rng) if rng.random() < 0.25 else shade(seen, rng, (0.15, 0.5))
    picture = jpeg(expose(lit, rng), int(rng.integers(60, 95)))
    moved = [_moved(places, matrix) for places in hand.inks]
    boxes = np.array([[*places.min(axis=0), *(places.max(axis=0) + 1)] for places in moved])
    return Composed(picture, tuple(rows), boxes, None if cells is None else _moved(cells, matrix))


def _moved(places: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Where places (..., 2) come to lie."""
    return cv2.perspectiveTransform(places.reshape(-1, 1, 2).astype(np.float64), matrix).reshape(places.shape)


def a_number(drawings: Sequence[Drawing], rng: Rng) -> Composed:
    return compose_lines(drawings, rng, 1, lengths=(2, 8))


def a_marked_number(drawings: Sequence[Drawing], rng: Rng) -> Composed:
    """A number with what people put around it: a circle, a box, a line, brackets, the sign of a currency."""
    height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
    hand = _hand(drawings, height, (round(3.4 * height), round(14 * height)), rng)
    number = hand.choose(int(rng.integers(1, 5)), rng)
    hand.write(number, 3 * height, 2.2 * height, rng)
    places = np.concatenate(hand.inks)
    box = np.concatenate([places.min(axis=0), places.max(axis=0)]) / height
    mark = list(MARKS.values())[rng.integers(len(MARKS))]
    lines = [np.round(16 * height * line).astype(np.int32) for line in mark(box, rng)]
    cv2.polylines(hand.page, lines, False, 1.0, max(1, round(hand.pen)), cv2.LINE_AA, 4)
    hand.page = np.ascontiguousarray(hand.page[:, : round((box[2] + 3) * height)])
    return _photograph(hand, [(_text(number),)], paper(*hand.page.shape, rng), None, rng, 0.0)


def _circle(box: np.ndarray, rng: Rng) -> list[np.ndarray]:
    angles = rng.uniform(0, 6) + np.linspace(0, 2 * np.pi + rng.uniform(-0.1, 0.4), 60)
    reach = (box[2:] - box[:2]) / 2 * rng.uniform(1.1, 1.25) + rng.uniform(0.2, 0.4)
    reach = reach * (1 + 0.03 * np.sin(2 * angles[:, None]))
    return [(box[:2] + box[2:]) / 2 + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)]


def _box(box: np.ndarray, rng: Rng) -> list[np.ndarray]:
    left, top, right, bottom = box + rng.uniform(0.15, 0.4, 4) * (-1, -1, 1, 1)
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
    return [corners + rng.normal(0, 0.04, corners.shape)]


def _line_under(box: np.ndarray, rng: Rng) -> list[np.ndarray]:
    left, right = box[0] - rng.uniform(0, 0.3), box[2] + rng.uniform(0, 0.3)
    base = box[3] + rng.uniform(0.12, 0.3)
    return [np.array([(left, base), (right, base)]) + rng.normal(0, 0.02, (2, 2))]


def _bracket(x: float, box: np.ndarray, side: int, rng: Rng) -> np.ndarray:
    """side: 1 of a closing one."""
    along = np.linspace(-1, 1, 12)
    y = (box[1] + box[3]) / 2 + along * (box[3] - box[1]) * rng.uniform(0.55, 0.7)
    return np.stack([x + side * rng.uniform(0.15, 0.3) * (1 - along**2), y], axis=1)


def _brackets(box: np.ndarray, rng: Rng) -> list[np.ndarray]:
    return [_bracket(box[0] - rng.uniform(0.1, 0.3), box, -1, rng), *_closing_bracket(box, rng)]


def _closing_bracket(box: np.ndarray, rng: Rng) -> list[np.ndarray]:
    return [_bracket(box[2] + rng.uniform(0.05, 0.25), box, 1, rng)]


def _before(box: np.ndarray, strokes: Sequence[Sequence[tuple[float, float]]], rng: Rng) -> list[np.ndarray]:
    """Strokes in a box of 1 x 1, to the left of the number."""
    tall, corner = box[3] - box[1], np.array([box[0] - rng.uniform(0.15, 0.4), box[1]])
    return [corner + tall * (np.array(stroke) * (0.6, 1) - (0.6, 0) + rng.normal(0, 0.02, 2)) for stroke in strokes]


DOLLAR = (
    ((0.9, 0.25), (0.7, 0.1), (0.3, 0.1), (0.1, 0.28), (0.3, 0.46), (0.7, 0.54), (0.9, 0.7), (0.7, 0.9), (0.1, 0.8)),
    ((0.5, -0.1), (0.5, 1.1)),
)
HASH = (((0.35, 0.05), (0.2, 0.95)), ((0.8, 0.05), (0.65, 0.95)), ((0.0, 0.35), (1.0, 0.32)), ((0.0, 0.68), (1, 0.65)))
MARKS: dict[str, Callable[[np.ndarray, Rng], list[np.ndarray]]] = {
    "circle": _circle,
    "box": _box,
    "line": _line_under,
    "brackets": _brackets,
    "closing bracket": _closing_bracket,
    "dollar": lambda box, rng: _before(box, DOLLAR, rng),
    "hash": lambda box, rng: _before(box, HASH, rng),
}
"""From the box of a number, left, top, right and bottom in heights of a digit, to lines, (n, 2)."""


def a_page(drawings: Sequence[Drawing], rng: Rng, turn: float = 0.0) -> Composed:
    return compose_lines(drawings, rng, int(rng.integers(3, 9)), numbers=2, turn=turn)


def a_page_askew(drawings: Sequence[Drawing], rng: Rng) -> Composed:
    return a_page(drawings, rng, float(rng.uniform(5, 15) * rng.choice([-1, 1])))


def a_page_on_its_side(drawings: Sequence[Drawing], rng: Rng) -> Composed:
    return a_page(drawings, rng, float(rng.choice([90, 180, 270])))


def a_table(drawings: Sequence[Drawing], rng: Rng) -> Composed:
    return compose_table(drawings, rng, int(rng.integers(5, 9)), int(rng.integers(2, 5)))


KINDS: dict[str, Callable[[Sequence[Drawing], Rng], Composed]] = {
    "numbers": a_number,
    "numbers, marked": a_marked_number,
    "pages": a_page,
    "pages, 5 to 15 degrees askew": a_page_askew,
    "pages, on their side or head": a_page_on_its_side,
    "tables": a_table,
}


def main() -> None:
    """Write a contact sheet of every kind, with the boxes of the digits drawn in."""
    drawings = load_strokes(drawings_folder() / "pen_digits.jsonl.gz", "dev-train")
    rows = []
    for number, make in enumerate(KINDS.values()):
        made = [make(drawings, np.random.default_rng([number, index])) for index in range(5)]
        rows.append(np.hstack([tile(_with_boxes(one), 480) for one in made]))
    cv2.imwrite(str(Path(sys.argv[1])), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _with_boxes(composed: Composed) -> np.ndarray:
    picture = composed.picture
    if isinstance(picture, bytes):
        picture = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR_RGB)
    picture = picture.copy()
    for left, top, right, bottom in composed.boxes.round().astype(int).tolist():
        cv2.rectangle(picture, (left, top), (right, bottom), (255, 0, 0), 1)
    for cell in [] if composed.cells is None else composed.cells.reshape(-1, 4, 2):
        cv2.polylines(picture, [cell.round().astype(np.int32)], True, (0, 160, 0), 1)
    return picture


if __name__ == "__main__":
    main()
