"""All ways to read a line: the best, beside counting them out."""

import itertools

import numpy as np
import pytest

from digits.lattice import NEITHER, Lattice, state_of
from digits.sequence import SIGNS

PRICES = [0.0, 1.5, 0.0, 0.0]
SPANS = [(0, 0), (1, 1), (2, 2), (1, 2)]


def _lattice(seed: int) -> Lattice:
    firsts, lasts = zip(*SPANS, strict=True)
    scores = np.random.default_rng(seed).normal(0, 1, (len(SPANS), len(SIGNS)))
    return Lattice(firsts, lasts, scores, PRICES)


def _ways(lattice: Lattice) -> dict[tuple[tuple[int, int], ...], float]:
    """The score of every way through the spans, each read as every sign."""
    ways = {}
    for path in ([0, 1, 2], [0, 3]):
        for columns in itertools.product(range(len(SIGNS)), repeat=len(path)):
            way = tuple(zip(path, columns, strict=True))
            ways[way], before = 0.0, NEITHER
            for place, column in way:
                state = state_of(column)
                if NEITHER not in (before, state) and before != state:
                    ways[way] -= lattice.prices[lattice.firsts[place]]
                ways[way] += lattice.scores[place, column]
                before = before if state == NEITHER else state
    return ways


@pytest.mark.parametrize("seed", range(5))
def test_best_path_is_the_best_of_all_ways(seed):
    lattice = _lattice(seed)
    ways = _ways(lattice)
    best = lattice.best_path()
    assert tuple(best) == max(ways, key=ways.__getitem__)
    for row, (_, column) in zip(lattice.given_neighbours(best), best, strict=True):
        assert row.argmax() == column


def test_a_lone_one_within_a_word_is_a_letter_and_apart_from_it_a_number():
    row = np.full(len(SIGNS), -9.0)
    letter, one = row.copy(), row.copy()
    letter[-1] = 0.0
    one[[1, -1]] = 0.0, -0.5
    scores = np.stack([letter, one, letter])
    together = Lattice(range(3), range(3), scores, [0.0, 2.0, 2.0, 0.0])
    assert [column for _, column in together.best_path()] == [18, 18, 18]
    apart = Lattice(range(3), range(3), scores, [0.0] * 4)
    assert [column for _, column in apart.best_path()] == [18, 1, 18]
