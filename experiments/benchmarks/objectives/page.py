"""The comparison of objectives as tables, as sentences and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from rich.console import Group as Printed
from rich.table import Table

from experiments.benchmarks.objectives.benchmark import ObjectiveBenchmarkResult, Round
from experiments.benchmarks.objectives.contestants import DEFAULT, NAMES
from experiments.benchmarks.objectives.verdicts import (
    Group,
    format_interval,
    group_rounds,
    verdicts,
)

MEASURES: Final = {
    "log_loss": "log loss",
    "mean_absolute_error": "error",
    "calibration_error": "calibration",
}


def page(result: ObjectiveBenchmarkResult) -> Printed:
    """Return the whole result, for rich to print."""
    tables = [_table(group) for group in group_rounds(result)]
    return Printed(*tables, *_skip_lines(result), *verdicts(result))


def as_document(result: ObjectiveBenchmarkResult) -> dict[str, Any]:
    """Return all metrics and differences to the default as values that JSON can hold."""
    return {
        "default": DEFAULT,
        "rounds": [_round_document(judged) for judged in result.rounds],
        "skipped": [asdict(origin) for origin in result.skipped],
        "summaries": [_summary(group) for group in group_rounds(result)],
        "verdicts": verdicts(result),
    }


def _round_document(judged: Round) -> dict[str, Any]:
    """Return a round without its thousands of products."""
    document = asdict(judged)
    for result in document["by_lots"].values():
        del result["differences"]
    return document


def _summary(group: Group) -> dict[str, Any]:
    def figures(name: str) -> dict[str, Any]:
        return {
            measure: {
                "value": asdict(group.summarise(name, measure)),
                "minus_default": asdict(group.difference(name, measure)),
            }
            for measure in MEASURES
        }

    return {
        "data": group.data,
        "lots": group.lots,
        "rounds": len(group.rounds),
        "log_loss_minus_default": {
            name: asdict(interval) for name, interval in group.intervals().items()
        },
        "contestants": {name: figures(name) for name in NAMES},
    }


def _table(group: Group) -> Table:
    """Return medians over rounds, and differences to the default with range and interval."""
    title = f"{group.data}, {group.lots}: {len(group.rounds)} rounds"
    table = Table(title=title, title_justify="left")
    table.add_column("contestant")
    for heading in MEASURES.values():
        table.add_column(heading, justify="right")
        table.add_column("minus the default", justify="right")
    intervals = group.intervals()
    table.add_column("log loss, mean and 95 % interval", justify="right")
    for name in NAMES:
        cells = []
        for measure in MEASURES:
            difference = group.difference(name, measure)
            cells.append(f"{group.summarise(name, measure).median:.4f}")
            cells.append("" if name == DEFAULT else difference.format("{:+.4f}"))
        cells.append("" if name == DEFAULT else format_interval(intervals[name]))
        table.add_row(name, *cells)
    return table


def _skip_lines(result: ObjectiveBenchmarkResult) -> list[str]:
    return [
        f"{skipped.data}{'' if skipped.seed is None else f', seed {skipped.seed}'}: "
        f"{skipped.origin} origins were possible; then: {skipped.reason}"
        for skipped in result.skipped
    ]
