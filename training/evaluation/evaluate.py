"""The honest evaluation: model and baselines side by side on the latest slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, IntArray
from serving.conformal.cells import IntervalContext, OwnEvidence
from serving.prediction.seasonality import SEASONAL_TARGET, has_unseen_season
from serving.prediction.target_model import TargetModel
from training.calibration.conformal_fit import (
    default_curves,
    forecast_from_raw,
    forecast_with_model,
    learn_finish,
)
from training.calibration.interval_context import build_interval_context
from training.data.cold_start_rows import Masked, has_full_history
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.data.training_set import TrainingSet
from training.evaluation.baselines import BASELINES, raw_predictions
from training.evaluation.coverage import Coverage, coverage_by_cell
from training.metrics.bootstrap import BootstrapInterval, bootstrap_means
from training.metrics.metrics import Forecast, Metrics, measure, row_log_loss

MODEL: Final = "model"
PREDICTORS: Final = (MODEL, *BASELINES)

MIN_MARKET_ROWS: Final = 200
MAX_MARKETS: Final = 20
"""Markets reported one by one, the largest; the others are merged."""

WARM: Final = "warm"
COLD: Final = "cold"
"""With and without a history of the listing's own."""

OTHER_MARKETS: Final = "other markets"

UNLISTED: Final = "not listed yet"
UNKNOWN: Final = "unknown product"
MASKED_GROUPS: Final = {UNLISTED: Masked.LISTING, UNKNOWN: Masked.PRODUCT}
"""Candidates: first rows of the latest slice with their history hidden, judged beside it."""


@dataclass(frozen=True, kw_only=True)
class SliceSummary:
    """How many rows a slice holds, copies left out, and the moments it may span, as day numbers."""

    rows: int
    first_day: int
    last_day: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the latest slice says about one target's model."""

    target: Target
    threshold: float
    interval_coverage: float
    slices: Mapping[str, SliceSummary]
    """Slices in time by name, from train to latest."""
    unseen_season: float
    """Share of the latest slice's rows that look ahead to days of the year never learned from."""
    without_calendar: Metrics | None
    """What the model would be worth on the latest slice without the calendar of seasons; None where
    that changes nothing (serving/prediction/seasonality.py)."""
    rows_not_final: int
    """Rows whose outcome isn't final yet, copies left out: neither learned from nor judged."""
    overall: Mapping[str, Metrics]
    """By predictor: the model and each baseline."""
    by_group: Mapping[str, Mapping[str, Metrics]]
    """Parts of the latest slice (warm and cold starts, markets) and copies of its first rows that
    know less, as candidates do; then predictors."""
    differences: Mapping[str, Mapping[str, BootstrapInterval]]
    """Baseline, then loss: the baseline's loss minus the model's; above 0 the model is better."""
    by_cell: Mapping[str, Coverage]
    """All rows of the latest slice, then cells of own evidence and market with rows enough."""
    cells_merged: bool
    """Whether cold starts were too few to get residuals of their own."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class JudgedRows:
    """What model and baselines said of rows later than any of them learned from.

    The rows of the latest slice come first, then the copies of its first rows that know less.
    """

    rows: Sample
    forecasts: Mapping[str, Forecast]
    """By predictor: the model and each baseline."""
    is_latest: BoolArray
    """Whether a row is one of the latest slice; shape (rows,), as all masks here."""
    groups: Mapping[str, BoolArray]
    """Masks of the groups that are reported apart."""

    def metrics_by_predictor(self, mask: BoolArray, threshold: float) -> dict[str, Metrics]:
        """Measure each predictor on the rows of a mask."""
        rows = self.rows.select(mask)
        return {
            name: measure(rows.label, rows.weight, forecast.select(mask), threshold=threshold)
            for name, forecast in self.forecasts.items()
        }


def judge(
    models: Mapping[Target, TargetModel], training_input: TrainingInput, split: TargetSplit
) -> JudgedRows:
    """Let a target's model and the baselines forecast what neither has seen.

    Only the units that return risk's intervals count with come from a sell-through model that may
    have (training/fit/fit_targets.py).
    """
    context = build_interval_context(training_input, split, models)
    rows = split.latest.concat(split.latest_masked)
    return JudgedRows(
        rows,
        _forecasts(models[split.target], training_input, split, context),
        has_full_history(training_input.training_set, rows.rows),
        _group_masks(training_input.training_set, rows.rows),
    )


def evaluate(
    models: Mapping[Target, TargetModel], training_input: TrainingInput, split: TargetSplit
) -> Evaluation:
    """Judge a target's model and the baselines on rows later than any of them learned from."""
    settings = training_input.recipe.settings
    threshold = settings.threshold(split.target)
    model, context = models[split.target], build_interval_context(training_input, split, models)
    judged = judge(models, training_input, split)
    latest = {
        name: forecast.select(judged.is_latest) for name, forecast in judged.forecasts.items()
    }
    return Evaluation(
        target=split.target,
        threshold=threshold,
        interval_coverage=settings.interval_coverage,
        slices=_summarise_slices(training_input.training_set, split),
        unseen_season=_unseen_season_share(training_input, split),
        without_calendar=_measure_without_calendar(model, training_input, split, context),
        rows_not_final=_count_immature_rows(training_input.training_set, split.target),
        overall=judged.metrics_by_predictor(judged.is_latest, threshold),
        by_group={
            name: judged.metrics_by_predictor(mask, threshold)
            for name, mask in judged.groups.items()
        },
        differences=_bootstrap_differences(training_input, split, latest),
        by_cell=coverage_by_cell(
            model, training_input, split, context=context, forecast=latest[MODEL]
        ),
        cells_merged=(OwnEvidence.NONE,) not in model.residuals.cells,
    )


