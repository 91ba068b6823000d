"""Draw tables of labelled rows whose size, columns, effects and noise differ widely.

No generator is written for a model: the log odds of a row are a weighted sum of effects of its
columns, each of a kind that is drawn anew for each table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy.special import expit

from experiments.benchmarks.estimators.labelled_tables import LabelledTable
from experiments.benchmarks.estimators.table_columns import build_frame, draw_codes, draw_numbers
from experiments.benchmarks.estimators.table_effects import draw_effects
from experiments.benchmarks.estimators.table_shapes import MAX_ROWS, draw_shape
from features.runtime.arrays import IntArray

MIN_TEST_ROWS: Final = 4_000
MAX_TEST_ROWS: Final = 20_000
TOLD_CHANCE: Final = 0.6
"""Chance that contestants are told the trials behind shares."""


def draw_table(seed: int, max_rows: int = MAX_ROWS) -> LabelledTable:
    """Draw the table of a seed; the same seed gives the same table."""
    rng = np.random.default_rng([seed, 18])
    shape = draw_shape(rng, max_rows)
    test_rows = min(max(MIN_TEST_ROWS, shape.rows // 4), MAX_TEST_ROWS)
    size = shape.rows + test_rows
    codes = draw_codes(rng, shape, size)
    numbers = [draw_numbers(rng, size) for _ in range(shape.numbers)]
    odds = shape.base_odds + shape.signal * draw_effects(rng, shape, codes, numbers)
    odds += shape.dispersion * rng.standard_normal(size)
    trials = DRAW_TRIALS[shape.trials](rng, size)
    share = rng.binomial(trials, expit(odds)) / trials
    is_told = shape.trials == "binary" or rng.random() < TOLD_CHANCE
    return LabelledTable(
        name=f"{seed}: {shape.describe()}{'' if is_told else ', trials untold'}",
        frame=build_frame(rng, codes, numbers),
        share=share,
        trials=trials.astype(np.float64) if is_told else np.ones(size),
        train_rows=shape.rows,
    )


def _few_trials(rng: np.random.Generator, size: int) -> IntArray:
    return 1 + rng.poisson(rng.uniform(0.5, 8), size)


def _many_trials(rng: np.random.Generator, size: int) -> IntArray:
    spread = rng.lognormal(rng.uniform(2.5, 5), rng.uniform(0.3, 1.3), size)
    return np.maximum(spread.round().astype(np.int64), 1)


def _one_trial(_rng: np.random.Generator, size: int) -> IntArray:
    return np.ones(size, np.int64)


DRAW_TRIALS: Final[Mapping[str, Callable[[np.random.Generator, int], IntArray]]] = MappingProxyType(
    {"binary": _one_trial, "few": _few_trials, "many": _many_trials}
)
