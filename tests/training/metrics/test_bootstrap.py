from __future__ import annotations

import numpy as np
import pytest

from training.metrics.bootstrap import RESAMPLES, bootstrap_means


def test_bootstrap_is_that_of_a_loop_that_draws_whole_products() -> None:
    rng = np.random.default_rng(3)
    clusters = rng.choice([4, 8, 15, 16, 23, 42], 40)
    weight = rng.integers(1, 9, 40).astype(float)
    values = {"loss": rng.normal(size=40), "error": rng.normal(size=40)}
    found = bootstrap_means(values, weight, clusters, random_state=7)
    products = sorted(set(clusters))
    draws = np.random.default_rng(7)
    resampled: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(RESAMPLES):
        drawn = [products[place] for place in draws.integers(len(products), size=len(products))]
        rows = [row for product in drawn for row in np.flatnonzero(clusters == product)]
        for name, value in values.items():
            resampled[name].append(np.average(value[rows], weights=weight[rows]))
    for name, value in values.items():
        low, high = np.quantile(resampled[name], [0.025, 0.975])
        expected = [np.average(value, weights=weight), low, high]
        assert [found[name].mean, found[name].low, found[name].high] == pytest.approx(expected)


def test_bootstrap_of_like_rows_is_wider_than_that_of_unlike_ones() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(50), 20)
    of_product = np.repeat(rng.normal(size=50), 20)
    weight = np.ones(1000)
    values = {"like": of_product, "unlike": rng.permutation(of_product)}
    found = bootstrap_means(values, weight, clusters, random_state=0)
    width = {name: one.high - one.low for name, one in found.items()}
    assert width["like"] == pytest.approx(2 * 1.96 * of_product[::20].std() / np.sqrt(50), rel=0.1)
    assert width["unlike"] < width["like"] / 3


def test_bootstrap_is_the_same_for_the_same_state() -> None:
    values = {"loss": np.arange(30.0)}
    clusters = np.arange(30) // 3
    first, again, other = (
        bootstrap_means(values, np.ones(30), clusters, random_state=state) for state in (1, 1, 2)
    )
    assert first == again
    assert first["loss"].low != other["loss"].low
