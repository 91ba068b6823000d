"""The product's mechanisms, each with the way to train or judge the product without it.

Add a row to `MECHANISMS` to measure a mechanism; no switch in the product is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.benchmarks.real.product import TrainedProduct, train_product
from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.declarations.kinds import FeatureFamily
from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from features.runtime.progress import ProgressCallback
from serving.conformal.cells import ROOT
from serving.conformal.intervals import ConformalResiduals
from serving.prediction.init_score import INIT_COLUMNS
from serving.prediction.target_model import TargetModel
from training.calibration.choose import CurveFitter
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.curves import fit_identity, fit_isotonic, fit_logistic
from training.data.cold_start_rows import has_full_history
from training.data.sample import Sample
from training.data.training_input import BoosterTexts, Fitter, TrainingInput, TrainingRecipe
from training.fit.fit_targets import fit_locally


@dataclass(frozen=True)
class AlteredCatalogue(Catalogue):
    """The same declarations, of which boosters see less.

    A hidden input is null in every row, so that LightGBM never considers it.
    """

    hidden: frozenset[str] = frozenset()
    starts_from_formula: bool = True
    is_monotone: bool = True

    @cached_property
    def model_inputs(self) -> tuple[str, ...]:
        """Return the names of the inputs; that of a start has another one if it is not used."""
        unused = () if self.starts_from_formula else INIT_COLUMNS.values()
        names = self._whole.model_inputs
        return tuple(f"{name}_as_input" if name in unused else name for name in names)

    @cached_property
    def _whole(self) -> Catalogue:
        return Catalogue(self.request_fields, self.features)

    def design_matrix(
        self, columns: Mapping[str, FloatArray], parameters: Mapping[str, float]
    ) -> FloatArray:
        """Return the matrix with hidden inputs null."""
        matrix = self._whole.design_matrix(columns, parameters)
        matrix[:, [name in self.hidden for name in self._whole.model_inputs]] = np.nan
        return matrix

    def monotone(self, target: Target) -> list[int]:
        """Return the constraints, or none."""
        constraints = self._whole.monotone(target)
        return constraints if self.is_monotone else [0] * len(constraints)


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
    starts = starts_from_formula and not set(hidden) & set(INIT_COLUMNS.values())

    def alter(recipe: TrainingRecipe) -> TrainingRecipe:
        catalogue = AlteredCatalogue(
            recipe.catalogue.request_fields,
            recipe.catalogue.features,
            frozenset(hidden),
            starts,
            is_monotone,
        )
        return replace(recipe, catalogue=catalogue)

    return alter


def fit_without_copies(
    training_input: TrainingInput, samples: Mapping[Target, Sample]
) -> BoosterTexts:
    """Fit the boosters on the rows that were read, without their cold-start copies."""
    training_set = training_input.training_set
    originals = {
        target: sample.select(has_full_history(training_set, sample.rows))
        for target, sample in samples.items()
    }
    return fit_locally(training_input, originals)


def _curve(fitter: CurveFitter) -> Remodel:
    """Return the product's model with this curve, and residuals and difficulty that fit it."""

    def remodel(trained: TrainedProduct, target: Target) -> TargetModel:
        model, output = trained.model(target), trained.output
        split = output.splits[target]
        rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
        raw = np.full(trained.training_set.rows.size, np.nan)
        raw[rows] = model.predict_raw(output.training_input.design_matrix(rows))
        calibrator = calibrate_target(
            raw,
            output.contexts[target],
            split,
            keys=trained.training_set.keys,
            curves=(fitter,),
        )
        return replace(model, calibration=calibrator.curve, residuals=calibrator.residuals)

    return remodel


def _merge_cells(trained: TrainedProduct, target: Target) -> TargetModel:
    model = trained.model(target)
    merged = ConformalResiduals(model.residuals.difficulty, {ROOT: model.residuals.cells[ROOT]})
    return replace(model, residuals=merged)


def family_inputs(family: FeatureFamily) -> tuple[str, ...]:
    """Return the inputs of a family; request fields stay, for they are the question."""
    of_family = (feature for feature in CATALOGUE.features if feature.family is family)
    return tuple(feature.name for feature in of_family if feature.is_input)


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
    Mechanism("any curve", remodel=_curve(fit_identity)),
    Mechanism("a choice of curves: logistic", remodel=_curve(fit_logistic)),
    Mechanism("a choice of curves: isotonic", remodel=_curve(fit_isotonic)),
    Mechanism("Mondrian cells", remodel=_merge_cells),
    *CONTROLS,
    Mechanism("monotone constraints", _catalogue(is_monotone=False)),
    Mechanism("cold-start copies", fit=fit_without_copies),
    Mechanism("Tweedie booster", _settings(tweedie_share=0.0), targets=("sell_through",)),
    Mechanism("several boosters", _settings(boosters=1)),
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
    ),
)
"""What the product is measured without, one at a time."""
