"""The main job on a market that lacks an optional table: it trains, serves and says so."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace as replace_field
from rich.console import Console

from features.contract.tables import TABLES
from features.dataset.horizons import Horizons
from features.declarations.shrinkage import RETURN_RATE
from features.point_in_time.training_rows import LABELLED
from features.runtime.progress import ignore_progress
from serving.batch.score_file import score_file
from serving.scoring.loading import load_artefacts
from training.pipeline.job import TrainingJob
from training.pipeline.main_job import RunResult, run
from training.pipeline.run_summary import encode_result, summarise_run
from training.settings import TrainingSettings

SETTINGS = TrainingSettings(trees=5, boosters=1, min_positives=5, min_rows=30)
OPTIONAL = ("returns",)
"""What the market has beyond the tables that are required."""

RunWithout = Callable[[str], RunResult]


@pytest.fixture(scope="module")
def run_without(
    year_market: Path, new_run: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory
) -> RunWithout:
    """Return a function that does the main job without a table, once for each."""

    @cache
    def run_once(absent: str) -> RunResult:
        root = tmp_path_factory.mktemp(f"without_{absent}")
        ignored = shutil.ignore_patterns(f"{absent}.parquet")
        shutil.copytree(year_market, root / "market", ignore=ignored)
        job = TrainingJob(
            source=root / "market", out=new_run(), horizons=Horizons(), settings=SETTINGS
        )
        return run(job, ignore_progress)

    return run_once


@pytest.fixture(scope="module")
def without_returns(run_without: RunWithout) -> RunResult:
    return run_without("returns")


def test_optional_tables_of_the_market_are_all_left_out_once(year_market: Path) -> None:
    required = {table.name for table in TABLES if table.is_required}
    assert {path.stem for path in year_market.glob("*.parquet")} - required == set(OPTIONAL)


@pytest.mark.parametrize("absent", OPTIONAL)
def test_run_without_an_optional_table_learns_and_scores(
    absent: str, run_without: RunWithout
) -> None:
    outcome = run_without(absent)
    assert absent in outcome.report.absent
    assert outcome.evaluations["sell_through"].slices["latest"].rows > 0
    assert outcome.scored is not None
    assert all(0 <= one.sell_through.estimate <= 1 for one in outcome.scored.candidates)
    assert f"Tables that the data don't have: {', '.join(outcome.report.absent)}." in " ".join(
        text_of(outcome).split()
    )


def text_of(outcome: RunResult) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(summarise_run(outcome))
    return console.export_text()


def test_run_without_returns_knows_nothing_of_them(without_returns: RunResult) -> None:
    rows = pq.read_table(without_returns.job.out / "training_rows.parquet")
    assert rows.schema.metadata[LABELLED] == b"sell_through"
    unknown = rows.select(["return_risk", *RETURN_RATE.inputs])
    assert {column.null_count for column in unknown.columns} == {rows.num_rows}
    assert list(without_returns.evaluations) == ["sell_through"]


def test_run_without_returns_answers_without_return_risk_and_score(
    without_returns: RunResult,
) -> None:
    assert without_returns.scored is not None
    for one in without_returns.scored.candidates:
        assert one.return_risk is None
        assert one.score is None
        assert "no_return_risk" in one.flags
        assert one.evidence.own_weight["return_rate"] is None


def test_summary_without_returns_ranks_by_sell_through_and_says_so(
    without_returns: RunResult,
) -> None:
    assert without_returns.scored is not None
    rising = [
        replace_field(one, sell_through=replace_field(one.sell_through, estimate=place / 1_000))
        for place, one in enumerate(without_returns.scored.candidates)
    ]
    scored = replace_field(without_returns.scored, candidates=rising)
    text = text_of(replace(without_returns, scored=scored))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "The data have no returns, so return risk isn't predicted" in text
    assert "ranked by their sell-through" in text
    assert "Return risk: share" not in text
    shown = [line.split() for line in text.partition("Best and worst")[2].splitlines()]
    products = [line[0] for line in shown if line[-2:] == ["-", "-"]]
    ranked = [one.product_id for one in reversed(without_returns.candidates)]
    assert products == ranked[:3] + ranked[-3:]
    document = json.loads(encode_result(without_returns))
    assert list(document["evaluations"]) == ["sell_through"]
    assert {one["score"] for one in document["scored"]["candidates"]} == {None}


def test_record_of_a_run_without_returns_holds_sell_through_alone(
    without_returns: RunResult,
) -> None:
    with closing(sqlite3.connect(without_returns.job.out / "mlflow.db")) as database:
        targets = database.execute("SELECT value FROM params WHERE key = 'target'").fetchall()
        metrics = database.execute("SELECT DISTINCT key FROM metrics").fetchall()
    assert targets == [("sell_through",)]
    assert not [name for (name,) in metrics if "return_risk" in name]


def test_batch_of_what_a_run_without_returns_published_leaves_columns_null(
    without_returns: RunResult, tmp_path: Path
) -> None:
    out = without_returns.job.out
    served = load_artefacts(bundles=out / "bundles", snapshots=out / "snapshots")
    target = tmp_path / "scores.parquet"
    report = score_file(
        served, out / "candidates.csv", target, coverage=0.8, progress=ignore_progress
    )
    served.snapshot.close()
    scored = pq.read_table(target)
    assert report.scored_count == scored.num_rows == len(without_returns.candidates)
    for name in ("return_risk", "return_risk_low", "return_risk_high", "score"):
        assert scored[name].type == pa.float64()
        assert scored[name].null_count == scored.num_rows
    assert scored["sell_through"].null_count == 0
