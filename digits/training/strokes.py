"""Strokes: synthetic handwriting for the forms that MNIST lacks, and signs, scribbles and shapes that are no digits.

Every drawing is made of strokes as a person would make them (digits/training/glyphs.py), bent by a random hand, drawn
with a round pen, and brought into MNIST's frame by digits.normalise, as every picture is.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from digits.normalise import change_pen, crop, normalise, pen_width
from digits.training.augment import NOT_A_DIGIT
from digits.training.fonts import cached_fonts
from digits.training.glyphs import DIGITS, FIGURES, HURRIED, SIGNS
from digits.training.printed import font_text
from digits.training.progress import tracked

Stroke = np.ndarray  # (n, 2) float, x and y, y down
CANVAS = 96  # pixels of the longer side of a drawing
STEPS = 8  # points of a curve between two control points
LETTERS = "ACEFHKLMNPRVWXacdefkmnprvwx&%#@$?!*+=<>()~^"
CLEAR_LETTERS = "ACEFHKLMNPRTVWXYacdefhkmnprvwxy&$#*"  # of handwriting: nobody takes them for digits
OF_WORDS = "eeeeeeeetttttaaaaaoooooiiiiinnnnnsssssrrrrhhhhllldddccuummffppggwwyybbvkz"
FONT_DIGITS = 0.15  # share of the drawn digits that are those of fonts of handwriting
HURRIED_DIGITS = 0.06  # share of the others in forms that are read as digits in numbers only, and rarely enough even so
MIXED, LEAST_MIXED, MOST_MIXED = 0.5, 0.15, 0.5  # share of the digits with something of another form, and how much
ALIKE = 16  # mean distance of two strokes, in hundredths of a digit's height, up to which they run alike
POINTS = 48  # of a stroke that is mixed
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def synthesise(count: int, seed: int, not_a_digit: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` pictures, the same for the same seed.

    not_a_digit: share in [0, 1] of pictures that hold no digit.
    Returns (count, 28, 28) uint8, ink = 255, and (count,) uint8 labels, 0..9 or NOT_A_DIGIT.
    """
    rng = np.random.default_rng((seed, count))
    labels = np.where(rng.random(count) < not_a_digit, NOT_A_DIGIT, rng.integers(0, 10, count)).astype(np.uint8)
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in tracked(zip(images, labels, strict=True), "Drawn digits", count):
        in_font = label != NOT_A_DIGIT and rng.random() < FONT_DIGITS and cached_fonts()
        hurried = label in HURRIED and rng.random() < HURRIED_DIGITS
        ink = _in_font(str(label), rng) if in_font else draw(int(label), rng, forms=HURRIED if hurried else DIGITS)
        image[:] = np.round(normalise(ink) * 255)
    return images, labels


def draw(
    label: int,
    rng: np.random.Generator,
    pen: float | None = None,
    forms: dict[int, tuple[str, ...]] = DIGITS,
) -> np.ndarray:
    """Draw one digit, or with NOT_A_DIGIT something that is none: (height, width) float32 in [0, 1], ink = 1.

    pen: width of a digit's strokes as a share of its longer side; any if None. forms: of digits.
    """
    if label != NOT_A_DIGIT:
        return _ink(_digit(label, rng, forms), rng, pen)
    if rng.random() < WRITTEN and cached_fonts():
        return (_clear_letter, _word, _part_of_word)[rng.choice(3, p=(0.4, 0.35, 0.25))](rng)
    return NO_DIGITS[rng.choice(len(NO_DIGITS), p=SHARES)](rng)


def draw_form(form: str, rng: np.random.Generator, pen: float | None = None) -> np.ndarray:
    """Draw strokes of digits/training/glyphs.py in a random hand: (height, width) float32; pen: as of `draw`."""
    return _ink(write(form, rng), rng, pen)


def no_number(rng: np.random.Generator) -> np.ndarray:
    """Draw something that is no sign of a number, however large: (height, width) float32."""
    return (_scribble, _shape, _texture, _figure)[rng.choice(4, p=(0.45, 0.2, 0.15, 0.2))](rng)


