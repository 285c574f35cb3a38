"""Paper: synthetic pages as people photograph and scan them, with what is ink on them and what is not.

A page is written first (digits, words, signs, print, ruled lines), then laid on paper (grain, shade, shadows, glare,
patterns, the back's writing, a desk around it), then taken with a camera or a scanner (blur, few pixels, noise, JPEG).
The ink network learns from it to tell what the pen has left, whatever the paper (digits/ink.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from digits.normalise import change_pen, crop, pen_width
from digits.training.augment import NOT_A_DIGIT, bend
from digits.training.data import Split
from digits.training.fonts import cached_fonts
from digits.training.printed import font_text
from digits.training.strokes import draw, random_word

SIDE = 256  # pixels of a page
WHOLE = 0.15  # share of the pages that are seen whole, on a desk
STRAIGHT = (1, 1, 4, 7, 9)  # digits with strokes that look ruled
CIRCLED = 0.05  # share of the groups of marks in a line that the pen has marked with a circle
CORNERS = 0.4  # exponent of a superellipse up to which it looks like a box with corners
LONE = 0.12  # share of the large digits that are nothing but a straight stroke, as a 1 is
EDGE = 1.12  # steepness of the edge of an enlarged mark at least, so that nothing is left beside it
DRAWN = 80  # pixels to which a digit of MNIST is enlarged before its pen is changed
WORDS = (
    *("Name", "Date", "Total", "Sum", "No.", "Betrag", "Punkte", "Note", "Marks", "Class", "Score", "Year"),
    *("Sheet", "Page", "Result", "km", "kg", "EUR", "Rs"),
)
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)


@dataclass
class Page:
    """What stands on a page, each (SIDE, SIDE) float32 in [0, 1].

    ink: written or printed; rules: lines, frames and squares; lines: a ribbon along the middle of each line of writing.
    pen: width of the pen, in pixels. sheet: (4, 2) corners of the paper where all of it lies on a desk.
    """

    ink: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    rules: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    lines: np.ndarray = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    pen: float = 3.0
    sheet: np.ndarray | None = None


def synthesise_page(train: Split, rng: np.random.Generator, filled: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A picture of a page, and what is on it.

    filled: one line in the middle that fills about so many pixels of height, as if it was cut out closely.
    Returns (SIDE, SIDE) uint8 grey, and (SIDE, SIDE, 3) uint8: ink, rules and lines of writing, 255 = there.
    """
    page = write_page(train, rng) if filled is None else _write_middle(train, filled, rng)
    truth = np.dstack([page.ink, np.clip(4 * page.rules, 0, 1) * (1 - page.ink), page.lines])
    return photograph(page, rng), np.round(truth * 255).astype(np.uint8)


# Writing


def write_page(train: Split, rng: np.random.Generator) -> Page:
    """One large digit, lines of numbers and words, a table, or nothing; ruled or not; straight or askew."""
    page = Page()
    kind = rng.choice(4, p=(0.32, 0.39, 0.18, 0.11))
    if kind == 0:
        _write_large(page, train, rng)
    elif kind == 1:
        _write_lines(page, train, rng)
    elif kind == 2:
        _write_table(page, train, rng)
    if kind != 2 and rng.random() < (0.35 if kind == 0 else 0.5):
        rule(page, rng)
    if rng.random() < WHOLE:
        _shrink_to_sheet(page, rng)
    elif rng.random() < 0.35:
        _lay_askew(page, rng)
    return page


def _shrink_to_sheet(page: Page, rng: np.random.Generator) -> None:
    """The whole page as a sheet seen from farther away, askew and in perspective."""
    size = rng.uniform(0.45, 0.9)
    angle = np.deg2rad(rng.normal(0, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE)], np.float32)
    stretch = size * rng.uniform(0.85, 1.15, 2)
    middle = SIDE / 2 + rng.uniform(-0.5, 0.5, 2) * (1 - size) * SIDE
    aim = ((corners - SIDE / 2) * stretch) @ turn.T + middle + rng.normal(0, 0.02, (4, 2)) * SIDE
    matrix = cv2.getPerspectiveTransform(corners, aim.astype(np.float32))
    for name in ("ink", "rules", "lines"):
        small = cv2.GaussianBlur(getattr(page, name), (0, 0), 0.4 / size)  # a pen of less than a pixel is pale
        setattr(page, name, cv2.warpPerspective(small, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR))
    page.pen, page.sheet = max(0.7, page.pen * size), aim


def _write_large(page: Page, train: Split, rng: np.random.Generator) -> None:
    """A digit that fills much of the page, or all of it, or more, sometimes in a frame; or a lone straight stroke."""
    kind = rng.random()
    if kind < 0.3:
        _fill(page, train, rng)
        return
    if kind < 0.42:
        _write_field(page, train, rng)
        return
    if kind < 0.5:
        _write_beyond(page, train, rng)
        return
    height = float(np.exp(rng.uniform(np.log(0.25), np.log(1.02)))) * SIDE
    share = float(np.exp(rng.uniform(np.log(0.025), np.log(0.33))))
    if rng.random() < LONE:
        page.pen = share / 2 * height
        _put_stroke(page, (0.2 * SIDE, 0.0, 0.8 * SIDE, SIDE), height, share / 2, rng)
        return
    mark = _mark(train, height, share, rng, letters=0.06)
    room = np.array([SIDE - mark.shape[0], SIDE - mark.shape[1]])
    top, left = np.round(room * rng.uniform(-0.05, 1.05, 2)).astype(int) if (room > 0).all() else room // 2
    put(page.ink, mark, left, top)
    page.pen = max(1.0, share * height)
    middle = top + mark.shape[0] // 2
    cv2.line(page.lines, (left, middle), (left + mark.shape[1], middle), 1.0, max(1, round(0.4 * height)))
    box = left, top, left + mark.shape[1], top + mark.shape[0]
    around = rng.random()
    if around < 0.3:
        _frame(page, box, rng)
    elif around < 0.42:
        _encircle(page, box, rng)
    elif rng.random() < 0.15:  # neighbours that the edge has cut off
        beside = _mark(train, height, share, rng)
        side = rng.choice((-1, 1))
        x = left + side * (mark.shape[1] + round(rng.uniform(0.1, 0.4) * height))
        put(page.ink, beside, x if side > 0 else left - beside.shape[1] - round(0.2 * height), top)