def _forecasts(
    model: TargetModel, training_input: TrainingInput, split: TargetSplit, context: IntervalContext
) -> dict[str, Forecast]:
    """Return the forecasts of model and baselines for the latest rows, then the hidden ones."""
    settings = training_input.recipe.settings
    rows = split.latest.concat(split.latest_masked).rows
    judged = context.select(rows)
    coverage, threshold = settings.interval_coverage, settings.threshold(split.target)
    forecasts = {
        MODEL: forecast_with_model(
            model,
            training_input.inputs_for(split.target, rows),
            judged,
            coverage=coverage,
            threshold=threshold,
        )
    }
    baselines = raw_predictions(training_input.training_set, split, training_input.parameters)
    for name, raw in baselines.items():
        curves = default_curves(split.target)
        finish = learn_finish(
            raw, context, split, keys=training_input.training_set.keys, curves=curves
        )
        forecasts[name] = forecast_from_raw(
            raw[rows], finish, judged, coverage=coverage, threshold=threshold
        )
    return forecasts


def _group_masks(training_set: TrainingSet, rows: IntArray) -> dict[str, BoolArray]:
    """Return masks of shape (rows,): warm and cold starts, markets, copies; none is empty."""
    masked = training_set.masked[rows]
    is_latest = masked == Masked.NOTHING
    is_cold = training_set.is_cold[rows]
    market = training_set.keys["market"]
    codes = market.codes[rows]
    sizes = np.bincount(codes[is_latest], minlength=len(market.names))
    by_size = np.argsort(-sizes, kind="stable")[:MAX_MARKETS]
    large = [int(code) for code in by_size if sizes[code] >= MIN_MARKET_ROWS]
    groups = {WARM: is_latest & ~is_cold, COLD: is_latest & is_cold}
    groups |= {f"market {market.names[code]}": is_latest & (codes == code) for code in large}
    groups[OTHER_MARKETS] = is_latest & ~np.isin(codes, large)
    groups |= {name: masked == kind for name, kind in MASKED_GROUPS.items()}
    return {name: group for name, group in groups.items() if group.any()}


def _bootstrap_differences(
    training_input: TrainingInput, split: TargetSplit, forecasts: Mapping[str, Forecast]
) -> dict[str, dict[str, BootstrapInterval]]:
    latest = split.latest
    losses = {
        name: {
            "log_loss": row_log_loss(latest.label, forecast.estimate),
            "mean_absolute_error": np.abs(latest.label - forecast.estimate),
        }
        for name, forecast in forecasts.items()
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
    model: TargetModel, training_input: TrainingInput, split: TargetSplit, context: IntervalContext
) -> Metrics | None:
    latest = split.latest
    if split.target != SEASONAL_TARGET or (training_input.demand[latest.rows] == 1.0).all():
        return None
    settings = training_input.recipe.settings
    threshold = settings.threshold(split.target)
    forecast = forecast_with_model(
        model,
        training_input.matrix[latest.rows],
        context.select(latest.rows),
        coverage=settings.interval_coverage,
        threshold=threshold,
    )
    return measure(latest.label, latest.weight, forecast, threshold=threshold)


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
        for name, value in _flatten(evaluation).items()
    }


def _flatten(evaluation: Evaluation) -> dict[str, float]:
    metrics_by_predictor = {
        f"{predictor}.{metric}": float(value)
        for predictor, metrics in evaluation.overall.items()
        for metric, value in asdict(metrics).items()
    }
    gained = {
        f"gain_over_{baseline}.{loss}.{bound}": float(value)
        for baseline, intervals in evaluation.differences.items()
        for loss, interval in intervals.items()
        for bound, value in asdict(interval).items()
    }
    return metrics_by_predictor | gained
