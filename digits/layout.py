"""Layout: strokes grouped into digits, digits into lines, in reading order.

The strokes of a line are put in order from left to right. A digit is a run of neighbouring strokes; where one stroke
holds several digits that touch, it is cut. Which runs and cuts are digits is what the classifier knows best: every
possible run is looked at, and the sequence of runs with the highest probability is taken (a segmentation lattice, as in
Casey and Lecolinet 1996, "A survey of methods and strategies in character segmentation"). The sequence network, which
needs no cuts, reads a stroke as a whole: what is certain to it is not cut, and where a cut leaves a doubt, it decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from digits.cutting import INKED, Part, find_parts
from digits.normalise import FRAME, crop, normalise
from digits.recognition import UNSURE_BELOW, Box
from digits.sequence import Read
from digits.strokes import THUMBNAIL, Stroke, find_strokes, join

FAINT_EDGE = 0.08  # down to here a digit is cropped, soft edge of the pen included
LONGEST_RUN = 4  # strokes of one digit
WIDEST = 1.7  # width of a digit, in heights of its line
WIDEST_GAP = 0.45  # between two strokes of one digit, in heights of the line
CUT_HEIGHT = 64  # pixels to which a stroke is reduced before it is cut
CUT_COST = 0.1  # how much less probable, as a logarithm, a cut through ink is than none
LOW, LOW_COST = 0.6, 2.0  # a part lower than this, in heights of the line, is as much less probable for each height
LONGEST_READ = 20  # width of a stroke in its heights, above which it is a line and no row of digits
NARROWEST_CUT = 0.4  # width of a stroke in its heights, below which it holds one digit at most
FEW = 4  # strokes of a picture that hardly holds several lines
LIKELY = 0.3  # least probability of a part that may be a digit
CUT_SURE = 0.5  # least probability that all parts of a cut are digits
CUT_ODDS = 15  # how many times the odds of the whole those of the parts must be
TANGLED, TANGLED_SURE = 1.8, 0.92  # of ink whose seams cross more pens: the parts of a scribble, too, look like digits
CUT_CERTAIN = 0.995  # probability that all parts of a cut are digits, from which on what is read counts less
SNARLED = 2.2  # as TANGLED: what is more tangled is a scribble, of which only a certain reading is believed
READ_SURE = 0.6  # least probability of what the sequence network reads
READ_CERTAIN = 0.93  # probability from which on it is believed without a cut
WHOLE_CERTAIN = 0.99  # confidence of a single digit, from which on it is not read
DIGIT_CERTAIN = 0.95  # probability that it is one digit, though unclear which, from which on it is not cut
TOUCHING_TRUST = 0.9  # share of what looks like touching digits that is
BESIDE_TRUST = 0.9  # the same of a digit close beside them, or beside what is unsure
VIEWS = tuple((width, lean) for width in (0.5, 1.5) for lean in (-0.2, 0.0, 0.2))  # narrower, wider; leaning or not

Classify = Callable[[np.ndarray], np.ndarray]
"""(n, 28, 28, 1) float32 to (n, 10) probabilities."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A run of strokes that may be one digit. image: (28, 28) float32, normalised."""

    line: int
    first: int
    last: int
    box: Box
    image: np.ndarray


@dataclass(frozen=True, eq=False)
class Found:
    """A digit of the layout. probabilities: (10,) float32; line: from 0."""

    box: Box
    image: np.ndarray
    probabilities: np.ndarray
    line: int

    @property
    def confidence(self) -> float:
        """Probability in [0, 1] that the most probable label is right."""
        return float(self.probabilities.max())


@dataclass
class Layout:
    """What was found before the classifier has seen it: the strokes of each line and the runs that may be digits.

    single: all of it is one digit. framed: the ink, (28, 28) float32, of a picture of MNIST's size: its digit may be in
    MNIST's frame already, with noise around it.
    """

    lines: list[list[Stroke]] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    single: bool = False
    framed: np.ndarray | None = None


