from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from tests.worlds.training import QUICK
from training.boosting.booster_checkpoints import BoosterCheckpoints
from training.boosting.booster_fit import BoosterFit
from training.boosting.fit_boosters import fit_boosters
from training.boosting.objectives import DemandObjective, booster_parameters
from training.checkpoints.checkpoints import Checkpoints
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterRequest, TrainingInput

RNG = np.random.default_rng(5)
INPUTS = RNG.random((200, 3))
FIT = BoosterFit(
    INPUTS,
    (INPUTS[:, 0] + RNG.random(200)) / 2,
    np.ones(200),
    names=("a", "b", "c"),
    parameters=booster_parameters((0, 0, 0), QUICK),
    trees=3,
)


def kept(run: Path) -> BoosterCheckpoints:
    return BoosterCheckpoints(Checkpoints(run, {"code": "a"}, lambda _: None))


def test_kept_boosters_are_those_fitted_now_and_are_fitted_once(
    training_input: TrainingInput, splits: Mapping[Target, TargetSplit], tmp_path: Path
) -> None:
    requests: dict[str, BoosterRequest] = {
        target: BoosterRequest(target, split.train, QUICK.boosters)
        for target, split in splits.items()
    }
    first, second = kept(tmp_path), kept(tmp_path)
    now = fit_boosters(training_input.request_matrix, requests, CATALOGUE, QUICK)
    assert (
        fit_boosters(training_input.request_matrix, requests, CATALOGUE, QUICK, fitter=first) == now
    )
    assert first.reused == set()
    other_threads = QUICK.model_copy(update={"threads": 1})
    assert (
        fit_boosters(
            training_input.request_matrix, requests, CATALOGUE, other_threads, fitter=second
        )
        == now
    )
    names = {f"{target}_{place}" for target in requests for place in range(QUICK.boosters)}
    assert second.reused == names


OTHERS: dict[str, Any] = {
    "inputs": np.asfortranarray(INPUTS[::-1]),
    "label": FIT.label[::-1].copy(),
    "weight": FIT.weight * 2,
    "names": ("a", "b", "d"),
    "parameters": {**FIT.parameters, "num_leaves": 4},
    "trees": 4,
    "offset": np.zeros(200),
    "objective": DemandObjective(1.5),
}


def test_every_field_of_a_fit_has_another_value_here() -> None:
    assert OTHERS.keys() == {one.name for one in fields(BoosterFit)}


@pytest.mark.parametrize("name", OTHERS)
def test_booster_of_another_fit_is_not_reused(name: str, tmp_path: Path) -> None:
    kept(tmp_path)("one", FIT.bin(), 0)
    boosters = kept(tmp_path)
    other = replace(FIT, **{name: OTHERS[name]})
    assert boosters("one", other.bin(), 0) == other.fit(0)
    assert boosters.reused == set()
    assert len(list((tmp_path / "stages").iterdir())) == 2


def test_booster_of_another_seed_is_not_reused(tmp_path: Path) -> None:
    assert kept(tmp_path)("one", FIT.bin(), 0) != kept(tmp_path)("one", FIT.bin(), 1)


def test_booster_whose_memory_lies_otherwise_is_reused(tmp_path: Path) -> None:
    kept(tmp_path)("one", FIT.bin(), 0)
    boosters = kept(tmp_path)
    boosters("one", replace(FIT, inputs=np.asfortranarray(INPUTS)).bin(), 0)
    assert boosters.reused == {"one"}


def test_booster_that_was_changed_on_disk_is_fitted_again(tmp_path: Path) -> None:
    text = kept(tmp_path)("one", FIT.bin(), 0)
    path = tmp_path / "stages" / "booster_one.txt"
    path.write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    assert kept(tmp_path)("one", FIT.bin(), 0) == text
