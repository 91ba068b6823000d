"""What labels of one slice may change in a bundle: nothing that is judged or learned elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.horizons import Horizons
from features.declarations.targets import TARGETS, Target
from features.runtime.progress import ignore_progress
from serving.bundle.bundle import write_bundle
from tests.worlds.training import QUICK, market_rows
from training.data.training_input import TrainingRecipe
from training.fit.train import TrainOutput, train

HORIZONS = Horizons(
    horizon_days=14, return_window_days=30, assumed_delivery_days=7, repurchase_window_days=20
)
"""Returns take so long that sell-through is calibrated on weeks that return risk is judged on."""
RECIPE = TrainingRecipe(
    HORIZONS,
    CATALOGUE,
    QUICK.model_copy(update={"trees": 8, "boosters": 1, "calibration_days": 28, "min_rows": 50}),
)
"""With one origin, no booster that calibrates learns a label of the calibration slice."""
BY_TARGET = ("calibration.json", "conformal.json", "selection.json")

Mask = npt.NDArray[np.bool_]
Parts = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return market_rows(weeks=50, listings=90, horizons=HORIZONS)


@pytest.fixture(scope="module")
def trained(rows: pa.Table) -> TrainOutput:
    return _train(rows)


def _train(rows: pa.Table) -> TrainOutput:
    return train(rows, RECIPE, git_commit="unknown", progress=ignore_progress)


def _parts(trained: TrainOutput, target: Target, directory: Path) -> Parts:
    """Return all that a bundle holds to answer for a target, as it is on the disk."""
    bundle = directory / write_bundle(trained.contents, directory)
    boosters = {path.name: path.read_bytes() for path in bundle.glob(f"{target}.*.txt")}
    assert boosters
    shared = {"pooling.json": (bundle / "pooling.json").read_bytes()}
    finish = {name: json.loads((bundle / name).read_bytes())[target] for name in BY_TARGET}
    return {**boosters, **shared, **finish}


def _flipped(rows: pa.Table, target: Target, mask: Mask) -> pa.Table:
    """Turn the labels of some rows round; those of nothing ordered stay unknown."""
    label = rows[target].to_numpy().copy()
    label[mask] = 1 - label[mask]
    place = rows.column_names.index(target)
    return rows.set_column(place, target, pa.array(label, from_pandas=True))


def _changed(rows: pa.Table, trained: TrainOutput, target: Target, directory: Path) -> set[str]:
    before, after = (
        _parts(one, target, directory / name)
        for name, one in (("before", trained), ("after", _train(rows)))
    )
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("flipped", TARGETS)
def test_latest_slice_changes_nothing_that_answers(
    flipped: Target, rows: pa.Table, trained: TrainOutput, tmp_path: Path
) -> None:
    latest = trained.splits[flipped].days.latest
    mask = latest.contains(rows["as_of_day"].to_numpy())
    turned = _flipped(rows, flipped, mask)
    assert _changed(turned, trained, flipped, tmp_path) == set()


def test_sell_through_of_return_risks_latest_slice_changes_nothing_of_return_risk(
    rows: pa.Table, trained: TrainOutput, tmp_path: Path
) -> None:
    latest = trained.splits["return_risk"].days.latest
    calibration = trained.splits["sell_through"].days.calibration
    day = rows["as_of_day"].to_numpy()
    mask = latest.contains(day) & calibration.contains(day)
    assert mask.any()
    turned = _flipped(rows, "sell_through", mask)
    assert _changed(turned, trained, "return_risk", tmp_path / "a") == set()
    changed = {*BY_TARGET, "sell_through.0.txt"}
    assert _changed(turned, trained, "sell_through", tmp_path / "b") == changed


@pytest.mark.parametrize("target", TARGETS)
def test_conformal_half_gives_residuals_and_the_last_fit_and_nothing_else(
    target: Target, rows: pa.Table, trained: TrainOutput, tmp_path: Path
) -> None:
    mask = np.zeros(rows.num_rows, bool)
    residual_fit = trained.splits[target].residual_fit.rows
    mask[residual_fit[residual_fit < rows.num_rows]] = True
    turned = _flipped(rows, target, mask)
    learned = {"pooling.json"} if target == "return_risk" else set()  # the formula's numbers
    changed = {f"{target}.0.txt", "conformal.json", "selection.json", *learned}
    assert _changed(turned, trained, target, tmp_path / "a") == changed
    (other,) = set(TARGETS) - {target}
    # The other target's trees read the formula too. At its origins, which come later for
    # sell-through, the labels are final.
    shared = {*learned, f"{other}.0.txt", *BY_TARGET} if learned else set()
    assert _changed(turned, trained, other, tmp_path / "b") == shared
