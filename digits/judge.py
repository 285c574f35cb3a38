"""Judge: what the reader saw in a line and what the digit network says of each digit, as one calibrated answer.

The strokes of a strip are put in order from left to right, and what may touch is cut into pieces. A digit or a sign is
a run of neighbouring pieces. Both networks are asked of every possible run which sign it is; the sequence of runs that
is most probable is the answer (digits/lattice.py), and what both say of it is how probable it is. The few weights are
tuned on development writers (benchmarks/judge_weights.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from digits.cutting import Part, find_parts
from digits.lattice import WORD, Lattice, state_of
from digits.layout import LOW, Mark, Strip, are_bars, frame_digit, group_strokes, make_mark
from digits.normalise import pen_width
from digits.recognition import NOT_A_DIGIT_BELOW, OTHER, UNSURE_BELOW, Box
from digits.sequence import SIGNS, Reading, Seen
from digits.strokes import Stroke, join

LONGEST_RUN = 4  # groups of strokes of one sign
WIDEST, WIDEST_GAP = 1.7, 0.45  # of one sign, and between two of its groups of strokes, in heights of the line
CUT_HEIGHT = 64  # pixels to which strokes are reduced before they are cut
LOWEST_CUT = 2.0  # pens that strokes are high, if they are no dash
NARROWEST_CUT = 0.4  # width of strokes in their heights, below which they hold one digit at most
ONE_DIGIT = 0.95  # probability that it is one digit, though perhaps not which, from which on it is not parted
DASH = 1.6  # width of a dash, in its heights, at least
SWAPPED = [SIGNS.index(sign) for sign in SIGNS.translate(str.maketrans(".-", "-."))]  # the dot for the dash
BETWEEN = [SIGNS.index(sign) for sign in "/:%,."]  # signs that hardly ever begin what is written,
ENDING = [SIGNS.index(sign) for sign in "/:"]  # or end it: a price for it
BEGINS, ENDS = 1.0, 3.0
CLEAR, SEVERAL = 0.9, 0.6  # probability from which on one sign is not cut, and several are no single digit
OWN, CUT = (0.3, 0.82, -0.63), (0.42, 0.3, -0.63)  # powers of the reader's and of the digit network's probability,
SIGN, OTHERS = (0.89, 0.47, 0.89), (0.45, 0.46, 0.79)  # and what is added: of digits with their own ink, cut off; ...
ONE = (0.6, 0.5, -0.5)  # of a 1, which only what is beside it tells from a bracket, a slash or the rest of a line
TRUST = (0.45, 0.16, 1.1, -0.05)  # what the log-odds of `trust`, and the logarithm of the length, count for; offset
FAINTEST = 1e-4  # no odds count as longer than this
TEMPERATURES, HALVINGS = (0.01, 100.0), 32  # of a number's digits, and the times that their range is halved
USUAL, FEW_WORDS = 10.0, 3  # numbers for each word where this holds; words of a picture from which on it is weighed
LEAST = 1e-6  # no network is surer than this that something is not so
CHANGE = 4.3  # price of a word and a number side by side,
WORD_SPACE = 0.5  # if no gap of so many heights of the lower is between them,
WORD_LENGTH = 3  # which is the highest of so many pieces
PART = 1.15  # gap, in heights of the line, that parts two numbers,
UNEVEN = 2.0  # if it is so many times as wide as the line's usual gap;
ALWAYS_PART = 2.5  # a gap that does so however even they are
VIEWS = tuple((width, lean) for width in (0.5, 1.5) for lean in (-0.2, 0.0, 0.2))  # narrower, wider; leaning or not

Classify = Callable[[np.ndarray], np.ndarray]
"""(n, 28, 28, 1) float32 to (n, 10) probabilities."""


@dataclass(frozen=True, eq=False)
class Span:
    """A run of a strip's pieces that may be one sign. first, last: of the pieces."""

    first: int
    last: int
    mark: Mark


@dataclass(frozen=True, eq=False)
class Found:
    """A mark and what it is. probabilities: (10,) float32 of a digit; confidence: in [0, 1], of what it is read as."""

    mark: Mark
    text: str
    confidence: float
    probabilities: np.ndarray | None


@dataclass(frozen=True, eq=False)
class FoundNumber:
    """Marks that stand together. confidence: calibrated, in [0, 1], that all of them are read right."""

    marks: list[Found]
    confidence: float


# What may stand where


