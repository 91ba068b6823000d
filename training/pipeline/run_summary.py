"""The summary of a run, for someone who chooses what to sell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from serving.scoring.answers import ScoredCandidate, Share
from serving.scoring.candidates import Candidate
from training.pipeline.main_job import Outcome
from training.pipeline.summary import document_of, indented_json, learned_summary, places

FORMAT: Final = "xuanpin-run/1"
SHOWN: Final = 3
"""Best and worst candidates each."""

UNKNOWN: Final = "-"


def as_json(outcome: Outcome) -> str:
    """Return the outcome for a program, as indented JSON."""
    return indented_json(
        {
            **document_of(outcome),
            "format": FORMAT,
            "as_of": outcome.as_of,
            "snapshot_id": outcome.snapshot_id,
            "scored": outcome.scored,
        }
    )


def summary(outcome: Outcome) -> RenderableType:
    """Return the summary for a person."""
    return Group(learned_summary(outcome), _candidates(outcome))


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
        *places(outcome),
        f"Snapshot  {out}/snapshots/{outcome.snapshot_id} as of {outcome.as_of:%Y-%m-%d}",
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
