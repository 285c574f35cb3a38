"""What pen, paper, light and camera make of strokes: the parts of which guises and composed pages are made.

A sheet is (height, width, 3) float32, how much red, green and blue it sends back, 0 to 1. A cover is (height, width)
float32, how much of a pixel the pen has covered, 0 to 1. Lengths are in pixels, angles in degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from rendering import Strokes

Sheet = np.ndarray
Cover = np.ndarray
Colour = tuple[float, float, float]
Range = tuple[float, float]
Rng = np.random.Generator

BLACKS: tuple[Colour, ...] = ((0.08, 0.08, 0.1), (0.16, 0.15, 0.15))
BLUES: tuple[Colour, ...] = ((0.1, 0.16, 0.5), (0.17, 0.28, 0.62), (0.08, 0.1, 0.33))
BRIGHTS: tuple[Colour, ...] = ((0.75, 0.1, 0.12), (0.1, 0.5, 0.25), (0.5, 0.15, 0.55), (0.85, 0.4, 0.05))

LINE_COLOURS: tuple[Colour, ...] = ((0.55, 0.68, 0.85), (0.65, 0.65, 0.68), (0.72, 0.6, 0.75), (0.5, 0.7, 0.65))


@dataclass(frozen=True)
class Pen:
    """width: share of the digit's longer side; wear: share of the ink that the grain of the paper keeps off."""

    width: Range
    colours: Sequence[Colour]
    opacity: Range = (0.85, 0.97)
    wear: float = 0.1


BALL_PEN = Pen((0.03, 0.06), (*BLACKS, *BLUES), (0.75, 0.95), 0.15)
THIN_BALL_PEN = Pen((0.013, 0.024), (*BLACKS, *BLUES), (0.7, 0.9), 0.2)
PENCIL = Pen((0.025, 0.06), ((0.3, 0.3, 0.32), (0.4, 0.4, 0.42)), (0.6, 0.85), 0.45)
FELT_PEN = Pen((0.06, 0.1), (*BLACKS, *BLUES, *BRIGHTS), (0.85, 0.95), 0.05)
MARKER = Pen((0.11, 0.19), (*BLACKS, *BLUES, *BRIGHTS), (0.8, 0.95), 0.05)
CHALK = Pen((0.06, 0.11), ((0.93, 0.93, 0.9), (0.95, 0.9, 0.6), (0.9, 0.75, 0.75)), (0.75, 0.95), 0.5)
CRAYON = Pen((0.07, 0.13), (*BLACKS, *BRIGHTS), (0.7, 0.95), 0.75)
WHITE_PEN = Pen((0.04, 0.08), ((0.95, 0.95, 0.93), (0.9, 0.85, 0.6)), (0.85, 0.95), 0.1)


def mottle(shape: Sequence[int], down: float, across: float, rng: Rng) -> np.ndarray:
    """Smooth noise, (height, width) float32, deviation about 1, with humps as large as `down` by `across` pixels."""
    height, width = shape[:2]
    humps = rng.standard_normal((max(2, round(height / down)), max(2, round(width / across))), np.float32)
    return cv2.resize(humps, (width, height), interpolation=cv2.INTER_CUBIC)


def paper(height: int, width: int, rng: Rng, colour: Colour | None = None, grain: float = 0.012) -> Sheet:
    """A blank sheet; nearly white if no colour is named."""
    if colour is None:
        colour = tuple(rng.uniform(0.86, 0.97) + rng.normal(0, 0.012, 3))
    texture = mottle((height, width), 1.6, 1.6, rng) + 0.6 * mottle((height, width), 30, 30, rng)
    return np.clip(np.asarray(colour, np.float32) + grain * texture[..., None], 0, 1).astype(np.float32)


def desk(height: int, width: int, rng: Rng) -> Sheet:
    """A dark table: wood, or a plain cloth."""
    colour = np.array([0.3, 0.2, 0.13] if rng.random() < 0.6 else [0.16, 0.17, 0.2], np.float32) * rng.uniform(0.5, 1.3)
    fibres = mottle((height, width), 3, 150, rng) + mottle((height, width), 14, 300, rng)
    return np.clip(colour * (1 + 0.13 * fibres[..., None]), 0, 1).astype(np.float32)


