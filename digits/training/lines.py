"""Lines: numbers as people and machines write them, with signs, for the sequence network to learn from.

A line is a text in one hand: MNIST's digits, drawn ones, a font of handwriting, print, or a display. Its glyphs stand
side by side on a base line that wanders; then happens to it what an ink network, a bad pen and a neighbouring line do
to ink.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw

from digits.normalise import change_pen, crop, pen_width
from digits.sequence import SIGNS
from digits.training.augment import augment
from digits.training.data import Split
from digits.training.fonts import cached_fonts
from digits.training.glyphs import AROUND, HURRIED, MARKS
from digits.training.glyphs import SIGNS as OTHER_FORMS
from digits.training.numbers import CUT_HEIGHT, write_number
from digits.training.printed import PRINT, PRINTERS, display_glyph, lacks, open_font
from digits.training.seen import see_line
from digits.training.strokes import CLEAR_LETTERS, curve, draw, draw_form, no_number

TOUCHING = 0.25  # share of the lines whose digits all touch,
IN_FONTS = 0.2  # and of those in fonts of handwriting, if there are any;
WORDS_IN_FONTS = 0.6  # share of these with words
PUT_AROUND = 0.45  # share of the texts with others that are numbers in brackets or with a currency
PRINTED_WORDS = 0.06  # share of the lines with words in print
HURRIED_HANDS, ENOUGH = 0.3, 3  # share of the hands that are hurried, in texts with so many digits
ROUND = 0.12  # share of the plain numbers that end with zeros
CHAINED = 0.3  # share of the hands that write several zeros in one go
PHOTOGRAPHED = 0.4  # share of the spoiled lines that the ink network was shown on paper
LONGEST = 24  # signs of a line
UNIT = 40  # pixels of a digit's height
ABOVE, BELOW = 100, 80  # pixels of paper over and under the base line
OTHER = "?"
LIKE_DIGIT = "o"  # in a text: a letter that looks like a digit, as only words have it; its label is OTHER
EDGE = 0.25  # ink paler than this is left out at the edges of a line, as the layout leaves it out
LIKE_SIGNS = (29, 30, 42)  # of OTHER_FORMS: plus, equals, per cent


@dataclass(frozen=True, eq=False)
class Glyph:
    """One sign, or several zeros in one go.

    ink: (height, width) float32; top: pixels from the base line down to its first row.
    """

    ink: np.ndarray
    top: int
    label: str


@dataclass(frozen=True)
class Placed:
    """Where a sign stands in a line: its middle and width in columns of the line's ink."""

    label: str
    middle: float
    width: float


Hand = Callable[[str, np.random.Generator], Glyph]


def write_line(split: Split, rng: np.random.Generator, spoiled: float = 0.6) -> tuple[np.ndarray, list[Placed]]:
    """A line of numbers and signs: its ink, (height, width) float32 in [0, 1], cropped, and its signs in order.

    spoiled: the share of lines to which happens what happens on bad paper.
    """
    while True:
        kind = rng.random()
        if kind < TOUCHING:
            paper, placed = _touching(split, rng)
        elif kind < TOUCHING + PRINTED_WORDS:
            paper, placed = _in_font(str(rng.choice(PRINT)), 1.0, rng)
        elif kind < TOUCHING + PRINTED_WORDS + IN_FONTS and cached_fonts():
            paper, placed = _in_font(str(rng.choice(cached_fonts())), WORDS_IN_FONTS, rng)
            paper = _waver(paper, rng)
        else:
            paper, placed = _composed(split, rng)
        paper, placed = _lean(paper, placed, rng)
        ink, placed = _spoil(paper, placed, rng) if rng.random() < spoiled else (paper, placed)
        rows, columns = np.nonzero(ink > EDGE)
        if not rows.size or np.ptp(rows) < 2 or np.ptp(columns) < 1:
            continue
        left, right = columns.min(), columns.max() + 1
        ink = ink[rows.min() : rows.max() + 1, left:right]
        return ink, [replace(one, middle=float(np.clip(one.middle - left, 0, right - left - 1))) for one in placed]


def _spoil(paper: np.ndarray, placed: list[Placed], rng: np.random.Generator) -> tuple[np.ndarray, list[Placed]]:
    """What is left of a line: photographed and found by the ink network, or spoiled in ways known from it."""
    if rng.random() < PHOTOGRAPHED:
        left, top, right, bottom = _written(paper)
        if seen := see_line(paper[top:bottom, left:right], rng):
            ink, moved, scale = seen
            return ink, [
                replace(one, middle=moved + scale * (one.middle - left), width=scale * one.width) for one in placed
            ]
    return spoil_line(paper, rng), placed


