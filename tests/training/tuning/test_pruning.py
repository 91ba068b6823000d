"""Trials that are given up on the way: which, how early, and that none of them wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from features.declarations.targets import Target
from tests.worlds.tuning import STUDY, WEAK, search, trials
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.search_space import SEARCH_SPACE
from training.tuning.search import REPORT_EVERY_TREES

GOOD = {"learning_rate": 0.2, "trees": 75}
MUCH_WORSE = {"learning_rate": 0.01, "trees": 600}
LITTLE_WORSE = {"learning_rate": 0.12, "trees": 600}
QUEUED = [*(GOOD | {"leaf_ridge": float(ridge)} for ridge in range(20, 25)), MUCH_WORSE]
QUEUED += [LITTLE_WORSE]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study in which settings wait to be tried: good ones, then two that are worse."""
    path = tmp_path_factory.mktemp("trials") / "a.db"
    study = optuna.create_study(study_name=STUDY, storage=f"sqlite:///{path}")
    rest = {one.name: getattr(WEAK, one.name) for one in SEARCH_SPACE}
    for settings in QUEUED:
        study.enqueue_trial(rest | settings)
    return path


@pytest.fixture(scope="module")
def found(
    database: Path, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> dict[str, float]:
    """Return the settings that a search of all trials comes to."""
    weak = replace(training_input, recipe=replace(training_input.recipe, settings=WEAK))
    settings = search(database, len(QUEUED)).recipe(weak, splits).settings
    return {one.name: getattr(settings, one.name) for one in SEARCH_SPACE}


@pytest.fixture
def ended(database: Path, found: dict[str, float]) -> dict[str, list[FrozenTrial]]:
    assert found
    return {
        state.name: [trial for trial in trials(database) if trial.state is state]
        for state in TrialState
    }


def test_trials_worse_than_most_are_given_up(ended: dict[str, list[FrozenTrial]]) -> None:
    rates = {
        state: [trial.params["learning_rate"] for trial in among] for state, among in ended.items()
    }
    assert rates["COMPLETE"] == [GOOD["learning_rate"]] * 5
    assert rates["PRUNED"] == [MUCH_WORSE["learning_rate"], LITTLE_WORSE["learning_rate"]]
    assert sum(map(len, ended.values())) == len(QUEUED)


def test_trials_given_up_cost_fewer_trees_than_those_completed(
    ended: dict[str, list[FrozenTrial]],
) -> None:
    assert [list(trial.intermediate_values) for trial in ended["PRUNED"]] == [
        [REPORT_EVERY_TREES]
    ] * 2
    for trial in ended["COMPLETE"]:
        assert trial.last_step == trial.params["trees"]


def test_a_trial_given_up_is_never_the_best(
    ended: dict[str, list[FrozenTrial]], found: dict[str, float]
) -> None:
    """Its last loss is of one target and looks better than the mean over both of them."""
    values = [trial.value for trial in ended["COMPLETE"] if trial.value is not None]
    looks_best = ended["PRUNED"][-1]
    assert looks_best.value is not None
    assert looks_best.value < min(values)
    (best,) = (trial for trial in ended["COMPLETE"] if trial.value == min(values))
    assert found == best.params
