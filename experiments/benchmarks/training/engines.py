"""The boosters of the main job: beside bare LightGBM, and on a cluster beside this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from experiments.benchmarks.features.figures import ElapsedTime
from experiments.benchmarks.features.growth import MedianRange
from experiments.benchmarks.training.bare import main_job_fits, train_in_parallel
from experiments.benchmarks.training.timing import TimingComparison, time_call, time_in_turns
from features.declarations.targets import Target
from serving.prediction.booster import Booster
from serving.prediction.target_model import raw_share
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterTexts, Fitter, TrainingInput
from training.fit.fit_targets import fit_locally
from training.metrics.metrics import row_log_loss


@dataclass(frozen=True)
class EngineComparison:
    """Wall seconds of the same boosters here and on a cluster, and what they lose."""

    here_seconds: MedianRange
    cluster_seconds: MedianRange
    """From nothing: the workers' start is part of it."""
    here_loss: Mapping[Target, float]
    """Mean log loss on the latest slice, before calibration, weighted as the target is."""
    cluster_loss: Mapping[Target, MedianRange]


def compare_pipeline(
    training_input: TrainingInput, samples: Mapping[Target, Sample], repeats: int
) -> TimingComparison:
    """Time the main job's fit of all boosters, and bare LightGBM on the same rows, in turns.

    The bare library finds its rows picked out of the design matrix; the main job picks them.
    """
    settings, names = training_input.recipe.settings, training_input.recipe.catalogue.model_inputs
    fits = {
        target: tuple(main_job_fits(training_input, target, sample))
        for target, sample in samples.items()
    }
    return TimingComparison(
        "main job, both targets",
        trees=sum(settings.boosters * settings.tree_count(target, names) for target in samples),
        rows=sum(sample.rows.size for sample in samples.values()),
        inputs=training_input.matrix.shape[1],
        pairs=time_in_turns(
            "main job",
            lambda: time_call(lambda: fit_locally(training_input, samples)),
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
    """Fit here and on a cluster, in turns; a cluster's trees differ from run to run."""
    samples = {target: split.train for target, split in splits.items()}
    here: list[tuple[BoosterTexts, ElapsedTime]] = []
    there: list[tuple[BoosterTexts, ElapsedTime]] = []
    turns: list[tuple[list[tuple[BoosterTexts, ElapsedTime]], Fitter]] = [
        (here, fit_locally),
        (there, cluster),
    ]
    for _ in range(repeats):
        for found, fit in turns:
            found.append(time_call(_fit(fit, training_input, samples)))
        turns.reverse()
    losses = [_losses(texts, training_input, splits) for texts, _ in there]
    return EngineComparison(
        here_seconds=MedianRange.of([took.seconds for _, took in here]),
        cluster_seconds=MedianRange.of([took.seconds for _, took in there]),
        here_loss=_losses(here[0][0], training_input, splits),
        cluster_loss={
            target: MedianRange.of([loss[target] for loss in losses]) for target in splits
        },
    )


def _fit(
    fit: Fitter, training_input: TrainingInput, samples: Mapping[Target, Sample]
) -> Callable[[], BoosterTexts]:
    return lambda: fit(training_input, samples)


def _losses(
    texts: BoosterTexts, training_input: TrainingInput, splits: Mapping[Target, TargetSplit]
) -> dict[Target, float]:
    losses = {}
    for target, split in splits.items():
        latest = split.latest
        boosters = tuple(Booster(text) for text in texts[target])
        raw = raw_share(target, boosters, training_input.inputs_for(target, latest.rows))
        losses[target] = float(np.average(row_log_loss(latest.label, raw), weights=latest.weight))
    return losses
