"""Draw a backtest over time: losses, calibration and coverage, one row of plots a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from features.runtime.pictures import draw_picture
from training.backtest.result import Backtest, JudgedTarget
from training.evaluation.baselines import CATEGORY_MARKET_MEAN, CONSTANT, SHRINKAGE
from training.evaluation.judge import MODEL
from training.evaluation.titles import PREDICTOR_TITLES, short_title

DayArray = np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]

WIDTH: Final = 11.0
HEIGHT: Final = 3.4
"""Inches of a target's row of plots."""
DARK: Final = "#222222"
MAX_DAYS: Final = 4
"""Most days written below a plot."""
LEAST_HEIGHT: Final = 0.01
"""Least height of the axis of errors: smaller ones would look large."""
STYLES: Final[dict[str, dict[str, Any]]] = {
    MODEL: {"color": "#0b5394", "linewidth": 2.2, "marker": "o", "markersize": 5, "zorder": 3},
    SHRINKAGE: {"color": "#b45309", "linestyle": "--", "marker": "s"},
    CATEGORY_MARKET_MEAN: {"color": "#15803d", "linestyle": "-.", "marker": "^"},
    CONSTANT: {"color": "#6b7280", "linestyle": ":", "marker": "v"},
}
"""Colours that differ in lightness too, and markers that differ without colour."""


def draw_backtest(backtest: Backtest, path: Path) -> None:
    """Draw a backtest into a PNG file.

    Raises:
        StorageError: the disk can't be written.
    """
    rows = len(backtest.targets)
    draw_picture(path, (WIDTH, HEIGHT * rows), partial(_draw_rows, backtest))


def _draw_rows(backtest: Backtest, figure: Figure) -> None:
    axes = figure.subplots(len(backtest.targets), 3, squeeze=False)
    for row, target in zip(axes, backtest.targets, strict=True):
        judged = backtest.judged(target)
        days = np.array([each.first_day for each in judged], dtype="datetime64[D]")
        _draw_losses(row[0], days, judged)
        _draw_calibration(row[1], days, judged)
        _draw_coverage(row[2], days, judged, backtest.interval_coverage)
        for each in row:
            _label(each, days, short_title(target))


def _draw_losses(axes: Axes, days: DayArray, judged: Sequence[JudgedTarget]) -> None:
    for name, style in STYLES.items():
        losses = [each.metrics[name].log_loss for each in judged]
        axes.plot(days, losses, label=PREDICTOR_TITLES[name], **style)
    axes.set(title="log loss, lower is better", ylabel="log loss")


def _draw_calibration(axes: Axes, days: DayArray, judged: Sequence[JudgedTarget]) -> None:
    errors = [each.model.calibration_error for each in judged]
    axes.plot(days, errors, label="model", **STYLES[MODEL])
    axes.set(title="calibration error, lower is better", ylabel="mean distance to the outcome")
    axes.set_ylim(0, 1.2 * max(*errors, LEAST_HEIGHT))


def _draw_coverage(
    axes: Axes, days: DayArray, judged: Sequence[JudgedTarget], interval_coverage: float
) -> None:
    """Draw the coverage with two standard errors, and the coverage that is promised."""
    held = np.array([each.model.coverage for each in judged])
    errors = np.array([2 * each.coverage_error for each in judged])
    axes.axhline(interval_coverage, color=DARK, linewidth=1.2, label="promised")
    axes.errorbar(
        days, held, yerr=errors, capsize=3, label="model, ± 2 standard errors", **STYLES[MODEL]
    )
    axes.set(title=f"coverage of {interval_coverage:.0%} intervals", ylabel="share of outcomes")
    axes.set_ylim(min((held - errors).min(), interval_coverage - 0.1) - 0.03, 1.0)


def _label(axes: Axes, days: DayArray, title: str) -> None:
    """Name the target, and write the day of a few origins below the plot."""
    shown = days[:: -math.ceil(days.size / MAX_DAYS)]
    axes.set_xticks(shown, [str(day) for day in shown])
    axes.margins(x=0.12)
    axes.set_xlabel("origin: first day of the judged decisions")
    axes.set_title(f"{title}: {axes.get_title()}")
    axes.legend(
        fontsize=8, labelcolor=DARK, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2
    )
    axes.tick_params(labelcolor=DARK, labelsize=8)
    axes.tick_params(axis="x", labelsize=7)
    for text in (axes.xaxis.label, axes.yaxis.label, axes.title):
        text.set_color(DARK)
