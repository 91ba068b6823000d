"""A battery over every declared feature: a new one is tested by being listed."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue.catalogue import CATALOGUE
from features.declarations.kinds import (
    Age,
    BaseFeature,
    Derived,
    Elapsed,
    Feature,
    FeatureDeclaration,
    Fulfilled,
    Latest,
    WindowFeature,
)
from features.declarations.levels import Level, name_feature
from features.declarations.return_evidence import NARROW_LEVELS
from features.declarations.shrinkage import RATES
from features.runtime.arrays import FloatArray
from features.signals.registry import SIGNALS
from tests.worlds.market_rows import PARAMETERS, collect_values

DECLARED = CATALOGUE.declarations
GRAMMAR = re.compile(r"[a-z]+(_[a-z]+)*_([a-z]+|\d+d)")
"""Measure, subject, qualifier, window; for a count the measure is the subject (`views_28d`)."""
LEVEL_AND_WINDOW = re.compile(
    r"(_(" + "|".join(sorted(Level, key=len, reverse=True)) + r"))?(_\d+d)?\Z"
)
"""The end of a feature's name: its level and its window."""
INPUTS = {d.name: d for d in (*CATALOGUE.request_fields, *CATALOGUE.base)}


PARTS = [
    *(pair for rate in RATES for pair in zip(rate.inputs[::2], rate.inputs[1::2], strict=True)),
    *(
        (name_feature(part, level, days), name_feature("units_open", level, longer))
        for level in NARROW_LEVELS
        for part, days, longer in (
            ("units_open_returned", 180, 180),
            ("units_open", 14, 180),
            ("units_open", 7, 14),
        )
    ),
    ("requirements_met", "requirements_category_market"),
    ("certificates_held", "certificates_required_category_market"),
    *(
        (name, name.removesuffix(short) + long)
        for short, long in (("28d", "84d"), ("337d", "365d"))
        for name in INPUTS
        if name.startswith("units_ordered") and name.endswith(short)
        if name.removesuffix(short) + long in INPUTS
    ),
]
"""Pairs of counts: a part, then its whole."""


def draw_columns(rows: int, seed: int) -> dict[str, FloatArray]:
    """Draw base features within their bounds: parts within their whole, some values null."""
    rng = np.random.default_rng(seed)
    columns = {
        name: rng.integers(0, 50, rows).astype(float) if declared.high is None else rng.random(rows)
        for name, declared in INPUTS.items()
    }
    for part, whole in PARTS:
        columns[part] = np.floor(columns[whole] * rng.random(rows))
    for name, declared in INPUTS.items():
        if isinstance(declared, Latest | Elapsed | Age):
            columns[name] = np.where(rng.random(rows) < 0.3, np.nan, columns[name])
    columns["days_since_first_order_market"] *= 20
    columns["units_offered"] += 1
    columns["list_price_minor"] += 1
    return columns


@pytest.mark.parametrize("declared", DECLARED, ids=lambda d: d.name)
def test_declaration_follows_the_grammar_and_has_a_description(
    declared: FeatureDeclaration,
) -> None:
    assert GRAMMAR.fullmatch(declared.name)
    assert re.fullmatch(r"[A-Z].{15,}[^.,]\.", declared.description)
    assert not re.search(r"[{}]|  ", declared.description)
    assert declared.unit
    subject = LEVEL_AND_WINDOW.sub("", declared.name)
    is_rate = subject.endswith(("_rate", "_share")) and not subject.startswith("is_")
    if is_rate or subject.startswith(("is_", "has_")):
        assert (declared.low, declared.high) == (0.0, 1.0)
    if declared.unit == "share":
        assert (declared.low, declared.high) == (0.0, 1.0)
    assert ("_minor" in declared.name) == (declared.unit == "minor currency units")


@pytest.mark.parametrize("feature", CATALOGUE.base, ids=lambda d: d.name)
def test_base_feature_is_named_after_its_level_and_window(feature: BaseFeature) -> None:
    ending = "" if feature.level is Level.LISTING else f"_{feature.level.value}"
    if isinstance(feature, WindowFeature):
        ending += f"_{feature.days}d"
    assert feature.name.endswith(ending)
    bare = feature.name.removesuffix(ending)
    assert not any(bare.endswith(f"_{level.value}") for level in Level if level != Level.LISTING)


@pytest.mark.parametrize("feature", CATALOGUE.base, ids=lambda d: d.name)
def test_signal_of_a_base_feature_reaches_its_level(feature: BaseFeature) -> None:
    assert SIGNALS[feature.signal].has_level(feature.level)
    if isinstance(feature, Fulfilled):
        assert SIGNALS[feature.states].has_level(feature.level)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda d: d.name)
def test_values_in_real_markets_stay_within_the_bounds(declared: FeatureDeclaration) -> None:
    values = collect_values()[declared.name]
    known = values[~np.isnan(values)]
    assert declared.low is None or (known >= declared.low).all()
    assert declared.high is None or (known <= declared.high).all()


@pytest.mark.parametrize("declared", DECLARED, ids=lambda d: d.name)
def test_values_in_real_markets_differ(declared: FeatureDeclaration) -> None:
    values = collect_values()[declared.name]
    assert len(set(values[~np.isnan(values)])) > 1


