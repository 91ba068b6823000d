"""A battery over every declared feature: a new one is tested by being listed."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import CATALOGUE
from features.declarations import Base, Declared, Derived, Feature, FloatArray, Windowed
from features.derived import design_matrix
from features.pooling import RATES
from features.signals import SIGNALS

DECLARED = (*CATALOGUE.request_fields, *CATALOGUE.features)
GRAMMAR = re.compile(r"[a-z]+(_[a-z]+)+(_\d+d)?")
PARAMETERS = {name: 0.1 if name.endswith("_mean") else 20.0 for name in CATALOGUE.parameters}
INPUTS = {d.name: d for d in (*CATALOGUE.request_fields, *CATALOGUE.base)}


def columns_of(rows: int, seed: int) -> dict[str, FloatArray]:
    """Draw base features as they come: whole numbers, parts within their whole, some null."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(0, 50, rows).astype(float) for name in INPUTS}
    for short, long in (("28d", "84d"),):
        for name in INPUTS:
            if name.startswith("units_ordered") and name.endswith(short):
                whole = name.removesuffix(short) + long
                columns[whole] = columns[whole] + columns[name]
    for rate in RATES:
        for part, whole in zip(rate.inputs[::2], rate.inputs[1::2], strict=True):
            columns[part] = np.floor(columns[whole] * rng.random(rows))
    for name in ("days_since_last_order", "latest_paid_price_minor"):
        columns[name] = np.where(rng.random(rows) < 0.3, np.nan, columns[name])
    columns["units_offered"] += 1
    columns["list_price_minor"] += 1
    return columns


@pytest.mark.parametrize("declared", DECLARED, ids=lambda d: d.name)
def test_declaration_follows_the_grammar_and_says_what_it_is(declared: Declared) -> None:
    assert GRAMMAR.fullmatch(declared.name)
    assert re.fullmatch(r"[A-Z].{15,}\.", declared.description)
    assert declared.unit
    if declared.name.endswith(("_rate", "_share")) or "_rate_" in declared.name:
        assert (declared.low, declared.high) == (0.0, 1.0)
    if "_minor" in declared.name:
        assert declared.unit == "minor currency units"
    if isinstance(declared, Windowed):
        assert declared.name.endswith(f"_{declared.days}d")


def test_names_are_unique() -> None:
    names = [declared.name for declared in DECLARED]
    assert len(names) == len(set(names)) == len(CATALOGUE.model_inputs)


@pytest.mark.parametrize("feature", CATALOGUE.base, ids=lambda d: d.name)
def test_base_feature_names_a_signal(feature: Base) -> None:
    assert feature.signal in SIGNALS


@pytest.mark.parametrize("feature", CATALOGUE.derived, ids=lambda d: d.name)
def test_derived_feature_stands_after_its_inputs(feature: Derived) -> None:
    position = CATALOGUE.derived.index(feature)
    before = {*INPUTS, *(d.name for d in CATALOGUE.derived[:position])}
    assert set(feature.inputs) <= before


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_derived_values_stay_within_their_bounds(seed: int) -> None:
    matrix = design_matrix(CATALOGUE, columns_of(40, seed), PARAMETERS)
    for declared, values in zip(DECLARED, matrix.T, strict=True):
        known = values[~np.isnan(values)]
        assert declared.low is None or (known >= declared.low).all(), declared.name
        assert declared.high is None or (known <= declared.high).all(), declared.name


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 70))
def test_row_of_the_design_matrix_is_the_same_alone_and_in_company(seed: int, rows: int) -> None:
    columns = columns_of(rows, seed)
    together = design_matrix(CATALOGUE, columns, PARAMETERS)
    for row in (0, rows // 2, rows - 1):
        alone = {name: values[row : row + 1] for name, values in columns.items()}
        single = design_matrix(CATALOGUE, alone, PARAMETERS)[0]
        assert single.tobytes() == together[row].tobytes()


def test_null_counts_of_an_absent_table_stay_null() -> None:
    columns = columns_of(3, 0)
    for name in INPUTS:
        if "returned" in name or "ripe" in name:
            columns[name] = np.full(3, np.nan)
    matrix = dict(
        zip(CATALOGUE.model_inputs, design_matrix(CATALOGUE, columns, PARAMETERS).T, strict=True)
    )
    for name in ("return_rate_180d", "pooled_return_rate_180d", "own_weight_return_rate_180d"):
        assert np.isnan(matrix[name]).all()
    assert np.isfinite(matrix["pooled_sell_through_rate_180d"]).all()


def test_monotone_signs_stand_at_the_place_of_their_input() -> None:
    signs = dict(zip(CATALOGUE.model_inputs, CATALOGUE.monotone("sell_through"), strict=True))
    assert signs["units_offered"] == signs["list_price_minor"] == -1
    assert signs["demand_cover_28d"] == 1
    assert signs["units_ordered_28d"] == 0
    assert set(CATALOGUE.monotone("return_risk")) == {0}


FIRST = CATALOGUE.features[0]


@pytest.mark.parametrize(
    "changed",
    [
        dataclasses.replace(FIRST, description="Something else altogether."),
        dataclasses.replace(FIRST, high=5.0),
        dataclasses.replace(FIRST, monotone=(("return_risk", 1),)),
    ],
)
def test_fingerprint_changes_with_any_declaration(changed: Feature) -> None:
    other = dataclasses.replace(CATALOGUE, features=(changed, *CATALOGUE.features[1:]))
    assert other.fingerprint != CATALOGUE.fingerprint
