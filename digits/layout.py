"""Layout: strokes grouped into digits, digits into lines, in reading order.

The strokes of a line are put in order from left to right. A digit is a run of neighbouring strokes; where one stroke
holds several digits that touch, it is cut. Which runs and cuts are digits is what the classifier knows best: every
possible run is looked at, and the sequence of runs with the highest probability is taken (a segmentation lattice, as in
Casey and Lecolinet 1996, "A survey of methods and strategies in character segmentation").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from digits.normalise import normalise, pen_width
from digits.recognition import Box

INKED = 0.35  # what is darker belongs to a stroke
LONGEST_RUN = 4  # strokes of one digit
WIDEST = 1.7  # width of a digit, in heights of its line
WIDEST_GAP = 0.45  # between two strokes of one digit, in heights of the line
CUT_COST = 2.5  # how much less probable, as a logarithm, a cut through ink is than none
THUMBNAIL = 40  # a picture of at most so many pixels a side holds one digit

Classify = Callable[[np.ndarray], np.ndarray]
"""(n, 28, 28, 1) float32 to (n, 10) probabilities."""


@dataclass(frozen=True, eq=False)
class Stroke:
    """Ink that belongs together. box: in the ink; ink: (height, width) float32, cropped to the box, others' ink out."""

    box: Box
    ink: np.ndarray

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]


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


@dataclass
class Layout:
    """What was found before the classifier has seen it: the strokes of each line and the runs that may be digits."""

    lines: list[list[Stroke]] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_layout(ink: np.ndarray, single: bool = False) -> Layout:
    """Find strokes and lines. ink: (height, width) float32 in [0, 1]; single: all of it is one digit."""
    strokes, notes = find_strokes(ink)
    if not strokes:
        return Layout(notes=[*notes, "nothing drawn"])
    thumbnail = max(ink.shape) <= THUMBNAIL
    lines = [[join(strokes)]] if single or thumbnail or len(strokes) == 1 else find_lines(strokes)
    layout = Layout(lines, notes=notes)
    layout.candidates = [candidate for index, line in enumerate(lines) for candidate in _runs(index, line)]
    return layout


def choose_digits(
    layout: Layout, probabilities: np.ndarray, classify: Classify, single: bool = False
) -> tuple[list[Found], list[str]]:
    """Take the most probable sequence of digits in each line, cutting strokes that hold several.

    probabilities: (n, 10), one row for each of layout.candidates.
    Returns the digits in reading order, and notes.
    """
    found: list[Found] = []
    notes: list[str] = []
    rows = dict(zip(map(id, layout.candidates), probabilities, strict=True))
    for index, line in enumerate(layout.lines):
        candidates = [candidate for candidate in layout.candidates if candidate.line == index]
        scores = [_score(rows[id(candidate)]) for candidate in candidates]
        for candidate in _best_path(candidates, scores, len(line)):
            row = rows[id(candidate)]
            whole = Found(candidate.box, candidate.image, row, index)
            parts = [] if single else _cut(join(line[candidate.first : candidate.last + 1]), whole, line, classify)
            found.extend(parts or [whole])
            if parts:
                notes.append(f"touching digits: cut into {len(parts)}")
            elif candidate.last > candidate.first:
                notes.append(f"{candidate.last - candidate.first + 1} strokes joined into one digit")
    return found, notes


def find_strokes(ink: np.ndarray) -> tuple[list[Stroke], list[str]]:
    """Connected ink, specks left out."""
    inked = (ink > INKED).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    if count > 9:
        count, labels, stats = _bridge_dots(inked, count, labels, stats)
    if count <= 1:
        return [], []
    sizes = stats[1:, cv2.CC_STAT_AREA].astype(float)
    extents = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    least = max(ink.shape) / 100 if max(ink.shape) > THUMBNAIL else 0
    kept = (sizes > 0.02 * sizes.max()) & (extents > 0.1 * extents.max()) & (extents > least)
    strokes = [_stroke(ink, labels, stats, label + 1) for label in np.flatnonzero(kept)]
    notes = [f"specks ignored: {count - 1 - len(strokes)}"] if len(strokes) < count - 1 else []
    return strokes, notes


