"""Seen: lines as the ink network sees them, after they were laid on paper and photographed.

The reader is given what that network leaves of a line: strokes that lost their thin parts, the rest of a ruled line, a
shadow's edge. What it is to read it should have learned from.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from digits.ink import INK, InkReader, standardise, without_unsure
from digits.normalise import pen_width
from digits.training.page import SIDE, Page, put
from digits.training.paper import photograph
from digits.training.written import rule

PENS = (2.2, 6.5)  # pixels that the pen is wide, if the line fits on the page then
ROOM = 0.94  # share of the page's side that a line takes at most
THINNEST = 1.2  # pixels: a longer line would be too small to be seen
RULED = 0.4  # share of the lines on ruled paper
SEEN = 0.85  # share of the ink that must be found: nobody could read the rest
AROUND = 0.12  # of a line's height, in which other ink is taken to be of it


def see_line(line: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float, float] | None:
    """What the ink network finds of a line on paper.

    line: (height, width) float32 in [0, 1], ink = 1, cropped. Returns its ink, the columns that it was moved to the
    right after it was scaled, and the scale; None if the line is too long or was hardly found.
    """
    pen = pen_width(line)
    height, width = line.shape
    scale = min(rng.uniform(*PENS) / pen, ROOM * SIDE / width, ROOM * SIDE / height)
    if scale * pen < THINNEST:
        return None
    size = max(1, round(scale * width)), max(1, round(scale * height))
    small = cv2.resize(line, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (int(rng.integers(0, SIDE - side + 1)) for side in size)
    page = Page(pen=scale * pen)
    put(page.ink, np.clip(small, 0, 1), left, top)
    if rng.random() < RULED:
        rule(page, rng)
    grey = photograph(page, rng)
    written = page.ink > 0.5
    if not written.any() or grey[written].mean() > grey[~written].mean():  # light ink on dark paper
        grey = ~grey
    found = without_unsure(_network().maps(standardise(grey))[..., INK])
    room = round(AROUND * size[1])
    found[: max(0, top - room)], found[top + size[1] + room :] = 0, 0
    if found[written].sum() < SEEN * written.sum():
        return None
    return found, float(left), size[0] / width


@cache
def _network() -> InkReader:
    return InkReader()
