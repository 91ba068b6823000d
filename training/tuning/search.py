"""Search for better settings of the boosters with Optuna (no other file imports it).

Each trial fits one booster for each target on what was final at the last origin of the calibration
slice, and judges it on the rows that follow; the latest slice stays unseen. A trial's value is its
log loss divided by that of a constant, in the mean over targets. The sampler is the tree-structured
Parzen estimator (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"). The pruner
stops a trial that is worse than the median of earlier trials with as many trees (Golovin et al.
2017, "Google Vizier"). Trials are kept in a SQLite file, so a search that was killed resumes and
finds the same settings.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np
import optuna
from optuna.trial import Trial, TrialState

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.progress import ProgressCallback
from serving.demand.lot_demand import share_of_margin
from serving.prediction.init_score import init_score
from training.boosting.objectives import DemandObjective, objective_of, target_parameters
from training.calibration.demand_curve_fit import find_start
from training.checkpoints.sqlite_uri import sqlite_uri
from training.data.sample import Sample
from training.data.time_split import ForwardFold, TargetSplit
from training.data.training_input import TrainingInput, TrainingRecipe
from training.metrics.metrics import row_log_loss, weighted_mean
from training.search_space import SEARCH_SPACE, Range
from training.settings import TrainingSettings
from training.shrinkage.pooling_fit import smoothed_mean
from training.tuning.trials import discard_if_damaged, translate_storage_errors

REPORT_EVERY_TREES: Final = 25
"""Trees between two decisions whether to stop a trial."""
RANDOM_TRIALS: Final = 10
"""Number of trials that are drawn at random before the sampler learns from trials. The first one
has the given settings."""
DONE_STATES: Final = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True, kw_only=True)
class Search:
    """The length of a search, and the database of its trials.

    `study` identifies everything that trials depend on, so trials of other rows or settings are
    never mixed in. With `timeout_seconds` the result depends on the machine's speed too.
    """

    trials: int
    timeout_seconds: float | None
    database: Path
    study: str
    progress: ProgressCallback

    def recipe(
        self, training_input: TrainingInput, splits: Mapping[Target, TargetSplit]
    ) -> TrainingRecipe:
        """Return the input's recipe with the settings of the best trial.

        The first trial has the given settings; those outside the search space are clipped.

        Raises:
            StorageError: the database of trials can't be used.
        """
        objectives = [
            _TargetObjective.from_fold(training_input, split.folds[-1], target)
            for target, split in splits.items()
        ]
        discard_if_damaged(self.database, self.progress)
        with translate_storage_errors(self.database):
            return self._run_trials(objectives, training_input.recipe)

    def _run_trials(
        self, objectives: list[_TargetObjective], recipe: TrainingRecipe
    ) -> TrainingRecipe:
        """Run the trials that are missing and return the recipe of the best trial."""
        given = recipe.settings
        study = self._open_study(given)
        deadline = None if self.timeout_seconds is None else time.monotonic() + self.timeout_seconds
        while (done := _count_done(study)) < self.trials:
            if deadline is not None and time.monotonic() >= deadline:
                self.progress(f"tuning: time is up after {done} of {self.trials} trials")
                break
            _run_trial(study, objectives, given, done)
            self.progress(f"tuning: {done + 1} of {self.trials} trials")
        return _select_best(study, self.trials, recipe)

    def _open_study(self, given: TrainingSettings) -> optuna.Study:
        """Open the study, which may hold trials of an earlier process."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            storage=sqlite_uri(self.database.resolve()),
            study_name=self.study,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS // 2),
        )
        for trial in study.get_trials(deepcopy=False):
            if trial.state is TrialState.RUNNING:  # its process was killed
                study.tell(trial.number, state=TrialState.FAIL)
        if not study.get_trials(deepcopy=False, states=(*DONE_STATES, TrialState.WAITING)):
            study.enqueue_trial(
                {tried.name: tried.clip(getattr(given, tried.name)) for tried in SEARCH_SPACE}
            )
        return study


def _count_done(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=DONE_STATES))


def _run_trial(
    study: optuna.Study, objectives: list[_TargetObjective], given: TrainingSettings, done: int
) -> None:
    """Run one trial; its random draws depend on earlier trials, not on the process."""
    study.sampler = optuna.samplers.TPESampler(
        seed=given.random_state + done, n_startup_trials=RANDOM_TRIALS
    )
    trial = study.ask()
    drawn = {tried.name: _suggest(trial, tried) for tried in SEARCH_SPACE}
    settings = given.model_copy(update=drawn)
    try:
        value = float(np.mean([objective.loss(settings, trial) for objective in objectives]))
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _suggest(trial: Trial, tried: Range) -> float:
    if tried.is_integer:
        return trial.suggest_int(tried.name, int(tried.low), int(tried.high), log=tried.is_log)
    return trial.suggest_float(tried.name, tried.low, tried.high, log=tried.is_log)


