"""The comparison as tables for people and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Group as Printed
from rich.table import Table

from experiments.benchmarks.objectives.verdicts import format_interval
from experiments.benchmarks.real.benchmark import RealBenchmarkResult
from experiments.benchmarks.real.mechanisms import CONTROLS, MECHANISMS, Mechanism
from experiments.benchmarks.real.product import PRODUCT
from experiments.benchmarks.real.scores import (
    MIN_PRODUCTS,
    TOO_FEW,
    Round,
    Scores,
    count_products,
    judge_without,
    mean_scores,
    pool_excess,
)
from training.metrics.bootstrap import BootstrapInterval

MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "mean_absolute_error": ("mean error", "{:.3f}"),
    "rank_correlation": ("rank corr.", "{:.3f}"),
    "calibration_error": ("calibration", "{:.3f}"),
    "coverage": ("coverage", "{:.1%}"),
    "width": ("width", "{:.3f}"),
    "seconds": ("fit CPU s", "{:.0f}"),
    "masked_log_loss": ("candidates", "{:.4f}"),
}
TaskKey = tuple[str, str]


def group_rounds(rounds: Sequence[Round]) -> dict[TaskKey, list[Round]]:
    """Return the rounds of each task: a data set, whatever seed and origin, and a target."""
    groups: dict[TaskKey, list[Round]] = {}
    for judged in rounds:
        groups.setdefault((judged.task, judged.target), []).append(judged)
    return groups


def names_in_all(rounds: Sequence[Round]) -> list[str]:
    """Return the contestants that took part in every round."""
    return [name for name in rounds[0].scores if all(name in one.scores for one in rounds)]


def page(result: RealBenchmarkResult, notes: Sequence[str] = ()) -> Printed:
    """Return all tables, then the notes, for rich to print."""
    groups = group_rounds(result.rounds)
    tables = [_task_table(key, rounds) for key, rounds in groups.items()]
    summary = _mechanism_tables(result.rounds)
    skipped = [
        f"{one.task}: {one.origin} origins were possible; {one.reason}" for one in result.skipped
    ]
    return Printed(*tables, *summary, *skipped, *notes)


def as_document(result: RealBenchmarkResult, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return everything as values that JSON can hold; NaN becomes null."""
    return {
        "tasks": [
            _task_document(key, rounds) for key, rounds in group_rounds(result.rounds).items()
        ],
        "mechanisms": [_mechanism_document(one, result.rounds) for one in _measured(result.rounds)],
        "skipped": [asdict(one) for one in result.skipped],
        "notes": list(notes),
    }


def _task_table(key: TaskKey, rounds: Sequence[Round]) -> Table:
    data, target = key
    learned, judged, copies = (
        sum(getattr(one, name) for one in rounds) // len(rounds)
        for name in ("learned_rows", "judged_rows", "judged_copies")
    )
    count = f"{len(rounds)} round{'s' if len(rounds) > 1 else ''}"
    title = (
        f"{data}, {target}: {count}, each with {learned:,} rows learned, {judged:,} judged, and "
        f"{copies:,} as candidates"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("contestant")
    for heading in ("log loss", "minus the product", *(name for name, _ in MEASURES.values())):
        table.add_column(heading, justify="right")
    for name in names_in_all(rounds):
        scores, excess = mean_scores(rounds, name), pool_excess(rounds, name, masked=False)
        against = "" if name == PRODUCT or excess is None else format_interval(excess)
        table.add_row(name, f"{scores.log_loss:.4f}", against, *_cells(scores))
    return table


def _cells(scores: Scores) -> list[str]:
    values = [(getattr(scores, measure), form) for measure, (_, form) in MEASURES.items()]
    return ["" if math.isnan(value) else form.format(value) for value, form in values]


def _measured(rounds: Sequence[Round]) -> list[Mechanism]:
    names = {name for judged in rounds for name in judged.scores}
    return [mechanism for mechanism in MECHANISMS if mechanism.contestant in names]


def _mechanism_tables(rounds: Sequence[Round]) -> list[Table]:
    measured = _measured(rounds)
    if not measured:
        return []
    table = Table(title="Change in log loss without it, over all tasks", title_justify="left")
    table.add_column("mechanism")
    for heading in ("decisions about listings", "verdict", "candidates", "verdict", "rounds"):
        table.add_column(heading, justify="right")
    for mechanism in measured:
        cells = []
        for masked in (False, True):
            excess, verdict = judge_mechanism(mechanism, rounds, masked=masked)
            cells += ["none" if excess is None else format_interval(excess), verdict]
        count = sum(mechanism.contestant in judged.scores for judged in rounds)
        table.add_row(mechanism.name, *cells, str(count))
    return [table]


def judge_mechanism(
    mechanism: Mechanism, rounds: Sequence[Round], *, masked: bool
) -> tuple[BootstrapInterval | None, str]:
    """Return what doing without a mechanism costs, and the verdict; empty for the control."""
    excess = pool_excess(rounds, mechanism.contestant, masked=masked)
    if excess is None or mechanism.is_control:
        return excess, ""
    if count_products(rounds, mechanism.contestant, masked=masked) < MIN_PRODUCTS:
        return excess, TOO_FEW
    common = [judged for judged in rounds if mechanism.contestant in judged.scores]
    luck = [pool_excess(common, control.contestant, masked=masked) for control in CONTROLS]
    return excess, judge_without(excess, [one for one in luck if one is not None])


def _task_document(key: TaskKey, rounds: Sequence[Round]) -> dict[str, Any]:
    def contestant(name: str) -> dict[str, Any]:
        excess = pool_excess(rounds, name, masked=False)
        masked = pool_excess(rounds, name, masked=True)
        return {
            **_plain(asdict(mean_scores(rounds, name))),
            "minus_product": None if excess is None else asdict(excess),
            "candidates_minus_product": None if masked is None else asdict(masked),
        }

    return {
        "data": key[0],
        "target": key[1],
        "contestants": {name: contestant(name) for name in names_in_all(rounds)},
        "rounds": [
            {
                "seed": one.seed,
                "origin": one.origin,
                "learned_rows": one.learned_rows,
                "judged_rows": one.judged_rows,
                "judged_copies": one.judged_copies,
                "scores": {name: _plain(asdict(scores)) for name, scores in one.scores.items()},
            }
            for one in rounds
        ],
    }


def _mechanism_document(mechanism: Mechanism, rounds: Sequence[Round]) -> dict[str, Any]:
    document: dict[str, Any] = {"mechanism": mechanism.name}
    for name, masked in (("listings", False), ("candidates", True)):
        excess, verdict = judge_mechanism(mechanism, rounds, masked=masked)
        document[name] = None if excess is None else {**asdict(excess), "verdict": verdict}
    return document


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
