"""Rows and columns: where each number stands, whether lines are ruled or not, and no table where there is none."""

import cv2
import numpy as np
import pytest
from pictures import HAND, draw_number, draw_on

from digits.layout import Layout, Strip
from digits.recognition import Cell, Digit, Number, Sign
from digits.recognizer import Recognizer
from digits.strokes import Stroke
from digits.table import find_aligned, find_ruled, part_at_cells

MARKS = [
    ["12", "7", "", "48"],
    ["3", "", "25", "90"],
    ["64", "5", "13", "2"],
    ["8", "72", "6", ""],
    ["30", "9", "4", "57"],
]
WIDE, TALL = 190, 96  # of a cell, in pixels


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


def draw_table(texts, lines=True, pen=5, rule=90, grainy=True):
    """A sheet of paper, (height, width) uint8, with numbers in rows and columns. rule: grey of the lines."""
    rows, columns = len(texts), len(texts[0])
    sheet = np.full((rows * TALL + 80, columns * WIDE + 80), 235, np.uint8)
    for row, numbers in enumerate(texts):
        for column, text in enumerate(numbers):
            for place, sign in enumerate(text):
                draw_on(sheet, HAND[sign], 52, pen, (65 + column * WIDE + place * 52, 62 + row * TALL), ink=40)
    if lines:
        for row in range(rows + 1):
            cv2.line(sheet, (40, 40 + row * TALL), (40 + columns * WIDE, 40 + row * TALL), rule, 2)
        for column in range(columns + 1):
            cv2.line(sheet, (40 + column * WIDE, 40), (40 + column * WIDE, 40 + rows * TALL), rule, 2)
    if not grainy:
        return sheet
    grain = np.random.default_rng(0).normal(0, 3, sheet.shape)
    return np.clip(sheet + grain, 0, 255).astype(np.uint8)


def texts_of(table):
    return [list(row) for row in table.texts]


@pytest.mark.parametrize("lines", [True, False])
def test_table_has_each_number_in_its_cell(recognizer, lines):
    result = recognizer.recognize(draw_table(MARKS, lines))
    assert texts_of(result.table) == MARKS
    assert result.lines == ("12 7 48", "3 25 90", "64 5 13 2", "8 72 6", "30 9 4 57")
    assert {cell.verdict for row in result.table.rows for cell in row} <= {"sure", "unsure", "empty"}


@pytest.mark.parametrize("rule", [215, 190, 170, 150, 130, 90, 40])
def test_table_on_a_clean_pad_is_read_however_dark_its_lines_are(recognizer, rule):
    assert texts_of(recognizer.recognize(draw_table(MARKS, rule=rule, grainy=False)).table) == MARKS


def test_cell_lies_around_its_number(recognizer):
    cell = recognizer.recognize(draw_table(MARKS)).table.rows[1][2]
    assert np.abs(np.array(cell.box) - (40 + 2 * WIDE, 40 + TALL, 40 + 3 * WIDE, 40 + 2 * TALL)).max() <= 4
    (number,) = cell.numbers
    assert number.box[0] > cell.box[0] and number.box[3] < cell.box[3]


