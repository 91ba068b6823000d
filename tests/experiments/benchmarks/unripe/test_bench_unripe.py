"""The benchmark of early rates: its arithmetic beside plain loops, and a market end to end."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from experiments.benchmarks.unripe import cohorts as cohorts_module
from experiments.benchmarks.unripe.benchmark import (
    AgeFigures,
    Bias,
    CohortBenchmarkConfig,
    compare,
    measure,
    summarise,
)
from experiments.benchmarks.unripe.cohorts import AGES, build_cohorts, count_outcomes
from experiments.benchmarks.unripe.page import as_document, page, verdicts
from experiments.benchmarks.unripe.sale_outcomes import MAX_TRANSIT_DAYS
from experiments.simulator.configuration.configuration import Simulation
from features.dataset.dataset import Dataset, open_dataset
from features.dataset.horizons import Horizons
from features.declarations.levels import Level
from features.declarations.shrinkage import REPURCHASE_RATE, RETURN_RATE, Rate
from features.point_in_time.signal_rows import build_stored_rows
from features.runtime.progress import ignore_progress
from tests.worlds.random_markets import HORIZONS, random_world, shared_engine
from training.metrics.bootstrap import BootstrapInterval

MARKET = Simulation(products=400, chunk_products=400, markets=("US", "DE"), days=330)
DAY = pd.Timedelta(days=1)
EPOCH = pd.Timestamp("1970-01-01")
Known = dict[tuple[str, int], list[int]]
ByLoops = Callable[[Mapping[str, pd.DataFrame], Mapping[str, str]], Known]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def found(work: Path) -> list[AgeFigures]:
    return measure(CohortBenchmarkConfig([MARKET], work), ignore_progress)


@pytest.fixture(scope="module")
def dataset(work: Path, found: list[AgeFigures]) -> Dataset:  # noqa: ARG001 - it made the market
    return open_dataset(next(work.glob("*-validated")))


def _rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples())


def _midnight(moment: pd.Timestamp) -> int:
    return int(-((moment - EPOCH) // -DAY))


def _counted(pairs: list[tuple[str, pd.Timestamp, pd.Timestamp, int, int]]) -> Known:
    """Add up (market, sold, known, trials, successes) by market and week: all, and at 14 days."""
    totals: Known = defaultdict(lambda: [0, 0, 0, 0])
    for market, sold, known, trials, successes in pairs:
        end = _midnight(sold)
        while end % 7 != 4:  # 1970-01-05 was a Monday
            end += 1
        cell = totals[market, end]
        cell[0] += trials
        cell[1] += successes
        if _midnight(known) <= end + 14:
            cell[2] += trials
            cell[3] += successes
    return totals


def _returns_by_loops(frames: Mapping[str, pd.DataFrame], markets: Mapping[str, str]) -> Known:
    delivered = frames["deliveries"].dropna(subset=["available_at"])
    arrived = dict(zip(delivered.order_line_id, delivered.event_time, strict=True))
    pairs = []
    for line in _rows(frames["orders"].dropna(subset=["available_at"])):
        market = markets[line.listing_id]
        pairs.append((market, line.event_time, line.available_at, line.units, 0))
        lost = line.event_time + MAX_TRANSIT_DAYS * DAY
        over = arrived.get(line.order_line_id, lost) + HORIZONS.return_window_days * DAY
        for back in _rows(frames["returns"].dropna(subset=["available_at"])):
            if back.order_line_id == line.order_line_id and back.event_time <= over:
                known = max(line.available_at, back.available_at)
                pairs.append((market, line.event_time, known, 0, back.units))
    return _counted(pairs)


def _repeats_by_loops(frames: Mapping[str, pd.DataFrame], markets: Mapping[str, str]) -> Known:
    bought = defaultdict(list)
    for line in _rows(frames["orders"].dropna(subset=["available_at", "buyer_key"])):
        bought[line.listing_id, line.buyer_key].append(line)
    pairs = []
    for (listing, _), lines in bought.items():
        first = min(lines, key=lambda line: (line.event_time, line.order_line_id))
        pairs.append((markets[listing], first.event_time, first.available_at, 1, 0))
        over = first.event_time + HORIZONS.repurchase_window_days * DAY
        known = [
            max(line.available_at, first.available_at)
            for line in lines
            if line.order_id != first.order_id and first.event_time < line.event_time <= over
        ]
        if known:
            pairs.append((markets[listing], first.event_time, min(known), 0, 1))
    return _counted(pairs)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize(
    ("rate", "by_loops"),
    [(RETURN_RATE, _returns_by_loops), (REPURCHASE_RATE, _repeats_by_loops)],
    ids=["returns", "repurchase"],
)
def test_cohorts_are_those_of_plain_loops(
    rate: Rate, by_loops: ByLoops, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohorts_module, "MIN_TRIALS", 1)
    frames = random_world(seed)
    engine = shared_engine()
    engine.load(frames)
    markets = dict(zip(frames["listings"].listing_id, frames["listings"].market, strict=True))
    counts = count_outcomes(engine.dataset, HORIZONS, rate=rate, level=Level.MARKET)
    cohorts = build_cohorts(counts, ["market"], last_day=10**6, ages=(14,))
    expected = by_loops(frames, markets)
    assert len(cohorts) > 10
    for row in _rows(cohorts):
        trials, successes, seen, back = expected[row.market, row.end_day]
        assert (row.trials, row.mature_rate) == (trials, successes / trials)
        assert row.naive_rate == back / seen if seen else np.isnan(row.naive_rate)


def test_cohorts_whose_end_nobody_knows_are_left_out() -> None:
    counts = pd.DataFrame(
        {
            "market": "US",
            "sold_day": [4, 11, 12, 18, 19],
            "known_day": 30,
            "over_day": [40, 50, 51, 60, 61],
            "trials": 200,
            "successes": 10,
        }
    )
    kept = {last: build_cohorts(counts, ["market"], last_day=last).end_day for last in (49, 51, 61)}
    assert {last: sorted(set(ends)) for last, ends in kept.items()} == {
        49: [],
        51: [11],
        61: [11, 18, 25],
    }


def test_naive_rates_are_too_low_and_the_features_are_not(found: list[AgeFigures]) -> None:
    by_market = {(one.rate, one.age): one for one in found if one.level is Level.MARKET}
    assert set(by_market) == {
        (rate.name, age) for rate in (RETURN_RATE, REPURCHASE_RATE) for age in AGES
    }
    for one in by_market.values():
        assert one.naive.mean.high < 0
    week_old = by_market["return_rate", 7]
    assert week_old.naive.mean.mean < -2
    assert abs(week_old.feature.mean.mean) < 1


def test_counting_units_that_are_not_mature_is_found(dataset: Dataset) -> None:
    hasty = build_stored_rows(dataset, Horizons(return_window_days=1))
    cohorts = compare(dataset, hasty, rate=RETURN_RATE, level=Level.MARKET).assign(seed=0)
    week_old = next(summarise(cohorts, rate=RETURN_RATE, level=Level.MARKET))
    assert week_old.feature.mean.high < -1
    assert verdicts([week_old])[0].startswith("not reached: return_rate by market, 7 days old")


def test_page_and_document_hold_all_figures(found: list[AgeFigures]) -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(page(found))
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    document = json.loads(json.dumps(as_document(found)))
    assert len(document["figures"]) == len(document["verdicts"]) == len(found)
    for figures in document["figures"]:
        assert f"{figures['feature']['mean']['mean']:+.2f}" in printed
        assert f"{figures['naive']['absolute']:.2f}" in printed


@pytest.mark.parametrize(
    ("mean", "said"), [(1.0, "reached: "), (-1.01, "not reached: "), (1.01, "not reached: ")]
)
def test_verdict_bounds_the_bias_either_way(mean: float, said: str) -> None:
    bias = Bias(BootstrapInterval(mean, mean, mean), 2.0)
    one = AgeFigures(
        rate="return_rate",
        level=Level.MARKET,
        age=7,
        cohorts=9,
        left_out=0,
        mature_rate=0.1,
        feature=bias,
        naive=bias,
    )
    assert verdicts([one])[0].startswith(said)
