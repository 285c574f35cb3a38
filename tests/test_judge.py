"""What two networks say, as one answer: combined, parted into numbers, looked at again."""

import itertools

import numpy as np
import pytest

from digits.judge import KINDS, Found, combine_logits, look_again, part_marks, weigh
from digits.layout import Mark
from digits.sequence import SIGNS, Seen

WEIGHTS = {kind: [0.5, 0.5, 0.0] for kind in KINDS}
IMAGE = np.zeros((28, 28), np.float32)


def _mark(text: str, left: int, probability: float = 0.98) -> Mark:
    row = np.full(20, (1 - probability) / 19, np.float32)
    row[1 + SIGNS.index(text)] = probability
    image = None if text in ".,-:" else IMAGE
    return Mark(Seen(text, left // 10, row), (left, 0, left + 50, 100), 0, image)


def _row(label: int, probability: float) -> np.ndarray:
    return np.where(np.arange(10) == label, probability, (1 - probability) / 20).astype(np.float32)


def test_combine_logits_multiplies_what_both_say_and_knows_what_is_no_digit():
    seen = _mark("3", 0, 0.6).seen.probabilities
    agreed = np.exp(combine_logits(seen, _row(3, 0.9), [1, 1, 0]))
    assert agreed.argmax() == 3 and agreed[3] / agreed.sum() > 0.95
    assert combine_logits(seen, np.zeros(10, np.float32), [0.1, 1, 0]).argmax() == 10
    assert combine_logits(seen, _row(8, 0.99), [0.1, 1, 0]).argmax() == 8


def test_weigh_gives_digits_probabilities_and_signs_none():
    digit, point, slash = weigh([_mark("3", 0), _mark(".", 60), _mark("/", 120)],
                                np.stack([_row(3, 0.99), np.zeros(10)]), 100, WEIGHTS)  # fmt: skip
    assert (digit.text, point.text, slash.text) == ("3", ".", "/")
    assert digit.probabilities.shape == (10,) and point.probabilities is None and slash.probabilities is None
    assert point.confidence == pytest.approx(0.98)


def test_what_the_reader_takes_for_a_stroke_may_be_a_one_all_the_same():
    (one,) = weigh([_mark("/", 0, 0.5)], _row(1, 0.995)[None], 100, WEIGHTS | {"sign": [0.1, 1.0, 0.0]})
    assert one.text == "1" and one.probabilities is not None


def test_a_digit_beside_another_mark_has_weights_of_its_own():
    weights = WEIGHTS | {"beside": [0.5, 0.5, 9.0]}
    close = weigh([_mark("1", 0), _mark("?", 60)], np.stack([_row(1, 0.9), np.zeros(10)]), 100, weights)
    far = weigh([_mark("1", 0), _mark("?", 400)], np.stack([_row(1, 0.9), np.zeros(10)]), 100, weights)
    assert [one.text for one in close] == ["?", "?"] and [one.text for one in far] == ["1", "?"]


@pytest.mark.parametrize(
    "lefts, texts",
    [
        ((0, 60, 120, 180), ["1234"]),
        ((0, 60, 300, 360), ["12", "34"]),
        ((0, 200, 400, 600), ["1234"]),
        ((0, 400, 800, 1200), ["1", "2", "3", "4"]),
    ],
)
def test_part_marks_parts_numbers_where_a_gap_is_wide_and_the_others_are_not(lefts, texts):
    marks = [Found(_mark(str(place + 1), left), str(place + 1), 0.9, None) for place, left in enumerate(lefts)]
    parts = part_marks(marks, 100)
    assert ["".join(one.text for one in group) for group, _, _ in parts] == texts
    assert parts[0][1] == 0 and parts[-1][2] is None
    assert all(end == first for (_, _, end), (_, first, _) in itertools.pairwise(parts))


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
