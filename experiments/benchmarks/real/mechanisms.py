"""The product's mechanisms, each with the way to train or judge the product without it.

Add a row to `MECHANISMS` to measure a mechanism; no switch in the product is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.benchmarks.real.altered_catalogue import AlteredCatalogue
from experiments.benchmarks.real.product import TrainedProduct, train_product
from features.catalogue.catalogue import CATALOGUE
from features.declarations.kinds import FeatureFamily
from features.declarations.return_expectation import NAME as FORMULA
from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from features.runtime.progress import ProgressCallback
from serving.conformal.cells import ROOT
from serving.conformal.demand_tails import DemandTails
from serving.prediction.demand_curve import DemandCurve
from serving.prediction.init_score import ORDER_SIZE
from serving.prediction.target_model import DemandModel, ShareModel, TargetModel
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.curves import CurveFitter, fit_identity, fit_isotonic, fit_logistic
from training.calibration.demand_curve_fit import find_start
from training.calibration.fitted_target import ForwardRows
from training.data.cold_start_rows import has_full_history
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import (
    BoosterRequest,
    BoosterTexts,
    Fitter,
    TrainingInput,
    TrainingRecipe,
)
from training.fit.fit_targets import fit_locally

Alter = Callable[[TrainingRecipe], TrainingRecipe]
Remodel = Callable[[TrainedProduct, Target], TargetModel]


@dataclass(frozen=True)
class Mechanism:
    """A mechanism and how the product does without it: trained in another way, or only judged."""

    name: str
    alter: Alter | None = None
    fit: Fitter = fit_locally
    remodel: Remodel | None = None
    """Changes the finished model instead of training another one."""
    targets: tuple[Target, ...] = TARGETS
    """The targets that the mechanism is for."""
    is_at_work: Callable[[TrainedProduct], bool] = lambda _: True
    """Whether the mechanism has anything to do on the rows of a training."""
    is_control: bool = False
    """The same product with other seeds, to compare the luck of the seeds with."""

    @property
    def contestant(self) -> str:
        """Return the name of the product without the mechanism."""
        return self.name if self.is_control else f"without {self.name}"

    def changes(self, trained: TrainedProduct) -> bool:
        """Return whether doing without the mechanism can change anything on these rows."""
        if self.alter is None:
            return True
        recipe = trained.output.training_input.recipe
        altered = self.alter(recipe)
        if isinstance(altered.catalogue, AlteredCatalogue) and altered.catalogue.hidden:
            return varies(trained.inputs()[sorted(altered.catalogue.hidden)].to_numpy())
        return altered != recipe and self.is_at_work(trained)

    def retrain(
        self, rows: pa.Table, recipe: TrainingRecipe, progress: ProgressCallback
    ) -> TrainedProduct:
        """Train the product without the mechanism."""
        altered = recipe if self.alter is None else self.alter(recipe)
        return train_product(rows, altered, progress, fit=self.fit)


def varies(inputs: FloatArray) -> bool:
    """Return whether any of the inputs, shape (rows, inputs), differs between rows."""
    is_known = ~np.isnan(inputs)
    known = is_known.any(axis=0)
    low = np.nanmin(inputs[:, known], axis=0, initial=np.inf)
    high = np.nanmax(inputs[:, known], axis=0, initial=-np.inf)
    return bool(((low < high) | ~is_known[:, known].all(axis=0)).any())


def _settings(**changes: object) -> Alter:
    def alter(recipe: TrainingRecipe) -> TrainingRecipe:
        return replace(recipe, settings=recipe.settings.model_copy(update=changes))

    return alter


def _catalogue(
    *, hidden: Sequence[str] = (), starts_from_formula: bool = True, is_monotone: bool = True
) -> Alter:
    """Return an alteration of the catalogue; a hidden start isn't started from."""
    starts = starts_from_formula and FORMULA not in hidden

    def alter(recipe: TrainingRecipe) -> TrainingRecipe:
        catalogue = AlteredCatalogue(
            recipe.catalogue.request_fields,
            recipe.catalogue.features,
            frozenset(hidden),
            starts,
            is_monotone,
        )
        altered = replace(recipe, catalogue=catalogue)
        return altered if starts else _settings(correcting_share=1.0)(altered)

    return alter


def fit_without_copies(
    training_input: TrainingInput, requests: Mapping[str, BoosterRequest]
) -> BoosterTexts:
    """Fit the boosters on the rows that were read, without their cold-start copies."""
    training_set = training_input.training_set

    def drop_copies(request: BoosterRequest) -> BoosterRequest:
        sample = request.sample
        return replace(request, sample=sample.select(has_full_history(training_set, sample.rows)))

    originals = {name: drop_copies(request) for name, request in requests.items()}
    return fit_locally(training_input, originals)


def fit_on_last_origin(
    training_input: TrainingInput, requests: Mapping[str, BoosterRequest]
) -> BoosterTexts:
    """Fit each target's model on the rows of the last origin alone, as if it weren't refitted."""
    last: dict[Target, Sample] = {}
    for request in sorted(
        (one for one in requests.values() if one.origin is not None),
        key=lambda one: one.sample.rows.size,
    ):
        last[request.target] = request.sample
    earlier = {
        name: replace(request, sample=last[request.target]) if request.origin is None else request
        for name, request in requests.items()
    }
    return fit_locally(training_input, earlier)


