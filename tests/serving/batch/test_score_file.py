from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.declarations.levels import Level
from features.declarations.targets import TARGETS
from features.online.snapshot import OnlineSnapshot
from features.runtime.errors import DataError, StorageError
from features.runtime.progress import ignore_progress
from serving.batch.answer_columns import ANSWER_COLUMNS
from serving.batch.score_file import BatchReport, RefusedRows, check_paths, score_file
from serving.bundle.bundle import Bundle
from serving.scoring.candidates import MAX_CANDIDATES, Candidate, ScoreRequest, parse_request
from serving.scoring.evidence import OWN_WEIGHTS
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.refusals import RequestRefusedError
from serving.scoring.score import score
from tests.worlds.progress import Reports

GOOD: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
    "listing_id": "mug-1|GB",
    "category": None,
    "title": "Mug, blue",
}


@pytest.fixture
def served(bundle: Bundle, snapshot: OnlineSnapshot) -> LoadedArtefacts:
    return LoadedArtefacts(bundle, snapshot)


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(GOOD))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Read a result; an empty cell of a CSV file stands for null."""
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]


def run(served: LoadedArtefacts, source: Path, target: Path) -> BatchReport:
    return score_file(served, source, target, coverage=0.9, progress=ignore_progress)


@pytest.mark.parametrize("source", ["in.csv", "in.parquet"])
@pytest.mark.parametrize("target", ["out.csv", "out.parquet"])
def test_batch_answers_what_the_scoring_function_returns(
    served: LoadedArtefacts, tmp_path: Path, source: str, target: str
) -> None:
    rows = [{**GOOD, "units_offered": n} for n in range(1, MAX_CANDIDATES + 300)]
    report = run(served, write(tmp_path / source, rows), tmp_path / target)
    assert report == BatchReport(len(rows), {}, unread=("title",), renamed={}, replaced=())
    scored_rows = read(tmp_path / target)
    known = [{name: row[name] for name in row if name != "title"} for row in rows]
    candidates = [Candidate(**row) for row in known]
    expected = [
        *score(served.bundle, served.snapshot, candidates[:1_000], coverage=0.9).candidates,
        *score(served.bundle, served.snapshot, candidates[1_000:], coverage=0.9).candidates,
    ]
    for row, answer in zip(scored_rows, expected, strict=True):
        assert float(row["score"]) == answer.score
        assert float(row["sell_through_low"]) == answer.sell_through.low
        assert answer.return_risk is not None
        assert float(row["return_risk_high"]) == answer.return_risk.high
        assert float(row["coverage"]) == 0.9
        assert row["levels_used"] == ";".join(Level)
        assert row["flags"] == ";".join(answer.flags)
        assert row["bundle_id"] == served.bundle.bundle_id
        assert row["error"] is None
    assert [str(row["units_offered"]) for row in scored_rows] == [
        str(r["units_offered"]) for r in rows
    ]
    assert {row["title"] for row in scored_rows} == {"Mug, blue"}
    assert list(scored_rows[0]) == [*GOOD, *ANSWER_COLUMNS.names]


PLACES = [("GB", "GBP"), ("DE", "EUR"), ("GB", "EUR"), ("FR", "EUR")]
MIXED: list[dict[str, Any]] = [
    {**GOOD, **change, "market": market, "currency": currency, "units_offered": units}
    for change in (
        {},
        {"listing_id": None},
        {"listing_id": None, "creator_id": "reviewer", "category": "toys"},
        {"listing_id": "unheard-of"},
        {"listing_id": None, "product_id": "new", "supplier_id": "maker"},
        {"listing_id": "kite|DE", "product_id": "kite"},
    )
    for market, currency in PLACES
    for units in (1, 250, 0)
]


def _score_online(served: LoadedArtefacts, row: dict[str, Any]) -> dict[str, Any] | str:
    """Score a row alone, as the service does; return the answer or the row's fault."""
    try:
        request = parse_request({"candidates": [row], "coverage": 0.9}, ScoreRequest)
        batch = score(served.bundle, served.snapshot, request.candidates, coverage=0.9)
    except RequestRefusedError as error:
        (detail, *_) = error.details
        return f"{detail.loc[-1]}: {detail.code}"
    answer: dict[str, Any] = msgspec.to_builtins(batch.candidates[0])
    return answer


