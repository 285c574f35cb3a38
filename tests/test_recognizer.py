"""The whole road, with the shipped model."""

import csv
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from pictures import HAND, SIGNS, draw_digit, draw_number, draw_on, find_ink, shade
from PIL import Image, ImageDraw, ImageFont

from digits import PictureError, Recognizer
from digits.recognizer import AGAIN

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from rendering import draw_anywhere, drawings_folder, load_strokes

DRAWINGS = drawings_folder()
needs_drawings = pytest.mark.skipif(not DRAWINGS.is_dir(), reason="no folder of real drawings")


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer()


@pytest.mark.parametrize("label", HAND)
def test_recognize_reads_every_digit_whatever_its_size_place_pen_and_paper(recognizer, label):
    pictures = [
        draw_digit(label),
        draw_digit(label, size=80, pen=6, at=(10, 300)),
        draw_digit(label, size=340, pen=30, at=(30, 30)),
        draw_digit(label, size=280, pen=4, at=(60, 60)),
        255 - draw_digit(label),
        shade(draw_digit(label)),
    ]
    assert [recognizer.recognize(picture).text for picture in pictures] == [label] * 6
    assert recognizer.recognize(draw_digit(label), single=True).text == label


def test_recognize_gives_the_top_three_and_what_the_network_saw(recognizer):
    (digit,) = recognizer.recognize(draw_digit(7, at=(150, 50))).digits
    assert digit.label == 7 and digit.verdict == "sure" and len(digit.top(3)) == 3
    assert digit.top(3)[0] == (7, digit.confidence) and digit.probabilities.shape == (10,)
    assert digit.image.shape == (28, 28) and digit.image.dtype == np.uint8
    assert np.abs(np.array(digit.box) - (172, 42, 328, 258)).max() <= 2


def test_recognize_gives_boxes_in_the_picture_though_it_was_reduced(recognizer):
    large = np.kron(draw_digit(7), np.ones((8, 8), np.uint8))
    (digit,) = recognizer.recognize(large).digits
    assert np.abs(np.array(digit.box) / 8 - (122, 92, 278, 308)).max() <= 2


def test_muddled_ink_is_looked_at_again_until_it_reads_clearly(recognizer, monkeypatch):
    picture = shade(draw_number("2075"))
    clear = find_ink(picture)
    smear = np.clip(4 * cv2.GaussianBlur(clear.ink, (0, 0), 0.14 * clear.ink.shape[0]), 0, 1)
    muddled = replace(clear, ink=smear, clarity=0.3)
    asked = []

    def look_again(ink, times):
        asked.append(times)
        return clear if times == AGAIN[1] else muddled

    def find_in_even_light(grey):
        asked.append("even")
        return muddled

    monkeypatch.setattr(recognizer.ink, "look_again", look_again)
    monkeypatch.setattr(recognizer.ink, "find_in_even_light", find_in_even_light)
    monkeypatch.setattr(recognizer.ink, "find", lambda grey, level=False: muddled)
    assert recognizer.recognize(picture).text == "2075" and asked == ["even", *AGAIN[:2]]
    asked.clear()
    monkeypatch.setattr(recognizer.ink, "find", lambda grey, level=False: replace(muddled, clarity=clear.clarity))
    assert recognizer.recognize(picture).text != "2075" and asked == ["even"], "clear ink is not looked at closer"


def test_muddled_ink_that_was_taken_for_light_may_be_dark(recognizer, monkeypatch):
    picture = shade(draw_number("207514"))
    clear = find_ink(picture)
    lines = np.zeros_like(clear.ink)
    lines[::9] = 1
    muddled = replace(clear, ink=lines, clarity=0.3, look=clear.look.negative())
    monkeypatch.setattr(recognizer.ink, "find", lambda grey, level=False: muddled)
    monkeypatch.setattr(recognizer.ink, "find_in_even_light", lambda grey: None)
    monkeypatch.setattr(recognizer.ink, "look_again", lambda ink, times: clear if ink.look.dark else muddled)
    assert recognizer.recognize(picture).text == "207514"


def test_shadow_of_a_hand_that_is_taken_for_ink_is_seen_in_even_light(recognizer):
    pencil = 255 - (255 - draw_number("76448", size=44, pen=3, gap=9)) * np.float32(0.37)
    page = cv2.copyMakeBorder(pencil.astype(np.uint8), 50, 45, 59, 52, cv2.BORDER_CONSTANT, value=255)
    height, width = page.shape
    hand = np.array([(0.49, 0.25), (0.65, -0.03), (0.81, 0.3), (0.73, 1), (0.57, 1)]) * (width, height)
    shadow = cv2.fillPoly(np.zeros(page.shape, np.float32), [hand.astype(np.int32)], 1.0)
    lit = shade(page) * (1 - 0.5 * cv2.GaussianBlur(shadow, (0, 0), 2.6))
    assert recognizer.recognize(lit.astype(np.uint8)).text == "76448"


