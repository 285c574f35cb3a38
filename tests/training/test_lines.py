"""The synthetic lines: what they say, and what happens to their ink."""

from __future__ import annotations

import numpy as np
import pytest

from digits.training import lines
from digits.training.data import load_mnist
from digits.training.glyphs import AROUND
from digits.training.lines import LIKE_DIGIT, OTHER, compose, write_line
from digits.training.printed import FONTS, PRINT, SEGMENTS, STROKE_FONTS, display_glyph, font_glyph, stroke_glyph


@pytest.fixture(scope="module")
def validation():
    return load_mnist().validation


def test_compose_writes_numbers_of_every_kind():
    rng = np.random.default_rng(1)
    texts = [compose(rng) for _ in range(2000)]
    assert set("".join(texts)) == {*"0123456789.,-/:+=% ", OTHER, LIKE_DIGIT, *AROUND}
    assert max(map(len, texts)) >= 20 and min(map(len, texts)) == 1
    assert {"/", "1"} - set(texts) == {"/"}, "a stroke alone is a 1"
    assert not set("".join(compose(rng, plain=True) for _ in range(500))) & set(",/+=%?o")


def test_write_line_gives_cropped_ink_and_its_signs_from_left_to_right(validation):
    rng = np.random.default_rng(2)
    for _ in range(100):
        ink, placed = write_line(validation, rng)
        assert ink.dtype == np.float32 and ink.min() >= 0 and ink.max() <= 1
        assert ink[:, 0].max() > 0.2 and ink[:, -1].max() > 0.2 and ink[0].max() > 0.2 and ink[-1].max() > 0.2
        assert placed and all(0 <= one.middle < ink.shape[1] for one in placed)


@pytest.mark.parametrize("font", [path for path in PRINT if path.endswith(("DejaVuSans.ttf", "cmtt10.ttf"))])
def test_a_line_in_a_font_tells_where_each_sign_stands(font):
    rng = np.random.default_rng(3)
    for _ in range(15):
        ink, placed = lines._in_font(font, 0.6, rng)
        middles = [one.middle for one in placed]
        assert middles == sorted(middles)
        for one in placed:
            around = slice(round(one.middle - one.width), round(one.middle + one.width) + 1)
            assert ink[:, around].max() > 0.3, one


def test_zeros_written_in_one_go_are_one_stroke_and_signs_of_their_own(validation):
    rng = np.random.default_rng(4)
    for _ in range(10):
        hand, gap, _ = lines._handwriting("71000", validation, rng)
        ink, placed = lines._set("71000", hand, gap, False, True, rng)
        assert "".join(one.label for one in placed) == "71000"
        before, first, *_, last = (one.middle for one in placed[1:])
        assert before < first < last
        zeros = ink[:, round(first) : round(last) + 1] > 0.4
        assert zeros.any(axis=0).all(), "nothing parts them"


@pytest.mark.parametrize("name", FONTS)
def test_every_font_has_digits_as_high_as_asked_on_the_base_line(name):
    for sign in "0123456789":
        ink, top = font_glyph(name, sign, 40)
        assert abs(ink.shape[0] - 40) <= 12 and abs(ink.shape[0] + top) <= 12
    assert font_glyph(name, "-", 40)[0].shape[0] < 16


@pytest.mark.parametrize("font, pen", STROKE_FONTS)
def test_every_font_of_strokes_stands_on_the_base_line(font, pen):
    for sign in "0123456789":
        ink, top = stroke_glyph(font, pen, sign, 40)
        assert 15 <= ink.shape[0] <= 55 and abs(ink.shape[0] + top) <= 8


@pytest.mark.parametrize("sign", SEGMENTS)
def test_a_display_lights_the_segments_of_a_sign(sign):
    ink, top = display_glyph(sign, 60, 0.5, 0.1, 0.03)
    blank = display_glyph("8", 60, 0.5, 0.1, 0.03)[0]
    assert ink.max() == 1 and -61 <= top < 0
    assert ink.sum() == pytest.approx(len(SEGMENTS[sign]) / 7 * blank.sum(), rel=0.12)
