"""Ink: found on any paper, at any size, and what is no ink left out."""

import cv2
import numpy as np
import pytest
from pictures import draw_digit, draw_number, find_ink, ink_reader, shade

from digits.classifier import SHIPPED_MODEL
from digits.errors import ModelError
from digits.ink import InkReader
from digits.normalise import crop

PAD = draw_digit(4)
INK = find_ink(PAD).ink > 0.5


def _overlap(picture, there=INK):
    """Of found and true ink, at the size of the truth: intersection over union."""
    found = find_ink(picture)
    seen = cv2.resize(found.ink, there.shape[::-1], interpolation=cv2.INTER_AREA) > 0.5
    return (seen & there).sum() / (seen | there).sum()


def test_find_takes_shading_and_grain_away():
    assert _overlap(shade(PAD)) > 0.8
    assert "uneven paper: shading removed" in find_ink(shade(PAD)).notes


def test_find_takes_the_borders_of_a_cell_away_and_leaves_the_digit():
    cell = PAD.copy()
    cell[:, 8:14] = cell[385:391] = 60
    assert _overlap(shade(cell)) > 0.8
    assert "ruled lines removed" in find_ink(shade(cell)).notes


def test_find_takes_ruled_lines_away_and_leaves_the_strokes_that_cross_them():
    ruled = PAD.copy()
    ruled[40:400:60] = np.minimum(ruled[40:400:60], 120)
    assert _overlap(ruled) > 0.8


