"""Fit the boosters of all targets in parallel, each in one thread.

LightGBM's own threads wait for each other many times in each tree; parallel fits don't
(docs/decisions/threads-of-boosters.md). With one thread a fit, the last bits of a model don't
depend on the number of threads either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.prediction.init_score import init_score
from training.boosting.booster_fit import BinnedFit, BoosterFit
from training.boosting.objectives import objective_of, target_parameters
from training.data.sample import refuse_unlearnable
from training.data.time_split import TRAIN
from training.data.training_input import BoosterRequest, BoosterTexts
from training.errors import InvalidLabelsError
from training.settings import TrainingSettings

BoosterFitter = Callable[[str, BinnedFit, int], str]
"""Takes a booster's name, fit and seed and returns its text; called from several threads."""


def fit_booster(_name: str, fit: BinnedFit, seed: int) -> str:
    """Fit a booster and return its text, without using earlier fits."""
    return fit.fit(seed)


def bin_request(
    request: BoosterRequest,
    inputs: FloatArray,
    *,
    catalogue: Catalogue,
    settings: TrainingSettings,
) -> BinnedFit:
    """Bin the rows of a request, from which all its boosters learn.

    `inputs` are the rows of its sample in the design matrix.
    """
    names, target = catalogue.model_inputs, request.target
    return BoosterFit(
        inputs,
        request.sample.label,
        request.sample.weight,
        names=names,
        parameters=target_parameters(target, catalogue, settings),
        objective=objective_of(target, settings),
        trees=settings.tree_count(target),
        offset=request.start + init_score(target, inputs, names),
    ).bin()


def fit_boosters(
    request_matrix: Callable[[BoosterRequest], FloatArray],
    requests: Mapping[str, BoosterRequest],
    catalogue: Catalogue,
    settings: TrainingSettings,
    *,
    fitter: BoosterFitter = fit_booster,
) -> BoosterTexts:
    """Return the boosters of each request as text, one for each seed.

    `request_matrix` computes the inputs of a request: of one at a time, which are freed once they
    are binned. The result doesn't depend on `settings.threads`.

    Raises:
        InvalidLabelsError: a label is missing or outside 0 and 1.
        OneClassError: all labels are the same.
        TooFewPositivesError: too few labels are above 0.
    """
    refuse_unlearnable_requests(requests, settings)
    first = settings.random_state
    with ThreadPoolExecutor(settings.threads) as threads:
        fits: dict[str, list[Future[str]]] = {}
        for name, request in requests.items():
            binned = bin_request(
                request, request_matrix(request), catalogue=catalogue, settings=settings
            )
            fits[name] = [
                threads.submit(fitter, f"{name}_{number}", binned, first + number)
                for number in range(request.boosters)
            ]
        return {
            name: tuple(future.result() for future in futures) for name, futures in fits.items()
        }


def refuse_unlearnable_requests(
    requests: Mapping[str, BoosterRequest], settings: TrainingSettings
) -> None:
    """Refuse samples that boosters can't learn from, on this machine or on a cluster.

    Raises:
        InvalidLabelsError: a label is missing or outside 0 and 1.
        OneClassError: all labels are the same.
        TooFewPositivesError: too few labels are above 0.
    """
    for request in requests.values():
        target, label = request.target, request.sample.label
        _refuse_invalid_labels(target, label)
        refuse_unlearnable(target, TRAIN, label, min_positives=settings.min_positives)


def _refuse_invalid_labels(target: Target, label: FloatArray) -> None:
    """Refuse labels that LightGBM would train on without a warning."""
    invalid = int((~((label >= 0) & (label <= 1))).sum())
    if invalid:
        raise InvalidLabelsError(target, invalid=invalid, rows=label.size)
