"""The guises in which people hand in a digit: the same drawing on paper of every kind, photographed, scanned, cropped.

    python benchmarks/guises.py guises.png                  # a contact sheet of all, to look at

Each guise is a function of a drawing's strokes and a random generator to a picture that the recogniser takes.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from photograph import (
    BALL_PEN,
    BLACKS,
    BLUES,
    CHALK,
    CRAYON,
    FELT_PEN,
    LINE_COLOURS,
    MARKER,
    PENCIL,
    THIN_BALL_PEN,
    WHITE_PEN,
    Colour,
    Cover,
    Pen,
    Range,
    Rng,
    Sheet,
    desk,
    dots,
    expose,
    fold,
    glare,
    hand_shadow,
    ink,
    jpeg,
    lay,
    mottle,
    paper,
    print_on,
    rules,
    scan,
    shade,
    soften,
    squares,
    tilt_on_desk,
    trace,
    write,
)
from PIL import Image, ImageDraw, ImageFont
from rendering import Strokes, draw_anywhere, drawings_folder, load_strokes, tile

SEED = 31

Guise = Callable[[Strokes, Rng], np.ndarray | bytes]

WORDS = ("Name", "Marks", "Total", "Question", "Amount", "Remarks", "Class", "Page", "Rate", "Date", "Examiner")


def _side(rng: Rng) -> int:
    return int(rng.integers(160, 520))


def _sheet(rng: Rng, colour: Colour | None = None) -> Sheet:
    return paper(_side(rng), _side(rng), rng, colour)


def _any_of(colours: tuple[Colour, ...], rng: Rng) -> Colour:
    return colours[rng.integers(len(colours))]


def _tight(strokes: Strokes, rng: Rng, size: Range = (80, 320), pen: Pen = BALL_PEN) -> Sheet:
    """A digit that fills its picture, with a narrow rim of paper around."""
    length = rng.uniform(*size)
    cover = trace(strokes, length, rng.uniform(*pen.width) * length)
    cover = np.pad(cover, np.round(rng.uniform(0.01, 0.06, (2, 2)) * length).astype(int))
    return ink(paper(*cover.shape, rng), cover, pen, rng)


def tight_and_blurred(strokes: Strokes, rng: Rng) -> np.ndarray:
    sheet = _tight(strokes, rng, pen=FELT_PEN)
    return expose(sheet, rng, (0.012 * len(sheet), 0.025 * len(sheet)))


def sixteen_pixels(strokes: Strokes, rng: Rng) -> np.ndarray:
    """As data sets of scans have it: fitted into a box of 16 pixels, and enlarged again for people to see."""
    sheet = _tight(strokes, rng, pen=FELT_PEN)
    scale = 16 / max(sheet.shape[:2])
    size = [max(3, round(side * scale)) for side in sheet.shape[1::-1]]
    small = cv2.resize(scan(sheet, rng), size, interpolation=cv2.INTER_AREA)
    larger = int(rng.integers(6, 17))
    how = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
    return cv2.resize(small, None, fx=larger, fy=larger, interpolation=how)


def tight_and_shaded(strokes: Strokes, rng: Rng) -> np.ndarray:
    return expose(shade(_tight(strokes, rng), rng), rng)


def framed(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A square drawn around the digit by the same pen, on a screen or on paper."""
    side = _side(rng)
    length = rng.uniform(0.35, 0.6) * side
    width = rng.uniform(0.04, 0.08) * length
    cover = _in_the_middle(trace(strokes, length, width), (side, side), rng)
    reach = rng.uniform(0.38, 0.46) * side
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1.04]]) * reach + rng.normal(0, 0.012 * side, (5, 2))
    frame = _in_the_middle(trace([corners.tolist()], 2 * reach, width), (side, side), rng, 0.0)
    return _on_screen_or_paper(np.maximum(cover, frame), BALL_PEN, rng)


