"""What a backtest says and draws: tables, sentences, picture, JSON."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from features.declarations.targets import Target
from serving.scoring.selection import SelectionRequest, select_by_estimate
from training.backtest.files import write_result
from training.backtest.judge_origin import judge_target
from training.backtest.page import backtest_page, describe_range
from training.backtest.result import (
    RESULT,
    Backtest,
    JudgedOrigin,
    JudgedTarget,
    SkippedOrigin,
    pooled_coverage,
    read_result,
    worst_origin,
)
from training.evaluation.judge import MODEL
from training.fit.train import TrainOutput


@pytest.fixture(scope="module")
def backtest(trained: TrainOutput) -> Backtest:
    """Two origins with one judgement, but for day, size and coverage."""
    targets = {target: judge_target(trained, target) for target in trained.evaluations}
    earlier = {target: _alter(judged) for target, judged in targets.items()}
    origins = (
        JudgedOrigin(end="2024-06-01", targets=earlier, not_learned={}),
        JudgedOrigin(end="2024-07-01", targets=targets, not_learned={}),
    )
    skipped = (SkippedOrigin(end="2024-05-01", reason="Training needs 90 days."),)
    return Backtest(key="k", interval_coverage=0.8, origins=origins, skipped=skipped)


def _alter(judged: JudgedTarget) -> JudgedTarget:
    model = replace(judged.model, coverage=0.5, log_loss=judged.model.log_loss + 0.1)
    gains = {name: replace(gain, mean=gain.mean - 0.1) for name, gain in judged.gains.items()}
    empty = replace(judged.lists[0], chosen=0, bad_share=None, error=None)
    return replace(
        judged,
        first_day="2024-01-01",
        rows=3 * judged.rows,
        metrics={**judged.metrics, MODEL: model},
        gains=gains,
        lists=(empty, *judged.lists[1:]),
    )


def _text(backtest: Backtest) -> str:
    file = io.StringIO()
    Console(file=file, width=300, markup=False).print(backtest_page(backtest))
    return " ".join(file.getvalue().split())


@pytest.mark.parametrize("target", ["sell_through", "return_risk"])
def test_lists_are_those_of_the_service_and_judged_by_plain_counting(
    trained: TrainOutput, target: Target
) -> None:
    latest = trained.splits[target].latest
    models, training_input = trained.contents.models, trained.training_input
    matrix = training_input.design_matrix(latest.rows)
    estimate = models.targets[target].predict(matrix, training_input.demand[latest.rows]).share
    evidence = trained.fitted[target].context.select(latest.rows).evidence
    threshold = trained.evaluations[target].threshold
    for judged in judge_target(trained, target).lists:
        request = SelectionRequest(target=target, threshold=threshold, bad_share=judged.requested)
        chosen = select_by_estimate(models, estimate, evidence, request).is_chosen
        outcome = latest.label[chosen]
        bad = outcome < threshold if target == "sell_through" else outcome > threshold
        assert (judged.candidates, judged.chosen) == (estimate.size, chosen.sum())
        assert judged.bad_share == (pytest.approx(bad.mean()) if bad.size else None)


def test_pooled_coverage_counts_decisions_and_not_origins(backtest: Backtest) -> None:
    judged = backtest.judged("sell_through")
    latest = judged[1].model.coverage
    assert pooled_coverage(judged) == pytest.approx((3 * 0.5 + latest) / 4)


def test_worst_origin_gains_least(backtest: Backtest) -> None:
    judged = backtest.judged("sell_through")
    assert worst_origin(judged, "shrinkage") is judged[0]


def test_page_shows_every_origin_what_was_skipped_and_all_together(backtest: Backtest) -> None:
    page = _text(backtest)
    judged = backtest.judged("return_risk")
    for each in judged:
        assert each.first_day in page
        assert f"{each.model.log_loss:.4f}" in page
        assert f"{each.model.coverage:.1%} ± {each.coverage_error:.1%}" in page
    mean = np.mean([each.model.log_loss for each in judged])
    assert f"{mean:.4f}" in page
    assert f"none of {judged[0].lists[0].candidates:,} chosen" in page
    assert f"hold {pooled_coverage(judged):.1%} of all" in page
    assert "at the worst origin (2024-01-01) 50.0%." in page
    assert "Skipped: data known by the end of 2024-05-01. Training needs 90 days." in page


def test_sentence_of_a_run_has_the_range_over_origins(backtest: Backtest) -> None:
    judged = backtest.judged("sell_through")
    sentence = describe_range(backtest, "sell_through")
    assert sentence.startswith(
        f"Sell-through: at the last 2 origins (2024-01-01 to {judged[1].first_day}) the model's "
        f"log loss would have been {judged[1].model.log_loss:.4f} to "
        f"{judged[0].model.log_loss:.4f} against "
    )
    assert sentence.endswith(f"would have held 50.0% to {judged[1].model.coverage:.1%}.")


def test_result_is_read_back_as_it_was_written(backtest: Backtest, tmp_path: Path) -> None:
    paths = write_result(backtest, tmp_path)
    assert read_result(tmp_path, "k") == backtest
    assert read_result(tmp_path, "other") is None
    assert paths[2].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"key": "k"}'])
def test_damaged_result_counts_as_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / RESULT).write_bytes(content)
    assert read_result(tmp_path, "k") is None
