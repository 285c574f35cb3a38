"""Layout: strokes into lines of writing, and lines into strips that are read whole.

All of it is geometry. A stroke belongs to the line of its neighbour to the left whose height it shares, so that
slanted and curved lines hold together; what is much lower than its neighbour (a point, a dash, a bar) goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

import cv2
import numpy as np

from digits.brackets import find_brackets
from digits.normalise import FRAME, crop, normalise, pen_width
from digits.objects import find_objects
from digits.recognition import Box
from digits.rings import without_rings
from digits.sequence import Seen
from digits.strokes import INKED, THUMBNAIL, Stroke, find_strokes, join, lie_within
from digits.underlines import find_underlines

FAINT_EDGE = 0.08  # down to here a digit is cropped, soft edge of the pen included
LOW = 0.45  # height, in those of a stroke beside it, up to which a stroke is a mark that goes with it
BESIDE, OVER = 1.5, 0.25  # how far such a mark is from it at most, in its heights,
EQUAL, FLAT = 0.7, 0.7  # height, in those of one beside it and in its widths, of a small digit, which is no such mark
FAR_OVER = 0.6  # and how far over or under it where there is little else: the bar of a 5
IN_LINE = 0.35  # share of its height that a stroke has in common with those of its line
LATEST = 8  # strokes of a line among which the nearest are
TREND, STEEPEST = 3, 0.8  # strokes that tell how a line runs, and how steeply it does at most
NEAR = 2.5  # heights to the next stroke, up to which a line goes on as it runs
MOST = 600  # strokes that are read, so that no picture takes more than seconds
EYE = 1.5  # pens that a dot within another stroke is wide at least: an eye of a face, no speck
DOT, MANY = 2.5, 4  # pens that a dot is wide at most; so many that stand alone are a pattern
BROKEN = 0.12  # gap, in heights, between two parts of a digit that the pen left in two
TALL, SLENDER = 2.2, 0.5  # widths that a digit of two such parts is high at most, if both are wider for their height
REST = 0.6  # height of what is left of a neighbour, in those of the highest stroke; its width, in its own
FEW = 4  # strokes of a picture that hardly holds several lines
SPACE = 1.6  # gap, in heights of the line, at which a strip ends
NARROW, CLOSE = 1.7, 0.5  # width and gap, in heights, up to which a strip may be one digit, whatever is read in it
MOST_HOLES, HOLE = 2, 0.01  # that a digit has, as an 8 or a slashed 0; share of its box that one takes at least
ABOVE = 0.65  # share of the narrower's width that two strokes have in common where they are one sign
MARKING = {"underlines": find_underlines, "brackets": find_brackets}  # what people draw around a number to mark it


@dataclass(frozen=True, eq=False)
class Mark:
    """What stands at one place of a strip.

    line: from 0. strokes: of how many its ink is; cut: whether some of it was cut off from others'.
    image: (28, 28) float32, normalised, as the digit network takes it; None for what is too low for a digit.
    """

    seen: Seen
    box: Box
    line: int
    image: np.ndarray | None
    strokes: int = 1
    cut: bool = False


@dataclass(frozen=True, eq=False)
class Strip:
    """Strokes of a line without wide gaps, from left to right. height: in pixels, that of the line's digits."""

    line: int
    height: float
    strokes: tuple[Stroke, ...]

    @cached_property
    def whole(self) -> Stroke:
        """All of it as one stroke."""
        return join(self.strokes)

    @property
    def may_be_one(self) -> bool:
        """Is it narrow enough, and close enough together, for a single digit, and none of the things people draw?"""
        ends = np.maximum.accumulate([stroke.box[2] for stroke in self.strokes])
        gap = max((stroke.box[0] - end for stroke, end in zip(self.strokes[1:], ends, strict=False)), default=0)
        narrow = self.whole.width <= NARROW * self.whole.height and gap <= CLOSE * self.whole.height
        return narrow and not _is_drawing(self.whole.ink)


