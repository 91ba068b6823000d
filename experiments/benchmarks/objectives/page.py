"""The comparison as tables, as sentences and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from rich.console import Group as Printed
from rich.table import Table

from experiments.benchmarks.objectives.benchmark import ObjectiveBenchmarkResult, Round
from experiments.benchmarks.objectives.contestants import DEFAULTS, NAMES
from experiments.benchmarks.objectives.verdicts import (
    Group,
    format_difference,
    format_interval,
    groups,
    verdicts,
)

STATES: Final = ("raw", "calibrated")
MEASURES: Final = {
    "log_loss": "log loss",
    "mean_absolute_error": "error",
    "calibration_error": "calibration",
}


def page(found: ObjectiveBenchmarkResult) -> Printed:
    """Return the whole result, to be printed by rich."""
    tables = [_table(group, state) for group in groups(found) for state in STATES]
    return Printed(*tables, *_refusal_lines(found), *verdicts(found))


def as_document(found: ObjectiveBenchmarkResult) -> dict[str, Any]:
    """Return plain values that JSON can hold, differences to the default among them."""
    return {
        "defaults": {target: one.name for target, one in DEFAULTS.items()},
        "rounds": [_round_document(one) for one in found.rounds],
        "refusals": [asdict(one) for one in found.refusals],
        "summaries": [_summary(group) for group in groups(found)],
        "verdicts": verdicts(found),
    }


def _round_document(one: Round) -> dict[str, Any]:
    """Return a round without its thousands of products."""
    document = asdict(one)
    del document["leads"]
    return document


def _summary(group: Group) -> dict[str, Any]:
    def figures(name: str, state: str) -> dict[str, Any]:
        return {
            measure: {
                "value": asdict(group.spread(name, state, measure)),
                "beside_default": asdict(group.beside_default(name, state, measure)),
            }
            for measure in MEASURES
        }

    return {
        "data": group.data,
        "target": group.target,
        "rounds": len(group.rounds),
        "calibrated_log_loss_beside_default": {
            name: asdict(spread) for name, spread in group.leads().items()
        },
        **{state: {name: figures(name, state) for name in NAMES} for state in STATES},
    }


def _table(group: Group, state: str) -> Table:
    """Return medians over rounds, and differences to the default with their range.

    Of what is calibrated also how sure the difference of log loss is.
    """
    title = f"{group.data}, {group.target}, {state}: {len(group.rounds)} rounds"
    table = Table(title=title, title_justify="left")
    table.add_column("contestant")
    for heading in MEASURES.values():
        table.add_column(heading, justify="right")
        table.add_column("beside the default", justify="right")
    leads = group.leads() if state == "calibrated" else {}
    if leads:
        table.add_column("log loss, mean and 95 % interval", justify="right")
    for name in NAMES:
        cells = []
        for measure in MEASURES:
            beside = group.beside_default(name, state, measure)
            cells.append(f"{group.spread(name, state, measure).median:.4f}")
            cells.append("" if name == group.default else format_difference(beside))
        if leads:
            cells.append("" if name == group.default else format_interval(leads[name]))
        table.add_row(name, *cells)
    return table


def _refusal_lines(found: ObjectiveBenchmarkResult) -> list[str]:
    return [
        f"{one.data}{'' if one.seed is None else f', seed {one.seed}'}: "
        f"{one.origin} origins were possible; then: {one.why}"
        for one in found.refusals
    ]