def _composed(split: Split, rng: np.random.Generator) -> tuple[np.ndarray, list[Placed]]:
    """A text in a hand, in print, or on a display."""
    kind = KINDS[rng.choice(len(KINDS), p=KIND_SHARES)]
    text = compose(rng, kind is _display)
    hand, gap, joined = kind(text, split, rng)
    return _set(text, hand, gap, joined, kind is _handwriting and bool(rng.random() < CHAINED), rng)


def _touching(split: Split, rng: np.random.Generator) -> tuple[np.ndarray, list[Placed]]:
    """Digits of uneven heights that touch, overlap or are joined (digits/training/numbers.py)."""
    ink, digits, labels = write_number(split, int(rng.choice((2, 3, 4, 5), p=(0.4, 0.3, 0.2, 0.1))), rng, varied=True)
    scale = UNIT / CUT_HEIGHT
    small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper = np.pad(small, ((ABOVE - small.shape[0], BELOW), (UNIT, UNIT)))
    placed = []
    for label, digit in zip(labels, digits, strict=True):
        columns = np.flatnonzero((digit > 0.5 * digit.max()).any(axis=0)) * scale
        middle = UNIT + (columns[0] + columns[-1]) / 2
        placed.append(Placed(str(label), float(middle), float(columns[-1] - columns[0] + scale)))
    return paper, placed


def compose(rng: np.random.Generator, plain: bool = False) -> str:
    """A text: digits and signs; blanks where numbers are apart; OTHER for what is no sign of a number.

    plain: only what a display can show.
    """
    while True:
        text = TEXTS[rng.choice(len(TEXTS), p=TEXT_SHARES)](rng)
        if len(text) <= LONGEST and not (plain and set(text) & {*",/+=%?o", *AROUND}):
            return text


def _digits(rng: np.random.Generator, least: int, most: int) -> str:
    return "".join(str(digit) for digit in rng.integers(0, 10, rng.integers(least, most + 1)))


def _plain(rng: np.random.Generator) -> str:
    least, most = ((1, 1), (2, 4), (3, 10), (11, 20))[rng.choice(4, p=(0.3, 0.3, 0.32, 0.08))]
    text = _digits(rng, least, most)
    zeros = int(rng.integers(2, 5)) if rng.random() < ROUND else 0
    return text[:-zeros] + zeros * "0" if 0 < zeros < len(text) else text


def _decimal(rng: np.random.Generator) -> str:
    mark = ".,"[rng.integers(2)]
    return f"{_digits(rng, 1, 4)}{mark}{_digits(rng, 1, 4)}"


def _thousands(rng: np.random.Generator) -> str:
    mark, other = (".", ",") if rng.random() < 0.6 else (",", ".")
    text = _digits(rng, 1, 3) + "".join(mark + _digits(rng, 3, 3) for _ in range(rng.integers(1, 3)))
    return text + (other + _digits(rng, 2, 2) if rng.random() < 0.3 else "")


def _signed(rng: np.random.Generator) -> str:
    number = _decimal(rng) if rng.random() < 0.35 else _digits(rng, 1, 5)
    return "+--"[rng.integers(3)] + (" " if rng.random() < 0.1 else "") + number


def _fraction(rng: np.random.Generator) -> str:
    return f"{_digits(rng, 1, 3)}/{_digits(rng, 1, 3)}"


def _time(rng: np.random.Generator) -> str:
    return ":".join(_digits(rng, 1 + (place > 0), 2) for place in range(rng.integers(2, 4)))


def _date(rng: np.random.Generator) -> str:
    mark = "./-."[rng.integers(4)]
    year = _digits(rng, 2, 2) if rng.random() < 0.5 else _digits(rng, 4, 4)
    parts = [_digits(rng, 1, 2), _digits(rng, 1, 2), year]
    return mark.join(parts if rng.random() < 0.85 else parts[::-1])


def _percent(rng: np.random.Generator) -> str:
    return (_decimal(rng) if rng.random() < 0.3 else _digits(rng, 1, 3)) + "%"


def _sum(rng: np.random.Generator) -> str:
    parts = [_digits(rng, 1, 3) for _ in range(rng.integers(2, 4))]
    text = parts[0] + "".join("+-+/:"[rng.integers(5)] + part for part in parts[1:])
    return text + ("=" + (_digits(rng, 1, 4) if rng.random() < 0.7 else "") if rng.random() < 0.8 else "")


