from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests.worlds.training import QUICK
from training.boosting.booster_fit import BoosterFit
from training.boosting.objectives import DemandObjective, booster_parameters

RNG = np.random.default_rng(3)
NAMES = ("a", "b", "c", "d")
INPUTS = np.where(RNG.random((600, len(NAMES))) < 0.1, np.nan, RNG.random((600, len(NAMES))))
SHARE = np.clip(np.nan_to_num(INPUTS[:, 0]) + RNG.normal(0, 0.1, 600), 0, 1)


def _fit(*, objective: DemandObjective | None) -> BoosterFit:
    return BoosterFit(
        INPUTS.copy(),
        SHARE,
        RNG.random(600),
        names=NAMES,
        parameters=booster_parameters([0] * len(NAMES), QUICK),
        objective=objective,
        trees=5,
    )


def test_boosters_that_share_binned_rows_are_those_that_each_bin_their_own() -> None:
    for objective in (None, DemandObjective(1.5)):
        fit, seeds = _fit(objective=objective), range(6)
        alone = [fit.fit(seed) for seed in seeds]
        shared = fit.bin()
        with ThreadPoolExecutor(3) as threads:
            assert list(threads.map(shared.fit, seeds)) == alone
        assert len(set(alone)) == len(seeds)


def test_binned_rows_do_not_keep_the_inputs() -> None:
    fit = _fit(objective=None)
    inputs, binned = weakref.ref(fit.inputs), fit.bin()
    del fit
    assert inputs() is None
    assert binned.fit(0)
