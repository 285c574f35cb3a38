"""Fonts of handwriting: only known files come into the cache, and training goes on without any."""

import hashlib

import numpy as np
import pytest

from digits.training import fonts, lines, strokes
from digits.training.augment import NOT_A_DIGIT
from digits.training.data import Split


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path))
    fonts.cached_fonts.cache_clear()
    yield tmp_path / "fonts"
    fonts.cached_fonts.cache_clear()


def test_load_fonts_keeps_known_files_only(cache, monkeypatch):
    known, other = sorted(fonts.DIGESTS)[:2]
    monkeypatch.setattr(fonts, "DIGESTS", {known: hashlib.sha256(b"a font").hexdigest(), other: fonts.DIGESTS[other]})

    def unreachable(package):
        raise OSError("no network")

    monkeypatch.setattr(fonts, "_fetch_file", unreachable)
    monkeypatch.setattr(fonts, "_fetch_package", lambda package: b"a font")
    assert fonts.load_fonts() == 1
    (kept,) = cache.iterdir()
    assert kept.read_bytes() == b"a font" and str(kept) == fonts.cached_fonts()[0]


def test_without_fonts_lines_and_drawings_are_made_all_the_same(cache):
    rng = np.random.default_rng(1)
    assert not fonts.cached_fonts()
    digits = Split(np.full((10, 28, 28), 255, np.uint8), np.arange(10, dtype=np.uint8))
    assert all(lines.write_line(digits, rng)[1] for _ in range(20))
    assert strokes.draw(NOT_A_DIGIT, rng).max() == pytest.approx(1, abs=0.01)
