from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contract.errors import MissingColumnsError
from features.declarations.targets import Target
from features.online.snapshot import OnlineSnapshot
from features.runtime.progress import ignore_progress
from serving.batch.errors import FileChangedError, NoLimitError, TwoLimitsError
from serving.batch.score_file import score_file
from serving.batch.select import (
    REASONS,
    describe_selection,
    parse_selection,
    select_file,
)
from serving.bundle.bundle import Bundle
from serving.scoring.candidates import MAX_CANDIDATES, Candidate
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.score import score
from serving.scoring.selection import NoSelectionReason, Selection, SelectionRequest, select

GOOD: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
}
ASK = SelectionRequest(target="sell_through", threshold=0.2, bad_share=0.4)


@pytest.fixture
def served(bundle: Bundle, snapshot: OnlineSnapshot) -> LoadedArtefacts:
    return LoadedArtefacts(bundle, snapshot)


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("target", ["sell_through", "return_risk"])
def test_file_is_chosen_from_as_a_whole_whatever_its_chunks(
    target: Target, served: LoadedArtefacts, tmp_path: Path
) -> None:
    rows = [{**GOOD, "units_offered": 1 + n % 200} for n in range(MAX_CANDIDATES + 100)]
    source, out = write(tmp_path / "in.parquet", rows), tmp_path / "out.parquet"
    request = SelectionRequest(target=target, threshold=0.2, bad_share=0.5)
    selection = select_file(served, source, request, coverage=0.8, progress=ignore_progress)
    candidates = [Candidate(**row) for row in rows]
    batch = [
        candidate
        for part in (candidates[:1_000], candidates[1_000:])
        for candidate in score(served.bundle, served.snapshot, part, coverage=0.8).candidates
    ]
    expected = select(served.bundle.models, batch, request).is_chosen.tolist()
    assert selection.is_chosen.tolist() == expected
    score_file(served, source, out, coverage=0.8, progress=ignore_progress, selection=selection)
    table = pq.read_table(out)
    assert table["is_chosen"].to_pylist() == expected
    assert table.column_names[-1] == "is_chosen"


def test_refused_rows_are_neither_chosen_nor_left_out(
    served: LoadedArtefacts, tmp_path: Path
) -> None:
    rows = [{**GOOD, "units_offered": 0 if n % 3 == 0 else 1 + n} for n in range(90)]
    source, out = write(tmp_path / "in.parquet", rows), tmp_path / "out.csv"
    selection = select_file(served, source, ASK, coverage=0.8, progress=ignore_progress)
    score_file(served, source, out, coverage=0.8, progress=ignore_progress, selection=selection)
    with out.open(encoding="utf-8-sig", newline="") as file:
        scored_rows = list(csv.DictReader(file))
    assert {row["is_chosen"] for row in scored_rows[::3]} == {""}
    assert {row["is_chosen"] for row in scored_rows[1::3]} <= {"True", "False"}
    good = write(tmp_path / "good.parquet", [row for row in rows if row["units_offered"]])
    alone = select_file(served, good, ASK, coverage=0.8, progress=ignore_progress)
    assert alone.is_chosen.sum() == selection.is_chosen.sum()


def test_file_that_grew_since_it_was_chosen_from_is_refused(
    served: LoadedArtefacts, tmp_path: Path
) -> None:
    source, out = write(tmp_path / "in.parquet", [GOOD] * 3), tmp_path / "out.csv"
    selection = select_file(served, source, ASK, coverage=0.8, progress=ignore_progress)
    write(source, [GOOD] * 4)
    with pytest.raises(FileChangedError, match="more rows than when the list was chosen"):
        score_file(served, source, out, coverage=0.8, progress=ignore_progress, selection=selection)
    assert not out.exists()


def test_file_without_a_required_column_is_refused_at_once(
    served: LoadedArtefacts, tmp_path: Path
) -> None:
    source = write(tmp_path / "in.parquet", [{"product_id": "mug-1"}])
    with pytest.raises(MissingColumnsError, match="lacks columns: market"):
        select_file(served, source, ASK, coverage=0.8, progress=ignore_progress)


def test_risk_that_isnt_predicted_chooses_none(
    bundle_without_returns: Bundle, snapshot: OnlineSnapshot, tmp_path: Path
) -> None:
    served = LoadedArtefacts(bundle_without_returns, snapshot)
    source = write(tmp_path / "in.parquet", [GOOD])
    request = SelectionRequest(target="return_risk", threshold=0.2)
    assert (
        select_file(served, source, request, coverage=0.8, progress=ignore_progress).reason
        == NoSelectionReason.NOT_PREDICTED
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((None, None, None), None),
        ((0.5, None, None), SelectionRequest(target="sell_through", threshold=0.5)),
        ((0.5, None, 0.2), SelectionRequest(target="sell_through", threshold=0.5, bad_share=0.2)),
        ((None, 0.0, 0.1), SelectionRequest(target="return_risk", threshold=0.0)),
    ],
)
def test_options_ask_for_a_list_or_for_none(
    options: tuple[float | None, float | None, float | None], expected: SelectionRequest | None
) -> None:
    assert parse_selection(*options) == expected


def test_options_of_both_limits_are_wrong_usage() -> None:
    with pytest.raises(TwoLimitsError):
        parse_selection(0.5, 0.2, None)


def test_option_of_the_share_alone_is_wrong_usage() -> None:
    with pytest.raises(NoLimitError) as caught:
        parse_selection(None, None, 0.2)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (
            Selection(ASK, np.array([True, False, True]), None),
            "Chose 2 rows: at most 40 % of them are expected to have a sell-through under 0.2.",
        ),
        (
            Selection(
                SelectionRequest(target="return_risk", threshold=0.25),
                np.ones(1_200, np.bool_),
                None,
            ),
            "Chose 1,200 rows: at most 10 % of them are expected to have a return risk over 0.25.",
        ),
        *(
            (Selection.none(ASK, 3, reason), f"Chose none: {sentence}")
            for reason, sentence in REASONS.items()
        ),
    ],
)
def test_choice_is_told_in_a_sentence(selection: Selection, sentence: str) -> None:
    assert describe_selection(selection) == sentence
    assert set(REASONS) == set(NoSelectionReason)
