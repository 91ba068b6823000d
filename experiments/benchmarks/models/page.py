"""What was found about the models, as tables, as sentences and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Group
from rich.table import Table

from experiments.benchmarks.features.growth import MedianRange
from experiments.benchmarks.models.benchmark import EVERYTHING, MarketFigures, TargetFigures
from features.declarations.targets import Target

MIN_EXPLAINED: Final = 0.6
MAX_CALIBRATION_ERROR: Final = 0.02
COVERAGE: Final = (0.78, 0.82)
MIN_CELL_COVERAGE: Final = 0.75
LOSSES: Final = (
    "shrinkage_loss",
    "model_loss",
    "knowable_loss",
    "quality_told_loss",
    "truth_loss",
)
SHARES: Final = ("explained", "knowable", "explained_of_knowable")
UNDERIVED: Final = "-"


def page(found: Sequence[MarketFigures]) -> Group:
    """Return the whole result, to be printed by rich."""
    return Group(_gain_table(found), _interval_table(found), *verdicts(found), *bounds(found))


def as_document(found: Sequence[MarketFigures]) -> dict[str, Any]:
    """Return plain values that JSON can hold, shares of the gain among them; null: no bound."""
    markets = [asdict(market) for market in found]
    for market, plain in zip(found, markets, strict=True):
        for target, values in zip(market.targets, plain["targets"], strict=True):
            values["least_cell"] = target.least_cell
            for name, group in target.by_group.items():
                values["by_group"][name] |= {share: getattr(group, share) for share in SHARES}
    return {"markets": markets, "verdicts": verdicts(found), "bounds": bounds(found)}


def verdicts(found: Sequence[MarketFigures]) -> list[str]:
    """Return a line a bound and target: reached by every seed, or not."""
    lines = []
    for target in _targets(found):
        explained = _summarise(found, target, _explained_share)
        error = _summarise(found, target, lambda one: one.calibration_error)
        coverage = _summarise(found, target, lambda one: one.coverage)
        cell = _summarise(found, target, lambda one: one.cells[one.least_cell].coverage)
        low, high = COVERAGE
        lines += [
            _verdict(
                explained.least >= MIN_EXPLAINED,
                f"{target}: {_format_range(explained)}"
                f" of the explainable gain, at least {MIN_EXPLAINED}",
            ),
            _verdict(
                error.greatest <= MAX_CALIBRATION_ERROR,
                f"{target}: calibration error {_format_range(error)}"
                f", at most {MAX_CALIBRATION_ERROR}",
            ),
            _verdict(
                low <= coverage.least and coverage.greatest <= high,
                f"{target}: 80 % intervals hold {_format_range(coverage)}, {low} to {high}",
            ),
            _verdict(
                cell.least >= MIN_CELL_COVERAGE,
                f"{target}: the least cell holds {_format_range(cell)}"
                f", at least {MIN_CELL_COVERAGE}",
            ),
        ]
    return lines


def bounds(found: Sequence[MarketFigures]) -> list[str]:
    """Return a line a target of which it is derived what can be known, over the seeds' medians."""
    lines = []
    for target in _targets(found):
        groups = [
            one.by_group[EVERYTHING]
            for market in found
            for one in market.targets
            if one.target == target
        ]
        knowable = [group.knowable for group in groups if group.knowable is not None]
        had = [one.explained_of_knowable for one in groups if one.explained_of_knowable is not None]
        if knowable:
            lines.append(
                f"{target}: {_format_range(MedianRange.of(knowable))}"
                f" of the explainable gain can be known, "
                f"the model has {_format_range(MedianRange.of(had))} of it"
            )
    return lines


def _verdict(is_reached: bool, sentence: str) -> str:  # noqa: FBT001 - the fact it says
    return f"{'reached' if is_reached else 'not reached'}: {sentence}"


def _gain_table(found: Sequence[MarketFigures]) -> Table:
    table = Table(title="Log loss on the latest slice", title_justify="left")
    for heading in ("seed", "target", "rows of"):
        table.add_column(heading)
    measures = (*(name.removesuffix("_loss") for name in LOSSES), *SHARES, "rank_correlation")
    for heading in ("rows", *measures):
        table.add_column(heading.replace("_", " "), justify="right")
    for market in found:
        for target in market.targets:
            for name, group in target.by_group.items():
                table.add_row(
                    str(market.seed),
                    target.target,
                    name,
                    f"{group.rows:,}",
                    *(_number(getattr(group, loss), 4) for loss in LOSSES),
                    *(_number(getattr(group, share), 3) for share in SHARES),
                    _number(group.rank_correlation, 3),
                )
    return table


def _number(value: float | None, digits: int) -> str:
    return UNDERIVED if value is None else f"{value:.{digits}f}"


def _interval_table(found: Sequence[MarketFigures]) -> Table:
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
    for market in found:
        for one in market.targets:
            least = one.cells[one.least_cell]
            table.add_row(
                str(market.seed),
                one.target,
                f"{one.calibration_error:.4f}",
                f"{one.unseen_season:.0%}",
                _number(one.error_without_calendar, 4),
                f"{one.coverage:.3f}",
                f"{least.coverage:.3f}",
                f"{least.error:.3f}",
                one.least_cell,
                f"{least.rows:,}",
                f"{least.listings:,}",
                f"{one.width:.3f}",
                f"{one.plain_width:.3f}",
            )
    return table


def _targets(found: Sequence[MarketFigures]) -> list[Target]:
    return list(dict.fromkeys(one.target for market in found for one in market.targets))


def _summarise(
    found: Sequence[MarketFigures], target: Target, figure: Callable[[TargetFigures], float]
) -> MedianRange:
    ours = [one for market in found for one in market.targets if one.target == target]
    return MedianRange.of([figure(one) for one in ours])


def _explained_share(target: TargetFigures) -> float:
    """Return the share of the gain, 0 where there was none to be had."""
    return target.by_group[EVERYTHING].explained or 0.0


def _format_range(spread: MedianRange) -> str:
    return f"{spread.median:.3f} ({spread.least:.3f} to {spread.greatest:.3f})"
