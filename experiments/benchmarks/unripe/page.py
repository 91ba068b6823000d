"""The bias of early rates as a table, as sentences and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from experiments.benchmarks.results.verdicts import describe_verdict
from experiments.benchmarks.unripe.benchmark import AgeFigures, Bias
from features.declarations.levels import Level

MAX_BIAS: Final = 1.0
"""Percentage points."""
SHORT_NAMES: Final = {Level.MARKET: "market", Level.CATEGORY_MARKET: "category"}
"""Names of levels in the table; the sentences give the full names."""
HEADINGS: Final = (
    "rate",
    "by",
    "age",
    "cohorts",
    "few",
    "mature",
    "feature",
    "off",
    "naive",
    "off",
)


def page(results: Sequence[AgeFigures]) -> Group:
    """Return the whole result, for rich to print."""
    title = "Weekly cohorts: age in days, mean bias and mean absolute error (off), in points"
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False
    )
    for heading in HEADINGS:
        is_name = heading in {"rate", "by"}
        table.add_column(heading, justify="left" if is_name else "right")
    for figures in results:
        table.add_row(
            *(
                figures.rate.removesuffix("_rate"),
                SHORT_NAMES[figures.level],
                str(figures.age),
                str(figures.cohorts),
                str(figures.left_out),
            ),
            f"{figures.mature_rate:.1%}",
            *(f"{figures.feature.mean.mean:+.2f}", f"{figures.feature.absolute:.2f}"),
            *(f"{figures.naive.mean.mean:+.2f}", f"{figures.naive.absolute:.2f}"),
        )
    return Group(table, *verdicts(results))


def verdicts(results: Sequence[AgeFigures]) -> list[str]:
    """Return a line for each rate, level and age: reached or not reached."""
    return [
        describe_verdict(
            f"{figures.rate} by {figures.level.value}, {figures.age} days old: "
            f"bias {_format_bias(figures.feature)}, at most {MAX_BIAS:g} either way; "
            f"naive {_format_bias(figures.naive)}",
            is_reached=abs(figures.feature.mean.mean) <= MAX_BIAS,
        )
        for figures in results
    ]


def as_document(results: Sequence[AgeFigures]) -> dict[str, Any]:
    """Return all figures as values that JSON can hold."""
    return {"figures": [asdict(figures) for figures in results], "verdicts": verdicts(results)}


def _format_bias(bias: Bias) -> str:
    return f"{bias.mean.mean:+.2f} ({bias.mean.low:+.2f} to {bias.mean.high:+.2f})"
