"""Train the product, and read rows, inputs and forecasts off what it trained.

This file and mechanisms.py are the only ones here that know how a training works inside.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd
import pyarrow as pa

from experiments.benchmarks.real.forecasts import ContestantForecast, Slices
from features.declarations.targets import Target
from features.runtime.progress import ProgressCallback
from serving.prediction.target_model import TargetModel
from training.data.cold_start_rows import has_full_history
from training.data.sample import Sample
from training.data.training_input import Fitter, TrainingRecipe
from training.data.training_set import EncodedColumn, TrainingSet
from training.evaluation.baselines import CONSTANT, SHRINKAGE
from training.evaluation.judge import MODEL, judge
from training.fit.fit_targets import fit_locally
from training.fit.train import TrainOutput, train
from training.metrics.metrics import Forecast

PRODUCT: Final = "product"
BASELINES: Final = (SHRINKAGE, CONSTANT)


@dataclass(frozen=True)
class TrainedProduct:
    """A finished training of all targets, and the processor time that it took."""

    output: TrainOutput
    seconds: float

    @property
    def training_set(self) -> TrainingSet:
        """Return the training set: the rows in their order, then their cold-start copies."""
        return self.output.training_input.training_set

    @property
    def products(self) -> EncodedColumn:
        """Return the product of each row of the training set."""
        return self.training_set.keys["product_id"]

    def model(self, target: Target) -> TargetModel:
        """Return the model of a target."""
        return self.output.contents.models.targets[target]

    def slices(self, target: Target) -> Slices:
        """Return the rows that contestants share: those of the product without the copies."""
        split = self.output.splits[target]
        return Slices(
            train=self._drop_copies(split.train),
            known=self._drop_copies(split.known),
            curve_fit=self._drop_copies(split.curve_fit),
            residual_fit=self._drop_copies(split.residual_fit),
            latest=split.latest,
            latest_masked=split.latest_masked,
        )

    def inputs(self) -> pd.DataFrame:
        """Return the design matrix of the training set, copies included."""
        training_input = self.output.training_input
        names = list(training_input.recipe.catalogue.model_inputs)
        matrix = training_input.design_matrix(self.training_set.rows)
        return pd.DataFrame(matrix, columns=names, copy=False)

    def _drop_copies(self, sample: Sample) -> Sample:
        return sample.select(has_full_history(self.training_set, sample.rows))


def train_product(
    rows: pa.Table,
    recipe: TrainingRecipe,
    progress: ProgressCallback,
    *,
    fit: Fitter = fit_locally,
) -> TrainedProduct:
    """Train as the main job does.

    Raises:
        TrainingError: the rows can't support a model.
    """
    started = time.process_time()
    output = train(rows, recipe, git_commit="unknown", progress=progress, fit=fit)
    return TrainedProduct(output, time.process_time() - started)


def forecast_latest(
    trained: TrainedProduct, target: Target, model: TargetModel | None = None
) -> dict[str, ContestantForecast]:
    """Forecast the latest rows and their copies as the evaluation does, with `model` if given.

    Returns the forecasts of the product and of the baselines that it is evaluated beside.
    """
    output, fitted = trained.output, trained.output.fitted[target]
    if model is not None:
        fitted = replace(fitted, model=model)
    judged = judge(fitted, output.training_input, output.splits[target])
    forecasts = {PRODUCT: judged.forecasts[MODEL]}
    forecasts |= {name: judged.forecasts[name] for name in BASELINES}
    return {
        name: _as_answer(
            forecast.select(judged.is_latest),
            forecast.select(~judged.is_latest),
            trained.seconds if name == PRODUCT else math.nan,
        )
        for name, forecast in forecasts.items()
    }


def _as_answer(latest: Forecast, masked: Forecast, seconds: float) -> ContestantForecast:
    return ContestantForecast(latest.estimate, latest.low, latest.high, seconds, masked.estimate)