@dataclass
class Layout:
    """What was found before anything is read.

    single: all of it is one digit. framed: the ink, (28, 28) float32, of a picture of MNIST's size: its digit may be in
    MNIST's frame already, with noise around it.
    """

    strips: list[Strip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    single: bool = False
    framed: np.ndarray | None = None


def find_layout(
    ink: np.ndarray,
    single: bool = False,
    shape: tuple[int, ...] | None = None,
    wanted: Callable[[Stroke], bool] | None = None,
    rules: np.ndarray | None = None,
) -> Layout:
    """Find strokes, lines and strips.

    ink: (height, width) float32 in [0, 1]. single: all of it is one digit. shape: the picture's, if not the ink's.
    wanted: which strokes are looked at; all if None. rules: as of `ink`, what looks ruled.
    """
    shape = shape or ink.shape
    ink, strokes, notes = _find_strokes(ink, rules, shape)
    strokes = list(filter(wanted, strokes)) if wanted else strokes
    if not strokes:
        return Layout(notes=[*notes, "nothing drawn"])
    single = single or max(shape) <= THUMBNAIL
    if not single:
        strokes, objects = _leave_out(strokes, find_objects(strokes, ink.shape), "objects at the edge")
        notes += objects
        strokes, rest = _without_rest(strokes, ink.shape)
        strokes, specks = _without_specks(strokes, ink)
        notes += rest + specks
    if len(strokes) > MOST:
        strokes = sorted(strokes, key=lambda stroke: stroke.height)[-MOST:]
        notes.append(f"too many marks: only the {MOST} highest were read")
    if not single:
        for what, find in MARKING.items():
            strokes, ignored = _leave_out(strokes, find(strokes), what)
            notes += ignored
    lines = [[join(strokes)]] if single else find_lines(strokes)
    strips = [strip for index, line in enumerate(lines) for strip in find_strips(index, line)]
    framed = cv2.resize(ink, shape, interpolation=cv2.INTER_AREA) if shape == (FRAME, FRAME) else None
    return Layout(strips, notes, single, framed)


def _find_strokes(
    ink: np.ndarray, rules: np.ndarray | None, shape: tuple[int, ...]
) -> tuple[np.ndarray, list[Stroke], list[str]]:
    """Ink without what is drawn around other ink, though some of that looks ruled; its strokes; notes."""
    strokes, notes = find_strokes(ink)
    seen, rings = without_rings(ink, rules, strokes) if max(shape) > THUMBNAIL else (ink, [])
    if rings:
        strokes, notes = find_strokes(seen)
    return seen, strokes, notes + rings


def _without_rest(strokes: list[Stroke], shape: tuple[int, ...]) -> tuple[list[Stroke], list[str]]:
    """Without what is left at the left or right edge of a neighbour that was cut off: low, narrow, and upright."""
    tallest = max(stroke.height for stroke in strokes)

    def is_rest(stroke: Stroke) -> bool:
        at_edge = stroke.box[0] == 0 or stroke.box[2] == shape[1]
        return at_edge and stroke.height < REST * tallest and stroke.width < REST * stroke.height

    kept = [stroke for stroke in strokes if not is_rest(stroke)]
    return kept, [f"cut off at the edge and ignored: {len(strokes) - len(kept)}"] if len(kept) < len(strokes) else []


def _without_specks(strokes: list[Stroke], ink: np.ndarray) -> tuple[list[Stroke], list[str]]:
    """Without dots that stand beside nothing, and short upright strokes, the ends of ruled lines; where there are many
    such dots, without any. And a note of them."""
    tallest = max(stroke.height for stroke in strokes)
    if all(stroke.height >= LOW * tallest for stroke in strokes):
        return strokes, []
    pen = pen_width(ink)
    most = DOT * pen
    dots = np.array([max(stroke.width, stroke.height) <= most for stroke in strokes])
    boxes = np.array([stroke.box for stroke in strokes])
    eyes = np.array([min(stroke.width, stroke.height) > EYE * pen for stroke in strokes]) & lie_within(
        boxes, boxes
    ).any(axis=1)
    high = [stroke.height for stroke in strokes if stroke.height > most]
    usual = float(np.median(high)) if high else 0.0
    ends = np.array([stroke.width <= most and stroke.height < LOW * usual for stroke in strokes])
    alone = np.array([large is None for large in _find_low(strokes)]) & ~eyes
    specks = (dots if np.count_nonzero(dots & alone) >= MANY else dots & alone) | (ends & alone)
    if not specks.any() or specks.all():
        return strokes, []
    kept = [stroke for stroke, speck in zip(strokes, specks, strict=True) if not speck]
    return kept, [f"specks ignored: {np.count_nonzero(specks)}"]


def _leave_out(strokes: list[Stroke], found: list[Stroke], what: str) -> tuple[list[Stroke], list[str]]:
    """Without those that were found, and a note of what they are."""
    kept = [stroke for stroke in strokes if stroke not in found]
    return kept, [f"{what} ignored: {len(found)}"] if found else []


def find_lines(strokes: list[Stroke]) -> list[list[Stroke]]:
    """Strokes into lines, top to bottom, each from left to right."""
    if len(strokes) <= FEW and not are_bars(strokes):
        strokes = _mend_breaks(strokes)
    beside = _pair_bars(strokes, _find_low(strokes))
    lines: list[list[Stroke]] = []
    for stroke in sorted((s for s, large in zip(strokes, beside, strict=True) if large is None), key=_left):
        shared = [_shared_height(line, stroke) for line in lines]
        if max(shared, default=0.0) < IN_LINE:
            lines.append([stroke])
        else:
            lines[shared.index(max(shared))].append(stroke)
    of_stroke = {id(stroke): line for line in lines for stroke in line}
    for stroke, large in zip(strokes, beside, strict=True):
        if large is not None:
            of_stroke[id(large)].append(stroke)
    lines.sort(key=lambda line: float(np.mean([s.box[1] + s.box[3] for s in line])))
    return [sorted(line, key=_left) for line in lines]


def _left(stroke: Stroke) -> int:
    return stroke.box[0]


def _mend_breaks(strokes: list[Stroke]) -> list[Stroke]:
    """A digit that the pen left in two, one part closely above the other, is one stroke."""
    mended: list[Stroke] = []
    for stroke in sorted(strokes, key=lambda s: s.box[1]):
        broken = next((other for other in mended if _continues(other, stroke)), None)
        if broken is not None:
            mended.remove(broken)
            stroke = join([broken, stroke])
        mended.append(stroke)
    return mended


def _continues(upper: Stroke, lower: Stroke) -> bool:
    common = min(upper.box[2], lower.box[2]) - max(upper.box[0], lower.box[0])
    gap = (lower.box[1] - upper.box[3]) / (lower.box[3] - upper.box[1])
    alike = min(upper.height, lower.height) > IN_LINE * max(upper.height, lower.height)
    close = common > 0.5 * min(upper.width, lower.width) and abs(gap) < BROKEN
    return alike and close and not _are_two(upper, lower)


def _are_two(upper: Stroke, lower: Stroke) -> bool:
    """Are they as high together as two digits, and each as wide as one? A 1 in two parts is not."""
    high = lower.box[3] - upper.box[1] > TALL * max(upper.width, lower.width)
    return high and min(stroke.width / stroke.height for stroke in (upper, lower)) > SLENDER


def _find_low(strokes: list[Stroke]) -> list[Stroke | None]:
    """Of each stroke: the nearest one beside, above or below it that is much higher and no such mark itself, if any."""
    if len(strokes) == 1:
        return [None]
    left, top, right, bottom = np.array([stroke.box for stroke in strokes], float).T
    height = bottom - top
    across = np.maximum(np.maximum(left[:, None] - right, left - right[:, None]), 0) / height  # [mark, large]
    down = np.maximum(np.maximum(top[:, None] - bottom, top - bottom[:, None]), 0) / height
    over = OVER if len(strokes) > FEW else FAR_OVER
    small = (height > FLAT * (right - left)) & _has_equal(across, down, height)  # digits of their own line: small zeros
    goes_with = (height[:, None] < LOW * height) & (across < BESIDE) & (down < np.where(small, 0, over)[:, None])
    goes_with[:, goes_with.any(axis=1)] = False
    distance = np.where(goes_with, np.hypot(across, down) * height, np.inf)
    return [
        strokes[nearest] if goes_with[place, nearest] else None for place, nearest in enumerate(distance.argmin(axis=1))
    ]


def _pair_bars(strokes: list[Stroke], beside: list[Stroke | None]) -> list[Stroke | None]:
    """The same, where the lower of two bars goes with the upper if nothing else is there: an equals sign alone."""
    if len(strokes) != 2 or not are_bars(strokes):
        return beside
    upper, lower = sorted(strokes, key=lambda stroke: stroke.box[1])
    common = min(upper.box[2], lower.box[2]) - max(upper.box[0], lower.box[0])
    equals = common > EQUAL * max(upper.width, lower.width) and lower.box[1] - upper.box[3] < FLAT * upper.width
    return [upper if equals and stroke is lower else None for stroke in strokes]


def _has_equal(across: np.ndarray, down: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Of each stroke: does another one stand beside it that is about as high? across, down: gaps, in heights."""
    alike = np.minimum(height[:, None], height) > EQUAL * np.maximum(height[:, None], height)
    return np.asarray((alike & (across > 0) & (across < BESIDE) & (down == 0)).any(axis=1))


def _shared_height(line: list[Stroke], stroke: Stroke) -> float:
    """Share of the lower one's height that the stroke has in common with the nearest strokes of the line.

    A line that runs up or down is taken to go on as it does.
    """
    near = sorted(line[-LATEST:], key=lambda s: abs(s.box[2] - stroke.box[0]))[:2]
    ahead = stroke.middle[0] - near[0].middle[0]
    falls = _slope(line[-TREND], line[-1]) * ahead if len(line) >= TREND and ahead < NEAR * stroke.height else 0.0
    top, bottom = falls + min(s.box[1] for s in near), falls + max(s.box[3] for s in near)
    common = min(bottom, stroke.box[3]) - max(top, stroke.box[1])
    return common / min(bottom - top, stroke.height)


def _slope(first: Stroke, last: Stroke) -> float:
    (x, y), (end_x, end_y) = first.middle, last.middle
    return min(max((end_y - y) / max(end_x - x, 1.0), -STEEPEST), STEEPEST)


def find_strips(index: int, line: list[Stroke]) -> list[Strip]:
    """Parts of a line between gaps that no number has."""
    heights = [stroke.height for stroke in line]
    height = float(median(h for h in heights if h >= LOW * max(heights)))
    ends = np.maximum.accumulate([stroke.box[2] for stroke in line])
    parts: list[list[Stroke]] = [[line[0]]]
    for stroke, end in zip(line[1:], ends, strict=False):
        if stroke.box[0] - end > SPACE * height:
            parts.append([])
        parts[-1].append(stroke)
    return [Strip(index, height, tuple(part)) for part in parts]


def level(strip: Strip) -> np.ndarray:
    """The ink of a strip, (height, width) float32, cropped, put level; its columns stay where they are."""
    whole, slope = strip.whole, _slope_of(strip)
    if not slope:
        return whole.ink
    rise = abs(slope) * whole.width
    matrix = np.array([[1, 0, 0], [-slope, 1, rise if slope > 0 else 0]])
    flat = cv2.warpAffine(whole.ink, matrix, (whole.width, whole.height + round(rise)), flags=cv2.INTER_LINEAR)
    rows = np.flatnonzero((flat > FAINT_EDGE).any(axis=1))
    return flat[rows[0] : rows[-1] + 1]


def _slope_of(strip: Strip) -> float:
    """How many rows a strip runs down for each column; 0 if too little stands there to tell, and bars alone do tell."""
    if are_bars(strip.strokes):
        return float(np.mean([stroke.slope for stroke in strip.strokes]))
    large = [stroke.box for stroke in strip.strokes if stroke.height >= LOW * strip.height]
    if len(large) < 3 or strip.whole.width < 3 * strip.height:
        return 0.0
    left, top, right, bottom = np.array(large, float).T
    return float(np.polyfit(left + right, top + bottom, 1)[0])


def _is_drawing(ink: np.ndarray) -> bool:
    """Has it more holes than any digit, or several things in one: a wheel, a face?"""
    contours, tree = cv2.findContours((ink > INKED).view(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) <= MOST_HOLES:
        return False
    parents = tree[0, :, 3]
    inside = (parents >= 0) & (parents[parents] >= 0)
    large = np.array([cv2.contourArea(contour) > HOLE * ink.size for contour in contours])
    return bool(np.count_nonzero(inside) > 1 or np.count_nonzero((parents >= 0) & ~inside & large) > MOST_HOLES)


def are_bars(strokes: Sequence[Stroke]) -> bool:
    """Is none of them anything but a dash, or half of an equals sign?"""
    return all(stroke.slope is not None for stroke in strokes)


def group_strokes(strip: Strip) -> list[list[Stroke]]:
    """The strokes of a strip, those above one another together, from left to right."""
    groups: list[list[Stroke]] = []
    for stroke in strip.strokes:
        last = join(groups[-1]) if groups else None
        if last and min(last.box[2], stroke.box[2]) - stroke.box[0] > ABOVE * min(last.width, stroke.width):
            groups[-1].append(stroke)
        else:
            groups.append([stroke])
    return groups


def make_mark(seen: Seen, strokes: Sequence[Stroke], line: int, high: bool = True) -> Mark:
    """A mark with this ink; what may be a digit, as it is high or seen as one, is brought into MNIST's frame."""
    stroke = join(strokes)
    image = frame_digit(stroke.ink) if high or seen.text.isdigit() else None
    return Mark(seen, stroke.box, line, image, len(strokes))


def frame_digit(ink: np.ndarray) -> np.ndarray:
    """(28, 28) float32, as the digit network takes it. ink: (height, width) float32."""
    return normalise(crop(ink, FAINT_EDGE))
