"""Score a file of candidates as the service does; a bad row doesn't stop the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from features.runtime.progress import ProgressCallback
from serving.batch.table import (
    WRONG_LENGTH,
    FileChangedError,
    Row,
    UnreadableTableError,
    create_table,
    open_table,
)
from serving.scoring.admission import AdmittedCandidate, admit_each
from serving.scoring.answers import ScoredBatch, ScoredCandidate, Share
from serving.scoring.candidates import MAX_CANDIDATES, Candidate, parse_candidate
from serving.scoring.evidence import OWN_WEIGHTS
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.refusals import Detail
from serving.scoring.score import score_admitted
from serving.scoring.selection import Selection

FIELDS: Final = msgspec.structs.fields(Candidate)
NUMBERS: Final = ("list_price_minor", "units_offered")

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
ANSWER_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys(SHARES, pa.float64()),
    **dict.fromkeys(TEXTS, pa.string()),
}
"""The columns that scoring adds to a row; they replace input columns of the same name."""

IS_CHOSEN: Final = "is_chosen"
CHOSEN_COLUMN: Final[Mapping[str, pa.DataType]] = {IS_CHOSEN: pa.bool_()}

_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
_SEPARATOR: Final = ";"


@dataclass(frozen=True)
class BatchReport:
    """Counts of the scored and refused rows of a file."""

    rows: int
    refused: Mapping[str, int]
    """Error to the number of rows that have it."""
    unread: tuple[str, ...]
    """Input columns that scoring doesn't know; the output has them unchanged."""

    @property
    def scored_count(self) -> int:
        """Return how many rows have an answer."""
        return self.rows - sum(self.refused.values())


def score_file(  # noqa: PLR0913 - each is the caller's choice
    served: LoadedArtefacts,
    source: Path,
    target: Path,
    *,
    coverage: float,
    progress: ProgressCallback,
    selection: Selection | None = None,
) -> BatchReport:
    """Score the rows of `source` into `target`, in order and with all their columns.

    Both are CSV or Parquet, by the suffix of their name. A row that can't be scored has the reason
    in the column `error`. `progress` gets the number of rows that are done. A `selection` from the
    same file (serving/batch/select.py) adds the column `is_chosen`.

    Raises:
        UnreadableTableError: the file isn't a table, or lacks a required column.
        FileChangedError: the file has more rows than the selection.
        StorageError: the disk is full or can't be written; an earlier file at `target` stays.
    """
    errors: Counter[str | None] = Counter()
    with open_table(source, chunk_rows=MAX_CANDIDATES) as table:
        check_columns(source, table.columns)
        added = {**ANSWER_COLUMNS, **({} if selection is None else CHOSEN_COLUMN)}
        with create_table(target, {**table.columns, **added}) as write:
            for chunk in table.chunks:
                answers = score_rows(served, chunk, coverage=coverage)
                if selection is not None:
                    _add_choice(answers, selection, source, start=errors.total())
                write([{**row, **answer} for row, answer in zip(chunk, answers, strict=True)])
                errors.update(answer["error"] for answer in answers)
                progress("scoring", errors.total())
    known = {field.name for field in FIELDS} | set(added)
    return BatchReport(
        rows=errors.total(),
        refused={error: count for error, count in errors.items() if error is not None},
        unread=tuple(name for name in table.columns if name not in known),
    )


def _add_choice(answers: list[Row], selection: Selection, source: Path, *, start: int) -> None:
    """Add whether each scored row is chosen; null for a refused row."""
    chosen = selection.is_chosen[start : start + len(answers)].tolist()
    if len(chosen) < len(answers):
        raise FileChangedError(source)
    for answer, is_chosen in zip(answers, chosen, strict=True):
        answer[IS_CHOSEN] = is_chosen if answer["error"] is None else None


def score_rows(served: LoadedArtefacts, rows: Sequence[Row], *, coverage: float) -> list[Row]:
    """Return the answer's columns for at most `MAX_CANDIDATES` rows.

    A row that can't be scored has null everywhere except in `error`.
    """
    results = _admit_rows(served, rows)
    admitted = [result for result in results if isinstance(result, AdmittedCandidate)]
    answers: Iterator[Row] = iter(())
    if admitted:
        batch = score_admitted(served.bundle, served.snapshot, admitted, coverage=coverage)
        answers = (_build_answer(batch, candidate) for candidate in batch.candidates)
    return [
        _build_refusal(result) if isinstance(result, Detail) else next(answers)
        for result in results
    ]


def _admit_rows(served: LoadedArtefacts, rows: Sequence[Row]) -> list[AdmittedCandidate | Detail]:
    """Return each row's candidate with the keys to look it up by, or why it is refused."""
    parsed = [_parse_row(row) for row in rows]
    candidates = [result for result in parsed if isinstance(result, Candidate)]
    admitted = iter(admit_each(served.snapshot, candidates))
    return [result if isinstance(result, Detail) else next(admitted) for result in parsed]


def check_columns(source: Path, columns: Mapping[str, pa.DataType]) -> None:
    """Check that a file has all required columns of a candidate.

    Raises:
        UnreadableTableError: a column is missing.
    """
    missing = [field.name for field in FIELDS if field.required and field.name not in columns]
    if missing:
        raise UnreadableTableError(source, f"required columns are missing: {', '.join(missing)}")


def _parse_row(row: Row) -> Candidate | Detail:
    """Return a row's candidate, or its first fault of form."""
    if WRONG_LENGTH in row:
        return Detail(("row",), "wrong_number_of_cells")
    cells = {field.name: row.get(field.name) for field in FIELDS}
    filled = {name: cell for name, cell in cells.items() if cell is not None and cell != ""}
    return parse_candidate({name: _cast_number(name, cell) for name, cell in filled.items()})


def _cast_number(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Convert a text cell that is a whole number; leave any other cell for the check to refuse."""
    is_number = name in NUMBERS and isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value)
    return int(value) if is_number else value


def _build_refusal(detail: Detail) -> Row:
    path = ".".join(map(str, detail.loc))
    return {**dict.fromkeys(ANSWER_COLUMNS), "error": f"{path}: {detail.code}"}


def _build_answer(batch: ScoredBatch, candidate: ScoredCandidate) -> Row:
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


def _share_cells(name: str, share: Share | None) -> Row:
    """Return a share's columns, all null if it isn't predicted."""
    values = (None, None, None) if share is None else (share.estimate, share.low, share.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
