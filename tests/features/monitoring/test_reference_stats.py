"""Reference statistics: deciles that occurred, and exactly how many values they reach."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.monitoring.reference_stats import ColumnStats, describe_column


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=40))
def test_description_is_what_counting_one_by_one_gives(values: list[int | None]) -> None:
    known = sorted(value for value in values if value is not None)
    found = describe_column(np.array([math.nan if v is None else v for v in values], dtype=float))
    assert found.missing_share == pytest.approx(1 - len(known) / len(values))
    expected = [known[max(0, math.ceil(i / 10 * len(known)) - 1)] for i in range(11) if known]
    assert list(found.deciles) == expected
    reached = [sum(value <= decile for value in known) / len(known) for decile in expected]
    assert list(found.up_to) == reached


def test_description_survives_json() -> None:
    stats = describe_column(np.array([0.1, 0.2, np.nan]))
    assert msgspec.json.decode(msgspec.json.encode(stats), type=ColumnStats) == stats
