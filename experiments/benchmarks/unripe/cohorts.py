"""Weekly cohorts of sales: their mature rate, and their rate as far as it was known early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from experiments.benchmarks.unripe.sale_outcomes import SALE_OUTCOMES
from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.shrinkage import Rate
from features.point_in_time.spine import DAYS_A_WEEK, MONDAY
from features.point_in_time.visibility import AS_OF
from features.signals.signal import add_level_keys

AGES: Final = (7, 14, 21)
"""Days after the last day of a cohort."""
MIN_TRIALS: Final = 100
"""Units or buyers that a cohort needs: with fewer, its mature rate is mostly chance."""
SOLD: Final = ["sold_day", "known_day", "over_day"]


def count_outcomes(
    dataset: Dataset, horizons: Horizons, *, rate: Rate, level: Level
) -> pd.DataFrame:
    """Return trials and successes by the level's keys, `sold_day`, `known_day` and `over_day`."""
    keys = LEVEL_KEYS[level]
    outcomes = add_level_keys(dataset, SALE_OUTCOMES[rate](dataset, horizons), keys)
    counts = outcomes.group_by(*keys, *SOLD).aggregate(
        trials=outcomes.trials.sum().cast("int64"),
        successes=outcomes.successes.sum().cast("int64"),
    )
    result: pd.DataFrame = dataset.connection.to_pyarrow(counts).to_pandas()
    return result


def build_cohorts(
    counts: pd.DataFrame, keys: Sequence[str], *, last_day: int, ages: Sequence[int] = AGES
) -> pd.DataFrame:
    """Return a row a cohort and age: keys, end_day, age, as_of_day, trials and both rates.

    A cohort holds the sales from one Monday to the next, which is `end_day`. `mature_rate` counts
    all outcomes, `naive_rate` those known at that age. Cohorts are left out if their windows end
    after `last_day`, so that their mature rate is unknown, or with fewer than `MIN_TRIALS`.
    """
    week = -((counts["sold_day"] - MONDAY) // -DAYS_A_WEEK)
    counts = counts.assign(end_day=MONDAY + DAYS_A_WEEK * week)
    cohort_keys = [*keys, "end_day"]
    mature = _sum_counts(counts, cohort_keys)
    mature["over_day"] = counts.groupby(cohort_keys)["over_day"].max()
    is_whole = mature.index.get_level_values("end_day") >= counts["sold_day"].min() + DAYS_A_WEEK
    is_known = (mature["over_day"] <= last_day) & (mature["trials"] >= MIN_TRIALS)
    kept = mature[is_known & is_whole]
    cohorts = []
    for age in ages:
        early = _sum_counts(counts[counts["known_day"] <= counts["end_day"] + age], cohort_keys)
        early = early.reindex(kept.index)
        cohort = pd.DataFrame(
            {
                "age": age,
                "trials": kept["trials"],
                "mature_rate": kept["successes"] / kept["trials"],
                "naive_rate": early["successes"] / early["trials"],
            }
        ).reset_index()
        cohorts.append(cohort.assign(**{AS_OF: cohort["end_day"] + age}))
    return pd.concat(cohorts, ignore_index=True)


def _sum_counts(counts: pd.DataFrame, cohort_keys: list[str]) -> pd.DataFrame:
    return counts.groupby(cohort_keys)[["trials", "successes"]].sum()