def _bridge_dots(inked: np.ndarray, count: int, labels: np.ndarray, stats: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """A dotted line is one stroke: if a pen's width bridges most gaps between many dots, they are bridged."""
    dots = stats[1:, cv2.CC_STAT_AREA]
    reach = max(2, round(float(np.sqrt(np.median(dots)))))
    if reach > 0.04 * max(inked.shape):
        return count, labels, stats
    bridged = cv2.dilate(inked, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach + 1, reach + 1)))
    fewer, bridged_labels = cv2.connectedComponents(bridged, connectivity=8)
    if fewer - 1 > (count - 1) / 3:
        return count, labels, stats
    labels = bridged_labels * inked
    stats = np.array([[0, 0, 0, 0, 0], *(_stat(labels == label) for label in range(1, fewer))], np.int32)
    return fewer, labels, stats


def _stat(mask: np.ndarray) -> list[int]:
    return [*cv2.boundingRect(mask.astype(np.uint8)), int(mask.sum())]


def _stroke(ink: np.ndarray, labels: np.ndarray, stats: np.ndarray, label: int) -> Stroke:
    left, top, width, height = (int(value) for value in stats[label, :4])
    # One pixel more on each side, where the pen's soft edge is.
    box = max(0, left - 1), max(0, top - 1), min(ink.shape[1], left + width + 1), min(ink.shape[0], top + height + 1)
    window = slice(box[1], box[3]), slice(box[0], box[2])
    own = labels[window] == label
    other = (labels[window] > 0) & ~own
    part = np.where(other, 0, ink[window])
    if other.any():
        part = part * cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8))
    return Stroke(box, part.astype(np.float32))


def join(strokes: list[Stroke]) -> Stroke:
    """Several strokes as one."""
    if len(strokes) == 1:
        return strokes[0]
    boxes = np.array([stroke.box for stroke in strokes])
    left, top = (int(value) for value in boxes[:, :2].min(axis=0))
    right, bottom = (int(value) for value in boxes[:, 2:].max(axis=0))
    ink = np.zeros((bottom - top, right - left), np.float32)
    for stroke in strokes:
        x, y = stroke.box[0] - left, stroke.box[1] - top
        view = ink[y : y + stroke.height, x : x + stroke.width]
        np.maximum(view, stroke.ink, out=view)
    return Stroke((left, top, right, bottom), ink)


def find_lines(strokes: list[Stroke]) -> list[list[Stroke]]:
    """Strokes into lines, top to bottom, each from left to right.

    A stroke belongs to the line of its neighbour to the left whose height it shares, so that slanted lines hold
    together; what is much lower than a digit (a bar, a dot) goes to the nearest line.
    """
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
            candidates.append(Candidate(index, first, last, run.box, normalise(_tight(run.ink))))
    return candidates


def _tight(ink: np.ndarray) -> np.ndarray:
    """Crop to the ink, down to its faint edge."""
    left, top, width, height = cv2.boundingRect((ink > 0.08).astype(np.uint8))
    return ink[top : top + height, left : left + width] if width else ink


def _score(row: np.ndarray) -> float:
    return float(np.log(max(float(row.max()), 1e-6)))


def _best_path(candidates: list[Candidate], scores: list[float], count: int) -> list[Candidate]:
    """The sequence of runs over all `count` strokes with the highest sum of scores (dynamic programming)."""
    best = [0.0] + [-np.inf] * count
    chosen: list[Candidate | None] = [None] * (count + 1)
    for candidate, score in sorted(zip(candidates, scores, strict=True), key=lambda pair: pair[0].last):
        total = best[candidate.first] + score
        if total > best[candidate.last + 1]:
            best[candidate.last + 1], chosen[candidate.last + 1] = total, candidate
    path: list[Candidate] = []
    end = count
    while end > 0:
        candidate = chosen[end]
        assert candidate is not None  # every single stroke is a candidate
        path.append(candidate)
        end = candidate.first
    return path[::-1]


