"""Underlines: bars under what people have written, to mark it. They are no feet of digits, and no dashes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.normalise import pen_width
from digits.strokes import INKED, Stroke, join

MOST = 60  # bars of a picture; more are a pattern
GAP, CLOSE = 0.04, 0.7  # paper over an underline, in heights of what stands on it, at least, and at most
FEW, STEM, FOOT = 3, 0.3, 0.12  # strokes, and width in these heights, of a stem that stands on it; its foot is so near
WIDE, WIDER = 0.8, 3.0  # its width in that of what stands on it, at least, and at most
HIGH = 3.0  # how high that is, in thicknesses of the underline, at least
BESIDE = 0.5  # nothing stands so near beside its ends, in heights of what stands on it,
BELOW = 1.5  # or so near below it: it is a fraction's


def find_underlines(strokes: Sequence[Stroke]) -> list[Stroke]:
    """Bars under all of something that is no bar, with a gap between, and nothing beside or below."""
    bars = [stroke for stroke in strokes if stroke.slope is not None]
    others = [stroke for stroke in strokes if stroke.slope is None]
    if not others or len(bars) > MOST:
        return []
    return [bar for bar in bars if _underlines(bar, others)]


def _underlines(bar: Stroke, others: Sequence[Stroke]) -> bool:
    left, top, right, bottom = bar.box
    over: list[Stroke] = []
    rest: list[Stroke] = []
    for stroke in others:
        is_over = stroke.box[0] < right and left < stroke.box[2] and stroke.middle[1] < top
        (over if is_over else rest).append(stroke)
    if not over:
        return False
    height = max(stroke.height for stroke in over)
    width = max(stroke.box[2] for stroke in over) - min(stroke.box[0] for stroke in over)
    fits = WIDE * width <= bar.width <= WIDER * width and height >= HIGH * pen_width(bar.ink)
    if not fits:
        return False
    nearest = FOOT if len(over) <= FEW and _width_below(over) < STEM * height else GAP
    if not nearest * height <= min(_gap(stroke, bar) for stroke in over) <= CLOSE * height:
        return False
    reach = BESIDE * height
    beside = (other for other in rest if other.box[0] < right + reach and left - reach < other.box[2])
    return not any(top - height < other.box[3] and other.box[1] < bottom + BELOW * height for other in beside)


def _width_below(strokes: Sequence[Stroke]) -> int:
    """How many columns the lowest third of some strokes takes: few, if they stand on one stem as a 1 does."""
    whole = join(strokes)
    columns = np.flatnonzero((whole.ink[2 * whole.height // 3 :] > INKED).any(axis=0))
    return int(np.ptp(columns)) + 1 if columns.size else 0


def _gap(upper: Stroke, lower: Stroke) -> int:
    """Rows of paper between two strokes where they are nearest, one above the other."""
    first, last = max(upper.box[0], lower.box[0]), min(upper.box[2], lower.box[2])
    above, below = (stroke.ink[:, first - stroke.box[0] : last - stroke.box[0]] > INKED for stroke in (upper, lower))
    foot = upper.box[3] - above[::-1].argmax(axis=0)  # of each column, the row after its last
    head = lower.box[1] + below.argmax(axis=0)
    both = above.any(axis=0) & below.any(axis=0)
    return int((head - foot)[both].min(initial=lower.box[3]))
