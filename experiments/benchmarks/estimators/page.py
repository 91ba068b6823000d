"""Show the scores of all tables, and how ours compares with CatBoost."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from experiments.benchmarks.estimators.benchmark import Comparison, TableScores
from experiments.benchmarks.results.verdicts import describe_verdict

MIN_AT_LEAST_EQUAL = 0.7


def show_scores(
    scores: Sequence[TableScores], comparison: Comparison | None, notes: Sequence[str]
) -> RenderableType:
    """Return a table of gains with the comparison below it."""
    names = list(scores[0].gains) if scores else []
    title = "Log loss less than the constant's, and processor seconds"
    table = Table("", "constant", *names, "ours / CatBoost", "ahead by", title=title)
    for one in scores:
        cells = [f"{one.gains[name]:.4f} ({one.seconds[name]:.0f} s)" for name in names]
        table.add_row(one.table, f"{one.constant_loss:.4f}", *cells, _ratio(one), _lead(one))
    return Group(table, *_describe_comparison(comparison), *notes)


def _ratio(one: TableScores) -> str:
    return "" if one.ratio is None else f"{one.ratio:.2f}"


def _lead(one: TableScores) -> str:
    if one.lead is None or one.lead_error is None:
        return ""
    return f"{one.lead:+.4f} ± {one.lead_error:.4f}"


def _describe_comparison(comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return []
    equal = (
        f"our estimator is at least equal to CatBoost, within two standard errors, on "
        f"{comparison.at_least_equal:.0%} of {comparison.tables} tables, at least "
        f"{MIN_AT_LEAST_EQUAL:.0%}"
    )
    ahead = (
        f"it is ahead by {comparison.mean_lead:+.4f} of log loss in the mean, at least 0; strictly "
        f"on {comparison.ahead:.0%}; the median of the ratios of gains is "
        f"{comparison.median_ratio:.2f}"
    )
    return [
        describe_verdict(equal, is_reached=comparison.at_least_equal >= MIN_AT_LEAST_EQUAL),
        describe_verdict(ahead, is_reached=comparison.mean_lead >= 0),
    ]
