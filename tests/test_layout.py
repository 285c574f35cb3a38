"""Strokes into digits, digits into lines: found, joined, cut, and in reading order."""

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_digit, draw_number, draw_on, find_ink

from digits.layout import Found, Layout, choose_digits, find_layout, look_again
from digits.recognizer import Recognizer
from digits.sequence import Reading, Sign
from digits.strokes import find_strokes
from digits.training.corruptions import corrupt


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


@pytest.fixture
def no_second_look(monkeypatch):
    monkeypatch.setattr("digits.layout.look_again", lambda found, classify, framed=None: found)


def _ink(picture):
    return find_ink(picture).ink


def test_find_layout_finds_nothing_on_a_blank_pad():
    layout = find_layout(np.zeros((400, 400), np.float32), False)
    assert layout.candidates == [] and layout.lines == []


def test_numbers_are_read_from_left_to_right_with_a_box_each(recognizer):
    result = recognizer.recognize(draw_number("205817"))
    assert result.text == "205817"
    lefts = [digit.box[0] for digit in result.digits]
    assert lefts == sorted(lefts)
    for digit, left in zip(result.digits, range(30, 1000, 130), strict=False):
        assert left - 6 <= digit.box[0] and digit.box[2] <= left + 106


def test_lines_are_read_from_top_to_bottom_though_they_slant(recognizer):
    page = draw_number("2468\n305\n7926")
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), -4, 0.9)
    slanted = cv2.warpAffine(page, turn, page.shape[::-1], borderValue=255)
    assert recognizer.recognize(slanted).lines == ("2468", "305", "7926")


def test_strokes_that_belong_together_are_joined(recognizer):
    picture = np.full((400, 400), 255, np.uint8)
    body, _ = HAND["5"]
    draw_on(picture, [body], 200, 14, (100, 110))
    draw_on(picture, [[(0.32, -0.06), (0.85, -0.06)]], 200, 14, (100, 110))  # the bar of the 5 floats above it
    result = recognizer.recognize(picture)
    assert result.text == "5"
    assert result.digits[0].box[1] < 100


def test_two_strokes_side_by_side_are_joined_where_the_digit_needs_them(recognizer):
    picture = np.full((400, 400), 255, np.uint8)
    draw_on(picture, [[(0.2, 0.0), (0.15, 0.55), (0.6, 0.55)], [(0.75, 0.2), (0.75, 1.0)]], 200, 14, (100, 100))
    result = recognizer.recognize(picture)
    assert result.text == "4"
    assert "2 strokes joined into one digit" in result.notes


def _draw_touching() -> np.ndarray:
    """A 2 and a 3 in one stroke."""
    picture = np.full((260, 420), 255, np.uint8)
    draw_on(picture, HAND["2"], 160, 14, (40, 50))
    draw_on(picture, HAND["3"], 160, 14, (152, 50))
    return picture


def test_touching_digits_are_parted(recognizer):
    picture = _draw_touching()
    assert len(find_strokes(_ink(picture))[0]) == 1
    result = recognizer.recognize(picture)
    assert result.text == "23"
    assert "touching digits: parted into 2" in result.notes


@pytest.mark.parametrize("whole, count", [(0.05, 2), (0.4, 1)])
def test_a_cut_needs_parts_far_surer_than_the_whole(whole, count, no_second_look):
    rows = np.eye(10, dtype=np.float32)
    layout = find_layout(_ink(_draw_touching()))
    found, _ = choose_digits(
        layout, whole * rows[:1], lambda parts: 0.9 * rows[[7] * len(parts)], lambda ink: Reading([], 0.0)
    )
    assert len(found) == count


@pytest.mark.parametrize("seven, count", [(0.0, 2), (0.5, 1)])
def test_what_is_surely_one_digit_is_not_cut_though_it_is_unclear_which(seven, count, no_second_look):
    rows = np.eye(10, dtype=np.float32)
    one_or_seven = 0.46 * rows[1:2] + seven * rows[7:8]
    layout = find_layout(_ink(_draw_touching()))
    found, _ = choose_digits(
        layout, one_or_seven, lambda parts: 0.999 * rows[[1] * len(parts)], lambda ink: Reading([], 0.0)
    )
    assert len(found) == count


