"""Written: what stands on a synthetic page: digits, words, signs, print, tables, ruled lines and frames."""

from __future__ import annotations

import cv2
import numpy as np

from digits.normalise import change_pen, crop, pen_width
from digits.training.augment import NOT_A_DIGIT, bend
from digits.training.data import Split
from digits.training.fonts import cached_fonts
from digits.training.page import COLUMNS, ROWS, SIDE, Page, enlarge, put, round_box
from digits.training.printed import font_text
from digits.training.strokes import draw, random_word

WHOLE = 0.15  # share of the pages that are seen whole, on a desk
STRAIGHT = (1, 1, 4, 7, 9)  # digits with strokes that look ruled
CIRCLED = 0.05  # share of the groups of marks in a line that the pen has marked with a circle
CORNERS = 0.4  # exponent of a superellipse up to which it looks like a box with corners
ROUNDED = 0.2  # share of the frames whose corners are round
TO_TICK = 0.06  # share of the pages with small boxes to tick
LONE = 0.12  # share of the large digits that are nothing but a straight stroke, as a 1 is
DRAWN = 80  # pixels to which a digit of MNIST is enlarged before its pen is changed
WORDS = (
    *("Name", "Date", "Total", "Sum", "No.", "Betrag", "Punkte", "Note", "Marks", "Class", "Score", "Year"),
    *("Sheet", "Page", "Result", "km", "kg", "EUR", "Rs"),
)
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


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
    if rng.random() < TO_TICK:
        _draw_boxes_to_tick(page, rng)
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
    if around < 0.36:
        _frame(page, box, rng)
    elif around < 0.46:
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
    words = print_word(height * rng.uniform(0.15, 0.6), rng)
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


def write_middle(train: Split, filled: int, rng: np.random.Generator) -> Page:
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
            mark = print_word(height, rng)
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


def print_word(height: float, rng: np.random.Generator) -> np.ndarray:
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
    if rng.random() < ROUNDED:
        _round_frame(page, (left, top, right, bottom), width, tone, rng)
        return
    drawn = rng.random(4) < (1.0 if rng.random() < 0.85 else 0.6)
    for start, end, there in zip(corners, np.roll(corners, -1, axis=0), drawn, strict=True):
        if there:
            over = rng.uniform(0, 0.1) if rng.random() < 0.4 else 0.0
            _draw_rule(page, tuple(start - over * (end - start)), tuple(end + over * (end - start)), width, tone, rng)


def _round_frame(
    page: Page, box: tuple[float, float, float, float], width: float, tone: float, rng: np.random.Generator
) -> None:
    """A frame with round corners, as on labels and buttons."""
    thick = max(1, round(width))
    outline = round_box(box, rng.uniform(0.05, 0.5))
    cv2.polylines(page.rules, [outline], True, tone * min(1.0, width), thick, cv2.LINE_AA, 4)


def _draw_boxes_to_tick(page: Page, rng: np.random.Generator) -> None:
    """Small squares in a row or a column, or a single one."""
    side, apart = rng.uniform(8, 40), rng.uniform(1.2, 4)
    place, step = rng.uniform(0, 0.8, 2) * SIDE, np.roll((side * apart, 0), rng.integers(2))
    width, tone = rng.uniform(0.8, max(1.0, 0.12 * side)), rng.uniform(0.4, 1)
    for _ in range(rng.integers(1, 7)):
        outline = round_box((*place, *(place + side)), rng.choice((0.0, 0.0, 0.15)))
        cv2.polylines(page.rules, [outline], True, tone, max(1, round(width)), cv2.LINE_AA, 4)
        place = place + step


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
