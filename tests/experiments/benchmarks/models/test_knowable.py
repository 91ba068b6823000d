"""What can be known of return risk: an ideal forecaster between shrinkage and the truth."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from experiments.benchmarks.models.hidden_quality import QualityEvidence, SupplyTree, posterior
from experiments.benchmarks.models.knowable import KnowableRates, knowable_rates
from experiments.benchmarks.models.observed_history import return_known_chance
from experiments.simulator.configuration.arrays import logistic
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.parameters import ReturnSizes
from experiments.simulator.tables.simulate import simulate
from experiments.simulator.tables.writing import truth_directory
from experiments.simulator.truth.noise_floor import row_log_loss
from experiments.simulator.truth.reader import Truth
from features.runtime.arrays import FloatArray

MARKET: Final = Simulation(products=400, chunk_products=200, markets=("US", "DE"), days=200)
NOTHING_HIDDEN: Final = ReturnSizes(quality_slope=0, listing_sd=0)


def _market(tmp: Path, market: Simulation) -> Path:
    simulate(market, tmp / "market")
    return tmp / "market"


def _moments(data: Path, latest_days: int = 14) -> pd.DataFrame:
    moments = Truth.open(truth_directory(data)).moments().to_pandas()
    is_late = moments["as_of_day"] > moments["as_of_day"].max() - latest_days
    return pd.DataFrame(moments[is_late])


def _known(data: Path, moments: pd.DataFrame) -> KnowableRates:
    market = Truth.open(truth_directory(data)).market
    listing = moments["listing_id"].to_numpy(object)
    return knowable_rates(market, data, listing, moments["as_of_day"].to_numpy())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _market(tmp_path_factory.mktemp("knowable"), MARKET)


def _expected_loss(truth: FloatArray, estimate: FloatArray) -> float:
    return float(row_log_loss(truth, estimate).mean())


def test_ideal_loses_more_than_the_truth_and_less_than_what_is_open_alone(data: Path) -> None:
    moments = _moments(data)
    truth = moments["expected_return_rate"].to_numpy()
    known = _known(data, moments)
    category = moments["listing_id"].map(
        Truth.open(truth_directory(data))
        .candidates()
        .to_pandas()
        .set_index("listing_id")["category"]
    )
    usual = moments.groupby(category.to_numpy())["expected_return_rate"].transform("mean")
    losses = [
        _expected_loss(truth, estimate)
        for estimate in (truth, known.given_quality, known.by_evidence, usual.to_numpy())
    ]
    assert losses == sorted(losses)
    assert len(set(losses)) == len(losses)


def test_ideal_is_the_truth_where_nothing_is_hidden(tmp_path: Path) -> None:
    market = MARKET.model_copy(update={"products": 100, "returns": NOTHING_HIDDEN})
    data = _market(tmp_path, market)
    moments = _moments(data)
    known = _known(data, moments)
    truth = moments["expected_return_rate"].to_numpy()
    np.testing.assert_allclose(known.by_evidence, truth, rtol=1e-9)
    np.testing.assert_allclose(known.given_quality, truth, rtol=1e-9)


def test_ideal_is_calibrated(data: Path) -> None:
    moments = _moments(data, latest_days=60)
    known = _known(data, moments).by_evidence
    truth = moments["expected_return_rate"].to_numpy()
    assert known.mean() == pytest.approx(truth.mean(), rel=0.05)
    slope = np.cov(truth, known)[0, 1] / known.var(ddof=1)
    assert slope == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("returns", "units", 3), ("reviews", "rating", 1), ("supplier_audits", "score", 0.01)],
)
def test_what_became_known_later_changes_nothing(
    data: Path, tmp_path: Path, table: str, column: str, value: float
) -> None:
    moments = _moments(data, latest_days=1_000)
    middle = int(moments["as_of_day"].quantile(0.6))
    moments = moments[moments["as_of_day"].between(middle - 7, middle)]
    changed = tmp_path / "market"
    shutil.copytree(data, changed)
    shutil.copytree(truth_directory(data), truth_directory(changed))
    before = _known(data, moments)
    _overwrite(changed / table, column, value, from_day=middle + 1)
    np.testing.assert_array_equal(_known(changed, moments).by_evidence, before.by_evidence)
    _overwrite(changed / table, column, value, from_day=0)
    assert (_known(changed, moments).by_evidence != before.by_evidence).any()


def _overwrite(folder: Path, column: str, value: float, *, from_day: int) -> None:
    """Give all rows a value that became known after the midnight that begins a day."""
    for path in folder.glob("*.parquet"):
        rows = pq.read_table(path)
        midnight = pa.scalar(from_day * 86_400_000_000, pa.timestamp("us"))
        is_later = pc.greater(rows["available_at"], midnight)
        place, kind = rows.column_names.index(column), rows.schema.field(column).type
        given = pc.if_else(is_later, pa.scalar(value, kind), rows[column])
        pq.write_table(rows.set_column(place, rows.schema.field(column), given), path)


def _evidence(units: float, hidden: FloatArray) -> tuple[SupplyTree, QualityEvidence]:
    """Return two suppliers of two products with two listings each, and what units showed."""
    tree = SupplyTree(np.repeat(np.arange(4), 2), np.repeat(np.arange(2), 2), 2)
    odds = np.full(8, -2.0)
    nothing = np.zeros(2)
    trials = np.full(8, units)
    returned = trials * logistic(odds + hidden)
    counts = (np.arange(8), odds, trials, returned, np.zeros((5, 4)))
    return tree, QualityEvidence(*counts, nothing, nothing, nothing, nothing)


def test_posterior_converges_to_the_truth_with_endless_evidence() -> None:
    hidden = np.linspace(-0.6, 0.6, 8)
    tree, evidence = _evidence(1e9, hidden)
    found = posterior(MARKET, tree, evidence)
    np.testing.assert_allclose(found.mean, hidden, atol=1e-5)
    assert found.variance.max() < 1e-6


def test_posterior_without_evidence_is_the_prior() -> None:
    tree, evidence = _evidence(0.0, np.zeros(8))
    found = posterior(MARKET, tree, evidence)
    sizes = MARKET.returns
    np.testing.assert_allclose(found.mean, 0, atol=1e-12)
    np.testing.assert_allclose(found.variance, sizes.quality_slope**2 + sizes.listing_sd**2)


def test_posterior_equals_conditioning_on_the_joint_normal() -> None:
    """Near no evidence the parabola is the likelihood: check the tree against one big matrix."""
    rng = np.random.default_rng(1)
    tree, evidence = _evidence(40.0, 0.3 * rng.standard_normal(8))
    found = posterior(MARKET, tree, evidence)
    rate = logistic(evidence.log_odds + found.mean)
    precision = np.diag(evidence.trials * rate * (1 - rate))
    information = precision @ found.mean + evidence.returned - evidence.trials * rate
    slope, own = MARKET.returns.quality_slope, MARKET.returns.listing_sd
    same_product = np.kron(np.eye(4), np.ones((2, 2)))
    same_supplier = np.kron(np.eye(2), np.ones((4, 4)))
    prior = slope**2 * (0.64 * same_supplier + 0.36 * same_product) + own**2 * np.eye(8)
    covariance = np.linalg.inv(np.linalg.inv(prior) + precision)
    np.testing.assert_allclose(found.mean, covariance @ information, atol=1e-9)
    np.testing.assert_allclose(found.variance, np.diag(covariance), rtol=1e-9)


def test_returns_are_known_after_delay_and_report() -> None:
    chance = return_known_chance(MARKET)
    rng = np.random.default_rng(0)
    days = rng.gamma(2, MARKET.returns.delay_days / 2, 200_000)
    sizes = MARKET.knowledge.returns
    days += rng.exponential(sizes.hours / 24, days.size)
    days += (rng.random(days.size) < sizes.backfill_share) * rng.exponential(
        sizes.backfill_days, days.size
    )
    for after in (1, 5, 10, 30, 60):
        assert chance[24 * after] == pytest.approx((days <= after).mean(), abs=0.005)
