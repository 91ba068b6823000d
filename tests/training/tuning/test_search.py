from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import optuna
import pyarrow as pa
import pytest
from optuna.trial import TrialState

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from features.runtime.errors import StorageError
from features.runtime.progress import ignore_progress
from serving.demand.lot_demand import share_of_margin
from serving.prediction.booster import Booster
from serving.prediction.init_score import init_score
from tests.worlds.progress import Reports
from tests.worlds.training import HORIZONS, QUICK, market_rows
from tests.worlds.tuning import STUDY, WEAK, search, states, trials
from training.boosting.fit_boosters import fit_boosters
from training.calibration.demand_curve_fit import find_start
from training.data.cold_start_rows import add_cold_start_copies
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import BoosterRequest, TrainingInput, TrainingRecipe
from training.data.training_set import read_training_set
from training.fit.train import train
from training.metrics.metrics import row_log_loss
from training.search_space import SEARCH_SPACE
from training.settings import TrainingSettings
from training.shrinkage.learned_parameters import learn_parameters

PATIENCE_SECONDS = 100


@pytest.fixture
def weak(training_input: TrainingInput) -> TrainingInput:
    return replace(training_input, recipe=replace(training_input.recipe, settings=WEAK))


@pytest.mark.parametrize("one", SEARCH_SPACE, ids=lambda one: one.name)
def test_space_is_of_settings_and_holds_their_defaults(one: object) -> None:
    name, low, high = (getattr(one, field) for field in ("name", "low", "high"))
    assert low <= getattr(TrainingSettings(), name) <= high
    for end in (low, high):
        TrainingSettings.model_validate({name: end})