def propose(strip: Strip, reading: Reading) -> list[Span]:
    """Every run of pieces that may be one sign. If all of the strip may be one digit, the last is all of it."""
    groups = group_strokes(strip)
    wholes = [join(group) for group in groups]
    borders = _borders(strip, reading, wholes)
    cuts = [
        ([], 1) if are_bars(group) else _cut(strip, reading, whole, *between)
        for group, whole, between in zip(groups, wholes, pairwise(borders), strict=True)
    ]
    starts = np.cumsum([0, *(count for _, count in cuts)]).tolist()  # pieces before each group
    spans = [
        replace(span, first=start + span.first, last=start + span.last)
        for (parts, _), start in zip(cuts, starts, strict=False)
        for span in parts
    ]
    for first, last in _runs(wholes, strip.height):
        strokes = [stroke for group in groups[first : last + 1] for stroke in group]
        mark = _as_one(strip, reading, strokes, borders[first], borders[last + 1])
        spans.append(Span(starts[first], starts[last + 1] - 1, mark))
    if strip.may_be_one:
        spans.append(Span(0, starts[-1] - 1, _as_one(strip, reading, strip.strokes, 0, borders[-1])))
    return spans


def _borders(strip: Strip, reading: Reading, groups: list[Stroke]) -> list[int]:
    """The places between which each group is read: the middles of the gaps, or of what two have in common."""
    left = strip.whole.box[0]
    middles = [(a.box[2] + b.box[0]) / 2 - left for a, b in pairwise(groups)]
    places = np.maximum.accumulate([0, *(reading.border(middle) for middle in middles)]).tolist()
    return [*places, len(reading.probabilities)]


def _runs(groups: list[Stroke], height: float) -> Iterator[tuple[int, int]]:
    """First and last of every run of groups that is no wider than a sign."""
    for first in range(len(groups)):
        for last in range(first, min(first + LONGEST_RUN, len(groups))):
            if last > first and groups[last].box[0] - groups[last - 1].box[2] > WIDEST_GAP * height:
                break
            if last > first and groups[last].box[2] - groups[first].box[0] > WIDEST * height:
                break
            yield first, last


