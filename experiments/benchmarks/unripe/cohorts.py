"""Cohorts: what was sold in a week, its rate in the end and its rate as far as it was known."""

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
"""Units or buyers that a cohort needs: with fewer, its value in the end is mostly chance."""
SOLD: Final = ["sold_day", "known_day", "over_day"]


def tallies(dataset: Dataset, horizons: Horizons, *, rate: Rate, level: Level) -> pd.DataFrame:
    """Return trials and successes by the level's keys, day of sale, of knowledge and of the end."""
    keys = LEVEL_KEYS[level]
    happened = add_level_keys(dataset, SALE_OUTCOMES[rate](dataset, horizons), keys)
    counted = happened.group_by(*keys, *SOLD).aggregate(
        trials=happened.trials.sum().cast("int64"),
        successes=happened.successes.sum().cast("int64"),
    )
    result: pd.DataFrame = dataset.connection.to_pyarrow(counted).to_pandas()
    return result


def build_cohorts(
    tally: pd.DataFrame, keys: Sequence[str], *, last_day: int, ages: Sequence[int] = AGES
) -> pd.DataFrame:
    """Return a row a cohort and age: keys, end_day, age, as_of_day, trials, ripe and naive.

    A cohort is what was sold from one Monday to the next, which is `end_day`. Left out are cohorts
    that are not over by `last_day`, so that nobody knows their value in the end, and those with
    fewer than `MIN_TRIALS`.
    """
    week = -((tally["sold_day"] - MONDAY) // -DAYS_A_WEEK)
    tally = tally.assign(end_day=MONDAY + DAYS_A_WEEK * week)
    of_cohort = [*keys, "end_day"]
    whole = _sums(tally, of_cohort)
    whole["over_day"] = tally.groupby(of_cohort)["over_day"].max()
    is_whole = whole.index.get_level_values("end_day") >= tally["sold_day"].min() + DAYS_A_WEEK
    kept = whole[(whole["over_day"] <= last_day) & (whole["trials"] >= MIN_TRIALS) & is_whole]
    found = []
    for age in ages:
        seen = _sums(tally[tally["known_day"] <= tally["end_day"] + age], of_cohort)
        seen = seen.reindex(kept.index)
        cohort = pd.DataFrame(
            {
                "age": age,
                "trials": kept["trials"],
                "ripe": kept["successes"] / kept["trials"],
                "naive": seen["successes"] / seen["trials"],
            }
        ).reset_index()
        found.append(cohort.assign(**{AS_OF: cohort["end_day"] + age}))
    return pd.concat(found, ignore_index=True)


def _sums(tally: pd.DataFrame, of_cohort: list[str]) -> pd.DataFrame:
    return tally.groupby(of_cohort)[["trials", "successes"]].sum()
