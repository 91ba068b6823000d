"""Compare early rates of weekly cohorts with their mature rates, on simulated markets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.benchmarks.markets import ensure_valid_market, market_name
from experiments.benchmarks.unripe.cohorts import AGES, MIN_TRIALS, build_cohorts, count_outcomes
from experiments.simulator.configuration.configuration import Simulation
from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import Dataset, open_dataset
from features.dataset.horizons import Horizons
from features.declarations.functions import ratio
from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.shrinkage import REPURCHASE_RATE, RETURN_RATE, Rate
from features.point_in_time.interpreter import level_values
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.visibility import AS_OF
from features.runtime.progress import ProgressCallback
from training.metrics.bootstrap import BootstrapInterval, bootstrap_means

RATES: Final = (RETURN_RATE, REPURCHASE_RATE)
LEVELS: Final = (Level.MARKET, Level.CATEGORY_MARKET)
BLOCK_DAYS: Final = 28
"""Cohorts that end within this many days are resampled together: their rates share most sales."""
POINTS: Final = 100.0


@dataclass(frozen=True)
class CohortBenchmarkConfig:
    """The markets to measure on, and the directory that keeps them."""

    markets: Sequence[Simulation]
    """Alike but for their seeds."""
    work: Path


@dataclass(frozen=True)
class Bias:
    """The error of an early rate against the mature rate, in percentage points, over cohorts."""

    mean: BootstrapInterval
    """Signed: below 0 where the early rate is too low."""
    absolute: float
    """The mean absolute error, the chance of single cohorts included."""

    @classmethod
    def from_errors(cls, errors: pd.Series[float], blocks: pd.Series[int]) -> Bias:
        """Summarise the errors of cohorts."""
        values = np.asarray(errors, np.float64) * POINTS
        means = bootstrap_means(
            {"mean": values}, np.ones_like(values), np.asarray(blocks, np.int64), random_state=0
        )
        return cls(means["mean"], float(np.abs(values).mean()))


@dataclass(frozen=True)
class AgeFigures:
    """The figures of a rate at a level, `age` days after the last day of the cohorts."""

    rate: str
    level: Level
    age: int
    cohorts: int
    left_out: int
    """Cohorts of which the features had counted fewer than `MIN_TRIALS` trials by then."""
    mature_rate: float
    """The mean mature rate."""
    feature: Bias
    naive: Bias


def measure(config: CohortBenchmarkConfig, progress: ProgressCallback) -> list[AgeFigures]:
    """Measure on all markets; they are kept in `config.work`."""
    compared: dict[tuple[Rate, Level], list[pd.DataFrame]] = {
        (rate, level): [] for rate in RATES for level in LEVELS
    }
    for market in config.markets:
        progress(f"seed {market.seed}: the market")
        name = f"unripe-{market_name(market)}"
        valid = ensure_valid_market(market, config.work / name, config.work / f"{name}-validated")
        dataset = open_dataset(valid)
        rows = build_stored_rows(dataset, Horizons())
        for (rate, level), cohorts in compared.items():
            progress(f"seed {market.seed}: {rate.name} by {level.value}")
            market_cohorts = compare(dataset, rows, rate=rate, level=level)
            cohorts.append(market_cohorts.assign(seed=market.seed))
        dataset.connection.disconnect()
    return [
        figures
        for (rate, level), cohorts in compared.items()
        for figures in summarise(pd.concat(cohorts, ignore_index=True), rate=rate, level=level)
    ]


def compare(dataset: Dataset, rows: SignalRows, *, rate: Rate, level: Level) -> pd.DataFrame:
    """Return the cohorts of a data set with the mature, the naive and the features' rate.

    The mature rate is counted with the standard horizons, whatever horizons `rows` have.
    """
    counts = count_outcomes(dataset, Horizons(), rate=rate, level=level)
    keys = list(LEVEL_KEYS[level])
    cohorts = build_cohorts(counts, keys, last_day=dataset.cut_off_day())
    return cohorts.merge(read_rates(rows, cohorts, rate=rate, level=level), on=[*keys, AS_OF])


def read_rates(
    rows: SignalRows, moments: pd.DataFrame, *, rate: Rate, level: Level
) -> pd.DataFrame:
    """Return the features' rates through the interpreter, by the level's keys and `as_of_day`.

    Each key and day of `moments` is a row with `feature_rate` and the `feature_trials` that it
    rests on; the rate is null without a trial.
    """
    keys = [*LEVEL_KEYS[level], AS_OF]
    names = [rate.column(measure, level) for measure in (rate.successes, rate.trials)]
    features = tuple(feature for feature in CATALOGUE.at_level(level) if feature.name in names)
    requested = {key: pa.array(values) for key, values in moments[keys].drop_duplicates().items()}
    values = level_values(rows, features, rows.store(ibis.memtable(pa.table(requested))))
    table = rows.dataset.connection.to_pyarrow(values).to_pandas()
    successes, trials = (table[name].to_numpy() for name in names)
    result: pd.DataFrame = table[keys].assign(
        feature_rate=ratio(successes, trials), feature_trials=trials
    )
    return result


def summarise(cohorts: pd.DataFrame, *, rate: Rate, level: Level) -> Iterator[AgeFigures]:
    """Yield the figures of each age at which there are cohorts."""
    for age in AGES:
        same_age = cohorts[cohorts["age"] == age]
        known = same_age[same_age["feature_trials"] >= MIN_TRIALS]
        if known.empty:
            continue
        blocks = known["end_day"] // BLOCK_DAYS + known["seed"] * 10**6
        yield AgeFigures(
            rate=rate.name,
            level=level,
            age=age,
            cohorts=len(known),
            left_out=len(same_age) - len(known),
            mature_rate=float(known["mature_rate"].mean()),
            feature=Bias.from_errors(known["feature_rate"] - known["mature_rate"], blocks),
            naive=Bias.from_errors(known["naive_rate"] - known["mature_rate"], blocks),
        )
