"""Score a file of candidates as the service does; a bad row doesn't stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from features.runtime.atomic import check_writable
from features.runtime.progress import ProgressCallback
from serving.batch.answer_columns import (
    IS_CHOSEN,
    Answer,
    OutputColumns,
    build_answer,
    build_refusal,
    plan_columns,
)
from serving.batch.candidate_file import CandidateFile, open_candidates
from serving.batch.errors import FileChangedError, OutputIsInputError
from serving.batch.table_writer import check_output, create_table
from serving.scoring.admission import AdmittedCandidate, admit_each
from serving.scoring.candidates import MAX_CANDIDATES, Candidate
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.refusals import Detail
from serving.scoring.score import score_admitted
from serving.scoring.selection import Selection

MAX_ROWS_NAMED: Final = 5

RowScorer = Callable[[Sequence[Candidate | Detail]], list[Answer]]
"""Returns the answer's columns for at most `MAX_CANDIDATES` rows, refused ones among them."""


@dataclass
class RefusedRows:
    """How many rows have an error, and the numbers of the first of them, counted from 1."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        """Count one more row."""
        self.count += 1
        if len(self.first) < MAX_ROWS_NAMED:
            self.first.append(row)


@dataclass(frozen=True)
class BatchReport:
    """Counts of the scored and refused rows of a file."""

    rows: int
    refused: Mapping[str, RefusedRows]
    """Error to the rows that have it."""
    unread: tuple[str, ...]
    """Input columns that scoring doesn't know; the output has them unchanged."""
    renamed: Mapping[str, str]
    """Input columns with the name of an answer, and their names in the output."""
    replaced: tuple[str, ...]
    """Input columns of an earlier scoring, which the output has anew."""

    @property
    def scored_count(self) -> int:
        """Return how many rows have an answer."""
        return self.rows - sum(rows.count for rows in self.refused.values())


def check_paths(source: Path, target: Path) -> CandidateFile:
    """Check the names of source and target and the columns of the source, before any long work.

    Raises:
        DataError: the source isn't a file of candidates.
        OutputFormatError: the name of the target ends in neither .csv nor .parquet.
        OutputIsInputError: source and target are the same file.
        StorageError: the target can't be written.
    """
    check_output(target)
    check_writable(target)
    file = open_candidates(source)
    if target.exists() and target.samefile(source):
        raise OutputIsInputError(target)
    return file


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

    A row that can't be scored has the reason in the column `error`. `progress` gets the number of
    rows that are done. A `selection` from the same file (serving/batch/select.py) adds the column
    `is_chosen`.

    Raises:
        DataError: the source isn't a file of candidates, or has more rows than the selection.
        SettingsError: the target has no known format, or is the source.
        StorageError: the disk is full or can't be written; an earlier file at `target` stays.
    """
    score = partial(score_rows, served, coverage=coverage)
    return score_file_with(score, source, target, progress=progress, selection=selection)


def score_file_with(
    score: RowScorer,
    source: Path,
    target: Path,
    *,
    progress: ProgressCallback,
    selection: Selection | None = None,
) -> BatchReport:
    """Score a file by `score`, in this process or in a service; see `score_file`."""
    file = check_paths(source, target)
    columns = plan_columns(file.columns, has_selection=selection is not None)
    refused: dict[str, RefusedRows] = {}
    rows = 0
    with create_table(target, columns) as write:
        for batch in file.batches():
            answers: list[Answer] = []
            for part in score_parts(score, batch.candidates):
                answers += part
                progress("scoring", rows + len(answers))
            if selection is not None:
                _add_choice(answers, selection, source, start=rows)
            write(batch.cells, answers)
            _count_refused(refused, answers, batch.first_row)
            rows += len(answers)
    return _build_report(columns, rows, refused)


def _build_report(
    columns: OutputColumns, rows: int, refused: Mapping[str, RefusedRows]
) -> BatchReport:
    known = {*Candidate.__struct_fields__, *columns.renamed}
    return BatchReport(
        rows=rows,
        refused=refused,
        unread=tuple(name for name in columns.kept if name not in known),
        renamed=columns.renamed,
        replaced=columns.replaced,
    )


def _count_refused(
    refused: dict[str, RefusedRows], answers: Sequence[Answer], first_row: int
) -> None:
    for row, answer in enumerate(answers, first_row):
        if answer["error"] is not None:
            refused.setdefault(answer["error"], RefusedRows()).add(row)


def _add_choice(answers: list[Answer], selection: Selection, source: Path, *, start: int) -> None:
    """Add whether each scored row is chosen; null for a refused row."""
    chosen = selection.is_chosen[start : start + len(answers)].tolist()
    if len(chosen) < len(answers):
        raise FileChangedError(source)
    for answer, is_chosen in zip(answers, chosen, strict=True):
        answer[IS_CHOSEN] = is_chosen if answer["error"] is None else None


def score_parts(score: RowScorer, rows: Sequence[Candidate | Detail]) -> Iterator[list[Answer]]:
    """Yield the answers of rows in order, of at most `MAX_CANDIDATES` at a time."""
    for start in range(0, len(rows), MAX_CANDIDATES):
        yield score(rows[start : start + MAX_CANDIDATES])


def score_rows(
    served: LoadedArtefacts, rows: Sequence[Candidate | Detail], *, coverage: float
) -> list[Answer]:
    """Return the answer's columns for at most `MAX_CANDIDATES` rows, refused ones among them."""
    results = _admit_rows(served, rows)
    admitted = [result for result in results if isinstance(result, AdmittedCandidate)]
    answers: Iterator[Answer] = iter(())
    if admitted:
        batch = score_admitted(served.bundle, served.snapshot, admitted, coverage=coverage)
        answers = (build_answer(batch, candidate) for candidate in batch.candidates)
    return [
        build_refusal(result) if isinstance(result, Detail) else next(answers) for result in results
    ]


def _admit_rows(
    served: LoadedArtefacts, rows: Sequence[Candidate | Detail]
) -> list[AdmittedCandidate | Detail]:
    """Return each row's candidate with the keys to look it up by, or why it is refused."""
    candidates = [row for row in rows if isinstance(row, Candidate)]
    admitted = iter(admit_each(served.snapshot, candidates))
    return [row if isinstance(row, Detail) else next(admitted) for row in rows]
