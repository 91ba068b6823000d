"""Summarise a run for someone who chooses what to sell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.runtime.text import quote_path
from serving.scoring.answers import ScoredCandidate, Share
from serving.scoring.candidates import Candidate
from training.pipeline.main_job import RunResult
from training.pipeline.propose_candidates import CANDIDATES, MIN_LISTINGS
from training.pipeline.summary import (
    build_document,
    format_json,
    list_locations,
    summarise_training,
)

FORMAT: Final = "xuanpin-run/1"
MAX_SHOWN: Final = 3
"""Number of best candidates, and of worst ones."""

UNKNOWN: Final = "-"

NO_CANDIDATE: Final = (
    "No new candidate. A product is proposed to a market that doesn't list it yet, if that market "
    f"and its own\neach have at least {MIN_LISTINGS} listings of its category on sale."
)


def encode_result(result: RunResult) -> str:
    """Return the result for a program, as indented JSON."""
    return format_json(
        {
            **build_document(result),
            "format": FORMAT,
            "as_of": result.as_of,
            "snapshot_id": result.snapshot_id,
            "scored": result.scored,
        }
    )


def summarise_run(result: RunResult) -> RenderableType:
    """Return the summary of the training, then the best and worst candidates."""
    return Group(summarise_training(result), _candidate_table(result))


def _candidate_table(result: RunResult) -> RenderableType:
    """Return the best and the worst of the new candidates, with intervals."""
    if result.scored is None:
        return Text(f"{NO_CANDIDATE}\n")
    ranked = sorted(
        zip(result.candidates, result.scored.candidates, strict=True),
        key=lambda pair: _rank(pair[1]),
        reverse=True,
    )
    best, worst = ranked[:MAX_SHOWN], ranked[MAX_SHOWN:][-MAX_SHOWN:]
    coverage = f"{result.job.settings.interval_coverage:.0%}"
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        title=f"Best and worst of {len(ranked):,} candidates that their market doesn't list yet\n"
        f"({coverage} intervals in brackets)",
        title_justify="left",
        caption=_describe_flags([scored for _, scored in best + worst]),
        caption_justify="left",
    )
    for name in ("product", "market", "price", "units", "sell-through", "return risk", "score"):
        table.add_column(name, justify="left" if name in {"product", "market"} else "right")
    for candidate, scored in best:
        table.add_row(*_format_row(candidate, scored))
    table.add_section()
    for candidate, scored in worst:
        table.add_row(*_format_row(candidate, scored))
    return table


def _rank(scored: ScoredCandidate) -> float:
    """Return the score, or the sell-through if there is no score."""
    return scored.sell_through.estimate if scored.score is None else scored.score


def _format_row(candidate: Candidate, scored: ScoredCandidate) -> tuple[str, ...]:
    return (
        candidate.product_id,
        candidate.market,
        f"{candidate.list_price_minor / 100:,.2f} {candidate.currency}",
        f"{candidate.units_offered:,}",
        _format_share(scored.sell_through),
        UNKNOWN if scored.return_risk is None else _format_share(scored.return_risk),
        UNKNOWN if scored.score is None else f"{scored.score:.3f}",
    )


def _format_share(share: Share) -> str:
    return f"{share.estimate * 100:.3g}% ({share.low * 100:.2g}-{share.high * 100:.3g})"


def _describe_flags(scored: Sequence[ScoredCandidate]) -> str:
    flags = sorted({flag for candidate in scored for flag in candidate.flags})
    return f"Flags of these candidates: {', '.join(flags)}" if flags else ""


def describe_locations(result: RunResult) -> str:
    """Return the locations of all results and the next commands; lines to copy aren't wrapped."""
    out = quote_path(result.job.out)
    snapshot = quote_path(result.job.out / "snapshots" / result.snapshot_id)
    lines = [
        *list_locations(result),
        f"Snapshot  {snapshot} as of {result.as_of:%Y-%m-%d}",
        "",
        "Next:",
        f"  xuanpin serve --run {out}",
    ]
    if result.candidates:
        candidates = quote_path(result.job.out / CANDIDATES)
        lines.append(f"  xuanpin score {candidates} --out scores.csv --run {out}")
        body = json.dumps({"candidates": [_build_request(result.candidates[0])]})
        lines.append(
            "  curl -s http://127.0.0.1:3000/v1/score -H 'content-type: application/json' "
            f"-d {shlex.quote(body)}"
        )
    return "\n".join(lines)


def _build_request(candidate: Candidate) -> dict[str, str | int]:
    return {name: value for name, value in msgspec.structs.asdict(candidate).items() if value}
