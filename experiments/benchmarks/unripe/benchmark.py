"""Compare what is said of the latest cohorts with what came of them, on simulated markets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from experiments.benchmarks.features.markets import ensure_validated
from experiments.benchmarks.unripe.as_read import read_rates
from experiments.benchmarks.unripe.cohorts import AGES, MIN_TRIALS, build_cohorts, tallies
from experiments.simulator.configuration.configuration import Simulation
from features.dataset.dataset import Dataset, open_dataset
from features.dataset.horizons import Horizons
from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.shrinkage import REPURCHASE_RATE, RETURN_RATE, Rate
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.visibility import AS_OF
from features.runtime.progress import ProgressCallback
from training.metrics.bootstrap import BootstrapInterval, bootstrap_means

RATES: Final = (RETURN_RATE, REPURCHASE_RATE)
LEVELS: Final = (Level.MARKET, Level.CATEGORY_MARKET)
BLOCK_DAYS: Final = 28
"""Cohorts that end this near to each other are resampled together: what is read of them rests on
mostly the same sales."""
POINTS: Final = 100.0


@dataclass(frozen=True)
class CohortBenchmarkConfig:
    """Which markets to look at, and where to keep them."""

    markets: Sequence[Simulation]
    """One a seed, otherwise alike."""
    work: Path


@dataclass(frozen=True)
class Bias:
    """How far a figure is from the value in the end, in percentage points, over cohorts."""

    mean: BootstrapInterval
    """Signed: below 0 where the figure is too low."""
    absolute: float
    """The mean distance, chance of the cohort included."""

    @classmethod
    def from_errors(cls, errors: pd.Series[float], blocks: pd.Series[int]) -> Bias:
        """Sum up the errors of cohorts."""
        values = np.asarray(errors, np.float64) * POINTS
        means = bootstrap_means(
            {"mean": values}, np.ones_like(values), np.asarray(blocks, np.int64), random_state=0
        )
        return cls(means["mean"], float(np.abs(values).mean()))


@dataclass(frozen=True)
class AgeFigures:
    """What is said of one rate at one level, so many days after the last day of the cohorts."""

    rate: str
    level: Level
    age: int
    cohorts: int
    left_out: int
    """Cohorts of which the features had hardly counted anything by then."""
    ripe: float
    """The mean value in the end."""
    ours: Bias
    naive: Bias


def measure(plan: CohortBenchmarkConfig, progress: ProgressCallback) -> list[AgeFigures]:
    """Look at all markets; they are kept in `plan.work`."""
    compared: dict[tuple[Rate, Level], list[pd.DataFrame]] = {
        (rate, level): [] for rate in RATES for level in LEVELS
    }
    for market in plan.markets:
        progress(f"seed {market.seed}: the market")
        name = f"{market.products}-{market.days}-{market.seed}"
        raw, valid = plan.work / f"unripe-{name}", plan.work / f"unripe-{name}-validated"
        dataset, horizons = open_dataset(ensure_validated(market, raw, valid)), Horizons()
        rows = build_stored_rows(dataset, horizons)
        for (rate, level), cohorts in compared.items():
            progress(f"seed {market.seed}: {rate.name} by {level.value}")
            of_seed = compare(dataset, rows, rate=rate, level=level)
            cohorts.append(of_seed.assign(seed=market.seed))
        dataset.connection.disconnect()
    return [
        figures
        for (rate, level), cohorts in compared.items()
        for figures in summarise(pd.concat(cohorts, ignore_index=True), rate=rate, level=level)
    ]


def compare(dataset: Dataset, rows: SignalRows, *, rate: Rate, level: Level) -> pd.DataFrame:
    """Return the cohorts of one data set with the value in the end, the naive one and `ours`.

    The value in the end is counted with the standard horizons, whatever `rows` count as ripe.
    """
    tally = tallies(dataset, Horizons(), rate=rate, level=level)
    keys = list(LEVEL_KEYS[level])
    cohorts = build_cohorts(tally, keys, last_day=dataset.cut_off_day())
    return cohorts.merge(read_rates(rows, cohorts, rate=rate, level=level), on=[*keys, AS_OF])


def summarise(cohorts: pd.DataFrame, *, rate: Rate, level: Level) -> Iterator[AgeFigures]:
    """Yield the figures of each age at which there are cohorts."""
    for age in AGES:
        of_age = cohorts[cohorts["age"] == age]
        known = of_age[of_age["rests_on"] >= MIN_TRIALS]
        if known.empty:
            continue
        blocks = known["end_day"] // BLOCK_DAYS + known["seed"] * 10**6
        yield AgeFigures(
            rate=rate.name,
            level=level,
            age=age,
            cohorts=len(known),
            left_out=len(of_age) - len(known),
            ripe=float(known["ripe"].mean()),
            ours=Bias.from_errors(known["ours"] - known["ripe"], blocks),
            naive=Bias.from_errors(known["naive"] - known["ripe"], blocks),
        )
