"""Table: the rows and columns in which numbers stand, from ruled lines where there are some, else from how they align.

A ruled line is a curve, y of x or x of y, so that a sheet may lie askew, in perspective, or a little bent. The row of a
place is the number of lines above it, its column the number of lines to its left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from digits.layout import Layout, Strip, find_lines
from digits.recognition import Box
from digits.strokes import INKED, Stroke
from digits.turn import SEEN

RULED = 0.25  # of the map of ruled lines, from which on one is there
SHORTEST = 1.5  # of a ruled line, in heights of the digits
PIECES, MOST_LINES = 400, 120  # of ruled lines that are looked at, and lines of a table, each way
SAME = 0.4  # heights between two lines, or pieces of one, up to which they are one line
MEET = 0.4  # heights by which a line may miss another that it meets
CROSSED = 0.25  # share of the marks that ruled lines may cross: squared paper is no table
OPEN = 0.6  # of the usual band, that lines go on beyond the last one for another band to be there
SLIVER = 0.3  # of it, below which what is left there is no band even if something is written
BLANK, DRAWN = 0.2, 0.7  # share of a cell's side that is ruled, up to which it is open if the line is ruled elsewhere
LONG = 0.15  # length of a ruled line, in that of the longest
SHORT, LONGER = 0.3, 0.5  # and up to which it must begin and end at others; up to which it may be part of a digit
NARROW, ODD = 0.5, 0.02  # width of the band beside a fold, in usual ones; by which its slope differs from others'
LEANING = 0.15  # slope up to which a ruled line is seen
HIGH = 2.2  # height of a band that may hold several rows, in heights of the digits and in usual bands
TOGETHER = 1.5  # heights between words of one cell that spans several columns
OVERHANG = 0.35  # heights that ink reaches into two cells from which on it is parted
CORNER, CRUMB = 0.3, 0.4  # heights from where ruled lines cross, and of its own, up to which ink is left of them
ON_LINE, ALL = 0.15, 0.9  # heights beside a ruled line at which what is left of it lies, and so much of that at least
SIGN, SLIM, FREE = (0.45, 1.6), 0.5, 0.1  # length of a 1 or a dash in heights, its width in that; how free it stands;
FAINTLY, GOES_ON = 0.2, 0.7  # what may be ruled, and on which share of the way beyond its ends, where a line goes on
LOWEST_ROW = 0.9  # height of a table's rows in those of its digits, at least: squares of paper may be lower
FOLDED, SQUARED = 1.0, 0.33  # heights between digits on either side of a fold, and of the lines of squared paper
FEW_DOWNS = 3  # folds, with a sheet's edges
TALL, SEVERAL = 0.6, 0.3  # height of a digit, in usual ones; share of the cells that may hold several lines
WRITTEN = 3  # cells of a ruled table in which something is written, at least
ROWS, COLUMNS, CELLS = 2, 2, 6  # of a table without ruled lines, at least
WIDE = 0.8  # gap, in heights, at which a number may be two of neighbouring columns
SINGLE = 0.9  # share of its numbers that stand alone in a cell
MANY, FEW = 20, 5  # one of so many numbers may stand between two rows, one of so many rows between two columns
MORE = 1.4  # times as many cells as ruled lines make
FILLED = 0.5  # share of its rows in which a column of such a table has a number
ALIGNED = 0.5  # heights that the left sides, right sides or middles of a column differ by (standard deviation)
GAP = 0.35  # heights between its columns
STEEPEST, STEPS = 0.12, 13  # slopes that are tried for its rows and columns, and how many
NEARLY = 0.15  # height of a form's box, up to which what is beside it is in it
RIM = 0.2  # share of a number's height that others of its row may miss


@dataclass(frozen=True, eq=False)
class Line:
    """A ruled line. curve: of polynomial coefficients, the place across for a place along; start, end: along."""

    curve: np.ndarray
    start: float
    end: float

    def at(self, along: float | np.ndarray) -> np.ndarray:
        """The place across; beyond its ends it goes straight on."""
        held = np.minimum(np.maximum(along, self.start), self.end)
        value = slope = 0.0 * held
        for coefficient in self.curve:  # Horner's rule, for the curve and its derivative
            slope = slope * held + value
            value = value * held + coefficient
        return value + slope * (along - held)

    @property
    def middle(self) -> float:
        """The place across halfway."""
        return float(self.at((self.start + self.end) / 2))

    @property
    def length(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class Grid:
    """The lines between the rows and the columns of a table, those around it included.

    acrosses: y of x, from top to bottom; downs: x of y, from left to right. joined: (rows, columns) int, of each cell
    the column of the cell that it is one with, its own if it stands alone.
    """

    acrosses: tuple[Line, ...]
    downs: tuple[Line, ...]
    joined: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.acrosses) - 1, len(self.downs) - 1

    def find(self, box: Sequence[float]) -> tuple[int, int] | None:
        """Row and column in which the middle of a box lies; None if it lies in none."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        row = sum(bool(line.at(x) <= y) for line in self.acrosses) - 1
        column = sum(bool(line.at(y) <= x) for line in self.downs) - 1
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            return None
        return row, int(self.joined[row, column])

    def box(self, row: int, column: int) -> Box:
        """The box around a cell, with all cells that are one with it."""
        end = column + int(np.count_nonzero(self.joined[row] == column))
        corners = [
            meet(across, down)
            for across in (self.acrosses[row], self.acrosses[row + 1])
            for down in (self.downs[column], self.downs[max(end, column + 1)])
        ]
        (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
        return round(left), round(top), round(right), round(bottom)


@dataclass(frozen=True, eq=False)
class Form:
    """The boxes of a form, as the one row of a table. sides: (n, 4) float, left, top, right, bottom in the ink."""

    sides: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return 1, len(self.sides)

    def find(self, box: Sequence[float]) -> tuple[int, int] | None:
        """Row and column of the box in which the middle of another lies, or nearly does; None if it lies in none."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        left, top, right, bottom = self.sides.T
        away = np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom)) / (bottom - top)
        nearest = int(away.argmin())
        return (0, nearest) if away[nearest] < NEARLY else None

    def reaches(self, stroke: Stroke) -> bool:
        """May some of a stroke be written into a box? What is twice as high is not."""
        left, top, right, bottom = self.sides.T
        x, y, end, foot = stroke.box
        meets = (left < end) & (right > x) & (top < foot) & (bottom > y)
        return bool((meets & (stroke.height < 2 * (bottom - top))).any())

    def box(self, row: int, column: int) -> Box:
        """A box, in whole pixels."""
        left, top, right, bottom = self.sides[column].round().astype(int).tolist()
        return left, top, right, bottom


def meet(across: Line, down: Line) -> tuple[float, float]:
    """Where two lines cross, (x, y)."""
    x, y = down.middle, across.middle
    for _ in range(4):
        y = float(across.at(x))
        x = float(down.at(y))
    return x, y


# Ruled tables


def find_ruled(rules: np.ndarray | None, strips: Sequence[Strip]) -> list[Grid]:
    """The tables that ruled lines make, in reading order.

    rules: (height, width) float32 in [0, 1], the map of ruled lines; strips: what is written.
    """
    if rules is None or not strips:
        return []
    height = _usual_height(strips)
    marks = np.array([stroke.box for strip in strips for stroke in strip.strokes], float)
    mask = (rules > RULED).view(np.uint8)
    acrosses, downs = _ruled_lines(mask, height), _ruled_lines(np.ascontiguousarray(mask.T), height)
    acrosses, downs = (
        _without_digits(acrosses, downs, marks, CORNER * height),
        _without_digits(downs, acrosses, marks[:, [1, 0, 3, 2]], CORNER * height),
    )
    acrosses, downs = _without_folds(acrosses), _without_folds(downs)
    if max(len(acrosses), len(downs)) > MOST_LINES:
        return []
    groups = list(_groups(acrosses, downs, height)) or _upright_only(downs)
    found = [grid for group in groups if (grid := _grid(*group, mask, marks, height))]
    grids = [part for grid in found for part in _parted_grid(grid, mask, marks)]
    return sorted(grids, key=lambda grid: grid.box(0, 0)[1::-1])


def _usual_height(strips: Sequence[Strip]) -> float:
    """Of a digit: a little more than the median, as points and dashes are lower."""
    return float(np.percentile([stroke.height for strip in strips for stroke in strip.strokes], 60))


def _ruled_lines(mask: np.ndarray, height: float) -> list[Line]:
    """The level ruled lines of a mask, (h, w) uint8, from top to bottom."""
    reach = max(3, round(height))
    thick = cv2.dilate(mask, np.ones((max(3, round(LEANING * reach)), 1), np.uint8))
    long = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, reach), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(long, connectivity=8)
    longest = 1 + (-stats[1:, cv2.CC_STAT_WIDTH]).argsort(kind="stable")[:PIECES]
    lines: list[np.ndarray] = []
    straight: list[np.ndarray] = []  # of each line, (2,) the polynomial of degree 1
    for label in longest.tolist():
        piece = _centres(labels, stats, label)
        place = next((i for i, fit in enumerate(straight) if _continues(fit, piece, SAME * height)), len(lines))
        lines[place:] = [np.hstack([*lines[place : place + 1], piece]), *lines[place + 1 :]]
        straight[place:] = [np.polyfit(lines[place][0], lines[place][1], 1), *straight[place + 1 :]]
    fitted = [_fit(line) for line in lines if np.ptp(line[0]) > SHORTEST * height]
    return sorted(fitted, key=lambda line: line.middle)


def _centres(labels: np.ndarray, stats: np.ndarray, label: int) -> np.ndarray:
    """(2, n) places x, y along the middle of a component."""
    left, top, width, tall = stats[label, :4]
    own = labels[top : top + tall, left : left + width] == label
    rows = np.arange(tall)[:, None]
    return np.stack([left + np.arange(width), top + (own * rows).sum(axis=0) / own.sum(axis=0)])


def _fit(places: np.ndarray) -> Line:
    """A curve through places of which long pieces have many."""
    x, y = places
    bent = 2 if np.ptp(x) > 0 and np.unique(x).size > 200 else 1
    return Line(np.polyfit(x, y, bent), float(x.min()), float(x.max()))


def _continues(straight: np.ndarray, piece: np.ndarray, most: float) -> bool:
    """Is a piece part of a straight line, or so close beside it that it is the other of a double line?"""
    return bool(np.abs(np.polyval(straight, piece[0]) - piece[1]).mean() < most)


def _groups(acrosses: list[Line], downs: list[Line], height: float) -> Iterator[tuple[list[Line], list[Line]]]:
    """Lines that hold together as they meet: acrosses and downs of each table."""
    meets = np.array([[_meets(across, down, MEET * height) for down in downs] for across in acrosses], bool)
    if not meets.any():
        return
    count = len(acrosses) + len(downs)
    links = np.zeros((count, count), bool)
    links[: len(acrosses), len(acrosses) :] = meets
    links |= links.T | np.eye(count, dtype=bool)
    for _ in range(count.bit_length()):
        links = links @ links
    for members in np.unique(links, axis=0):
        chosen = [line for line, member in zip((*acrosses, *downs), members, strict=True) if member]
        own = [_long([line for line in lines if line in chosen]) for lines in (acrosses, downs)]
        if own[0] and own[1]:
            yield own[0], own[1]


def _upright_only(downs: list[Line]) -> list[tuple[list[Line], list[Line]]]:
    """Lines that only part columns, with one above and one below them."""
    downs = _long(downs)
    if len(downs) < 3:
        return []
    left, right = downs[0].middle, downs[-1].middle
    ends = min(down.start for down in downs), max(down.end for down in downs)
    return [([Line(np.array([0.0, end]), left, right) for end in ends], downs)]


def _long(lines: list[Line], least: float = LONG) -> list[Line]:
    """Without those that are much shorter than the longest."""
    longest = max((line.length for line in lines), default=0)
    return [line for line in lines if line.length > least * longest]


def _without_digits(lines: list[Line], others: list[Line], marks: np.ndarray, slack: float) -> list[Line]:
    """Without lines that are part of what is written, lines and marks as level ones are.

    others: those that run the other way; at two of them a short line begins and ends, to within the slack.
    """
    long, longer = _long(lines, SHORT), _long(lines, LONGER)
    return [
        line
        for line in lines
        if line in longer or ((line in long or _ends_at(line, others, slack)) and not _is_written(line, marks))
    ]


def _without_folds(lines: list[Line]) -> list[Line]:
    """Without lines that run otherwise than those beside them, and close to one: folds of the paper."""
    while len(lines) > 3:
        slopes = np.array([(line.at(line.end) - line.at(line.start)) / line.length for line in lines])
        bands = np.diff([line.middle for line in lines])
        narrow = np.minimum(bands[:-1], bands[1:]) < NARROW * np.median(bands)
        odd = np.where(narrow, np.abs(slopes[1:-1] - (slopes[:-2] + slopes[2:]) / 2), 0)
        if odd.max() < ODD:
            break
        lines = [line for place, line in enumerate(lines) if place != 1 + odd.argmax()]
    return lines


def _ends_at(line: Line, others: list[Line], slack: float) -> bool:
    ends = ((along, float(line.at(along))) for along in (line.start, line.end))
    return all(any(abs(other.at(across) - along) < slack for other in others) for along, across in ends)


def _is_written(line: Line, marks: np.ndarray) -> bool:
    """Does a level line run through marks for a third of its length?"""
    x = np.linspace(line.start, line.end, 30)[:, None]
    y = line.at(x)
    left, top, right, bottom = marks.T
    within = (left < x) & (x < right) & (top < y) & (y < bottom)
    return bool(within.any(axis=1).mean() > 1 / 3)


def _meets(across: Line, down: Line, slack: float) -> bool:
    x, y = meet(across, down)
    return across.start - slack <= x <= across.end + slack and down.start - slack <= y <= down.end + slack


def _grid(acrosses: list[Line], downs: list[Line], mask: np.ndarray, marks: np.ndarray, height: float) -> Grid | None:
    """The table that lines make; None if they make no cells, or are those of the paper."""
    if _crossed(acrosses, marks) > CROSSED or _crossed(downs, marks[:, [1, 0, 3, 2]]) > CROSSED:
        return None
    if _are_low(acrosses, height):
        return None
    inside = _inside(marks, acrosses, downs, height)
    if not len(inside):
        return None
    if _run_through_numbers(downs, inside, height):
        return None
    few = len(downs) <= FEW_DOWNS
    acrosses = _without_slivers(acrosses, inside)
    downs = _without_slivers(downs, inside[:, [1, 0, 3, 2]])
    acrosses = _with_open(acrosses, downs, inside, height)
    downs = _with_open(downs, acrosses, inside[:, [1, 0, 3, 2]], height)
    if len(acrosses) < 2 or len(downs) < 2 or len(acrosses) + len(downs) < 5:
        return None
    acrosses = _with_text_rows(acrosses, downs, inside, height)
    rows, columns = len(acrosses) - 1, len(downs) - 1
    alone = Grid(tuple(acrosses), tuple(downs), np.tile(np.arange(columns), (rows, 1)))
    if len({alone.find(mark) for mark in inside} - {None}) < WRITTEN:
        return None
    if few and not _parts_lines(alone, inside, height):
        return None
    return replace(alone, joined=_join_cells(alone, mask, marks, height))


def _are_low(acrosses: list[Line], height: float) -> bool:
    """Are most rows between several lines too low for a digit, as the squares of paper may be?"""
    return len(acrosses) > 2 and bool(np.median(np.diff([line.middle for line in acrosses])) < LOWEST_ROW * height)


def _run_through_numbers(downs: list[Line], marks: np.ndarray, height: float) -> bool:
    """Does half of the lines run between digits that are close, as squared paper does? Or a lone line, as a fold?"""
    closest = FOLDED if len(downs) == 1 else SQUARED
    gaps = [gap for down in downs if (gap := _gap_across(down, marks, height)) is not None]
    return bool(gaps) and 2 * sum(gap < closest for gap in gaps) >= len(gaps)


def _gap_across(down: Line, marks: np.ndarray, height: float) -> float | None:
    """Heights between the nearest digits on either side of a line, the median; None if there are none."""
    high = marks[marks[:, 3] - marks[:, 1] > CRUMB * height]
    right = (high[:, 0] + high[:, 2]) / 2 > down.at((high[:, 1] + high[:, 3]) / 2)
    shared = np.minimum(high[right, None, 3], high[~right, 3]) - np.maximum(high[right, None, 1], high[~right, 1])
    gaps = np.where(shared > 0, high[right, None, 0] - high[~right, 2], np.inf)
    nearest = np.minimum(gaps.min(axis=1, initial=np.inf)[:, None], gaps.min(axis=0, initial=np.inf))
    met = gaps[(gaps == nearest) & np.isfinite(gaps)]
    return float(np.median(met) / height) if met.size else None


def _parts_lines(grid: Grid, marks: np.ndarray, height: float) -> bool:
    """Does each cell hold one line of writing, but for a few?"""
    high = marks[marks[:, 3] - marks[:, 1] > TALL * height]
    cells: dict[tuple[int, int], list[np.ndarray]] = {}
    for mark in high:
        if (place := grid.find(mark)) is not None:
            cells.setdefault(place, []).append(mark)
    several = sum(max(mark[1] for mark in own) > min(mark[3] for mark in own) for own in cells.values())
    return several <= SEVERAL * len(cells)


def _crossed(lines: list[Line], marks: np.ndarray) -> float:
    """Share of the marks through whose middle half a line goes, level lines and marks as they are."""
    x, quarter = (marks[:, 0] + marks[:, 2]) / 2, (marks[:, 3] - marks[:, 1]) / 4
    crossed = np.zeros(len(marks), bool)
    for line in lines:
        y = line.at(x)
        here = (marks[:, 2] > line.start) & (marks[:, 0] < line.end)
        crossed |= here & (y > marks[:, 1] + quarter) & (y < marks[:, 3] - quarter)
    return float(crossed.mean())


def _inside(marks: np.ndarray, acrosses: list[Line], downs: list[Line], height: float) -> np.ndarray:
    """The marks whose middles lie within the reach of the lines."""
    left, right = min(line.start for line in acrosses), max(line.end for line in acrosses)
    top, bottom = min(line.start for line in downs), max(line.end for line in downs)
    x, y = (marks[:, 0] + marks[:, 2]) / 2, (marks[:, 1] + marks[:, 3]) / 2
    slack = MEET * height
    return marks[(x > left - slack) & (x < right + slack) & (y > top - slack) & (y < bottom + slack)]


def _without_slivers(lines: list[Line], marks: np.ndarray) -> list[Line]:
    """Level lines without the shorter one on either side of a narrow band in which nothing is written."""
    x, y = (marks[:, 0] + marks[:, 2]) / 2, (marks[:, 1] + marks[:, 3]) / 2
    while len(lines) > 3:
        bands = np.diff([line.middle for line in lines])
        place = int(bands.argmin())
        upper, lower = lines[place : place + 2]
        if bands[place] > SLIVER * np.median(bands) or ((upper.at(x) < y) & (y < lower.at(x))).any():
            break
        lines = [line for line in lines if line is not min(upper, lower, key=lambda line: line.length)]
    return lines


def _with_open(lines: list[Line], others: list[Line], marks: np.ndarray, height: float) -> list[Line]:
    """Level lines with one more above or below where the upright ones go on beyond the last, to another band."""
    middles = [line.middle for line in lines]
    usual = float(np.median(np.diff(middles))) if len(lines) > 1 else 2 * height
    above = [float(lines[0].at(line.at(line.start))) - line.start for line in others]
    below = [line.end - float(lines[-1].at(line.at(line.end))) for line in others]
    opened = list(lines)
    for beyond, place, outer in ((above, 0, lines[0]), (below, len(opened), lines[-1])):
        sign = -1 if place == 0 else 1
        reach = float(np.median(beyond))
        farthest = max(beyond)
        past = sign * ((marks[:, 1] + marks[:, 3]) / 2 - outer.at((marks[:, 0] + marks[:, 2]) / 2))
        written = bool(((past > 0.3 * height) & (past < farthest + MEET * height)).any())
        if reach > OPEN * usual or (written and farthest > max(MEET * height, SLIVER * usual)):
            moved = outer.curve.copy()
            moved[-1] += sign * max(reach, farthest if written else 0)
            opened.insert(0 if sign < 0 else len(opened), replace(outer, curve=moved))
    return opened


def _with_text_rows(acrosses: list[Line], downs: list[Line], marks: np.ndarray, height: float) -> list[Line]:
    """With lines between the rows of writing of each band that is so high that it holds several."""
    x, y = (marks[:, 0] + marks[:, 2]) / 2, (marks[:, 1] + marks[:, 3]) / 2
    large = marks[:, 3] - marks[:, 1] > 0.5 * height
    bands = np.diff([line.middle for line in acrosses])
    least = HIGH * max(height, float(np.median(bands)) if len(bands) > 2 else 0.0)
    parted = acrosses[:1]
    for (upper, lower), band in zip(pairwise(acrosses), bands, strict=True):
        if band > least:
            own = marks[large & (y > upper.at(x)) & (y <= lower.at(x))]
            parted += _between_rows(own, downs, upper, lower) if len(own) else []
        parted.append(lower)
    return parted


def _between_rows(marks: np.ndarray, downs: list[Line], upper: Line, lower: Line) -> Iterator[Line]:
    """Lines between those rows of writing of a band that go through several columns."""
    x = (marks[:, 0] + marks[:, 2]) / 2
    share = np.stack([(marks[:, side] - upper.at(x)) / (lower.at(x) - upper.at(x)) for side in (1, 3)], axis=1)
    columns = np.sum([line.at(marks[:, 1]) <= x for line in downs], axis=0)
    rows = [row for row in _parted(share, RIM) if len(set(columns[row])) > 1]
    size = max(len(upper.curve), len(lower.curve))
    curves = [np.pad(line.curve, (size - len(line.curve), 0)) for line in (upper, lower)]
    for before, after in pairwise(rows):
        part = (share[before, 1].max() + share[after, 0].min()) / 2
        curve = (1 - part) * curves[0] + part * curves[1]
        yield Line(curve, min(upper.start, lower.start), max(upper.end, lower.end))


def _join_cells(grid: Grid, mask: np.ndarray, marks: np.ndarray, height: float) -> np.ndarray:
    """Of each cell the column of the cell that it is one with: no line is ruled between, and what is there is one."""
    rows, columns = grid.shape
    thick = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    drawn = np.array([[_drawn(grid, thick, row, column) for column in range(1, columns)] for row in range(rows)])
    open_sides = (drawn < BLANK) & (np.median(drawn, axis=0) > DRAWN)  # [row, between a column and the next]
    joined = grid.joined.copy()
    for row in np.flatnonzero(open_sides.any(axis=1)):
        own = [(mark, cell[1]) for mark in marks if (cell := grid.find(mark)) and cell[0] == row]
        for run in np.split(np.arange(columns), 1 + np.flatnonzero(~open_sides[row])):
            if len(run) > 1 and _is_one([mark for mark, column in own if column in run], height):
                joined[row, run] = run[0]
    return joined


def _parted_grid(grid: Grid, mask: np.ndarray, marks: np.ndarray) -> list[Grid]:
    """Tables above one another whose upright lines were taken for the same: where none is ruled between two rows."""
    rows, columns = grid.shape
    thick = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    drawn = np.array([[_drawn(grid, thick, row, column) for column in range(columns + 1)] for row in range(rows)])
    written = {cell[0] for mark in marks if (cell := grid.find(mark))}
    gaps = [row for row in range(1, rows - 1) if drawn[row].max() < BLANK and row not in written]
    if np.median(drawn) < DRAWN or not gaps:
        return [grid]
    starts, ends = [0, *(row + 1 for row in gaps)], [*gaps, rows]
    return [
        Grid(grid.acrosses[first : end + 1], grid.downs, grid.joined[first:end])
        for first, end in zip(starts, ends, strict=True)
        if end > first
    ]


def _drawn(grid: Grid, thick: np.ndarray, row: int, column: int) -> float:
    """The share of the line to the left of a cell that is ruled."""
    down = grid.downs[column]
    (_, top), (_, bottom) = (meet(across, down) for across in grid.acrosses[row : row + 2])
    y = np.linspace(top, bottom, 24)[3:-3]
    places = np.round(np.stack([y, down.at(y)])).astype(int)
    seen = (places >= 0).all(axis=0) & (places < np.array(thick.shape)[:, None]).all(axis=0)
    return float(thick[*places[:, seen]].mean()) if seen.any() else 1.0


def _is_one(marks: Sequence[np.ndarray], height: float) -> bool:
    """Do marks stand together as one writing does? Nothing does not."""
    if not marks:
        return False
    left, _, right, _ = np.array(sorted(marks, key=lambda mark: mark[0])).T
    return bool((left[1:] - np.maximum.accumulate(right)[:-1] <= TOGETHER * height).all())


# Cells of their own


def part_at_cells(layout: Layout, grids: Sequence[Grid], rules: np.ndarray | None) -> Layout:
    """The layout with each cell's strokes in strips of their own; a row of a table is a line.

    rules: as of find_ruled.
    """
    if not grids or rules is None:
        return layout
    cells: dict[tuple[int, int, int], list[Stroke]] = {}
    outside: dict[int, list[Strip]] = {}
    height = _usual_height(layout.strips)
    for strip in layout.strips:
        left = []
        for stroke in strip.strokes:
            if any(_lies_on(stroke, grid, ON_LINE * height) for grid in grids):
                continue
            place = _place(stroke, grids)
            if place is None:
                left.append(stroke)
            elif not _is_crumb(stroke, grids[place[0]], height):
                for part in _parts(stroke, grids[place[0]], height):
                    cells.setdefault(_place(part, grids) or place, []).append(part)
        if left:
            outside.setdefault(strip.line, []).append(replace(strip, strokes=tuple(left)))
    for stroke, place in _straight_signs(rules, grids, height):
        cells.setdefault(place, []).append(stroke)
    clean = {place: list(_without_crumbs(strokes, height)) for place, strokes in cells.items()}
    filled = {place: strokes for place, strokes in clean.items() if strokes}
    return replace(layout, strips=_in_order(filled, outside, grids))


def _without_crumbs(strokes: list[Stroke], height: float) -> Iterator[Stroke]:
    """The strokes of a cell without lines of nothing but specks."""
    for line in find_lines(strokes):
        if any(max(stroke.width, stroke.height) > CRUMB * height for stroke in line):
            yield from line


def _straight_signs(
    rules: np.ndarray, grids: Sequence[Grid], height: float
) -> Iterator[tuple[Stroke, tuple[int, int, int]]]:
    """What looks ruled but is no line of a table, as it stands free in a cell: a 1, a dash. And in which."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((rules > SEEN).view(np.uint8), connectivity=8)
    lengths, widths = stats[:, 2:4].max(axis=1), stats[:, 2:4].min(axis=1)
    alike = (lengths > SIGN[0] * height) & (lengths < SIGN[1] * height) & (widths < SLIM * lengths)
    for label in np.flatnonzero(alike[1:]) + 1:
        x, y, width, tall = stats[label, :4].tolist()
        own = labels[y : y + tall, x : x + width] == label
        stroke = Stroke((x, y, x + width, y + tall), rules[y : y + tall, x : x + width] * own)
        if (place := _place(stroke, grids)) is None:
            continue
        cell = left, top, right, bottom = grids[place[0]].box(*place[1:])
        is_free = min(x - left, y - top, right - x - width, bottom - y - tall) > FREE * height
        if is_free and not _goes_on(rules, stroke.box, cell):
            yield stroke, place


def _goes_on(rules: np.ndarray, sign: Box, cell: Box) -> bool:
    """Is there a pale line beyond both ends of what looks like a sign, as of a fold?"""
    x, y, end, foot = sign
    left, top, right, bottom = (round(side) for side in cell)
    if end - x > foot - y:
        ways = rules[y:foot, left:x].max(axis=0, initial=0), rules[y:foot, end:right].max(axis=0, initial=0)
    else:
        ways = rules[top:y, x:end].max(axis=1, initial=0), rules[foot:bottom, x:end].max(axis=1, initial=0)
    return all(way.size > 0 and np.mean(way > FAINTLY) > GOES_ON for way in ways)


def part_at_boxes(layout: Layout, form: Form) -> Layout:
    """The layout with the strokes of each box in strips of their own, and without all others."""
    cells: dict[tuple[int, int, int], list[Stroke]] = {}
    for strip in layout.strips:
        for stroke in strip.strokes:
            for part in _parts_in_boxes(stroke, form):
                if (place := _place(part, [form])) is not None and not _is_rim(part, form.sides[place[2]]):
                    cells.setdefault(place, []).append(part)
    lines = [list(_strips(cells[place])) for place in sorted(cells)]
    strips = [replace(strip, line=number) for number, line in enumerate(lines) for strip in line]
    return replace(layout, strips=strips, single=False)


def _parts_in_boxes(stroke: Stroke, form: Form) -> list[Stroke]:
    """A stroke that reaches from one box far into the next, parted between them."""
    left, top, right, bottom = stroke.box
    middle = (top + bottom) / 2
    own = sorted(
        (side[0], side[2], side[3] - side[1])
        for side in form.sides
        if side[1] < middle < side[3] and side[0] < right and side[2] > left
    )
    cuts = [
        round((end + start) / 2)
        for (_, end, high), (start, _, _) in pairwise(own)
        if left + OVERHANG * high / 2 < (end + start) / 2 < right - OVERHANG * high / 2
    ]
    parts = [stroke.columns(*between) for between in pairwise([left, *cuts, right])] if cuts else [stroke]
    return [part for part in parts if part is not None]


def _is_rim(stroke: Stroke, side: np.ndarray) -> bool:
    """Is it what is left of the line around a box?"""
    left, top, right, bottom = side
    x, y = (stroke.box[0] + stroke.box[2]) / 2, (stroke.box[1] + stroke.box[3]) / 2
    within = min(x - left, right - x, y - top, bottom - y)
    return bool(within < NEARLY * (bottom - top) and min(stroke.width, stroke.height) < NEARLY * (bottom - top))


def _place(stroke: Stroke, grids: Sequence[Grid | Form]) -> tuple[int, int, int] | None:
    """The table, row and column in which a stroke stands."""
    for table, grid in enumerate(grids):
        if (cell := grid.find(stroke.box)) is not None:
            return table, *cell
    return None


def _is_crumb(stroke: Stroke, grid: Grid, height: float) -> bool:
    """Is it what is left of ruled lines where they cross?"""
    left, top, right, bottom = stroke.box
    if max(stroke.width, stroke.height) > CRUMB * height:
        return False
    x, y = (left + right) / 2, (top + bottom) / 2
    away = min(abs(line.at(x) - y) for line in grid.acrosses), min(abs(line.at(y) - x) for line in grid.downs)
    return bool(max(away) < CORNER * height)


def _lies_on(stroke: Stroke, grid: Grid, slack: float) -> bool:
    """Is all of it, nearly, on ruled lines, or no farther beside them than the slack?"""
    y, x = np.nonzero(stroke.ink > INKED)
    x, y = x + stroke.box[0], y + stroke.box[1]
    beside = np.full(len(x), np.inf)
    for lines, others, along, across in ((grid.acrosses, grid.downs, x, y), (grid.downs, grid.acrosses, y, x)):
        within = (along > others[0].at(across) - slack) & (along < others[-1].at(across) + slack)
        for line in lines:
            beside = np.where(within, np.minimum(beside, np.abs(line.at(along) - across)), beside)
    return bool(np.mean(beside < slack) > ALL)


def _parts(stroke: Stroke, grid: Grid, height: float) -> list[Stroke]:
    """A stroke that reaches from one cell far into the next, parted at the line between."""
    left, top, right, bottom = stroke.box
    row = grid.find(stroke.box)
    borders = [round(float(line.at((top + bottom) / 2))) for line in grid.downs[1:-1]]
    own = set(grid.joined[row[0]]) if row else set()
    cuts = [
        x
        for column, x in enumerate(borders, 1)
        if column in own and left + OVERHANG * height < x < right - OVERHANG * height
    ]
    parts = [stroke.columns(*between) for between in pairwise([left, *cuts, right])] if cuts else [stroke]
    return [part for part in parts if part is not None]


def _in_order(
    cells: dict[tuple[int, int, int], list[Stroke]], outside: dict[int, list[Strip]], grids: Sequence[Grid]
) -> list[Strip]:
    """All strips, their lines counted anew from top to bottom; the rows of a table stay together."""
    blocks: list[tuple[float, list[list[Strip]]]] = []
    for strips in outside.values():
        blocks.append((float(np.mean([strip.whole.box[1] for strip in strips])), [strips]))
    for table, grid in enumerate(grids):
        rows = [
            [strip for place in sorted(cells) if place[:2] == (table, row) for strip in _strips(cells[place])]
            for row in range(grid.shape[0])
        ]
        blocks.append((grid.box(0, 0)[1], rows))
    lines = [line for _, block in sorted(blocks, key=lambda block: block[0]) for line in block if line]
    return [replace(strip, line=number) for number, line in enumerate(lines) for strip in line]


def _strips(strokes: list[Stroke]) -> Iterator[Strip]:
    """A strip for each line of writing in a cell."""
    for line in find_lines(strokes):
        highest = max(stroke.height for stroke in line)
        height = float(np.median([stroke.height for stroke in line if stroke.height >= 0.45 * highest]))
        yield Strip(0, height, tuple(line))


# Tables without lines


def find_aligned(numbers: Sequence[Sequence[Box]]) -> list[Grid]:
    """The table in which numbers stand, if they stand in rows and columns; at most one. numbers: their marks' boxes."""
    if sum(map(len, numbers)) < CELLS - 1:
        return []
    marks = np.array([box for boxes in numbers for box in boxes])
    height = float(np.percentile(marks[:, 3] - marks[:, 1], 60))
    sides = np.array([around(run) for boxes in numbers for run in _close_runs(boxes, WIDE * height)], float)
    if len(sides) < CELLS - 1:
        return []
    level, slopes = _straighten(sides)
    rows = _even(_bands(level, len(sides) // MANY, -RIM * height))
    upright, leans = _straighten(sides[:, [1, 0, 3, 2]])
    columns = _bands(upright, (len(rows) - 1) // FEW, GAP * height)
    if not _is_table(level, upright, rows, columns, height):
        return []
    acrosses = _lines_between(sides, rows, slopes, height)
    downs = _lines_between(sides[:, [1, 0, 3, 2]], columns, leans, height)
    return [Grid(acrosses, downs, np.tile(np.arange(len(downs) - 1), (len(acrosses) - 1, 1)))]


def around(boxes: Sequence[Box]) -> Box:
    """The box of several."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _close_runs(boxes: Sequence[Box], gap: float) -> Iterator[Sequence[Box]]:
    """A number's marks, from left to right, parted where the gap is wide."""
    wide = [place for place, (before, after) in enumerate(pairwise(boxes), 1) if after[0] - before[2] > gap]
    for first, end in pairwise([0, *wide, len(boxes)]):
        yield boxes[first:end]


def _bands(level: np.ndarray, most: int, gap: float) -> np.ndarray:
    """(n + 1,) borders of the rows of boxes that are level: where at most so many boxes are, as high as the gap."""
    low, high = level[:, 1] - min(gap, 0), level[:, 3] + min(gap, 0)
    high = np.maximum(high, low + 1)
    places = np.unique(np.concatenate([low, high]))
    covered = (low[:, None] <= places) & (places < high[:, None])
    borders = [places[0]]
    free = covered.sum(axis=0) <= most
    for start, end in _runs(free[:-1]):
        if start > 0 and end < len(places) - 1 and places[end] - places[start] >= max(gap, 0):
            borders.append((places[start] + places[end]) / 2)
    return np.array([*borders, places[-1]])


def _even(borders: np.ndarray) -> np.ndarray:
    """Without those that make a row less than half as high as is usual."""
    while len(borders) > 3 and np.diff(borders).min() < np.median(np.diff(borders)) / 2:
        lowest = int(np.diff(borders).argmin())
        high = np.diff(borders, prepend=-np.inf, append=np.inf)  # of the rows before and after each border
        borders = np.delete(borders, lowest if high[lowest] < high[lowest + 2] else lowest + 1)
    return borders


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each run of flags that are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.view(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _straighten(sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes made level, and the slopes of the uppermost and the lowest row: those at which rows cover least height."""
    tried = np.linspace(-STEEPEST, STEEPEST, STEPS)
    ways = [np.array([first, last]) for first in tried for last in tried if abs(first - last) <= STEEPEST]
    best = min(ways, key=lambda way: _covered(_sheared(sides, way)) + 1e-3 * float(np.abs(way).sum()))
    return _sheared(sides, best), best


def _sheared(sides: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Boxes moved up or down by what their row slopes. slopes: of the uppermost and the lowest row."""
    x, y = (sides[:, 0] + sides[:, 2]) / 2, (sides[:, 1] + sides[:, 3]) / 2
    share = (y - y.min()) / max(float(np.ptp(y)), 1.0)
    down = (slopes[0] + share * (slopes[1] - slopes[0])) * (x - x.mean())
    return sides - np.stack([0 * x, down, 0 * x, down], axis=1)


def _covered(sides: np.ndarray) -> float:
    """The share of all height in which something is, from the middle half of each box."""
    low, high = 0.75 * sides[:, 1] + 0.25 * sides[:, 3], 0.25 * sides[:, 1] + 0.75 * sides[:, 3]
    order = low.argsort()
    ends = np.maximum.accumulate(high[order])
    before = np.concatenate([[-np.inf], ends[:-1]])
    return float((ends - np.maximum(low[order], before)).clip(0).sum() / max(np.ptp(sides[:, [1, 3]]), 1.0))


def _parted(spans: np.ndarray, rim: float) -> list[list[int]]:
    """Spans (n, 2) into groups that no place parts, in order; a rim of each, a share of its length, may be passed."""
    length = spans[:, 1] - spans[:, 0]
    first, last = spans[:, 0] + rim * length, spans[:, 1] - rim * length
    groups: list[list[int]] = []
    end = -np.inf
    for place in first.argsort().tolist():
        if first[place] > end:
            groups.append([])
        groups[-1].append(place)
        end = max(end, last[place])
    return groups


def _is_table(level: np.ndarray, upright: np.ndarray, rows: np.ndarray, columns: np.ndarray, height: float) -> bool:
    """Do numbers stand in so many rows and columns, in line in each, and mostly one in a cell?"""
    count = len(rows) - 1, len(columns) - 1
    if count[0] < ROWS or count[1] < COLUMNS or count[0] * count[1] < CELLS:
        return False
    row = np.searchsorted(rows[1:-1], level[:, [1, 3]].mean(axis=1))
    first, last = (np.searchsorted(columns[1:-1], upright[:, side]) for side in (1, 3))
    for column in range(count[1]):
        own = (first == column) & (last == column)
        left, right = upright[own, 1], upright[own, 3]
        if len(np.unique(row[own])) < FILLED * count[0]:
            return False
        if min(left.std(), right.std(), (left + right).std() / 2) > ALIGNED * height:
            return False
    cells = len(np.unique(row * count[1] + first))
    return cells >= SINGLE * len(level)


def _lines_between(sides: np.ndarray, borders: np.ndarray, slopes: np.ndarray, height: float) -> tuple[Line, ...]:
    """Straight lines at the borders of rows that slope."""
    x, y = (sides[:, 0] + sides[:, 2]) / 2, (sides[:, 1] + sides[:, 3]) / 2
    start, end = float(sides[:, 0].min() - RIM * height), float(sides[:, 2].max() + RIM * height)
    outer = np.concatenate([[-1], np.zeros(len(borders) - 2), [1]]) * RIM * height
    lines = []
    for border in borders + outer:
        share = np.clip((border - y.min()) / max(float(np.ptp(y)), 1.0), 0, 1)
        slope = slopes[0] + share * (slopes[1] - slopes[0])
        lines.append(Line(np.array([slope, border - slope * x.mean()]), start, end))
    return tuple(lines)


def choose(ruled: Sequence[Grid | Form], aligned: list[Grid]) -> Sequence[Grid | Form]:
    """Those that ruled lines make, unless far more cells are seen by how numbers align: a fold or a sheet's edge is
    seen as a ruled line, too."""
    cells = sum(int(np.prod(grid.shape)) for grid in ruled)
    return aligned if any(np.prod(grid.shape) > MORE * cells for grid in aligned) else ruled
