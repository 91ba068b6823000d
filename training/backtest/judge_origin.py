"""Train on what was known at a past moment, and judge the models on what came after it."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from features.dataset.days import to_date
from features.declarations.targets import Target
from features.point_in_time.training_rows import LABELLED
from features.runtime.arrays import FloatArray, IntArray
from features.runtime.progress import ProgressCallback
from serving.scoring.selection import SelectionRequest, choose
from training.backtest.result import JudgedList, JudgedOrigin, JudgedTarget
from training.checkpoints.code_version import UNKNOWN
from training.data.training_input import TrainingRecipe
from training.errors import UnlearnableTargetError
from training.evaluation.coverage import ALL_ROWS, clustered_standard_error
from training.fit.train import TrainOutput, train

LISTS: Final = (0.1, 0.2)
"""The bad shares that lists are chosen for."""


def judge_origin(
    rows: pa.Table, recipe: TrainingRecipe, end: int, progress: ProgressCallback
) -> JudgedOrigin:
    """Train on rows that were known by the end of day `end`, and judge the models.

    `train` holds out the latest decisions whose outcomes are final. So a target's origin is the
    first of these days: its model and calibration learned only from outcomes that were final by
    then. (The number of units that intervals of return risk expect is the exception:
    training/evaluation/judge.py.) Sell-through is judged alone where return risk can't be learned.

    Raises:
        TrainingError: the rows can't support a model of sell-through.
    """
    not_learned: dict[Target, str] = {}
    try:
        trained = train(rows, recipe, git_commit=UNKNOWN, progress=progress)
    except UnlearnableTargetError as reason:
        if reason.target == "sell_through":
            raise
        not_learned[reason.target] = reason.problem
        rest = _drop_target(rows, reason.target)
        trained = train(rest, recipe, git_commit=UNKNOWN, progress=progress)
    targets = {target: judge_target(trained, target) for target in trained.evaluations}
    return JudgedOrigin(end=to_date(end), targets=targets, not_learned=not_learned)


def _drop_target(rows: pa.Table, target: Target) -> pa.Table:
    """Return the rows without the labels of a target."""
    labelled = rows.schema.metadata[LABELLED].decode().split(",")
    left = ",".join(name for name in labelled if name != target)
    return rows.replace_schema_metadata({**rows.schema.metadata, LABELLED: left})


def judge_target(trained: TrainOutput, target: Target) -> JudgedTarget:
    """Return what the latest slice shows about a target's model, and how lists turned out."""
    evaluation = trained.evaluations[target]
    latest = evaluation.slices["latest"]
    return JudgedTarget(
        first_day=to_date(latest.first_day),
        last_day=to_date(latest.last_day),
        rows=latest.rows,
        known_rows=evaluation.rows_known,
        unseen_season=evaluation.unseen_season,
        coverage_error=evaluation.by_cell[ALL_ROWS].error,
        metrics=evaluation.overall,
        gains={name: losses["log_loss"] for name, losses in evaluation.differences.items()},
        lists=judge_lists(trained, target),
    )


def judge_lists(trained: TrainOutput, target: Target) -> tuple[JudgedList, ...]:
    """Choose one list of all judged decisions for each of `LISTS`, as a user would have."""
    latest = trained.splits[target].latest
    model = trained.contents.models.targets[target]
    training_input = trained.training_input
    matrix = training_input.design_matrix(latest.rows)
    estimate = model.predict(matrix, training_input.demand[latest.rows]).share
    evidence = trained.fitted[target].context.select(latest.rows).evidence
    products = trained.training_input.training_set.keys["product_id"].codes[latest.rows]
    threshold = trained.evaluations[target].threshold
    judged = []
    for bad_share in LISTS:
        request = SelectionRequest(target=target, threshold=threshold, bad_share=bad_share)
        selection = choose(estimate, evidence, model.calibration_sample, request)
        chosen = selection.is_chosen
        judged.append(_judge_list(request, estimate.size, latest.label[chosen], products[chosen]))
    return tuple(judged)


def _judge_list(
    request: SelectionRequest, candidates: int, outcome: FloatArray, products: IntArray
) -> JudgedList:
    """Measure a list by the outcomes and the products of its decisions, shape (chosen,) each."""
    is_bad = request.is_bad(outcome)
    return JudgedList(
        requested=request.bad_share,
        candidates=candidates,
        chosen=outcome.size,
        bad_share=float(is_bad.mean()) if is_bad.size else None,
        error=clustered_standard_error(is_bad, products) if is_bad.size else None,
    )
