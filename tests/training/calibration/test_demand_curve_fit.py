"""The line from sums of trees to demand, against a slow search over a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import log_lot, share_of_margin
from serving.prediction.demand_curve import MAX_STRETCH, MIN_CHANCE, DemandCurve
from training.calibration.demand_curve_fit import fit_demand_curve, fit_start
from training.metrics.metrics import row_log_loss

SHIFTS = np.linspace(-2, 6, 25)
STRETCHES = np.linspace(0, 2.4, 13)


def _draw(seed: int, *, shift: float, stretch: float, sharpness: float) -> dict[str, FloatArray]:
    """Draw shares of lots around those of a known line."""
    rng = np.random.default_rng(seed)
    rows = 200
    raw, lot = rng.normal(0, 1, rows), rng.integers(1, 200, rows).astype(float)
    order_size = rng.choice([1.0, 1.0, 6.0], rows)
    margin = shift + stretch * raw - log_lot(lot, order_size)
    sold = rng.binomial(lot.astype(int), share_of_margin(margin, sharpness))
    weight = rng.integers(1, 4, rows).astype(float)
    return {
        "raw": raw,
        "share": sold / lot,
        "weight": weight,
        "lot": lot,
        "order_size": order_size,
    }


def _fit(
    rows: dict[str, FloatArray], *, sharpness: float, min_chance: float = MIN_CHANCE
) -> DemandCurve:
    return fit_demand_curve(
        rows["raw"],
        rows["share"],
        rows["weight"],
        lot=rows["lot"],
        order_size=rows["order_size"],
        sharpness=sharpness,
        min_chance=min_chance,
    )


def _loss(
    rows: dict[str, FloatArray],
    shift: float,
    stretch: float,
    sharpness: float,
    chance: float = 1.0,
) -> float:
    margin = shift + stretch * rows["raw"] - log_lot(rows["lot"], rows["order_size"])
    losses = row_log_loss(rows["share"], chance * share_of_margin(margin, sharpness))
    return float(np.average(losses, weights=rows["weight"]))


@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 99),
    shift=st.floats(0, 4),
    stretch=st.floats(-1, 2),
    sharpness=st.sampled_from([0.7, 1.0, 1.5, 3.0]),
)
def test_line_loses_no_more_than_any_of_a_grid(
    seed: int, shift: float, stretch: float, sharpness: float
) -> None:
    rows = _draw(seed, shift=shift, stretch=stretch, sharpness=sharpness)
    curve = _fit(rows, sharpness=sharpness)
    best = min(_loss(rows, a, b, sharpness) for a in SHIFTS for b in STRETCHES)
    assert _loss(rows, curve.shift, curve.stretch, sharpness, curve.chance) <= best + 1e-7
    assert 0 <= curve.stretch <= MAX_STRETCH
    assert curve.sharpness == sharpness


def test_line_that_made_the_shares_is_found_again() -> None:
    parts = [_draw(seed, shift=3.0, stretch=1.4, sharpness=1.5) for seed in range(20)]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    curve = _fit(rows, sharpness=1.5)
    assert (curve.shift, curve.stretch, curve.chance) == pytest.approx((3.0, 1.4, 1.0), abs=0.05)


def test_chance_of_any_demand_is_found_where_many_lots_sell_nothing() -> None:
    parts = [_draw(seed, shift=3.0, stretch=1.4, sharpness=1.5) for seed in range(20)]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    is_wanted = np.random.default_rng(0).uniform(size=rows["share"].size) < 0.3
    rows["share"] = np.where(is_wanted, rows["share"], 0.0)
    curve = _fit(rows, sharpness=1.5)
    assert curve.chance == pytest.approx(0.3, abs=0.05)
    assert (curve.shift, curve.stretch) == pytest.approx((3.0, 1.4), abs=0.3)
    assert _fit(rows, sharpness=1.5, min_chance=1.0).chance == 1.0


def test_trees_that_rank_the_wrong_way_round_get_one_demand_for_all() -> None:
    rows = _draw(1, shift=3.0, stretch=-1.0, sharpness=1.5)
    curve = _fit(rows, sharpness=1.5)
    assert curve.stretch == pytest.approx(0.0, abs=1e-3)


def test_start_is_the_best_single_demand_of_a_grid() -> None:
    rows = _draw(3, shift=2.0, stretch=0.5, sharpness=1.5)
    widened = log_lot(rows["lot"], rows["order_size"])
    start = fit_start(widened, rows["share"], rows["weight"], 1.5)
    losses = [_loss(rows, shift, 0.0, 1.5) for shift in np.linspace(0, 5, 501)]
    assert _loss(rows, start, 0.0, 1.5) <= min(losses) + 1e-7


def test_line_ignores_the_scale_of_the_weights_and_the_order_of_the_rows() -> None:
    rows = _draw(5, shift=2.0, stretch=0.8, sharpness=1.5)
    turned = {name: values[::-1].copy() for name, values in rows.items()}
    turned["weight"] = turned["weight"] * 7
    first, second = (_fit(one, sharpness=1.5) for one in (rows, turned))
    assert (second.shift, second.stretch) == pytest.approx((first.shift, first.stretch), abs=1e-4)