def _amount(rng: np.random.Generator) -> str:
    """An amount as on a cheque, with what fills the rest of the line so that nobody adds a digit."""
    number = _thousands(rng) if rng.random() < 0.5 else _digits(rng, 3, 8)
    if rng.random() < 0.35:
        number = _digits(rng, 1, 3) + (".", ",", "")[rng.integers(3)] + "0" * rng.integers(2, 4)
    before = ("", "", "", "", "=", "-", "?", "-?")[rng.integers(8)]
    after = ("-", "=", "/-", ",-", ".-", "--", "?", "/", "-?", ".", "")[rng.integers(11)]
    return before + number + after


def _several(rng: np.random.Generator) -> str:
    """Numbers side by side."""
    kinds = (_plain, _decimal, _signed, _fraction, _time)
    return " ".join(kinds[rng.choice(5, p=(0.6, 0.15, 0.15, 0.05, 0.05))](rng)[:7] for _ in range(rng.integers(2, 5)))


def _with_others(rng: np.random.Generator) -> str:
    """Numbers among letters, currencies, brackets, what is struck out; or nothing but such."""
    number = _decimal(rng) if rng.random() < 0.3 else _digits(rng, 1, 5)
    if rng.random() < PUT_AROUND:
        return _spelt(rng.choice(_around(number, rng)), rng)
    forms = ("w", "w", "?", "w w", "w w w", "w w w w", f"w {number} w", f"{number}?", f"{number} w", f"?{number}",
             f"w {number}", f"?{number}?", f"?={number}")  # fmt: skip
    if rng.random() < 0.2:
        place = int(rng.integers(len(number) + 1))
        return number[:place] + OTHER + number[place:]
    return _spelt(forms[rng.integers(len(forms))], rng)


def _around(number: str, rng: np.random.Generator) -> list[str]:
    """A number in brackets, with a currency, as a number of something, or with a number of its own before it."""
    short = number[:2]
    return [
        *(f"({number})", f"({number})", f"{number})", f"{number})", f"${number}", f"${number}", f"#{number}"),
        *(f"€{number}", f"{number}€", f"£{number}", f"₹{number}", f"¥{number}"),
        *(f"w ({number})", f"({short}) w", f"{short}) {_digits(rng, 1, 4)}"),
    ]


def _spelt(form: str, rng: np.random.Generator) -> str:
    """A form with a word for each w."""
    return "".join(_word(rng) if sign == "w" else sign for sign in form)


def _word(rng: np.random.Generator) -> str:
    return "".join(rng.choice([OTHER, LIKE_DIGIT], rng.integers(2, 9), p=(0.76, 0.24)))


def _alone(rng: np.random.Generator) -> str:
    """A sign alone; never a stroke, which would be a 1."""
    return "-.-..+=%:"[rng.integers(9)]


TEXTS = (_plain, _decimal, _thousands, _signed, _fraction, _time, _date, _percent, _sum, _amount, _several,
         _with_others, _alone)  # fmt: skip
TEXT_SHARES = (0.34, 0.07, 0.03, 0.06, 0.04, 0.04, 0.05, 0.03, 0.04, 0.1, 0.06, 0.11, 0.03)


def _handwriting(text: str, split: Split, rng: np.random.Generator) -> tuple[Hand, Callable[[], float], bool]:
    """MNIST's digits, or drawn ones, in a hand with habits of its own. Returns it, its gaps and whether it joins.

    Some are hurried, where there are enough digits to read them by.
    """
    hurried = rng.random() < HURRIED_HANDS and sum(sign.isdigit() for sign in text) >= ENOUGH
    habits = [label for label in HURRIED if hurried and rng.random() < 0.5 and (label or "00" in text)]
    drawn = rng.random() < 0.42
    pen = float(np.exp(rng.uniform(np.log(0.03), np.log(0.16))))  # of a digit's height
    keeps_pen = not drawn and rng.random() < 0.4
    uneven = rng.uniform(0.02, 0.1) if rng.random() < 0.65 else rng.uniform(0.1, 0.22)
    hanging = rng.uniform(0.15, 0.7) if rng.random() < 0.18 else 0.0
    small_zeros = rng.uniform(0.45, 0.85) if rng.random() < 0.12 else 1.0
    wander = UNIT * rng.uniform(0, 0.12)

    def write(text: str, rng: np.random.Generator) -> Glyph:
        size = float(np.exp(rng.normal(0, uneven)))
        if len(text) > 1:
            ink = _to_height(_zeros(len(text), pen, rng), UNIT * size * small_zeros * rng.uniform(0.7, 1))
            return Glyph(ink, -ink.shape[0] - round(rng.uniform(0, max(0, UNIT - ink.shape[0]))), text)
        if not text.isdigit():
            return _mark(text, pen, rng) if text in MARKS or text in AROUND else _other(text, pen, rng)
        label, below = int(text), rng.normal(0, wander)
        if label in (4, 7, 9) and hanging and rng.random() < 0.7:
            size *= 1 + hanging
            below += UNIT * hanging * rng.uniform(0.3, 1)
        if label == 0 and small_zeros < 1 and rng.random() < 0.8:
            size *= small_zeros
            below -= UNIT * rng.uniform(0, 1 - size) if size < 1 else 0
        if label in habits:
            ink = draw(label, rng, pen, HURRIED)
        else:
            ink = draw(label, rng, pen) if drawn else _mnist(label, split, rng)
        ink = _to_height(ink, UNIT * size)
        if not drawn and label not in habits and not keeps_pen:
            ink = change_pen(ink, pen * UNIT - pen_width(ink))
        return Glyph(ink, round(below) - ink.shape[0], text)

    return write, _gaps(rng), bool(rng.random() < (0.3 if hurried else 0.07))


