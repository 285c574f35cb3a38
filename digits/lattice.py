"""Lattice: all ways to read a line as digits, signs and other marks, and the most probable of them.

A semi-Markov conditional random field (Sarawagi and Cohen 2004): a way through the line is a sequence of spans that
cover its pieces, each read as one sign. Its score is the sum of theirs, less a price wherever a word and a number
stand side by side without a space: people seldom write so, and letters often look like digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from digits.sequence import SIGNS

DIGITS = 10  # columns of the digits; those of signs follow, and last that of OTHER
NUMBER, WORD, NEITHER = range(3)  # where a way is: signs belong to both


def state_of(column: int) -> int:
    """NUMBER after a digit, WORD after OTHER, NEITHER after a sign, which leaves the state as it is."""
    return NUMBER if column < DIGITS else WORD if column == len(SIGNS) - 1 else NEITHER


@dataclass(frozen=True, eq=False)
class Lattice:
    """firsts, lasts: pieces of each span. scores: (n, 19), logarithms of how probable each is to be each of SIGNS.

    prices: of each border between two pieces, of both ends, too: what it costs to go over from a number to a word or
    back.
    """

    firsts: Sequence[int]
    lasts: Sequence[int]
    scores: np.ndarray
    prices: Sequence[float]

    @cached_property
    def _order(self) -> list[int]:
        return sorted(range(len(self.lasts)), key=lambda place: self.lasts[place])

    def best_path(self) -> list[tuple[int, int]]:
        """The spans, by index, that cover all pieces with the highest score, each with the column it is read as."""
        columns = (slice(0, DIGITS), slice(len(SIGNS) - 1, None), slice(DIGITS, len(SIGNS) - 1))
        most = [self.scores[:, part].max(axis=1).tolist() for part in columns]
        which = [(self.scores[:, part].argmax(axis=1) + part.start).tolist() for part in columns]
        count = len(self.prices) - 1
        best = [[-np.inf] * 3 for _ in range(count + 1)]
        came: list[list[tuple[int, int, int]]] = [[(-1, -1, -1)] * 3 for _ in range(count + 1)]
        best[0][NEITHER] = 0.0
        for place in self._order:
            first, end = self.firsts[place], self.lasts[place] + 1
            for state, before in enumerate(best[first]):
                for kind in range(3):
                    after = state if kind == NEITHER else kind
                    reached = before + most[kind][place] - self._price(first, state, after)
                    if reached > best[end][after]:
                        best[end][after] = reached
                        came[end][after] = place, which[kind][place], state
        path: list[tuple[int, int]] = []
        end, state = count, int(np.argmax(best[count]))
        while end > 0:
            place, column, state = came[end][state]
            path.insert(0, (place, column))
            end = self.firsts[place]
        return path

    def _price(self, border: int, state: int, after: int) -> float:
        return self.prices[border] if NEITHER not in (state, after) and state != after else 0.0

    def given_neighbours(self, path: Sequence[tuple[int, int]]) -> np.ndarray:
        """(len(path), 19): the scores of each span of a path, less what its neighbours make each reading cost."""
        scores = self.scores[[place for place, _ in path]].copy()
        before = NEITHER
        states = [state_of(column) for _, column in path]
        for index, (place, _) in enumerate(path):
            following = next((at for at in range(index + 1, len(path)) if states[at] != NEITHER), None)
            after = NEITHER if following is None else states[following]
            next_border = 0 if following is None else self.firsts[path[following][0]]
            for kind, part in enumerate((slice(0, DIGITS), slice(-1, None), slice(DIGITS, -1))):
                passed = before if kind == NEITHER else kind
                scores[index, part] -= self._price(self.firsts[place], before, passed)
                scores[index, part] -= self._price(next_border, passed, after)
            before = states[index] if states[index] != NEITHER else before
        return scores