def refit_curve(make_fitter: Callable[[TargetSplit], CurveFitter]) -> Remodel:
    """Return a share's model with this curve, and residuals and difficulty that fit it."""

    def remodel(trained: TrainedProduct, target: Target) -> TargetModel:
        model, fitted = trained.model(target), trained.output.fitted[target]
        if not isinstance(model, ShareModel):
            return model
        split, keys = trained.output.splits[target], trained.training_set.keys
        calibrator = calibrate_target(
            fitted.raw, fitted.context, split, keys=keys, fit_curve=make_fitter(split)
        )
        return replace(model, calibration=calibrator.curve, conformal=calibrator.residuals)

    return remodel


def _drop_curve(trained: TrainedProduct, target: Target) -> TargetModel:
    """Return the model of demand as its trees learned it, with neither line nor chance."""
    forward = _forward_rows(trained, target)
    start = find_start(forward.training_input, target, forward.split.train)
    return _with_curve(
        trained, target, DemandCurve(start, 1.0, forward.training_input.recipe.settings.sharpness)
    )


def _drop_chance(trained: TrainedProduct, target: Target) -> TargetModel:
    """Return the model of demand with a line alone, as if something were always wanted."""
    return _with_curve(trained, target, _forward_rows(trained, target).fit_curve(min_chance=1.0))


def _with_curve(trained: TrainedProduct, target: Target, curve: DemandCurve) -> TargetModel:
    forward = _forward_rows(trained, target)
    boosters = trained.model(target).boosters
    return forward.build_model(boosters, curve, forward.learn_drifts(curve))


def _drop_drift(trained: TrainedProduct, target: Target) -> TargetModel:
    """Return the model with the outcomes as they were, and with no drift but theirs."""
    model, forward = trained.model(target), _forward_rows(trained, target)
    if not isinstance(model, DemandModel):
        return model
    return forward.build_model(model.boosters, model.curve, drifts=None)


def _forward_rows(trained: TrainedProduct, target: Target) -> ForwardRows:
    output = trained.output
    fitted, split = output.fitted[target], output.splits[target]
    return ForwardRows(output.training_input, split, fitted.context, fitted.raw)


def _merge_cells(trained: TrainedProduct, target: Target) -> TargetModel:
    model = trained.model(target)
    whole = {ROOT: model.residuals.cells[ROOT]}
    if isinstance(model, DemandModel):
        return replace(model, tails=DemandTails(whole))
    if isinstance(model, ShareModel):
        return replace(model, conformal=replace(model.conformal, cells=whole))
    return model


def _one_origin(recipe: TrainingRecipe) -> TrainingRecipe:
    return _settings(calibration_days=recipe.settings.latest_days)(recipe)


def family_inputs(family: FeatureFamily) -> tuple[str, ...]:
    """Return the inputs of a family that can be hidden.

    Request fields stay, for they are the question. The order size stays, because the lot is widened
    by it wherever a share is computed from demand, and trees must start from the same lot.
    """
    of_family = (feature for feature in CATALOGUE.features if feature.family is family)
    return tuple(
        feature.name for feature in of_family if feature.is_input and feature.name != ORDER_SIZE
    )


def _has_origins(trained: TrainedProduct) -> bool:
    return any(len(split.folds) > 1 for split in trained.output.splits.values())


def _is_seasonal(trained: TrainedProduct) -> bool:
    return bool((trained.output.training_input.demand != 1.0).any())


LEARNED_INPUTS: Final = tuple(feature.name for feature in CATALOGUE.derived if feature.parameters)
"""The inputs that shrinkage and its learned parameters make."""

CONTROLS: Final = tuple(
    Mechanism(f"other seeds, {first:,} on", _settings(random_state=first), is_control=True)
    for first in (1_000, 2_000, 3_000)
)
"""Without a mechanism columns are drawn anew, so that luck changes too. These show how much; a
single one is as often too small as too large."""

MECHANISMS: Final = (
    Mechanism("calibration line and chance", remodel=_drop_curve, targets=("sell_through",)),
    Mechanism("chance of any demand", remodel=_drop_chance, targets=("sell_through",)),
    Mechanism("drift of demand", remodel=_drop_drift, targets=("sell_through",)),
    Mechanism("any curve", remodel=refit_curve(lambda _: fit_identity), targets=("return_risk",)),
    Mechanism(
        "a logistic curve: isotonic",
        remodel=refit_curve(lambda _: fit_isotonic),
        targets=("return_risk",),
    ),
    Mechanism(
        "weights of origins",
        remodel=refit_curve(lambda _: fit_logistic),
        targets=("return_risk",),
        is_at_work=_has_origins,
    ),
    Mechanism("Mondrian cells", remodel=_merge_cells),
    *CONTROLS,
    Mechanism("monotone constraints", _catalogue(is_monotone=False)),
    Mechanism("cold-start copies", fit=fit_without_copies),
    Mechanism("several boosters", _settings(boosters=1)),
    Mechanism("forward validation: one origin", _one_origin, is_at_work=_has_origins),
    Mechanism("a refit on known rows", fit=fit_on_last_origin),
    Mechanism("sharpness: 1", _settings(sharpness=1.0), targets=("sell_through",)),
    Mechanism(
        "start from a formula", _catalogue(starts_from_formula=False), targets=("return_risk",)
    ),
    Mechanism("learned pooling", _catalogue(hidden=LEARNED_INPUTS)),
    Mechanism(
        "seasonal calendar",
        _settings(seasonal_uplifts=()),
        targets=("sell_through",),
        is_at_work=_is_seasonal,
    ),
    *(
        Mechanism(f"family {family.value}", _catalogue(hidden=family_inputs(family)))
        for family in FeatureFamily
        if family_inputs(family)
    ),
)
"""What the product is measured without, one at a time."""
