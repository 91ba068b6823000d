"""What the comparison of objectives makes of its rounds: figures, leads, verdicts and the page."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import numpy as np
import pytest
from rich.console import Console

from experiments.benchmarks.objectives.benchmark import (
    ASKED,
    LOTS,
    SMALLER,
    LotResult,
    ObjectiveBenchmarkResult,
    ObjectiveMetrics,
    Round,
    SkippedOrigin,
    compute_metrics,
)
from experiments.benchmarks.objectives.contestants import CONTESTANTS, DEFAULT, NAMES
from experiments.benchmarks.objectives.loss_differences import (
    LossDifferences,
    compute_loss_differences,
    pool_differences,
)
from experiments.benchmarks.objectives.page import as_document, page
from experiments.benchmarks.objectives.verdicts import verdicts
from training.data.sample import Sample
from training.data.training_set import EncodedColumn

RIVAL = next(contestant.name for contestant in CONTESTANTS if contestant.sees_lot)


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        ([0.5, 0.5], (np.log(2), 0.5, 0.25)),
        ([0.0, 1.0], (0.0, 0.0, 0.0)),
        ([0.2, 0.9], (-(np.log(0.8) + 3 * np.log(0.9)) / 4, 0.125, 0.125)),
    ],
)
def test_figures_weigh_rows(estimate: list[float], expected: tuple[float, float, float]) -> None:
    latest = Sample(np.arange(2), np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    found = compute_metrics(latest, np.array(estimate))
    got = (found.log_loss, found.mean_absolute_error, found.calibration_error)
    assert got == pytest.approx(expected, abs=1e-5)


def _round(origin: int, losses: Mapping[str, float], *, apart: float = 0.0) -> Round:
    """Make a round whose products differ by `apart` from each other in what a contestant gains.

    The losses are those of the lots asked; with smaller lots all contestants lose the same.
    """
    turn = np.where(np.arange(50) % 2, apart, -apart)
    results = {}
    for lots, of_lots in ((ASKED, losses), (SMALLER, {})):
        metrics = {name: ObjectiveMetrics(of_lots.get(name, 0.5), 0.2, 0.1) for name in NAMES}
        excess = {name: metrics[name].log_loss - metrics[DEFAULT].log_loss + turn for name in NAMES}
        products = tuple(f"P{number}" for number in range(50))
        results[lots] = LotResult(9, metrics, LossDifferences(products, np.full(50, 0.02), excess))
    return Round(
        data="made up",
        seed=None,
        origin=origin,
        learned_rows=9,
        judged_days=(1, 2),
        by_lots=results,
    )


@pytest.mark.parametrize(
    ("losses", "apart", "verdict", "lead", "end"),
    [
        ([{DEFAULT: 0.4}] * 2, 0, "reached", "the default has the least", "the default"),
        (
            [{RIVAL: 0.4}, {RIVAL: 0.45}],
            0.1,
            "not reached",
            f"{RIVAL} has -0.0750 [-0.",
            "surely less and less in every round",
        ),
        (
            [{RIVAL: 0.4}, {RIVAL: 0.51}, {RIVAL: 0.4}],
            0.1,
            "not reached",
            f"{RIVAL} has -0.0633 [-0.",
            "against the default, surely less",
        ),
        (
            [{RIVAL: 0.499}, {RIVAL: 0.4995}],
            0.1,
            "not reached",
            f"{RIVAL} has -0.0008 [-0.",
            "against the default, less in every round",
        ),
        (
            [{RIVAL: 0.49}, {RIVAL: 0.508}],
            0.1,
            "reached",
            f"{RIVAL} has -0.0010 [-0.",
            "which may be luck",
        ),
        ([{DEFAULT: 0.4}], 0, "not reached", "one round says nothing about", "the default"),
    ],
)
def test_verdict_says_whether_the_default_wins(
    losses: list[dict[str, float]], apart: float, verdict: str, lead: str, end: str
) -> None:
    rounds = [_round(place, losing, apart=apart) for place, losing in enumerate(losses)]
    asked, smaller = verdicts(ObjectiveBenchmarkResult(rounds, []))
    assert asked.startswith(f"{verdict}: made up, {ASKED}: {lead}")
    assert asked.endswith(end)
    assert f"made up, {SMALLER}: " in smaller


def test_leads_by_product_add_up_to_the_difference_of_the_losses() -> None:
    rng = np.random.default_rng(0)
    latest = Sample(np.arange(5, 405), rng.uniform(size=400), rng.uniform(1, 9, 400))
    products = EncodedColumn(rng.integers(0, 30, 500), tuple(f"P{number}" for number in range(31)))
    said = {name: rng.uniform(0.01, 0.99, 400) for name in ("ours", "other")}
    draws = {name: [estimate] for name, estimate in said.items()}
    found = compute_loss_differences(latest, products, draws, default="ours")
    losses = {name: compute_metrics(latest, one).log_loss for name, one in said.items()}
    assert (found.share * found.excess["other"]).sum() == pytest.approx(
        losses["other"] - losses["ours"]
    )
    assert (found.excess["ours"] == 0).all()
    assert found.products == tuple(f"P{number}" for number in range(30))
    once = pool_differences([(None, found)])["other"]
    again = pool_differences([(None, found), (None, found)])["other"]
    assert (again.mean, again.low, again.high) == pytest.approx((once.mean, once.low, once.high))
    apart = pool_differences([(0, found), (1, found)])["other"]
    assert apart.mean == pytest.approx(once.mean)
    assert apart.high - apart.low < 0.85 * (once.high - once.low)


def test_page_and_document_hold_every_contestant_and_refusal() -> None:
    refusal = SkippedOrigin("made up", 4, 2, "Expected more days.")
    found = ObjectiveBenchmarkResult(
        [_round(0, {RIVAL: 0.4125}), _round(1, {RIVAL: 0.4325})], [refusal]
    )
    console = Console(file=io.StringIO(), width=240)
    console.print(page(found))
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    document = json.loads(json.dumps(as_document(found)))
    assert "made up, seed 4: 2 origins were possible; then: Expected more days." in printed
    assert "-0.0775 (-0.0875 to -0.0675)" in printed
    assert [summary["lots"] for summary in document["summaries"]] == list(LOTS)
    asked = document["summaries"][0]
    for name in NAMES:
        assert name in printed
        assert set(asked["contestants"][name]) == {
            "log_loss",
            "mean_absolute_error",
            "calibration_error",
        }
    sure = asked["log_loss_minus_default"][RIVAL]
    assert sure == pytest.approx({"mean": -0.0775, "low": -0.0775, "high": -0.0775})
    assert "-0.0775 [-0.0775, -0.0775]" in printed
    assert "differences" not in document["rounds"][0]["by_lots"][ASKED]
    beside = asked["contestants"][RIVAL]["log_loss"]["minus_default"]
    assert beside["median"] == pytest.approx(-0.0775)
