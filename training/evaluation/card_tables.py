"""Write the tables of MODEL_CARD.md in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from features.dataset.days import to_datetime
from training.evaluation.evaluate import Evaluation
from training.metrics.metrics import Metrics

_COLUMNS: Final = (
    ("log loss", "log_loss"),
    ("deviance", "deviance"),
    ("mean absolute error", "mean_absolute_error"),
    ("calibration error", "calibration_error"),
    ("Brier", "brier"),
    ("coverage", "coverage"),
    ("width", "width"),
)
"""Headings and the fields of `Metrics` beneath them."""


def format_slices(evaluation: Evaluation) -> str:
    """Return the slices with their rows and first and last moments."""
    return format_table(
        ("slice", "rows", "first moment", "last moment"),
        [
            (
                name,
                f"{summary.rows:,}",
                format_date(summary.first_day),
                format_date(summary.last_day),
            )
            for name, summary in evaluation.slices.items()
        ],
    )


def format_gains(evaluation: Evaluation) -> str:
    """Return the loss of each baseline minus that of the model, with the ends of its interval."""
    return format_table(
        ("baseline", "loss", "gain", "from", "to"),
        [
            (
                baseline,
                loss.replace("_", " "),
                *map(_format_signed, (gain.mean, gain.low, gain.high)),
            )
            for baseline, gains in evaluation.differences.items()
            for loss, gain in gains.items()
        ],
    )


def format_cells(evaluation: Evaluation) -> str:
    """Return coverage and width by cell, beside plain split-conformal intervals."""
    return format_table(
        (
            *("cell", "rows", "listings", "coverage", "error", "width"),
            *("plain coverage", "plain width", "merged"),
        ),
        [
            (
                name,
                f"{cell.rows:,}",
                f"{cell.listings:,}",
                f"{cell.coverage:.4f}",
                f"{cell.error:.4f}",
                f"{cell.width:.4f}",
                f"{cell.plain_coverage:.4f}",
                f"{cell.plain_width:.4f}",
                "yes" if cell.is_merged else "no",
            )
            for name, cell in evaluation.by_cell.items()
        ],
    )


def format_metrics(heading: str, metrics_by_name: Mapping[str, Metrics]) -> str:
    """Return the metrics of predictors or groups, a line each."""
    return format_table(
        (heading, "rows", *(title for title, _ in _COLUMNS)),
        [
            (
                name.replace("_", " "),
                f"{metrics.rows:,}",
                *(f"{getattr(metrics, field):.4f}" for _, field in _COLUMNS),
            )
            for name, metrics in metrics_by_name.items()
        ],
    )


def format_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _format_signed(value: float) -> str:
    return f"{value:+.5f}"


def format_date(day: int) -> str:
    """Return the ISO date of a day number."""
    return to_datetime(day).date().isoformat()
