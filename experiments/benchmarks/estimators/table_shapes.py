"""Draw what a made table is like: its size, its columns, its signal and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

MIN_ROWS: Final = 1_000
MAX_ROWS: Final = 100_000
MAX_CATEGORIES: Final = 12
MAX_NUMBERS: Final = 12
FEW_POSITIVES_CHANCE: Final = 0.2
NESTED_CHANCE: Final = 0.25
TRIALS: Final = ("binary", "few", "many")
"""Kinds of numbers of trials behind a row's share."""


@dataclass(frozen=True)
class TableShape:
    """What a table is drawn from; every field is drawn for each table."""

    rows: int
    categories: int
    numbers: int
    used_share: float
    """Share of the columns that have an effect."""
    interaction: float
    """Share of the variance of the log odds that comes from pairs of columns."""
    is_nested: bool
    """Whether each column of categories after the first refines the one before it."""
    signal: float
    """Standard deviation of the log odds over rows."""
    base_odds: float
    """Median log odds."""
    trials: str
    """One of TRIALS."""
    dispersion: float
    """Standard deviation of the log odds between rows of equal columns."""

    def describe(self) -> str:
        """Return the shape in a few words."""
        parts = [f"{self.rows:,} rows, {self.categories}+{self.numbers} columns", self.trials]
        return ", ".join([*parts, "nested"] if self.is_nested else parts)


def draw_shape(rng: np.random.Generator, max_rows: int = MAX_ROWS) -> TableShape:
    """Draw the shape of a table."""
    categories = int(rng.integers(0, MAX_CATEGORIES + 1))
    has_few_positives = rng.random() < FEW_POSITIVES_CHANCE
    return TableShape(
        rows=round(float(np.exp(rng.uniform(np.log(MIN_ROWS), np.log(max_rows))))),
        categories=categories,
        numbers=int(rng.integers(0 if categories > 1 else 2, MAX_NUMBERS + 1)),
        used_share=float(rng.uniform(0.3, 1.0)),
        interaction=float(rng.choice([0.0, 0.25, 0.5, 0.8])),
        is_nested=bool(rng.random() < NESTED_CHANCE),
        signal=float(rng.uniform(0.3, 2.0)),
        base_odds=float(rng.uniform(-4.5, -3.0) if has_few_positives else rng.uniform(-2.5, 1.0)),
        trials=str(rng.choice(TRIALS)),
        dispersion=float(rng.choice([0.0, 0.3, 0.8])),
    )
