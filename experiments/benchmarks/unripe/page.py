"""What was found about unripe cohorts, as a table, as sentences and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from experiments.benchmarks.unripe.benchmark import AgeFigures, Bias
from features.declarations.levels import Level

MAX_BIAS: Final = 1.0
"""Percentage points."""
SHORT: Final = {Level.MARKET: "market", Level.CATEGORY_MARKET: "category"}
"""How the table calls a level; the sentences give its full name."""
HEADINGS: Final = (
    "rate",
    "by",
    "age",
    "cohorts",
    "few",
    "ripe",
    "ours",
    "off",
    "naive",
    "off",
)


def page(found: Sequence[AgeFigures]) -> Group:
    """Return the whole result, to be printed by rich."""
    title = "Weekly cohorts: days old, mean bias and mean distance off, in points"
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False
    )
    for heading in HEADINGS:
        is_name = heading in {"rate", "by"}
        table.add_column(heading, justify="left" if is_name else "right", no_wrap=is_name)
    for one in found:
        table.add_row(
            *(
                one.rate.removesuffix("_rate"),
                SHORT[one.level],
                str(one.age),
                str(one.cohorts),
                str(one.left_out),
            ),
            f"{one.ripe:.1%}",
            *(f"{one.ours.mean.mean:+.2f}", f"{one.ours.absolute:.2f}"),
            *(f"{one.naive.mean.mean:+.2f}", f"{one.naive.absolute:.2f}"),
        )
    return Group(table, *verdicts(found))


def verdicts(found: Sequence[AgeFigures]) -> list[str]:
    """Return a line a rate, level and age: reached or not reached."""
    return [
        f"{'reached' if abs(one.ours.mean.mean) <= MAX_BIAS else 'not reached'}: "
        f"{one.rate} by {one.level.value}, {one.age} days old: bias {_format_bias(one.ours)}, "
        f"at most {MAX_BIAS:g} either way; naive {_format_bias(one.naive)}"
        for one in found
    ]


def as_document(found: Sequence[AgeFigures]) -> dict[str, Any]:
    """Return everything found as values that JSON can hold."""
    return {"figures": [asdict(one) for one in found], "verdicts": verdicts(found)}


def _format_bias(bias: Bias) -> str:
    return f"{bias.mean.mean:+.2f} ({bias.mean.low:+.2f} to {bias.mean.high:+.2f})"
