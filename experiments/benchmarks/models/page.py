"""The comparison of models with the truth as tables, as sentences and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Group
from rich.table import Table

from experiments.benchmarks.models.against_truth import TruthComparison
from experiments.benchmarks.models.benchmark import EVERYTHING, MarketFigures, TargetFigures
from experiments.benchmarks.models.lot_curves import pool_seeds
from experiments.benchmarks.results.figures import MedianRange
from experiments.benchmarks.results.verdicts import describe_verdict
from features.declarations.targets import Target

MIN_EXPLAINED_SHARE: Final = 0.6
MAX_CALIBRATION_ERROR: Final = 0.02
COVERAGE: Final = (0.78, 0.82)
MIN_CELL_COVERAGE: Final = 0.75
LOSSES: Final = (
    "shrinkage_loss",
    "model_loss",
    "knowable_loss",
    "given_quality_loss",
    "truth_loss",
)
SHARES: Final = ("explained_share", "knowable_share", "explained_share_of_knowable")
UNKNOWN: Final = "-"
FORM: Final = "{:.3f}"


def page(markets: Sequence[MarketFigures]) -> Group:
    """Return the whole result, for rich to print."""
    return Group(
        _gain_table(markets),
        _interval_table(markets),
        _lot_table(markets),
        *verdicts(markets),
        *bounds(markets),
    )


def as_document(markets: Sequence[MarketFigures]) -> dict[str, Any]:
    """Return the result and the shares of the gain as values that JSON can hold."""
    documents = [asdict(market) for market in markets]
    for market, document in zip(markets, documents, strict=True):
        for target, values in zip(market.targets, document["targets"], strict=True):
            values["least_cell"] = target.least_cell
            for name, group in target.by_group.items():
                values["by_group"][name] |= {share: getattr(group, share) for share in SHARES}
    return {"markets": documents, "verdicts": verdicts(markets), "bounds": bounds(markets)}


def verdicts(markets: Sequence[MarketFigures]) -> list[str]:
    """Return a line for each target and bound: whether every seed reaches it."""
    return [line for target in _targets(markets) for line in _judge_target(markets, target)]


def _judge_target(markets: Sequence[MarketFigures], target: Target) -> list[str]:
    explained = _summarise(markets, target, _explained_share)
    error = _summarise(markets, target, lambda figures: figures.calibration_error)
    coverage = _summarise(markets, target, lambda figures: figures.coverage)
    cell = _summarise(markets, target, lambda figures: figures.cells[figures.least_cell].coverage)
    low, high = COVERAGE
    return [
        describe_verdict(
            f"{target}: {explained.format(FORM)} of the explainable gain, "
            f"at least {MIN_EXPLAINED_SHARE}",
            is_reached=explained.least >= MIN_EXPLAINED_SHARE,
        ),
        describe_verdict(
            f"{target}: calibration error {error.format(FORM)}, at most {MAX_CALIBRATION_ERROR}",
            is_reached=error.greatest <= MAX_CALIBRATION_ERROR,
        ),
        describe_verdict(
            f"{target}: 80 % intervals hold {coverage.format(FORM)}, {low} to {high}",
            is_reached=low <= coverage.least and coverage.greatest <= high,
        ),
        describe_verdict(
            f"{target}: the least cell holds {cell.format(FORM)}, at least {MIN_CELL_COVERAGE}",
            is_reached=cell.least >= MIN_CELL_COVERAGE,
        ),
    ]


def bounds(markets: Sequence[MarketFigures]) -> list[str]:
    """Return a line for each target with an ideal forecaster: how much it and the model gain."""
    lines = []
    for target in _targets(markets):
        groups = [figures.by_group[EVERYTHING] for figures in _figures_of_target(markets, target)]
        knowable = _drop_unknown(groups, "knowable_share")
        explained = _drop_unknown(groups, "explained_share_of_knowable")
        if knowable:
            lines.append(
                f"{target}: {MedianRange.from_values(knowable).format(FORM)}"
                f" of the explainable gain can be known, "
                f"the model has {MedianRange.from_values(explained).format(FORM)} of it"
            )
    return lines


def _drop_unknown(groups: Sequence[TruthComparison], share: str) -> list[float]:
    values = [getattr(group, share) for group in groups]
    return [value for value in values if value is not None]


def _gain_table(markets: Sequence[MarketFigures]) -> Table:
    table = Table(title="Log loss on the latest slice", title_justify="left")
    for heading in ("seed", "target", "rows of"):
        table.add_column(heading)
    measures = (*(name.removesuffix("_loss") for name in LOSSES), *SHARES, "rank_correlation")
    for heading in ("rows", *measures):
        table.add_column(heading.replace("_", " "), justify="right")
    for market in markets:
        for target in market.targets:
            for name, group in target.by_group.items():
                table.add_row(
                    str(market.seed),
                    target.target,
                    name,
                    f"{group.rows:,}",
                    *(_format_number(getattr(group, loss), 4) for loss in LOSSES),
                    *(_format_number(getattr(group, share), 3) for share in SHARES),
                    _format_number(group.rank_correlation, 3),
                )
    return table


def _format_number(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def _interval_table(markets: Sequence[MarketFigures]) -> Table:
    table = Table(title="Calibration and 80 % intervals", title_justify="left")
    for heading in ("seed", "target"):
        table.add_column(heading)
    headings = (
        *("calibration error", "unseen season", "without calendar"),
        *("coverage", "least cell", "error"),
        *("of", "rows", "listings", "width", "plain width"),
    )
    for heading in headings:
        table.add_column(heading, justify="right")
    for market in markets:
        for figures in market.targets:
            least = figures.cells[figures.least_cell]
            table.add_row(
                str(market.seed),
                figures.target,
                f"{figures.calibration_error:.4f}",
                f"{figures.unseen_season:.0%}",
                _format_number(figures.error_without_calendar, 4),
                f"{figures.coverage:.3f}",
                f"{least.coverage:.3f}",
                f"{least.error:.3f}",
                figures.least_cell,
                f"{least.rows:,}",
                f"{least.listings:,}",
                f"{figures.width:.3f}",
                f"{figures.plain_width:.3f}",
            )
    return table


def _lot_table(markets: Sequence[MarketFigures]) -> Table:
    table = Table(title="Units that lots are expected to sell, all seeds", title_justify="left")
    table.add_column("rows of")
    for heading in ("rows", "lot", "true expectation", "mean error", "bias"):
        table.add_column(heading, justify="right")
    for group, errors in pool_seeds([market.by_lot for market in markets]).items():
        for error in errors:
            table.add_row(
                group,
                f"{error.rows:,}",
                f"{error.lot:,.0f}",
                f"{error.true_units:,.2f}",
                f"{error.mean_absolute_error:,.2f}",
                f"{error.bias:+,.2f}",
            )
    return table


def _targets(markets: Sequence[MarketFigures]) -> list[Target]:
    return list(dict.fromkeys(figures.target for market in markets for figures in market.targets))


def _figures_of_target(markets: Sequence[MarketFigures], target: Target) -> list[TargetFigures]:
    return [figures for market in markets for figures in market.targets if figures.target == target]


def _summarise(
    markets: Sequence[MarketFigures], target: Target, figure: Callable[[TargetFigures], float]
) -> MedianRange:
    return MedianRange.from_values(
        [figure(figures) for figures in _figures_of_target(markets, target)]
    )


def _explained_share(figures: TargetFigures) -> float:
    """Return the share of the explainable gain, 0 where there is no gain."""
    return figures.by_group[EVERYTHING].explained_share or 0.0
