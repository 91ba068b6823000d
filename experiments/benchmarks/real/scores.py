"""Score contestants on the latest slice, and pool their differences over rounds."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from statistics import fmean
from typing import Final

import numpy as np
from scipy.stats import rankdata

from experiments.benchmarks.objectives.loss_differences import (
    LossDifferences,
    compute_loss_differences,
    pool_differences,
)
from experiments.benchmarks.real.forecasts import ContestantForecast
from experiments.benchmarks.real.product import PRODUCT
from features.runtime.arrays import FloatArray
from training.data.sample import Sample
from training.data.training_set import EncodedColumn
from training.metrics.bootstrap import BootstrapInterval
from training.metrics.metrics import calibration_error, row_log_loss, weighted_mean

EARNS: Final = "earns"
UNCLEAR: Final = "no clear difference"
HARMS: Final = "harms"
TOO_FEW: Final = "too few"
MIN_PRODUCTS: Final = 100
"""Fewest products for a verdict: the interval of a bootstrap over fewer clusters is too narrow."""


@dataclass(frozen=True)
class Scores:
    """The quality of a contestant's forecasts; NaN where it has none of the kind."""

    log_loss: float
    mean_absolute_error: float
    rank_correlation: float
    calibration_error: float
    coverage: float
    width: float
    seconds: float = field(compare=False)
    masked_log_loss: float
    """Of cold-start copies of the latest rows, which know as much as a candidate does."""


@dataclass(frozen=True)
class Round:
    """The scores of all contestants for one target at one origin of a data set."""

    task: str
    seed: int | None
    origin: int
    target: str
    learned_rows: int
    judged_rows: int
    judged_copies: int
    scores: Mapping[str, Scores]
    differences: LossDifferences = field(compare=False)
    """Differences to the product by product, of decisions about listings."""
    masked_differences: LossDifferences | None = field(compare=False)
    """Likewise of cold-start copies, of the contestants that can score them."""

    @property
    def market(self) -> Hashable:
        """Return the key within which equal names are one product."""
        return self.task, self.seed


@dataclass(frozen=True)
class JudgedRows:
    """The rows to judge on, with the product of each row of the training set."""

    latest: Sample
    masked: Sample
    products: EncodedColumn


def judge_round(  # noqa: PLR0913 - what a round is of, by name
    judged: JudgedRows,
    forecasts: Mapping[str, ContestantForecast],
    *,
    task: str,
    seed: int | None,
    origin: int,
    target: str,
    learned_rows: int,
) -> Round:
    """Score all contestants of a round."""
    masked = {
        name: [forecast.masked]
        for name, forecast in forecasts.items()
        if forecast.masked is not None
    }
    has_masked = judged.masked.rows.size > 0 and PRODUCT in masked
    return Round(
        task=task,
        seed=seed,
        origin=origin,
        target=target,
        learned_rows=learned_rows,
        judged_rows=judged.latest.rows.size,
        judged_copies=judged.masked.rows.size,
        scores={name: score(judged, forecast) for name, forecast in forecasts.items()},
        differences=compute_loss_differences(
            judged.latest,
            judged.products,
            {name: [forecast.estimate] for name, forecast in forecasts.items()},
            default=PRODUCT,
        ),
        masked_differences=compute_loss_differences(
            judged.masked, judged.products, masked, default=PRODUCT
        )
        if has_masked
        else None,
    )


def score(judged: JudgedRows, forecast: ContestantForecast) -> Scores:
    """Score one contestant; losses, errors and calibration have the target's weights."""
    label, weight, estimate = judged.latest.label, judged.latest.weight, forecast.estimate
    coverage = width = masked_loss = float("nan")
    if forecast.low is not None and forecast.high is not None:
        coverage = float(((forecast.low <= label) & (label <= forecast.high)).mean())
        width = float((forecast.high - forecast.low).mean())
    if forecast.masked is not None and judged.masked.rows.size:
        masked_loss = weighted_mean(
            row_log_loss(judged.masked.label, forecast.masked), judged.masked.weight
        )
    return Scores(
        log_loss=weighted_mean(row_log_loss(label, estimate), weight),
        mean_absolute_error=weighted_mean(np.abs(label - estimate), weight),
        rank_correlation=rank_correlation(label, estimate),
        calibration_error=calibration_error(label, estimate, weight),
        coverage=coverage,
        width=width,
        seconds=forecast.seconds,
        masked_log_loss=masked_loss,
    )


def rank_correlation(label: FloatArray, estimate: FloatArray) -> float:
    """Return Spearman's correlation, each row once; NaN if one of both is constant."""
    ranks = rankdata(label), rankdata(estimate)
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def mean_scores(rounds: Sequence[Round], name: str) -> Scores:
    """Return a contestant's mean scores over rounds."""
    return Scores(
        **{
            measure.name: fmean(getattr(judged.scores[name], measure.name) for judged in rounds)
            for measure in fields(Scores)
        }
    )


def pool_excess(rounds: Sequence[Round], name: str, *, masked: bool) -> BootstrapInterval | None:
    """Return a contestant's log loss minus the product's, over the rounds in which they differ.

    None if they differ in no round: a mechanism that has nothing to do there isn't judged there.
    """
    pairs = list(_list_differing(rounds, name, masked=masked))
    return pool_differences(pairs)[name] if pairs else None


def count_products(rounds: Sequence[Round], name: str, *, masked: bool) -> int:
    """Return how many products the rounds have in which a contestant differs from the product."""
    return len(
        {
            (market, product)
            for market, differences in _list_differing(rounds, name, masked=masked)
            for product in differences.products
        }
    )


def _list_differing(
    rounds: Sequence[Round], name: str, *, masked: bool
) -> Iterator[tuple[Hashable, LossDifferences]]:
    for judged in rounds:
        differences = judged.masked_differences if masked else judged.differences
        if differences is not None and differences.excess.get(name, np.zeros(1)).any():
            only = replace(differences, excess={name: differences.excess[name]})
            yield judged.market, only


def judge_without(excess: BootstrapInterval, luck: Sequence[BootstrapInterval]) -> str:
    """Return what the excess of the product without a mechanism says about the mechanism.

    An interval holds the luck of the products, not that of the seeds. So a clear difference must
    also be larger than all that other seeds make, by their intervals.
    """
    largest = max((end for one in luck for end in (one.high, -one.low)), default=0.0)
    if abs(excess.mean) <= largest or excess.low <= 0 <= excess.high:
        return UNCLEAR
    return EARNS if excess.mean > 0 else HARMS
