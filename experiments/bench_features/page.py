"""What was measured, as a table and as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table

from experiments.bench_features.figures import Measured
from experiments.bench_features.growth import Spread
from experiments.bench_features.verdicts import time_exponent, verdicts


def page(measured: Sequence[Measured]) -> Group:
    """Return the whole result, to be printed by rich."""
    left_out = sorted({name for one in measured for name in one.left_out})
    compared = len(measured[0].compared)
    return Group(
        _catalogue(measured),
        _windows(measured),
        f"Compared: {compared} windowed features of listings, equal bit for bit.",
        f"Not written by hand: {', '.join(left_out) or 'none'}.",
        *(said(measured)),
    )


def said(measured: Sequence[Measured]) -> list[str]:
    """Return a line a bound: reached or not reached."""
    lines = [
        f"{'reached' if verdict.is_reached else 'not reached'}: {verdict.of} "
        f"{verdict.found:.2f}, at most {verdict.most:g}"
        for verdict in verdicts(measured)
    ]
    if time_exponent(measured) is None:
        lines.append("not measured: exponent of time over order lines needs two sizes")
    return lines


def _catalogue(measured: Sequence[Measured]) -> Table:
    table = Table(title="Full catalogue", title_justify="left")
    headings = (
        "order lines",
        "spine rows",
        "columns",
        "seconds",
        "CPU s",
        "spine",
        "base",
    )
    for heading in (*headings, "derived", "lines/s", "rows/s", "peak GB"):
        table.add_column(heading, justify="right")
    for one in measured:
        cost = min(one.catalogue, key=lambda run: abs(run.seconds - one.seconds.median))
        steps = (cost.spine_seconds, cost.base_seconds, cost.derived_seconds)
        table.add_row(
            f"{one.order_lines:,}",
            f"{cost.spine_rows:,}",
            str(cost.columns),
            _spread(one.seconds, "{:.1f}"),
            f"{cost.cpu_seconds:.1f}",
            *(f"{step:.1f}" for step in steps),
            f"{one.order_lines / one.seconds.median:,.0f}",
            f"{cost.spine_rows / one.seconds.median:,.0f}",
            f"{one.peak_gb:.2f}",
        )
    return table


def _windows(measured: Sequence[Measured]) -> Table:
    table = Table(title="Windowed features of listings", title_justify="left")
    for heading in (
        "order lines",
        "spine rows",
        "interpreter s",
        "SQL by hand s",
        "ratio",
        "CPU ratio",
    ):
        table.add_column(heading, justify="right")
    for one in measured:
        table.add_row(
            f"{one.order_lines:,}",
            f"{one.catalogue[0].spine_rows:,}",
            _spread(Spread.of([run.interpreter.seconds for run in one.windows]), "{:.2f}"),
            _spread(Spread.of([run.sql.seconds for run in one.windows]), "{:.2f}"),
            _spread(one.ratio, "{:.2f}"),
            _spread(one.cpu_ratio, "{:.2f}"),
        )
    return table


def _spread(spread: Spread, form: str) -> str:
    """Say the median, and the range where there is one."""
    middle = form.format(spread.median)
    if spread.least == spread.greatest:
        return middle
    return f"{middle} ({form.format(spread.least)} to {form.format(spread.greatest)})"
