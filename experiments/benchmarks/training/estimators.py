"""Time the estimators' `fit` beside bare LightGBM on the matrices that they encode.

An estimator fits its boosters twice: without the slice held back for calibration, and on all rows.
The bare library gets the same encoded matrices, labels, weights and offsets and grows the same
trees. The difference is the cost of encoding, calibration and checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from experiments.benchmarks.results.figures import ElapsedTime, time_call
from experiments.benchmarks.training.bare import Fit, bare_parameters, train_bare
from experiments.benchmarks.training.timing import (
    TimingComparison,
    time_in_turns,
)
from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray
from training.data.sample import Sample
from training.data.training_input import TrainingInput
from training.encoding.target_encoder import LabelledRows
from training.estimators.boosted import BoostedShareModel, ReturnRiskModel, SellThroughModel
from training.estimators.boosted_shares import BoostedShares, booster_fits
from training.estimators.holdout import hold_out_random
from training.portfolio.staged_fit import StagedFit
from training.settings import TrainingSettings

GROUPS: Final = ("category", "product_id")
CATEGORIES: Final = (*GROUPS, "supplier_id", "market")
ESTIMATORS: Final[dict[Target, type[BoostedShareModel]]] = {
    "sell_through": SellThroughModel,
    "return_risk": ReturnRiskModel,
}


@dataclass(frozen=True)
class EstimatorTask:
    """The inputs of an estimator's `fit`: a row each, and the trials that its share rests on."""

    frame: pd.DataFrame
    share: FloatArray
    trials: FloatArray

    @classmethod
    def from_sample(
        cls, training_input: TrainingInput, target: Target, sample: Sample
    ) -> EstimatorTask:
        """Return a sample's rows, without the cold-start copies, as numbers and categories."""
        training_set = training_input.training_set
        is_original = training_set.masked[sample.rows] == 0
        rows = sample.rows[is_original]
        inputs = [field.name for field in (*CATALOGUE.request_fields, *CATALOGUE.base)]
        columns: dict[str, Any] = {name: training_set.columns[name][rows] for name in inputs}
        for name in CATEGORIES:
            key = training_set.keys[name]
            columns[name] = np.array([*key.names, None], object)[key.codes[rows]]
        offered = training_set.columns["units_offered"][rows]
        trials = offered if target == "sell_through" else sample.weight[is_original]
        return cls(pd.DataFrame(columns), sample.label[is_original], trials)


def compare_estimator(
    training_input: TrainingInput, target: Target, sample: Sample, repeats: int
) -> TimingComparison:
    """Time an estimator's `fit`, and bare LightGBM for its trees, in turns."""
    task, settings = (
        EstimatorTask.from_sample(training_input, target, sample),
        training_input.recipe.settings,
    )
    first = _fit_estimator(target, task, settings)

    def product() -> tuple[tuple[str, ...], ElapsedTime]:
        model, elapsed = time_call(lambda: _fit_estimator(target, task, settings))
        return _texts(model), elapsed

    def bare() -> tuple[tuple[str, ...], ElapsedTime]:
        return _time_bare(first, task)

    pairs = time_in_turns(ESTIMATORS[target].__name__, product, bare, repeats)
    fit = next(_encode_rows(first, task, np.ones(len(task.share), np.bool_)))[1]
    return TimingComparison(
        ESTIMATORS[target].__name__,
        trees=2 * settings.boosters * settings.trees,
        rows=len(task.share),
        inputs=fit.inputs.matrix.shape[1],
        pairs=pairs,
    )


def _fit_estimator(
    target: Target, task: EstimatorTask, settings: TrainingSettings
) -> BoostedShareModel:
    model = ESTIMATORS[target](
        groups=GROUPS,
        quick=True,
        boosters=settings.boosters,
        trees=settings.trees,
        leaves=settings.leaves,
        learning_rate=settings.learning_rate,
        min_samples_leaf=settings.min_samples_leaf,
        leaf_ridge=settings.leaf_ridge,
        random_state=settings.random_state,
    )
    return model.fit(task.frame, task.share, task.trials)


def _texts(model: BoostedShareModel) -> tuple[str, ...]:
    forecaster = model.forecaster_
    return forecaster.texts if isinstance(forecaster, BoostedShares) else ()


def _time_bare(
    model: BoostedShareModel, task: EstimatorTask
) -> tuple[tuple[str, ...], ElapsedTime]:
    """Train both rounds of a fitted model's boosters; the clock stops while rows are encoded."""
    rng = np.random.default_rng(model.seed_)
    held = hold_out_random(len(task.share), model.calibration_share, rng)
    texts: list[str] = []
    seconds = cpu_seconds = 0.0
    for used in (~held, np.ones_like(held)):
        texts = []
        for fit in _bare_fits(model, task, used):
            text, elapsed = time_call(fit)
            texts.append(text)
            seconds, cpu_seconds = seconds + elapsed.seconds, cpu_seconds + elapsed.cpu_seconds
    return tuple(texts), ElapsedTime(seconds, cpu_seconds)


def _bare_fits(model: BoostedShareModel, task: EstimatorTask, used: BoolArray) -> Iterator[Fit]:
    """Yield the fits of a round's boosters on the rows that the estimator encodes for each."""
    settings = model.boosting().settings
    for seed, encoded in _encode_rows(model, task, used):
        width = encoded.inputs.matrix.shape[1]
        yield partial(
            train_bare,
            encoded.inputs.matrix,
            encoded.label,
            encoded.weight,
            init_score=encoded.inputs.offset,
            names=[f"x{index}" for index in range(width)],
            parameters=bare_parameters(settings, [0] * width, seed),
            trees=settings.trees,
        )


def _encode_rows(
    model: BoostedShareModel, task: EstimatorTask, used: BoolArray
) -> Iterator[tuple[int, StagedFit]]:
    table = model.reader_.read(task.frame).take(used)
    rows = LabelledRows(table.codes, task.share[used], task.trials[used])
    boosting = model.boosting()
    inputs = boosting.member_inputs(table, rows, boosting.fit_rates(rows))
    (member,) = model.members_
    return booster_fits(inputs, boosting, member)