def trace(strokes: Strokes, size: float, pen: float, turn: float = 0.0, square: bool = True) -> Cover:
    """The strokes with a round pen of that width, cropped to what it covers.

    size: of the longer side of the pen's path, or of its height if not square.
    """
    paths = [np.asarray(stroke, np.float64) for stroke in strokes]
    points = np.concatenate(paths)
    extent = np.ptp(points, axis=0)
    scale = size / max(extent.max() if square else extent[1], 1e-6)
    cosine, sine = np.cos(np.radians(turn)) * scale, np.sin(np.radians(turn)) * scale
    turned = [path @ np.array([[cosine, sine], [-sine, cosine]]) for path in paths]
    low, high = np.min(np.concatenate(turned), axis=0), np.max(np.concatenate(turned), axis=0)
    fine = int(np.clip(1600 // size, 1, 8))  # drawn so many times as large, for smooth edges
    width, height = (np.ceil(high - low + pen).astype(int) + 2).tolist()
    drawn = np.zeros((height * fine, width * fine), np.uint8)
    for path in turned:
        corners = np.round((path - low + pen / 2 + 1) * fine * 16).astype(np.int32)  # 4 fractional bits
        corners = np.repeat(corners, 2, axis=0) if len(corners) == 1 else corners
        cv2.polylines(drawn, [corners], False, 255, max(1, round(pen * fine)), cv2.LINE_AA, 4)
    return cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def lay(cover: Cover, shape: Sequence[int], left: int, top: int) -> Cover:
    """The cover with its corner there on a blank of that shape; what lies outside is cut off."""
    page = np.zeros(shape[:2], np.float32)
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + cover.shape[0], page.shape[0]), min(left + cover.shape[1], page.shape[1])
    if y0 < y1 and x0 < x1:
        page[y0:y1, x0:x1] = cover[y0 - top : y1 - top, x0 - left : x1 - left]
    return page


def ink(sheet: Sheet, cover: Cover, pen: Pen, rng: Rng) -> Sheet:
    """The sheet with what the pen has left on it, unevenly pressed and taken by the grain of the paper."""
    colour = np.asarray(pen.colours[rng.integers(len(pen.colours))], np.float32)
    pressed = rng.uniform(*pen.opacity) * (1 + 0.08 * mottle(cover.shape, 25, 25, rng))
    kept = 1 - pen.wear * np.clip(0.5 + 0.5 * mottle(cover.shape, 1.5, 1.5, rng), 0, 1)
    share = np.clip(cover * pressed * kept, 0, 1)[..., None]
    return sheet * (1 - share) + colour * share


def write(
    sheet: Sheet, strokes: Strokes, rng: Rng, pen: Pen = BALL_PEN, size: Range = (0.4, 0.75), turn: float = 0.0
) -> Sheet:
    """The drawing somewhere on the sheet, its longer side a share of the sheet's shorter side."""
    length = rng.uniform(*size) * min(sheet.shape[:2])
    cover = trace(strokes, length, rng.uniform(*pen.width) * length, turn)
    room = np.array(sheet.shape[:2]) - cover.shape
    top, left = (int(space * rng.uniform(0.1, 0.9)) for space in room)
    return ink(sheet, lay(cover, sheet.shape, left, top), pen, rng)


def rules(
    shape: Sequence[int], spacing: float, width: float, rng: Rng, tilt: float = 0.0, offset: float | None = None
) -> Cover:
    """Parallel lines, level at a tilt of 0, upright at 90; anywhere if no offset is named."""
    offset = rng.uniform(0, spacing) if offset is None else offset
    return np.clip(width / 2 + 0.5 - _from_lines(shape, spacing, tilt, offset), 0, 1)


def squares(shape: Sequence[int], spacing: float, width: float, rng: Rng, tilt: float = 0.0) -> Cover:
    """Lines in both directions."""
    return np.maximum(rules(shape, spacing, width, rng, tilt), rules(shape, spacing, width, rng, tilt + 90))


def dots(shape: Sequence[int], spacing: float, width: float, rng: Rng, tilt: float = 0.0) -> Cover:
    """Round dots in rows and columns."""
    down, across = (_from_lines(shape, spacing, tilt + turn, rng.uniform(0, spacing)) for turn in (0, 90))
    return np.clip(width / 2 + 0.5 - np.hypot(down, across), 0, 1)


def _from_lines(shape: Sequence[int], spacing: float, tilt: float, offset: float) -> np.ndarray:
    """How far each pixel is from the nearest of such lines."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    across = rows * np.cos(np.radians(tilt)) + columns * np.sin(np.radians(tilt)) + offset
    return np.abs(across % spacing - spacing / 2)


def print_on(sheet: Sheet, cover: Cover, colour: Colour, opacity: float = 1.0) -> Sheet:
    """The sheet with something printed on it."""
    share = (cover * opacity)[..., None]
    return sheet * (1 - share) + np.asarray(colour, np.float32) * share


def shade(sheet: Sheet, rng: Rng, depth: Range = (0.3, 0.55)) -> Sheet:
    """Light that falls from one side: the far side has lost a share of it."""
    rows, columns = np.mgrid[-1 : 1 : sheet.shape[0] * 1j, -1 : 1 : sheet.shape[1] * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (rows * np.sin(angle) + columns * np.cos(angle)) / (abs(np.sin(angle)) + abs(np.cos(angle)))
    uneven = ramp + 0.25 * mottle(sheet.shape, sheet.shape[0] / 2, sheet.shape[1] / 2, rng)
    return sheet * np.clip(1 - rng.uniform(*depth) * (0.5 + 0.5 * uneven), 0.15, 1)[..., None]


def hand_shadow(sheet: Sheet, rng: Rng, dark: Range = (0.35, 0.6), soft: Range = (0.02, 0.07)) -> Sheet:
    """The soft shadow of a hand or a phone that reaches in from one side."""
    height, width = sheet.shape[:2]
    shadow = np.zeros((height, width), np.float32)
    root = np.array([rng.uniform(0.2, 0.8) * width, height * 1.05])
    for spread in np.linspace(-0.35, 0.35, 4) + rng.normal(0, 0.06):  # fingers of a fist
        tip = root + height * rng.uniform(0.55, 0.85) * np.array([spread, -1])
        cv2.line(shadow, root.astype(int).tolist(), tip.astype(int).tolist(), 1.0, int(0.24 * width))
    shadow = np.rot90(shadow, rng.integers(4)) if height == width else shadow
    blurred = cv2.GaussianBlur(np.ascontiguousarray(shadow), (0, 0), rng.uniform(*soft) * height)
    return sheet * (1 - rng.uniform(*dark) * blurred)[..., None]


def glare(sheet: Sheet, rng: Rng, strength: Range = (0.55, 0.8)) -> Sheet:
    """The picture of a lamp or a window in a shiny ground."""
    height, width = sheet.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    y, x, tall, wide = rng.uniform(0.15, 0.85, 2).tolist() + rng.uniform(0.12, 0.35, 2).tolist()
    distance = ((rows / height - y) / tall) ** 2 + ((columns / width - x) / wide) ** 2
    share = (rng.uniform(*strength) * np.exp(-(distance**1.5)))[..., None]
    return sheet * (1 - share) + share


def fold(sheet: Sheet, rng: Rng) -> Sheet:
    """Folded twice: each part lies at its own slope to the light, and the folds themselves are darker or lighter."""
    rows, columns = np.mgrid[: sheet.shape[0], : sheet.shape[1]].astype(np.float32)
    for place, length in ((rows, sheet.shape[0]), (columns, sheet.shape[1])):
        away = place - rng.uniform(0.3, 0.7) * length + rng.normal(0, 0.03) * (rows + columns)
        slope = np.where(away < 0, 1 - rng.uniform(0.05, 0.2), 1)
        edge = np.exp(-((away / rng.uniform(1, 2.5)) ** 2)) * rng.uniform(-0.35, 0.15)
        sheet = np.clip(sheet * (slope + edge)[..., None], 0, 1)
    return sheet


def soften(sheet: Sheet, sigma: float) -> Sheet:
    """Out of focus by so many pixels."""
    return cv2.GaussianBlur(sheet, (0, 0), max(sigma, 0.05))


def expose(sheet: Sheet, rng: Rng, blur: Range = (0.4, 1.0), noise: Range = (0.004, 0.015)) -> np.ndarray:
    """What a camera keeps: a little out of focus, tinted, noisy; (height, width, 3) uint8."""
    seen = soften(sheet, rng.uniform(*blur)) * (1 + rng.normal(0, 0.02, 3)).astype(np.float32)
    grains = rng.uniform(*noise) * rng.standard_normal((*seen.shape[:2], 1), np.float32)
    grains = grains + noise[0] * rng.standard_normal(seen.shape, np.float32)
    return np.clip((seen + grains) * 255, 0, 255).astype(np.uint8)


def scan(sheet: Sheet, rng: Rng) -> np.ndarray:
    """What a scanner keeps: sharp, even, grey; (height, width) uint8."""
    return cv2.cvtColor(expose(sheet, rng, (0.3, 0.6), (0.003, 0.006)), cv2.COLOR_RGB2GRAY)


def jpeg(picture: np.ndarray, quality: int) -> bytes:
    """The picture as a JPEG file."""
    colours = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", colours, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def tilt_on_desk(
    sheet: Sheet, rng: Rng, around: float = 0.15, lean: float = 0.06, turn: float = 0.0
) -> tuple[Sheet, np.ndarray]:
    """The sheet as a hand-held camera sees it lie on a dark desk.

    around: how much of the desk is seen, as a share of the sheet's sides; lean: how far its corners are displaced;
    turn: clockwise. Returns the sheet, and the 3x3 matrix that takes places on the old one there.
    """
    height, width = sheet.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    turned = corners @ np.array([[cosine, sine], [-sine, cosine]])
    low, (wide, tall) = turned.min(axis=0), np.ptp(turned, axis=0) * (1 + 2 * around)
    border = np.array([wide, tall]) * around / (1 + 2 * around)
    seen = (turned - low + border + rng.uniform(-lean, lean, (4, 2)) * [width, height]).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    size = (round(wide), round(tall))
    on_sheet = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size)
    shadow = cv2.GaussianBlur(on_sheet, (0, 0), 0.015 * min(size))
    laid = cv2.warpPerspective(sheet, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    share = on_sheet[..., None]
    table = desk(size[1], size[0], rng) * (1 - 0.5 * shadow[..., None])
    return table * (1 - share) + laid * share, matrix