def _fill(page: Page, train: Split, rng: np.random.Generator) -> None:
    """A digit stretched to the edges of the page, as scans are handed over that were cut to their ink."""
    share = float(np.exp(rng.uniform(np.log(0.06), np.log(0.3))))
    mark = _mark(train, SIDE * rng.uniform(0.85, 1.02), share, rng)
    width, height = np.round(SIDE * rng.uniform((0.6, 0.85), 1.03)).astype(int).tolist()
    mark = cv2.resize(mark, (width, height), interpolation=cv2.INTER_LINEAR)
    left, top = round((SIDE - width) * rng.random()), round((SIDE - height) * rng.random())
    put(page.ink, mark, left, top)
    page.pen = share * SIDE
    cv2.line(page.lines, (left, SIDE // 2), (left + width, SIDE // 2), 1.0, round(0.4 * height))


def _write_field(page: Page, train: Split, rng: np.random.Generator) -> None:
    """A field of a form: a frame with a digit or a few in it, and the printed words that say what belongs there."""
    height = float(np.exp(rng.uniform(np.log(0.2), np.log(0.7)))) * SIDE
    share = float(np.exp(rng.uniform(np.log(0.025), np.log(0.15))))
    page.pen = max(1.0, share * height)
    words = _print(height * rng.uniform(0.15, 0.6), rng)
    word_left, word_top = round(rng.uniform(-0.05, 0.15) * SIDE), round(rng.uniform(0.1, 0.8) * SIDE)
    put(page.ink, words, word_left, word_top)
    middle = word_top + words.shape[0] // 2
    _ribbon(page, [(word_left, middle), (word_left + words.shape[1], middle)], words.shape[0])
    left = min(word_left + words.shape[1] + rng.uniform(0.1, 0.7) * height, 0.8 * SIDE)
    top = min(max(middle - rng.uniform(0.3, 0.7) * height, 0.05 * height), SIDE - 1.05 * height)
    across = height * rng.uniform(0.6, 1.1) * (1 if rng.random() < 0.7 else rng.uniform(1.5, 3))
    _write_line(page, train, (left + rng.uniform(0.02, 0.3) * height, top), height, share, rng, left + across, 4)
    _frame(page, (int(left), int(top), int(left + across), int(top + height)), rng)


def _write_beyond(page: Page, train: Split, rng: np.random.Generator) -> None:
    """A part of a digit larger than the page, as a thin pen is seen from close by."""
    height = rng.uniform(1.0, 2.0) * SIDE
    share = float(np.exp(rng.uniform(np.log(0.01), np.log(0.04))))
    page.pen = max(1.0, share * height)
    mark = draw(int(rng.choice(STRAIGHT) if rng.random() < 0.4 else rng.integers(10)), rng, share)
    mark = enlarge(mark, height, 2.0 * height)
    top, left = (round(rng.uniform(-0.1, 1.1) * (SIDE - side)) for side in mark.shape)
    put(page.ink, mark, left, top)
    middle = top + mark.shape[0] // 2
    cv2.line(page.lines, (left, middle), (left + mark.shape[1], middle), 1.0, round(0.4 * height))


def _write_lines(page: Page, train: Split, rng: np.random.Generator) -> None:
    """Lines of numbers and words, of one size and hand, or of several."""
    height = float(np.exp(rng.uniform(np.log(13), np.log(120))))
    share = float(np.exp(rng.uniform(np.log(0.04), np.log(0.2))))
    page.pen = max(1.0, share * height)
    top = rng.uniform(-0.3, 0.6) * height if rng.random() < 0.7 else rng.uniform(0, 0.6) * SIDE
    spacing = rng.uniform(1.15, 2.6)
    most = int(rng.integers(1, 4)) if rng.random() < 0.5 else 99
    while top < SIDE - 0.3 * height and most > 0:
        left = rng.uniform(-0.5, 3) * height if rng.random() < 0.8 else rng.uniform(0, 0.7) * SIDE
        _write_line(page, train, (left, top), height, share, rng, SIDE)
        top += height * (spacing + rng.normal(0, 0.1))
        most -= 1
        if rng.random() < 0.15:
            height *= float(np.exp(rng.normal(0, 0.3)))


def _write_middle(train: Split, filled: int, rng: np.random.Generator) -> Page:
    """One line in the middle of the page, about so many pixels high."""
    page = Page()
    height = filled * rng.uniform(0.75, 1.0)
    share = float(np.exp(rng.uniform(np.log(0.04), np.log(0.2))))
    page.pen = max(1.0, share * height)
    place = rng.uniform(-0.3, 0.3) * height, (SIDE - height) / 2
    _write_line(page, train, place, height, share, rng, SIDE)
    if rng.random() < 0.3:
        rule(page, rng)
    return page


def _write_line(
    page: Page,
    train: Split,
    place: tuple[float, float],
    height: float,
    share: float,
    rng: np.random.Generator,
    end: float,
    most: int = 99,
) -> None:
    """Marks from left to right on a line that wanders; words of letters or of print among the numbers."""
    left, top = place
    tilt, gap = rng.normal(0, 0.03), rng.uniform(-0.05, 0.35)
    words = rng.random() < 0.2
    printed = rng.random() < 0.15
    font = str(rng.choice(cached_fonts())) if rng.random() < 0.15 and cached_fonts() else None
    uneven = rng.uniform(0.03, 0.22)
    ribbon: list[tuple[int, int]] = []
    written, length = 0, int(rng.integers(1, 9))
    while left < end and written < most:
        if printed:
            mark = _print(height, rng)
        elif font:
            mark = _word(font, height, share, rng)
        elif rng.random() < 0.08:
            mark = _sign(height, share, rng)
        else:
            mark = _mark(train, height * float(np.exp(rng.normal(0, uneven))), share, rng, 0.85 if words else 0.03)
        low = height - mark.shape[0] if mark.shape[0] > 0.4 * height else rng.uniform(0.3, 0.95) * height
        y = top + low * rng.uniform(0.6, 1.0) + tilt * left + rng.normal(0, 0.03) * height
        put(page.ink, mark, round(left), round(y))
        ribbon.append((round(left), round(top + height / 2 + tilt * left)))
        left += mark.shape[1]
        ribbon.append((round(left), round(top + height / 2 + tilt * left)))
        left += (gap + rng.normal(0, 0.05)) * height
        written += 1
        if written % length == 0:
            _ribbon(page, ribbon, height)
            if rng.random() < CIRCLED:
                _encircle(page, (ribbon[0][0], round(y), ribbon[-1][0], round(y + mark.shape[0])), rng)
            ribbon, length = [], int(rng.integers(1, 9))
            left += rng.uniform(0.4, 3) * height
            words = words != (rng.random() < 0.1)
    _ribbon(page, ribbon, height)


def _ribbon(page: Page, places: list[tuple[int, int]], height: float) -> None:
    if places:
        cv2.polylines(page.lines, [np.array(places, np.int32)], False, 1.0, max(1, round(0.4 * height)))


def _write_table(page: Page, train: Split, rng: np.random.Generator) -> None:
    """Cells with numbers, some empty, some with words or print, ruled in some way or not."""
    height = float(np.exp(rng.uniform(np.log(13), np.log(64))))
    share = float(np.exp(rng.uniform(np.log(0.05), np.log(0.17))))
    page.pen = max(1.0, share * height)
    row, count = height * rng.uniform(1.05, 2.4), int(rng.integers(1, 5))
    column = height * (0.75 * count + rng.uniform(0.3, 1.5))
    across = np.arange(rng.uniform(-0.5, 0.5) * column, SIDE + column, column)
    down = np.arange(rng.uniform(-0.5, 0.5) * row, SIDE + row, row)
    strokes = rng.random() < 0.4  # the table has many ones and dashes, which are not ruled
    for x in across:
        for y in down:
            if strokes and rng.random() < 0.35:
                _put_stroke(page, (x + 0.1 * height, y, x + column, y + row), height, share, rng)
            elif rng.random() < 0.8:
                left, top = x + rng.uniform(0.1, 0.4) * height, y + (row - height) * rng.uniform(0.2, 0.9)
                _write_line(page, train, (left, top), height, share, rng, x + column - 0.6 * height, count)
    width = _line_width(page, rng)
    tone = rng.uniform(0.4, 1)
    if rng.random() < 0.9:
        for y in down:
            _draw_rule(page, (-9, y), (SIDE + 9, y), width, tone, rng)
        if rng.random() < 0.85:
            thick = width * (1 if rng.random() < 0.7 else rng.uniform(1, 3))
            for x in across:
                _draw_rule(page, (x, -9), (x, SIDE + 9), thick, tone, rng)


def _put_stroke(
    page: Page, cell: tuple[float, float, float, float], height: float, share: float, rng: np.random.Generator
) -> None:
    """A 1, a dash or a slash in a cell, as straight as its sides."""
    left, top, right, bottom = cell
    length, turn = height * rng.uniform(0.45, 1.1), rng.normal(0, 0.12)
    kind = rng.choice(3, p=(0.6, 0.3, 0.1))
    turn += (np.pi / 2, 0, rng.uniform(0.6, 1.0))[kind]
    length *= (1, 0.7, 1.2)[kind]
    middle = np.array([rng.uniform(left, right), (top + bottom) / 2 + rng.normal(0, 0.1) * height])
    away = length / 2 * np.array([np.cos(turn), -np.sin(turn)])
    points = np.linspace(middle - away, middle + away, 5) + rng.normal(0, 0.015 * height, (5, 2))
    pen = max(1, round(share * height * rng.uniform(0.8, 1.2)))
    cv2.polylines(page.ink, [np.round(points * 16).astype(np.int32)], False, 1.0, pen, cv2.LINE_AA, 4)


def put(canvas: np.ndarray, mark: np.ndarray, left: int, top: int) -> None:
    """Lay a mark on the canvas; what reaches beyond its edge is cut off."""
    x, y = max(left, 0), max(top, 0)
    right, bottom = min(left + mark.shape[1], canvas.shape[1]), min(top + mark.shape[0], canvas.shape[0])
    if x < right and y < bottom:
        view = canvas[y:bottom, x:right]
        np.maximum(view, mark[y - top : bottom - top, x - left : right - left], out=view)


def _mark(train: Split, height: float, share: float, rng: np.random.Generator, letters: float = 0.0) -> np.ndarray:
    """A digit, or a letter or sign, so many pixels high, with a pen of this share of its height."""
    if rng.random() < letters:
        ink = draw(NOT_A_DIGIT, rng) if rng.random() < 0.3 else _letter(share, rng)
    elif share < 0.07 or rng.random() < 0.4:
        ink = draw(int(rng.choice(STRAIGHT) if rng.random() < 0.3 else rng.integers(10)), rng, min(share, 0.25))
    else:
        image = train.images[rng.integers(len(train))].astype(np.float32) / 255
        ink = _with_pen(crop(bend(image, rng)), share)
    return enlarge(ink, height, min(2.2 * height, 1.05 * SIDE))


def _letter(share: float, rng: np.random.Generator) -> np.ndarray:
    """A letter of a stroke font, slanted."""
    ink = np.zeros((90, 90), np.uint8)
    letter = chr(int(rng.choice([*range(65, 91), *range(97, 123)])))
    font = int(rng.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)))
    cv2.putText(ink, letter, (20, 62), font, 1.7, 255, max(1, round(share * 42)), cv2.LINE_AA)
    slant = np.array([[1, rng.normal(-0.1, 0.2), 0], [0, 1, 0]])
    return crop(cv2.warpAffine(ink, slant, (110, 90)).astype(np.float32) / 255)


