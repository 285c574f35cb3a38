"""Light: a picture of paper as it would look in even light.

A shadow, a lamp or a desk around the sheet changes what is grey and what is white, but it reaches farther than a pen is
wide. So what is lightest around each place is taken for the paper there, and its grey is measured by that (the
retinex idea, Land and McCann 1971; the background by closing, as in Serra 1982).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from digits.recognition import Box

SMALLEST = 200  # pixels of the longer side, below which a picture may be one digit, whose pen is as wide as a shadow
SIDE = 400  # pixels of the longer side at which the paper is found
PEN = 0.06  # width, in longer sides, below which what is darker than its surroundings is written, not paper
DARKEST, LIGHTEST = 5, 95  # per cent of the picture that are no lighter than its paper in shadow, and where light falls
UNEVEN = 0.25  # share of the lightest by which these differ where light is uneven,
DIM = 128.0  # which counts as so many grey levels at least
DESK = 0.4  # of the lightest, below which it is no paper in a shadow, but what lies around the sheet: it becomes paper
SURROUNDED, RIM = 0.1, 13  # share of the picture that such a desk takes; pixels at its edge that are no paper, either
LEAST, MOST = 0.25, 0.95  # share of the picture that a sheet takes on a desk that is hardly darker,
CONVEX, DARKER = 0.95, 0.76  # share of its hull that it fills; how light the desk is at most, in lights of the sheet
SIDES, BEYOND = 3, 0.6  # sides of the picture at least, of each of which so much is desk
WHITE = 235  # grey of the paper in even light
LARGE = 1500  # pixels of the longer side, from which on what is written may be too small to be seen from afar
THIN = 31  # pixels that a pen is wide at most where it is
GRAIN = 99.5  # per cent of such a page that are paper,
STANDS_OUT, DEEP = 3.0, 40  # and how many times as dark against its surroundings, and grey levels, what is written is
SMALL, ROOM = 0.1, 3.0  # share of the longer side that it takes at most; room around it, in its own sides


@dataclass(frozen=True, eq=False)
class Light:
    """How a picture is lit; its paper is found once. grey: (height, width) uint8."""

    grey: np.ndarray

    @property
    def is_uneven(self) -> bool:
        """Is there a shadow, a lamp, or something around the sheet?"""
        if max(self.grey.shape) < SMALLEST:
            return False
        darkest, lightest = np.percentile(self._paper, (DARKEST, LIGHTEST))
        return bool(lightest - darkest > UNEVEN * max(lightest, DIM))

    @property
    def lies_on_a_desk(self) -> bool:
        """Is the sheet surrounded by something that is much darker? What is written on it is dark then, too."""
        return bool(np.mean(self._desk) > SURROUNDED)

    def even_out(self) -> np.ndarray:
        """The same picture in even light, (height, width) uint8, if its ink is dark; so it is in what is returned."""
        desk = cv2.dilate(self._desk.view(np.uint8), np.ones((RIM, RIM), np.uint8))
        size = self.grey.shape[::-1]
        paper, desk = (cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in (self._paper, desk))
        even = cv2.divide(self.grey, np.maximum(paper, 1), scale=WHITE)
        even[desk > 0] = WHITE
        return even

    def find_sheet(self) -> np.ndarray | None:
        """Where the sheet is, (h, w) bool, small, if it is surrounded by a desk that is darker; None if it is not.

        A hand's shadow may look like such a desk: what lies in it is beside this sheet.
        """
        _, light = cv2.threshold(self._paper, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        contours, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        if not contours:
            return None
        outline = max(contours, key=cv2.contourArea)
        hull = cv2.convexHull(outline)
        sheet = cv2.drawContours(np.zeros_like(light), [hull], -1, 1, cv2.FILLED) > 0
        sides = sum(np.mean(~side) > BEYOND for side in (sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]))
        if not LEAST < np.mean(sheet) < MOST or sides < SIDES:
            return None
        is_convex = cv2.contourArea(outline) > CONVEX * cv2.contourArea(hull)
        desk = np.percentile(self._paper[~sheet], 90)
        return sheet if is_convex and desk < DARKER * np.median(self._paper[sheet]) else None

    @cached_property
    def _paper(self) -> np.ndarray:
        return _find_paper(self.grey)

    @cached_property
    def _desk(self) -> np.ndarray:
        return self._paper < DESK * np.percentile(self._paper, LIGHTEST)


def find_small(grey: np.ndarray) -> Box | None:
    """Where all that is far darker than the paper around it stands, with room, if that is a small part of a large page.

    grey: (height, width) uint8. Returns left, top, right and bottom.
    """
    if max(grey.shape) < LARGE:
        return None
    depth = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((THIN, THIN), np.uint8))
    grain = float(np.percentile(depth[::4, ::4], GRAIN))
    x, y, width, height = cv2.boundingRect((depth > max(STANDS_OUT * grain, DEEP)).view(np.uint8))
    side = max(width, height)
    if not 0 < side <= SMALL * max(grey.shape):
        return None
    room = round(ROOM * side)
    return max(x - room, 0), max(y - room, 0), x + width + room, y + height + room


def _find_paper(grey: np.ndarray) -> np.ndarray:
    """The grey of the paper at each place, small: without what is written on it, dark or light."""
    scale = min(1.0, SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    size = max(3, round(PEN * max(small.shape))) | 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    paper = cv2.copyMakeBorder(cv2.medianBlur(small, 3), *4 * (size,), cv2.BORDER_REPLICATE)
    for without in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):
        paper = cv2.morphologyEx(paper, without, around)
    return np.asarray(cv2.medianBlur(paper, size // 2 | 1)[size:-size, size:-size])
