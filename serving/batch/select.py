"""Choose a list out of a file of candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import typer

from serving.batch.score_file import Tell, check_columns, score_rows
from serving.batch.table import Row, open_table
from serving.conformal.cells import LEVELS, OwnEvidence
from serving.scoring.candidates import MOST_CANDIDATES
from serving.scoring.loading import Served
from serving.scoring.selection import Ask, Empty, Selection, select_by

REASONS: Final = {
    Empty.NO_CANDIDATES: "no row has a prediction.",
    Empty.NOT_PREDICTED: "the data that trained the bundle had no returns.",
    Empty.TOO_FEW_PAST_DECISIONS: "the bundle knows too few past decisions for so low a share.",
    Empty.NONE_GOOD_ENOUGH: "of any list, a larger share would have to be expected bad.",
}


def ask_of(
    least_sell_through: float | None, most_return_risk: float | None, bad_share: float
) -> Ask | None:
    """Return what the options of the command line ask for, if a list is asked for at all.

    Raises:
        typer.BadParameter: both limits are given; a list is bounded in one sense of bad.
    """
    if least_sell_through is not None and most_return_risk is not None:
        raise typer.BadParameter("give --least-sell-through or --most-return-risk, not both")
    if least_sell_through is not None:
        return Ask(target="sell_through", threshold=least_sell_through, bad_share=bad_share)
    if most_return_risk is not None:
        return Ask(target="return_risk", threshold=most_return_risk, bad_share=bad_share)
    return None


def select_file(served: Served, source: Path, ask: Ask, *, level: float, tell: Tell) -> Selection:
    """Choose from all rows of a file, whose predictions are made and forgotten.

    Raises:
        UnreadableTableError: the file isn't a table, or lacks a column that is required.
    """
    estimate: list[float] = []
    evidence: list[int] = []
    with open_table(source, chunk_rows=MOST_CANDIDATES) as table:
        check_columns(source, table.columns)
        for chunk in table.chunks:
            for answer in score_rows(served, chunk, level=level):
                estimate.append(_or_nan(answer, ask))
                evidence.append(LEVELS.index(OwnEvidence(answer["own_evidence"] or LEVELS[0])))
            tell("choosing", len(estimate))
    models = served.bundle.models
    return select_by(models, np.array(estimate), np.array(evidence, dtype=np.int64), ask)


def sentence_of(selection: Selection) -> str:
    """Say how many were chosen and what that promises, or why none was."""
    if selection.reason is not None:
        return f"Chose none: {REASONS[selection.reason]}"
    ask = selection.ask
    said = "return risk over" if ask.target == "return_risk" else "sell-through under"
    count, percent = int(selection.is_chosen.sum()), 100 * ask.bad_share
    return (
        f"Chose {count:,}: at most {percent:.3g} % of them are expected to have a {said} "
        f"{ask.threshold:g}."
    )


def _or_nan(answer: Row, ask: Ask) -> float:
    value = answer[ask.target]
    return float("nan") if value is None else float(value)
