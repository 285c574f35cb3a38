"""Paper: synthetic pages as people photograph and scan them, with what is ink on them and what is not.

A page is written first (digits, words, signs, print, ruled lines), then laid on paper (grain, shade, shadows, glare,
patterns, the back's writing, a desk around it), then taken with a camera or a scanner (blur, few pixels, noise, JPEG).
The ink network learns from it to tell what the pen has left, whatever the paper (digits/ink.py).
"""

from __future__ import annotations

import cv2
import numpy as np

from digits.training.camera import few_pixels, take
from digits.training.data import Split
from digits.training.page import COLUMNS, ROWS, SIDE, Page, cloud, enlarge, put
from digits.training.strokes import draw
from digits.training.things import blobs, cover, lay_things, put_on_patch, rod
from digits.training.written import print_word, write_middle, write_page

COVERED = 0.16  # share of the pages of which something covers a part, unless their
WIDE = 20  # pixels of a pen look like it
PATCHED = 0.06  # share of the pages whose writing stands on a patch of another colour


def synthesise_page(train: Split, rng: np.random.Generator, filled: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A picture of a page, and what is on it.

    filled: one line in the middle that fills about so many pixels of height, as if it was cut out closely.
    Returns (SIDE, SIDE) uint8 grey, and (SIDE, SIDE, 3) uint8: ink, rules and lines of writing, 255 = there.
    """
    page = write_page(train, rng) if filled is None else write_middle(train, filled, rng)
    if page.sheet is None and rng.random() < PATCHED:
        put_on_patch(page, rng)
    if rng.random() < COVERED and page.pen < WIDE:
        cover(page, rng)
    truth = np.dstack([page.ink, np.clip(4 * page.rules, 0, 1) * (1 - page.ink), page.lines])
    return photograph(page, rng), np.round(truth * 255).astype(np.uint8)


def photograph(page: Page, rng: np.random.Generator) -> np.ndarray:
    """The page on paper, in some light, taken by some camera: (SIDE, SIDE) uint8 grey."""
    if rng.random() < 0.1:
        return _draw_on_screen(page, rng)
    contrast = float(rng.uniform(0.5, 0.97) if rng.random() < 0.6 else rng.uniform(0.12, 0.5))
    dark = np.maximum(contrast * _laid_ink(page, rng), _tone_of_rules(page, contrast, rng))
    level = rng.uniform(0.35, 1.0)
    grey = level * _texture(page, contrast, rng) * (1 - dark)
    if page.things.any():
        grey = lay_things(grey, page.things, level, rng)
    if not (scanned := page.sheet is None and rng.random() < 0.25):
        grey = _lay_on_desk(grey, level, page.sheet, rng) if page.sheet is not None or rng.random() < 0.25 else grey
        grey = grey * _light(rng)
        grey = grey + _glare(rng) if rng.random() < 0.15 else grey
    if page.patch is not None:
        patch = _inverted(grey, level, rng) if rng.random() < 0.7 else grey
        grey = page.patch * patch + (1 - page.patch) * grey * rng.uniform(0.2, 1)
    elif rng.random() < 0.22:
        grey = _inverted(grey, level, rng)
    elif rng.random() < 0.06:
        grey = grey + _streaks(rng)
    return take(np.clip(grey, 0, 1), page.pen, scanned, rng)


def _draw_on_screen(page: Page, rng: np.random.Generator) -> np.ndarray:
    """A drawing of a computer: flat paper, sharp ink, no light at all."""
    paper, ink = rng.choice((1.0, 1.0, 0.95, 0.8, 0.0, 0.1)), rng.uniform(0, 0.3)
    pen = ink if paper > 0.5 else 1 - ink
    seen = np.maximum(page.ink, page.rules)
    grey = paper + (pen - paper) * seen
    if page.patch is not None:
        grey = page.patch * grey + (1 - page.patch) * rng.uniform(0, 1)
    grey = np.round(grey * 255).astype(np.uint8)
    return few_pixels(grey, rng, page.pen) if rng.random() < 0.3 else grey


def _laid_ink(page: Page, rng: np.random.Generator) -> np.ndarray:
    """What pencil, ball pen, felt pen or chalk leaves of the ink: paler and darker along its way, with grain."""
    ink = page.ink
    if rng.random() < 0.5:
        ink = ink * np.clip(1 - rng.uniform(0.1, 0.7) * cloud(rng.uniform(4, 40), rng), 0, 1)
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
        paper -= rng.uniform(0.02, 0.25) * contrast * cloud(rng.uniform(1.0, 12), rng)
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
    if rng.random() < 0.08:
        paper -= rng.uniform(0.05, 0.75) * contrast * _highlight(rng)
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
                word = print_word(height, rng)
                put(other, word, round(left), round(top))
                left += word.shape[1] + rng.uniform(0.3, 0.8) * height
    return other


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
    return pattern * cloud(60, rng) if rng.random() < 0.4 else pattern


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
    return np.asarray(np.clip(lit / max(float(lit.std()), 1e-6), -4, 4) * cloud(rng.uniform(30, 250), rng), np.float32)


def _highlight(rng: np.random.Generator) -> np.ndarray:
    """A stripe of a highlighter, with round or straight ends, darker where it was drawn twice."""
    stripes: np.ndarray = np.zeros((SIDE, SIDE), np.float32)
    thick = int(rng.integers(14, 130))
    left, right, y = rng.uniform(-0.3, 0.5) * SIDE, rng.uniform(0.4, 1.3) * SIDE, rng.uniform(0, 1) * SIDE
    for _ in range(rng.integers(1, 4)):
        stripe = np.zeros_like(stripes)
        start, end = ((int(x + rng.normal(0, 5)), int(y + rng.normal(0, 6))) for x in (left, right))
        cv2.line(stripe, start, end, 1.0, thick, cv2.LINE_AA)
        if rng.random() < 0.4:
            stripe[:, : max(0, start[0])] = stripe[:, max(0, end[0]) :] = 0
        stripes = np.maximum(stripes, stripe) + 0.15 * np.minimum(stripes, stripe)
        y += rng.uniform(0, 1.1) * thick
    stripes = cv2.GaussianBlur(stripes, (0, 0), rng.uniform(0.4, 2))
    return np.asarray(np.clip(stripes, 0, 1) * (1 - rng.uniform(0, 0.4) * cloud(rng.uniform(3, 40), rng)), np.float32)


def _stain(rng: np.random.Generator) -> np.ndarray:
    """The ring that a cup has left, or a drop: darkest at its edge, in [0, 1]."""
    middle, radius = rng.uniform(-0.1, 1.1, 2) * SIDE, float(np.exp(rng.uniform(np.log(0.1), np.log(0.6)))) * SIDE
    angle = np.arctan2(ROWS - middle[1], COLUMNS - middle[0])
    wavy = radius * (1 + rng.uniform(0, 0.05) * np.sin(angle * rng.integers(2, 7) + rng.uniform(0, 6)))
    inside = wavy - np.hypot(COLUMNS - middle[0], ROWS - middle[1])  # pixels from the edge inwards
    if rng.random() < 0.3:  # ragged
        inside = inside + rng.uniform(0.5, 4) * (2 * cloud(rng.uniform(2, 9), rng) - 1)
    away = np.abs(inside) / np.where(inside > 0, rng.uniform(1.5, 14), rng.uniform(0.7, 6))
    edge = np.exp(-(away ** rng.choice((1, 2))))
    if rng.random() < 0.35:  # in beads
        edge = edge * np.clip(rng.uniform(2, 8) * (cloud(rng.uniform(3, 14), rng) - rng.uniform(0.2, 0.6)), 0, 1)
    stain = np.maximum(edge, rng.uniform(0, 0.5) * (inside > 0))
    return np.asarray(stain * (1 - rng.uniform(0, 0.7) * cloud(rng.uniform(5, 40), rng)), np.float32)


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
    if rng.random() < 0.08:
        light = light * (1 - rng.uniform(0.2, 0.65) * _dapples(rng))
    return np.asarray(light, np.float32)


def _dapples(rng: np.random.Generator) -> np.ndarray:
    """The shadow of leaves, or of a blind: spots or stripes."""
    if rng.random() < 0.5:
        dapples = np.clip(rng.uniform(2, 8) * (cloud(float(rng.uniform(12, 80)), rng) - 0.5) + 0.5, 0, 1)
    else:
        angle, period = rng.uniform(0, np.pi), float(np.exp(rng.uniform(np.log(12), np.log(120))))
        phase = (COLUMNS * np.cos(angle) + ROWS * np.sin(angle)) / period % 1
        dapples = (phase < rng.uniform(0.3, 0.7)).astype(np.float32)
    return cv2.GaussianBlur(dapples, (0, 0), float(np.exp(rng.uniform(np.log(0.5), np.log(10)))))


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


def _streaks(rng: np.random.Generator) -> np.ndarray:
    """What the wrinkles of a plastic sleeve reflect."""
    streaks = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 8)):
        way = SIDE * (rng.random(2) + np.cumsum(rng.normal(0, 0.08, (6, 2)), axis=0))
        thick = int(rng.integers(1, 14))
        cv2.polylines(streaks, [way.astype(np.int32)], False, float(rng.uniform(0.2, 0.9)), thick, cv2.LINE_AA)
    return cv2.GaussianBlur(streaks, (0, 0), rng.uniform(0.6, 4))


def _lay_on_desk(grey: np.ndarray, level: float, corners: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """The sheet's edge, and what lies beyond it: dark or light, plain or with the grain of wood.

    corners: of the sheet; None for one of which only a part is seen.
    """
    corners = _part_of_sheet(rng) if corners is None else corners
    sheet = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillPoly(sheet, [np.round(corners * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    desk = np.clip(rng.uniform(0.03, 0.9) * level * (1 + rng.uniform(0, 0.5) * (_wood(rng) - 0.5)), 0.01, 1)
    if rng.random() < 0.15:
        desk = desk * (1 - rng.uniform(0.1, 0.8) * _cloth(rng))
    for _ in range(rng.integers(1, 4) if rng.random() < 0.35 else 0):
        desk = lay_things(desk, (blobs, rod)[rng.integers(2)](3.0, rng), level, rng)
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


def _cloth(rng: np.random.Generator) -> np.ndarray:
    """Stripes or checks."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 50)
    across, down = COLUMNS * np.cos(angle) + ROWS * np.sin(angle), ROWS * np.cos(angle) - COLUMNS * np.sin(angle)
    stripes, others = ((place / period % 1 < 0.5).astype(np.float32) for place in (across, down))
    return stripes if rng.random() < 0.4 else np.asarray((stripes + others) / 2, np.float32)


def _part_of_sheet(rng: np.random.Generator) -> np.ndarray:
    """(4, 2) corners, of which one to three sides lie in the picture."""
    corners = np.array([(-40, -40), (SIDE + 40, -40), (SIDE + 40, SIDE + 40), (-40, SIDE + 40)], float)
    for side in rng.permutation(4)[: rng.integers(1, 4)]:
        corners[[side, (side + 1) % 4], (side + 1) % 2] += (1 if side in (0, 3) else -1) * rng.uniform(40, 110)
    return corners + rng.normal(0, 8, corners.shape)


def _inverted(grey: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Light ink on dark paper: chalk, a negative, a screen."""
    return np.asarray(rng.uniform(0.02, 0.35) + (level - grey) / max(level, 1e-3) * rng.uniform(0.4, 0.9), np.float32)