def find_layout(ink: np.ndarray, single: bool = False) -> Layout:
    """Find strokes and lines. ink: (height, width) float32 in [0, 1]; single: all of it is one digit."""
    strokes, notes = find_strokes(ink)
    if not strokes:
        return Layout(notes=[*notes, "nothing drawn"])
    single = single or max(ink.shape) <= THUMBNAIL
    lines = [[join(strokes)]] if single or len(strokes) == 1 else find_lines(strokes)
    layout = Layout(lines, notes=notes, single=single, framed=ink if ink.shape == (FRAME, FRAME) else None)
    layout.candidates = [candidate for index, line in enumerate(lines) for candidate in _runs(index, line)]
    return layout


def choose_digits(
    layout: Layout, probabilities: np.ndarray, classify: Classify, read: Read
) -> tuple[list[Found], list[str]]:
    """Take the most probable sequence of digits in each line, parting those that touch.

    probabilities: (n, 10), one row for each of layout.candidates.
    Returns the digits in reading order, and notes.
    """
    found: list[Found] = []
    notes: list[str] = []
    for index, line in enumerate(layout.lines):
        groups: list[list[Found]] = []
        for strokes, whole in _likely_runs(layout, index, probabilities):
            whole = look_again(whole, classify, layout.framed)
            touching = [] if layout.single else _part(join(strokes), whole, line, classify, read)
            groups.append(touching or [whole])
            if touching:
                notes.append(f"touching digits: parted into {len(touching)}")
            elif len(strokes) > 1:
                notes.append(f"{len(strokes)} strokes joined into one digit")
        found.extend(_doubt_beside_unsure(groups))
    return found, notes


def _likely_runs(layout: Layout, index: int, probabilities: np.ndarray) -> Iterator[tuple[list[Stroke], Found]]:
    """The runs of strokes that are most probably a line's digits, in order, each beside what it is as one digit."""
    line = layout.lines[index]
    own = [place for place, candidate in enumerate(layout.candidates) if candidate.line == index]
    candidates, rows = [layout.candidates[place] for place in own], probabilities[own]
    for place in _best_path(candidates, [_score(row) for row in rows], len(line)):
        run = candidates[place]
        yield line[run.first : run.last + 1], Found(run.box, run.image, rows[place], index)


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
    gap = lower.box[1] - upper.box[3]
    return common > 0.5 * min(upper.width, lower.width) and gap < 0.12 * (lower.box[3] - upper.box[1])


def find_lines(strokes: list[Stroke]) -> list[list[Stroke]]:
    """Strokes into lines, top to bottom, each from left to right.

    A stroke belongs to the line of its neighbour to the left whose height it shares, so that slanted lines hold
    together; what is much lower than a digit (a bar, a dot) goes to the nearest line.
    """
    if len(strokes) <= FEW:
        strokes = _mend_breaks(strokes)
    tall = float(np.median([s.height for s in strokes if s.height >= 0.5 * max(t.height for t in strokes)]))
    large = sorted((s for s in strokes if s.height > 0.45 * tall), key=lambda s: s.box[0])
    small = [s for s in strokes if s.height <= 0.45 * tall]
    lines: list[list[Stroke]] = []
    for stroke in large:
        best = max(lines, key=lambda line: _shared_height(line, stroke), default=None)
        if best is None or _shared_height(best, stroke) < 0.35:
            lines.append([stroke])
        else:
            best.append(stroke)
    lines = lines or [[]]
    for stroke in small:
        min(lines, key=lambda line: _distance(line, stroke)).append(stroke)
    lines.sort(key=lambda line: np.mean([s.box[1] + s.box[3] for s in line]))
    return [_join_overlapping(line) for line in lines]


def _shared_height(line: list[Stroke], stroke: Stroke) -> float:
    """Share of the lower one's height that the stroke has in common with the nearest strokes of the line."""
    near = sorted(line, key=lambda s: abs(s.box[2] - stroke.box[0]))[:2]
    top, bottom = min(s.box[1] for s in near), max(s.box[3] for s in near)
    common = min(bottom, stroke.box[3]) - max(top, stroke.box[1])
    return common / min(bottom - top, stroke.height)


def _distance(line: list[Stroke], stroke: Stroke) -> float:
    return min((_gap(stroke, other) for other in line), default=0.0)


def _gap(first: Stroke, second: Stroke) -> float:
    dx = max(first.box[0] - second.box[2], second.box[0] - first.box[2], 0)
    dy = max(first.box[1] - second.box[3], second.box[1] - first.box[3], 0)
    return float(np.hypot(dx, dy))