def _digit(label: int, rng: np.random.Generator, forms: dict[int, tuple[str, ...]] = DIGITS) -> list[Stroke]:
    form, other = (forms[label][place] for place in rng.integers(len(forms[label]), size=2))
    return write(form, rng, other if rng.random() < MIXED else form)


def write(form: str, rng: np.random.Generator, other: str | None = None) -> list[Stroke]:
    """The strokes of a form in a random hand, with something of another one if that is drawn alike."""
    shaky = rng.uniform(1.5, 6)
    strokes = _curves(form, rng, shaky)
    if other:
        strokes = _mix(strokes, _curves(other, rng, shaky), rng.uniform(LEAST_MIXED, MOST_MIXED))
    return _bend(strokes, rng)


def _curves(form: str, rng: np.random.Generator, shaky: float) -> list[Stroke]:
    return [_curve(_points(stroke), rng, shaky) for stroke in form.split(";")]


def _mix(strokes: list[Stroke], others: list[Stroke], share: float) -> list[Stroke]:
    """Strokes on the way to others, if there are as many and they run alike; the strokes as they are if not."""
    if len(strokes) != len(others):
        return strokes
    pairs = [(_evenly(stroke), _evenly(other)) for stroke, other in zip(strokes, others, strict=True)]
    if max(np.linalg.norm(stroke - other, axis=1).mean() for stroke, other in pairs) > ALIKE:
        return strokes
    return [stroke + share * (other - stroke) for stroke, other in pairs]


def _evenly(stroke: Stroke) -> Stroke:
    """POINTS points of a stroke, at equal distances along it."""
    along = np.cumsum([0, *np.linalg.norm(np.diff(stroke, axis=0), axis=1)])
    places = np.linspace(0, along[-1], POINTS)
    return np.stack([np.interp(places, along, stroke[:, axis]) for axis in (0, 1)], axis=1)


def _points(stroke: str) -> list[tuple[float, float, bool]]:
    points = [(point.rstrip("!").split(","), point.endswith("!")) for point in stroke.split()]
    return [(float(x), float(y), corner) for (x, y), corner in points]


def _curve(points: list[tuple[float, float, bool]], rng: np.random.Generator, shaky: float) -> Stroke:
    """A smooth curve through the shaken points, broken at the corners."""
    places = np.array([point[:2] for point in points]) + rng.normal(0, shaky, (len(points), 2))
    round_corners = rng.random() < 0.3  # a fast hand
    corners = [i for i, point in enumerate(points) if point[2] and not round_corners and 0 < i < len(points) - 1]
    bounds = [0, *corners, len(points) - 1]
    return np.concatenate([curve(places[a : b + 1]) for a, b in pairwise(bounds)])


def curve(places: np.ndarray) -> Stroke:
    """Catmull-Rom spline through the places."""
    if len(places) == 2:
        return np.linspace(places[0], places[1], STEPS)
    padded = np.concatenate([2 * places[:1] - places[1:2], places, 2 * places[-1:] - places[-2:-1]])
    p0, p1, p2, p3 = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, STEPS)[:, None]
    curve: Stroke = p1 + t / 2 * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return curve.reshape(-1, 2)