def test_batch_answers_row_by_row_what_the_service_answers(
    served: LoadedArtefacts, tmp_path: Path
) -> None:
    rows = [{"creator_id": None, "supplier_id": None, **row} for row in MIXED]
    run(served, write(tmp_path / "in.parquet", rows), tmp_path / "out.parquet")
    is_refused = set()
    for row, answer in zip(rows, read(tmp_path / "out.parquet"), strict=True):
        filled = {name: cell for name, cell in row.items() if cell is not None and name != "title"}
        online = _score_online(served, filled)
        is_refused.add(isinstance(online, str))
        if isinstance(online, str):
            assert answer["error"] == online
            continue
        for target in TARGETS:
            share = online[target]
            names = (target, f"{target}_low", f"{target}_high", "coverage")
            assert [answer[name] for name in names] == [
                share[name] for name in ("estimate", "low", "high", "coverage")
            ]
        assert answer["score"] == online["score"]
        assert answer["flags"] == ";".join(online["flags"])
        assert answer["levels_used"] == ";".join(online["evidence"]["levels_used"])
        assert answer["own_evidence"] == online["evidence"]["own"]
        weights = {rate: answer[f"own_weight_{rate}"] for rate in OWN_WEIGHTS}
        assert weights == online["evidence"]["own_weight"]
    assert is_refused == {True, False}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_batch_without_returns_leaves_return_risk_and_score_null(
    bundle_without_returns: Bundle, snapshot: OnlineSnapshot, tmp_path: Path, kind: str
) -> None:
    served = LoadedArtefacts(bundle_without_returns, snapshot)
    report = run(served, write(tmp_path / f"in.{kind}", [GOOD]), tmp_path / f"out.{kind}")
    assert report.scored_count == 1
    (row,) = read(tmp_path / f"out.{kind}")
    unknown = ["return_risk", "return_risk_low", "return_risk_high", "score"]
    assert {row[name] for name in unknown} == {None}
    assert 0 <= float(row["sell_through_low"]) <= float(row["sell_through"])
    assert row["flags"] == "no_return_risk;imputed:stock"
    assert list(row) == [*GOOD, *ANSWER_COLUMNS.names]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_batch_keeps_bad_rows_with_their_reason(
    served: LoadedArtefacts, tmp_path: Path, kind: str
) -> None:
    bad: dict[str, dict[str, Any]] = {
        "units_offered: out_of_range": {"units_offered": 0},
        "list_price_minor: out_of_range": {"list_price_minor": -5},
        "product_id: missing_field": {"product_id": None},
        "product_id: wrong_form (has .. as a part, as in a path)": {
            "product_id": "../../etc/passwd"
        },
        "market: unsupported_market": {"market": "FR", "currency": "EUR"},
        "currency: currency_mismatch": {"currency": "USD"},
        "listing_id: listing_mismatch": {"listing_id": "mug-2|GB"},
    }
    rows = [GOOD]
    for change in bad.values():
        rows += [{**GOOD, **change}, GOOD]
    report = run(served, write(tmp_path / f"in.{kind}", rows), tmp_path / "out.parquet")
    scored_rows = read(tmp_path / "out.parquet")
    assert [row["error"] for row in scored_rows[1::2]] == list(bad)
    assert {row["error"] for row in scored_rows[::2]} == {None}
    assert {row["score"] for row in scored_rows[1::2]} == {None}
    assert len({row["score"] for row in scored_rows[::2]}) == 1
    assert report.refused == {
        error: RefusedRows(1, [2 * place]) for place, error in enumerate(bad, 1)
    }
    assert report.scored_count == len(bad) + 1


