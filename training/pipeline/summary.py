"""The summary of a training, for someone who will rely on its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.declarations.targets import Target
from features.point_in_time.imputed_stock import RULE
from training.evaluation.evaluate import MODEL, Evaluation
from training.metrics.bootstrap import BootstrapInterval
from training.pipeline.job import TrainingResult

FORMAT: Final = "xuanpin-train/1"

PREDICTOR_TITLES: Final = {
    "model": "our model",
    "constant": "constant",
    "category_market_mean": "category mean",
    "shrinkage": "shrinkage",
}
"""Constant: one number for all. Category mean: of category and market. Shrinkage: the listing's
past rate, pulled towards product, category and market the more, the less it says."""

TARGET_TITLES: Final[dict[Target, str]] = {
    "sell_through": "Sell-through: share of the units offered that is ordered within the horizon",
    "return_risk": "Return risk: share of the units ordered that comes back",
}

NOT_TRAINED: Final[dict[Target, str]] = {
    "return_risk": "Returns are not in the data: return risk isn't predicted, so there is no score,"
    "\nand candidates are ranked by their sell-through.",
}
"""Said where a target was not trained."""


def build_document(result: TrainingResult) -> dict[str, object]:
    """Return what was learned for a program, as a document of JSON."""
    return {
        "format": FORMAT,
        "report": asdict(result.report),
        "training_rows": result.row_count,
        "imputed": result.imputed,
        "evaluations": {name: one.as_json() for name, one in result.evaluations.items()},
        "bundle_id": result.bundle_id,
        "mlflow": {"run_id": result.run_id, "location": result.location},
        "reused": result.reused,
    }


def format_json(document: Mapping[str, object]) -> str:
    """Write a document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def summarise_training(result: TrainingResult) -> RenderableType:
    """Return for a person what was learned from how much, and how good it is."""
    parts: list[RenderableType] = [_describe_data(result)]
    for evaluation in result.evaluations.values():
        parts += [
            _quality_table(evaluation),
            _describe_intervals(evaluation),
            _describe_verdict(evaluation),
        ]
    parts += [
        Text(said + "\n")
        for target, said in NOT_TRAINED.items()
        if target not in result.evaluations
    ]
    return Group(*parts)


def _describe_data(result: TrainingResult) -> Text:
    """Say what was learned from how much, and what isn't real in it."""
    report = result.report
    orders, listings = report.table("orders"), report.table("listings")
    first = (
        f"Learned from {orders.rows_valid:,} order lines of {listings.rows_valid:,} listings, "
        f"{orders.first_event:%Y-%m-%d} to {orders.last_event:%Y-%m-%d}: "
        f"{result.row_count:,} decisions, one a listing and week."
    )
    lines = [first]
    if report.rows_quarantined:
        lines.append(f"{report.rows_quarantined:,} rows are in quarantine: xuanpin check says why.")
    if report.absent:
        lines.append(f"Not in the data, so not known: {', '.join(report.absent)}.")
    lines += [
        f"IMPUTED, not observed: {table} ({RULE}). Whatever rests on it is as good as that rule."
        for table in result.imputed
    ]
    not_final = {name: one.rows_not_final for name, one in result.evaluations.items()}
    counted = ", ".join(f"{rows:,} for {name}" for name, rows in not_final.items())
    lines.append(f"Decisions not final yet, so not learned from: {counted}.")
    lines += [
        f"{one.unseen_season:.1%} of the latest decisions, by which {name} is judged, look ahead "
        f"to days of the year never learned from: {_describe_calendar(one)}."
        for name, one in result.evaluations.items()
        if one.unseen_season
    ]
    return Text("\n".join(lines) + "\n")


def _describe_calendar(evaluation: Evaluation) -> str:
    plain = evaluation.without_calendar
    if plain is None:
        return "their season isn't known"
    return (
        "their season is what the calendar says (calibration error "
        f"{evaluation.overall[MODEL].calibration_error:.3f}, without it "
        f"{plain.calibration_error:.3f})"
    )


def _quality_table(evaluation: Evaluation) -> Table:
    """Return model and baselines side by side on the latest slice."""
    rows = evaluation.slices["latest"].rows
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        title=f"{TARGET_TITLES[evaluation.target]}\n"
        f"on the latest {rows:,} decisions, never learned from",
        title_justify="left",
    )
    table.add_column("")
    coverage = f"{evaluation.interval_coverage:.0%}"
    for name in ("log loss", "error", "calibration", "Brier", f"in {coverage}", "width"):
        table.add_column(name, justify="right")
    for predictor, metrics in evaluation.overall.items():
        table.add_row(
            PREDICTOR_TITLES[predictor],
            f"{metrics.log_loss:.4f}",
            f"{metrics.mean_absolute_error:.3f}",
            f"{metrics.calibration_error:.3f}",
            f"{metrics.brier:.3f}",
            f"{metrics.coverage:.1%}",
            f"{metrics.width:.3f}",
            style="bold" if predictor == MODEL else "",
        )
    return table


def _describe_intervals(evaluation: Evaluation) -> Text:
    """Say how often intervals hold where they hold least, and what plain ones would do."""
    whole, *cells = evaluation.by_cell.items()
    everyone = whole[1]
    plain = (
        f"Plain split-conformal intervals hold {everyone.plain_coverage:.1%} at width "
        f"{everyone.plain_width:.3f}, ours {everyone.coverage:.1%} at {everyone.width:.3f}."
    )
    if not cells:
        return Text(plain + "\n")
    name, least = min(cells, key=lambda cell: cell[1].coverage)
    return Text(
        f"{plain}\nOf {len(cells)} large cells of own evidence and market, ours hold least in "
        f"{name}: {least.coverage:.1%}\n(standard error {least.error:.1%}) of {least.rows:,} "
        f"decisions about {least.listings:,} listings; plain ones there "
        f"{least.plain_coverage:.1%}.\n"
    )


def _describe_verdict(evaluation: Evaluation) -> Text:
    """Say for each baseline whether the model beats it beyond chance."""
    lines = [
        f"  {_compare_to_baseline(losses['log_loss'])} {PREDICTOR_TITLES[baseline]}"
        for baseline, losses in evaluation.differences.items()
    ]
    return Text("\n".join(["Our model, by log loss (95 % intervals):", *lines]) + "\n")


def _compare_to_baseline(gain: BootstrapInterval) -> str:
    """Say how much lower or higher than a baseline's the model's loss is."""
    if gain.low > 0:
        return f"loses {gain.mean:.4f} less [{gain.low:.4f}, {gain.high:.4f}]: BETTER than"
    if gain.high < 0:
        return f"loses {-gain.mean:.4f} more [{-gain.high:.4f}, {-gain.low:.4f}]: WORSE than"
    return f"differs by {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]: no better than"


def list_locations(result: TrainingResult) -> list[str]:
    """Say where the bundle and the record are, a line each."""
    return [
        f"Bundle    {result.job.out}/bundles/{result.bundle_id} (MODEL_CARD.md says more)",
        f"MLflow    {result.location}, run {result.run_id}",
    ]
