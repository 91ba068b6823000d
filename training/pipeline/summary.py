"""Summarise a training for someone who will rely on its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.dataset.days import to_date
from features.declarations.targets import Target
from features.point_in_time.imputed_stock import RULE
from features.runtime.text import quote_path
from training.backtest.page import describe_range
from training.evaluation.evaluate import Evaluation
from training.evaluation.judge import MODEL
from training.evaluation.titles import PREDICTOR_TITLES, TARGET_TITLES, short_title
from training.metrics.bootstrap import BootstrapInterval
from training.pipeline.job import TrainingResult
from training.tracking.store import show_record

FORMAT: Final = "xuanpin-train/1"

BASELINES_EXPLAINED: Final = (
    "Baselines: constant is one share for all; category mean is the mean share of\n"
    "the category in the market; shrinkage is the listing's own past share, pulled\n"
    "towards those of product, category and market if its history is short."
)

NOT_TRAINED: Final[dict[Target, str]] = {
    "return_risk": "The data have no returns, so return risk isn't predicted and there is no score."
    "\nCandidates are ranked by their sell-through.",
}
"""Sentences for targets that were not trained."""

BACKTEST_MISSING: Final = (
    "These models were tested after one moment. xuanpin backtest, with the same options, repeats "
    "the\ntraining at earlier moments; this summary then says how it would have done."
)

KEPT_APART: Final = (
    "don't move the days that models learn from (if their available_at is wrong, correct it)"
)

BETTER: Final = "better"
WORSE: Final = "worse"
UNCLEAR: Final = "no clear difference"


def build_document(result: TrainingResult) -> dict[str, object]:
    """Return the result for a program, as a JSON document."""
    return {
        "format": FORMAT,
        "report": asdict(result.report),
        "training_rows": result.row_count,
        "cut_off": to_date(result.cut_off_day),
        "orders_long_before": result.covered.rows_before,
        "orders_long_after": result.covered.rows_after,
        "imputed": result.imputed,
        "evaluations": {
            target: evaluation.as_json() for target, evaluation in result.evaluations.items()
        },
        "bundle_id": result.bundle_id,
        "mlflow": {"run_id": result.run_id, "location": result.location},
        "reused": result.reused,
    }


def format_json(document: Mapping[str, object]) -> str:
    """Return a document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def summarise_training(result: TrainingResult) -> RenderableType:
    """Return the summary: verdicts, data, then the quality of each target's model."""
    evaluations = result.evaluations.values()
    verdicts = [_describe_verdict(evaluation) for evaluation in evaluations]
    absent = [text for target, text in NOT_TRAINED.items() if target not in result.evaluations]
    parts: list[RenderableType] = [
        Text("\n".join([*verdicts, *absent, *_describe_past(result)]) + "\n"),
        Text("\n".join(_describe_data(result)) + "\n"),
    ]
    for evaluation in evaluations:
        parts += [
            _quality_table(evaluation),
            _describe_differences(evaluation),
            _describe_intervals(evaluation),
        ]
    return Group(*parts, Text(f"{BASELINES_EXPLAINED}\n"))


def _describe_verdict(evaluation: Evaluation) -> str:
    """Return in one sentence which baselines the model beats beyond chance, by log loss."""
    phrases = {BETTER: "better than", UNCLEAR: "not clearly better than", WORSE: "worse than"}
    baselines: dict[str, list[str]] = {verdict: [] for verdict in phrases}
    for baseline, losses in evaluation.differences.items():
        baselines[_compare(losses["log_loss"])].append(PREDICTOR_TITLES[baseline])
    parts = [
        f"{phrases[verdict]} {', '.join(names)}" for verdict, names in baselines.items() if names
    ]
    return f"{short_title(evaluation.target)}: the model is {'; '.join(parts)}."


def _describe_past(result: TrainingResult) -> list[str]:
    """Return a sentence a target on how earlier origins turned out, or how to find out."""
    backtest = result.backtest
    if backtest is None:
        return [BACKTEST_MISSING]
    return [describe_range(backtest, target) for target in backtest.targets]


def _compare(gain: BootstrapInterval) -> str:
    """Return the verdict on a model whose loss is lower than a baseline's by `gain`."""
    if gain.low > 0:
        return BETTER
    return WORSE if gain.high < 0 else UNCLEAR


def _describe_data(result: TrainingResult) -> list[str]:
    """Return sentences on the size of the data, and on what isn't observed in them."""
    report = result.report
    orders, listings = report.table("orders"), report.table("listings")
    sentences = [
        (
            f"Learned from {orders.rows_valid:,} order lines of {listings.rows_valid:,} listings, "
            f"{_describe_period(result)}: {result.row_count:,} decisions, one for each listing and "
            "week."
        ),
        *_describe_cut_off(result),
    ]
    if report.rows_quarantined:
        sentences.append(
            f"{report.rows_quarantined:,} rows are in quarantine and were not used: "
            "xuanpin check shows why."
        )
    if report.absent:
        sentences.append(f"Tables that the data don't have: {', '.join(report.absent)}.")
    sentences += [
        f"IMPUTED, not observed: {table} ({RULE}). Results that use it are only as good as this "
        "rule."
        for table in result.imputed
    ]
    not_final = ", ".join(
        f"{evaluation.rows_not_final:,} for {short_title(target).lower()}"
        for target, evaluation in result.evaluations.items()
    )
    sentences.append(f"Decisions not used because their outcome isn't final yet: {not_final}.")
    sentences += [
        f"{short_title(evaluation.target)}: {evaluation.describe_limit()}"
        for evaluation in result.evaluations.values()
        if evaluation.rows_limited
    ]
    sentences += [
        _describe_season(evaluation)
        for evaluation in result.evaluations.values()
        if evaluation.unseen_season
    ]
    return sentences