def _bend(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Aspect, slant, rotation and a slow wave over the whole figure, the same for all its strokes; and a little drift
    of each stroke on its own."""
    angle = rng.normal(0, 0.12)
    aspect = np.exp(rng.normal(-0.3, 0.32))
    slant = rng.normal(-0.15, 0.22)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ np.array([[aspect, slant], [0, 1.0]])
    phase, wave = rng.uniform(0, 2 * np.pi, 2), rng.normal(0, 3.5, 2)
    bent = []
    for stroke in strokes:
        curved = stroke + wave * np.sin(stroke[:, ::-1] / 100 * np.pi * rng.uniform(0.8, 1.2) + phase)
        bent.append(curved @ matrix.T + rng.normal(0, 1.5, 2))
    return bent


def _ink(strokes: list[Stroke], rng: np.random.Generator, pen: float | None = None) -> np.ndarray:
    """Draw the strokes with a round pen; pen: its width as a share of the figure's size."""
    every = np.concatenate(strokes)
    corner, size = every.min(axis=0), max(np.ptp(every, axis=0).max(), 1e-3)
    pen = pen or np.exp(rng.uniform(np.log(0.02), np.log(0.16)))
    width = max(1, round(pen * CANVAS))
    margin = width + 2
    places = [(stroke - corner) / size * CANVAS + margin for stroke in strokes]
    if rng.random() < 0.1:  # a coarse tablet
        grid = CANVAS / rng.uniform(14, 30)
        places = [np.round(place / grid) * grid for place in places]
    height = int(max(place[:, 1].max() for place in places)) + margin + 1
    breadth = int(max(place[:, 0].max() for place in places)) + margin + 1
    ink = np.zeros((height, breadth), np.uint8)
    lines = [np.round(place * 16).astype(np.int32) for place in places]
    cv2.polylines(ink, lines, False, 255, width, cv2.LINE_AA, 4)
    return crop(ink.astype(np.float32) / 255)


def _sign(rng: np.random.Generator) -> np.ndarray:
    return _ink(write(SIGNS[rng.integers(len(SIGNS))], rng), rng)


def _figure(rng: np.random.Generator) -> np.ndarray:
    """A drawing of something, often upright and even, as it is put on a pad."""
    form = FIGURES[rng.integers(len(FIGURES))]
    return _ink(write(form, rng) if rng.random() < 0.5 else _curves(form, rng, rng.uniform(0.5, 5)), rng)


def _letter(rng: np.random.Generator) -> np.ndarray:
    """A letter of OpenCV's stroke fonts, bent."""
    ink = np.zeros((140, 170), np.uint8)
    letter = LETTERS[rng.integers(len(LETTERS))]
    font = FONTS[rng.integers(len(FONTS))]
    cv2.putText(ink, letter, (40, 100), font, 3, 255, int(rng.integers(2, 13)), cv2.LINE_AA)
    if not ink.any():
        return _sign(rng)
    source = np.array([[0, 0], [169, 0], [0, 139]], np.float32)
    target = source + rng.normal(0, 18, source.shape).astype(np.float32)
    return crop(cv2.warpAffine(ink, cv2.getAffineTransform(source, target), (200, 170)).astype(np.float32) / 255)


def _in_font(text: str, rng: np.random.Generator) -> np.ndarray:
    """A text in a font of handwriting, bent, with any pen."""
    ink = font_text(str(rng.choice(cached_fonts())), text, 60)
    if rng.random() < 0.5:
        ink = change_pen(np.pad(ink, 8), 60 * rng.uniform(0.04, 0.2) - pen_width(ink))
    if ink.max() < 0.5:  # nothing is left of a thin one
        return _in_font(text, rng)
    height, width = ink.shape
    matrix = np.array([[np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.2), 0], [rng.normal(0, 0.06), 1, 0]])
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    matrix[:, 2] = 2 - corners.min(axis=1)
    size = (np.ptp(corners, axis=1) + 4).astype(int).tolist()
    return crop(cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_AREA))


def random_word(rng: np.random.Generator, least: int, most: int) -> str:
    """So many small letters, as often as in English."""
    return "".join(OF_WORDS[place] for place in rng.integers(0, len(OF_WORDS), rng.integers(least, most + 1)))


def _clear_letter(rng: np.random.Generator) -> np.ndarray:
    return _in_font(CLEAR_LETTERS[rng.integers(len(CLEAR_LETTERS))], rng)


def _word(rng: np.random.Generator, least: int = 2) -> np.ndarray:
    word = random_word(rng, least, 8)
    return _in_font((word, word.capitalize(), word.upper())[rng.choice(3, p=(0.65, 0.2, 0.15))], rng)


def _part_of_word(rng: np.random.Generator) -> np.ndarray:
    """What a cut leaves of a word: more than one letter."""
    while True:
        word = _word(rng, 4)
        width = round(word.shape[0] * rng.uniform(0.7, 2))
        left = int(rng.integers(0, max(1, word.shape[1] - width)))
        part = word[:, left : left + width]
        if part.max() > 0.5:
            return crop(part)


