"""The boosters of the main job: beside bare LightGBM, and on a cluster beside this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from experiments.benchmarks.features.figures import Took
from experiments.benchmarks.features.growth import Spread
from experiments.benchmarks.training.bare import train_side_by_side
from experiments.benchmarks.training.timing import Compared, in_turns, timed
from features.declarations.targets import Target
from serving.prediction.booster import Booster
from serving.prediction.target_model import raw_share
from training.boosting.fit_boosters import fits_of
from training.data.sample import Sample
from training.data.time_split import Division
from training.data.training_input import Fitter, Material, Texts
from training.fit.fit_targets import fit_here
from training.metrics.metrics import row_log_loss


@dataclass(frozen=True)
class Engines:
    """Wall seconds of the same boosters here and on a cluster, and what they lose."""

    here_seconds: Spread
    cluster_seconds: Spread
    """From nothing: the workers' start is part of it."""
    here_loss: Mapping[Target, float]
    """Mean log loss on the latest slice, before calibration, weighted as the target is."""
    cluster_loss: Mapping[Target, Spread]


def compare_pipeline(
    material: Material, samples: Mapping[Target, Sample], repeats: int
) -> Compared:
    """Time the main job's fit of all boosters, and bare LightGBM on the same rows, in turns.

    The bare library finds its rows picked out of the design matrix; the main job picks them.
    """
    settings, catalogue = material.recipe.settings, material.recipe.catalogue
    fits = {
        target: fits_of(target, material.matrix[sample.rows], sample, catalogue, settings)
        for target, sample in samples.items()
    }

    def ours() -> tuple[Texts, Took]:
        return timed(lambda: fit_here(material, samples))

    def bare() -> Texts:
        return train_side_by_side(fits, threads=settings.threads)

    return Compared(
        "main job, both targets",
        trees=sum(fit.trees for ours in fits.values() for _, fit in ours),
        rows=sum(sample.rows.size for sample in samples.values()),
        inputs=material.matrix.shape[1],
        pairs=in_turns(
            "main job",
            ours,
            lambda: timed(bare),
            repeats,
        ),
    )


def compare_engines(
    material: Material, divisions: Mapping[Target, Division], cluster: Fitter, repeats: int
) -> Engines:
    """Fit here and on a cluster, in turns; a cluster's trees differ from run to run."""
    samples = {target: division.train for target, division in divisions.items()}
    here: list[tuple[Texts, Took]] = []
    there: list[tuple[Texts, Took]] = []
    turns: list[tuple[list[tuple[Texts, Took]], Fitter]] = [(here, fit_here), (there, cluster)]
    for _ in range(repeats):
        for found, fit in turns:
            found.append(timed(_fit(fit, material, samples)))
        turns.reverse()
    losses = [_losses(texts, material, divisions) for texts, _ in there]
    return Engines(
        here_seconds=Spread.of([took.seconds for _, took in here]),
        cluster_seconds=Spread.of([took.seconds for _, took in there]),
        here_loss=_losses(here[0][0], material, divisions),
        cluster_loss={target: Spread.of([loss[target] for loss in losses]) for target in divisions},
    )


def _fit(fit: Fitter, material: Material, samples: Mapping[Target, Sample]) -> Callable[[], Texts]:
    return lambda: fit(material, samples)


def _losses(
    texts: Texts, material: Material, divisions: Mapping[Target, Division]
) -> dict[Target, float]:
    losses = {}
    for target, division in divisions.items():
        latest = division.latest
        boosters = tuple(Booster(text) for text in texts[target])
        raw = raw_share(target, boosters, material.asked(target, latest.rows))
        losses[target] = float(np.average(row_log_loss(latest.label, raw), weights=latest.weight))
    return losses