def _select_best(study: optuna.Study, trials: int, recipe: TrainingRecipe) -> TrainingRecipe:
    """Return the recipe of the best of the first `trials`: an earlier search may have run more."""
    first = study.get_trials(deepcopy=False, states=DONE_STATES)[:trials]
    complete = [trial for trial in first if trial.state is TrialState.COMPLETE]
    if not complete:
        return recipe
    best = min(complete, key=lambda trial: (trial.value, trial.number))
    settings = recipe.settings.model_copy(update=dict(best.params))
    return replace(recipe, settings=settings, trials=len(first))


@dataclass(frozen=True)
class _TargetObjective:
    """Rows of a target's fold in LightGBM's form, and the log loss of a constant prediction."""

    target: Target
    learned: lightgbm.Dataset
    judged: lightgbm.Dataset
    label: FloatArray
    weight: FloatArray
    """Of the judged rows: LightGBM forgets weights that are all 1."""
    catalogue: Catalogue
    constant_loss: float
    is_pruned: bool
    """Whether the losses of this target can stop a trial: those of sell-through can."""

    @classmethod
    def from_fold(
        cls, training_input: TrainingInput, fold: ForwardFold, target: Target
    ) -> _TargetObjective:
        """Bin the rows once, for all trials."""
        training_input = training_input.at(fold.first_day)
        learned, judged = fold.learned, fold.predicted
        catalogue = training_input.recipe.catalogue
        parameters = {
            **target_parameters(target, catalogue, training_input.recipe.settings),
            "feature_pre_filter": False,  # trials differ in how many rows a leaf needs
        }

        start = find_start(training_input, target, learned)

        def dataset_arguments(sample: Sample) -> dict[str, Any]:
            inputs = training_input.design_matrix(sample.rows)
            return {
                "data": inputs,
                "label": sample.label,
                "weight": sample.weight,
                "init_score": start + init_score(target, inputs, catalogue.model_inputs),
                "params": parameters,
            }

        rows = lightgbm.Dataset(**dataset_arguments(learned))
        later_rows = rows.create_valid(**dataset_arguments(judged))
        constant = np.full(judged.label.size, smoothed_mean(learned.label, learned.weight))
        return cls(
            target=target,
            learned=rows.construct(),
            judged=later_rows.construct(),
            label=judged.label,
            weight=judged.weight,
            catalogue=catalogue,
            constant_loss=weighted_mean(row_log_loss(judged.label, constant), judged.weight),
            is_pruned=target == "sell_through",
        )

    def loss(self, settings: TrainingSettings, trial: Trial) -> float:
        """Fit a booster and return its log loss divided by that of the constant.

        Raises:
            optuna.TrialPruned: with as many trees, most earlier trials were better.
        """
        losses: list[float] = []

        def report_loss(environment: Any) -> None:  # noqa: ANN401 - LightGBM declares no type
            losses.append(environment.evaluation_result_list[0][2])
            trees = environment.iteration + 1
            if self.is_pruned and trees % REPORT_EVERY_TREES == 0:
                trial.report(losses[-1] / self.constant_loss, trees)
                if trial.should_prune():
                    raise optuna.TrialPruned

        parameters = {
            **target_parameters(self.target, self.catalogue, settings),
            "feature_pre_filter": False,
            "bagging_seed": settings.random_state,
            "feature_fraction_seed": settings.random_state,
            "metric": "none",
        }
        objective = objective_of(self.target, settings)
        if objective is not None:
            parameters["objective"] = objective
        lightgbm.train(
            parameters,
            self.learned,
            num_boost_round=settings.tree_count(self.target),
            valid_sets=[self.judged],
            feval=partial(self._judge, objective),
            callbacks=[report_loss],
        )
        return losses[-1] / self.constant_loss

    def _judge(
        self, objective: DemandObjective | None, prediction: FloatArray, _: lightgbm.Dataset
    ) -> tuple[str, float, bool]:
        """Return the log loss of shares; a custom objective leaves margins to be bent."""
        estimate = prediction
        if objective is not None:
            estimate = share_of_margin(prediction, objective.sharpness)
        return "log_loss", weighted_mean(row_log_loss(self.label, estimate), self.weight), False