def _word(font: str, height: float, share: float, rng: np.random.Generator) -> np.ndarray:
    """A word, or a number, in a font of handwriting, its letters joined as they are there."""
    text = random_word(rng, 1, 7) if rng.random() < 0.6 else str(rng.integers(10 ** rng.integers(1, 6)))
    ink = np.pad(font_text(font, text, DRAWN), 12)
    ink = change_pen(ink, max(share * DRAWN, 0.6 * pen_width(ink)) - pen_width(ink))
    return enlarge(crop(ink), height * ink.shape[0] / DRAWN * rng.uniform(0.7, 1), SIDE)


def _with_pen(ink: np.ndarray, share: float) -> np.ndarray:
    """MNIST's digit drawn with another pen, as far as it can be made thinner."""
    large = enlarge(ink, DRAWN, 2 * DRAWN)
    width = pen_width(large)
    wanted = min(max(share * DRAWN, 0.45 * width), 2.5 * width)
    return change_pen(large, wanted - width)


def enlarge(ink: np.ndarray, height: float, widest: float) -> np.ndarray:
    """So many pixels high, unless it gets wider than `widest`, with smooth and fairly sharp edges."""
    scale = min(height / ink.shape[0], widest / ink.shape[1])
    size = max(1, round(scale * ink.shape[1])), max(1, round(scale * ink.shape[0]))
    if scale <= 1:
        return cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    large = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC)
    if scale > 1.5:
        large = cv2.GaussianBlur(large, (0, 0), 0.35 * scale)
    return np.clip((large - 0.45) * max(EDGE, 0.8 * scale) + 0.5, 0, 1)