def _join_overlapping(line: list[Stroke]) -> list[Stroke]:
    """Strokes above one another are parts of one digit."""
    joined: list[Stroke] = []
    for stroke in sorted(line, key=lambda s: s.box[0]):
        if joined:
            last = joined[-1]
            common = min(last.box[2], stroke.box[2]) - max(last.box[0], stroke.box[0])
            if common > 0.65 * min(last.width, stroke.width):
                joined[-1] = join([last, stroke])
                continue
        joined.append(stroke)
    return joined


def _runs(index: int, line: list[Stroke]) -> list[Candidate]:
    """Every run of neighbouring strokes that is no wider than a digit."""
    height = max(stroke.height for stroke in line)
    candidates = []
    for first in range(len(line)):
        for last in range(first, min(first + LONGEST_RUN, len(line))):
            if last > first and line[last].box[0] - line[last - 1].box[2] > WIDEST_GAP * height:
                break
            run = join(line[first : last + 1])
            if last > first and run.width > WIDEST * height:
                break
            candidates.append(Candidate(index, first, last, run.box, _normalised(run.ink)))
    return candidates


def _score(row: np.ndarray) -> float:
    return math.log(max(float(row.max()), 1e-6))


def _best_path(candidates: Sequence[Candidate | Part], scores: list[float], count: int) -> list[int]:
    """The candidates, by index, that cover all `count` strokes or pieces with the highest sum of scores.

    Found by dynamic programming; [] if no sequence of candidates covers them.
    """
    best = [0.0] + [-np.inf] * count
    chosen = [-1] * (count + 1)
    for place in sorted(range(len(candidates)), key=lambda place: candidates[place].last):
        first, end = candidates[place].first, candidates[place].last + 1
        if best[first] + scores[place] > best[end]:
            best[end], chosen[end] = best[first] + scores[place], place
    path: list[int] = []
    end = count if chosen[count] >= 0 else 0
    while end > 0:
        path.append(chosen[end])
        end = candidates[chosen[end]].first
    return path[::-1]


def _doubt_beside_unsure(groups: list[list[Found]]) -> list[Found]:
    """Less trust in digits close beside what is unsure, or had to be parted: a stroke of a K or a P looks like a one.

    groups: what was found in each run of strokes, one digit or several that touch.
    """
    doubtful = [one for group in groups if len(group) > 1 or group[0].confidence < UNSURE_BELOW for one in group]
    return [
        replace(one, probabilities=BESIDE_TRUST * one.probabilities)
        if one not in doubtful and any(_is_close(one.box, other.box) for other in doubtful)
        else one
        for group in groups
        for one in group
    ]


def _is_close(one: Box, other: Box) -> bool:
    """Could the two be strokes of one sign?"""
    gap = max(one[0], other[0]) - min(one[2], other[2])
    return gap <= WIDEST_GAP * max(one[3] - one[1], other[3] - other[1])


def _part(stroke: Stroke, whole: Found, line: list[Stroke], classify: Classify, read: Read) -> list[Found]:
    """The touching digits of a stroke that is no single digit; [] if it is better left whole.

    It is read in one look first, which takes a tenth of the time of cutting. Where that is not certain, it is cut; and
    where the parts of the cut leave any doubt, what was read is more often right.
    """
    if whole.confidence >= WHOLE_CERTAIN or stroke.width < NARROWEST_CUT * stroke.height:
        return []
    in_one_look, probability = _read_through(stroke, whole, read)
    if probability >= READ_CERTAIN:
        digits = in_one_look
    elif whole.confidence >= UNSURE_BELOW or whole.probabilities.sum() >= DIGIT_CERTAIN:
        digits = []
    else:
        digits, crossed = _cut(stroke, whole, line, classify)
        doubtful = not digits or _together(digits) < CUT_CERTAIN
        if doubtful and probability >= READ_SURE and crossed < SNARLED:
            digits = in_one_look
    return [replace(digit, probabilities=TOUCHING_TRUST * digit.probabilities) for digit in digits]


