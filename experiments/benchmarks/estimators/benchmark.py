"""Measure the log loss of each contestant on each table, and compare ours with CatBoost's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.benchmarks.estimators.contestants import CATBOOST, OURS, Contestant
from experiments.benchmarks.estimators.labelled_tables import LabelledTable
from experiments.benchmarks.results.figures import time_call
from features.runtime.arrays import FloatArray
from features.runtime.progress import ProgressCallback
from training.metrics.metrics import row_log_loss

STANDARD_ERRORS = 2.0
"""How many standard errors of a difference count as noise."""


@dataclass(frozen=True)
class TableScores:
    """What each contestant gained on a table over the constant, in log loss, by its name."""

    table: str
    constant_loss: float
    gains: Mapping[str, float]
    seconds: Mapping[str, float]
    """Processor time of fit and prediction."""
    lead: float | None
    """Log loss of CatBoost less ours; None without CatBoost."""
    lead_error: float | None
    """The standard error of the lead, over the rows to predict."""

    @property
    def ratio(self) -> float | None:
        """Return our gain divided by CatBoost's; None if CatBoost gained nothing."""
        gain = self.gains.get(CATBOOST, 0.0)
        return self.gains[OURS] / gain if gain > 0 else None


@dataclass(frozen=True)
class Comparison:
    """How ours compares with CatBoost over tables."""

    tables: int
    at_least_equal: float
    """Share of the tables where CatBoost isn't ahead by more than noise."""
    ahead: float
    """Share of the tables where our log loss is lower, by however little."""
    mean_lead: float
    """Mean of CatBoost's log loss less ours."""
    median_ratio: float


def run_benchmark(
    tables: Sequence[LabelledTable],
    contestants: Mapping[str, Contestant],
    progress: ProgressCallback,
) -> list[TableScores]:
    """Let each contestant predict each table, and report each step."""
    scores = []
    for table in tables:
        progress(table.name)
        scores.append(score_table(table, contestants))
    return scores


def score_table(table: LabelledTable, contestants: Mapping[str, Contestant]) -> TableScores:
    """Return what each contestant gained over the weighted mean of the rows to learn from."""
    learned = slice(None, table.train_rows)
    label, weight = table.share[table.train_rows :], table.trials[table.train_rows :]
    mean = float(np.average(table.share[learned], weights=table.trials[learned]))
    losses = {"constant": row_log_loss(label, np.full(label.size, mean))}
    seconds = {}
    for name, contestant in contestants.items():
        predicted, elapsed = time_call(lambda chosen=contestant: chosen(table))  # type: ignore[misc]  # mypy infers no type of a default
        losses[name], seconds[name] = row_log_loss(label, predicted), elapsed.cpu_seconds
    means = {name: float(np.average(loss, weights=weight)) for name, loss in losses.items()}
    lead, error = None, None
    if CATBOOST in losses:
        lead, error = _mean_and_error(losses[CATBOOST] - losses[OURS], weight)
    return TableScores(
        table=table.name,
        constant_loss=means["constant"],
        gains={name: means["constant"] - means[name] for name in contestants},
        seconds=seconds,
        lead=lead,
        lead_error=error,
    )


def compare(scores: Sequence[TableScores]) -> Comparison | None:
    """Return the comparison of ours with CatBoost, or None if CatBoost took no part."""
    leads = np.array([one.lead for one in scores if one.lead is not None])
    errors = np.array([one.lead_error for one in scores if one.lead_error is not None])
    ratios = [one.ratio for one in scores if one.ratio is not None]
    if not leads.size or not ratios:
        return None
    return Comparison(
        tables=leads.size,
        at_least_equal=float((leads >= -STANDARD_ERRORS * errors).mean()),
        ahead=float((leads > 0).mean()),
        mean_lead=float(leads.mean()),
        median_ratio=float(np.median(ratios)),
    )


def _mean_and_error(values: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Return a weighted mean and its standard error."""
    mean = float(np.average(values, weights=weight))
    squares = (weight**2 * (values - mean) ** 2).sum()
    return mean, float(np.sqrt(squares) / weight.sum())
