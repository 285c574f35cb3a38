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
