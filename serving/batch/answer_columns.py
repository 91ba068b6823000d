"""Declare the columns that scoring adds to a row, and fill them from an answer or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from serving.scoring.answers import ScoredBatch, ScoredCandidate, Share
from serving.scoring.evidence import OWN_WEIGHTS
from serving.scoring.refusals import Detail

Answer = dict[str, Any]

SHARES: Final = (
    "sell_through",
    "sell_through_low",
    "sell_through_high",
    "return_risk",
    "return_risk_low",
    "return_risk_high",
    "score",
    "coverage",
    *(f"own_weight_{rate}" for rate in OWN_WEIGHTS),
)
TEXTS: Final = (
    "own_evidence",
    "levels_used",
    "flags",
    "as_of",
    "bundle_id",
    "snapshot_id",
    "error",
)
ANSWER_COLUMNS: Final = pa.schema(
    [*((name, pa.float64()) for name in SHARES), *((name, pa.string()) for name in TEXTS)]
)
IS_CHOSEN: Final = "is_chosen"
CHOSEN_COLUMN: Final = pa.field(IS_CHOSEN, pa.bool_())

_SEPARATOR: Final = ";"
_KEPT_NAME: Final = "{}_before"


@dataclass(frozen=True)
class OutputColumns:
    """The columns of a result: those of the source under `kept` names, then those of the answer."""

    kept: dict[str, str]
    """Name in the source to name in the result."""
    replaced: tuple[str, ...]
    """Columns of an earlier scoring that the answer replaces."""
    source: pa.Schema
    """The kept columns, under their names in the result."""
    answer: pa.Schema

    @property
    def renamed(self) -> dict[str, str]:
        """Return the columns of the source that have another name in the result."""
        return {name: kept for name, kept in self.kept.items() if name != kept}


def plan_columns(source: pa.Schema, *, has_selection: bool) -> OutputColumns:
    """Choose the columns of a result so that none of the source is lost.

    A column of the source with the name of an answer gets `_before` behind its name. But a source
    that has all columns of an answer is itself a result: the new answer replaces the earlier one.
    """
    answer = [*ANSWER_COLUMNS, *([CHOSEN_COLUMN] if has_selection else [])]
    added = {field.name for field in answer}
    is_result = set(ANSWER_COLUMNS.names) <= set(source.names)
    replaced = {*ANSWER_COLUMNS.names, IS_CHOSEN} & set(source.names) if is_result else set()
    taken = added | (set(source.names) - replaced)
    kept: dict[str, str] = {}
    for name in source.names:
        if name not in replaced:
            kept[name] = _free_name(name, taken - {name}) if name in added else name
            taken.add(kept[name])
    fields = [source.field(name).with_name(new_name) for name, new_name in kept.items()]
    ordered = tuple(name for name in source.names if name in replaced)
    return OutputColumns(kept, ordered, pa.schema(fields), pa.schema(answer))


def _free_name(name: str, taken: set[str]) -> str:
    free = _KEPT_NAME.format(name)
    return _free_name(free, taken) if free in taken else free


def build_refusal(detail: Detail) -> Answer:
    """Return the cells of a row that can't be scored: null everywhere except in `error`."""
    path = ".".join(map(str, detail.loc))
    reason = f" ({detail.reason})" if detail.reason else ""
    return {**dict.fromkeys(ANSWER_COLUMNS.names), "error": f"{path}: {detail.code}{reason}"}


def build_answer(batch: ScoredBatch, candidate: ScoredCandidate) -> Answer:
    """Return the cells of a scored row."""
    return {
        **_share_cells("sell_through", candidate.sell_through),
        **_share_cells("return_risk", candidate.return_risk),
        "score": candidate.score,
        "coverage": candidate.sell_through.coverage,
        **{f"own_weight_{rate}": weight for rate, weight in candidate.evidence.own_weight.items()},
        "own_evidence": candidate.evidence.own,
        "levels_used": _SEPARATOR.join(candidate.evidence.levels_used),
        "flags": _SEPARATOR.join(candidate.flags),
        "as_of": candidate.evidence.as_of,
        "bundle_id": batch.bundle_id,
        "snapshot_id": batch.snapshot_id,
        "error": None,
    }


def _share_cells(name: str, share: Share | None) -> Answer:
    """Return a share's columns, all null if it isn't predicted."""
    values = (None, None, None) if share is None else (share.estimate, share.low, share.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
