"""Strokes into lines and strips, signs into their own ink; read by the whole road, with the shipped networks."""

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_digit, draw_number, draw_on, find_ink

from digits.layout import find_layout, level
from digits.recognizer import Recognizer
from digits.strokes import find_strokes
from digits.training.corruptions import corrupt


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def _ink(picture):
    return find_ink(picture).ink


def test_find_layout_finds_nothing_on_a_blank_pad():
    layout = find_layout(np.zeros((400, 400), np.float32), False)
    assert layout.strips == [] and layout.notes == ["nothing drawn"]


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


@pytest.mark.parametrize("quarters, said", [(1, "right side"), (2, "upside down"), (3, "left side")])
def test_a_page_on_its_side_or_head_is_turned_upright_and_its_boxes_are_where_the_digits_are(
    recognizer, quarters, said
):
    page = draw_number("24568\n30579\n73926")
    turned = recognizer.recognize(np.rot90(page, quarters))
    assert turned.lines == ("24568", "30579", "73926")
    assert any(said in note for note in turned.notes)
    two = turned.digits[0].box
    where = np.rot90(np.arange(page.size).reshape(page.shape), quarters)[two[1] : two[3], two[0] : two[2]]
    rows, columns = np.divmod(where, page.shape[1])
    assert rows.min() < 60 and rows.max() < 150 and columns.max() < 150, "the upper left corner of the page"


def test_a_photographed_page_on_its_side_keeps_its_ones_and_its_boxes(recognizer):
    page = np.pad(draw_number("21017\n41811\n90162"), 60, constant_values=255)
    page = np.where(page < 128, 80, 225) - np.linspace(0, 60, page.shape[1])
    page[::25] -= 35  # ruled, so that it is no clean pad
    turned = recognizer.recognize(np.rot90(page.astype(np.uint8)))
    assert turned.lines == ("21017", "41811", "90162")
    two = turned.digits[0].box
    where = np.rot90(np.arange(page.size).reshape(page.shape))[two[1] : two[3], two[0] : two[2]]
    rows, columns = np.divmod(where, page.shape[1])
    assert rows.min() < 120 and rows.max() < 230 and columns.max() < 230, "the upper left corner of the page"


@pytest.mark.parametrize("text", ["6", "9", "66", "1881"])
def test_a_digit_and_a_short_number_stay_as_they_stand(recognizer, text):
    notes = recognizer.recognize(np.rot90(draw_number(text), 2)).notes
    assert not any("upright" in note for note in notes)


def test_level_puts_a_slanted_line_level_and_leaves_its_columns_where_they_are():
    page = np.pad(draw_number("55555", gap=10), 90, constant_values=255)
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), -8, 0.9)
    (strip,) = find_layout(_ink(cv2.warpAffine(page, turn, page.shape[::-1], borderValue=255))).strips
    flat = level(strip)
    assert flat.shape[1] == strip.whole.width and flat.shape[0] < 0.75 * strip.whole.height


def test_lines_of_different_sizes_are_lines_of_their_own(recognizer):
    page = np.full((500, 700), 255, np.uint8)
    for place, label in enumerate("425"):
        draw_on(page, HAND[label], 180, 16, (40 + 200 * place, 30))
        draw_on(page, HAND[label], 50, 5, (60 + 60 * place, 300))
    assert recognizer.recognize(page).lines == ("425", "425")


def test_two_large_digits_one_closely_over_the_other_are_two_lines(recognizer):
    picture = np.full((420, 260), 255, np.uint8)
    for place, digit in enumerate("56"):
        draw_on(picture, HAND[digit], 160, 24, (40, 20 + 190 * place))
    assert recognizer.recognize(picture).text == "5\n6"


def test_small_zeros_closely_over_large_digits_belong_to_their_own_line(recognizer):
    page = np.full((330, 760), 255, np.uint8)
    for row, (text, sizes) in enumerate((("2003", (110, 45, 45, 110)), ("2338", (120,) * 4))):
        for place, (sign, size) in enumerate(zip(text, sizes, strict=True)):
            draw_on(page, HAND[sign], size, 9, (40 + 120 * place, 150 + 145 * row - size))
    assert recognizer.recognize(page).text == "2003\n2338"


def test_what_is_left_of_a_neighbour_at_the_edge_is_ignored_and_it_is_said(recognizer):
    cell = draw_number("3", size=200, pen=16, gap=60)
    cv2.ellipse(cell, (cell.shape[1] + 20, 200), (30, 55), 0, 0, 360, 0, 14)
    result = recognizer.recognize(cell)
    assert result.text == "3" and "cut off at the edge and ignored: 1" in result.notes


def test_a_one_at_the_edge_that_is_as_high_as_its_neighbours_is_read(recognizer):
    assert recognizer.recognize(draw_number("13", size=200, pen=16, gap=60)[:, 154:]).text == "13"


def test_wide_gaps_part_numbers_and_even_ones_do_not(recognizer):
    page = np.full((200, 1100), 255, np.uint8)
    for label, x in zip("24368", (30, 140, 500, 610, 720), strict=True):
        draw_on(page, HAND[label], 90, 9, (x, 50))
    numbers = recognizer.recognize(page).numbers
    assert [number.text for number in numbers] == ["24", "368"]
    assert recognizer.recognize(page).text == "24 368"
    even = np.full((200, 1100), 255, np.uint8)
    for place, label in enumerate("24368"):
        draw_on(even, HAND[label], 90, 9, (30 + 200 * place, 50))
    assert recognizer.recognize(even).text == "24368"


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


def test_touching_digits_are_parted(recognizer):
    picture = np.full((260, 420), 255, np.uint8)
    draw_on(picture, HAND["2"], 160, 14, (40, 50))
    draw_on(picture, HAND["3"], 160, 14, (152, 50))
    assert len(find_strokes(_ink(picture))[0]) == 1
    result = recognizer.recognize(picture)
    assert result.text == "23"
    assert "touching digits: parted into 2" in result.notes


def test_a_dotted_line_is_one_digit(recognizer):
    picture = np.full((400, 400), 255, np.uint8)
    for x, y in HAND["3"][0]:
        cv2.circle(picture, (round(100 + 200 * x), round(100 + 200 * y)), 6, 0, cv2.FILLED)
    assert recognizer.recognize(picture).text == "3"


def test_single_takes_everything_as_one_digit(recognizer):
    result = recognizer.recognize(draw_number("11"), single=True)
    assert len(result.digits) == len(result.numbers) == 1


def test_a_picture_in_mnists_frame_is_read_through_noise_that_fills_the_frame(recognizer):
    drawn = [draw_digit(label, size=260, pen=32, at=(70, 70)) for label in range(10)]
    framed = np.stack([255 - cv2.resize(picture, (28, 28), interpolation=cv2.INTER_AREA) for picture in drawn])
    noisy = corrupt(framed, "impulse noise", seed=1)
    assert sum(answer.text == str(label) for label, answer in enumerate(recognizer.recognize_many(noisy))) >= 8
