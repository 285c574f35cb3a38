"""Synthetic paper: what is on a page is told apart, and the picture of it is one that a camera could take."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.training.data import load_mnist
from digits.training.page import SIDE, Page
from digits.training.paper import photograph, synthesise_page
from digits.training.things import cover
from digits.training.written import _encircle, write_page


@pytest.fixture(scope="module")
def validation():
    return load_mnist().validation


@pytest.fixture(scope="module")
def pages(validation):
    rng = np.random.default_rng(3)
    return [synthesise_page(validation, rng) for _ in range(120)]


def test_synthesise_page_gives_the_same_pages_for_the_same_seed(validation, pages):
    rng = np.random.default_rng(3)
    for page, truth in pages[:20]:
        again, same_truth = synthesise_page(validation, rng)
        assert np.array_equal(page, again) and np.array_equal(truth, same_truth)


def test_pages_are_grey_and_of_every_kind(pages):
    assert all(page.shape == (SIDE, SIDE) and page.dtype == np.uint8 for page, _ in pages)
    ink = np.array([(truth[..., 0] > 127).mean() for _, truth in pages])
    ruled = np.array([(truth[..., 1] > 127).mean() for _, truth in pages])
    assert (ink == 0).any() and (ink > 0.2).any() and (ruled == 0).any() and (ruled > 0.02).any()
    darker = [page[truth[..., 0] > 127].mean() < np.median(page) for page, truth in pages if truth[..., 0].any()]
    assert 0.6 < np.mean(darker) < 0.95, "most ink is dark, some is light"


def test_what_is_written_and_what_is_ruled_are_told_apart(pages):
    assert not any(((truth[..., 0] > 200) & (truth[..., 1] > 200)).any() for _, truth in pages)


def test_lines_of_writing_run_through_the_ink(validation):
    rng = np.random.default_rng(5)
    pages = [page for page in (write_page(validation, rng) for _ in range(40)) if (page.lines > 0.5).any()]
    inside = np.mean([page.ink[page.lines > 0.5].mean() for page in pages])
    outside = np.mean([page.ink[page.lines <= 0.5].mean() for page in pages])
    assert len(pages) > 20 and inside > 2 * outside


def test_a_circle_of_the_pen_is_ink_and_a_box_ruled_and_both_leave_what_they_mark_free():
    rng, box = np.random.default_rng(6), (100, 90, 150, 170)
    pages = [Page() for _ in range(30)]
    for page in pages:
        _encircle(page, box, rng)
    assert all(page.ink.any() != page.rules.any() for page in pages)
    boxes = sum(bool(page.rules.any()) for page in pages)
    assert 0 < boxes < len(pages) / 3
    drawn = [page.ink + page.rules for page in pages]
    assert np.mean([one[110:150, 115:135].max() for one in drawn]) < 0.1
    open_ones = [_reaches(one < 0.5, (125, 130), (0, 0)) for one in drawn]
    assert sum(open_ones) < len(pages) / 2, "most go all around"


def test_what_covers_the_paper_hides_what_is_written_and_leaves_most_of_it():
    rng = np.random.default_rng(8)
    for _ in range(40):
        page = Page(ink=np.ones((SIDE, SIDE), np.float32), lines=np.ones((SIDE, SIDE), np.float32))
        cover(page, rng)
        assert np.allclose(page.ink, 1 - page.things) and np.allclose(page.lines, page.ink)
        assert 0 < page.things.mean() < 0.75


def _reaches(free: np.ndarray, start: tuple[int, int], end: tuple[int, int]) -> bool:
    _, labels = cv2.connectedComponents(free.view(np.uint8), connectivity=4)
    return labels[start[::-1]] == labels[end[::-1]]


def test_an_empty_page_is_photographed_as_paper():
    rng = np.random.default_rng(7)
    assert all(photograph(Page(), rng).shape == (SIDE, SIDE) for _ in range(40))
