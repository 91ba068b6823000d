"""The honest evaluation: model and baselines side by side on the latest slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, IntArray
from serving.conformal.cells import Footing, OwnEvidence
from serving.prediction.seasonality import SEASONAL
from serving.prediction.target_model import TargetModel
from training.calibration.conformal_fit import (
    curves_of_others,
    forecast_of_model,
    forecast_of_raw,
    learn_finish,
)
from training.calibration.interval_context import footing_of
from training.data.cold_start_rows import Hidden, is_whole
from training.data.sample import Sample
from training.data.time_split import Division
from training.data.training_input import Material
from training.data.training_set import TrainingSet
from training.evaluation.baselines import BASELINES, raw_predictions
from training.evaluation.coverage import Coverage, coverage_by_cell
from training.metrics.bootstrap import Spread, bootstrap_means
from training.metrics.metrics import Forecast, Metrics, measure, row_log_loss

MODEL: Final = "model"
PREDICTORS: Final = (MODEL, *BASELINES)

LEAST_MARKET_ROWS: Final = 200
MOST_MARKETS: Final = 20
"""Markets reported one by one, the largest; the others are merged."""

WARM: Final = "warm"
COLD: Final = "cold"
"""With and without a history of the listing's own."""

OTHER_MARKETS: Final = "other markets"

UNLISTED: Final = "not listed yet"
UNKNOWN: Final = "unknown product"
HIDDEN_GROUPS: Final = {UNLISTED: Hidden.LISTING, UNKNOWN: Hidden.PRODUCT}
"""Candidates: first rows of the latest slice with their history hidden, judged beside it."""


@dataclass(frozen=True, kw_only=True)
class SliceFacts:
    """How many rows a slice holds, copies left out, and the moments it may span, as day numbers."""

    rows: int
    first_day: int
    last_day: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the latest slice says about one target's model."""

    target: Target
    threshold: float
    interval_level: float
    slices: Mapping[str, SliceFacts]
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
    differences: Mapping[str, Mapping[str, Spread]]
    """Baseline, then loss: the baseline's loss minus the model's; above 0 the model is better."""
    by_cell: Mapping[str, Coverage]
    """All rows of the latest slice, then cells of own evidence and market with rows enough."""
    cells_merged: bool
    """Whether cold starts were too few to get residuals of their own."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Judged:
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

    def measured(self, mask: BoolArray, threshold: float) -> dict[str, Metrics]:
        """Measure each predictor on the rows of a mask."""
        rows = self.rows.where(mask)
        return {
            name: measure(rows.label, rows.weight, said.where(mask), threshold=threshold)
            for name, said in self.forecasts.items()
        }


def judge(models: Mapping[Target, TargetModel], material: Material, division: Division) -> Judged:
    """Let a target's model and the baselines forecast what neither has seen.

    Only the units that return risk's intervals count with come from a sell-through model that may
    have (training/fit/fit_targets.py).
    """
    footing = footing_of(material, division, models)
    rows = division.latest.and_then(division.latest_hidden)
    return Judged(
        rows,
        _forecasts(models[division.target], material, division, footing),
        is_whole(material.training_set, rows.rows),
        _groups(material.training_set, rows.rows),
    )


def evaluate(
    models: Mapping[Target, TargetModel], material: Material, division: Division
) -> Evaluation:
    """Judge a target's model and the baselines on rows later than any of them learned from."""
    settings = material.recipe.settings
    threshold = settings.threshold(division.target)
    model, footing = models[division.target], footing_of(material, division, models)
    judged = judge(models, material, division)
    latest = {name: said.where(judged.is_latest) for name, said in judged.forecasts.items()}
    return Evaluation(
        target=division.target,
        threshold=threshold,
        interval_level=settings.interval_level,
        slices=_slice_facts(material.training_set, division),
        unseen_season=_unseen_season(material, division),
        without_calendar=_without_calendar(model, material, division, footing),
        rows_not_final=_rows_not_final(material.training_set, division.target),
        overall=judged.measured(judged.is_latest, threshold),
        by_group={name: judged.measured(mask, threshold) for name, mask in judged.groups.items()},
        differences=_differences(material, division, latest),
        by_cell=coverage_by_cell(model, material, division, footing=footing, said=latest[MODEL]),
        cells_merged=(OwnEvidence.NONE,) not in model.residuals.cells,
    )