def _cut(strip: Strip, reading: Reading, whole: Stroke, begin: int, end: int) -> tuple[list[Span], int]:
    """The parts of strokes that may be several signs, and the number of pieces; [] and 1 of others."""
    low = whole.height < max(LOW * strip.height, LOWEST_CUT * pen_width(whole.ink))
    narrow = whole.width < NARROWEST_CUT * whole.height
    if low or narrow or reading.one_sign(begin, end).max() >= CLEAR or reading.is_other(begin, end):
        return [], 1
    scale = min(1.0, CUT_HEIGHT / whole.height)
    ink = cv2.resize(whole.ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else whole.ink
    parts, count = find_parts(ink, scale * strip.height)
    left = whole.box[0] - strip.whole.box[0]
    spans = []
    for part in parts:
        start, stop = (min(max(reading.border(left + side / scale), begin), end) for side in (part.start, part.end))
        image = frame_digit(part.ink)
        mark = Mark(_see_one(reading, start, stop), _place(part, whole, scale), strip.line, image, cut=True)
        spans.append(Span(part.first, part.last, mark))
    return spans, count if parts else 1


def _place(part: Part, whole: Stroke, scale: float) -> Box:
    left, top, right, bottom = (round(side / scale) for side in part.box)
    x, y, end, foot = whole.box
    return x + left, y + top, min(x + right, end), min(y + bottom, foot)


def _as_one(strip: Strip, reading: Reading, strokes: Sequence[Stroke], begin: int, end: int) -> Mark:
    bars = are_bars(strokes)
    seen = _see_one(reading, begin, end, digits=not bars)
    high = not bars and max(stroke.height for stroke in strokes) >= LOW * strip.height
    if seen.text == "-" and strokes[0].width < DASH * strokes[0].height:  # a blot that the reader has not seen small
        seen = replace(seen, text=".", probabilities=seen.probabilities[SWAPPED])
    return make_mark(seen, strokes, strip.line, high)


def _see_one(reading: Reading, begin: int, end: int, digits: bool = True) -> Seen:
    """What most probably stands alone between two places, digits among it or not."""
    signs = reading.one_sign(begin, end)
    if not digits:
        signs = np.concatenate([np.zeros(10), signs[10:]])
    return Seen(SIGNS[int(signs.argmax())], signs)


def take_as_one(strip: Strip) -> Span:
    """The whole strip as one digit that no reader has seen."""
    return Span(0, 0, make_mark(Seen("0", np.zeros(len(SIGNS))), strip.strokes, strip.line))


# What is most probable


def judge(strip: Strip, reading: Reading, spans: list[Span], rows: np.ndarray) -> list[FoundNumber]:
    """The most probable sequence of spans, as numbers.

    rows: (n, 10), what the digit network says of each span that has an image.
    """
    whole = spans[-1].mark
    if strip.may_be_one and whole.image is not None:
        if is_one(reading, rows[-1]):
            return [alone(whole, rows[-1])]
        if _is_none(reading, rows[-1]):
            return [_as_none(whole, rows[-1])]
    lattice = make_lattice(strip, spans, rows)
    path = lattice.best_path()
    scores = lattice.given_neighbours(path)
    marks = [spans[place].mark for place, _ in path]
    answers = _of_each(spans, rows)
    looked = [answers[place] for place, _ in path]
    words = [state_of(column) == WORD for _, column in path]
    return [
        _number(marks[begin:end], scores[begin:end], looked[begin:end], strip, reading)
        for begin, end in pairwise([0, *_ends([mark.box for mark in marks], words, strip.height), len(path)])
    ]


def _of_each(spans: list[Span], rows: np.ndarray) -> list[np.ndarray | None]:
    """What the digit network says of each span; None of one that has no image. rows: as of `judge`."""
    answers = iter(rows)
    return [next(answers) if span.mark.image is not None else None for span in spans]


def make_lattice(strip: Strip, spans: list[Span], rows: np.ndarray) -> Lattice:
    """All ways to read a strip. rows: as of `judge`."""
    count = 1 + max(span.last for span in spans)
    prices = [0.0, *(CHANGE * _touch(strip, spans, count)).tolist(), 0.0]
    firsts, lasts = [span.first for span in spans], [span.last for span in spans]
    scores = score(spans, rows)
    at_the_start = np.array([span.first == 0 and span.last < count - 1 for span in spans])
    at_the_end = np.array([span.first > 0 and span.last == count - 1 for span in spans])
    scores[:, BETWEEN] -= BEGINS * at_the_start[:, None]
    scores[:, ENDING] -= ENDS * at_the_end[:, None]
    return Lattice(firsts, lasts, scores, prices)


def _touch(strip: Strip, spans: list[Span], count: int) -> np.ndarray:
    """Of each border between two of so many pieces: is there no space as between a word and a number?"""
    begins, ends = np.full(count, np.inf), np.full(count, -np.inf)  # of each piece, in columns
    heights = np.full(count, np.inf)  # of the strokes that each piece is of
    for span in spans:
        left, top, right, bottom = span.mark.box
        begins[span.first] = min(begins[span.first], left)
        ends[span.last] = max(ends[span.last], right)
        if not span.mark.cut:
            own = slice(span.first, span.last + 1)
            heights[own] = np.minimum(heights[own], bottom - top)
    return np.asarray(begins[1:] - ends[:-1] < WORD_SPACE * np.minimum(strip.height, _lower(heights)))


def _lower(heights: np.ndarray) -> np.ndarray:
    """At each border between two pieces, how high what stands to its left is, or to its right, if that is lower.

    That is the highest of several pieces, as one may be a point or a dash; fewer do not count.
    """
    padded = np.pad(heights, WORD_LENGTH - 1, constant_values=np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, WORD_LENGTH).max(axis=1)
    return np.asarray(np.minimum(highest[:-WORD_LENGTH], highest[WORD_LENGTH:]))


def is_one(reading: Reading, row: np.ndarray) -> bool:
    """Is all of a strip surely one digit to the digit network, and not clearly several signs to the reader?

    row: (10,), what the digit network says of all of it; it may be sure that it is a digit, though not which.
    """
    return bool(row.max() >= UNSURE_BELOW or row.sum() >= ONE_DIGIT) and not _clearly_several(reading)


def _is_none(reading: Reading, row: np.ndarray) -> bool:
    """Does the reader see nothing but other marks, and doubts the digit network, too, that all of it is one digit?"""
    return reading.is_other(0, len(reading.probabilities)) and bool(row.sum() < UNSURE_BELOW)


def _clearly_several(reading: Reading) -> bool:
    """Does the reader see more than one sign, and clearly?"""
    text = reading.text
    return len(text) > 1 and reading.probability(text) >= SEVERAL


def alone(mark: Mark, row: np.ndarray) -> FoundNumber:
    """A digit that only the digit network has seen: its (10,) answer as it is."""
    is_digit, confidence = float(row.sum()), float(row.max())
    if is_digit >= NOT_A_DIGIT_BELOW:
        return FoundNumber([Found(mark, str(row.argmax()), confidence, row)], confidence)
    return _as_none(mark, row)


def _as_none(mark: Mark, row: np.ndarray) -> FoundNumber:
    """What is no digit. row: (10,), of the digit network."""
    confidence = 1 - float(row.sum())
    return FoundNumber([Found(mark, OTHER, confidence, row)], confidence)


def score(spans: list[Span], rows: np.ndarray) -> np.ndarray:
    """How probable each span is to be each of SIGNS: (n, 19) logarithms.

    Both networks' probabilities, each raised to a power, are multiplied (a product of experts: Hinton 2002), and put in
    proportion to those of all digits and of no digit. rows: as of `judge`.
    """
    framed = np.array([span.mark.image is not None for span in spans])
    cut = np.array([span.mark.cut for span in spans])[:, None]
    network = np.eye(11)[np.full(len(spans), 10)]  # a mark too low for a digit is none for certain
    network[framed] = _with_none(rows)
    seen = np.array([span.mark.seen.probabilities for span in spans])
    reader = np.concatenate([_with_none(seen[:, :10]), seen[:, 10:]], axis=1)  # digits, none, signs
    reader, network = (np.log(np.clip(one, LEAST, 1)) for one in (reader, network))
    digits = np.where(cut, *(a * reader[:, :11] + b * network + c for a, b, c in (CUT, OWN)))
    digits[:, 1] = ONE[0] * reader[:, 1] + ONE[1] * network[:, 1] + ONE[2]
    digits[:, 10] -= np.where(cut[:, 0], CUT[2], OWN[2])
    signs, others = (a * reader[:, 11:] + b * network[:, 10:] + c for a, b, c in (SIGN, OTHERS))
    scores = np.concatenate([digits[:, :10], signs[:, :-1], others[:, -1:]], axis=1)
    scores -= np.logaddexp.reduce(digits, axis=1, keepdims=True)
    scores[seen[:, -1] >= CLEAR, 10:-1] = np.log(LEAST)  # a mark that nobody can read is not made a sign in silence
    return np.asarray(scores)


def _with_none(rows: np.ndarray) -> np.ndarray:
    """(n, 10) probabilities of the digits to (n, 11), with that of no digit."""
    return np.concatenate([rows, 1 - rows.sum(axis=1, keepdims=True)], axis=1)


def _number(
    marks: list[Mark], scores: np.ndarray, looked: list[np.ndarray | None], strip: Strip, reading: Reading
) -> FoundNumber:
    """Marks that stand together, as a number.

    scores: of each mark, (n, 19); looked: what the digit network says of each.
    """
    columns = scores.argmax(axis=1).tolist()
    text = "".join(SIGNS[column] for column in columns)
    digits = [
        float(row[column]) for row, column in zip(looked, columns, strict=True) if row is not None and column < 10
    ]
    confidence = trust(_read_alone(marks, strip, reading).probability(text), min(digits, default=1.0), len(text))
    found = [_found(mark, row) for mark, row in zip(marks, _tempered(scores, confidence), strict=True)]
    return FoundNumber(found, confidence)


def _read_alone(marks: list[Mark], strip: Strip, reading: Reading) -> Reading:
    """What the reader sees where they stand, whatever the digit network says."""
    left = strip.whole.box[0]
    begin, end = min(mark.box[0] for mark in marks), max(mark.box[2] for mark in marks)
    return reading.between(reading.border(begin - left), reading.border(end - left))


def trust(reader: float, network: float, signs: int) -> float:
    """Probability that a number of so many signs is right, in [0, 1]: Platt scaling (Platt 1999) of what both say.

    reader: the probability in [0, 1] of its whole text to the reader; network: that of its least probable digit to the
    digit network, which sees each alone. Both are lower the longer it is, which is made up for.
    """
    odds = TRUST[0] * log_odds(reader) + TRUST[1] * log_odds(network) + TRUST[2] * np.log(signs) + TRUST[3]
    return float(1 / (1 + np.exp(-odds)))


def log_odds(probability: float) -> float:
    """Of a probability, which counts as FAINTEST away from 0 and from 1 at least."""
    probability = min(max(probability, FAINTEST), 1 - FAINTEST)
    return float(np.log(probability / (1 - probability)))


def _tempered(scores: np.ndarray, confidence: float) -> np.ndarray:
    """The probabilities of each mark, (n, 19), so that those of what they are read as multiply to the confidence.

    All have the same temperature (Guo et al. 2017), which is found by bisection: what is read stays the most probable.
    """
    scores = scores - scores.max(axis=1, keepdims=True)
    coldest, warmest = TEMPERATURES
    for _ in range(HALVINGS):
        middle = np.sqrt(coldest * warmest)
        shares = np.exp(scores / middle)
        total = shares.sum(axis=1, keepdims=True)
        if 1 / total.prod() > confidence:
            coldest = middle
        else:
            warmest = middle
    return np.asarray(shares / total)


def mostly_words(numbers: list[FoundNumber]) -> bool:
    """Is more than half of the width of what stands there OTHER?"""
    marks = [one for number in numbers for one in number.marks]
    others = sum(_width(one) for one in marks if one.text == OTHER)
    return 2 * others > sum(map(_width, marks))


def _width(found: Found) -> int:
    return found.mark.box[2] - found.mark.box[0]


def as_word(number: FoundNumber) -> FoundNumber:
    """All its marks as letters of a word."""
    marks = [
        replace(one, text=OTHER, probabilities=None if one.probabilities is None else 0 * one.probabilities)
        for one in number.marks
    ]
    return FoundNumber(marks, number.confidence)


def doubt_among_words(numbers: list[FoundNumber]) -> list[FoundNumber]:
    """Numbers of one picture, less probable the more words stand among them: what is left there is often a letter.

    Odds are multiplied by those of numbers to words in the picture, in proportion to USUAL ones (Saerens et al. 2002,
    "Adjusting the outputs of a classifier to new a priori probabilities").
    """
    words = [all(one.text == OTHER for one in number.marks) for number in numbers]
    against = USUAL * sum(words) / max(1, len(words) - sum(words))
    if sum(words) < FEW_WORDS or against <= 1:
        return numbers
    return [number if word else _doubted(number, against) for number, word in zip(numbers, words, strict=True)]


def _doubted(number: FoundNumber, against: float) -> FoundNumber:
    """A number whose odds are so many times lower, and those of its marks in proportion."""
    confidence = number.confidence / (number.confidence + against * (1 - number.confidence))
    factor = (confidence / max(number.confidence, LEAST)) ** (1 / len(number.marks))
    marks = [
        replace(
            one,
            confidence=factor * one.confidence,
            probabilities=None if one.probabilities is None else factor * one.probabilities,
        )
        for one in number.marks
    ]
    return FoundNumber(marks, confidence)


def _found(mark: Mark, row: np.ndarray) -> Found:
    """What a mark is that has these (19,) probabilities of SIGNS."""
    column = int(row.argmax())
    if column < 10 or (SIGNS[column] == OTHER and mark.image is not None):
        return Found(mark, SIGNS[column], float(row[column]), row[:10].astype(np.float32))
    return Found(mark, SIGNS[column], float(row[column]), None)


def _ends(boxes: list[Box], words: list[bool], height: float) -> list[int]:
    """The marks with which another number begins: after a wide gap if the others are not, and where a word meets a
    number, if it has several marks or stands apart. words: of each mark, whether it is OTHER."""
    gaps = [(after[0] - before[2]) / height for before, after in pairwise(boxes)]
    usual = float(np.median(gaps)) if len(gaps) > 1 else 0.0
    ends = []
    for place, gap in enumerate(gaps, 1):
        met = words[place - 1] != words[place]
        word = place if words[place] else place - 1
        long = any(words[at] for at in (word - 1, word + 1) if 0 <= at < len(words))
        if gap > ALWAYS_PART or gap > max(PART, UNEVEN * usual) or (met and (long or gap > WORD_SPACE)):
            ends.append(place)
    return ends


def look_again(image: np.ndarray, row: np.ndarray, classify: Classify, framed: np.ndarray | None) -> np.ndarray:
    """The (10,) answer to a digit that stands alone; an unsure one is looked at from other sides, too, and averaged.

    Where it may be framed already, a look from other sides changes more right answers than wrong ones: the frame is
    looked at as it is, and the surer look counts.
    """
    if row.max() >= UNSURE_BELOW:
        return row
    if framed is not None:
        return max(row, classify(framed[None, ..., None])[0], key=np.max)
    looks = np.stack([_seen_from(image, *view) for view in VIEWS])
    return np.concatenate([row[None], classify(looks[..., None])]).mean(axis=0)


def _seen_from(image: np.ndarray, width: float, lean: float) -> np.ndarray:
    """The image made so many times as wide, and leaning, about its middle. lean: columns to the right a row up."""
    middle = (image.shape[0] - 1) / 2
    seen_from = np.array([[1 / width, lean, middle - middle / width - lean * middle], [0, 1, 0]])
    return cv2.warpAffine(image, seen_from, image.shape, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
