"""One made-up market and one training, shared by every test of training."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from features.runtime.progress import ignore_progress
from serving.bundle.bundle import write_bundle
from tests.worlds.training import HORIZONS, QUICK, drop_returns, market_rows
from training.data.cold_start_rows import add_cold_start_copies
from training.data.time_split import TargetSplit, split_target
from training.data.training_input import TrainingInput, TrainingRecipe
from training.data.training_set import TrainingSet, read_training_set
from training.fit.train import TrainOutput, train
from training.shrinkage.learned_parameters import learn_parameters

RECIPE = TrainingRecipe(HORIZONS, CATALOGUE, QUICK)


@pytest.fixture(scope="session")
def recipe() -> TrainingRecipe:
    return RECIPE


@pytest.fixture(scope="session")
def rows() -> pa.Table:
    return market_rows()


@pytest.fixture(scope="session")
def training_set(rows: pa.Table) -> TrainingSet:
    return add_cold_start_copies(read_training_set(rows, CATALOGUE), CATALOGUE)


@pytest.fixture(scope="session")
def splits(training_set: TrainingSet) -> dict[Target, TargetSplit]:
    return {
        target: split_target(training_set, target, HORIZONS, QUICK)
        for target in training_set.outcomes
    }


@pytest.fixture(scope="session")
def training_input(training_set: TrainingSet, splits: dict[Target, TargetSplit]) -> TrainingInput:
    parameters = learn_parameters(training_set, splits, HORIZONS)
    return TrainingInput.build(RECIPE, training_set, parameters, splits)


@pytest.fixture(scope="session")
def trained(rows: pa.Table) -> TrainOutput:
    return train(rows, RECIPE, git_commit="unknown", progress=ignore_progress)


@pytest.fixture(scope="session")
def trained_without_returns(rows: pa.Table) -> TrainOutput:
    return train(drop_returns(rows), RECIPE, git_commit="unknown", progress=ignore_progress)


@pytest.fixture(scope="session")
def bundle_directory(trained: TrainOutput, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bundles = tmp_path_factory.mktemp("bundles")
    return bundles / write_bundle(trained.contents, bundles)
