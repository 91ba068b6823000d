from __future__ import annotations

import numpy as np
import pytest

from features.catalogue import CATALOGUE
from features.levels import Level
from serving.cells import OWN_HISTORY, is_cold_start


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.0, 0.0, 0.0), True),
        ((np.nan, np.nan, np.nan), True),
        ((0.0, np.nan, 0.0), True),
        ((1.0, 0.0, 0.0), False),
        ((0.0, 1.0, np.nan), False),
        ((np.nan, 0.0, 1.0), False),
    ],
)
def test_cold_start_is_a_listing_without_any_history(
    values: tuple[float, ...], *, expected: bool
) -> None:
    columns = {name: np.array([v]) for name, v in zip(OWN_HISTORY, values, strict=True)}
    assert is_cold_start(columns).tolist() == [expected]


def test_own_history_names_base_features_of_the_listing() -> None:
    assert set(OWN_HISTORY) <= {feature.name for feature in CATALOGUE.at(Level.LISTING)}
