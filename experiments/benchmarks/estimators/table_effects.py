"""Draw the log odds of a made table's rows as effects of its columns and of pairs of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.benchmarks.estimators.table_shapes import TableShape
from features.runtime.arrays import FloatArray, IntArray

SPARSE_CHANCE: Final = 0.3
"""Chance that few levels of a column have an effect, and a large one."""
SPARSE_LEVELS: Final = 0.15
PRODUCT_CHANCE: Final = 0.4
"""Chance that a pair's effect is a product; otherwise it is drawn for each pair of groups."""


def draw_effects(
    rng: np.random.Generator,
    shape: TableShape,
    codes: Sequence[IntArray],
    numbers: Sequence[FloatArray],
) -> FloatArray:
    """Return the effects of a table's columns, of mean 0 and variance 1 over rows."""
    size = (codes[0] if codes else numbers[0]).size
    columns = [_CategoryColumn(code) for code in codes]
    columns_of_numbers = [_NumberColumn(_rank(values)) for values in numbers]
    every: list[_CategoryColumn | _NumberColumn] = [*columns, *columns_of_numbers]
    used = [column for column in every if rng.random() < shape.used_share] or every[:1]
    single = _weigh(rng, [column.effect(rng) for column in used], size)
    pairs = [
        _pair_effect(rng, used[a], used[b])
        for a, b in rng.integers(0, len(used), (int(rng.integers(1, 6)), 2))
        if a != b
    ]
    if not pairs:
        return single
    share = shape.interaction
    together = np.sqrt(1 - share) * single + np.sqrt(share) * _weigh(rng, pairs, size)
    return np.asarray(together, np.float64)


@dataclass(frozen=True)
class _CategoryColumn:
    code: IntArray

    def effect(self, rng: np.random.Generator) -> FloatArray:
        """Return an effect for each row: normal, or of few levels alone, over levels."""
        levels = int(self.code.max()) + 1
        values = rng.standard_normal(levels)
        if rng.random() < SPARSE_CHANCE:
            values = np.where(rng.random(levels) < SPARSE_LEVELS, 3 * values, 0.0)
        return np.asarray(values[self.code], np.float64)

    def split(self, rng: np.random.Generator) -> IntArray:
        """Return a group of levels for each row."""
        groups = int(rng.integers(2, 7))
        return np.asarray(rng.integers(0, groups, int(self.code.max()) + 1)[self.code], np.int64)


@dataclass(frozen=True)
class _NumberColumn:
    rank: FloatArray

    def effect(self, rng: np.random.Generator) -> FloatArray:
        """Return an effect for each row: a line, a step, a wave or a hill over ranks."""
        kinds = ("line", "step", "wave", "hill")
        kind, place = kinds[rng.integers(len(kinds))], rng.uniform(0.15, 0.85)
        match kind:
            case "line":
                return np.asarray(self.rank * rng.choice([-1.0, 1.0]), np.float64)
            case "step":
                return (self.rank > place).astype(np.float64)
            case "wave":
                waves = rng.uniform(0.5, 2)
                return np.asarray(np.sin(2 * np.pi * waves * (self.rank + place)), np.float64)
            case _:
                width = rng.uniform(0.1, 0.4)
                return np.asarray(np.exp(-(((self.rank - place) / width) ** 2)), np.float64)

    def split(self, rng: np.random.Generator) -> IntArray:
        """Return the side of a threshold, or one of several ranges, for each row."""
        ends = np.sort(rng.uniform(0, 1, int(rng.integers(1, 4))))
        return np.asarray(np.searchsorted(ends, self.rank), np.int64)


def _pair_effect(
    rng: np.random.Generator,
    one: _CategoryColumn | _NumberColumn,
    other: _CategoryColumn | _NumberColumn,
) -> FloatArray:
    """Return an effect of two columns together, for each row."""
    if rng.random() < PRODUCT_CHANCE:
        return _standardise(one.effect(rng)) * _standardise(other.effect(rng))
    first, second = one.split(rng), other.split(rng)
    return np.asarray(rng.standard_normal((first.max() + 1, second.max() + 1))[first, second])


def _weigh(rng: np.random.Generator, effects: Sequence[FloatArray], size: int) -> FloatArray:
    weights = rng.exponential(1, len(effects))
    total = np.zeros(size)
    for weight, effect in zip(weights, effects, strict=True):
        total += weight * _standardise(effect)
    return _standardise(total)


def _standardise(values: FloatArray) -> FloatArray:
    return np.asarray((values - values.mean()) / (values.std() or 1.0), np.float64)


def _rank(values: FloatArray) -> FloatArray:
    _, index = np.unique(values, return_inverse=True)
    return np.asarray(index / max(int(index.max()), 1), np.float64)
