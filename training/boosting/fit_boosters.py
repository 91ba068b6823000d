"""Fit the boosters of all targets, side by side.

Each fit has one thread, and several fits run at once. LightGBM's own threads wait for each other
dozens of times a tree: on two cores with other work they made a fit five times slower, while fits
side by side don't wait for each other at all. It also makes a model's last bits independent of the
number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.prediction.init_score import init_column, init_share
from training.boosting.objectives import booster_objectives
from training.data.sample import Sample, refuse_unlearnable
from training.data.time_split import TRAIN
from training.errors import InvalidLabelsError
from training.settings import TrainingSettings


def init_score(target: Target, matrix: FloatArray, names: Sequence[str]) -> FloatArray | None:
    """Return the offset of each row, shape (rows,); None where trees start from their mean."""
    place = init_column(target, names)
    if place is None:
        return None
    start = init_share(matrix, place)
    return np.asarray(np.log(start) - np.log1p(-start), np.float64)


BoosterFitter = Callable[[str, "BoosterFit", int], str]
"""Returns the text of a booster by its name, fit and seed; called from several threads."""


def fit_booster(_name: str, fit: BoosterFit, seed: int) -> str:
    """Fit a booster, whatever was fitted before."""
    return fit.fit(seed)


def booster_fits(
    target: Target,
    inputs: FloatArray,
    sample: Sample,
    catalogue: Catalogue,
    settings: TrainingSettings,
) -> tuple[tuple[int, BoosterFit], ...]:
    """Return each booster's seed and fit; `inputs` are the sample's rows of the matrix."""
    names = catalogue.model_inputs
    offset, trees = init_score(target, inputs, names), settings.tree_count(target, names)
    return tuple(
        (
            one.seed,
            BoosterFit(
                inputs,
                sample.label,
                one.weight(inputs, sample.weight),
                names=names,
                parameters=one.parameters,
                trees=trees,
                offset=offset,
            ),
        )
        for one in booster_objectives(target, catalogue, settings)
    )


def fit_boosters(
    matrix: FloatArray,
    samples: Mapping[Target, Sample],
    catalogue: Catalogue,
    settings: TrainingSettings,
    *,
    fitter: BoosterFitter = fit_booster,
) -> dict[Target, tuple[str, ...]]:
    """Return each target's models as text, one a seed.

    `samples` says which rows of the design matrix to learn from; labels are shares, which both
    objectives (training/boosting/objectives.py) take as they are. The result doesn't depend on
    `settings.threads`.

    Raises:
        InvalidLabelsError: a label is missing or no share.
        OneClassError: all labels are the same.
        TooFewPositivesError: too few labels are above 0.
    """
    refuse_broken_samples(samples, settings)
    jobs = {
        target: booster_fits(target, matrix[sample.rows], sample, catalogue, settings)
        for target, sample in samples.items()
    }
    with ThreadPoolExecutor(settings.threads) as threads:
        fits = {
            target: [
                threads.submit(fitter, f"{target}_{place}", fit, seed)
                for place, (seed, fit) in enumerate(ours)
            ]
            for target, ours in jobs.items()
        }
        return {target: tuple(fit.result() for fit in ours) for target, ours in fits.items()}


@dataclass(frozen=True)
class BoosterFit:
    """One booster's rows and parameters; fits of a model differ in their seed and objective.

    `inputs` has shape (rows, names), the other arrays (rows,). With an `offset` the trees learn
    only what it leaves over: it is added to their sum before that becomes a share.
    """

    inputs: FloatArray
    label: FloatArray
    weight: FloatArray
    names: Sequence[str] = field(kw_only=True)
    parameters: Mapping[str, Any] = field(kw_only=True)
    trees: int = field(kw_only=True)
    offset: FloatArray | None = None

    def fit(self, seed: int) -> str:
        """Fit the booster and return its text."""
        seeded = {**self.parameters, "bagging_seed": seed, "feature_fraction_seed": seed}
        rows = lightgbm.Dataset(
            self.inputs,
            self.label,
            weight=self.weight,
            init_score=self.offset,
            feature_name=list(self.names),
            params=seeded,
        )
        text: str = lightgbm.train(seeded, rows, num_boost_round=self.trees).model_to_string()
        return text


def refuse_broken_samples(samples: Mapping[Target, Sample], settings: TrainingSettings) -> None:
    """Refuse samples that teach nothing, whatever fits boosters on them; raises as above."""
    for target, sample in samples.items():
        _refuse_broken(target, sample.label)
        refuse_unlearnable(target, TRAIN, sample.label, min_positives=settings.min_positives)


def _refuse_broken(target: Target, label: FloatArray) -> None:
    """Refuse what LightGBM would train on without a word."""
    broken = int((~((label >= 0) & (label <= 1))).sum())
    if broken:
        raise InvalidLabelsError(target, broken=broken, rows=label.size)