def test_tuning_finds_better_settings_than_weak_ones_and_the_same_ones_again(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    found = search(tmp_path / "a.db", 8).recipe(weak, splits).settings
    again = search(tmp_path / "b.db", 8).recipe(weak, splits).settings
    assert found == again
    tried = trials(tmp_path / "a.db")
    assert len(tried) == 8
    first = {one.name: getattr(WEAK, one.name) for one in SEARCH_SPACE}
    assert tried[0].params == first
    complete = [trial.value for trial in tried if trial.value is not None]
    assert tried[0].value is not None
    assert min(complete) < tried[0].value
    for one in SEARCH_SPACE:
        assert one.low <= getattr(found, one.name) <= one.high
    unsearched = set(TrainingSettings.model_fields) - {one.name for one in SEARCH_SPACE}
    assert found.model_dump(include=unsearched) == WEAK.model_dump(include=unsearched)


def test_a_trial_is_worth_what_its_boosters_foretell_of_later_rows(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    """As serving predicts, from the start of trees that correct a formula too."""
    search(tmp_path / "a.db", 1).recipe(weak, splits)
    losses = []
    for target, split in splits.items():
        fold = split.folds[-1]
        start = find_start(weak, target, fold.learned)
        requests = {"one": BoosterRequest(target, fold.learned, 1, start)}
        at_origin = weak.at(fold.first_day)
        (text,) = fit_boosters(at_origin.request_matrix, requests, CATALOGUE, WEAK)["one"]
        judged = fold.predicted
        matrix = at_origin.design_matrix(judged.rows)
        margin = start + init_score(target, matrix, CATALOGUE.model_inputs)
        margin = margin + Booster(text).sum_trees(matrix)
        said = share_of_margin(margin, WEAK.sharpness if target == "sell_through" else 1.0)
        constant = np.average(fold.learned.label, weights=fold.learned.weight)
        loss, of_constant = (
            np.average(row_log_loss(judged.label, share), weights=judged.weight)
            for share in (said, np.full(said.shape, constant))
        )
        losses.append(loss / of_constant)
    (trial,) = trials(tmp_path / "a.db")
    assert trial.value == pytest.approx(np.mean(losses), rel=5e-3)


def test_killed_tuning_goes_on_to_the_settings_of_an_unbroken_one(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    unbroken = search(tmp_path / "a.db", 6).recipe(weak, splits).settings
    search(tmp_path / "b.db", 3).recipe(weak, splits)
    left = optuna.load_study(study_name=STUDY, storage=f"sqlite:///{tmp_path / 'b.db'}").ask()
    left.suggest_float("learning_rate", 0.01, 0.2, log=True)  # a trial that no process ends
    assert search(tmp_path / "b.db", 6).recipe(weak, splits).settings == unbroken
    ours, theirs = (
        [trial.params for trial in trials(tmp_path / name) if trial.state.name != "FAIL"]
        for name in ("a.db", "b.db")
    )
    assert ours == theirs


def test_tuning_without_time_keeps_the_settings_given(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    for _ in range(2):
        assert search(tmp_path / "a.db", 5, timeout=0.0).recipe(weak, splits).settings == WEAK
    (first,) = optuna.load_study(study_name=STUDY, storage=f"sqlite:///{tmp_path / 'a.db'}").trials
    assert first.state is TrialState.WAITING
    search(tmp_path / "a.db", 1).recipe(weak, splits)
    (tried,) = trials(tmp_path / "a.db")
    assert tried.params == {one.name: getattr(WEAK, one.name) for one in SEARCH_SPACE}


def test_fewer_trials_than_are_there_give_what_they_give_alone(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    alone = search(tmp_path / "a.db", 1).recipe(weak, splits).settings
    assert search(tmp_path / "b.db", 4).recipe(weak, splits).settings != alone
    assert search(tmp_path / "b.db", 1).recipe(weak, splits).settings == alone


@pytest.mark.parametrize("damage", ["all", "the middle"])
def test_damaged_trials_are_told_of_and_made_again(
    damage: str, weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    found = search(path, 2).recipe(weak, splits).settings
    data = bytearray(path.read_bytes())
    start = 0 if damage == "all" else len(data) // 2
    data[start:] = b"\xff" * (len(data) - start)
    path.write_bytes(data)
    reports = Reports()
    telling = replace(search(path, 2), progress=reports)
    assert telling.recipe(weak, splits).settings == found
    assert reports.stages[0] == "tuning: a.db is damaged, so the search begins again"


def test_trials_that_cant_be_kept_are_refused(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    (tmp_path / "a.db").mkdir()
    with pytest.raises(StorageError, match="can't be used: unable to open database file"):
        search(tmp_path / "a.db", 1).recipe(weak, splits)
    with pytest.raises(StorageError, match="can't be used: unable to open database file"):
        search(tmp_path / "nowhere" / "b.db", 1).recipe(weak, splits)


def test_what_the_database_said_reaches_the_user(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE studies (study_id INTEGER PRIMARY KEY)")
        connection.commit()
    with pytest.raises(StorageError, match="can't be used: table studies has no column named"):
        search(tmp_path / "a.db", 1).recipe(weak, splits)


def _search_for_ever(database: Path) -> None:
    """Search on the made-up market of these tests, in a process of its own."""
    training_set = add_cold_start_copies(read_training_set(market_rows(), CATALOGUE), CATALOGUE)
    splits = {t: split_target(training_set, t, HORIZONS, QUICK) for t in training_set.outcomes}
    parameters = learn_parameters(training_set, splits, HORIZONS)
    training_input = TrainingInput.build(
        TrainingRecipe(HORIZONS, CATALOGUE, WEAK), training_set, parameters, splits
    )
    search(database, 10_000).recipe(training_input, splits)


def test_search_killed_within_a_trial_goes_on_to_the_settings_of_an_unbroken_one(
    weak: TrainingInput, splits: dict[Target, TargetSplit], tmp_path: Path
) -> None:
    process = get_context("spawn").Process(target=_search_for_ever, args=(tmp_path / "b.db",))
    process.start()
    end = time.monotonic() + PATIENCE_SECONDS
    while not _is_within_a_trial(tmp_path / "b.db"):
        assert process.is_alive()
        assert time.monotonic() < end
        time.sleep(0.001)
    process.kill()
    process.join()
    done = len([one for one in trials(tmp_path / "b.db") if one.state.name != "FAIL"])
    unbroken = search(tmp_path / "a.db", done + 2).recipe(weak, splits).settings
    assert search(tmp_path / "b.db", done + 2).recipe(weak, splits).settings == unbroken
    ours, theirs = (
        [trial.params for trial in trials(tmp_path / name) if trial.state.name != "FAIL"]
        for name in ("a.db", "b.db")
    )
    assert ours == theirs


def _is_within_a_trial(database: Path) -> bool:
    """Tell whether a trial runs after others that are done."""
    now = states(database)
    return now.count("RUNNING") == 1 and now.count("COMPLETE") >= 2


def test_training_fits_with_the_settings_that_tuning_found(
    rows: pa.Table, recipe: TrainingRecipe, tmp_path: Path
) -> None:
    tune = search(tmp_path / "a.db", 2).recipe
    tuned = train(rows, recipe, git_commit="unknown", progress=ignore_progress, tune=tune)
    settings = tuned.training_input.recipe.settings
    assert f"| learning_rate | {settings.learning_rate} | yes |" in tuned.contents.model_card
    assert "the best of 2 trials" in tuned.contents.model_card
    plain = train(
        rows,
        replace(recipe, settings=settings),
        git_commit="unknown",
        progress=ignore_progress,
    )
    ours, theirs = (
        [booster.text for booster in one.contents.models.targets["sell_through"].boosters]
        for one in (tuned, plain)
    )
    assert ours == theirs