def _read_through(stroke: Stroke, whole: Found, read: Read) -> tuple[list[Found], float]:
    """What the sequence network reads in a stroke, if it is several digits, and how probable that is; else [] and 0."""
    if stroke.width > LONGEST_READ * stroke.height:
        return [], 0.0
    reading = read(stroke.ink)
    signs = reading.signs
    inks = [stroke.ink[:, sign.start : sign.end] for sign in signs]
    if len(signs) < 2 or any(ink.max(initial=0) <= INKED for ink in inks):  # of two at one place, one is a mistake
        return [], 0.0
    found = []
    for sign, ink in zip(signs, inks, strict=True):
        left, top, width, height = cv2.boundingRect((ink > INKED).view(np.uint8))
        box = sign.start + left, top, sign.start + left + width, top + height
        image = _normalised(ink[top : top + height, left : left + width])
        found.append(Found(_place(box, stroke.box, 1.0), image, sign.probabilities, whole.line))
    return found, reading.probability


def _cut(stroke: Stroke, whole: Found, line: list[Stroke], classify: Classify) -> tuple[list[Found], float]:
    """The parts of a stroke that are digits; [] if it cannot be cut so that all are, and more surely than the whole.

    Beside them, how many pens of ink a seam crosses on average.
    """
    scale = min(1.0, CUT_HEIGHT / stroke.height)
    ink = cv2.resize(stroke.ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else stroke.ink
    height = scale * max(s.height for s in line)
    parts, count, crossed = find_parts(ink, height)
    if not parts:
        return [], crossed
    images = np.stack([_normalised(part.ink) for part in parts])
    rows = classify(images[..., None])
    sure = CUT_SURE if crossed < TANGLED else TANGLED_SURE
    likely = [place for place, row in enumerate(rows) if row.max() >= LIKELY]
    parts, images, rows = [parts[place] for place in likely], images[likely], rows[likely]
    lows = [max(0.0, LOW - part.ink.shape[0] / height) for part in parts]
    scores = [_score(row) - CUT_COST - LOW_COST * low for row, low in zip(rows, lows, strict=True)]
    path = _best_path(parts, scores, count)
    if not path or sum(scores[place] for place in path) + CUT_COST < _score(whole.probabilities):
        return [], crossed
    found = [
        look_again(Found(_place(parts[place].box, stroke.box, scale), images[place], rows[place], whole.line), classify)
        for place in path
    ]
    together = _together(found)
    surely = together >= sure and _odds(together) >= CUT_ODDS * _odds(whole.confidence)
    return (found if surely else []), crossed


def _together(digits: list[Found]) -> float:
    """Probability that all of them are digits, and these."""
    return math.prod(digit.confidence for digit in digits)


def _odds(probability: float) -> float:
    return probability / max(1 - probability, 1e-6)


def look_again(found: Found, classify: Classify, framed: np.ndarray | None = None) -> Found:
    """A digit that is unsure is looked at from other sides, too; the mean of all looks is its answer.

    Where it may be framed already, a look from other sides changes more right answers than wrong ones: the frame is
    looked at as it is, and the surer look counts.
    """
    if found.confidence >= UNSURE_BELOW:
        return found
    if framed is not None:
        as_it_is = replace(found, image=framed, probabilities=classify(framed[None, ..., None])[0])
        return max(found, as_it_is, key=lambda look: look.confidence)
    looks = np.stack([_seen(found.image, *view) for view in VIEWS])
    rows = np.concatenate([found.probabilities[None], classify(looks[..., None])])
    return replace(found, probabilities=rows.mean(axis=0))


def _seen(image: np.ndarray, width: float, lean: float) -> np.ndarray:
    """The image made so many times as wide, and leaning, about its middle. lean: columns to the right a row up."""
    middle = (image.shape[0] - 1) / 2
    seen_from = np.array([[1 / width, lean, middle - middle / width - lean * middle], [0, 1, 0]])
    return cv2.warpAffine(image, seen_from, image.shape, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _normalised(ink: np.ndarray) -> np.ndarray:
    return normalise(crop(ink, FAINT_EDGE))


def _place(box: Box, within: Box, scale: float) -> Box:
    left, top, right, bottom = (round(side / scale) for side in box)
    return within[0] + left, within[1] + top, min(within[0] + right, within[2]), min(within[1] + bottom, within[3])