def _scribble(rng: np.random.Generator) -> np.ndarray:
    """Anything a hand can do: random curves and random corners."""
    strokes = []
    for _ in range(rng.integers(1, 4)):
        walk = rng.normal(0, 1, (rng.integers(4, 14), 2)).cumsum(axis=0) if rng.random() < 0.5 else None
        places = rng.uniform(0, 5, (rng.integers(4, 10), 2)) if walk is None else walk
        strokes.append(curve(places * 20) if rng.random() < 0.7 else places * 20)
    return _ink(strokes, rng)


def _dashes(rng: np.random.Generator) -> np.ndarray:
    """A flat dash, a few dots, a blot: too little to be a digit."""
    if rng.random() < 0.5:
        slope = rng.uniform(-0.35, 0.35)
        return _ink(_bend_little(np.array([[0, 0], [50, 50 * slope * rng.random()], [100, 100 * slope]]), rng), rng)
    dots = rng.uniform(0, 100, (rng.integers(1, 6), 1, 2))
    return _ink([np.repeat(dot, 2, axis=0) for dot in dots], rng, pen=rng.uniform(0.08, 0.3))


def _bend_little(places: np.ndarray, rng: np.random.Generator) -> list[Stroke]:
    return [curve(places + rng.normal(0, 3, places.shape))]


def _shape(rng: np.random.Generator) -> np.ndarray:
    """A filled or empty polygon, or one whose corners lie far out and far in by turns; a filled circle."""
    filled = rng.random() < 0.5
    corners = int(rng.integers(3, 8 if filled else 6))  # an outline with more is a zero
    reach = rng.uniform(0.6, 1, (corners, 1))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    if filled and rng.random() < 0.3:
        return _ink([np.zeros((2, 2))], rng, rng.uniform(0.1, 0.5))
    if not filled and rng.random() < 0.4:
        corners *= 2
        reach = np.tile((1.0, rng.uniform(0.2, 0.6)), corners // 2)[:, None] * rng.uniform(0.8, 1, (corners, 1))
        angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.normal(0, 0.1, corners)
    places = np.stack([np.cos(angles), np.sin(angles)], 1) * reach * 48 + 50
    ink = np.zeros((100, 100), np.uint8)
    if filled:
        cv2.fillPoly(ink, [places.astype(np.int32)], 255, cv2.LINE_AA)
        return crop(ink.astype(np.float32) / 255)
    return _ink([np.concatenate([places, places[:1]])], rng)


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Noise at a random scale, soft or hard, or a grid."""
    side = int(rng.integers(3, 28))
    noise = cv2.resize(rng.random((side, side)).astype(np.float32), (64, 64), interpolation=int(rng.integers(0, 3)))
    noise = np.clip(noise, 0, 1)  # cubic interpolation overshoots
    if rng.random() < 0.6:
        noise = (noise > rng.uniform(0.3, 0.8)).astype(np.float32)
    if rng.random() < 0.25:
        x, y = np.meshgrid(np.arange(64), np.arange(64))
        period = rng.integers(4, 24, 2)
        noise = ((x % period[0] < 2) | (y % period[1] < 2)).astype(np.float32)
    noise[0, 0] = noise[-1, -1] = 1
    return noise


def _several(rng: np.random.Generator) -> np.ndarray:
    """Two or three digits side by side, or a digit beside a sign, in one frame."""
    strokes, left = [], 0.0
    for _ in range(2 + (rng.random() < 0.2)):
        form = _digit(int(rng.integers(10)), rng)
        every = np.concatenate(form)
        strokes += [stroke - [every[:, 0].min() - left, 0] for stroke in form]
        left += np.ptp(every[:, 0]) + rng.uniform(-15, 20)
    return _ink(strokes, rng, pen=np.exp(rng.uniform(np.log(0.015), np.log(0.09))))


NO_DIGITS = (_sign, _letter, _scribble, _dashes, _shape, _texture, _several, _figure)
SHARES = (0.31, 0.18, 0.13, 0.05, 0.09, 0.04, 0.12, 0.08)
WRITTEN = 0.25  # share of what is no digit that is written in fonts of handwriting