def _write(text: str) -> np.ndarray:
    """A number whose signs stand as close as people write them: (200, width) uint8."""
    picture = np.full((200, 130 + 70 * len(text)), 255, np.uint8)
    for place, sign in enumerate(text):
        draw_on(picture, (HAND | SIGNS)[sign], 90, 9, (40 + 70 * place, 50))
    return picture


@pytest.mark.parametrize("text", ["3.14", "-5", "1/2", "12:30", "24.12.2026", "2+3=5", "12,5", "75%"])
def test_recognize_keeps_the_signs_of_a_number(recognizer, text):
    result = recognizer.recognize(_write(text))
    assert result.text == text
    assert result.digits_text == "".join(sign for sign in text if sign.isdigit())
    assert [sign.text for sign in result.signs] == [sign for sign in text if not sign.isdigit()]
    (number,) = result.numbers
    assert number.text == text and 0 < number.confidence <= 1
    assert [mark.box[0] for mark in number.marks] == sorted(mark.box[0] for mark in number.marks)


def test_recognize_gives_each_number_of_a_line_and_lines_from_top_to_bottom(recognizer):
    result = recognizer.recognize(draw_number("12  345\n6789", size=80, gap=30))
    assert result.text == "12 345\n6789"
    assert [(number.text, number.line) for number in result.numbers] == [("12", 0), ("345", 0), ("6789", 1)]
    assert result.numbers[0].box[2] < result.numbers[1].box[0]


@pytest.mark.parametrize("sign", "-.")
def test_a_dash_or_a_dot_alone_is_a_sign_and_no_digit(recognizer, sign):
    result = recognizer.recognize(draw_number(sign, size=200, pen=16))
    assert result.text == sign and result.digits == ()


@pytest.mark.parametrize("degrees", [-15, -8, 0, 8, 15])
@pytest.mark.parametrize(("pen", "width"), [(8, 60), (14, 100), (14, 160), (22, 160)])
def test_dashes_drawn_askew_are_one_sign(recognizer, degrees, pen, width):
    run, rise = (round(side * width / 2) for side in (np.cos(np.radians(degrees)), np.sin(np.radians(degrees))))
    picture = np.full((400, 400), 255, np.uint8)
    cv2.line(picture, (200 - run, 160 - rise), (200 + run, 160 + rise), 0, pen, cv2.LINE_AA)
    assert recognizer.recognize(picture).text == "-"
    below = 160 + round(0.35 * width)
    cv2.line(picture, (200 - run, below - rise), (200 + run, below + rise), 0, pen, cv2.LINE_AA)
    assert recognizer.recognize(picture).text == "="


@pytest.mark.parametrize("drawing", ["face", "wheel"])
@pytest.mark.parametrize("pen", [6, 10, 18])
def test_what_is_drawn_in_a_circle_is_no_sure_digit(recognizer, drawing, pen):
    picture = np.full((400, 400), 255, np.uint8)
    cv2.circle(picture, (200, 200), 130, 0, pen, cv2.LINE_AA)
    if drawing == "face":
        for eye in (150, 250):
            cv2.circle(picture, (eye, 160), 10, 0, pen, cv2.LINE_AA)
        cv2.ellipse(picture, (200, 220), (60, 40), 0, 20, 160, 0, pen, cv2.LINE_AA)
    else:
        cv2.line(picture, (70, 200), (330, 200), 0, pen, cv2.LINE_AA)
        cv2.line(picture, (200, 70), (200, 330), 0, pen, cv2.LINE_AA)
    assert all(digit.verdict != "sure" for digit in recognizer.recognize(picture).digits)


OUTLINES = {
    "house": [[(120, 180), (200, 100), (280, 180), (280, 300), (120, 300), (120, 180), (280, 180)]],
    "letter": [[(100, 140), (300, 140), (300, 270), (100, 270), (100, 140), (200, 210), (300, 140)]],
    "man": [
        [(180, 60), (160, 90), (180, 120), (210, 120), (230, 90), (210, 60), (180, 60)],
        [(195, 120), (195, 230), (140, 330)],
        [(195, 230), (250, 330)],
        [(130, 160), (260, 160)],
    ],
    "blot": [[(200 + dx, 200 + dy) for dx, dy in ((-6, 0), (5, -5), (2, 6), (-5, -5), (5, 3), (0, -6), (-6, 0))]],
}