def _cut(stroke: Stroke, whole: Found, line: list[Stroke], classify: Classify) -> list[Found]:
    """Cut a stroke that is no single digit into touching ones; [] if it is better left whole."""
    height = max(s.height for s in line)
    confidence = float(whole.probabilities.max())
    aspect = stroke.width / stroke.height
    if confidence > 0.9 or aspect < 0.6 or (aspect < 0.9 and confidence > 0.5):
        return []
    cuts = _cut_places(stroke.ink)
    pieces = [(a, b) for i, a in enumerate(cuts) for b in cuts[i + 1 :]]
    candidates = []
    for a, b in pieces:
        part = _between(stroke, a, b)
        if part is not None and 0.08 * height < part.width < 1.3 * height and part.height > 0.4 * height:
            image = normalise(_tight(part.ink))
            candidates.append(Candidate(whole.line, cuts.index(a), cuts.index(b) - 1, part.box, image))
    if not candidates:
        return []
    rows = classify(np.stack([candidate.image for candidate in candidates])[..., None])
    scores = [_score(row) - CUT_COST for row in rows]
    if not _is_covered(candidates, len(cuts) - 1):
        return []
    path = _best_path(candidates, scores, len(cuts) - 1)
    places = {id(candidate): i for i, candidate in enumerate(candidates)}
    total = sum(scores[places[id(candidate)]] for candidate in path)
    if len(path) < 2 or total + CUT_COST < _score(whole.probabilities):
        return []
    return [Found(c.box, c.image, rows[places[id(c)]], whole.line) for c in path]


def _is_covered(candidates: list[Candidate], count: int) -> bool:
    """Is there any sequence of candidates from the first piece to the last?"""
    reached = {0}
    for candidate in sorted(candidates, key=lambda c: c.first):
        if candidate.first in reached:
            reached.add(candidate.last + 1)
    return count in reached


def _cut_places(ink: np.ndarray) -> list[tuple[float, float]]:
    """Straight cuts (x at mid-height, slant) from left to right, where little ink is crossed; both ends included."""
    height, width = ink.shape
    middle = height / 2
    pen = pen_width(ink)
    places: list[tuple[float, float, float]] = []  # ink crossed, x, slant
    for slant in (-0.35, -0.15, 0.0, 0.15, 0.35):
        sheared = cv2.warpAffine(ink, np.array([[1, slant, -slant * middle], [0, 1, 0]], np.float32), (width, height))
        profile = cv2.GaussianBlur(sheared.sum(axis=0).reshape(1, -1), (0, 0), max(0.5, pen / 4)).ravel()
        for x in range(1, width - 1):
            if profile[x] <= profile[x - 1] and profile[x] < profile[x + 1] and profile[x] < 3 * pen:
                places.append((float(profile[x]), float(x), slant))
    chosen: list[tuple[float, float]] = []
    for _, x, slant in sorted(places):
        inside = 0.12 * height < x < width - 0.12 * height
        if inside and len(chosen) < 6 and all(abs(x - other) > max(pen, 0.08 * height) for other, _ in chosen):
            chosen.append((x, slant))
    return [(-1.0 - height, 0.0), *sorted(chosen), (width + 1.0 + height, 0.0)]


def _between(stroke: Stroke, first: tuple[float, float], last: tuple[float, float]) -> Stroke | None:
    """The ink right of one cut and left of another."""
    height, width = stroke.ink.shape
    x = np.arange(width)[None]
    y = np.arange(height)[:, None] - height / 2
    ink = stroke.ink * ((x >= first[0] + first[1] * y) & (x < last[0] + last[1] * y))
    left, top, columns, rows = cv2.boundingRect((ink > INKED).astype(np.uint8))
    if columns == 0:
        return None
    box = stroke.box[0] + left, stroke.box[1] + top, stroke.box[0] + left + columns, stroke.box[1] + top + rows
    return Stroke(box, ink[top : top + rows, left : left + columns])