def _read_23(width: int, probability: float) -> Reading:
    rows = 0.95 * np.eye(10, dtype=np.float32)
    return Reading([Sign(rows[2], 0, width // 2), Sign(rows[3], width // 2, width)], probability)


def _choose(layout: Layout, whole: float, part: float, probability: float) -> tuple[str, list[Found]]:
    """The text and the digits where the whole is a 0, every part a 7, and the sequence network reads 23."""
    rows, width = np.eye(10, dtype=np.float32), layout.candidates[0].box[2] - layout.candidates[0].box[0]
    found, _ = choose_digits(
        layout, whole * rows[:1], lambda parts: part * rows[[7] * len(parts)], lambda ink: _read_23(width, probability)
    )
    return "".join(str(digit.probabilities.argmax()) for digit in found), found


@pytest.mark.parametrize(
    "part, read, text", [(0.999, 0.9, "77"), (0.9, 0.9, "23"), (0.9, 0.5, "77"), (0.2, 0.9, "23"), (0.999, 0.98, "23")]
)
def test_what_is_read_in_one_look_is_taken_where_it_is_certain_or_surer_than_the_cut(part, read, text, no_second_look):
    chosen, found = _choose(find_layout(_ink(_draw_touching())), 0.05, part, read)
    assert chosen == text
    assert all(digit.confidence < max(part, 0.95) for digit in found), "touching digits are less sure than others"


@pytest.mark.parametrize("whole, read, text", [(0.9, 0.98, "23"), (0.9, 0.9, "0"), (0.99, 0.98, "0")])
def test_a_sure_whole_is_overruled_only_by_a_certain_reading(whole, read, text):
    assert _choose(find_layout(_ink(_draw_touching())), whole, 0.9, read)[0] == text


def test_digits_that_are_read_at_the_same_place_are_a_mistake():
    signs = [Sign(0.9 * np.eye(10, dtype=np.float32)[2], 0, 0), Sign(0.9 * np.eye(10, dtype=np.float32)[3], 0, 9)]
    nothing = np.zeros((1, 10), np.float32)
    layout = find_layout(_ink(_draw_touching()))
    found, _ = choose_digits(
        layout, nothing, lambda parts: nothing.repeat(len(parts), axis=0), lambda ink: Reading(signs, 0.9)
    )
    assert len(found) == 1


@pytest.mark.parametrize(
    "other, gap, less_sure", [(0.04, 60, True), (0.6, 60, True), (0.85, 60, False), (0.04, 250, False)]
)
def test_a_digit_is_less_sure_close_beside_what_is_unsure_or_none(other, gap, less_sure, no_second_look):
    picture = np.full((400, 400), 255, np.uint8)
    for x in (50, 50 + gap):
        cv2.line(picture, (x, 100), (x, 300), 0, 16)
    layout = find_layout(_ink(picture))
    likely = [{(0, 0): 0.96, (1, 1): other}.get((run.first, run.last), 0.01) for run in layout.candidates]
    rows = np.array(likely, np.float32)[:, None] * np.eye(10, dtype=np.float32)[1]
    (digit, sign), _ = choose_digits(
        layout, rows, lambda parts: rows[:1].repeat(len(parts), 0), lambda ink: Reading([], 0)
    )
    assert (digit.confidence < 0.9) == less_sure
    assert sign.confidence == pytest.approx(other), "what is unsure or none stays as it was"


def test_a_digit_is_less_sure_close_beside_digits_that_had_to_be_parted(recognizer):
    apart, close = (_draw_touching() for _ in range(2))
    for picture, x in ((apart, 400), (close, 310)):
        cv2.line(picture, (x, 70), (x, 200), 0, 14)
    assert recognizer.recognize(apart).text == recognizer.recognize(close).text == "231"
    assert recognizer.recognize(close).digits[2].confidence < 0.9 < recognizer.recognize(apart).digits[2].confidence


def test_a_dotted_line_is_one_digit(recognizer):
    picture = np.full((400, 400), 255, np.uint8)
    for x, y in HAND["3"][0]:
        cv2.circle(picture, (round(100 + 200 * x), round(100 + 200 * y)), 6, 0, cv2.FILLED)
    assert recognizer.recognize(picture).text == "3"


def test_single_takes_everything_as_one_digit(recognizer):
    assert len(recognizer.recognize(draw_number("11"), single=True).digits) == 1


def test_a_picture_in_mnists_frame_is_read_through_noise_that_fills_the_frame(recognizer):
    drawn = [draw_digit(label, size=260, pen=32, at=(70, 70)) for label in range(10)]
    framed = np.stack([255 - cv2.resize(picture, (28, 28), interpolation=cv2.INTER_AREA) for picture in drawn])
    noisy = corrupt(framed, "impulse noise", seed=1)
    assert sum(answer.text == str(label) for label, answer in enumerate(recognizer.recognize_many(noisy))) >= 8


def test_look_again_asks_about_other_views_of_an_unsure_digit_only():
    image = np.zeros((28, 28), np.float32)
    image[4:24, 12:16] = 1
    asked: list[np.ndarray] = []

    def classify(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return np.eye(10, dtype=np.float32)[[7] * len(images)]

    unsure = Found((0, 0, 28, 28), image, 0.6 * np.eye(10, dtype=np.float32)[1], 0)
    assert look_again(unsure, classify).probabilities.argmax() == 7
    narrower, leaning = asked[0][0, :, :, 0], asked[0][1, :, :, 0]
    assert 0 < narrower.sum() < image.sum()
    assert not np.allclose(narrower, leaning)
    sure = Found((0, 0, 28, 28), image, 0.95 * np.eye(10, dtype=np.float32)[1], 0)
    assert look_again(sure, classify) is sure and len(asked) == 1


@pytest.mark.parametrize("seen, label", [(0.7, 7), (0.5, 1)])
def test_look_again_takes_an_unsure_digit_in_mnists_frame_as_it_is_where_that_is_surer(seen, label):
    rows, frame = np.eye(10, dtype=np.float32), np.zeros((28, 28), np.float32)
    unsure = Found((0, 0, 28, 28), frame, 0.6 * rows[1], 0)
    asked: list[np.ndarray] = []

    def classify(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return seen * rows[[7] * len(images)]

    assert look_again(unsure, classify, frame).probabilities.argmax() == label
    assert [images.shape for images in asked] == [(1, 28, 28, 1)], "only the frame itself, from no other side"
