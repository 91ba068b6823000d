"""Draw the columns of a made table: categories of up to thousands of levels, and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from experiments.benchmarks.estimators.table_shapes import TableShape
from features.runtime.arrays import FloatArray, IntArray

MAX_LEVELS: Final = 5_000
MISSING_CHANCE: Final = 0.15
"""Chance that a column has missing values."""


def draw_codes(rng: np.random.Generator, shape: TableShape, size: int) -> list[IntArray]:
    """Return the codes of each column of categories, each of shape (rows,)."""
    columns: list[IntArray] = []
    for number in range(shape.categories):
        levels = round(float(np.exp(rng.uniform(np.log(2), np.log(MAX_LEVELS)))))
        skew = rng.uniform(0, 1.2)
        chances = 1 / np.arange(1, levels + 1) ** skew
        order = rng.permutation(levels)
        own = order[rng.choice(levels, size, p=chances / chances.sum())]
        if shape.is_nested and number:
            own = _refine(rng, columns[-1], own)
        columns.append(own)
    return columns


def _refine(rng: np.random.Generator, wider: IntArray, own: IntArray) -> IntArray:
    """Return codes of which each belongs to a single wider code, at most MAX_LEVELS in all."""
    parts = max(min(int(own.max()) + 1, MAX_LEVELS // (int(wider.max()) + 1)), 1)
    numbered = wider * parts + own % parts
    return np.asarray(rng.permutation(int(numbered.max()) + 1)[numbered], np.int64)


def draw_numbers(rng: np.random.Generator, size: int) -> FloatArray:
    """Return a column of numbers of some distribution, shape (rows,)."""
    distributions = ("normal", "lognormal", "uniform", "whole")
    match distributions[rng.integers(len(distributions))]:
        case "normal":
            return rng.standard_normal(size)
        case "lognormal":
            return rng.lognormal(0, rng.uniform(0.3, 1.5), size)
        case "uniform":
            return rng.uniform(0, 1, size)
        case _:
            return rng.integers(0, rng.integers(2, 60), size).astype(np.float64)


def build_frame(
    rng: np.random.Generator, codes: Sequence[IntArray], numbers: Sequence[FloatArray]
) -> pd.DataFrame:
    """Return the columns as a user has them: texts and numbers, some of them missing."""
    columns: dict[str, object] = {}
    for number, code in enumerate(codes):
        text = np.array([f"level {value}" for value in range(int(code.max()) + 1)], object)[code]
        columns[f"category_{number}"] = _lose_some(rng, text, None)
    for number, values in enumerate(numbers):
        columns[f"number_{number}"] = _lose_some(rng, values, np.nan)
    return pd.DataFrame(columns)


def _lose_some(rng: np.random.Generator, values: Any, missing: float | None) -> Any:  # noqa: ANN401 - texts or numbers
    if rng.random() > MISSING_CHANCE:
        return values
    is_lost = rng.random(values.size) < rng.uniform(0.02, 0.3)
    return np.where(is_lost, np.array(missing, values.dtype), values)