def _sign(height: float, share: float, rng: np.random.Generator) -> np.ndarray:
    """A dot, comma, dash, slash, plus, equals or colon, small beside the digits."""
    pen = max(1, round(share * height * rng.uniform(0.9, 1.4)))
    size = max(4, round(height * rng.uniform(0.25, 0.6)))
    ink = np.zeros((size + 2 * pen, size + 2 * pen), np.float32)
    low, high, middle = pen, size + pen, pen + size // 2
    lines = {
        0: [((middle, middle), (middle, middle))],
        1: [((middle, middle), (middle - pen, middle + 2 * pen))],
        2: [((low, middle), (high, middle + int(rng.normal(0, 0.1) * size)))],
        3: [((low, high), (high, low))],
        4: [((low, middle), (high, middle)), ((middle, low), (middle, high))],
        5: [((low, y), (high, y)) for y in (middle - size // 5, middle + size // 5)],
        6: [((middle, low), (middle, low)), ((middle, high), (middle, high))],
    }
    for start, end in lines[int(rng.integers(7))]:
        cv2.line(ink, start, end, 1.0, pen, cv2.LINE_AA)
    return crop(ink)


def _print(height: float, rng: np.random.Generator) -> np.ndarray:
    """A printed number or word."""
    text = str(rng.integers(10 ** rng.integers(1, 5))) if rng.random() < 0.5 else str(rng.choice(WORDS))
    ink = np.zeros((80, 40 + 36 * len(text)), np.uint8)
    cv2.putText(ink, text, (12, 55), int(rng.choice(FONTS)), 1.4, 255, int(rng.integers(1, 6)), cv2.LINE_AA)
    return enlarge(crop(ink.astype(np.float32) / 255), height * rng.uniform(0.5, 1), SIDE)


def _encircle(page: Page, box: tuple[int, int, int, int], rng: np.random.Generator) -> None:
    """The circle or box, in one go of the pen, with which people mark what is in it.

    It is ink; a box with corners is ruled, as nobody can tell it from a printed one.
    """
    left, top, right, bottom = box
    high = bottom - top
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi + rng.uniform(-0.3, 0.6), 60)
    way = np.stack([np.cos(angles), np.sin(angles)])
    roundness = 1.0 if rng.random() < 0.75 else rng.uniform(0.15, 0.6)  # round, or a box
    way = np.sign(way) * np.abs(way) ** roundness
    reach = np.array([right - left, high]) / 2 * rng.uniform(1.0, 1.5, 2) + high * rng.uniform(0.1, 0.35)
    reach = reach[:, None] * (1 + 0.04 * np.sin(2 * angles + rng.uniform(0, 6)) + rng.uniform(0, 0.01) * angles)
    middle = np.array([left + right, top + bottom]) / 2 + rng.normal(0, 0.05 * high, 2)
    points = np.round(16 * (middle[:, None] + reach * way).T).astype(np.int32)
    canvas = page.ink if roundness > CORNERS else page.rules
    cv2.polylines(canvas, [points], False, 1.0, max(1, round(page.pen * rng.uniform(0.7, 1.2))), cv2.LINE_AA, 4)


# Ruled lines


def _line_width(page: Page, rng: np.random.Generator) -> float:
    width = page.pen * float(np.exp(rng.uniform(np.log(0.15), np.log(1.8)))) if rng.random() < 0.7 else 1.0
    return float(np.clip(width, 0.6, 24))


def rule(page: Page, rng: np.random.Generator) -> None:
    """Lines from edge to edge, level, upright or both; or a margin, an underline or a box of a form."""
    width, tone = _line_width(page, rng), rng.uniform(0.15, 1)
    kind = rng.choice(5, p=(0.33, 0.13, 0.22, 0.17, 0.15))
    period = float(np.exp(rng.uniform(np.log(max(10, 4 * width)), np.log(120))))
    start = rng.uniform(0, period)
    if kind in (0, 2):
        for y in np.arange(start, SIDE, period):
            _draw_rule(page, (-9, y), (SIDE + 9, y), width, tone, rng)
    if kind in (1, 2):
        for x in np.arange(rng.uniform(0, period), SIDE, period):
            _draw_rule(page, (x, -9), (x, SIDE + 9), width, tone, rng)
    if kind == 3:
        left, top = rng.uniform(0, 0.5 * SIDE, 2)
        _frame(page, (int(left), int(top), int(left + rng.uniform(60, 220)), int(top + rng.uniform(40, 200))), rng)
    if kind == 4:
        _dot(page, period, max(0.5, width / 2), tone, rng)


def _dot(page: Page, period: float, radius: float, tone: float, rng: np.random.Generator) -> None:
    """Dots in rows and columns."""
    start = rng.uniform(0, period, 2)
    for x in np.arange(start[0], SIDE, period):
        for y in np.arange(start[1], SIDE, period):
            middle = round(16 * x), round(16 * y)
            cv2.circle(page.rules, middle, round(16 * radius), tone, cv2.FILLED, cv2.LINE_AA, 4)


def _frame(page: Page, box: tuple[int, int, int, int], rng: np.random.Generator) -> None:
    """Four lines around a box, or only some of them; square or not, drawn by a ruler or by hand."""
    away = rng.uniform(0.04, 0.35, 4) * (box[3] - box[1]) + 2
    left, top = box[0] - away[0], box[1] - away[1]
    right, bottom = box[2] + away[2], box[3] + away[3]
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    if rng.random() < 0.5:
        corners += rng.normal(0, 0.02 * (right - left), corners.shape)
    width = _line_width(page, rng)
    tone = rng.uniform(0.4, 1)
    drawn = rng.random(4) < (1.0 if rng.random() < 0.85 else 0.6)
    for start, end, there in zip(corners, np.roll(corners, -1, axis=0), drawn, strict=True):
        if there:
            over = rng.uniform(0, 0.1) if rng.random() < 0.4 else 0.0
            _draw_rule(page, tuple(start - over * (end - start)), tuple(end + over * (end - start)), width, tone, rng)


def _draw_rule(
    page: Page,
    start: tuple[float, float],
    end: tuple[float, float],
    width: float,
    tone: float,
    rng: np.random.Generator,
) -> None:
    """A line, whole, dashed or dotted. Thinner than a pixel, it is fainter."""
    thick = max(1, round(width))
    tone *= min(1.0, width)
    points = np.linspace(start, end, 9) + rng.normal(0, 0.25, (9, 2))
    line = np.zeros_like(page.rules) if rng.random() < 0.18 else page.rules
    cv2.polylines(line, [np.round(points * 16).astype(np.int32)], False, tone, thick, cv2.LINE_AA, 4)
    if line is not page.rules:
        period = max(3.0, thick * rng.uniform(2, 6))
        along = np.add.outer(*(np.arange(SIDE) * step for step in _direction(start, end)[::-1]))
        np.maximum(page.rules, line * ((along % period) < rng.uniform(0.35, 0.75) * period), out=page.rules)


def _direction(start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    away = np.subtract(end, start)
    return np.abs(away) / max(float(np.hypot(*away)), 1e-6)


def _lay_askew(page: Page, rng: np.random.Generator) -> None:
    """Turned, in perspective, and a little bent: all that is on the page."""
    angle = np.deg2rad(rng.normal(0, 7) if rng.random() < 0.85 else rng.choice((-90, 90)) + rng.normal(0, 4))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE)], np.float32)
    aim = (corners - SIDE / 2) @ turn.T * rng.uniform(0.95, 1.2) + SIDE / 2 + rng.normal(0, 0.03, (4, 2)) * SIDE
    matrix = cv2.getPerspectiveTransform(corners, aim.astype(np.float32))
    bent = rng.random() < 0.3
    wave = rng.uniform(1, 6) * np.sin(COLUMNS / SIDE * np.pi * rng.uniform(0.5, 1.5) + rng.uniform(0, 6))
    for name in ("ink", "rules", "lines"):
        layer = cv2.warpPerspective(getattr(page, name), matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        if bent:
            layer = cv2.remap(layer, COLUMNS, ROWS + wave.astype(np.float32), cv2.INTER_LINEAR)
        setattr(page, name, layer)


# Paper and light


def photograph(page: Page, rng: np.random.Generator) -> np.ndarray:
    """The page on paper, in some light, taken by some camera: (SIDE, SIDE) uint8 grey."""
    if rng.random() < 0.1:
        return _draw_on_screen(page, rng)
    contrast = float(rng.uniform(0.5, 0.97) if rng.random() < 0.6 else rng.uniform(0.12, 0.5))
    dark = np.maximum(contrast * _laid_ink(page, rng), _tone_of_rules(page, contrast, rng))
    level = rng.uniform(0.35, 1.0)
    grey = level * _texture(page, contrast, rng) * (1 - dark)
    if not (scanned := page.sheet is None and rng.random() < 0.25):
        grey = _lay_on_desk(grey, level, page.sheet, rng) if page.sheet is not None or rng.random() < 0.25 else grey
        grey = grey * _light(rng)
        grey = grey + _glare(rng) if rng.random() < 0.15 else grey
    if rng.random() < 0.22:
        grey = _inverted(grey, level, rng)
    return _take(np.clip(grey, 0, 1), page.pen, scanned, rng)


def _draw_on_screen(page: Page, rng: np.random.Generator) -> np.ndarray:
    """A drawing of a computer: flat paper, sharp ink, no light at all."""
    paper, ink = rng.choice((1.0, 1.0, 0.95, 0.8, 0.0, 0.1)), rng.uniform(0, 0.3)
    pen = ink if paper > 0.5 else 1 - ink
    seen = np.maximum(page.ink, page.rules)
    grey = np.round((paper + (pen - paper) * seen) * 255).astype(np.uint8)
    return _few_pixels(grey, rng, page.pen) if rng.random() < 0.3 else grey


def _laid_ink(page: Page, rng: np.random.Generator) -> np.ndarray:
    """What pencil, ball pen, felt pen or chalk leaves of the ink: paler and darker along its way, with grain."""
    ink = page.ink
    if rng.random() < 0.5:
        ink = ink * np.clip(1 - rng.uniform(0.1, 0.7) * _cloud(rng.uniform(4, 40), rng), 0, 1)
    if rng.random() < 0.3:
        grain = cv2.GaussianBlur(rng.random((SIDE, SIDE), dtype=np.float32), (0, 0), rng.uniform(0.4, 1.3))
        grain = (grain - grain.mean()) / grain.std()
        ink = ink * np.clip(1 - rng.uniform(0.1, 0.45) * np.abs(grain), 0, 1)
    return ink


def _tone_of_rules(page: Page, contrast: float, rng: np.random.Generator) -> np.ndarray:
    """Ruled lines are as dark as print, or as pale as can be, whatever the pen."""
    return page.rules * rng.uniform(0.1, max(0.3, min(0.95, 1.5 * contrast)))


def _texture(page: Page, contrast: float, rng: np.random.Generator) -> np.ndarray:
    """Paper that nothing has been written on, about 1: grain, clouds, a printed pattern, the back's writing, specks."""
    paper = np.ones((SIDE, SIDE), np.float32)
    if rng.random() < 0.5:
        paper -= rng.uniform(0.02, 0.25) * contrast * _cloud(rng.uniform(1.0, 12), rng)
    if rng.random() < 0.3:
        paper -= _pattern(rng) * rng.uniform(0.05, 0.55) * contrast
    if rng.random() < 0.32:
        paper -= _back(page, rng) * rng.uniform(0.1, 0.55) * contrast
    if rng.random() < 0.2:
        _speckle(paper, page.pen, contrast, rng)
    if rng.random() < 0.2:
        for _ in range(1 if rng.random() < 0.6 else rng.integers(2, 9)):
            _fold(paper, rng)
    if rng.random() < 0.25:
        paper += rng.uniform(0.02, 0.15) * contrast * _relief(page, rng)
    for _ in range(rng.integers(1, 3) if rng.random() < 0.27 else 0):
        paper -= rng.uniform(0.1, 0.85) * contrast * _stain(rng)
    return np.maximum(paper, 0)


def _back(page: Page, rng: np.random.Generator) -> np.ndarray:
    """The back's writing as it shows through, mirrored and blurred: the front's, of its size or another, or others'."""
    front = page.ink if rng.random() < 0.55 else _write_other_side(rng)
    back = np.roll(front[:, ::-1], rng.integers(0, SIDE, 2), (0, 1))
    if rng.random() < 0.5:
        size = float(np.exp(rng.uniform(np.log(0.6), np.log(2.5))))
        back = cv2.warpAffine(back, np.array([[size, 0, 0], [0, size, 0]]), (SIDE, SIDE), borderMode=cv2.BORDER_WRAP)
    return cv2.GaussianBlur(back, (0, 0), rng.uniform(0.8, 3.5))


def _write_other_side(rng: np.random.Generator) -> np.ndarray:
    """(SIDE, SIDE) float32: a large digit, lines of print, or both."""
    other = np.zeros((SIDE, SIDE), np.float32)
    kind = rng.integers(3)
    if kind != 0:
        mark = enlarge(draw(int(rng.integers(10)), rng, rng.uniform(0.03, 0.12)), rng.uniform(0.3, 1.0) * SIDE, SIDE)
        top, left = (round(rng.random() * (SIDE - side)) for side in mark.shape)
        put(other, mark, left, top)
    if kind != 1:
        height = rng.uniform(8, 30)
        for top in np.arange(rng.uniform(0, SIDE), SIDE, height * rng.uniform(1.2, 2.5)).tolist():
            left = rng.uniform(-0.2, 0.3) * SIDE
            while left < SIDE:
                word = _print(height, rng)
                put(other, word, round(left), round(top))
                left += word.shape[1] + rng.uniform(0.3, 0.8) * height
    return other


def _cloud(size: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise in [0, 1] whose spots are about so many pixels wide."""
    side = max(2, round(SIDE / size))
    return cv2.resize(rng.random((side, side), dtype=np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def _pattern(rng: np.random.Generator) -> np.ndarray:
    """The ground of a cheque or a form: waves, hatching, dots or a tinted block, in [0, 1]."""
    pattern = np.zeros((SIDE, SIDE), np.float32)
    if rng.random() < 0.2:
        left, top, right, bottom = np.sort(rng.integers(0, SIDE, (2, 2)), axis=0).ravel()
        pattern[top:bottom, left:right] = 1
        return pattern
    for _ in range(rng.integers(1, 4)):
        period = rng.uniform(3, 22)
        angle = rng.uniform(0, np.pi)
        wave = rng.uniform(0, 8) * np.sin((COLUMNS * np.sin(angle) - ROWS * np.cos(angle)) / rng.uniform(5, 60))
        phase = (COLUMNS * np.cos(angle) + ROWS * np.sin(angle) + wave) / period
        line = np.abs(phase % 1 - 0.5) * 2 * period  # pixels from the middle between two lines
        pattern = np.maximum(pattern, np.clip(line - period + rng.uniform(1, 2.6), 0, 1))
    return pattern * _cloud(60, rng) if rng.random() < 0.4 else pattern


def _speckle(paper: np.ndarray, pen: float, contrast: float, rng: np.random.Generator) -> None:
    """Dust and dirt, smaller than the pen."""
    for x, y in rng.integers(0, SIDE, (rng.integers(3, 50), 2)).tolist():
        radius = max(0, round(rng.uniform(0.1, 0.3) * pen))
        cv2.circle(paper, (x, y), radius, float(1 - rng.uniform(0.2, 1) * contrast), cv2.FILLED)


def _fold(paper: np.ndarray, rng: np.random.Generator) -> None:
    """A crease, dark on one side and light on the other; sometimes a line between halves on which the light falls
    differently."""
    (x0, y0), (x1, y1) = rng.uniform(-0.3, 1.3, (2, 2)) * SIDE
    distance = (COLUMNS - x0) * (y1 - y0) - (ROWS - y0) * (x1 - x0)
    distance /= max(float(np.hypot(x1 - x0, y1 - y0)), 1.0)
    width = float(np.exp(rng.uniform(0, np.log(25))))
    paper += rng.uniform(-0.25, 0.25) * distance / width * np.exp(-np.abs(distance) / width)
    if rng.random() < 0.5:
        paper -= rng.uniform(0, 0.25) * (distance > 0)
        paper -= rng.uniform(-0.1, 0.4) * np.exp(-((distance / rng.uniform(0.4, 2.5)) ** 2))


def _relief(page: Page, rng: np.random.Generator) -> np.ndarray:
    """Paper that is not flat, lit from one side: fibres, dents, wrinkles, what was pressed through from another sheet.

    Deviation about 1 where it is strongest.
    """
    height = np.zeros((SIDE, SIDE), np.float32)
    for size in (1, 2, 4, 8):
        noise = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), size)
        wrinkles = np.abs(noise) if rng.random() < 0.4 else noise
        height += rng.random() ** 2 * size * wrinkles / noise.std()
    if rng.random() < 0.3:
        height += rng.uniform(0, 8) * _back(page, rng)
    angle = rng.uniform(0, 2 * np.pi)
    down, right = np.gradient(height)
    lit = np.cos(angle) * right + np.sin(angle) * down
    return np.asarray(np.clip(lit / max(float(lit.std()), 1e-6), -4, 4) * _cloud(rng.uniform(30, 250), rng), np.float32)


def _stain(rng: np.random.Generator) -> np.ndarray:
    """The ring that a cup has left, or a drop: darkest at its edge, in [0, 1]."""
    middle, radius = rng.uniform(-0.1, 1.1, 2) * SIDE, float(np.exp(rng.uniform(np.log(0.1), np.log(0.6)))) * SIDE
    angle = np.arctan2(ROWS - middle[1], COLUMNS - middle[0])
    wavy = radius * (1 + rng.uniform(0, 0.05) * np.sin(angle * rng.integers(2, 7) + rng.uniform(0, 6)))
    inside = wavy - np.hypot(COLUMNS - middle[0], ROWS - middle[1])  # pixels from the edge inwards
    if rng.random() < 0.3:  # ragged
        inside = inside + rng.uniform(0.5, 4) * (2 * _cloud(rng.uniform(2, 9), rng) - 1)
    away = np.abs(inside) / np.where(inside > 0, rng.uniform(1.5, 14), rng.uniform(0.7, 6))
    edge = np.exp(-(away ** rng.choice((1, 2))))
    if rng.random() < 0.35:  # in beads
        edge = edge * np.clip(rng.uniform(2, 8) * (_cloud(rng.uniform(3, 14), rng) - rng.uniform(0.2, 0.6)), 0, 1)
    stain = np.maximum(edge, rng.uniform(0, 0.5) * (inside > 0))
    return np.asarray(stain * (1 - rng.uniform(0, 0.7) * _cloud(rng.uniform(5, 40), rng)), np.float32)


def _light(rng: np.random.Generator) -> np.ndarray:
    """Uneven light: a slope, clouds, soft and hard shadows."""
    light: np.ndarray = np.ones((SIDE, SIDE), np.float32)
    if rng.random() < 0.6:
        corners = rng.uniform(rng.uniform(0.35, 0.9), 1, (rng.integers(2, 5),) * 2).astype(np.float32)
        light = cv2.resize(corners, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.4:
        shadow = _shadow_of_hand(rng) if rng.random() < 0.5 else _shadow(rng)
        soft = float(np.exp(rng.uniform(np.log(0.6), np.log(40))))
        light = light * (1 - rng.uniform(0.15, 0.68) * cv2.GaussianBlur(shadow, (0, 0), soft))
    return np.asarray(light, np.float32)


def _shadow(rng: np.random.Generator) -> np.ndarray:
    """Of something with straight sides."""
    shadow = np.zeros((SIDE, SIDE), np.float32)
    corners = rng.uniform(-0.4, 1.4, (int(rng.integers(3, 6)), 2)) * SIDE
    cv2.fillPoly(shadow, [cv2.convexHull(corners.astype(np.int32))], 1.0)
    return shadow


def _shadow_of_hand(rng: np.random.Generator) -> np.ndarray:
    """Of fingers that reach in from somewhere beyond the edge."""
    shadow = np.zeros((SIDE, SIDE), np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    palm = SIDE * (0.5 + rng.uniform(0.4, 0.8) * np.array([np.cos(angle), np.sin(angle)]))
    thick = round(SIDE * rng.uniform(0.08, 0.3))
    for _ in range(rng.integers(1, 5)):
        tip = SIDE * rng.uniform(0.15, 0.85, 2)
        start = palm + rng.normal(0, thick, 2)
        cv2.line(shadow, start.astype(int).tolist(), tip.astype(int).tolist(), 1.0, thick, cv2.LINE_AA)
    return shadow


def _glare(rng: np.random.Generator) -> np.ndarray:
    """A lamp that is reflected."""
    left, top = rng.uniform(-0.1, 1.1, 2) * SIDE
    width, height = np.exp(rng.uniform(np.log(15), np.log(120), 2))
    return rng.uniform(0.2, 0.8) * np.exp(-(((COLUMNS - left) / width) ** 2) - ((ROWS - top) / height) ** 2)


def _lay_on_desk(grey: np.ndarray, level: float, corners: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """The sheet's edge, and what lies beyond it: dark or light, plain or with the grain of wood.

    corners: of the sheet; None for one of which only a part is seen.
    """
    corners = _part_of_sheet(rng) if corners is None else corners
    sheet = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillPoly(sheet, [np.round(corners * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    desk = np.clip(rng.uniform(0.03, 0.9) * level * (1 + rng.uniform(0, 0.5) * (_wood(rng) - 0.5)), 0.01, 1)
    if rng.random() < 0.5:  # the sheet throws a shadow
        aside = np.hstack([np.eye(2), rng.uniform(-25, 25, (2, 1)) * (rng.random() < 0.5)])
        shadow = cv2.GaussianBlur(cv2.warpAffine(sheet, aside, (SIDE, SIDE)), (0, 0), rng.uniform(1.5, 12))
        desk = desk * (1 - rng.uniform(0.2, 0.85) * shadow)
    return np.asarray(sheet * grey + (1 - sheet) * desk, np.float32)


def _wood(rng: np.random.Generator) -> np.ndarray:
    """Its grain along some direction, in [-1, 1]: wide bands, and often fine dark lines, as thin as a pen's."""
    wood = cv2.resize(rng.random((int(rng.integers(2, 90)), int(rng.integers(2, 8))), dtype=np.float32), (SIDE, SIDE))
    if rng.random() < 0.6:
        thick = int(rng.integers(1, 6))
        lines = rng.random((SIDE // thick, int(rng.integers(2, 30))), dtype=np.float32) < rng.uniform(0.02, 0.25)
        wood = wood - cv2.resize(lines.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    angle = rng.choice((0, 90)) if rng.random() < 0.5 else rng.uniform(0, 180)
    turned = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, 1)
    return np.asarray(cv2.warpAffine(wood, turned, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT))


def _part_of_sheet(rng: np.random.Generator) -> np.ndarray:
    """(4, 2) corners, of which one to three sides lie in the picture."""
    corners = np.array([(-40, -40), (SIDE + 40, -40), (SIDE + 40, SIDE + 40), (-40, SIDE + 40)], float)
    for side in rng.permutation(4)[: rng.integers(1, 4)]:
        corners[[side, (side + 1) % 4], (side + 1) % 2] += (1 if side in (0, 3) else -1) * rng.uniform(40, 110)
    return corners + rng.normal(0, 8, corners.shape)


def _inverted(grey: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Light ink on dark paper: chalk, a negative, a screen."""
    return np.asarray(rng.uniform(0.02, 0.35) + (level - grey) / max(level, 1e-3) * rng.uniform(0.4, 0.9), np.float32)


# Camera and scanner


def _take(grey: np.ndarray, pen: float, scanned: bool, rng: np.random.Generator) -> np.ndarray:
    """Blur, few pixels, noise, black and white, JPEG: each in some pictures."""
    if rng.random() < 0.6:
        blur = min(float(np.exp(rng.uniform(np.log(0.3), np.log(4)))), max(0.45 * pen, 0.5))
        grey = cv2.GaussianBlur(grey, (0, 0), blur)
    if rng.random() < 0.05:
        grey = _motion(grey, min(pen * rng.uniform(0.5, 1.2), 15), rng)
    if rng.random() < 0.6:
        grey = grey + _noise(rng)
    picture = np.clip(grey * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        picture = _few_pixels(picture, rng, pen, scanned)
    if scanned and rng.random() < 0.3:
        picture = _black_and_white(picture, rng)
    if rng.random() < 0.45:
        picture = _as_jpeg(picture, rng)
    return picture


def _as_jpeg(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(np.exp(rng.uniform(np.log(8), np.log(95))))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_GRAYSCALE))


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Of a sensor: of single pixels, or, where a picture was enlarged, of spots."""
    noise: np.ndarray = rng.normal(0, 1, (SIDE, SIDE))
    if rng.random() < 0.4:
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 2))
        noise = noise / noise.std()
    return np.asarray(np.exp(rng.uniform(np.log(0.003), np.log(0.06))) * noise)


def _motion(grey: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    size = 2 * max(1, round(length / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    middle, angle = size // 2, rng.uniform(0, np.pi)
    away = round(middle * np.cos(angle)), round(middle * np.sin(angle))
    cv2.line(kernel, (middle - away[0], middle - away[1]), (middle + away[0], middle + away[1]), 1.0)
    return cv2.filter2D(grey, -1, kernel / kernel.sum())


def _few_pixels(picture: np.ndarray, rng: np.random.Generator, pen: float, scanned: bool = True) -> np.ndarray:
    """Reduced and enlarged again, to blocks or to blur: a thumbnail, an old scanner, a screen shot."""
    least = max(12, round(SIDE * min(1.0, 0.9 / pen)))  # a pen keeps about a pixel
    side = round(float(np.exp(rng.uniform(np.log(least), np.log(max(SIDE * 0.7, least + 1))))))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    if scanned and rng.random() < 0.5:
        small = _black_and_white(small, rng)
    if rng.random() < 0.3:
        small = _as_jpeg(small, rng)
    way = int(rng.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    return cv2.resize(small, (SIDE, SIDE), interpolation=way)


def _black_and_white(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a scanner's threshold leaves, by the whole picture or around each pixel."""
    if rng.random() < 0.3 and min(picture.shape) > 60:
        around = 2 * int(rng.integers(7, 30)) + 1
        way = cv2.ADAPTIVE_THRESH_GAUSSIAN_C
        return cv2.adaptiveThreshold(picture, 255, way, cv2.THRESH_BINARY, around, int(rng.integers(4, 14)))
    threshold, _ = cv2.threshold(picture, 0, 255, cv2.THRESH_OTSU)
    return np.where(picture > threshold + rng.normal(0, 6), 255, 0).astype(np.uint8)
