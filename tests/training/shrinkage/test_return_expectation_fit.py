"""Learning what gaps and audits are worth from labels that were drawn with known effects."""

from __future__ import annotations

import numpy as np
import pytest

from features.declarations.return_evidence import ATTRIBUTES, INPUTS, PARAMETERS
from features.declarations.return_expectation import expected_return_rate
from features.declarations.shrinkage import RETURN_RATE
from training.data.sample import NO_ROWS, Sample
from training.metrics.metrics import row_log_loss, weighted_mean
from training.shrinkage.return_expectation_fit import START_STRENGTH, fit_return_expectation

ROWS = 4_000


def _columns(rng: np.random.Generator) -> dict[str, np.ndarray]:
    columns = {name: np.zeros(ROWS) for name in INPUTS}
    columns |= {f"{attribute}_met_share": np.ones(ROWS) for attribute in ATTRIBUTES}
    columns["is_plug_voltage_required_category_market"] = np.ones(ROWS)
    columns["plug_voltage_met_share"] = rng.integers(0, 2, ROWS).astype(float)
    columns["audit_result_supplier"] = rng.uniform(0.4, 0.9, ROWS)
    return columns


def test_effects_of_gaps_and_audits_are_found() -> None:
    rng = np.random.default_rng(0)
    columns = _columns(rng)
    audit = columns["audit_result_supplier"]
    gap = 1 - columns["plug_voltage_met_share"]
    rate = 0.06 * (1 + 2 * gap) / 2 * (1 + 1.5 * (audit.mean() - audit))
    weight = np.full(ROWS, 200.0)
    sample = Sample(np.arange(ROWS), rng.binomial(200, rate) / 200, weight)
    found = fit_return_expectation(columns, sample, mean=0.06)
    assert list(found) == list(PARAMETERS)
    assert found["expected_return_effect_plug_voltage"] == pytest.approx(2, rel=0.1)
    assert found["expected_return_usual_plug_voltage"] == pytest.approx(1, rel=0.1)
    assert found["expected_return_audit_effect"] == pytest.approx(1.5, rel=0.2)
    assert found["expected_return_effect_size_chart"] == 0


def test_past_that_misleads_counts_for_nothing() -> None:
    """A few mistaken orders of millions of units came back long ago: the level is another now."""
    rng = np.random.default_rng(6)
    columns = _columns(rng)
    columns["units_ripe_market_180d"][:] = 5e6
    columns["units_returned_market_180d"][:] = 2e5
    columns["units_ripe_category_market_180d"] = rng.uniform(1e4, 1e6, ROWS)
    share = rng.choice([0.002, 0.09], ROWS, p=[0.6, 0.4])
    ripe = columns["units_ripe_category_market_180d"]
    columns["units_returned_category_market_180d"] = ripe * share
    label, weight = rng.binomial(200, 0.01, ROWS) / 200, np.full(ROWS, 200.0)
    found = fit_return_expectation(columns, Sample(np.arange(ROWS), label, weight), mean=0.01)
    values = np.array([*found.values()])[:, np.newaxis]
    rate = expected_return_rate(*np.stack([columns[name] for name in INPUTS]), *values)
    of_constant = weighted_mean(row_log_loss(label, np.full(ROWS, 0.01)), weight)
    assert weighted_mean(row_log_loss(label, rate), weight) == pytest.approx(of_constant, rel=1e-3)


def test_past_that_tells_the_level_counts() -> None:
    """Categories return what they did: a search that starts from no past doesn't find that."""
    rng = np.random.default_rng(7)
    columns = _columns(rng)
    columns["plug_voltage_met_share"][:] = 1.0
    category = rng.integers(0, 12, ROWS)
    rate = rng.uniform(0.01, 0.2, 12)
    columns["units_ripe_category_market_180d"] = rng.integers(50, 400, 12)[category].astype(float)
    columns["units_returned_category_market_180d"] = (
        columns["units_ripe_category_market_180d"] * rate[category]
    )
    label, weight = rng.binomial(200, rate[category]) / 200, np.full(ROWS, 200.0)
    mean = float(rate[category].mean())
    found = fit_return_expectation(columns, Sample(np.arange(ROWS), label, weight), mean=mean)
    assert found["expected_return_strength_category_market"] < 5
    values = np.array([*found.values()])[:, np.newaxis]
    said = expected_return_rate(*np.stack([columns[name] for name in INPUTS]), *values)
    np.testing.assert_allclose(said, rate[category], rtol=0.1)


def _with_open_units(rng: np.random.Generator, known: dict[str, float]) -> dict[str, np.ndarray]:
    """Let each listing have a risk of its own and units of all ages, of which it is known."""
    columns = _columns(rng)
    columns["plug_voltage_met_share"][:] = 1.0
    risk = rng.gamma(4.0, 0.25, ROWS)
    units = {age: rng.integers(20, 200, ROWS) for age in known}
    columns["units_open_7d"] = 1.0 * units["young"]
    columns["units_open_14d"] = columns["units_open_7d"] + units["middle"]
    columns["units_open_180d"] = columns["units_open_14d"] + units["old"]
    returned = [rng.poisson(0.06 * risk * units[age] * share) for age, share in known.items()]
    columns["units_open_returned_180d"] = np.sum(returned, axis=0).astype(float)
    columns["risk"] = risk
    return columns


def test_what_is_known_of_returns_of_open_units_is_found() -> None:
    rng = np.random.default_rng(4)
    known = {"old": 0.9, "middle": 0.5, "young": 0.15}
    columns = _with_open_units(rng, known)
    label = rng.poisson(0.06 * columns.pop("risk") * 400) / 400
    sample = Sample(np.arange(ROWS), np.minimum(label, 1.0), np.full(ROWS, 400.0))
    found = fit_return_expectation(columns, sample, mean=0.06)
    shares = {age: found[f"expected_return_known_share_{age}"] for age in known}
    assert shares == pytest.approx(known, abs=0.08)


def test_more_than_all_is_never_known_of_returns() -> None:
    rng = np.random.default_rng(5)
    columns = _with_open_units(rng, {"old": 2.0, "middle": 1.5, "young": 1.2})
    label = rng.poisson(0.06 * columns.pop("risk") * 400) / 400
    sample = Sample(np.arange(ROWS), np.minimum(label, 1.0), np.full(ROWS, 400.0))
    found = fit_return_expectation(columns, sample, mean=0.06)
    assert [found[f"expected_return_known_share_{age}"] for age in ("old", "middle")] == [1, 1]


@pytest.mark.parametrize("name", RETURN_RATE.inputs)
def test_rows_without_a_count_are_left_out(name: str) -> None:
    rng = np.random.default_rng(2)
    columns = _columns(rng)
    label, weight = rng.uniform(0, 0.2, ROWS), np.full(ROWS, 10.0)
    known = np.arange(ROWS // 2)
    columns[name][ROWS // 2 :] = np.nan
    found = fit_return_expectation(columns, Sample(np.arange(ROWS), label, weight), mean=0.1)
    wanted = fit_return_expectation(columns, Sample(known, label[known], weight[known]), mean=0.1)
    assert found == wanted


def test_without_rows_nothing_has_an_effect() -> None:
    columns = {name: np.zeros(0) for name in INPUTS}
    found = fit_return_expectation(columns, NO_ROWS, mean=0.3)
    assert found["expected_return_mean"] == 0.3
    assert found["expected_return_strength_listing"] == START_STRENGTH
    assert found["expected_return_audit_effect"] == 0
