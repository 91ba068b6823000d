"""Choose a list from a file of candidates."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from features.runtime.progress import ProgressCallback
from serving.batch.answer_columns import Answer
from serving.batch.candidate_file import open_candidates
from serving.batch.errors import NoLimitError, TwoLimitsError
from serving.batch.score_file import score_parts, score_rows
from serving.conformal.cells import EVIDENCE_AMOUNTS, OwnEvidence
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.selection import (
    DEFAULT_BAD_SHARE,
    NoSelectionReason,
    Selection,
    SelectionRequest,
    select_by_estimate,
)

REASONS: Final = {
    NoSelectionReason.NO_CANDIDATES: "no row has a prediction.",
    NoSelectionReason.NOT_PREDICTED: "the data that trained the bundle had no returns.",
    NoSelectionReason.TOO_FEW_PAST_DECISIONS: (
        "the bundle has too few past decisions for such a low --bad-share."
    ),
    NoSelectionReason.NONE_GOOD_ENOUGH: (
        "in every list, a larger share than --bad-share would be expected bad."
    ),
}


def parse_selection(
    min_sell_through: float | None, max_return_risk: float | None, bad_share: float | None
) -> SelectionRequest | None:
    """Return the selection that the options of the command line request, None if they don't.

    Raises:
        TwoLimitsError: both limits are given, but a list has one definition of bad.
        NoLimitError: only the share of bad rows is given.
    """
    share = DEFAULT_BAD_SHARE if bad_share is None else bad_share
    if min_sell_through is not None and max_return_risk is not None:
        raise TwoLimitsError
    if min_sell_through is not None:
        return SelectionRequest(target="sell_through", threshold=min_sell_through, bad_share=share)
    if max_return_risk is not None:
        return SelectionRequest(target="return_risk", threshold=max_return_risk, bad_share=share)
    if bad_share is not None:
        raise NoLimitError
    return None


def select_file(
    served: LoadedArtefacts,
    source: Path,
    request: SelectionRequest,
    *,
    coverage: float,
    progress: ProgressCallback,
) -> Selection:
    """Score all rows of a file, keep only what the choice needs, and choose from them.

    Raises:
        DataError: the source isn't a file of candidates.
    """
    estimate: list[float] = []
    evidence: list[int] = []
    score = partial(score_rows, served, coverage=coverage)
    for batch in open_candidates(source).batches():
        for answers in score_parts(score, batch.candidates):
            for answer in answers:
                estimate.append(_estimate_or_nan(answer, request))
                amount = OwnEvidence(answer["own_evidence"] or EVIDENCE_AMOUNTS[0])
                evidence.append(EVIDENCE_AMOUNTS.index(amount))
            progress("choosing", len(estimate))
    models = served.bundle.models
    return select_by_estimate(
        models, np.array(estimate), np.array(evidence, dtype=np.int64), request
    )


def describe_selection(selection: Selection) -> str:
    """Return a sentence with the number of chosen rows and their bound, or why there are none."""
    if selection.reason is not None:
        return f"Chose none: {REASONS[selection.reason]}"
    request = selection.request
    condition = "return risk over" if request.target == "return_risk" else "sell-through under"
    count, percent = int(selection.is_chosen.sum()), 100 * request.bad_share
    return (
        f"Chose {count:,} row{'' if count == 1 else 's'}: at most {percent:.3g} % of them are "
        f"expected to have a {condition} {request.threshold:g}."
    )


def _estimate_or_nan(answer: Answer, request: SelectionRequest) -> float:
    value = answer[request.target]
    return float("nan") if value is None else float(value)
