"""Choose a list out of a file of candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import typer

from features.runtime.progress import ProgressCallback
from serving.batch.score_file import check_columns, score_rows
from serving.batch.table import Row, open_table
from serving.conformal.cells import EVIDENCE_AMOUNTS, OwnEvidence
from serving.scoring.candidates import MAX_CANDIDATES
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.selection import (
    NoSelectionReason,
    Selection,
    SelectionRequest,
    select_by_estimate,
)

REASONS: Final = {
    NoSelectionReason.NO_CANDIDATES: "no row has a prediction.",
    NoSelectionReason.NOT_PREDICTED: "the data that trained the bundle had no returns.",
    NoSelectionReason.TOO_FEW_PAST_DECISIONS: (
        "the bundle knows too few past decisions for so low a share."
    ),
    NoSelectionReason.NONE_GOOD_ENOUGH: (
        "of any list, a larger share would have to be expected bad."
    ),
}


def parse_selection(
    least_sell_through: float | None, most_return_risk: float | None, bad_share: float
) -> SelectionRequest | None:
    """Return what the options of the command line ask for, if a list is asked for at all.

    Raises:
        typer.BadParameter: both limits are given; a list is bounded in one sense of bad.
    """
    if least_sell_through is not None and most_return_risk is not None:
        raise typer.BadParameter("give --least-sell-through or --most-return-risk, not both")
    if least_sell_through is not None:
        return SelectionRequest(
            target="sell_through", threshold=least_sell_through, bad_share=bad_share
        )
    if most_return_risk is not None:
        return SelectionRequest(
            target="return_risk", threshold=most_return_risk, bad_share=bad_share
        )
    return None


def select_file(
    served: LoadedArtefacts,
    source: Path,
    request: SelectionRequest,
    *,
    coverage: float,
    progress: ProgressCallback,
) -> Selection:
    """Choose from all rows of a file, whose predictions are made and forgotten.

    Raises:
        UnreadableTableError: the file isn't a table, or lacks a column that is required.
    """
    estimate: list[float] = []
    evidence: list[int] = []
    with open_table(source, chunk_rows=MAX_CANDIDATES) as table:
        check_columns(source, table.columns)
        for chunk in table.chunks:
            for answer in score_rows(served, chunk, coverage=coverage):
                estimate.append(_estimate_or_nan(answer, request))
                evidence.append(
                    EVIDENCE_AMOUNTS.index(
                        OwnEvidence(answer["own_evidence"] or EVIDENCE_AMOUNTS[0])
                    )
                )
            progress("choosing", len(estimate))
    models = served.bundle.models
    return select_by_estimate(
        models, np.array(estimate), np.array(evidence, dtype=np.int64), request
    )


def describe_selection(selection: Selection) -> str:
    """Say how many were chosen and what that promises, or why none was."""
    if selection.reason is not None:
        return f"Chose none: {REASONS[selection.reason]}"
    request = selection.request
    condition = "return risk over" if request.target == "return_risk" else "sell-through under"
    count, percent = int(selection.is_chosen.sum()), 100 * request.bad_share
    return (
        f"Chose {count:,}: at most {percent:.3g} % of them are expected to have a {condition} "
        f"{request.threshold:g}."
    )


def _estimate_or_nan(answer: Row, request: SelectionRequest) -> float:
    value = answer[request.target]
    return float("nan") if value is None else float(value)