def _zeros(count: int, pen: float, rng: np.random.Generator) -> np.ndarray:
    """So many zeros in one go: loops to the left, from the top, where the pen goes on to the next one."""
    step = rng.uniform(0.7, 1.3)  # in widths of a zero
    begin, end = rng.uniform(-0.7, 0.5), 2 * np.pi + rng.uniform(-0.7, 0.7)
    loops = []
    for place in range(count):
        turn = np.linspace(begin, end, 14) + rng.normal(0, 0.08, 14)
        wide, high = np.exp(rng.normal(0, 0.12, 2))
        loops.append(np.stack([2 * step * place - wide * np.sin(turn), -high * np.cos(turn)], axis=1))
    places = 50 * np.concatenate(loops) * [rng.uniform(0.5, 1.1), 1]
    places[:, 0] -= rng.normal(0.15, 0.2) * places[:, 1]
    return _inked([curve(places)], pen * UNIT, "0").ink


def _mnist(label: int, split: Split, rng: np.random.Generator) -> np.ndarray:
    while True:
        place = rng.integers(len(split))
        if split.labels[place] == label:
            return crop(augment(split.images[place], label, rng, spoiled=0.0))


def _to_height(ink: np.ndarray, height: float) -> np.ndarray:
    scale = min(height / ink.shape[0], 1.7 * height / ink.shape[1])
    size = [max(2, round(scale * side)) for side in reversed(ink.shape)]
    resized = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.clip(resized, 0, 1)


def _gaps(rng: np.random.Generator) -> Callable[[], float]:
    """Pixels between one sign and the next, measured where they are nearest."""
    middle = rng.choice([rng.uniform(-0.06, 0.03), rng.uniform(0.02, 0.3), rng.uniform(0.3, 1.3)], p=(0.24, 0.58, 0.18))
    spread = rng.uniform(0.02, 0.08) + 0.15 * max(middle, 0)
    return lambda: float(UNIT * max(rng.normal(middle, spread), -0.25))


def _mark(text: str, pen: float, rng: np.random.Generator) -> Glyph:
    """A sign of numbers, or what people put around them, written."""
    forms = MARKS[text] if text in MARKS else AROUND[text]
    strokes = [np.array([point.split(",") for point in stroke.split()], float)
               for stroke in forms[rng.integers(len(forms))].split(";")]  # fmt: skip
    middle = np.concatenate(strokes).mean(axis=0)
    stretch = np.exp(rng.normal(0, (0.25, 0.12)))
    shift = np.array([0, rng.normal(0, 5)])
    shaken = [(stroke + rng.normal(0, 2.5, stroke.shape) - middle) * stretch + middle + shift for stroke in strokes]
    thick = pen * UNIT * (rng.uniform(0.9, 1.7) if text in ".:," else rng.uniform(0.8, 1.1))
    return _inked([curve(stroke) for stroke in shaken], thick, _label(text))


def _label(sign: str) -> str:
    """What the network has to say of a sign of a text."""
    return OTHER if sign == LIKE_DIGIT or sign in AROUND else sign


