"""A small simulated market of shares: makers in regions, a price, and a colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from features.runtime.arrays import FloatArray


@dataclass(frozen=True)
class Shares:
    """Rows, their labels and trials."""

    X: pd.DataFrame
    y: FloatArray
    trials: FloatArray


def draw_shares(rows: int, seed: int = 0, makers: int = 40) -> Shares:
    """Draw rows whose true log-odds are region + maker - price + colour."""
    market = np.random.default_rng(12345)
    region_effect, maker_effect = market.normal(0, 0.8, 4), market.normal(0, 0.6, makers)
    rng = np.random.default_rng(seed)
    maker = rng.integers(makers, size=rows)
    price = rng.normal(size=rows)
    colour = rng.integers(3, size=rows)
    log_odds = region_effect[maker % 4] + maker_effect[maker] - 0.8 * price + 0.4 * colour - 1
    trials = rng.integers(1, 60, size=rows).astype(float)
    y = rng.binomial(trials.astype(int), expit(log_odds)) / trials
    table = pd.DataFrame(
        {
            "region": pd.Categorical([f"region {one % 4}" for one in maker]),
            "maker": [f"maker {one}" for one in maker],
            "price": np.where(rng.random(rows) < 0.1, np.nan, price),
            "colour": pd.array([["red", "green", "blue"][one] for one in colour], dtype="string"),
            "is_big": rng.random(rows) < 0.5,
            "stock": pd.array(rng.integers(0, 9, rows), dtype="Int64"),
        }
    )
    return Shares(table, y, trials)


def split_by_maker(rows: int, seed: int, makers: int) -> tuple[Shares, Shares]:
    """Draw rows of a market, and others of as many makers of the same market that are new to it."""
    both = draw_shares(2 * rows, seed, 2 * makers)
    number = both.X["maker"].str.removeprefix("maker ").astype(int).to_numpy()
    # By seed, so that makers change sides.
    is_new = np.random.default_rng(seed).permutation(2 * makers)[number] < makers
    known, new = (
        Shares(both.X[one].reset_index(drop=True), both.y[one], both.trials[one])
        for one in (~is_new, is_new)
    )
    return known, new