@pytest.mark.parametrize("strokes", OUTLINES.values(), ids=OUTLINES.keys())
@pytest.mark.parametrize("pen", [6, 12, 22])
def test_a_drawing_of_something_else_is_no_sure_digit(recognizer, strokes, pen):
    picture = np.full((400, 400), 255, np.uint8)
    cv2.polylines(picture, [np.array(stroke, np.int32) for stroke in strokes], False, 0, pen, cv2.LINE_AA)
    assert all(digit.verdict != "sure" for digit in recognizer.recognize(picture).digits)


def test_letters_are_no_sure_digits_and_stand_in_the_text_as_other_marks(recognizer):
    picture = np.pad(draw_number("25", size=90, gap=10), ((0, 0), (0, 320)), constant_values=255)
    cv2.putText(picture, "kg", (280, 95), cv2.FONT_HERSHEY_SIMPLEX, 2.6, 0, 8, cv2.LINE_AA)
    result = recognizer.recognize(picture)
    assert result.text.startswith("25") and set(result.text[2:]) <= {"?", " "}
    assert [digit.label for digit in result.digits if digit.verdict == "sure"] == [2, 5]


@pytest.mark.parametrize("label", "058")
def test_a_large_digit_close_to_small_print_is_no_letter_of_it(recognizer, label):
    picture = Image.fromarray(np.pad(draw_digit(label, pen=10), ((0, 0), (100, 0)), constant_values=255))
    ImageDraw.Draw(picture).text((46, 200), "Total", 0, ImageFont.load_default(48))
    assert recognizer.recognize(picture).text == f"? {label}"


NOTHING = {
    "white": np.full((400, 400), 255, np.uint8),
    "black": np.zeros((400, 400), np.uint8),
    "grey photo": np.clip(128 + np.random.default_rng(1).normal(0, 4, (300, 400, 3)), 0, 255).astype(np.uint8),
    "transparent": np.zeros((400, 400, 4), np.uint8),
    "one pixel": np.zeros((1, 1), np.uint8),
    "four pixels in a column": np.zeros((4, 1), np.uint8),
    "speck": np.pad(np.zeros((2, 2), np.uint8), 199, constant_values=255),
}


@pytest.mark.parametrize("picture", NOTHING.values(), ids=NOTHING.keys())
@pytest.mark.parametrize("single", [False, True])
def test_recognize_says_so_when_there_is_nothing(recognizer, picture, single):
    result = recognizer.recognize(picture, single)
    assert result.text == "" and result.digits == () and result.lines == ()
    assert any("nothing" in note for note in result.notes)


def test_recognize_raises_for_what_is_no_picture(recognizer):
    with pytest.raises(PictureError, match="missing"):
        recognizer.recognize("missing.png")


def test_recognize_many_answers_in_order_and_goes_on_after_a_bad_picture(recognizer):
    pictures = [draw_number("12"), b"no picture", draw_digit(3), np.full((9, 9), 255, np.uint8)]
    results = list(recognizer.recognize_many(iter(pictures)))
    assert [result.text for result in results] == ["12", "", "3", ""]
    assert [result.error is None for result in results] == [True, False, True, True]


def test_recognize_many_is_lazy(recognizer):
    def endless():
        while True:
            yield draw_digit(5)

    assert next(recognizer.recognize_many(endless())).text == "5"


def test_many_threads_may_use_one_recognizer(recognizer):
    texts: dict[str, list[str]] = {label: [] for label in HAND}

    def read(label):
        texts[label] = [recognizer.recognize(draw_digit(label)).text for _ in range(5)]

    threads = [Thread(target=read, args=(label,)) for label in HAND]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {label: [label] * 5 for label in HAND}


@needs_drawings
def test_recognize_reads_what_strangers_draw(recognizer):
    drawings = load_strokes(DRAWINGS / "pen_digits.jsonl.gz", "dev-test")[::8]
    rng = np.random.default_rng(0)
    pads = [draw_anywhere(drawing["strokes"], rng) for drawing in drawings]
    texts = [result.text for result in recognizer.recognize_many(pads)]
    right = np.mean([text == str(drawing["label"]) for text, drawing in zip(texts, drawings, strict=True)])
    assert 0.97 <= right < 1


@needs_drawings
def test_recognize_reads_digits_photographed_in_ruled_cells(recognizer):
    with (DRAWINGS / "photo_cells" / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    texts = [recognizer.recognize(DRAWINGS / "photo_cells" / row["file"]).text for row in rows]
    assert np.mean([text == row["label"] for text, row in zip(texts, rows, strict=True)]) >= 0.9


@needs_drawings
def test_a_printed_puzzle_seen_from_afar_is_no_light_writing_on_dark_paper(recognizer):
    result = recognizer.recognize(DRAWINGS / "photo_cells" / "photos" / "image2004.jpg")
    assert "dark background: inverted" not in result.notes and len(result.digits) > 70
