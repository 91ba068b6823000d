"""Show a backtest to someone who will rely on its models: tables, then what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.declarations.targets import Target
from training.backtest.result import (
    Backtest,
    JudgedList,
    JudgedTarget,
    pooled_coverage,
    worst_origin,
)
from training.evaluation.baselines import BASELINES, SHRINKAGE
from training.evaluation.judge import MODEL, PREDICTORS
from training.evaluation.titles import PREDICTOR_TITLES, TARGET_TITLES, short_title
from training.metrics.bootstrap import BootstrapInterval

MEAN: Final = "mean of origins"
NOTHING: Final = "-"


def backtest_page(backtest: Backtest) -> RenderableType:
    """Return the tables of each target, their summary, and the origins that were skipped."""
    parts: list[RenderableType] = []
    for target in backtest.targets:
        judged = backtest.judged(target)
        coverage = f"{backtest.interval_coverage:.0%}"
        parts += [
            _loss_table(target, judged),
            _interval_table(judged, coverage),
            Text(describe_extremes(target, judged, coverage) + "\n"),
        ]
    return Group(*parts, *_describe_skipped(backtest))


def _describe_skipped(backtest: Backtest) -> list[Text]:
    """Return sentences on the ends of the data at which nothing, or one target less, is learned."""
    sentences = [
        f"Without {short_title(target).lower()}: data known by the end of {origin.end}. {reason}"
        for origin in backtest.origins
        for target, reason in origin.not_learned.items()
    ]
    sentences += [
        f"Skipped: data known by the end of {origin.end}. {origin.reason}"
        for origin in backtest.skipped
    ]
    return [Text(f"{sentence}\n") for sentence in sentences]


def _loss_table(target: Target, judged: Sequence[JudgedTarget]) -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        title=f"{TARGET_TITLES[target]}\n"
        "Log loss on the decisions after each origin, from which no model learned",
        title_justify="left",
        caption="In brackets: the model's log loss minus the baseline's, 95% interval.",
        caption_justify="left",
    )
    table.add_column("origin")
    for name in ("last day", "decisions", *(PREDICTOR_TITLES[name] for name in PREDICTORS)):
        table.add_column(name, justify="right")
    for each in judged:
        table.add_row(
            each.first_day,
            each.last_day,
            f"{each.rows:,}",
            f"{each.model.log_loss:.4f}",
            *(_baseline_cell(each, name) for name in BASELINES),
        )
    table.add_section()
    losses = [fmean(each.metrics[name].log_loss for each in judged) for name in PREDICTORS]
    table.add_row(MEAN, "", "", *(f"{loss:.4f}" for loss in losses))
    return table


def _baseline_cell(judged: JudgedTarget, baseline: str) -> str:
    return f"{judged.metrics[baseline].log_loss:.4f} {format_difference(judged.gains[baseline])}"


def format_difference(gain: BootstrapInterval) -> str:
    """Return the interval of the model's loss minus the baseline's."""
    return f"[{-gain.high:+.4f}, {-gain.low:+.4f}]"


def _interval_table(judged: Sequence[JudgedTarget], coverage: str) -> Table:
    requested = [each.requested for each in judged[0].lists]
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        title=f"Calibration, {coverage} intervals, and lists chosen at each origin",
        title_justify="left",
        caption="After ±: one standard error. New season: share of decisions that look ahead to "
        "days of the year that the model never learned from.",
        caption_justify="left",
    )
    table.add_column("origin")
    headings = [
        "mean\noutcome",
        "mean\nestimate",
        "calibration\nerror",
        "coverage",
        "mean\nwidth",
        "new\nseason",
        *(f"bad of chosen,\nat most {share:.0%} asked" for share in requested),
    ]
    for name in headings:
        table.add_column(name, justify="right")
    for each in judged:
        table.add_row(each.first_day, *_interval_cells(each), *map(_list_cell, each.lists))
    table.add_section()
    table.add_row(MEAN, *_mean_cells(judged))
    return table


def _interval_cells(judged: JudgedTarget) -> tuple[str, ...]:
    model = judged.model
    return (
        f"{model.mean_label:.3f}",
        f"{model.mean_estimate:.3f}",
        f"{model.calibration_error:.3f}",
        f"{model.coverage:.1%} ± {judged.coverage_error:.1%}",
        f"{model.width:.3f}",
        f"{judged.unseen_season:.0%}",
    )


def _list_cell(judged: JudgedList) -> str:
    if judged.bad_share is None:
        return f"none of {judged.candidates:,} chosen"
    return f"{judged.bad_share:.1%} ± {judged.error:.1%} of {judged.chosen:,}"


def _mean_cells(judged: Sequence[JudgedTarget]) -> tuple[str, ...]:
    names = ("mean_label", "mean_estimate", "calibration_error")
    means = [f"{fmean(getattr(each.model, name) for each in judged):.3f}" for name in names]
    coverage = f"{fmean(each.model.coverage for each in judged):.1%}"
    width = f"{fmean(each.model.width for each in judged):.3f}"
    season = f"{fmean(each.unseen_season for each in judged):.0%}"
    lists = zip(*(each.lists for each in judged), strict=True)
    return (*means, coverage, width, season, *map(_mean_list, lists))


def _mean_list(lists: Sequence[JudgedList]) -> str:
    """Return the mean bad share over the lists; an empty list holds nothing bad."""
    mean = fmean(each.bad_share or 0.0 for each in lists)
    return f"{mean:.1%} of {sum(each.chosen for each in lists):,}"


def describe_extremes(target: Target, judged: Sequence[JudgedTarget], coverage: str) -> str:
    """Return sentences on the worst origin and on all decisions together."""
    worst = worst_origin(judged, SHRINKAGE)
    lowest = min(judged, key=lambda each: each.model.coverage)
    rows = sum(each.rows for each in judged)
    return (
        f"{short_title(target)}: worst origin beside shrinkage {worst.first_day}, log loss "
        f"{worst.metrics[MODEL].log_loss:.4f} against {worst.metrics[SHRINKAGE].log_loss:.4f}. "
        f"The {coverage} intervals hold {pooled_coverage(judged):.1%} of all {rows:,} decisions, "
        f"at the worst origin ({lowest.first_day}) {lowest.model.coverage:.1%}."
    )


def describe_range(backtest: Backtest, target: Target) -> str:
    """Return in one sentence what a target's origins showed, for the summary of a run."""
    judged, coverage = backtest.judged(target), f"{backtest.interval_coverage:.0%}"
    model, shrinkage = (
        [each.metrics[name].log_loss for each in judged] for name in (MODEL, SHRINKAGE)
    )
    held = [each.model.coverage for each in judged]
    days = f"{judged[0].first_day} to {judged[-1].first_day}"
    return (
        f"{short_title(target)}: at the last {len(judged)} origins ({days}) the model's log loss "
        f"would have been {min(model):.4f} to {max(model):.4f} against {min(shrinkage):.4f} to "
        f"{max(shrinkage):.4f} of shrinkage; its {coverage} intervals would have held "
        f"{min(held):.1%} to {max(held):.1%}."
    )