def _inked(strokes: list[np.ndarray], pen: float, label: str) -> Glyph:
    """Strokes, in hundredths of a digit's height, the base line at 100, drawn with a pen of so many pixels."""
    places = [stroke * UNIT / 100 for stroke in strokes]
    margin = pen + 3
    corner = np.floor(np.concatenate(places).min(axis=0) - margin)
    width, height = (np.ceil(np.concatenate(places).max(axis=0) + margin) - corner).astype(int)
    ink = np.zeros((height, width), np.uint8)
    lines = [np.round((place - corner) * 16).astype(np.int32) for place in places]
    cv2.polylines(ink, lines, False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
    left, top, width, height = cv2.boundingRect((ink > 50).view(np.uint8))
    drawn = ink[top : top + height, left : left + width].astype(np.float32) / 255
    return Glyph(drawn, round(corner[1]) + top - UNIT, label)


def _other(text: str, pen: float, rng: np.random.Generator) -> Glyph:
    """What is no sign of a number: a letter, a running hand, a drawing, a digit that was struck out."""
    kind = rng.random()
    if text == LIKE_DIGIT:  # o, l, s, z, i within a word
        ink = _to_height(draw(int(rng.choice([0, 1, 5, 2])), rng, pen), UNIT * rng.uniform(0.5, 0.9))
    elif kind < 0.1:
        return _run_together(pen, rng)
    elif kind < 0.18:
        ink = _struck_out(pen, rng)
    elif kind < 0.3:
        ink = _to_height(no_number(rng), UNIT * rng.uniform(0.7, 1.8))
    else:
        ink = _letter(pen, rng)
    return Glyph(ink, -ink.shape[0] + round(UNIT * rng.uniform(-0.1, 0.25)), OTHER)


def _letter(pen: float, rng: np.random.Generator) -> np.ndarray:
    form = int(rng.choice([place for place in range(len(OTHER_FORMS)) if place not in LIKE_SIGNS]))
    return _to_height(draw_form(OTHER_FORMS[form], rng, pen), UNIT * rng.uniform(0.7, 1.3))


def _run_together(pen: float, rng: np.random.Generator) -> Glyph:
    """A word of a running hand: up and down, and now and then far up, far down or back."""
    count = int(rng.integers(6, 26))
    x = np.cumsum(rng.uniform(8, 34, count) * np.where(rng.random(count) < 0.15, -0.6, 1))
    y = np.where(np.arange(count) % 2, 100.0, rng.uniform(30, 60)) + rng.normal(0, 6, count)
    y = np.where(rng.random(count) < 0.15, rng.choice([-20.0, 0.0, 140.0], count), y)
    return _inked([curve(np.stack([x, y], axis=1))], pen * UNIT, OTHER)


def _struck_out(pen: float, rng: np.random.Generator) -> np.ndarray:
    digits = [_to_height(draw(int(rng.integers(10)), rng, pen), UNIT) for _ in range(rng.integers(1, 4))]
    ink = np.hstack([np.pad(digit, ((UNIT + 2 - digit.shape[0], 0), (1, 1))) for digit in digits])
    height, width = ink.shape
    across = rng.integers(7, 14)
    x = np.linspace(0, width, across)
    y = height * (0.5 + rng.uniform(0.3, 0.5) * np.where(np.arange(across) % 2, 1, -1) + rng.normal(0, 0.08, across))
    if rng.random() < 0.3:  # two or three strokes through it
        x, y = np.tile([0.0, width], 3), height * rng.uniform(0.2, 0.8, 6)
    places = np.round(np.stack([x, y], axis=1) * 16).astype(np.int32)
    cv2.polylines(ink, [places], False, 1.0, max(1, round(pen * UNIT)), cv2.LINE_AA, 4)
    return ink


def _print(text: str, split: Split, rng: np.random.Generator) -> tuple[Hand, Callable[[], float], bool]:
    """A font, made wider or narrower, bolder or lighter."""
    glyph = PRINTERS[rng.integers(len(PRINTERS))]
    width, weight = np.exp(rng.normal(0, 0.15)), rng.choice([0, 0, -1, 1, 2])
    pen = rng.uniform(0.05, 0.13)

    def write(text: str, rng: np.random.Generator) -> Glyph:
        if text == OTHER and rng.random() < 0.15:
            return _other(text, pen, rng)
        if not text.isascii():  # a currency's sign, which few of the fonts have
            return _mark(text, pen, rng)
        ink, top = glyph(_letters(text, rng), UNIT)
        ink = cv2.resize(ink, (max(2, round(width * ink.shape[1])), ink.shape[0]), interpolation=cv2.INTER_AREA)
        ink = change_pen(ink, float(weight))
        return Glyph(ink, top, _label(text))

    gap = UNIT * rng.uniform(0.04, 0.3)
    return write, lambda: float(gap), False


def _in_font(path: str, words: float, rng: np.random.Generator) -> tuple[np.ndarray, list[Placed]]:
    """A text in a font, whose letters are as close, or as joined, as they are there. words: share with words in it."""
    font = open_font(path, UNIT)
    while True:
        text = _with_others(rng) if rng.random() < words else compose(rng)
        if len(text) <= LONGEST and not set(text) & lacks(path):
            break
    letters = _spell(text, rng)
    apart = UNIT * rng.uniform(0, 0.35) * (rng.random() < 0.3)
    paper = Image.new("L", (round(font.getlength(letters) + (6 + len(text)) * UNIT), ABOVE + BELOW))
    pen, placed, x, last = ImageDraw.Draw(paper), [], 2.0 * UNIT, ""
    for sign, letter in zip(text, letters, strict=True):
        x += font.getlength(last + letter) - font.getlength(letter) if last else 0  # the pair's kerning is in it
        last = letter
        left, _, right, _ = font.getbbox(letter)
        pen.text((x, ABOVE + rng.normal(0, 0.01 * UNIT)), letter, 255, font, anchor="ls")
        if sign != " ":
            placed.append(Placed(_label(sign), x + (left + right) / 2, float(right - left)))
        x += apart if sign != " " else UNIT * rng.uniform(0, 0.8)
    ink = np.asarray(paper, np.float32) / 255
    if rng.random() < 0.5:
        ink = _with_pen(ink, UNIT * rng.uniform(0.06, 0.18) - pen_width(ink))
    return ink, placed


def _with_pen(paper: np.ndarray, by: float) -> np.ndarray:
    """The ink of a paper wider or narrower by so many pixels, where it was."""
    left, top, width, height = cv2.boundingRect((paper > 0).view(np.uint8))
    ink = change_pen(paper, by)
    if ink.shape == paper.shape:
        return ink
    moved = np.array([[1, 0, left + (width - ink.shape[1]) / 2], [0, 1, top + (height - ink.shape[0]) / 2]])
    return cv2.warpAffine(ink, moved, (paper.shape[1], paper.shape[0]))


WORD_LETTERS = {
    OTHER: ("eeeeeeeeetttttttaaaaaaannnnnnrrrrrhhhhhddddccuuummffppggwwyybbvkxqj", "ABCDEFGHJKLMNPQRTUVWXY&"),
    LIKE_DIGIT: ("ooooooollllliiiiiiisssssz", "OOIISSSZB"),
}
"""Of words, as often as English has them, small and large."""


def _spell(text: str, rng: np.random.Generator) -> str:
    """Letters for what is none of a number's signs: words small, with a large letter in front, or all large."""
    style, letters = rng.choice(3, p=(0.6, 0.25, 0.15)), ""
    for before, sign, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if sign not in WORD_LETTERS:
            letters += sign
        elif sign == OTHER and before not in WORD_LETTERS and after not in WORD_LETTERS:  # alone, nobody could tell O
            letters += str(rng.choice(list(CLEAR_LETTERS)))
        else:
            large = style == 2 or (style == 1 and before not in WORD_LETTERS)
            letters += str(rng.choice(list(WORD_LETTERS[sign][large])))
    return letters


def _waver(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """No two letters of a hand are the same: moved here and there by up to some pixels."""
    height, width = ink.shape
    coarse = rng.normal(0, rng.uniform(0.3, 1.2), (2, 8, max(2, width // 22))).astype(np.float32)
    by_x, by_y = (cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in coarse)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(ink, x + by_x, y + by_y, cv2.INTER_LINEAR)


def _letters(text: str, rng: np.random.Generator) -> str:
    """A letter for OTHER and LIKE_DIGIT, and any other sign as it is."""
    letters = {OTHER: CLEAR_LETTERS, LIKE_DIGIT: "oOlIsSzZiB"}
    return str(rng.choice(list(letters.get(text, text))))


def _display(text: str, split: Split, rng: np.random.Generator) -> tuple[Hand, Callable[[], float], bool]:
    """Seven segments."""
    shape = rng.uniform((0.38, 0.06, 0.0), (0.62, 0.2, 0.07))
    gap = UNIT * rng.uniform(0.12, 0.6)

    def write(text: str, rng: np.random.Generator) -> Glyph:
        ink, top = display_glyph(text, UNIT, *shape)
        return Glyph(ink, top, text)

    return write, lambda: float(gap), False


KINDS = (_handwriting, _print, _display)
KIND_SHARES = (0.78, 0.14, 0.08)


def _set(
    text: str, hand: Hand, gap: Callable[[], float], joined: bool, chained: bool, rng: np.random.Generator
) -> tuple[np.ndarray, list[Placed]]:
    """Set the signs of a text side by side on paper."""
    signs = re.findall("0{2,3}|.", text) if chained else list(text)
    glyphs = [None if sign == " " else _glyph(sign, hand, rng) for sign in signs]
    width = sum(UNIT * 3 if glyph is None else 2 * UNIT + glyph.ink.shape[1] for glyph in glyphs) + 2 * UNIT
    paper = np.zeros((ABOVE + BELOW, width), np.float32)
    edge = np.full(ABOVE + BELOW, -1e3)  # of each row: where its ink ends
    slope, bow, phase = UNIT * rng.normal(0, 0.03), UNIT * rng.uniform(0, 0.12), rng.uniform(0, 6)
    placed: list[Placed] = []
    last: tuple[Glyph, int, int] | None = None
    space, least, count = 0.0, float(UNIT), 0
    for glyph in glyphs:
        if glyph is None:
            space = UNIT * rng.uniform(0.8, 2.2)
            continue
        count += 1
        top = ABOVE + glyph.top + round(slope * count + bow * np.sin(phase + count / 2))
        top = int(np.clip(top, 0, ABOVE + BELOW - glyph.ink.shape[0])) if glyph.ink.shape[0] < ABOVE + BELOW else 0
        ink = glyph.ink[: ABOVE + BELOW - top]
        rows, first, end = _outline(ink, top)
        reach = cv2.dilate(edge[:, None], np.ones((7, 1), np.uint8))[:, 0]
        left = float((reach[rows] - first).max()) if last else float(UNIT)
        left = max(left + space + gap(), least)
        if space:
            left = max(left, float(edge.max()) + space)
        x = int(np.clip(round(left), 0, width - ink.shape[1]))
        view = paper[top : top + ink.shape[0], x : x + ink.shape[1]]
        if joined and last and not space and glyph.label.isdigit() and last[0].label.isdigit():
            _join(paper, last, (glyph, x, top))
        np.maximum(view, ink, out=view)
        edge[rows] = np.maximum(edge[rows], x + end)
        share = ink.shape[1] / len(glyph.label)
        placed += [Placed(sign, x + (place + 0.5) * share, share) for place, sign in enumerate(glyph.label)]
        last, space = (glyph, x, top), 0.0
        least = x + max(2.0, 0.55 * ink.shape[1])
    return paper, placed


def _glyph(sign: str, hand: Hand, rng: np.random.Generator) -> Glyph:
    """A sign that can be seen: a pen may thin one until nothing is left."""
    while True:
        glyph = hand(sign, rng)
        if glyph.ink.size and glyph.ink.max() > 0.5:
            return glyph


def _outline(ink: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a glyph: the rows of the paper that it inks, and the first and last column of each."""
    inked = ink > 0.35 * ink.max()
    rows = np.flatnonzero(inked.any(axis=1))
    return rows + top, inked[rows].argmax(axis=1), ink.shape[1] - inked[rows, ::-1].argmax(axis=1)


def _join(paper: np.ndarray, last: tuple[Glyph, int, int], this: tuple[Glyph, int, int]) -> None:
    """The pen's way from the end of one digit to the next."""
    (before, x, y), (after, next_x, next_y) = last, this
    end, start = _outermost(before.ink, np.array([1, 0.5])), _outermost(after.ink, np.array([-1, -0.2]))
    pen = max(1, round(pen_width(before.ink)))
    cv2.line(paper, (x + end[0], y + end[1]), (next_x + start[0], next_y + start[1]), 1.0, pen, cv2.LINE_AA)


def _outermost(ink: np.ndarray, direction: np.ndarray) -> tuple[int, int]:
    points = np.argwhere(ink > 0.5 * ink.max())[:, ::-1]
    x, y = points[(points @ direction).argmax()]
    return int(x), int(y)


def _lean(paper: np.ndarray, placed: list[Placed], rng: np.random.Generator) -> tuple[np.ndarray, list[Placed]]:
    """The whole line slanted, narrower or wider, and a little out of level."""
    slant, width, tilt = rng.normal(0, 0.12), np.exp(rng.normal(0, 0.1)), rng.normal(0, 0.012)
    middle = ABOVE - UNIT / 2
    room = paper.shape[0] * abs(slant)
    matrix = np.array([[width, -slant, slant * middle + room], [tilt, 1, -tilt * paper.shape[1] / 2]])
    size = round(width * paper.shape[1] + 2 * room), paper.shape[0]
    leaning = cv2.warpAffine(paper, matrix, size, flags=cv2.INTER_LINEAR)
    return leaning, [replace(one, middle=width * one.middle + room, width=width * one.width) for one in placed]


def spoil_line(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a pen, a camera and an ink network leave of a line."""
    ink = ink.copy()
    for share, step in SPOILERS:
        if rng.random() < share:
            ink = step(ink, rng)
    return np.clip(ink, 0, 1).astype(np.float32)


def _written(ink: np.ndarray) -> tuple[int, int, int, int]:
    """Box of the ink: left, top, right, bottom."""
    left, top, width, height = cv2.boundingRect((ink > EDGE).view(np.uint8))
    return left, top, left + max(width, 2), top + max(height, 2)


def _rule(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The rest of a ruled line, or of the side of a cell."""
    left, top, right, bottom = _written(ink)
    height = bottom - top
    thick = int(rng.integers(1, 3))
    y = round(float(rng.choice([bottom + height * rng.uniform(-0.1, 0.2), top - height * rng.uniform(-0.05, 0.2)])))
    x = left + (right - left) * rng.uniform(-0.1, 0.6)
    end = x + (right - left) * rng.uniform(0.1, 0.9)
    cv2.line(ink, (round(x), y), (round(end), y + int(rng.integers(-2, 3))), float(rng.uniform(0.4, 1)), thick)
    return ink


def _without_rule(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A ruled line was taken out, and some of the pen with it."""
    _, top, _, bottom = _written(ink)
    y, thick = int(rng.integers(top, bottom)), int(rng.integers(1, 4))
    ink[y : y + thick] *= rng.uniform(0, 0.6)
    return ink


def _breaks(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    left, top, right, bottom = _written(ink)
    for _ in range(rng.integers(1, 4)):
        x, y = int(rng.integers(left, right)), int(rng.integers(top, bottom))
        turn = rng.uniform(0, np.pi)
        reach = np.array([np.cos(turn), np.sin(turn)]) * UNIT * rng.uniform(0.1, 0.3)
        end = round(x + reach[0]), round(y + reach[1])
        cv2.line(ink, (x, y), end, 0.0, int(rng.integers(1, 3)), cv2.LINE_AA)
    return ink


def _pale(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Parts of it are faint."""
    coarse = rng.uniform(0.45, 1.4, (3, max(3, ink.shape[1] // UNIT * 2))).astype(np.float32)
    return ink * np.clip(cv2.resize(coarse, (ink.shape[1], ink.shape[0]), interpolation=cv2.INTER_CUBIC), 0.3, 1)


def _specks(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    left, top, right, bottom = _written(ink)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(left, right)), int(rng.integers(top, bottom))
        cv2.circle(ink, place, int(rng.random() < 0.3), float(rng.uniform(0.4, 1)), -1)
    return ink


def _neighbours(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The feet of the line above, or the heads of the one below."""
    left, top, right, bottom = _written(ink)
    band, width = rng.uniform(0.05, 0.2) * (bottom - top), right - left
    other = np.roll(ink[top:bottom, left:right], int(rng.integers(0, width)), axis=1)
    keep = round(width * rng.uniform(0.05, 0.5))
    start, rows = int(rng.integers(0, max(1, width - keep))), max(2, round(band))
    part = other[-rows:] if rng.random() < 0.5 else other[:rows]
    y = top - rows + 1 if rng.random() < 0.5 else bottom - 1
    view = ink[max(y, 0) : y + rows, left + start : left + start + keep]
    np.maximum(view, part[: view.shape[0], start : start + view.shape[1]], out=view)
    return ink


def _edges(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Thinner or thicker."""
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    changed = cv2.dilate(ink, kernel) if rng.random() < 0.6 else cv2.erode(ink, kernel)
    return ink + np.float32(rng.uniform(0.2, 1)) * (changed - ink)


def _rough(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A ragged edge, as of pencil or coarse pixels."""
    noise = cv2.GaussianBlur(rng.normal(0, 1, ink.shape).astype(np.float32), (0, 0), rng.uniform(0.5, 1.5))
    soft = cv2.GaussianBlur(ink, (0, 0), 1.0)
    return np.clip((soft + rng.uniform(0.1, 0.5) * noise * (soft > 0.1) - 0.5) * rng.uniform(2, 5) + 0.5, 0, 1)


def _coarse(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Written small, seen large."""
    scale = rng.uniform(0.3, 0.8)
    small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        small = np.clip((small - rng.uniform(0.25, 0.5)) * 4 + 0.5, 0, 1)
    return cv2.resize(small, (ink.shape[1], ink.shape[0]), interpolation=cv2.INTER_LINEAR)


def _soft(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Out of focus, and then decided again what is ink."""
    soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.6, 2.2))
    return np.clip((soft - 0.5) * rng.uniform(1, 3) + 0.5 + rng.uniform(-0.05, 0.15), 0, 1) * (soft > 0.1)


SPOILERS = (
    (0.06, _rule),
    (0.06, _without_rule),
    (0.07, _breaks),
    (0.05, _pale),
    (0.08, _neighbours),
    (0.2, _edges),
    (0.1, _rough),
    (0.25, _coarse),
    (0.25, _soft),
    (0.1, _specks),
)

assert set(MARKS) | set("0123456789?") == set(SIGNS)
