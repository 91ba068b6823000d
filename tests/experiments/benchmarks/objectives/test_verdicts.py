"""What the comparison of objectives makes of its rounds: figures, leads, verdicts and the page."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import numpy as np
import pytest
from rich.console import Console

from experiments.benchmarks.objectives.benchmark import (
    ObjectiveBenchmarkResult,
    ObjectiveMetrics,
    Round,
    SkippedOrigin,
    compute_metrics,
)
from experiments.benchmarks.objectives.contestants import DEFAULTS, MIXED, MORE, NAMES
from experiments.benchmarks.objectives.loss_differences import (
    LossDifferences,
    compute_loss_differences,
    pool_differences,
)
from experiments.benchmarks.objectives.page import as_document, page
from experiments.benchmarks.objectives.verdicts import verdicts
from features.declarations.targets import TARGETS, Target
from training.data.sample import Sample
from training.data.training_set import EncodedColumn

DEFAULT = DEFAULTS["sell_through"]


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        ([0.5, 0.5], (np.log(2), 0.5, 0.25)),
        ([-3.0, 9.0], (0.0, 0.0, 0.0)),
        ([0.2, 0.9], (-(np.log(0.8) + 3 * np.log(0.9)) / 4, 0.125, 0.125)),
    ],
)
def test_figures_weigh_rows_and_clip_into_shares(
    estimate: list[float], expected: tuple[float, float, float]
) -> None:
    latest = Sample(np.arange(2), np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    found = compute_metrics(latest, [np.array(estimate)])
    got = (found.log_loss, found.mean_absolute_error, found.calibration_error)
    assert got == pytest.approx(expected, abs=1e-5)


def _round(
    origin: int,
    losses: Mapping[str, float],
    *,
    apart: float = 0.0,
    target: Target = "sell_through",
) -> Round:
    """Make a round whose products differ by `apart` from each other in what a contestant gains."""
    default = DEFAULTS[target].name
    said = {name: ObjectiveMetrics(losses.get(name, 0.5), 0.2, 0.1) for name in NAMES}
    turn = np.where(np.arange(50) % 2, apart, -apart)
    more = {name: said[name].log_loss - said[default].log_loss + turn for name in NAMES}
    return Round(
        data="made up",
        seed=None,
        origin=origin,
        target=target,
        learned_rows=9,
        judged_rows=9,
        judged_days=(1, 2),
        raw=said,
        calibrated=said,
        differences=LossDifferences(
            tuple(f"P{number}" for number in range(50)), np.full(50, 0.02), more
        ),
    )


@pytest.mark.parametrize(
    ("losses", "apart", "said"),
    [
        ([{DEFAULT.name: 0.4}] * 2, 0, [("reached", "the default has the least", "the default")]),
        (
            [{"L2, 5": 0.4}, {"L2, 5": 0.45}],
            0.1,
            [("not reached", "L2, 5 has -0.0750 [-0.", "surely less and less in every round")],
        ),
        (
            [{"L2, 5": 0.4}, {"L2, 5": 0.51}, {"L2, 5": 0.4}],
            0.1,
            [("not reached", "L2, 5 has -0.0633 [-0.", "against the default, surely less")],
        ),
        (
            [{"L2, 5": 0.499}, {"L2, 5": 0.4995}],
            0.1,
            [("not reached", "L2, 5 has -0.0008 [-0.", "against the default, less in every round")],
        ),
        (
            [{"L2, 5": 0.49}, {"L2, 5": 0.508}],
            0.1,
            [("reached", "L2, 5 has -0.0010 [-0.", "which may be luck")],
        ),
        (
            [{DEFAULT.name: 0.4}],
            0,
            [("not reached", "one round says nothing about", "the default")],
        ),
        (
            [{DEFAULT.name: 0.4, "constant": 0.3}] * 2,
            0,
            [
                ("reached", "the default has the least", "the default"),
                ("beaten by a reference", "constant has -0.1000", "less in every round"),
            ],
        ),
        (
            [{DEFAULT.name: 0.4, "constant": 0.3, MORE.name: 0.39}] * 2,
            0,
            [
                ("reached", "the default has the least", "the default"),
                ("beaten by a reference", "cross-entropy, 9 has -0.0100", "less in every round"),
                ("beaten by a reference", "constant has -0.1000", "less in every round"),
            ],
        ),
        (
            [{DEFAULT.name: 0.4, "constant": 0.39}, {DEFAULT.name: 0.4, "constant": 0.408}],
            0.1,
            [
                ("reached", "the default has the least", "the default"),
                ("beaten by a reference", "constant has -0.0010", "which may be luck"),
            ],
        ),
    ],
)
@pytest.mark.parametrize("target", TARGETS)
def test_verdict_says_whether_the_default_wins(
    losses: list[dict[str, float]], apart: float, said: list[tuple[str, str, str]], target: Target
) -> None:
    ours = [{_of(target, name): one for name, one in losing.items()} for losing in losses]
    rounds = [_round(place, one, apart=apart, target=target) for place, one in enumerate(ours)]
    found = verdicts(ObjectiveBenchmarkResult(rounds, []))
    for line, (verdict, lead, end) in zip(found, said, strict=True):
        assert line.startswith(f"{verdict}: made up, {target}: {lead}")
        assert line.endswith(end)


def _of(target: Target, name: str) -> str:
    """Return the default of a target where that of sell-through is meant."""
    return DEFAULTS[target].name if name == DEFAULT.name else name


def test_mixed_boosters_are_a_rival_of_nobody_and_a_reference_of_return_risk() -> None:
    losses = {DEFAULTS["return_risk"].name: 0.4, MIXED.name: 0.39}
    rounds = [_round(place, losses, target="return_risk") for place in range(2)]
    first, second = verdicts(ObjectiveBenchmarkResult(rounds, []))
    assert first.startswith("reached: made up, return_risk: the default has the least log loss")
    assert second.startswith(f"beaten by a reference: made up, return_risk: {MIXED.name} has -0.01")


def test_figures_are_means_over_draws() -> None:
    latest = Sample(np.arange(2), np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    draws = [np.array([0.2, 0.9]), np.array([0.4, 0.5])]
    both, first, second = (compute_metrics(latest, one) for one in (draws, draws[:1], draws[1:]))
    for name in ("log_loss", "mean_absolute_error", "calibration_error"):
        mean = (getattr(first, name) + getattr(second, name)) / 2
        assert getattr(both, name) == pytest.approx(mean)
        assert getattr(first, name) != getattr(second, name)


def test_leads_by_product_add_up_to_the_difference_of_the_losses() -> None:
    rng = np.random.default_rng(0)
    latest = Sample(np.arange(5, 405), rng.uniform(size=400), rng.uniform(1, 9, 400))
    products = EncodedColumn(rng.integers(0, 30, 500), tuple(f"P{number}" for number in range(31)))
    said = {name: rng.uniform(0.01, 0.99, 400) for name in ("ours", "other")}
    draws = {"ours": [said["ours"]], "other": [said["other"], said["ours"]]}
    found = compute_loss_differences(latest, products, draws, default="ours")
    losses = {name: compute_metrics(latest, one).log_loss for name, one in draws.items()}
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
        [_round(0, {"L2, 5": 0.4125}), _round(1, {"L2, 5": 0.4325})], [refusal]
    )
    console = Console(file=io.StringIO(), width=240)
    console.print(page(found))
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    document = json.loads(json.dumps(as_document(found)))
    assert "made up, seed 4: 2 origins were possible; then: Expected more days." in printed
    assert "-0.0775 (-0.0875 to -0.0675)" in printed
    (summary,) = document["summaries"]
    for name in NAMES:
        assert name in printed
        assert set(summary["raw"][name]) == {
            "log_loss",
            "mean_absolute_error",
            "calibration_error",
        }
    sure = summary["calibrated_log_loss_minus_default"]["L2, 5"]
    assert sure == pytest.approx({"mean": -0.0775, "low": -0.0775, "high": -0.0775})
    assert "-0.0775 [-0.0775, -0.0775]" in printed
    assert "differences" not in document["rounds"][0]
    beside = summary["calibrated"]["L2, 5"]["log_loss"]["minus_default"]
    assert beside["median"] == pytest.approx(-0.0775)
