"""Fit every contestant at every origin of every data set, and judge it on what came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow as pa

from experiments.benchmarks.objectives.contestants import DEFAULTS, curves_of, raw_of_contestants
from experiments.benchmarks.objectives.leads import Leads, leads_of
from experiments.benchmarks.objectives.origins import cut_off_of, known_by
from experiments.benchmarks.objectives.sources import Source, Tell, rows_of
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.errors import TrainingError
from training.calibration.conformal_fit import curve
from training.data.cold_start_rows import with_hidden_histories
from training.data.sample import Sample
from training.data.time_split import Division, divide
from training.data.training_input import Material, Recipe, prepare
from training.data.training_set import read_training_set
from training.metrics.metrics import LEAST_SHARE, calibration_error, row_log_loss, weighted_mean
from training.shrinkage.learned_parameters import learned_parameters


@dataclass(frozen=True)
class Plan:
    """Which data to compare on, from how many ends of the data, and how."""

    sources: Sequence[Source]
    origins: int
    work: Path
    recipe: Recipe


@dataclass(frozen=True)
class Figures:
    """How good estimates of the latest slice are, weighted as the target is."""

    log_loss: float
    mean_absolute_error: float
    calibration_error: float


@dataclass(frozen=True)
class Round:
    """What one target's latest slice says of all contestants, at one origin of one data set."""

    data: str
    seed: int | None
    origin: int
    """How many times the end of the data was moved back."""
    target: Target
    learned_rows: int
    judged_rows: int
    judged_days: tuple[int, int]
    raw: Mapping[str, Figures]
    """By contestant and reference: of the boosters' own words, each cut at 1 as the product cuts
    them, and their mean clipped into (0, 1)."""
    calibrated: Mapping[str, Figures]
    """After the product's calibration."""
    leads: Leads = field(compare=False)
    """Product by product, after calibration."""


@dataclass(frozen=True)
class Refusal:
    """An origin before which too little is left, so that none before it was tried either."""

    data: str
    seed: int | None
    origin: int
    why: str


@dataclass(frozen=True)
class Measured:
    """All rounds, and the origins that couldn't be."""

    rounds: Sequence[Round]
    refusals: Sequence[Refusal]


def measure(plan: Plan, tell: Tell) -> Measured:
    """Compare the contestants; markets and training rows are kept in `plan.work`.

    Raises:
        DataError: a table is broken as a whole.
        TrainingError: a data set can't support a model even with all its days.
    """
    rounds: list[Round] = []
    refusals: list[Refusal] = []
    for source in plan.sources:
        name = source.data if source.seed is None else f"{source.data}, seed {source.seed}"
        rows = rows_of(source, plan.work, plan.recipe.horizons, tell=_after(name, tell))
        for origin in range(plan.origins):
            tell(f"{name}: origin {origin + 1} of {plan.origins}")
            try:
                rounds += rounds_of(source, rows, origin=origin, recipe=plan.recipe)
            except TrainingError as error:
                if origin == 0:
                    raise
                refusals.append(Refusal(source.data, source.seed, origin, str(error)))
                break
    return Measured(rounds, refusals)


def _after(name: str, tell: Tell) -> Tell:
    return lambda stage: tell(f"{name}: {stage}")


def rounds_of(source: Source, rows: pa.Table, *, origin: int, recipe: Recipe) -> list[Round]:
    """Train and judge with the end of the data moved back `origin` times, a round a target.

    Raises:
        TrainingError: what was known by then can't support a model.
    """
    end = cut_off_of(rows) - origin * recipe.settings.latest_days
    known = known_by(rows, end, recipe.horizons)
    training_set = with_hidden_histories(
        read_training_set(known, recipe.catalogue), recipe.catalogue
    )
    divisions = {
        target: divide(training_set, target, recipe.horizons, recipe.settings)
        for target in training_set.outcomes
    }
    parameters = learned_parameters(training_set, divisions, recipe.horizons)
    material = prepare(recipe, training_set, parameters, divisions)
    return [_round(source, material, division, origin=origin) for division in divisions.values()]


def _round(source: Source, material: Material, division: Division, *, origin: int) -> Round:
    said = raw_of_contestants(material, division)
    finished = {
        name: [calibrated(raw, material, division, by=name) for raw in draws]
        for name, draws in said.items()
    }
    latest = division.latest
    return Round(
        data=source.data,
        seed=source.seed,
        origin=origin,
        target=division.target,
        learned_rows=division.train.rows.size,
        judged_rows=latest.rows.size,
        judged_days=(division.days.latest.first, division.days.latest.last),
        raw={
            name: figures(latest, [raw[latest.rows] for raw in draws])
            for name, draws in said.items()
        },
        calibrated={name: figures(latest, draws) for name, draws in finished.items()},
        leads=leads_of(
            latest,
            material.training_set.keys["product_id"],
            finished,
            default=DEFAULTS[division.target].name,
        ),
    )


def calibrated(raw: FloatArray, material: Material, division: Division, *, by: str) -> FloatArray:
    """Return the estimates of the latest slice as the product makes them of raw predictions."""
    products = material.training_set.keys["product_id"]
    names = material.recipe.catalogue.model_inputs
    knots = curve(raw, division, products, curves_of(by, division.target, names))
    return knots.apply(raw[division.latest.rows])


def figures(latest: Sample, draws: Sequence[FloatArray]) -> Figures:
    """Judge estimates of the latest slice, (rows,), clipped into (0, 1): the mean over draws."""
    label, weight = latest.label, latest.weight
    shares = [np.clip(estimate, LEAST_SHARE, 1 - LEAST_SHARE) for estimate in draws]
    return Figures(
        log_loss=fmean(weighted_mean(row_log_loss(label, share), weight) for share in shares),
        mean_absolute_error=fmean(weighted_mean(np.abs(label - one), weight) for one in shares),
        calibration_error=fmean(calibration_error(label, share, weight) for share in shares),
    )
