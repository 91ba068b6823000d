"""Time the main job's boosters beside bare LightGBM, and on a cluster beside this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from experiments.benchmarks.results.figures import ElapsedTime, MedianRange, time_call
from experiments.benchmarks.training.bare import main_job_fits, train_in_parallel
from experiments.benchmarks.training.timing import TimingComparison, time_in_turns
from features.declarations.targets import Target
from serving.demand.lot_demand import share_of_margin
from serving.prediction.booster import Booster
from serving.prediction.init_score import init_score
from serving.prediction.target_model import sum_of_trees
from training.data.time_split import TargetSplit
from training.data.training_input import (
    BoosterRequest,
    BoosterTexts,
    Fitter,
    TrainingInput,
)
from training.fit.fit_targets import booster_requests, fit_locally
from training.metrics.metrics import row_log_loss

TimedFit = tuple[BoosterTexts, ElapsedTime]


@dataclass(frozen=True)
class EngineComparison:
    """Wall time and log loss of the same boosters on this machine and on a cluster."""

    local_seconds: MedianRange
    cluster_seconds: MedianRange
    """The start of the workers included."""
    local_loss: Mapping[Target, float]
    """Mean log loss on the latest slice, before calibration and calendar, with the target's
    weights."""
    cluster_loss: Mapping[Target, MedianRange]


def compare_pipeline(
    training_input: TrainingInput, splits: Mapping[Target, TargetSplit], repeats: int
) -> TimingComparison:
    """Time the main job's fit of all boosters, and bare LightGBM on the same rows, in turns.

    Those are the boosters of the models and of the forward validation. Computing the design matrix
    of the rows counts for the main job only.
    """
    settings, requests = training_input.recipe.settings, booster_requests(training_input, splits)
    fits = {
        name: tuple(main_job_fits(training_input, request)) for name, request in requests.items()
    }
    return TimingComparison(
        "main job, both targets",
        trees=sum(
            request.boosters * settings.tree_count(request.target) for request in requests.values()
        ),
        rows=sum(request.sample.rows.size for request in requests.values()),
        inputs=len(training_input.recipe.catalogue.model_inputs),
        pairs=time_in_turns(
            "main job",
            lambda: time_call(lambda: fit_locally(training_input, requests)),
            lambda: time_call(lambda: train_in_parallel(fits, threads=settings.threads)),
            repeats,
        ),
    )


def compare_engines(
    training_input: TrainingInput,
    splits: Mapping[Target, TargetSplit],
    cluster: Fitter,
    repeats: int,
) -> EngineComparison:
    """Fit on both, in turns; a cluster's trees differ from run to run."""
    requests = booster_requests(training_input, splits)
    local_runs: list[TimedFit] = []
    cluster_runs: list[TimedFit] = []
    turns: list[tuple[list[TimedFit], Fitter]] = [
        (local_runs, fit_locally),
        (cluster_runs, cluster),
    ]
    for _ in range(repeats):
        for runs, fitter in turns:
            runs.append(time_call(partial(fitter, training_input, requests)))
        turns.reverse()
    losses = partial(_losses, training_input=training_input, splits=splits, requests=requests)
    cluster_losses = [losses(texts) for texts, _ in cluster_runs]
    return EngineComparison(
        local_seconds=MedianRange.from_values([elapsed.seconds for _, elapsed in local_runs]),
        cluster_seconds=MedianRange.from_values([elapsed.seconds for _, elapsed in cluster_runs]),
        local_loss=losses(local_runs[0][0]),
        cluster_loss={
            target: MedianRange.from_values([loss[target] for loss in cluster_losses])
            for target in splits
        },
    )


def _losses(
    texts: BoosterTexts,
    *,
    training_input: TrainingInput,
    splits: Mapping[Target, TargetSplit],
    requests: Mapping[str, BoosterRequest],
) -> dict[Target, float]:
    losses, recipe = {}, training_input.recipe
    for target, split in splits.items():
        latest = split.latest
        boosters = tuple(Booster(text) for text in texts[target])
        inputs = training_input.design_matrix(latest.rows)
        margin = requests[target].start + sum_of_trees(boosters, inputs)
        margin += init_score(target, inputs, recipe.catalogue.model_inputs)
        sharpness = recipe.settings.sharpness if target == "sell_through" else 1.0
        raw = share_of_margin(margin, sharpness)
        losses[target] = float(np.average(row_log_loss(latest.label, raw), weights=latest.weight))
    return losses
