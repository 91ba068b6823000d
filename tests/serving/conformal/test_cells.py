from __future__ import annotations

import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.levels import Level
from serving.conformal.cells import (
    EVIDENCE_AMOUNTS,
    MUCH_UNITS,
    OWN_HISTORY,
    OWN_ORDERED,
    OwnEvidence,
    ancestors,
    build_interval_context,
    cell_codes,
    expected_orders,
    is_cold_start,
    leaf_cells,
    own_evidence,
)

NONE, SOME, MUCH = EVIDENCE_AMOUNTS


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.0, 0.0, 0.0), NONE),
        ((np.nan, np.nan, np.nan), NONE),
        ((0.0, np.nan, 0.0), NONE),
        ((1.0, 0.0, 0.0), SOME),
        ((0.0, 1.0, np.nan), SOME),
        ((np.nan, 0.0, 1.0), SOME),
        ((0.0, 1e6, 0.0), SOME),
        ((MUCH_UNITS - 1.0, 0.0, 0.0), SOME),
        ((MUCH_UNITS, 0.0, np.nan), MUCH),
        ((0.0, 0.0, MUCH_UNITS), MUCH),
    ],
)
def test_own_evidence_is_what_the_listing_itself_has_shown(
    values: tuple[float, ...], expected: OwnEvidence
) -> None:
    columns = {name: np.array([v]) for name, v in zip(OWN_HISTORY, values, strict=True)}
    assert EVIDENCE_AMOUNTS[own_evidence(columns)[0]] == expected
    assert is_cold_start(columns).tolist() == [expected == NONE]


def test_own_history_names_base_features_of_the_listing() -> None:
    assert set(OWN_HISTORY) <= {feature.name for feature in CATALOGUE.at_level(Level.LISTING)}
    assert set(OWN_ORDERED) <= set(OWN_HISTORY)


def test_own_cell_of_a_row_is_its_evidence_in_its_market() -> None:
    columns = {name: np.array([0.0, 1.0, 99.0] * 2) for name in OWN_HISTORY}
    markets = ("DE", "DE", "DE", "US", "US", "US")
    cells = leaf_cells(("DE", "US"))
    found = [cells[code] for code in cell_codes(columns, np.array([0, 0, 0, 1, 1, 1]))]
    assert found == [(level, market) for market in ("DE", "US") for level in EVIDENCE_AMOUNTS]
    context = build_interval_context(markets, columns, np.ones(6))
    assert [context.cells[code] for code in context.codes] == found
    assert context.select(np.array([5])).codes.tolist() == [5]


def test_ancestors_of_a_cell_go_up_to_all_rows() -> None:
    assert ancestors(("some", "DE")) == (("some", "DE"), ("some",), ())


@pytest.mark.parametrize(
    ("offered", "sell_through", "ordered"),
    [(100.0, 0.3, 30.0), (1.0, 0.5, 1.0), (8.0, 0.0, 1.0)],
)
def test_expected_orders_are_a_share_of_the_lot_and_one_at_least(
    offered: float, sell_through: float, ordered: float
) -> None:
    assert expected_orders(np.array([offered]), np.array([sell_through])).tolist() == [ordered]
