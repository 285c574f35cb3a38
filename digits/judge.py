"""Judge: what the reader saw in a line and what the digit network says of each digit, as one calibrated answer.

Both are asked what stands at a place; the answer is their product of experts (Hinton 2002, "Training products of
experts by minimizing contrastive divergence"), each raised to a power. How probable it is that a whole number is right
is a logistic function of what both say. The weights are fitted on synthetic lines that no network has learned from
(digits/training/judging.py) and come with the sequence network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from digits.layout import LOW, Mark, Strip, find_marks, group_strokes, make_mark
from digits.recognition import NOT_A_DIGIT_BELOW, OTHER, UNSURE_BELOW, Box
from digits.sequence import SIGNS, Reading, Seen
from digits.strokes import join

DECODINGS = tuple((among, none) for among in (SIGNS, SIGNS[:10]) for none in (1.0, 0.15))
LOW_SIGNS = ".,-:="
LONGER = 1.6  # widths of a dash in its heights
CLEAR = 0.9  # probability of a reading from which on nothing else is looked at
LEAST = 1e-6  # no network is surer than this that something is not so
PART = 1.15  # gap, in heights of the line, that parts two numbers,
UNEVEN = 2.0  # if it is so many times as wide as the line's usual gap;
ALWAYS_PART = 2.5  # a gap that does so however even they are
VIEWS = tuple((width, lean) for width in (0.5, 1.5) for lean in (-0.2, 0.0, 0.2))  # narrower, wider; leaning or not

Classify = Callable[[np.ndarray], np.ndarray]
"""(n, 28, 28, 1) float32 to (n, 10) probabilities."""

KINDS = ("alone", "own", "cut", "beside", "sign")
"""Of marks: a digit that stands alone, whose ink is its own, was cut off, stands beside a mark that is none; what is
read as no digit."""

Weights = dict[str, list[float]]
"""Of each of KINDS: powers of the reader and of the digit network, and what is added for no digit. Of "number" and
"single": a constant, and factors of features."""


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


def propose(strip: Strip, reading: Reading) -> list[list[Mark]]:
    """What may stand in a strip: what was read in it and, where that differs, what else may be meant.

    That is: digits alone; more signs than are sure; each stroke a digit or a sign of its own; all of it one digit.
    """
    clear = reading.probability("".join(sign.text for sign in reading.signs)) >= CLEAR
    proposals = {
        _text(marks): marks
        for among, none in DECODINGS[: 1 if clear else 2 if _has_low(strip) else None]
        if (marks := find_marks(strip, reading, reading.decode(among, none)))
    }
    if next(iter(proposals), "") == "/":  # a stroke alone is a 1
        return [[_as_one(strip, reading)]]
    if next(iter(proposals), "") == "-" and strip.whole.width < LONGER * strip.whole.height:  # and a blot alone a point
        (dash,) = proposals["-"]
        return [[replace(dash, seen=replace(dash.seen, text="."))]]
    if len(strip.strokes) > 1 and proposals and not clear:
        apart = _by_strokes(strip, reading)
        proposals.setdefault(_text(apart), apart)
    if strip.may_be_one:
        one = [_as_one(strip, reading)]
        proposals.pop(_text(one), None)
        proposals[_text(one)] = one  # the last
    return list(proposals.values())


def _has_low(strip: Strip) -> bool:
    """Has it a stroke that is too low for a digit?"""
    return any(stroke.height < LOW * strip.height for stroke in strip.strokes)


def _text(marks: list[Mark]) -> str:
    return "".join(mark.seen.text for mark in marks)


def _by_strokes(strip: Strip, reading: Reading) -> list[Mark]:
    """Every high stroke as a digit, every low one as a sign: those that are most probable there."""
    left = strip.whole.box[0]
    marks = []
    for strokes in group_strokes(strip):
        whole = join(strokes)
        first, last = (reading.place(side - left) for side in (whole.box[0], whole.box[2]))
        among = SIGNS[:10] if whole.height >= LOW * strip.height else LOW_SIGNS
        marks.append(make_mark(reading.most_probable(first, last, among), strokes, strip.line))
    return sorted(marks, key=lambda mark: mark.seen.place)


def _as_one(strip: Strip, reading: Reading) -> Mark:
    """The whole strip as one digit: the most probable one."""
    labels = reading.as_one_digit
    rows = np.zeros(1 + len(SIGNS), np.float32)
    rows[1:11], rows[-1] = labels, 1 - labels.sum()
    return make_mark(Seen(SIGNS[int(np.argmax(labels))], 0, rows), strip.strokes, strip.line)


def take_as_one(strip: Strip) -> Mark:
    """The whole strip as one digit that no reader has seen."""
    return make_mark(Seen("0", 0, np.zeros(1 + len(SIGNS), np.float32)), strip.strokes, strip.line)


def alone(mark: Mark, row: np.ndarray) -> FoundNumber:
    """A digit that only the digit network has seen: its (10,) answer as it is."""
    found = _found(mark, row)
    return FoundNumber([found], found.confidence)


def judge(
    strip: Strip, reading: Reading, proposals: list[list[Mark]], rows: np.ndarray, weights: Weights
) -> list[FoundNumber]:
    """The most probable proposal, its marks parted into numbers.

    rows: (n, 10), what the digit network says of each mark of each proposal that has an image.
    """
    signed = proposals and proposals[0][0].seen.text in "+-"  # a dash in front is no bar of the digit
    if strip.may_be_one and len(rows) and not signed and rows[-1].max() >= UNSURE_BELOW:
        return [alone(proposals[-1][0], rows[-1])]
    answers: list[list[FoundNumber]] = []
    for marks in proposals:
        count = sum(mark.image is not None for mark in marks)
        found = weigh(marks, rows[:count], strip.height, weights)
        if not answers or not any(one.text == OTHER for one in found):  # no guess but what was read may be no sign
            answers.append(_numbers(reading, found, strip.height, weights))
        rows = rows[count:]
    return max(answers, key=lambda numbers: float(np.prod([number.confidence for number in numbers])), default=[])


def weigh(marks: list[Mark], rows: np.ndarray, height: float, weights: Weights) -> list[Found]:
    """Each mark with its probabilities. rows: (n, 10), of those with an image."""
    rest = iter(rows)
    found = []
    for place, mark in enumerate(marks):
        if mark.image is None:
            found.append(_sign(mark))
        else:
            kind = kind_of(marks, place, height)
            odds = np.exp(combine_logits(mark.seen.probabilities, next(rest), weights[kind]))
            found.append(_found(mark, (odds[:10] / odds.sum()).astype(np.float32)))
    return found


def _found(mark: Mark, probabilities: np.ndarray) -> Found:
    is_digit = float(probabilities.sum())
    if is_digit >= NOT_A_DIGIT_BELOW:
        return Found(mark, str(probabilities.argmax()), float(probabilities.max()), probabilities)
    seen = mark.seen.text
    return Found(mark, OTHER, 1 - is_digit, probabilities) if seen == OTHER or seen.isdigit() else _sign(mark)


def _sign(mark: Mark) -> Found:
    text = mark.seen.text
    return Found(mark, text, float(mark.seen.probabilities[1 + SIGNS.index(text)]), None)


def kind_of(marks: list[Mark], place: int, height: float) -> str:
    """One of KINDS."""
    mark, beside = marks[place], marks[max(place - 1, 0) : place] + marks[place + 1 : place + 2]
    if not mark.seen.text.isdigit():
        return "sign"
    if not beside:
        return "alone"
    if any(other.seen.text == OTHER and _gap(mark.box, other.box) < PART * height for other in beside):
        return "beside"
    return "cut" if mark.cut else "own"


def _gap(first: Box, second: Box) -> int:
    return max(first[0], second[0]) - min(first[2], second[2])


def combine_logits(seen: np.ndarray, rows: np.ndarray, weights: Sequence[float] | np.ndarray) -> np.ndarray:
    """(..., 11) logits of the ten digits and of none, from (..., 20) of the reader and (..., 10) of the digit network.

    The highest is 0.
    """
    reader, network, none = weights
    digits = _with_none(seen[..., 1:11])
    logits = reader * np.log(digits) + network * np.log(_with_none(rows))
    logits[..., 10] += none
    return logits - logits.max(axis=-1, keepdims=True)


def _with_none(rows: np.ndarray) -> np.ndarray:
    return np.clip(np.concatenate([rows, 1 - rows.sum(axis=-1, keepdims=True)], axis=-1), LEAST, 1).astype(float)


def features(reading: Reading, marks: list[Found], first: int, end: int | None) -> np.ndarray:
    """What tells how probable a number is, read between two places: (3,) logarithms of probabilities."""
    text = "".join(one.text for one in marks)
    whole = np.log(max(reading.probability(text, first, end), LEAST))
    each = np.log(np.maximum([one.confidence for one in marks], LEAST))
    return np.array([whole, each.sum(), each.min()])


def _numbers(reading: Reading, marks: list[Found], height: float, weights: Weights) -> list[FoundNumber]:
    numbers = []
    for group, first, end in part_marks(marks, height):
        constant, *factors = weights[number_kind(marks)]
        score = constant + float(np.dot(factors, features(reading, group, first, end)))
        numbers.append(FoundNumber(group, float(1 / (1 + np.exp(-score)))))
    return numbers


def number_kind(marks: list[Found]) -> str:
    """Which weights a number has: a strip of one mark may be what the reader has not seen in it."""
    return "number" if len(marks) > 1 else "single"


def part_marks(marks: list[Found], height: float) -> list[tuple[list[Found], int, int | None]]:
    """Marks into numbers, parted where the gap is wide and the others are not; and places between which each stands."""
    gaps = [_gap(a.mark.box, b.mark.box) / height for a, b in pairwise(marks)]
    usual = float(np.median(gaps)) if len(gaps) > 1 else 0.0
    groups = [marks[:1]]
    for gap, mark in zip(gaps, marks[1:], strict=True):
        if gap > ALWAYS_PART or gap > max(PART, UNEVEN * usual):
            groups.append([])
        groups[-1].append(mark)
    ends = [(before[-1].mark.seen.place + after[0].mark.seen.place + 1) // 2 for before, after in pairwise(groups)]
    return list(zip(groups, [0, *ends], [*ends, None], strict=True))


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