def _describe_period(result: TrainingResult) -> str:
    """Return the first and the last day with orders, without those of a broken clock."""
    orders, covered = result.report.table("orders"), result.covered.span
    first, last = (f"{event:%Y-%m-%d}" for event in (orders.first_event, orders.last_event))
    return f"{max(first, to_date(covered.first))} to {min(last, to_date(covered.last))}"


def _describe_cut_off(result: TrainingResult) -> list[str]:
    """Return sentences on the cut-off, and on orders whose times can't be right."""
    covered = result.covered
    sentences = [f"Cut-off {to_date(result.cut_off_day)}: the last day with complete orders."]
    if covered.rows_after:
        sentences.append(
            "Orders that became known later, when hardly any others did: "
            f"{covered.rows_after:,}. They {KEPT_APART}, and no feature uses them."
        )
    if covered.rows_before:
        sentences.append(
            f"Orders that became known before {to_date(covered.span.first)}, when hardly any "
            f"others did: {covered.rows_before:,}. They {KEPT_APART}."
        )
    return sentences


def _describe_season(evaluation: Evaluation) -> str:
    beginning = (
        f"{short_title(evaluation.target)}: {evaluation.unseen_season:.1%} of the latest decisions "
        "look ahead to days of the year that the model has never learned from."
    )
    plain = evaluation.without_calendar
    if plain is None:
        return f"{beginning} Their season isn't known."
    error = evaluation.overall[MODEL].calibration_error
    return (
        f"{beginning} Their season comes from the calendar in the settings: calibration error "
        f"{error:.3f} with it, {plain.calibration_error:.3f} without it."
    )


def _quality_table(evaluation: Evaluation) -> Table:
    """Return a table of model and baselines on the latest slice."""
    rows = evaluation.slices["latest"].rows
    coverage = f"{evaluation.interval_coverage:.0%}"
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        title=f"{TARGET_TITLES[evaluation.target]}\n"
        f"Tested on the latest {rows:,} decisions, from which no model learned",
        title_justify="left",
        caption=f"Lower is better. Coverage should be close to {coverage}.",
        caption_justify="left",
    )
    table.add_column("")
    for name in ("log loss", "mean\nerror", "calibration\nerror", "Brier"):
        table.add_column(name, justify="right")
    for name in (f"coverage of\n{coverage} intervals", "mean\nwidth"):
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


def _describe_differences(evaluation: Evaluation) -> Text:
    """Return the model's log loss minus each baseline's, with the verdict."""
    lines = ["Log loss of the model minus that of each baseline, with 95% intervals:"]
    for baseline, losses in evaluation.differences.items():
        gain = losses["log_loss"]
        interval = f"[{-gain.high:+.4f}, {-gain.low:+.4f}]"
        title = PREDICTOR_TITLES[baseline]
        lines.append(f"  {title:<14}{-gain.mean:+.4f} {interval}  {_compare(gain)}")
    return Text("\n".join(lines) + "\n")


def _describe_intervals(evaluation: Evaluation) -> Text:
    """Return the coverage of the intervals, in total and where it is lowest."""
    (_, total), *cells = evaluation.by_cell.items()
    coverage = f"{evaluation.interval_coverage:.0%}"
    plain = f"{total.plain_coverage:.1%}, mean width {total.plain_width:.3f}"
    own = f"{total.coverage:.1%} of the outcomes lie inside, mean width {total.width:.3f}"
    sentences = [
        f"{coverage} intervals of the model: {own}.",
        f"Plain split-conformal intervals: {plain}.",
    ]
    if cells:
        name, lowest = min(cells, key=lambda cell: cell[1].coverage)
        evidence, _, market = name.partition(" ")
        history = "no" if evidence == "none" else evidence
        sentences.append(
            f"Lowest coverage among {len(cells)} large groups by market and own history: "
            f"{lowest.coverage:.1%} (standard error {lowest.error:.1%}), for listings in {market} "
            f"with {history} history of their own: {lowest.rows:,} decisions about "
            f"{lowest.listings:,} listings. Plain intervals there: {lowest.plain_coverage:.1%}."
        )
    return Text("\n".join(sentences) + "\n")


def list_locations(result: TrainingResult) -> list[str]:
    """Return the locations of the bundle and of the MLflow run, one line each."""
    bundle = quote_path(result.job.out / "bundles" / result.bundle_id)
    return [
        f"Bundle    {bundle} (details in its MODEL_CARD.md)",
        f"MLflow    run {result.run_id}: {show_record(result.location)}",
    ]
