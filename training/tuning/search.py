"""Search for better settings of the boosters with Optuna: the only file that knows it.

Every trial fits one booster a target, of cross-entropy whatever others minimise beside it, on the
early part of the training slice and judges it on the late part; its value is the mean over targets
of log loss over that of a constant. The sampler is the tree-structured Parzen estimator (Bergstra
et al. 2011, "Algorithms for hyper-parameter optimization"), the pruner stops a trial that is worse
than the median of those before it after as many trees (Golovin et al. 2017, "Google Vizier").
Trials are kept in a SQLite file: a search that was killed goes on where it was, and comes to the
same settings.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np
import optuna
from optuna.trial import Trial, TrialState

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from features.runtime.progress import ProgressCallback
from training.boosting.fit_boosters import init_score
from training.boosting.objectives import booster_parameters
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput, TrainingRecipe
from training.metrics.metrics import row_log_loss, weighted_mean
from training.search_space import SEARCH_SPACE, Range
from training.settings import TrainingSettings
from training.shrinkage.pooling_fit import smoothed_mean
from training.tuning.slices import TuningSlices, split_for_tuning
from training.tuning.trials import discard_damaged, translate_storage_errors

REPORT_EVERY_TREES: Final = 25
"""A trial is looked at after so many trees, and again after as many more."""
RANDOM_TRIALS: Final = 10
"""Trials drawn evenly before the sampler learns from them, the first of all the settings given."""
DONE_STATES: Final = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True, kw_only=True)
class Search:
    """How long to search, and where trials are kept.

    `study` names what they depend on: trials of another study are never mixed in. With
    `timeout_seconds` the result depends on the machine; without, on the rows and settings alone.
    """

    trials: int
    timeout_seconds: float | None
    database: Path
    study: str
    tell: ProgressCallback

    def recipe(
        self, training_input: TrainingInput, splits: Mapping[Target, TargetSplit]
    ) -> TrainingRecipe:
        """Return the material's recipe with the settings of the best trial.

        Those given are the first ones tried, or where they lie outside the space the nearest.

        Raises:
            TooFewDaysToTuneError: a training slice is too short to be divided once more.
            StorageError: trials can't be kept.
        """
        given = training_input.recipe.settings
        objectives = [
            _TargetObjective.from_slices(
                training_input,
                split_for_tuning(
                    training_input.training_set, split, training_input.recipe.horizons, given
                ),
                split,
            )
            for split in splits.values()
        ]
        discard_damaged(self.database, self.tell)
        with translate_storage_errors(self.database):
            return self._run_trials(objectives, training_input.recipe)

    def _run_trials(
        self, objectives: list[_TargetObjective], recipe: TrainingRecipe
    ) -> TrainingRecipe:
        """Make the trials that aren't done and return the recipe of the best of all."""
        given = recipe.settings
        study = self._open_study(given)
        deadline = None if self.timeout_seconds is None else time.monotonic() + self.timeout_seconds
        while (done := _count_done(study)) < self.trials:
            if deadline is not None and time.monotonic() >= deadline:
                self.tell(f"tuning: stopped after {done} of {self.trials} trials, out of time")
                break
            _run_trial(study, objectives, given, done)
            self.tell(f"tuning: {done + 1} of {self.trials} trials")
        return _select_best(study, self.trials, recipe)

    def _open_study(self, given: TrainingSettings) -> optuna.Study:
        """Open the study, where an earlier process may have left trials."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            storage=f"sqlite:///{self.database.resolve()}",
            study_name=self.study,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS // 2),
        )
        for trial in study.get_trials(deepcopy=False):
            if trial.state is TrialState.RUNNING:  # of a process that is gone
                study.tell(trial.number, state=TrialState.FAIL)
        if not study.get_trials(deepcopy=False, states=(*DONE_STATES, TrialState.WAITING)):
            study.enqueue_trial(
                {one.name: one.clip(getattr(given, one.name)) for one in SEARCH_SPACE}
            )
        return study


def _count_done(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=DONE_STATES))


def _run_trial(
    study: optuna.Study, objectives: list[_TargetObjective], given: TrainingSettings, done: int
) -> None:
    """Run one trial; what it draws depends on the trials before it, not on the process."""
    study.sampler = optuna.samplers.TPESampler(
        seed=given.random_state + done, n_startup_trials=RANDOM_TRIALS
    )
    trial = study.ask()
    settings = given.model_copy(update={one.name: _suggest(trial, one) for one in SEARCH_SPACE})
    try:
        value = float(np.mean([objective.loss(settings, trial) for objective in objectives]))
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _suggest(trial: Trial, one: Range) -> float:
    if one.is_integer:
        return trial.suggest_int(one.name, int(one.low), int(one.high), log=one.is_log)
    return trial.suggest_float(one.name, one.low, one.high, log=one.is_log)


def _select_best(study: optuna.Study, trials: int, recipe: TrainingRecipe) -> TrainingRecipe:
    """Return the recipe of the best of the first trials: later ones may be there already."""
    first = study.get_trials(deepcopy=False, states=DONE_STATES)[:trials]
    complete = [trial for trial in first if trial.state is TrialState.COMPLETE]
    if not complete:
        return recipe
    best = min(complete, key=lambda trial: (trial.value, trial.number))
    settings = recipe.settings.model_copy(update=dict(best.params))
    return replace(recipe, settings=settings, trials=len(first))


@dataclass(frozen=True)
class _TargetObjective:
    """A target's rows as LightGBM holds them, and the constant to be measured against."""

    target: Target
    learned: lightgbm.Dataset
    judged: lightgbm.Dataset
    label: FloatArray
    weight: FloatArray
    monotone: tuple[int, ...]
    names: tuple[str, ...]
    """Of the inputs."""
    constant_loss: float
    is_pruned: bool
    """Whether losses on the way count for pruning: those of the first target do."""

    @classmethod
    def from_slices(
        cls, training_input: TrainingInput, slices: TuningSlices, split: TargetSplit
    ) -> _TargetObjective:
        """Bin the rows once for all trials."""
        learned, judged = slices.learned, slices.judged
        catalogue = training_input.recipe.catalogue
        monotone = catalogue.monotone(split.target)
        parameters = {
            **booster_parameters(monotone, training_input.recipe.settings),
            "feature_pre_filter": False,  # trials differ in how many rows a leaf needs
        }

        def dataset_arguments(sample: Sample) -> dict[str, Any]:
            inputs = training_input.matrix[sample.rows]
            start = init_score(split.target, inputs, catalogue.model_inputs)
            facts = {"label": sample.label, "weight": sample.weight, "init_score": start}
            return {"data": inputs, **facts, "params": parameters}

        rows = lightgbm.Dataset(**dataset_arguments(learned))
        later = rows.create_valid(**dataset_arguments(judged))
        constant = np.full(judged.label.size, smoothed_mean(learned.label, learned.weight))
        return cls(
            target=split.target,
            learned=rows.construct(),
            judged=later.construct(),
            label=judged.label,
            weight=judged.weight,
            monotone=tuple(monotone),
            names=tuple(catalogue.model_inputs),
            constant_loss=weighted_mean(row_log_loss(judged.label, constant), judged.weight),
            is_pruned=split.target == "sell_through",
        )

    def loss(self, settings: TrainingSettings, trial: Trial) -> float:
        """Fit a booster and return its log loss over that of the constant.

        Raises:
            optuna.TrialPruned: it is worse than most were by then.
        """
        found: list[float] = []

        def report_loss(environment: Any) -> None:  # noqa: ANN401 - LightGBM's, without a type
            found.append(environment.evaluation_result_list[0][2])
            trees = environment.iteration + 1
            if self.is_pruned and trees % REPORT_EVERY_TREES == 0:
                trial.report(found[-1] / self.constant_loss, trees)
                if trial.should_prune():
                    raise optuna.TrialPruned

        lightgbm.train(
            {
                **booster_parameters(self.monotone, settings),
                "feature_pre_filter": False,
                "bagging_seed": settings.random_state,
                "feature_fraction_seed": settings.random_state,
                "metric": "none",
            },
            self.learned,
            num_boost_round=settings.tree_count(self.target, self.names),
            valid_sets=[self.judged],
            feval=self._judge,
            callbacks=[report_loss],
        )
        return found[-1] / self.constant_loss

    def _judge(self, estimate: FloatArray, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        return "log_loss", weighted_mean(row_log_loss(self.label, estimate), self.weight), False