def test_find_takes_a_frame_around_a_digit_away():
    framed = PAD.copy()
    cv2.rectangle(framed, (40, 40), (360, 360), 0, 6)
    assert _overlap(framed) > 0.8


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(("side", "pen"), [(200, 4), (200, 6), (300, 9), (400, 14)])
def test_nothing_is_ink_on_a_clean_pad_but_what_is_drawn_in_a_circle_and_the_circle(side, pen, invert):
    pad, middle, reach = np.full((side, side), 255, np.uint8), side // 2, 2 * side // 5
    cv2.circle(pad, (middle, middle), reach, 0, pen, cv2.LINE_AA)
    left, right, top, bottom = (middle + reach // part for part in (-3, 3, -2, 2))
    four = np.array([(left, top), (left, middle), (right, middle), (right, top), (right, bottom)])
    cv2.polylines(pad, [four], False, 0, pen, cv2.LINE_AA)
    found = find_ink(255 - pad if invert else pad)
    near, core = (
        cv2.warpAffine(one, found.to_picture, found.ink.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        for one in (cv2.dilate(255 - pad, np.ones((9, 9))), 255 - pad)
    )
    assert found.ink[near == 0].max() < 0.5 and found.ink[core == 255].mean() > 0.7
    assert invert == ("dark background: inverted" in found.notes)


@pytest.mark.parametrize("invert", [False, True])
def test_find_sees_a_digit_that_fills_its_picture(invert):
    y, x = np.nonzero(INK)
    window = slice(y.min(), y.max() + 1), slice(x.min(), x.max() + 1)
    blurred = cv2.GaussianBlur(PAD[window], (0, 0), 4)
    assert _overlap(255 - blurred if invert else blurred, INK[window]) > 0.8


def test_find_looks_closer_where_the_writing_is_small():
    page = np.full((2400, 3200), 215, np.uint8)
    number = draw_number("2075", size=40, pen=5, gap=12)
    page[1000 : 1000 + len(number), 1500 : 1500 + number.shape[1]] = np.minimum(number, 215)
    page = shade(page)
    found = find_ink(page)
    assert found.scale < 3
    y, x = np.nonzero(found.ink > 0.5)
    (left, top), (_, bottom) = (found.to_picture @ corner for corner in ((x.min(), y.min(), 1), (0, y.max() + 1, 1)))
    assert abs(left - 1518) < 20 and abs(top - 1010) < 10 and abs(bottom - 1055) < 15


def test_find_turns_a_page_that_lies_askew_and_tells_where_its_ink_was():
    page = shade(np.pad(draw_number("20751\n60943"), 150, constant_values=255))
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -12, 1)
    found = find_ink(cv2.warpAffine(page, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))
    (note,) = [note for note in found.notes if "askew" in note]
    assert 9 <= abs(int(note.split()[-2])) <= 15
    y, x = np.nonzero(found.ink > 0.5)
    back = np.stack([x, y, np.ones_like(x)], axis=1) @ found.to_picture.T
    there = np.stack([*np.nonzero(page < 60)[::-1], np.ones((page < 60).sum())], axis=1) @ matrix.T
    assert np.abs(back.mean(axis=0) - there.mean(axis=0)).max() < 12
    assert np.abs(np.ptp(back, axis=0) - np.ptp(there, axis=0)).max() < 30


def test_find_leaves_a_single_digit_as_it_stands():
    matrix = cv2.getRotationMatrix2D((200, 200), 30, 1)
    for label in range(10):
        leaning = shade(cv2.warpAffine(draw_digit(label), matrix, (400, 400), borderValue=255))
        assert not any("askew" in note for note in find_ink(leaning).notes)


def test_find_keeps_a_line_one_pixel_thin():
    thin = draw_digit(7, size=300, pen=1, at=(50, 50))
    assert (find_ink(thin).ink > 0.35).sum() > 0.8 * (thin < 160).sum()


@pytest.mark.parametrize("level", [0, 90, 255])
def test_find_finds_none_on_an_even_picture(level):
    grain = np.random.default_rng(0).normal(0, 2, (300, 300))
    assert find_ink(np.full((300, 300), level, np.uint8)).ink.max() == 0
    assert find_ink(np.clip(level + grain, 0, 255).astype(np.uint8)).ink.max() < 0.5


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("label", [2, 3, 5])
def test_a_small_scan_that_is_cut_to_its_digit_and_enlarged_is_a_clean_pad(label, invert):
    ink = crop(1 - draw_digit(label, pen=30).astype(np.float32) / 255)
    scan = np.where(cv2.resize(ink, (16, 16), interpolation=cv2.INTER_AREA) > 0.4, 0, 255).astype(np.uint8)
    shown = cv2.resize(scan, (128, 128), interpolation=cv2.INTER_CUBIC)
    found = find_ink(255 - shown if invert else shown)
    assert found.ink.shape == shown.shape and np.abs(found.ink - (1 - shown / np.float32(255))).max() < 0.02


def test_look_again_sees_the_same_writing_at_another_size():
    found = find_ink(shade(PAD))
    closer = ink_reader().look_again(found, 1.6)
    assert closer.scale == pytest.approx(found.scale / 1.6)
    both = [cv2.warpAffine(one.ink, one.to_picture, INK.shape[::-1]) > 0.5 for one in (found, closer)]
    assert (both[0] & both[1]).sum() > 0.8 * (both[0] | both[1]).sum()
    assert ink_reader().look_again(found, 60) is None, "it would take too many pixels"
    assert ink_reader().look_again(find_ink(PAD), 1.6) is None, "on a clean pad ink is what it is"


def test_pale_writing_on_a_dark_desk_is_seen_in_even_light():
    desk = np.full((700, 700), 20, np.uint8)
    desk[60:640, 80:620] = 200
    number = draw_number("2075", size=40, pen=4, gap=12)
    view = desk[300 : 300 + number.shape[0], 200 : 200 + number.shape[1]]
    np.copyto(view, 175, where=number < 128)
    noisy = np.clip(desk + np.random.default_rng(0).normal(0, 3, desk.shape), 0, 255).astype(np.uint8)
    there = np.zeros(desk.shape, bool)
    there[300 : 300 + number.shape[0], 200 : 200 + number.shape[1]] = number < 128
    found = ink_reader().find_in_even_light(noisy)
    seen = cv2.warpAffine(found.ink, found.to_picture, desk.shape[::-1]) > 0.5
    assert (seen & there).sum() > 0.5 * there.sum()


def test_anink_reader_refuses_what_is_no_ink_network(tmp_path):
    with pytest.raises(ModelError, match="--ink"):
        InkReader(tmp_path / "missing.onnx")
    with pytest.raises(ModelError, match="no ink network"):
        InkReader(SHIPPED_MODEL)