def circled(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A circle drawn around the digit by the same pen, not quite round, whose end runs past its start."""
    side = _side(rng)
    length = rng.uniform(0.3, 0.5) * side
    width = rng.uniform(0.04, 0.08) * length
    cover = _in_the_middle(trace(strokes, length, width), (side, side), rng)
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi + rng.uniform(-0.1, 0.4), 60)
    reach = rng.uniform(0.36, 0.46, 2) * side * (1 + 0.04 * np.sin(2 * angles[:, None] + rng.uniform(0, 6)))
    ring = reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    circle = _in_the_middle(trace([ring.tolist()], float(np.ptp(ring, axis=0).max()), width), (side, side), rng, 0.0)
    return _on_screen_or_paper(np.maximum(cover, circle), BALL_PEN, rng)


def _on_screen_or_paper(cover: Cover, pen: Pen, rng: Rng) -> np.ndarray:
    """Half of them black on the white of a drawing program, half written on paper and photographed."""
    if rng.random() < 0.5:
        return np.round(255 * (1 - cover)).astype(np.uint8)
    return expose(ink(paper(cover.shape[0], cover.shape[1], rng), cover, pen, rng), rng)


def _in_the_middle(cover: Cover, shape: tuple[int, int], rng: Rng, drift: float = 0.04) -> Cover:
    top, left = (np.array(shape) - cover.shape) / 2 + rng.uniform(-drift, drift, 2) * shape
    return lay(cover, shape, round(left), round(top))


def on_a_desk(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A whole sheet, its edges and the dark desk around it in sight."""
    sheet = write(paper(*rng.integers(350, 700, 2).tolist(), rng), strokes, rng, size=(0.25, 0.6))
    return expose(shade(tilt_on_desk(sheet, rng, rng.uniform(0.06, 0.3))[0], rng, (0.1, 0.4)), rng)


def whiteboard(strokes: Strokes, rng: Rng) -> np.ndarray:
    sheet = paper(_side(rng), _side(rng), rng, (0.9, 0.92, 0.93), 0.004)
    smears = np.clip(mottle(sheet.shape, 20, 70, rng) - 0.8, 0, 1)
    sheet = write(print_on(sheet, smears, (0.6, 0.6, 0.66), 0.2), strokes, rng, FELT_PEN)
    return expose(glare(shade(sheet, rng, (0.2, 0.4)), rng), rng)


def pencil(strokes: Strokes, rng: Rng) -> np.ndarray:
    return expose(shade(write(_sheet(rng), strokes, rng, PENCIL), rng, (0.3, 0.6)), rng)


def turned(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Written slantwise, on a screen or on paper."""
    side = _side(rng)
    length = rng.uniform(0.4, 0.65) * side
    cover = trace(strokes, length, rng.uniform(*FELT_PEN.width) * length, 30.0 * rng.choice([-1, 1]))
    return _on_screen_or_paper(_in_the_middle(cover, (side, side), rng, 0.1), FELT_PEN, rng)


def _lined(lines: Callable[..., Cover], spacing: Range, strokes: Strokes, rng: Rng) -> np.ndarray:
    """A digit on lined paper, the lines a share of its side apart, in uneven light."""
    sheet = _sheet(rng)
    apart = rng.uniform(*spacing) * min(sheet.shape[:2])
    cover = lines(sheet.shape, apart, rng.uniform(0.02, 0.05) * apart + 0.3, rng, rng.normal(0, 2))
    sheet = print_on(sheet, cover, _any_of(LINE_COLOURS, rng), rng.uniform(0.4, 0.95))
    return expose(shade(write(sheet, strokes, rng), rng, (0.2, 0.5)), rng)


def dotted(strokes: Strokes, rng: Rng) -> np.ndarray:
    sheet = _sheet(rng)
    apart = rng.uniform(0.1, 0.25) * min(sheet.shape[:2])
    points = dots(sheet.shape, apart, rng.uniform(0.09, 0.15) * apart + 1, rng, rng.normal(0, 2))
    sheet = print_on(sheet, points, _any_of(LINE_COLOURS, rng), rng.uniform(0.5, 1))
    return expose(shade(write(sheet, strokes, rng), rng, (0.1, 0.4)), rng)


def graph_paper(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Fine squares, every fifth line thick."""
    sheet = _sheet(rng)
    fine = rng.uniform(0.03, 0.06) * min(sheet.shape[:2])
    colour = _any_of(((0.9, 0.55, 0.4), (0.4, 0.7, 0.55), (0.45, 0.6, 0.85)), rng)
    sheet = print_on(sheet, squares(sheet.shape, fine, 0.6, rng), colour, rng.uniform(0.3, 0.6))
    sheet = print_on(sheet, squares(sheet.shape, 5 * fine, rng.uniform(1.5, 3), rng), colour, rng.uniform(0.6, 0.9))
    return expose(write(sheet, strokes, rng, FELT_PEN), rng)


def show_through(strokes: Strokes, rng: Rng) -> np.ndarray:
    """The other side's writing, mirrored, pale and blurred: the same hand's digit, large, and lines of print."""
    sheet = _sheet(rng)
    behind = np.fliplr(write(np.ones_like(sheet), strokes, rng, size=(0.6, 0.9)))
    behind = np.fliplr(_printed(behind, rng, lines=int(rng.integers(0, 4))))
    pale = 1 - rng.uniform(0.1, 0.22) * (1 - soften(behind, rng.uniform(1.5, 3)))
    return expose(write(sheet * pale, strokes, rng), rng)


def _printed(sheet: Sheet, rng: Rng, lines: int, height: float = 0.07) -> Sheet:
    """Lines of printed words somewhere on the sheet."""
    tall, wide = sheet.shape[:2]
    font = ImageFont.load_default(max(9, round(height * tall)))
    mask = Image.new("L", (wide, tall))
    for _ in range(lines):
        place = (rng.uniform(-0.1, 0.2) * wide, rng.uniform(0, 0.9) * tall)
        ImageDraw.Draw(mask).text(place, " ".join(rng.permutation(WORDS)[:6]), 255, font)
    return print_on(sheet, np.asarray(mask, np.float32) / 255, BLACKS[1], 0.9)


def folded(strokes: Strokes, rng: Rng) -> np.ndarray:
    return expose(fold(write(_sheet(rng), strokes, rng), rng), rng)


def coloured(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Coloured ink on coloured paper."""
    papers = ((0.95, 0.9, 0.5), (0.98, 0.75, 0.8), (0.7, 0.9, 0.72), (0.68, 0.82, 0.95), (0.97, 0.78, 0.55))
    inks = {"ink": ((0.65, 0.08, 0.1), (0.05, 0.35, 0.15), (0.35, 0.05, 0.4), *BLUES)}
    sheet = write(_sheet(rng, _any_of(papers, rng)), strokes, rng, Pen((0.035, 0.08), inks["ink"]))
    return expose(shade(sheet, rng, (0.1, 0.35)), rng)


def blackboard(strokes: Strokes, rng: Rng) -> np.ndarray:
    board = _any_of(((0.13, 0.24, 0.19), (0.15, 0.16, 0.17), (0.2, 0.28, 0.26)), rng)
    sheet = _sheet(rng, board)
    wiped = np.clip(mottle(sheet.shape, 25, 90, rng), 0, 2)
    sheet = print_on(sheet, wiped, (0.8, 0.8, 0.78), rng.uniform(0.03, 0.1))
    return expose(shade(write(sheet, strokes, rng, CHALK), rng, (0.1, 0.4)), rng)


def marker(strokes: Strokes, rng: Rng) -> np.ndarray:
    return expose(shade(write(_sheet(rng), strokes, rng, MARKER), rng, (0.1, 0.3)), rng)


def thin_ball_pen(strokes: Strokes, rng: Rng) -> np.ndarray:
    sheet = paper(*rng.integers(350, 700, 2).tolist(), rng)
    return expose(shade(write(sheet, strokes, rng, THIN_BALL_PEN, (0.4, 0.7)), rng, (0.1, 0.3)), rng)


def newsprint(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A cell of a puzzle in a newspaper: grey and coarse, the back shining through, the cell's lines at the edges."""
    side = int(rng.integers(70, 150))
    sheet = paper(side, side, rng, (0.72, 0.7, 0.66), 0.03)
    sheet = sheet * (1 - 0.12 * (1 - soften(np.fliplr(_printed(np.ones_like(sheet), rng, 4, 0.12)), 1.2)))
    away = rng.uniform(-0.03, 0.08, 4) * side
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    near = np.stack([rows, side - 1 - rows, columns, side - 1 - columns]) - away[:, None, None]
    lines = np.clip(rng.uniform(0.8, 2.5, (4, 1, 1)) - np.abs(near), 0, 1).max(axis=0)
    sheet = write(print_on(sheet, lines, (0.15, 0.15, 0.16), 0.85), strokes, rng, size=(0.5, 0.7))
    return expose(shade(sheet, rng, (0.1, 0.45)), rng, (0.5, 1.0))


def cheque(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A security pattern: families of fine waves in pale colours."""
    sheet = paper(_side(rng), _side(rng), rng, (0.93, 0.94, 0.92))
    rows, columns = np.mgrid[: sheet.shape[0], : sheet.shape[1]].astype(np.float32)
    for _ in range(int(rng.integers(2, 5))):
        period, wave, height = rng.uniform(5, 14), rng.uniform(30, 120), rng.uniform(3, 20)
        angle = rng.uniform(0, np.pi)
        along, across = (columns * np.cos(angle) + rows * np.sin(angle), rows * np.cos(angle) - columns * np.sin(angle))
        waves = np.sin(2 * np.pi * (across + height * np.sin(2 * np.pi * along / wave)) / period)
        colour = rng.uniform(0.35, 0.8, 3)
        sheet = print_on(sheet, np.clip(3 * waves - 1.8, 0, 1), tuple(colour), rng.uniform(0.25, 0.6))
    return expose(write(sheet, strokes, rng, Pen((0.04, 0.08), (*BLACKS, *BLUES))), rng)


def form_cell(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A printed box to fill in, and the printed words that say what belongs there."""
    height = int(rng.integers(90, 240))
    cell = round(height * rng.uniform(0.7, 1.0))
    words = ImageFont.load_default(round(height * rng.uniform(0.14, 0.24)))
    label = str(rng.choice(WORDS)) + rng.choice([":", ""])
    left = round(words.getlength(label) + 0.3 * height)
    form = Image.new("L", (left + cell + round(0.2 * height), round(1.25 * height)))
    pencil = ImageDraw.Draw(form)
    box = (left, (form.height - cell) // 2, left + cell, (form.height + cell) // 2)
    pencil.rectangle(box, outline=255, width=int(rng.integers(1, 4)))
    pencil.text((0.1 * height, form.height * rng.uniform(0.3, 0.5)), label, 255, words)
    sheet = print_on(paper(form.height, form.width, rng), np.asarray(form, np.float32) / 255, BLACKS[1], 0.85)
    inside = (slice(box[1], box[3]), slice(box[0], box[2]))
    sheet[inside] = write(sheet[inside], strokes, rng, size=(0.5, 0.75))
    return expose(shade(sheet, rng, (0.05, 0.3)), rng)


def strong_jpeg(strokes: Strokes, rng: Rng) -> bytes:
    return jpeg(expose(shade(write(_sheet(rng), strokes, rng), rng, (0.1, 0.3)), rng), 15)


def noisy(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Taken in a dark room by a small sensor."""
    dim = write(_sheet(rng), strokes, rng, FELT_PEN) * rng.uniform(0.3, 0.6)
    return expose(shade(dim, rng, (0.1, 0.4)), rng, (0.6, 1.2), (0.04, 0.08))


def shaken(strokes: Strokes, rng: Rng) -> np.ndarray:
    """The camera moved by up to a tenth of the digit."""
    sheet = write(_sheet(rng), strokes, rng, FELT_PEN, size=(0.5, 0.7))
    length = max(3, round(rng.uniform(0.03, 0.06) * min(sheet.shape[:2])))
    way, angle = np.zeros((length, length), np.float32), rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    middle = np.array([length / 2, length / 2])
    cv2.line(way, (middle - reach).astype(int).tolist(), (middle + reach).astype(int).tolist(), 1.0, 1, cv2.LINE_AA)
    return expose(cv2.filter2D(sheet, -1, way / way.sum()), rng)


def thumbnail(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A picture reduced to 28 to 48 pixels."""
    picture = expose(shade(write(_sheet(rng), strokes, rng, FELT_PEN, size=(0.6, 0.85)), rng, (0.05, 0.3)), rng)
    scale = rng.integers(28, 49) / min(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def light_on_dark(strokes: Strokes, rng: Rng) -> np.ndarray:
    ground = _any_of(((0.12, 0.12, 0.13), (0.1, 0.15, 0.3), (0.35, 0.27, 0.2), (0.25, 0.1, 0.15)), rng)
    return expose(shade(write(_sheet(rng, ground), strokes, rng, WHITE_PEN), rng, (0.1, 0.4)), rng)


def touching_the_border(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Cut off so closely that the digit touches one side, or two that meet, with paper on the others."""
    length = rng.uniform(80, 300)
    cover = trace(strokes, length, rng.uniform(*BALL_PEN.width) * length)
    sides = rng.uniform(0.1, 0.6, (2, 2)) * length
    sides[0, rng.integers(2)] = sides[1, rng.integers(2)] = -1
    if rng.random() < 0.5:
        sides[rng.integers(2)] = 0.3 * length
    below, across = sides.round().astype(int)
    shape = (cover.shape[0] + below.sum(), cover.shape[1] + across.sum())
    sheet = paper(*shape, rng)
    return expose(shade(ink(sheet, lay(cover, shape, across[0], below[0]), BALL_PEN, rng), rng, (0.05, 0.4)), rng)


def _enlarged(sheet: Sheet, rng: Rng) -> np.ndarray:
    """As a phone takes it: (3000, 4000) uint8, with the noise of its sensor."""
    large = cv2.resize(
        cv2.cvtColor(expose(sheet, rng), cv2.COLOR_RGB2GRAY), (4000, 3000), interpolation=cv2.INTER_CUBIC
    )
    grains = rng.normal(128, 2.5, (500, 500)).round().astype(np.uint8)
    noise = np.tile(grains, (6, 8)).astype(np.int16) - 128
    return np.clip(large + noise, 0, 255).astype(np.uint8)


def tiny_on_a_large_page(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A digit 10 to 14 pixels high on an empty page of 12 megapixels."""
    page = _enlarged(shade(paper(375, 500, rng, grain=0.004), rng, (0.1, 0.3)), rng)
    cover = trace(strokes, rng.uniform(10, 14), rng.uniform(1.2, 1.8))
    top, left = (int(rng.uniform(0.1, 0.9) * side) for side in page.shape)
    spot = (slice(top, top + cover.shape[0]), slice(left, left + cover.shape[1]))
    page[spot] = (page[spot] * (1 - cover * rng.uniform(0.75, 0.95))).astype(np.uint8)
    return page


def filling_a_large_picture(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A digit 2,300 to 2,900 pixels high that fills a photo of 12 megapixels."""
    sheet = write(paper(375, 500, rng), strokes, rng, FELT_PEN, size=(0.78, 0.9))
    return _enlarged(shade(sheet, rng, (0.1, 0.4)), rng)


def in_a_shadow(strokes: Strokes, rng: Rng) -> np.ndarray:
    side = _side(rng)
    return expose(hand_shadow(write(paper(side, side, rng), strokes, rng), rng), rng)


def in_perspective(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Taken from one side: the far end of what the picture shows is up to twice as wide as the near one."""
    sheet = paper(800, 800, rng)
    middle = (slice(250, 550), slice(250, 550))
    sheet[middle] = write(sheet[middle], strokes, rng, FELT_PEN, size=(0.6, 0.9))
    near, far = rng.uniform(220, 260), rng.uniform(300, 400)
    seen = np.array([[400 - far, 180], [400 + far, 180], [400 + near, 620], [400 - near, 620]]) - 400
    around = np.radians(rng.choice([0, 90, 270]))
    turn = np.array([[np.cos(around), -np.sin(around)], [np.sin(around), np.cos(around)]])
    corners = (seen @ turn.T + 400).astype(np.float32)
    corners = np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)
    picture = np.array([[0, 0], [480, 0], [480, 480], [0, 480]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, picture)
    return expose(shade(cv2.warpPerspective(sheet, matrix, (480, 480), flags=cv2.INTER_AREA), rng), rng)


def low_contrast(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Ink that takes only 10 to 20 % of the light."""
    sheet = _sheet(rng)
    written = write(np.ones_like(sheet), strokes, rng, FELT_PEN)
    return expose(sheet * (1 - rng.uniform(0.12, 0.22) * (1 - written)), rng, noise=(0.003, 0.006))


def beside_neighbours(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Cut out of a row: the bellies of the neighbours reach in at the sides."""
    height = int(rng.integers(120, 320))
    sheet = paper(height, round(height * rng.uniform(0.9, 1.2)), rng)
    pen = rng.uniform(0.03, 0.06) * height
    cover = _in_the_middle(trace(strokes, 0.55 * height, pen), sheet.shape[:2], rng, 0.02)
    around = np.linspace(0, 2 * np.pi, 40)
    belly = trace([np.stack([np.cos(around), 1.3 * np.sin(around)], 1).tolist()], rng.uniform(0.3, 0.6) * height, pen)
    for left in (-belly.shape[1], sheet.shape[1]):
        reach = round(rng.uniform(-0.02, 0.05) * height)
        left += reach if left < 0 else -reach
        cover = np.maximum(cover, lay(belly, sheet.shape, left, round(height * rng.uniform(0.1, 0.4))))
    return expose(shade(ink(sheet, cover, BALL_PEN, rng), rng, (0.05, 0.3)), rng)


def sticky_note(strokes: Strokes, rng: Rng) -> np.ndarray:
    note = _any_of(((0.98, 0.9, 0.45), (0.98, 0.6, 0.7), (0.6, 0.85, 0.95)), rng)
    sheet = shade(write(paper(400, 400, rng, note), strokes, rng, FELT_PEN, size=(0.4, 0.7)), rng, (0.1, 0.3))
    return expose(tilt_on_desk(sheet, rng, rng.uniform(0.05, 0.2))[0], rng)


def black_and_white_scan(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A fax or a scan of one bit a pixel, with specks of dust."""
    grey = scan(write(_sheet(rng), strokes, rng, FELT_PEN), rng).astype(np.float32)
    grey += rng.normal(0, 14, grey.shape)
    specks = rng.random(grey.shape) < rng.uniform(0.0002, 0.0015)
    return np.where((grey < 150) | specks, 0, 255).astype(np.uint8)


def stained(strokes: Strokes, rng: Rng) -> np.ndarray:
    """The ring of a cup of coffee across the sheet."""
    sheet = write(_sheet(rng), strokes, rng)
    rows, columns = np.mgrid[: sheet.shape[0], : sheet.shape[1]].astype(np.float32)
    side = min(sheet.shape[:2])
    middle, radius = rng.uniform(0.1, 0.9, 2) * sheet.shape[:2], rng.uniform(0.3, 0.5) * side
    away = np.abs(np.hypot(rows - middle[0], columns - middle[1]) - radius) + 0.01 * side * mottle(
        sheet.shape, 9, 9, rng
    )
    ring = np.exp(-((np.maximum(away, 0) / (0.02 * side)) ** 2)) * np.clip(
        0.7 + 0.4 * mottle(sheet.shape, 60, 60, rng), 0, 1
    )
    return expose(sheet * (1 - ring[..., None] * np.array([0.2, 0.32, 0.45], np.float32)), rng)


def dark_photo(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Underexposed by two to three stops."""
    sheet = write(_sheet(rng), strokes, rng, FELT_PEN) * rng.uniform(0.12, 0.25)
    return expose(shade(sheet, rng, (0.1, 0.4)), rng, noise=(0.004, 0.008))


def pale_photo(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Overexposed: the paper is all white, the ink is washed out."""
    return expose(write(_sheet(rng), strokes, rng) * 0.7 + rng.uniform(0.35, 0.45), rng)


def notebook(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Closely ruled yellow paper with a red margin line."""
    sheet = _sheet(rng, (0.97, 0.94, 0.66))
    apart = rng.uniform(0.12, 0.25) * min(sheet.shape[:2])
    sheet = print_on(sheet, rules(sheet.shape, apart, rng.uniform(1, 2), rng), (0.5, 0.65, 0.85), 0.8)
    margin = rules(sheet.shape, 2 * sheet.shape[1], rng.uniform(1, 3), rng, 90)
    return expose(shade(write(print_on(sheet, margin, (0.85, 0.3, 0.35), 0.8), strokes, rng), rng, (0.1, 0.4)), rng)


def cardboard(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Brown board with its flutes, written on with a felt pen."""
    sheet = paper(_side(rng), _side(rng), rng, (0.66, 0.52, 0.37), 0.025)
    sheet = sheet * (1 + 0.04 * np.sin(np.mgrid[: sheet.shape[0], : sheet.shape[1]][0] / rng.uniform(2, 5)))[..., None]
    return expose(shade(write(sheet.astype(np.float32), strokes, rng, Pen((0.06, 0.1), BLACKS)), rng, (0.1, 0.3)), rng)


def held(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Fingers hold the sheet at one side or two, with their shadow."""
    sheet = write(_sheet(rng), strokes, rng, size=(0.35, 0.55))
    sides = np.array(sheet.shape[1::-1])
    fingers = np.zeros(sheet.shape[:2], np.float32)
    for side in rng.permutation(4)[: rng.integers(1, 3)]:
        place = np.array([(0, 0.5), (1, 0.5), (0.5, 0), (0.5, 1)][side])
        root = np.where(place == 0.5, rng.uniform(0.2, 0.8), place)
        tip = root + rng.uniform(0.06, 0.15) * np.sign(0.5 - place)
        start, end = (np.round(sides * one).astype(int).tolist() for one in (root, tip))
        cv2.line(fingers, start, end, 1.0, round(0.13 * sides.min()), cv2.LINE_AA)
    skin = np.array((0.85, 0.62, 0.5), np.float32) * rng.uniform(0.35, 1.05)
    shadow = soften(fingers, 0.02 * sides.min())
    sheet = sheet * (1 - rng.uniform(0.2, 0.5) * shadow)[..., None]
    return expose(print_on(sheet, soften(fingers, 1.2), tuple(skin)), rng)


def with_holes(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Ruled, and punched along one side: two holes, or as many as a spiral needs; what lies behind is dark."""
    sheet = _sheet(rng)
    height, width = sheet.shape[:2]
    lines = rules(sheet.shape, rng.uniform(0.08, 0.2) * height, 1.2, rng)
    sheet = write(print_on(sheet, lines, _any_of(LINE_COLOURS, rng)), strokes, rng, size=(0.35, 0.6))
    apart = rng.choice((rng.uniform(0.06, 0.14), rng.uniform(0.4, 0.6))) * height
    radius = min(0.25 * apart, 0.035 * height)
    holes = np.zeros((height, width), np.float32)
    for y in np.arange(apart / 2, height, apart):
        cv2.circle(holes, (round(0.06 * width), round(y)), round(radius), 1.0, cv2.FILLED, cv2.LINE_AA)
    return expose(print_on(sheet, holes, _any_of(BLACKS, rng)), rng)


def highlighted(strokes: Strokes, rng: Rng) -> np.ndarray:
    """The stripe of a highlighter across it, which ends on the sheet."""
    sheet = write(_sheet(rng), strokes, rng)
    height, width = sheet.shape[:2]
    ends = [(round(x * width), round(rng.uniform(0.35, 0.65) * height)) for x in (0.12, 0.88)]
    stripe = np.zeros((height, width), np.float32)
    cv2.line(stripe, *ends, 1.0, round(rng.uniform(0.2, 0.45) * height), cv2.LINE_AA)
    colour = np.array(_any_of(((0.98, 0.95, 0.2), (0.6, 0.95, 0.4), (0.98, 0.6, 0.75)), rng), np.float32)
    return expose(sheet * (1 - stripe[..., None] * (1 - colour) * 0.9), rng)


def label(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A sticker with round corners and a coloured line along its edge, on something dark."""
    side = _side(rng)
    outline = Image.new("L", (side, side))
    box, round_by = (0.1 * side, 0.15 * side, 0.9 * side, 0.85 * side), rng.uniform(0.05, 0.15) * side
    ImageDraw.Draw(outline).rounded_rectangle(box, round_by, fill=255)
    border = Image.new("L", (side, side))
    inner = [edge + inwards * 0.03 * side for edge, inwards in zip(box, (1, 1, -1, -1), strict=True)]
    thick = max(1, round(rng.uniform(0.008, 0.02) * side))
    ImageDraw.Draw(border).rounded_rectangle(inner, 0.8 * round_by, outline=255, width=thick)
    colour = _any_of(((0.8, 0.1, 0.1), (0.1, 0.2, 0.6)), rng)
    sheet = print_on(paper(side, side, rng), np.asarray(border, np.float32) / 255, colour)
    inside = slice(round(0.2 * side), round(0.8 * side)), slice(round(0.15 * side), round(0.85 * side))
    sheet[inside] = write(sheet[inside], strokes, rng, size=(0.5, 0.75))
    share = soften(np.asarray(outline, np.float32) / 255, 0.6)[..., None]
    return expose(sheet * share + desk(side, side, rng) * (1 - share), rng)


def between_bars(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Black or white bars on two sides, as programs add them to fit a picture into another shape."""
    seen = expose(write(_sheet(rng), strokes, rng), rng)
    wide = round(rng.uniform(0.08, 0.35) * max(seen.shape))
    across = [(wide, wide), (0, 0), (0, 0)] if rng.random() < 0.5 else [(0, 0), (wide, wide), (0, 0)]
    return np.pad(seen, across, constant_values=int(rng.choice((0, 255))))


def rubbed_out(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Pencil over what was written before and rubbed out: the same drawing, mirrored, and still to be seen."""
    before = np.fliplr(write(_sheet(rng), strokes, rng, replace(PENCIL, opacity=(0.08, 0.2))))
    return expose(write(before, strokes, rng, replace(PENCIL, opacity=(0.7, 0.9))), rng)


def off_a_screen(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A photo of a screen: its pixels and the camera's make bands."""
    side = _side(rng)
    sheet = write(np.full((side, side, 3), 0.95, np.float32), strokes, rng, FELT_PEN)
    apart = rng.uniform(2.5, 6)
    rows = rules(sheet.shape, apart, 0.4 * apart, rng, rng.normal(0, 2))
    columns = rules(sheet.shape, apart, 0.4 * apart, rng, 90 + rng.normal(0, 2))
    bands = np.sin(sum(place / rng.uniform(4, 20) for place in np.mgrid[:side, :side]))
    return expose(sheet * (1 - 0.25 * (rows + columns) + 0.06 * bands)[..., None].astype(np.float32), rng)


def crayon(strokes: Strokes, rng: Rng) -> np.ndarray:
    return expose(write(_sheet(rng), strokes, rng, CRAYON), rng)


def on_a_button(strokes: Strokes, rng: Rng) -> np.ndarray:
    """White on a coloured disc or square, as programs draw it, with pale paper around."""
    side = _side(rng)
    button = Image.new("L", (side, side))
    box, corners = (0.08 * side, 0.08 * side, 0.92 * side, 0.92 * side), float(rng.choice((0.42, 0.1, 0.02))) * side
    ImageDraw.Draw(button).rounded_rectangle(box, corners, fill=255)
    sheet = np.full((side, side, 3), rng.uniform(0.85, 1), np.float32)
    colour = _any_of(((0.1, 0.3, 0.8), (0.8, 0.1, 0.2), (0.1, 0.5, 0.3), (0.1, 0.1, 0.1)), rng)
    sheet = print_on(sheet, np.asarray(button, np.float32) / 255, colour)
    length = rng.uniform(0.3, 0.5) * side
    cover = trace(strokes, length, rng.uniform(0.06, 0.12) * length)
    sheet = print_on(sheet, _in_the_middle(cover, (side, side), rng), (0.97, 0.97, 0.97))
    return np.round(255 * sheet).astype(np.uint8)


def beside_a_pen(strokes: Strokes, rng: Rng) -> np.ndarray:
    """The pen lies on the sheet, and reaches in from a corner."""
    sheet = write(_sheet(rng), strokes, rng, size=(0.3, 0.45))
    sides = np.array(sheet.shape[1::-1])
    corner = np.array([(0, 1), (1, 1), (1, 0)][rng.integers(3)]) * sides
    inwards = rng.uniform(0.3, 0.7, 2) * sides - corner
    start, end = ((corner + share * inwards).astype(int).tolist() for share in (-1, rng.uniform(0.3, 0.7)))
    pen = np.zeros(sheet.shape[:2], np.float32)
    cv2.line(pen, start, end, 1.0, round(rng.uniform(0.03, 0.08) * sides.min()), cv2.LINE_AA)
    sheet = sheet * (1 - 0.4 * soften(np.roll(pen, round(0.02 * sides[1]), axis=0), 0.01 * sides[1]))[..., None]
    return expose(print_on(sheet, pen, _any_of(((0.1, 0.1, 0.6), (0.1, 0.1, 0.1), (0.8, 0.6, 0.1)), rng)), rng)


def dappled(strokes: Strokes, rng: Rng) -> np.ndarray:
    """In the shadow of leaves, or of a blind."""
    sheet = write(_sheet(rng), strokes, rng)
    height, width = sheet.shape[:2]
    if rng.random() < 0.5:
        shadow = np.clip(3 * mottle(sheet.shape, height / 8, width / 8, rng) + 0.5, 0, 1)
    else:
        apart = rng.uniform(0.08, 0.3) * height
        shadow = rules(sheet.shape, apart, 0.5 * apart, rng, rng.uniform(0, 180))
    return expose(sheet * (1 - rng.uniform(0.3, 0.6) * soften(shadow, 0.008 * height))[..., None], rng)


def sleeved(strokes: Strokes, rng: Rng) -> np.ndarray:
    """In a plastic sleeve, whose wrinkles shine."""
    sheet = 0.85 * write(_sheet(rng), strokes, rng)
    height, width = sheet.shape[:2]
    shine = np.zeros((height, width), np.float32)
    for _ in range(rng.integers(2, 6)):
        way = (np.cumsum(rng.normal(0, 0.08, (6, 2)), axis=0) + rng.random(2)) * [width, height]
        thick = int(rng.integers(2, 14))
        cv2.polylines(shine, [way.astype(np.int32)], False, float(rng.uniform(0.3, 0.9)), thick, cv2.LINE_AA)
    return expose(print_on(sheet, soften(shine, 2.5), (1, 1, 1)), rng)


def beside_boxes(strokes: Strokes, rng: Rng) -> np.ndarray:
    """Small printed boxes to tick, above or below."""
    sheet = write(_sheet(rng), strokes, rng, size=(0.35, 0.5))
    height, width = sheet.shape[:2]
    boxes = np.zeros((height, width), np.float32)
    side = round(0.07 * min(height, width))
    for _ in range(rng.integers(1, 4)):
        x, y = round(rng.uniform(0.03, 0.85) * width), round(float(rng.choice((0.03, 0.9))) * height)
        cv2.rectangle(boxes, (x, y), (x + side, y + side), 1.0, max(1, round(0.08 * side)))
    return expose(print_on(sheet, boxes, BLACKS[1]), rng)


def beside_a_barcode(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A printed code above or below."""
    sheet = write(_sheet(rng), strokes, rng, size=(0.35, 0.5))
    height, width = sheet.shape[:2]
    module = max(1, round(0.006 * width))
    bars = np.repeat(rng.random(round(0.4 * width / module)) < 0.5, module).astype(np.float32)
    code = np.tile(bars, (round(0.1 * height), 1))
    top, left = float(rng.choice((0.03, 0.87))) * height, rng.uniform(0.05, 0.5) * width
    return expose(print_on(sheet, lay(code, sheet.shape, round(left), round(top)), BLACKS[0], 0.9), rng)


def clipped(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A paper clip at the top edge of the sheet."""
    sheet = write(_sheet(rng), strokes, rng, size=(0.35, 0.5))
    side = min(sheet.shape[:2])
    wire = Image.new("L", sheet.shape[1::-1])
    left, long, wide = rng.uniform(0.05, 0.8) * sheet.shape[1], rng.uniform(0.2, 0.3) * side, 0.07 * side
    for inset, start in ((0.0, -0.1), (0.15, 0.05), (0.3, 0.2)):
        box = (left + inset * wide, start * long, left + (1 - inset) * wide, (1 - inset) * long)
        ImageDraw.Draw(wire).rounded_rectangle(box, wide / 2, outline=255, width=max(1, round(0.012 * side)))
    metal = _any_of(((0.45, 0.46, 0.5), (0.6, 0.6, 0.62), (0.7, 0.2, 0.2)), rng)
    return expose(print_on(sheet, soften(np.asarray(wire, np.float32) / 255, 0.6), metal), rng)


def beside_coins(strokes: Strokes, rng: Rng) -> np.ndarray:
    """One or two coins lie on the sheet, near its sides."""
    sheet = write(_sheet(rng), strokes, rng, size=(0.3, 0.45))
    height, width = sheet.shape[:2]
    radius = rng.uniform(0.06, 0.1) * min(height, width)
    coins = np.zeros((height, width), np.float32)
    for _ in range(rng.integers(1, 3)):
        x, y = rng.uniform(0.05, 0.95) * width, float(rng.choice((0.08, 0.92))) * height
        cv2.circle(coins, (round(x), round(y)), round(radius), 1.0, cv2.FILLED, cv2.LINE_AA)
    relief = 1 + 0.12 * mottle(sheet.shape, radius / 3, radius / 3, rng)[..., None]
    metal = np.array(_any_of(((0.55, 0.4, 0.25), (0.6, 0.6, 0.58), (0.7, 0.6, 0.3)), rng), np.float32) * relief
    sheet = sheet * (1 - 0.4 * soften(np.roll(coins, 3, axis=0), 2))[..., None]
    return expose(sheet * (1 - coins[..., None]) + metal * coins[..., None], rng)


def on_a_cloth(strokes: Strokes, rng: Rng) -> np.ndarray:
    """A whole sheet on a checked or striped cloth."""
    side = _side(rng)
    place = np.mgrid[:side, :side] // max(3, round(rng.uniform(0.02, 0.08) * side)) % 2
    share = (place[0] if rng.random() < 0.4 else place.mean(axis=0))[..., None]
    colours = np.array([rng.uniform(0.6, 0.95, 3), rng.uniform(0.1, 0.6, 3)], np.float32)
    cloth = (colours[0] * share + colours[1] * (1 - share)).astype(np.float32)
    sheet = write(paper(round(0.7 * side), round(0.7 * side), rng), strokes, rng, size=(0.4, 0.65))
    top, left = (round(rng.uniform(0.08, 0.22) * side) for _ in range(2))
    cloth[top : top + len(sheet), left : left + len(sheet)] = sheet
    return expose(shade(cloth, rng, (0.1, 0.3)), rng)


GUISES: dict[str, Guise] = {
    "as drawn on a pad": draw_anywhere,
    "tight crop, blurred": tight_and_blurred,
    "reduced to 16 pixels and enlarged": sixteen_pixels,
    "tight crop on shaded paper": tight_and_shaded,
    "a square frame drawn around": framed,
    "a circle drawn around": circled,
    "a sheet on a dark desk": on_a_desk,
    "glare on a whiteboard": whiteboard,
    "pencil on shaded paper": pencil,
    "turned by 30 degrees": turned,
    "ruled paper, shaded": partial(_lined, rules, (0.15, 0.5)),
    "squared paper, shaded": partial(_lined, squares, (0.12, 0.4)),
    "dotted paper": dotted,
    "graph paper, thick lines": graph_paper,
    "yellow notebook, margin line": notebook,
    "show-through from the back": show_through,
    "folds": folded,
    "coloured ink, coloured paper": coloured,
    "chalk on a blackboard": blackboard,
    "marker": marker,
    "thin ball pen": thin_ball_pen,
    "newsprint cell": newsprint,
    "patterned cheque ground": cheque,
    "form cell, printed words beside": form_cell,
    "JPEG, quality 15": strong_jpeg,
    "noise": noisy,
    "motion blur": shaken,
    "thumbnail, 28 to 48 pixels": thumbnail,
    "light on dark": light_on_dark,
    "touching the border": touching_the_border,
    "10 to 14 pixels, page of 12 megapixels": tiny_on_a_large_page,
    "filling a photo of 12 megapixels": filling_a_large_picture,
    "soft shadow of a hand": in_a_shadow,
    "perspective": in_perspective,
    "low contrast": low_contrast,
    "ends of neighbours at the border": beside_neighbours,
    "sticky note on a desk": sticky_note,
    "black-and-white scan, specks": black_and_white_scan,
    "coffee stain": stained,
    "underexposed": dark_photo,
    "overexposed": pale_photo,
    "felt pen on cardboard": cardboard,
    "held by fingers": held,
    "holes along a side": with_holes,
    "a highlighter's stripe across": highlighted,
    "label with round corners": label,
    "bars beside the picture": between_bars,
    "pencil over what was rubbed out": rubbed_out,
    "photo of a screen": off_a_screen,
    "crayon": crayon,
    "light on a button": on_a_button,
    "a pen lies beside it": beside_a_pen,
    "shadow of leaves or a blind": dappled,
    "in a plastic sleeve": sleeved,
    "boxes to tick beside it": beside_boxes,
    "a barcode beside it": beside_a_barcode,
    "a paper clip at the edge": clipped,
    "coins on the sheet": beside_coins,
    "a sheet on a checked cloth": on_a_cloth,
}


def a_dot(rng: Rng) -> np.ndarray:
    """The pad touched once, by any brush."""
    width = rng.uniform(2, 48)
    cover = trace([[(0.0, 0.0)]], 1.0, width)
    top, left = rng.integers(0, 400 - cover.shape[0], 2)
    return np.round(255 * (1 - lay(cover, (400, 400), int(left), int(top)))).astype(np.uint8)


def empty_lined_paper(rng: Rng) -> np.ndarray:
    """Ruled, squared or dotted paper without a word on it."""
    sheet = paper(*rng.integers(250, 700, 2).tolist(), rng)
    lines = (rules, squares, dots)[rng.integers(3)]
    cover = lines(sheet.shape, rng.uniform(15, 90), rng.uniform(1, 3), rng, rng.normal(0, 2))
    sheet = print_on(sheet, cover, _any_of(LINE_COLOURS, rng), rng.uniform(0.4, 1))
    return expose(shade(sheet, rng, (0.1, 0.5)), rng)


def printed_prose(rng: Rng) -> np.ndarray:
    """A sheet of print on a desk."""
    sheet = paper(700, 560, rng)
    for _ in range(3):
        sheet = _printed(sheet, rng, 5, rng.uniform(0.02, 0.05))
    return expose(shade(tilt_on_desk(sheet, rng, 0.08, 0.03)[0], rng), rng)


NOTHING: dict[str, Callable[[Rng], np.ndarray]] = {
    "a dot": a_dot,
    "empty lined paper": empty_lined_paper,
    "printed prose": printed_prose,
}
"""Pictures without any digit."""


def dress(name: str, strokes: Strokes, index: int) -> np.ndarray | bytes:
    """A drawing in a guise: the same picture for the same name and index."""
    return GUISES[name](strokes, np.random.default_rng([SEED, zlib.crc32(name.encode()), index]))


def main() -> None:
    """Write a contact sheet: a row a guise, eight drawings."""
    drawings = load_strokes(drawings_folder() / "pen_digits.jsonl.gz", "dev-train")[::400][:12]
    rows = [np.hstack([tile(dress(name, one["strokes"], i)) for i, one in enumerate(drawings)]) for name in GUISES]
    Image.fromarray(np.vstack(rows)).save(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