def test_names_are_unique() -> None:
    names = [declared.name for declared in DECLARED]
    assert len(names) == len(set(names))


def test_models_see_neither_evidence_nor_clocks() -> None:
    """A value that all listings of a market share is a clock: it only tells when a row is from."""
    inputs = [declared for declared in DECLARED if declared.is_input]
    assert CATALOGUE.model_inputs == tuple(declared.name for declared in inputs)
    levels = {declared.name: getattr(declared, "level", None) for declared in inputs}
    assert Level.MARKET not in levels.values()
    used = {name for derived in CATALOGUE.derived for name in derived.inputs}
    assert {d.name for d in DECLARED if not d.is_input} <= used


def test_design_matrix_holds_the_values_of_the_model_inputs() -> None:
    columns = draw_columns(7, 0)
    values = CATALOGUE.value_matrix(columns, PARAMETERS)
    is_input = [declared.is_input for declared in DECLARED]
    expected = values[:, is_input]
    np.testing.assert_array_equal(CATALOGUE.design_matrix(columns, PARAMETERS), expected)


@pytest.mark.parametrize("feature", CATALOGUE.derived, ids=lambda d: d.name)
def test_derived_feature_stands_after_its_inputs(feature: Derived) -> None:
    position = CATALOGUE.derived.index(feature)
    before = {*INPUTS, *(d.name for d in CATALOGUE.derived[:position])}
    assert set(feature.inputs) <= before


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_derived_values_stay_within_their_bounds(seed: int) -> None:
    matrix = CATALOGUE.value_matrix(draw_columns(40, seed), PARAMETERS)
    for declared, values in zip(DECLARED, matrix.T, strict=True):
        known = values[~np.isnan(values)]
        assert declared.low is None or (known >= declared.low).all(), declared.name
        assert declared.high is None or (known <= declared.high).all(), declared.name


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 70))
def test_row_of_the_design_matrix_is_the_same_alone_and_among_others(seed: int, rows: int) -> None:
    columns = draw_columns(rows, seed)
    together = CATALOGUE.design_matrix(columns, PARAMETERS)
    for row in (0, rows // 2, rows - 1):
        alone = {name: values[row : row + 1] for name, values in columns.items()}
        single = CATALOGUE.design_matrix(alone, PARAMETERS)[0]
        assert single.tobytes() == together[row].tobytes()


def test_null_counts_of_an_absent_table_stay_null() -> None:
    columns = draw_columns(3, 0)
    for name in INPUTS:
        if "returned" in name or "ripe" in name:
            columns[name] = np.full(3, np.nan)
    matrix = dict(
        zip(CATALOGUE.model_inputs, CATALOGUE.design_matrix(columns, PARAMETERS).T, strict=True)
    )
    for name in ("return_rate_180d", "pooled_return_rate_180d", "own_weight_return_rate_180d"):
        assert np.isnan(matrix[name]).all()
    assert np.isfinite(matrix["pooled_sell_through_rate_180d"]).all()


def test_monotone_signs_have_the_index_of_their_input() -> None:
    signs = dict(zip(CATALOGUE.model_inputs, CATALOGUE.monotone("sell_through"), strict=True))
    assert signs["units_offered"] == signs["list_price_minor"] == -1
    assert signs["demand_pace_28d"] == 1
    assert signs["days_since_listed"] == 0
    assert set(CATALOGUE.monotone("return_risk")) == {0}


@pytest.mark.parametrize("field", CATALOGUE.request_fields, ids=lambda d: d.name)
def test_feature_moved_by_a_request_field_declares_the_monotone_sign(
    field: FeatureDeclaration,
) -> None:
    """Without the sign on such a feature, a higher price could sell more."""
    field_sign = dict(field.monotone)["sell_through"]
    columns = draw_columns(2_000, 0)
    before = CATALOGUE.design_matrix(columns, PARAMETERS)
    raised = {**columns, field.name: columns[field.name] + 1}
    moved = np.nan_to_num(CATALOGUE.design_matrix(raised, PARAMETERS) - before)
    for name, sign, change in zip(
        CATALOGUE.model_inputs, CATALOGUE.monotone("sell_through"), moved.T, strict=True
    ):
        if change.any():
            assert sign != 0, name
            assert (np.sign(change) * sign * field_sign >= 0).all(), name


FIRST = CATALOGUE.features[0]


@pytest.mark.parametrize(
    "changed",
    [
        dataclasses.replace(FIRST, unit="parcels"),
        dataclasses.replace(FIRST, high=5.0),
        dataclasses.replace(FIRST, monotone=(("return_risk", 1),)),
    ],
)
def test_fingerprint_changes_with_any_declaration(changed: Feature) -> None:
    other = dataclasses.replace(CATALOGUE, features=(changed, *CATALOGUE.features[1:]))
    assert other.fingerprint != CATALOGUE.fingerprint


def test_fingerprint_ignores_descriptions() -> None:
    changed = dataclasses.replace(FIRST, description="Something else altogether.")
    other = dataclasses.replace(CATALOGUE, features=(changed, *CATALOGUE.features[1:]))
    assert other.fingerprint == CATALOGUE.fingerprint
