"""Arrays: the values that pictures have in NumPy become grey levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from digits.errors import PictureError


def checked_shape(array: np.ndarray) -> np.ndarray:
    """The array as (height, width) or (height, width, 2, 3 or 4). Raises PictureError if it is no picture."""
    shape = array.shape
    if array.ndim == 3 and shape[2] == 1:
        array = array[..., 0]
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (2, 3, 4)):
        raise PictureError(
            f"An array of shape {shape} is no picture. "
            "Expected (height, width), (height, width, 3) or (height, width, 4)."
        )
    return array


def grey_levels(array: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """How rows of the array become uint8, so that the whole is never copied.

    Floats and bools are in [0, 1]; 16 bits span 0..65535. Raises PictureError for other values.
    """
    kind = array.dtype
    if kind == np.uint8:
        return lambda rows: rows
    if kind == np.uint16:
        return lambda rows: (rows >> 8).astype(np.uint8)
    if kind == np.bool_:
        return lambda rows: rows.astype(np.uint8) * 255
    if np.issubdtype(kind, np.floating):
        unit = _unit_of_floats(array)
        return lambda rows: np.clip(np.round(rows * unit), 0, 255).astype(np.uint8)
    if np.issubdtype(kind, np.integer) and array.min() >= 0 and array.max() <= 255:
        return lambda rows: rows.astype(np.uint8)
    values = f"from {array.min()} to {array.max()} " if np.issubdtype(kind, np.integer) else ""
    raise PictureError(f"An array of {kind} {values}is no picture. Expected bool, uint8, uint16, or float in [0, 1].")


def _unit_of_floats(array: np.ndarray) -> int:
    """By what floats are multiplied to be grey levels: some hand over grey levels as floats."""
    lowest, highest = float(array.min()), float(array.max())
    if not np.isfinite([lowest, highest]).all():
        raise PictureError("The array has values that are not finite. Expected float in [0, 1].")
    if lowest < -1e-3 or highest > 255:
        raise PictureError(f"The array has values from {lowest:g} to {highest:g}. Expected float in [0, 1].")
    return 255 if highest <= 1 + 1e-3 else 1


def deep_grey(values: np.ndarray, most: float) -> np.ndarray:
    """Grey of more than 8 bits, of which `most` is the highest: 0..65535, 0..255 or 0..1, to uint8."""
    unit = 1 / 257 if most > 255 else 255 if most <= 1 else 1
    return np.clip(np.nan_to_num(values.astype(np.float32) * np.float32(unit)), 0, 255).astype(np.uint8)
