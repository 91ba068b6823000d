"""Forward validation: who predicts the calibration rows, and what they had learned by then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.declarations.targets import TARGETS, Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import ROOT
from serving.demand.lot_demand import log_lot, share_of_margin
from serving.prediction.booster import Booster
from serving.prediction.init_score import LOT, MIN_INIT_SHARE, ORDER_SIZE
from serving.prediction.target_model import DemandModel, ShareModel
from tests.worlds.training import HORIZONS
from training.boosting.fit_boosters import fit_boosters
from training.calibration.demand_curve_fit import find_start
from training.calibration.interval_context import Sellers, build_target_context
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterRequest, TrainingInput
from training.fit.fit_targets import EARLY, booster_requests, fit_targets
from training.fit.train import TrainOutput


def _learned_by(split: TargetSplit, first_day: int, training_input: TrainingInput) -> Sample:
    """Return the rows whose labels were final when an origin's first row was predicted."""
    as_of_day = training_input.training_set.as_of_day
    maturity = HORIZONS.maturity_days(split.target)
    known = split.known
    is_final = [as_of_day[row] + maturity <= first_day for row in known.rows]
    return known.select(np.array(is_final))


def _estimate(
    trained: TrainOutput, target: Target, sums: FloatArray, matrix: FloatArray
) -> FloatArray:
    """Return the calibrated share of sums of trees, written out."""
    model = trained.fitted[target].model
    column = trained.training_input.recipe.catalogue.model_inputs.index
    if isinstance(model, DemandModel):
        curve = model.curve
        lots = log_lot(matrix[:, column(LOT)], matrix[:, column(ORDER_SIZE)])
        margin = curve.shift + curve.stretch * sums - lots
        return curve.chance * share_of_margin(margin, curve.sharpness)
    assert isinstance(model, ShareModel)
    formula = matrix[:, column("expected_return_rate_180d")]
    formula = np.clip(formula, MIN_INIT_SHARE, 1 - MIN_INIT_SHARE)
    odds = formula / (1 - formula) * np.exp(sums)
    return model.calibration.apply(odds / (1 + odds))


@pytest.mark.parametrize("target", TARGETS)
def test_no_calibration_row_is_predicted_by_a_booster_that_learned_a_label_not_final_by_then(
    target: Target, trained: TrainOutput
) -> None:
    training_input, split = trained.training_input, trained.splits[target]
    recipe = training_input.recipe
    start = find_start(training_input, target, split.train)
    forward = trained.fitted[target].forward
    seen = []
    for span in split.days.origins:
        request = BoosterRequest(target, _learned_by(split, span.first, training_input), 1, start)
        at_origin = training_input.at(span.first)
        texts = fit_boosters(
            at_origin.request_matrix, {"one": request}, recipe.catalogue, recipe.settings
        )["one"]
        known = split.known.rows
        rows = known[span.contains(training_input.training_set.as_of_day[known])]
        matrix = at_origin.design_matrix(rows)
        sums = Booster(texts[0]).sum_trees(matrix)
        expected = _estimate(trained, target, sums, matrix)
        np.testing.assert_allclose(forward[rows], expected, rtol=1e-9)
        seen.append(rows)
    assert np.flatnonzero(~np.isnan(forward)).tolist() == sorted(np.concatenate(seen).tolist())


@pytest.mark.parametrize("target", TARGETS)
def test_residuals_come_from_the_half_that_did_not_fit_the_curve(
    target: Target, trained: TrainOutput
) -> None:
    split, model = trained.splits[target], trained.fitted[target].model
    assert model.residuals.cells[ROOT].count == split.residual_fit.rows.size
    outcome = model.calibration_sample.outcome
    assert np.isin(outcome, split.residual_fit.label).all()


@pytest.mark.parametrize("target", TARGETS)
def test_boosters_of_the_bundle_learn_every_known_row(target: Target, trained: TrainOutput) -> None:
    training_input, split = trained.training_input, trained.splits[target]
    recipe = training_input.recipe
    start = find_start(training_input, target, split.train)
    request = BoosterRequest(target, split.known, recipe.settings.boosters, start)
    texts = fit_boosters(
        training_input.request_matrix, {"one": request}, recipe.catalogue, recipe.settings
    )["one"]
    assert tuple(booster.text for booster in trained.fitted[target].model.boosters) == texts
    last = training_input.training_set.as_of_day[split.known.rows].max()
    assert last + HORIZONS.maturity_days(target) <= split.days.latest.first


def test_units_of_return_risk_are_expected_by_boosters_without_a_label_of_its_calibration_slice(
    trained: TrainOutput,
) -> None:
    training_input, selling = trained.training_input, trained.splits["sell_through"]
    returned, recipe = trained.splits["return_risk"], training_input.recipe
    early = _learned_by(selling, returned.days.calibration.first, training_input)
    assert 0 < early.rows.size < selling.train.rows.size  # the first origin knows such labels
    start = find_start(training_input, "sell_through", early)
    first_day = returned.folds[0].first_day
    boosters = recipe.settings.fold_boosters
    request = BoosterRequest("sell_through", early, boosters, start, first_day)
    texts = fit_boosters(
        training_input.request_matrix, {"one": request}, recipe.catalogue, recipe.settings
    )["one"]
    early_boosters = tuple(Booster(text) for text in texts)
    sellers = Sellers(trained.fitted["sell_through"].model, early_boosters, request)
    expected = build_target_context(training_input, returned, sellers).exposure
    rows = np.concatenate([returned.curve_fit.rows, returned.residual_fit.rows])
    exposure = trained.fitted["return_risk"].context.exposure
    np.testing.assert_array_equal(exposure[rows], expected[rows])


def test_the_first_origin_expects_units_where_too_few_rows_are_early(
    trained: TrainOutput,
) -> None:
    splits, training_input = trained.splits, trained.training_input
    assert EARLY in booster_requests(training_input, splits)
    settings = training_input.recipe.settings.model_copy(update={"min_rows": 10_000})
    few = replace(training_input, recipe=replace(training_input.recipe, settings=settings))
    assert EARLY not in booster_requests(few, splits)
    alone: dict[Target, TargetSplit] = {"sell_through": splits["sell_through"]}
    assert EARLY not in booster_requests(training_input, alone)
    assert set(fit_targets(few, splits)) == set(splits)
