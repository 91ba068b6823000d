"""How far apart two floats are: in steps from one float64 to the next."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from features.arrays import FloatArray

StepArray = npt.NDArray[np.uint64]
_SIGN: Final = np.uint64(1 << 63)


def steps_between(one: FloatArray, other: FloatArray) -> StepArray:
    """Return how many floats lie from one value to the other: 0 means the same bits.

    Nulls (NaN) are all one and lie beyond infinity, so that null against a value is very far; 0.0
    and -0.0 are one step apart.
    """
    ours, theirs = _place(one), _place(other)
    return np.where(ours > theirs, ours - theirs, theirs - ours)


def _place(values: FloatArray) -> StepArray:
    """Return the position of each value among all floats in order."""
    bits = np.where(np.isnan(values), np.nan, values).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)
