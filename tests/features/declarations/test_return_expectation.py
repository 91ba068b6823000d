"""The expected return rate: its formula by hand, and its value without evidence."""

from __future__ import annotations

import numpy as np
import pytest

from features.declarations.levels import Level, name_feature
from features.declarations.return_evidence import ATTRIBUTES, INPUTS, NARROW_LEVELS, PARAMETERS
from features.declarations.return_expectation import expected_return_rate
from features.declarations.shrinkage import CHAIN, RETURN_RATE, pooled_rate

NEUTRAL = {
    name: 8.0 if "strength" in name else 0.1 if name.endswith("_mean") else 0.0
    for name in PARAMETERS
}
USUAL = {
    **dict.fromkeys(INPUTS, 0.0),
    **dict(zip(INPUTS, (30.0, 400.0, 9.0, 80.0, 3.0, 20.0, 2.0, 9.0, 1.0, 4.0), strict=False)),
    **dict.fromkeys((f"{attribute}_met_share" for attribute in ATTRIBUTES), 1.0),
    "audit_result_supplier": 0.1,
}


COUNTS = INPUTS[: 2 * len(CHAIN)]
NOTHING = dict.fromkeys(COUNTS, 0.0)


def _rate(inputs: dict[str, float], parameters: dict[str, float]) -> float:
    values = [np.array([{**USUAL, **inputs}[name]]) for name in INPUTS]
    learned = [np.array([{**NEUTRAL, **parameters}[name]]) for name in PARAMETERS]
    return float(expected_return_rate(*values, *learned).item())


def _by_hand() -> float:
    """Shrink the counts of `USUAL` step by step."""
    market = (30 + 8 * 0.1) / (400 + 8)
    cell = (9 + 8 * market) / (80 + 8)
    risk = 1.0
    for returned, ripe in ((3, 20), (2, 9), (1, 4)):
        risk = (returned + 8 * risk) / (ripe * cell + 8)
    return cell * risk


def test_rate_shrinks_the_risk_beyond_the_category() -> None:
    assert _rate({}, {}) == pytest.approx(_by_hand(), rel=1e-12)


@pytest.mark.parametrize("level", NARROW_LEVELS)
def test_open_units_count_by_what_is_known_of_their_returns(level: Level) -> None:
    """Each of 40 old units counts as 0.75, of 20 middle ones as 0.5, of 10 young ones as 0.25."""
    opened = {"units_open_returned": 9.0, "units_open": 70.0}
    inputs = {name_feature(name, level, 180): count for name, count in opened.items()}
    inputs |= {
        name_feature("units_open", level, 14): 30.0,
        name_feature("units_open", level, 7): 10.0,
    }
    ages = dict(zip(("old", "middle", "young"), (0.75, 0.5, 0.25), strict=True))
    shares = {f"expected_return_known_share_{age}": share for age, share in ages.items()}
    returned, ripe = (RETURN_RATE.column(name, level) for name in ("units_returned", "units_ripe"))
    as_ripe = {returned: USUAL[returned] + 9, ripe: USUAL[ripe] + 30 + 10 + 2.5}
    assert _rate(inputs, shares) == pytest.approx(_rate(as_ripe, {}), rel=1e-12)
    assert _rate(inputs, shares) != pytest.approx(_rate({}, {}), rel=1e-3)


def test_rate_without_narrow_evidence_is_the_pooled_one() -> None:
    counts = dict.fromkeys(INPUTS[4 : 2 * len(CHAIN)], 0.0)
    wide = [np.array([USUAL[name] if name not in counts else 0.0]) for name in INPUTS[:10]]
    pooled = pooled_rate(*wide, 0.1, *([8.0] * len(CHAIN)))
    assert _rate(counts, {}) == pytest.approx(float(pooled.item()), rel=1e-12)


GAP = {"is_plug_voltage_required_category_market": 1.0, "plug_voltage_met_share": 0.0}
MET = {**GAP, "plug_voltage_met_share": 1.0}
EFFECT = {
    "expected_return_effect_plug_voltage": 3.0,
    "expected_return_usual_plug_voltage": 0.5,
}


@pytest.mark.parametrize(
    ("inputs", "parameters", "factor"),
    [
        (GAP, EFFECT, 4 / 1.5),
        (MET, EFFECT, 1 / 1.5),
        ({**GAP, "plug_voltage_met_share": np.nan}, EFFECT, 1.0),
        ({}, EFFECT, 1.0),
        ({"audit_result_supplier": 0.0}, {"expected_return_audit_effect": 2.0}, 1.2),
        ({"audit_result_supplier": np.nan}, {"expected_return_audit_effect": 2.0}, 1.0),
        ({"audit_result_supplier": 0.9}, {"expected_return_audit_effect": 9.0}, 0.1),
        (
            {"low_star_reviews_product_180d": 4.0, "reviews_product_180d": 12.0},
            {"expected_return_low_star_effect": 2.0},
            1 + 2 * ((4 + 0.8) / 20 - 0.1),
        ),
    ],
)
def test_gaps_and_quality_multiply_the_rate_of_listings_without_returns(
    inputs: dict[str, float], parameters: dict[str, float], factor: float
) -> None:
    nothing = dict.fromkeys(INPUTS[4 : 2 * len(CHAIN)], 0.0)
    usual = _rate(nothing, {})
    assert _rate({**nothing, **inputs}, parameters) == pytest.approx(usual * factor, rel=1e-12)


def test_returns_that_gaps_explain_say_nothing_of_the_listing() -> None:
    """Four times the returns where four times are expected leave the estimate where it was."""
    seen = {INPUTS[8]: 400.0, INPUTS[9]: 1_000.0, INPUTS[4]: 0.0, INPUTS[5]: 0.0}
    seen |= {INPUTS[6]: 0.0, INPUTS[7]: 0.0, INPUTS[2]: 100.0, INPUTS[3]: 1_000.0, **GAP}
    effect = {"expected_return_effect_plug_voltage": 3.0}
    before = _rate({**seen, INPUTS[8]: 0.0, INPUTS[9]: 0.0}, effect)
    assert _rate(seen, effect) == pytest.approx(before, rel=0.01)


@pytest.mark.parametrize("known", [{}, {"audit_result_supplier": 0.2}])
def test_unknown_counts_are_no_evidence(known: dict[str, float]) -> None:
    unknown = dict.fromkeys(COUNTS, np.nan)
    learned = {"expected_return_mean": 0.08, "expected_return_audit_effect": 2.0}
    assert _rate({**known, **unknown}, learned) == _rate({**known, **NOTHING}, learned)
    assert _rate(dict.fromkeys(INPUTS, np.nan), learned) == pytest.approx(0.08)
