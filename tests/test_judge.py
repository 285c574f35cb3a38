"""What two networks say of every run of strokes, as one answer: scored, chosen, parted into numbers."""

import numpy as np
import pytest

from digits.judge import Found, FoundNumber, Span, doubt_among_words, judge, look_again, make_lattice, score, trust
from digits.layout import Mark, Strip
from digits.sequence import SIGNS, Reading, Seen
from digits.strokes import Stroke

IMAGE = np.zeros((28, 28), np.float32)


def _span(text: str, first: int, last: int | None = None, probability: float = 0.98, left: int | None = None) -> Span:
    """Pieces that the reader takes for this sign."""
    row = np.full(len(SIGNS), (1 - probability) / 40)
    row[SIGNS.index(text)] = probability
    left = 90 * first if left is None else left
    image = None if text in ".,-:" else IMAGE
    return Span(first, first if last is None else last, Mark(Seen(text, row), (left, 0, left + 50, 100), 0, image))


def _row(label: int, probability: float) -> np.ndarray:
    return np.where(np.arange(10) == label, probability, (1 - probability) / 20).astype(np.float32)


NO_DIGIT = np.full(10, 0.001)


def _strip(spans: list[Span]) -> tuple[Strip, Reading]:
    """A long strip, which is no single digit, and a reader who sees in the middle of each span that is its sign."""
    strokes = tuple(Stroke(span.mark.box, np.ones((100, 50), np.float32)) for span in spans)
    strip = Strip(0, 100.0, strokes)
    reading = Reading(np.eye(20)[[0] * (strip.whole.width // 2 + 6)], 1.0)
    for span in spans:
        left, _, right, _ = span.mark.box
        reading.probabilities[reading.border((left + right) / 2 - strip.whole.box[0])] = np.eye(20)[
            1 + SIGNS.index(span.mark.seen.text)
        ]
    return strip, reading


def test_score_multiplies_what_both_say_and_knows_what_is_no_digit():
    agreed, doubted, slash = score([_span("3", 0, probability=0.6), _span("3", 1), _span("/", 2)],
                                   np.stack([_row(3, 0.9), _row(8, 0.99), NO_DIGIT]))  # fmt: skip
    assert SIGNS[agreed.argmax()] == "3"
    assert SIGNS[doubted.argmax()] == "8", "whose form is surely an 8"
    assert SIGNS[slash.argmax()] == "/"


def test_what_the_reader_takes_for_a_stroke_may_be_a_one_all_the_same():
    stroke = _span("/", 0, probability=0.5)
    stroke.mark.seen.probabilities[1] = 0.45
    (one,) = score([stroke], _row(1, 0.995)[None])
    assert SIGNS[one.argmax()] == "1"


def test_lattice_joins_strokes_where_that_is_more_probable():
    apart = [_span("1", 0), _span("3", 1)]
    rows = np.stack([_row(1, 0.6), _row(3, 0.6), _row(8, 0.99)])
    spans = [*apart, _span("8", 0, 1)]
    assert make_lattice(_strip(apart)[0], spans, rows).best_path() == [(2, 8)]
    rows = np.stack([_row(1, 0.99), _row(3, 0.99), NO_DIGIT])
    spans = [*apart, _span("8", 0, 1, probability=0.02)]
    assert make_lattice(_strip(apart)[0], spans, rows).best_path() == [(0, 1), (1, 3)]


@pytest.mark.parametrize("spans, text", [([_span("9", 0)], "91"), ([_span("9", 0), _span("2", 2)], "9/2")])
def test_a_slash_that_ends_what_is_written_is_rather_a_one(spans, text):
    slash = _span("/", 1, probability=0.75)
    slash.mark.seen.probabilities[1] = 0.2
    spans = [spans[0], slash, *spans[1:]]
    rows = np.stack([_row(9, 0.99), _row(1, 0.8), _row(2, 0.99)])[: len(spans)]
    (number,) = judge(*_strip(spans), spans, rows)
    assert "".join(one.text for one in number.marks) == text


def test_judge_gives_digits_probabilities_and_signs_none():
    spans = [_span("3", 0), _span(".", 1), _span("1", 2)]
    (number,) = judge(*_strip(spans), spans, np.stack([_row(3, 0.99), _row(1, 0.99)]))
    assert [one.text for one in number.marks] == ["3", ".", "1"] and number.confidence > 0.8
    three, point, _ = number.marks
    assert three.probabilities.shape == (10,) and point.probabilities is None


def test_the_probabilities_of_the_digits_agree_with_that_of_the_number():
    spans = [_span("3", 0), _span("1", 1), _span("8", 0, 1)]
    (number,) = judge(*_strip(spans), spans, np.stack([_row(3, 0.9), _row(1, 0.9), _row(8, 0.6)]))
    assert np.prod([one.confidence for one in number.marks]) == pytest.approx(number.confidence)


@pytest.mark.parametrize(
    "lefts, texts",
    [
        ((0, 60, 120, 180), ["1234"]),
        ((0, 60, 300, 360), ["12", "34"]),
        ((0, 200, 400, 600), ["1234"]),
        ((0, 400, 800, 1200), ["1", "2", "3", "4"]),
    ],
)
def test_judge_parts_numbers_where_a_gap_is_wide_and_the_others_are_not(lefts, texts):
    spans = [_span(str(place + 1), place, left=left) for place, left in enumerate(lefts)]
    numbers = judge(*_strip(spans), spans, np.stack([_row(place + 1, 0.99) for place in range(4)]))
    assert ["".join(one.text for one in number.marks) for number in numbers] == texts


@pytest.mark.parametrize("text, texts", [("12??", ["12", "??"]), ("12?4", ["12?4"]), ("?345", ["?345"])])
def test_judge_parts_words_from_numbers_but_not_a_mark_that_nobody_can_read(text, texts):
    spans = [_span(sign, place, left=55 * place) for place, sign in enumerate(text)]
    rows = np.stack([NO_DIGIT if sign == "?" else _row(int(sign), 0.99) for sign in text])
    numbers = judge(*_strip(spans), spans, rows)
    assert ["".join(one.text for one in number.marks) for number in numbers] == texts


@pytest.mark.parametrize("is_digit, text", [(0.6, "?"), (0.97, "1")])
def test_a_stroke_that_the_reader_knows_nothing_of_is_no_digit_unless_it_is_one_to_the_digit_network(is_digit, text):
    span = _span("?", 0)
    strip, reading = _strip([span])
    assert strip.may_be_one
    (number,) = judge(strip, reading, [span], np.stack([_row(1, is_digit)]))
    assert "".join(one.text for one in number.marks) == text


def test_look_again_asks_about_other_views_of_an_unsure_digit_only():
    image = np.zeros((28, 28), np.float32)
    image[4:24, 12:16] = 1
    asked: list[np.ndarray] = []

    def classify(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return np.eye(10, dtype=np.float32)[[7] * len(images)]

    assert look_again(image, 0.6 * np.eye(10, dtype=np.float32)[1], classify, None).argmax() == 7
    narrower, leaning = asked[0][0, :, :, 0], asked[0][1, :, :, 0]
    assert 0 < narrower.sum() < image.sum()
    assert not np.allclose(narrower, leaning)
    sure = 0.95 * np.eye(10, dtype=np.float32)[1]
    assert look_again(image, sure, classify, None) is sure and len(asked) == 1


@pytest.mark.parametrize("seen, label", [(0.7, 7), (0.5, 1)])
def test_look_again_takes_an_unsure_digit_in_mnists_frame_as_it_is_where_that_is_surer(seen, label):
    rows = np.eye(10, dtype=np.float32)
    asked: list[np.ndarray] = []

    def classify(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return seen * rows[[7] * len(images)]

    assert look_again(IMAGE, 0.6 * rows[1], classify, IMAGE).argmax() == label
    assert [images.shape for images in asked] == [(1, 28, 28, 1)], "only the frame itself, from no other side"


def test_trust_rises_with_what_both_networks_say():
    assert trust(0.9, 0.9, 4) > trust(0.5, 0.9, 4) > trust(0.5, 0.4, 4) > 0
    assert trust(1.0, 1.0, 1) < 1 and trust(0.0, 0.0, 1) > 0


def _found_number(text: str, confidence: float) -> FoundNumber:
    mark = _span("1", 0).mark
    row = _row(1, confidence)
    return FoundNumber([Found(mark, sign, confidence, row) for sign in text], confidence)


def test_a_number_is_doubted_among_words_and_not_among_numbers():
    numbers = [_found_number("1", 0.9)] * 9
    assert doubt_among_words([*numbers, _found_number("?", 0.9)])[0].confidence == 0.9
    (one, *_) = doubt_among_words([_found_number("1", 0.9), *[_found_number("??", 0.9)] * 5])
    assert one.confidence < 0.3 and one.marks[0].probabilities.sum() < 0.5
    (clear, *_) = doubt_among_words([_found_number("12", 0.999), *[_found_number("??", 0.9)] * 5])
    assert clear.confidence > 0.8