PRICE = "list_price_minor: wrong_type"
LINE_BREAK = "has a line break, a tab or a control character"


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        ("mug-1,GB,499,GBP", "row: wrong_number_of_cells"),
        ("mug-1,GB,499,GBP,10,more", "row: wrong_number_of_cells"),
        ("mug-1,GB,,GBP,10", "list_price_minor: missing_field"),
        (
            "mug-1,GB,$4.99,GBP,10",
            f"{PRICE} (has a currency sign; write cents or pence alone, such as 1999)",
        ),
        ("mug-1,GB,1.000,GBP,10", f"{PRICE} (has a point before three zeros: write 1000 or 1)"),
        ('"mug\n1",GB,499,GBP,10', f"product_id: wrong_form ({LINE_BREAK})"),
    ],
)
def test_batch_of_csv_refuses_cells_that_arent_what_they_should_be(
    served: LoadedArtefacts, tmp_path: Path, cells: str, error: str
) -> None:
    good = "mug-1,GB,499,GBP,10"
    header = "product_id,market,list_price_minor,currency,units_offered"
    (tmp_path / "in.csv").write_text(f"\ufeff{header}\r\n{good}\r\n{cells}\r\n\r\n{good}\r\n")
    run(served, tmp_path / "in.csv", tmp_path / "out.csv")
    assert [row["error"] for row in read(tmp_path / "out.csv")] == [None, error, None]


def test_batch_broken_on_the_way_leaves_what_was_there(
    served: LoadedArtefacts, tmp_path: Path
) -> None:
    source = write(tmp_path / "in.csv", [GOOD] * 1_500)
    with source.open("ab") as file:
        file.write(b"\xff\xfe,,\n")
    (tmp_path / "out.csv").write_text("from before")
    with pytest.raises(DataError):
        run(served, source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "from before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("in.csv/out.csv", "A part of the path is a file, not a directory"),
        ("d.csv", "The path is a directory, not a file"),
    ],
)
def test_batch_that_cant_be_written_is_refused_before_it_is_scored(
    tmp_path: Path, name: str, problem: str
) -> None:
    source = write(tmp_path / "in.csv", [GOOD])
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(StorageError) as caught:
        check_paths(source, tmp_path / name)
    assert caught.value.problem == f"{problem}: {tmp_path / name}."


def test_batch_of_no_rows_has_a_header(served: LoadedArtefacts, tmp_path: Path) -> None:
    report = run(served, write(tmp_path / "in.csv", []), tmp_path / "out.csv")
    assert report == BatchReport(0, {}, unread=("title",), renamed={}, replaced=())
    header = ",".join([*GOOD, *ANSWER_COLUMNS.names])
    assert (tmp_path / "out.csv").read_bytes() == f"\ufeff{header}\r\n".encode()


def test_batch_scored_again_replaces_its_answers(served: LoadedArtefacts, tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", [GOOD, {**GOOD, "units_offered": 0}])
    run(served, source, tmp_path / "one.csv")
    run(served, tmp_path / "one.csv", tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_batch_tells_how_many_rows_are_done(served: LoadedArtefacts, tmp_path: Path) -> None:
    reports = Reports()
    source = write(tmp_path / "in.csv", [GOOD] * 2_100)
    target = tmp_path / "out.csv"
    score_file(served, source, target, coverage=0.8, progress=reports)
    assert reports.rows == [1_000, 2_000, 2_100]


@pytest.mark.parametrize("first", ["one.csv", "one.parquet"])
def test_batch_of_a_result_gives_the_same_identifiers_again(
    served: LoadedArtefacts, tmp_path: Path, first: str
) -> None:
    rows = [{**GOOD, "product_id": name, "listing_id": None} for name in ("-A77", "=x", "mug-1")]
    run(served, write(tmp_path / "in.csv", rows), tmp_path / first)
    report = run(served, tmp_path / first, tmp_path / "two.parquet")
    assert report.scored_count == len(rows)
    assert pq.read_table(tmp_path / "two.parquet")["product_id"].to_pylist() == [
        "-A77",
        "=x",
        "mug-1",
    ]
