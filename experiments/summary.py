"""The summary of a run, for someone who chooses what to sell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from experiments.main_job import Outcome
from features.declarations import Target
from features.imputed_stock import RULE
from serving.answers import ScoredCandidate, Share
from serving.candidates import Candidate
from training.bootstrap import Spread
from training.evaluate import MODEL, Evaluation

FORMAT: Final = "xuanpin-run/1"
SHOWN: Final = 3
"""Best and worst candidates each."""

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

NOT_LEARNED: Final[dict[Target, str]] = {
    "return_risk": "Returns are not in the data: return risk isn't predicted, so there is no score,"
    "\nand candidates are ranked by their sell-through.",
}
"""Said where a target was not trained."""

UNKNOWN: Final = "-"


def as_json(outcome: Outcome) -> str:
    """Return the outcome for a program, as indented JSON."""
    document = {
        "format": FORMAT,
        "report": asdict(outcome.report),
        "training_rows": outcome.row_count,
        "imputed": outcome.imputed,
        "as_of": outcome.as_of,
        "evaluations": {name: one.as_json() for name, one in outcome.evaluations.items()},
        "bundle_id": outcome.bundle_id,
        "snapshot_id": outcome.snapshot_id,
        "mlflow": {"run_id": outcome.run_id, "location": outcome.location},
        "scored": outcome.scored,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def summary(outcome: Outcome) -> RenderableType:
    """Return the summary for a person."""
    parts: list[RenderableType] = [_learned(outcome)]
    for evaluation in outcome.evaluations.values():
        parts += [_quality(evaluation), _intervals(evaluation), _verdict(evaluation)]
    parts += [
        Text(said + "\n")
        for target, said in NOT_LEARNED.items()
        if target not in outcome.evaluations
    ]
    parts.append(_candidates(outcome))
    return Group(*parts)


def _learned(outcome: Outcome) -> Text:
    """Say what was learned from how much, and what isn't real in it."""
    report = outcome.report
    orders, listings = report.table("orders"), report.table("listings")
    learned = (
        f"Learned from {orders.rows_valid:,} order lines of {listings.rows_valid:,} listings, "
        f"{orders.first_event:%Y-%m-%d} to {orders.last_event:%Y-%m-%d}: "
        f"{outcome.row_count:,} decisions, one a listing and week."
    )
    lines = [learned]
    if report.rows_quarantined:
        lines.append(f"{report.rows_quarantined:,} rows are in quarantine: xuanpin check says why.")
    if report.absent:
        lines.append(f"Not in the data, so not known: {', '.join(report.absent)}.")
    lines += [
        f"IMPUTED, not observed: {table} ({RULE}). Whatever rests on it is as good as that rule."
        for table in outcome.imputed
    ]
    not_final = {name: one.rows_not_final for name, one in outcome.evaluations.items()}
    counted = ", ".join(f"{rows:,} for {name}" for name, rows in not_final.items())
    lines.append(f"Decisions not final yet, so not learned from: {counted}.")
    return Text("\n".join(lines) + "\n")


def _quality(evaluation: Evaluation) -> Table:
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
    level = f"{evaluation.interval_level:.0%}"
    for name in ("log loss", "error", "calibration", "Brier", f"in {level}", "width"):
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


def _intervals(evaluation: Evaluation) -> Text:
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
        f"{name}: {least.coverage:.1%}\nof {least.rows:,} decisions; plain ones there "
        f"{least.plain_coverage:.1%}.\n"
    )


def _verdict(evaluation: Evaluation) -> Text:
    """Say for each baseline whether the model beats it beyond chance."""
    lines = [
        f"  {_against(losses['log_loss'])} {PREDICTOR_TITLES[baseline]}"
        for baseline, losses in evaluation.differences.items()
    ]
    return Text("\n".join(["Our model, by log loss (95 % intervals):", *lines]) + "\n")


def _against(gain: Spread) -> str:
    """Say how much lower or higher than a baseline's the model's loss is."""
    if gain.low > 0:
        return f"loses {gain.mean:.4f} less [{gain.low:.4f}, {gain.high:.4f}]: BETTER than"
    if gain.high < 0:
        return f"loses {-gain.mean:.4f} more [{-gain.high:.4f}, {-gain.low:.4f}]: WORSE than"
    return f"differs by {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]: no better than"


def _candidates(outcome: Outcome) -> RenderableType:
    """Return the best and the worst of the unseen candidates, with intervals."""
    if outcome.scored is None:
        return Text("Every market lists every product: there is no unseen candidate to score.\n")
    ranked = sorted(
        zip(outcome.candidates, outcome.scored.candidates, strict=True),
        key=lambda pair: _rank(pair[1]),
        reverse=True,
    )
    best, worst = ranked[:SHOWN], ranked[SHOWN:][-SHOWN:]
    level = f"{outcome.job.settings.interval_level:.0%}"
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        title=f"Best and worst of {len(ranked):,} candidates that their market doesn't list yet "
        f"(intervals hold {level})",
        title_justify="left",
        caption=_flags_of([scored for _, scored in best + worst]),
        caption_justify="left",
    )
    for name in ("product", "market", "price", "units", "sell-through", "return risk", "score"):
        table.add_column(name, justify="left" if name in {"product", "market"} else "right")
    for candidate, scored in best:
        table.add_row(*_cells(candidate, scored))
    table.add_section()
    for candidate, scored in worst:
        table.add_row(*_cells(candidate, scored))
    return table


def _rank(scored: ScoredCandidate) -> float:
    """Return the score, or the sell-through where there is none, as the summary then says."""
    return scored.sell_through.estimate if scored.score is None else scored.score


def _cells(candidate: Candidate, scored: ScoredCandidate) -> tuple[str, ...]:
    return (
        candidate.product_id,
        candidate.market,
        f"{candidate.list_price_minor / 100:,.2f} {candidate.currency}",
        f"{candidate.units_offered:,}",
        _share(scored.sell_through),
        UNKNOWN if scored.return_risk is None else _share(scored.return_risk),
        UNKNOWN if scored.score is None else f"{scored.score:.3f}",
    )


def _share(share: Share) -> str:
    return f"{share.estimate * 100:.3g}% ({share.low * 100:.2g}-{share.high * 100:.3g})"


def _flags_of(scored: Sequence[ScoredCandidate]) -> str:
    flags = sorted({flag for one in scored for flag in one.flags})
    return f"Flags: {', '.join(flags)}" if flags else ""


def whereabouts(outcome: Outcome) -> str:
    """Say where everything is and what to type next; lines to be copied are not wrapped."""
    out = outcome.job.out
    lines = [
        f"Bundle    {out}/bundles/{outcome.bundle_id} (MODEL_CARD.md says more)",
        f"Snapshot  {out}/snapshots/{outcome.snapshot_id} as of {outcome.as_of:%Y-%m-%d}",
        f"MLflow    {outcome.location}, run {outcome.run_id}",
        "",
        "Next:",
        f"  xuanpin serve --run {out}",
    ]
    if outcome.candidates:
        lines.append(f"  xuanpin score {out}/candidates.csv --out scores.csv --run {out}")
        body = json.dumps({"candidates": [_as_request(outcome.candidates[0])]})
        lines.append(
            "  curl -s http://127.0.0.1:3000/v1/score -H 'content-type: application/json' "
            f"-d '{body}'"
        )
    return "\n".join(lines)


def _as_request(candidate: Candidate) -> dict[str, str | int]:
    return {name: value for name, value in msgspec.structs.asdict(candidate).items() if value}
