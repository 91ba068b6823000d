"""One made-up market and one training, shared by every test of training."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from serving.bundle.bundle import write_bundle
from tests.worlds.training import HORIZONS, QUICK, market_rows, without_returns
from training.data.cold_start_rows import with_hidden_histories
from training.data.time_split import Division, divide
from training.data.training_input import Material, Recipe, prepare
from training.data.training_set import TrainingSet, read_training_set
from training.fit.train import Trained, train
from training.shrinkage.learned_parameters import learned_parameters

RECIPE = Recipe(HORIZONS, CATALOGUE, QUICK)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return RECIPE


@pytest.fixture(scope="session")
def rows() -> pa.Table:
    return market_rows()


@pytest.fixture(scope="session")
def training_set(rows: pa.Table) -> TrainingSet:
    return with_hidden_histories(read_training_set(rows, CATALOGUE), CATALOGUE)


@pytest.fixture(scope="session")
def divisions(training_set: TrainingSet) -> dict[Target, Division]:
    return {
        target: divide(training_set, target, HORIZONS, QUICK) for target in training_set.outcomes
    }


@pytest.fixture(scope="session")
def material(training_set: TrainingSet, divisions: dict[Target, Division]) -> Material:
    parameters = learned_parameters(training_set, divisions, HORIZONS)
    return prepare(RECIPE, training_set, parameters, divisions)


@pytest.fixture(scope="session")
def trained(rows: pa.Table) -> Trained:
    return train(rows, RECIPE, git_commit="unknown", progress=lambda _: None)


@pytest.fixture(scope="session")
def trained_without_returns(rows: pa.Table) -> Trained:
    return train(without_returns(rows), RECIPE, git_commit="unknown", progress=lambda _: None)


@pytest.fixture(scope="session")
def bundle_directory(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bundles = tmp_path_factory.mktemp("bundles")
    return bundles / write_bundle(trained.contents, bundles)