def _forecasts(
    model: TargetModel, material: Material, division: Division, footing: Footing
) -> dict[str, Forecast]:
    """Return the forecasts of model and baselines for the latest rows, then the hidden ones."""
    settings = material.recipe.settings
    rows = division.latest.and_then(division.latest_hidden).rows
    judged = footing.where(rows)
    level, threshold = settings.interval_level, settings.threshold(division.target)
    forecasts = {
        MODEL: forecast_of_model(
            model,
            material.asked(division.target, rows),
            judged,
            level=level,
            threshold=threshold,
        )
    }
    baselines = raw_predictions(material.training_set, division, material.parameters)
    for name, raw in baselines.items():
        curves = curves_of_others(division.target)
        finish = learn_finish(
            raw, footing, division, keys=material.training_set.keys, curves=curves
        )
        forecasts[name] = forecast_of_raw(
            raw[rows], finish, judged, level=level, threshold=threshold
        )
    return forecasts


def _groups(training_set: TrainingSet, rows: IntArray) -> dict[str, BoolArray]:
    """Return masks of shape (rows,): warm and cold starts, markets, copies; none is empty."""
    hidden = training_set.hidden[rows]
    is_latest = hidden == Hidden.NOTHING
    is_cold = training_set.is_cold[rows]
    market = training_set.keys["market"]
    codes = market.codes[rows]
    sizes = np.bincount(codes[is_latest], minlength=len(market.names))
    by_size = np.argsort(-sizes, kind="stable")[:MOST_MARKETS]
    large = [int(code) for code in by_size if sizes[code] >= LEAST_MARKET_ROWS]
    groups = {WARM: is_latest & ~is_cold, COLD: is_latest & is_cold}
    groups |= {f"market {market.names[code]}": is_latest & (codes == code) for code in large}
    groups[OTHER_MARKETS] = is_latest & ~np.isin(codes, large)
    groups |= {name: hidden == kind for name, kind in HIDDEN_GROUPS.items()}
    return {name: group for name, group in groups.items() if group.any()}


def _differences(
    material: Material, division: Division, forecasts: Mapping[str, Forecast]
) -> dict[str, dict[str, Spread]]:
    latest = division.latest
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
    clusters = material.training_set.keys["product_id"].codes[latest.rows]
    spreads = bootstrap_means(
        gains, latest.weight, clusters, random_state=material.recipe.settings.random_state
    )
    return {
        baseline: {loss: spreads[f"{baseline} {loss}"] for loss in losses[MODEL]}
        for baseline in BASELINES
    }


def _rows_not_final(training_set: TrainingSet, target: Target) -> int:
    is_row = training_set.hidden == Hidden.NOTHING
    return int((is_row & ~training_set.outcomes[target].is_mature).sum())


def _unseen_season(material: Material, division: Division) -> float:
    horizons = material.recipe.horizons
    as_of_day = material.training_set.as_of_day[division.latest.rows]
    unseen = division.days.learned(horizons).leave_out(as_of_day, horizons.horizon_days)
    return float(unseen.mean())


def _without_calendar(
    model: TargetModel, material: Material, division: Division, footing: Footing
) -> Metrics | None:
    latest = division.latest
    if division.target != SEASONAL or (material.demand[latest.rows] == 1.0).all():
        return None
    settings = material.recipe.settings
    threshold = settings.threshold(division.target)
    said = forecast_of_model(
        model,
        material.matrix[latest.rows],
        footing.where(latest.rows),
        level=settings.interval_level,
        threshold=threshold,
    )
    return measure(latest.label, latest.weight, said, threshold=threshold)


def _slice_facts(training_set: TrainingSet, division: Division) -> dict[str, SliceFacts]:
    days = division.days
    spans = (days.train, days.calibration, days.calibration, days.latest)
    return {
        name: SliceFacts(
            rows=int(is_whole(training_set, sample.rows).sum()),
            first_day=span.first,
            last_day=span.last,
        )
        for (name, sample), span in zip(division.samples.items(), spans, strict=True)
    }


def flat_metrics(evaluations: Mapping[Target, Evaluation]) -> dict[str, float]:
    """Return the overall metrics and differences by dotted name: target, predictor, metric."""
    return {
        f"{target}.{name}": value
        for target, evaluation in evaluations.items()
        for name, value in _flat(evaluation).items()
    }


def _flat(evaluation: Evaluation) -> dict[str, float]:
    measured = {
        f"{predictor}.{metric}": float(value)
        for predictor, metrics in evaluation.overall.items()
        for metric, value in asdict(metrics).items()
    }
    gained = {
        f"gain_over_{baseline}.{loss}.{bound}": float(value)
        for baseline, spreads in evaluation.differences.items()
        for loss, spread in spreads.items()
        for bound, value in asdict(spread).items()
    }
    return measured | gained
