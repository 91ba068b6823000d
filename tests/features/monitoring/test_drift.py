"""Drift: the index is its definition, ties are one edge, and chance raises no alarm."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.monitoring.drift import (
    Bins,
    build_bins,
    chance_limit,
    compute_shares,
    stability_index,
)
from features.monitoring.reference_stats import describe_column
from features.runtime.arrays import FloatArray

TEN = np.repeat(np.arange(10.0), 100)


def index_by_definition(p: list[float], q: list[float]) -> float:
    return sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


@pytest.mark.parametrize(
    ("reference", "subjects", "edges", "shares"),
    [
        pytest.param(np.arange(1000.0), 1000, list(range(99, 900, 100)), [0.1] * 10, id="untied"),
        pytest.param(np.repeat([0.0, 5.0], [65, 35]), 1000, [0], [0.65, 0.35], id="two values"),
        pytest.param(
            np.r_[np.zeros(650), np.arange(1.0, 351)],
            1000,
            [0, 50, 150, 250],
            [0.65, 0.05, 0.1, 0.1, 0.1],
            id="mostly zero",
        ),
        pytest.param(np.r_[np.zeros(99), 7], 1000, [0], [0.99, 0.01], id="almost constant"),
        pytest.param(np.arange(1000.0), 20, [299, 599], [0.3, 0.3, 0.4], id="few subjects"),
        pytest.param(np.arange(1000.0), 1, [499], [0.5, 0.5], id="one subject"),
    ],
)
def test_bins_are_deciles_merged_where_tied_or_thin(
    reference: FloatArray, subjects: int, edges: list[float], shares: list[float]
) -> None:
    bins = build_bins(describe_column(reference), subjects)
    assert bins.edges.tolist() == edges
    assert bins.shares.tolist() == pytest.approx(shares)


def test_bins_of_a_constant_lie_below_at_and_above_it() -> None:
    bins = build_bins(describe_column(np.full(9, 3.0)), 9)
    assert bins.shares.tolist() == [0, 1, 0]
    assert compute_shares(bins, np.array([2.0, 3, 3, 4])).tolist() == [0.25, 0.5, 0.25]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(-3, 12), min_size=1, max_size=60),
    edges=st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True),
    subjects=st.integers(1, 50),
)
def test_index_is_its_definition_over_bins_counted_one_by_one(
    values: list[int], edges: list[int], subjects: int
) -> None:
    edges = sorted(edges)
    bins = Bins(np.array(edges, dtype=float), np.full(len(edges) + 1, 1 / (len(edges) + 1)))
    counts = Counter(sum(value > edge for edge in edges) for value in values)
    found = compute_shares(bins, np.array(values, dtype=float))
    assert found.tolist() == pytest.approx([counts[i] / len(values) for i in range(len(edges) + 1)])
    padded = [
        [(share * subjects + 0.5) / (subjects + 0.5 * len(found)) for share in shares]
        for shares in (bins.shares.tolist(), found.tolist())
    ]
    index = stability_index(bins.shares, found, subjects)
    assert index == pytest.approx(index_by_definition(*padded))
    assert index >= 0


def test_reference_against_itself_has_no_drift() -> None:
    bins = build_bins(describe_column(TEN), 1000)
    assert stability_index(bins.shares, compute_shares(bins, TEN), 1000) == pytest.approx(
        0, abs=1e-12
    )


def drawn(rng: np.random.Generator, kind: str, rows: int) -> FloatArray:
    if kind == "untied":
        return rng.normal(size=rows)
    if kind == "tied":
        return rng.poisson(1.0, rows).astype(float)
    return rng.exponential(size=rows) * (rng.random(rows) < 0.2)


@pytest.mark.parametrize("kind", ["untied", "tied", "mostly zero"])
@pytest.mark.parametrize("rows", [30, 300, 3000])
def test_chance_limit_is_seldom_exceeded_without_drift(kind: str, rows: int) -> None:
    rng = np.random.default_rng(rows)
    exceeded = 0
    for _ in range(200):
        bins = build_bins(describe_column(drawn(rng, kind, rows)), rows)
        index = stability_index(bins.shares, compute_shares(bins, drawn(rng, kind, rows)), rows)
        exceeded += index > chance_limit(len(bins.shares), rows, columns=1)
    assert exceeded <= 20  # 5 % of 200 are expected, three standard deviations more are 19


def test_chance_limit_falls_with_subjects_and_rises_with_bins_and_columns() -> None:
    limit = chance_limit(10, 1000, 100)
    assert chance_limit(10, 2000, 100) == pytest.approx(limit / 2)
    assert chance_limit(5, 1000, 100) < limit < chance_limit(10, 1000, 1000)
    assert limit > 2 * 9 / 1000  # more than what is expected without drift
