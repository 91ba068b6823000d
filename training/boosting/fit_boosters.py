"""Fit the boosters of all targets in parallel, each in one thread.

LightGBM's own threads wait for each other many times in each tree; parallel fits don't
(docs/decisions/threads-of-boosters.md). With one thread a fit, the last bits of a model don't
depend on the number of threads either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from serving.prediction.init_score import init_column, init_share
from training.boosting.booster_fit import BinnedFit, BoosterFit
from training.boosting.objectives import booster_objectives
from training.data.sample import Sample, refuse_unlearnable
from training.data.time_split import TRAIN
from training.errors import InvalidLabelsError
from training.settings import TrainingSettings


def init_score(target: Target, matrix: FloatArray, names: Sequence[str]) -> FloatArray | None:
    """Return each row's initial log odds, shape (rows,); None if trees start from their mean."""
    column = init_column(target, names)
    if column is None:
        return None
    share = init_share(matrix, column)
    return np.asarray(np.log(share) - np.log1p(-share), np.float64)


BoosterFitter = Callable[[str, BinnedFit, int], str]
"""Takes a booster's name, fit and seed and returns its text; called from several threads."""


def fit_booster(_name: str, fit: BinnedFit, seed: int) -> str:
    """Fit a booster and return its text, without using earlier fits."""
    return fit.fit(seed)


def booster_fits(
    target: Target,
    inputs: FloatArray,
    sample: Sample,
    catalogue: Catalogue,
    settings: TrainingSettings,
) -> list[tuple[int, BinnedFit]]:
    """Return each booster's seed and fit; `inputs` are the sample's rows of the design matrix.

    Boosters whose rows weigh the same share binned rows.
    """
    names = catalogue.model_inputs
    offset, trees = init_score(target, inputs, names), settings.tree_count(target, names)
    objectives = booster_objectives(target, catalogue, settings)
    binned = {
        objective.units: BoosterFit(
            inputs,
            sample.label,
            objective.weight(inputs, sample.weight),
            names=names,
            parameters=objective.parameters,
            trees=trees,
            offset=offset,
        ).bin()
        for objective in {objective.units: objective for objective in objectives}.values()
    }
    return [
        (objective.seed, replace(binned[objective.units], parameters=objective.parameters))
        for objective in objectives
    ]


def fit_boosters(
    design_matrix: Callable[[IntArray], FloatArray],
    samples: Mapping[Target, Sample],
    catalogue: Catalogue,
    settings: TrainingSettings,
    *,
    fitter: BoosterFitter = fit_booster,
) -> dict[Target, tuple[str, ...]]:
    """Return each target's boosters as text, one for each seed.

    `samples` holds the rows to learn from, and their labels, which are shares. `design_matrix`
    computes the inputs of rows: those of one target at a time, which are freed once they are
    binned. The result doesn't depend on `settings.threads`.

    Raises:
        InvalidLabelsError: a label is missing or outside 0 and 1.
        OneClassError: all labels are the same.
        TooFewPositivesError: too few labels are above 0.
    """
    refuse_unlearnable_samples(samples, settings)
    with ThreadPoolExecutor(settings.threads) as threads:
        fits = {
            target: [
                threads.submit(fitter, f"{target}_{number}", fit, seed)
                for number, (seed, fit) in enumerate(
                    booster_fits(target, design_matrix(sample.rows), sample, catalogue, settings)
                )
            ]
            for target, sample in samples.items()
        }
        return {
            target: tuple(future.result() for future in futures) for target, futures in fits.items()
        }


def refuse_unlearnable_samples(
    samples: Mapping[Target, Sample], settings: TrainingSettings
) -> None:
    """Refuse samples that boosters can't learn from, on this machine or on a cluster.

    Raises:
        InvalidLabelsError: a label is missing or outside 0 and 1.
        OneClassError: all labels are the same.
        TooFewPositivesError: too few labels are above 0.
    """
    for target, sample in samples.items():
        _refuse_invalid_labels(target, sample.label)
        refuse_unlearnable(target, TRAIN, sample.label, min_positives=settings.min_positives)


def _refuse_invalid_labels(target: Target, label: FloatArray) -> None:
    """Refuse labels that LightGBM would train on without a warning."""
    invalid = int((~((label >= 0) & (label <= 1))).sum())
    if invalid:
        raise InvalidLabelsError(target, invalid=invalid, rows=label.size)
