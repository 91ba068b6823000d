"""Evaluate the model and the baselines side by side on the latest slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.declarations.targets import Target
from serving.conformal.cells import OwnEvidence
from serving.prediction.seasonality import SEASONAL_TARGET, has_unseen_season
from training.calibration.fitted_target import FittedTarget
from training.data.cold_start_rows import Masked, has_full_history
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.data.training_set import TrainingSet
from training.evaluation.baselines import BASELINES
from training.evaluation.coverage import Coverage, coverage_by_cell
from training.evaluation.judge import MODEL, forecast, judge
from training.metrics.bootstrap import BootstrapInterval, bootstrap_means
from training.metrics.metrics import Forecast, Metrics, measure, row_log_loss


@dataclass(frozen=True, kw_only=True)
class SliceSummary:
    """The number of rows of a slice, without copies, and the moments it may span, as days."""

    rows: int
    first_day: int
    last_day: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the latest slice shows about one target's model."""

    target: Target
    threshold: float
    interval_coverage: float
    slices: Mapping[str, SliceSummary]
    """Slices in time by name, from train to latest."""
    origins: int
    """Moments of the calibration slice at which a model predicted the rows that followed."""
    rows_known: int
    """Rows that the model learned from, without copies: all final before the latest slice."""
    unseen_season: float
    """Share of the latest rows that look ahead to days of the year that training hasn't seen."""
    without_calendar: Metrics | None
    """The model's metrics on the latest slice without the calendar of seasons; None if the calendar
    changes nothing (serving/prediction/seasonality.py)."""
    rows_not_final: int
    """Rows whose outcome isn't final yet, without copies: neither learned from nor judged."""
    rows_limited: int
    """Rows, without copies, that count as `weight_limit` units and not as all that they have."""
    weight_limit: float
    overall: Mapping[str, Metrics]
    """By predictor: the model and each baseline."""
    by_group: Mapping[str, Mapping[str, Metrics]]
    """By group, then predictor: warm and cold starts and markets of the latest slice, and its
    cold-start copies."""
    differences: Mapping[str, Mapping[str, BootstrapInterval]]
    """By baseline, then loss: the baseline's loss minus the model's. The model is better above 0.
    """
    by_cell: Mapping[str, Coverage]
    """All rows of the latest slice, then large cells of own evidence and market."""
    cells_merged: bool
    """Whether there were too few cold starts for residuals of their own."""

    def describe_limit(self) -> str:
        """Return a sentence on the rows whose weight is limited."""
        return (
            f"{self.rows_limited:,} rows count as {self.weight_limit:,.0f} units at most, because "
            "they have far more than the other rows: if a number was mistyped, it would outweigh "
            "all others."
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)


def evaluate(fitted: FittedTarget, training_input: TrainingInput, split: TargetSplit) -> Evaluation:
    """Evaluate a target's model and the baselines on rows later than any they learned from."""
    settings = training_input.recipe.settings
    threshold = settings.threshold(split.target)
    judged = judge(fitted, training_input, split)
    latest = {
        name: predicted.select(judged.is_latest) for name, predicted in judged.forecasts.items()
    }
    return Evaluation(
        target=split.target,
        threshold=threshold,
        interval_coverage=settings.interval_coverage,
        slices=_summarise_slices(training_input.training_set, split),
        origins=len(split.folds),
        rows_known=int(has_full_history(training_input.training_set, split.known.rows).sum()),
        unseen_season=_unseen_season_share(training_input, split),
        without_calendar=_measure_without_calendar(fitted, training_input, split),
        rows_limited=split.rows_limited,
        weight_limit=split.weight_limit,
        rows_not_final=_count_immature_rows(training_input.training_set, split.target),
        overall=judged.metrics_by_predictor(judged.is_latest, threshold),
        by_group={
            name: judged.metrics_by_predictor(mask, threshold)
            for name, mask in judged.groups.items()
        },
        differences=_bootstrap_differences(training_input, split, latest),
        by_cell=coverage_by_cell(fitted, training_input, split, forecast=latest[MODEL]),
        cells_merged=(OwnEvidence.NONE,) not in fitted.model.residuals.cells,
    )


def _bootstrap_differences(
    training_input: TrainingInput, split: TargetSplit, forecasts: Mapping[str, Forecast]
) -> dict[str, dict[str, BootstrapInterval]]:
    latest = split.latest
    losses = {
        name: {
            "log_loss": row_log_loss(latest.label, predicted.estimate),
            "mean_absolute_error": np.abs(latest.label - predicted.estimate),
        }
        for name, predicted in forecasts.items()
    }
    gains = {
        f"{baseline} {loss}": losses[baseline][loss] - losses[MODEL][loss]
        for baseline in BASELINES
        for loss in losses[MODEL]
    }
    clusters = training_input.training_set.keys["product_id"].codes[latest.rows]
    intervals = bootstrap_means(
        gains, latest.weight, clusters, random_state=training_input.recipe.settings.random_state
    )
    return {
        baseline: {loss: intervals[f"{baseline} {loss}"] for loss in losses[MODEL]}
        for baseline in BASELINES
    }


def _count_immature_rows(training_set: TrainingSet, target: Target) -> int:
    is_row = training_set.masked == Masked.NOTHING
    return int((is_row & ~training_set.outcomes[target].is_mature).sum())


def _unseen_season_share(training_input: TrainingInput, split: TargetSplit) -> float:
    horizons = training_input.recipe.horizons
    as_of_day = training_input.training_set.as_of_day[split.latest.rows]
    unseen = has_unseen_season(split.days.learned_days(horizons), as_of_day, horizons.horizon_days)
    return float(unseen.mean())


def _measure_without_calendar(
    fitted: FittedTarget, training_input: TrainingInput, split: TargetSplit
) -> Metrics | None:
    latest = split.latest
    if split.target != SEASONAL_TARGET or (training_input.demand[latest.rows] == 1.0).all():
        return None
    settings = training_input.recipe.settings
    threshold = settings.threshold(split.target)
    matrix = training_input.design_matrix(latest.rows)
    predicted = forecast(
        fitted.model.predict(matrix, np.ones(latest.rows.size)),
        fitted.context.select(latest.rows),
        coverage=settings.interval_coverage,
        threshold=threshold,
    )
    return measure(latest.label, latest.weight, predicted, threshold=threshold)


def _summarise_slices(training_set: TrainingSet, split: TargetSplit) -> dict[str, SliceSummary]:
    days = split.days
    spans = (days.train, days.calibration, days.calibration, days.latest)
    return {
        name: SliceSummary(
            rows=int(has_full_history(training_set, sample.rows).sum()),
            first_day=span.first,
            last_day=span.last,
        )
        for (name, sample), span in zip(split.samples.items(), spans, strict=True)
    }


def flatten_metrics(evaluations: Mapping[Target, Evaluation]) -> dict[str, float]:
    """Return the overall metrics and differences by dotted name: target, predictor, metric."""
    return {
        f"{target}.{name}": value
        for target, evaluation in evaluations.items()
        for name, value in _flatten_target(evaluation).items()
    }


def _flatten_target(evaluation: Evaluation) -> dict[str, float]:
    metrics_by_predictor = {
        f"{predictor}.{metric}": float(value)
        for predictor, metrics in evaluation.overall.items()
        for metric, value in asdict(metrics).items()
    }
    gains = {
        f"gain_over_{baseline}.{loss}.{bound}": float(value)
        for baseline, intervals in evaluation.differences.items()
        for loss, interval in intervals.items()
        for bound, value in asdict(interval).items()
    }
    return metrics_by_predictor | gains