def test_table_is_found_on_a_sheet_that_is_photographed_from_the_side(recognizer):
    sheet = draw_table(MARKS)
    height, width = sheet.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = corners + np.array([[30, 20], [-10, 50], [-50, -10], [10, 15]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    photo = cv2.warpPerspective(sheet, matrix, (width, height), borderValue=235)
    assert [[bool(text) for text in row] for row in recognizer.recognize(photo).table.texts] == [
        [bool(text) for text in row] for row in MARKS
    ]


def test_row_that_nobody_filled_in_is_a_row_if_lines_show_it(recognizer):
    empty = [*MARKS[:2], [""] * 4, *MARKS[3:]]
    assert texts_of(recognizer.recognize(draw_table(empty)).table) == empty


def test_fold_of_the_paper_is_no_line_of_the_table(recognizer):
    sheet = draw_table(MARKS)
    cv2.line(sheet, (40 + 2 * WIDE + 150, 5), (40 + 2 * WIDE + 125, len(sheet) - 5), 150, 2)
    assert texts_of(recognizer.recognize(sheet).table) == MARKS


def test_fold_across_a_page_of_numbers_makes_no_table(recognizer):
    page = draw_number(text := "62345\n67890\n24680\n43579", size=60, pen=6, gap=24)
    page = np.where(cv2.copyMakeBorder(page, 60, 60, 60, 200, cv2.BORDER_CONSTANT, value=255) < 128, 50.0, 230.0)
    cv2.line(page, (60 + 24 + 3 * 84 - 12, 5), (60 + 24 + 3 * 84 - 9, len(page) - 5), 150, 2)
    for y in (20, len(page) - 20):
        cv2.line(page, (5, y), (page.shape[1] - 5, y), 150, 2)
    page = np.clip(page + np.random.default_rng(0).normal(0, 3, page.shape), 0, 255)
    result = recognizer.recognize(page.astype(np.uint8))
    assert result.text == text and result.tables == ()


def make_stroke(box):
    return Stroke(box, np.ones((box[3] - box[1], box[2] - box[0]), np.float32))


def test_upright_stroke_is_a_one_if_it_stands_free_in_a_cell_and_a_rest_of_a_line_if_it_lies_on_one():
    rules = np.zeros((300, 400), np.float32)
    for y in range(0, 300, 98):
        rules[y : y + 3] = 1
    for x in range(0, 400, 132):
        rules[:, x : x + 3] = 1
    rules[25:75, 60:64] = 1  # free, in the first cell
    rules[123:194, 190:194] = 1  # on the line below the middle cell
    written = [(200, 20, 225, 70)] + [(x, y, x + 25, y + 50) for x in (40, 320) for y in (120, 220)]
    rests = [(393, 20, 402, 80), (60, 190, 110, 200)]  # pieces of the lines around the cells
    strips = [Strip(line, 50.0, (make_stroke(box),)) for line, box in enumerate(written + rests)]
    grids = find_ruled(rules, strips)
    strokes = [stroke for strip in part_at_cells(Layout(strips), grids, rules).strips for stroke in strip.strokes]
    assert {stroke.box for stroke in strokes} == {*written, (60, 25, 64, 75)}


@pytest.mark.parametrize(("width", "tables"), [(40, 0), (90, 1)])
def test_lines_between_digits_that_are_close_are_the_papers(width, tables):
    rules = np.zeros((8 * 75 + 3, 9 * width + 3), np.float32)
    rules[::75], rules[:, ::width] = 1, 1
    middles = [(x, y) for x in range(width // 2, rules.shape[1], width) for y in range(37, 600, 75)]
    strips = [
        Strip(line, 60.0, (make_stroke((x - 15, y - 30, x + 15, y + 30)),)) for line, (x, y) in enumerate(middles)
    ]
    assert len(find_ruled(rules, strips)) == tables


def test_cell_with_nothing_but_a_speck_is_empty(recognizer):
    sheet = draw_table(MARKS)
    cv2.circle(sheet, (40 + 2 * WIDE + 90, 40 + TALL // 2), 4, 40, cv2.FILLED)
    assert texts_of(recognizer.recognize(sheet).table) == MARKS


def test_two_tables_on_a_page_are_found_in_reading_order(recognizer):
    upper, lower = draw_table(MARKS[:3]), draw_table(MARKS[3:])
    result = recognizer.recognize(np.vstack([upper, lower]))
    assert [texts_of(table) for table in result.tables] == [MARKS[:3], MARKS[3:]]


@pytest.mark.parametrize("text", ["2468", "123\n4567\n89\n30\n5172"])
def test_line_or_list_of_numbers_is_no_table(recognizer, text):
    result = recognizer.recognize(draw_number(text, size=60, pen=6, gap=24))
    assert result.table is None and result.tables == ()


def test_find_aligned_finds_sloping_rows():
    boxes = [
        (200 * x, 90 * y + 14 * x, 200 * x + 60 + 30 * (x + y) % 50, 90 * y + 14 * x + 40)
        for y in range(6)
        for x in range(5)
    ]
    (grid,) = find_aligned([[box] for box in boxes])
    assert grid.shape == (6, 5)
    assert [grid.find(box) for box in boxes] == [(y, x) for y in range(6) for x in range(5)]


def make_digit(label, confidence=0.95, box=(0, 0, 10, 20), is_digit=True):
    probabilities = np.full(10, (1 - confidence) / 9 if is_digit else 0.01, np.float32)
    probabilities[label] = confidence if is_digit else 0.02
    return Digit(probabilities, box, np.zeros((28, 28), np.uint8))


def test_text_of_a_cell_is_empty_struck_words_or_its_numbers():
    word = Number((make_digit(5, box=(0, 0, 90, 20), is_digit=False),), 0.9)
    seven = Number((make_digit(7),), 0.95)
    dash = Number((Sign("-", (0, 8, 20, 12), 0.99),), 0.99)
    texts = [Cell(numbers, (0, 0, 99, 30)).text for numbers in ((), (dash,), (word,), (seven, seven), (word, seven))]
    assert texts == ["", "-", "#", "7 7", "#"]


def test_cell_is_as_sure_as_all_of_its_numbers():
    seven = Number((make_digit(7, 0.85),), 0.85)
    cell = Cell((seven, seven), (0, 0, 99, 30))
    assert cell.confidence == pytest.approx(0.85**2) and cell.verdict == "unsure"
    assert Cell((), (0, 0, 9, 9)).verdict == "empty"
