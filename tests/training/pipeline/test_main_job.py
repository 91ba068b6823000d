"""The main job from end to end on a small market: what it publishes, says and refuses."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from experiments.http_demo import (
    NoCandidatesError,
    NotReadyError,
    ask,
    read_candidates,
    run_service,
)
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.online.snapshot import LookupKeys, OnlineSnapshot
from features.point_in_time.training_rows import CUT_OFF
from features.runtime.errors import DataError
from features.runtime.pointer import resolve
from features.runtime.progress import ProgressCallback, ignore_progress
from features.runtime.signature import make_keys
from serving.bundle.bundle import load_bundle
from serving.scoring.loading import load_artefacts
from serving.scoring.score import score
from tests.worlds.progress import Reports
from training.backtest.page import describe_range
from training.backtest.result import Backtest, JudgedOrigin, JudgedTarget
from training.errors import TooFewDaysError
from training.evaluation.coverage import Coverage
from training.evaluation.evaluate import Evaluation
from training.metrics.bootstrap import BootstrapInterval
from training.pipeline.job import TrainingJob, run_training
from training.pipeline.main_job import RunResult, run
from training.pipeline.propose_candidates import CANDIDATES
from training.pipeline.run_summary import describe_locations, encode_result, summarise_run
from training.pipeline.summary import BACKTEST_MISSING
from training.settings import TrainingSettings
from training.tracking.errors import UnknownSchemeError

SETTINGS = TrainingSettings(trees=15, boosters=1, min_positives=5, min_rows=30)


def job_of(source: Path, out: Path) -> TrainingJob:
    return TrainingJob(source=source, out=out, horizons=Horizons(), settings=SETTINGS)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def outcome(year_market: Path, new_run: Callable[[], Path], keys: tuple[Path, Path]) -> RunResult:
    reports = Reports()
    job = dataclasses.replace(job_of(year_market, new_run()), signing_key=keys[0])
    done = run(job, reports)
    kinds = [stage.partition(":")[0] for stage in reports.stages]
    assert list(dict.fromkeys(kinds)) == ["check", "features", "train", "publish", "score"]
    return done


def test_run_with_a_key_publishes_what_a_service_with_the_public_key_accepts(
    outcome: RunResult, keys: tuple[Path, Path]
) -> None:
    bundles, snapshots = (outcome.job.out / name for name in ("bundles", "snapshots"))
    load_artefacts(bundles=bundles, snapshots=snapshots, public_key=keys[1]).snapshot.close()


@pytest.mark.parametrize("command", [run, run_training])
def test_tracking_store_that_cant_work_is_reported_before_anything_is_read(
    command: Callable[[TrainingJob, ProgressCallback], object], tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"tracking_uri": "htp://tracking:5000"})
    job = dataclasses.replace(job_of(tmp_path / "nowhere", tmp_path / "run"), settings=settings)
    with pytest.raises(UnknownSchemeError):
        command(job, ignore_progress)


def test_run_counts_what_it_learned_from(outcome: RunResult, year_market: Path) -> None:
    orders = pq.read_metadata(year_market / "orders.parquet").num_rows
    assert outcome.report.table("orders").rows_valid == orders
    assert outcome.imputed == ("stock",)
    rows = pq.read_table(outcome.job.out / "training_rows.parquet")
    assert rows.num_rows == outcome.row_count


def test_candidates_are_unseen_and_scored_by_what_was_published(outcome: RunResult) -> None:
    assert outcome.scored is not None
    listed = pq.read_table(outcome.job.out / "validated" / "listings.parquet").to_pylist()
    pairs = {(row["product_id"], row["market"]) for row in listed}
    currencies = {row["market"]: row["currency"] for row in listed}
    assert outcome.candidates
    for candidate in outcome.candidates:
        assert (candidate.product_id, candidate.market) not in pairs
        assert candidate.currency == currencies[candidate.market]
    bundle = load_bundle(resolve(outcome.job.out / "bundles"))
    snapshot = OnlineSnapshot.open(resolve(outcome.job.out / "snapshots"))
    assert score(bundle, snapshot, outcome.candidates, coverage=0.8) == outcome.scored
    assert (bundle.bundle_id, snapshot.snapshot_id) == (outcome.bundle_id, outcome.snapshot_id)


def test_service_answers_over_http_what_the_run_said(outcome: RunResult) -> None:
    assert outcome.scored is not None
    candidates = read_candidates(outcome.job.out / CANDIDATES)
    with run_service(outcome.job.out) as address:
        answer = ask(address, "score", candidates)
        explained = ask(address, "explain", candidates)
    expected = msgspec.to_builtins(outcome.scored)
    assert answer["candidates"] == expected["candidates"][: len(candidates)]
    assert (answer["bundle_id"], answer["snapshot_id"]) == (outcome.bundle_id, outcome.snapshot_id)
    for scored, row in zip(answer["candidates"], explained["candidates"], strict=True):
        sell_through = row["sell_through"]
        points = sum(family["points"] for family in sell_through["families"])
        assert sell_through["estimate"] == scored["sell_through"]["estimate"]
        assert sell_through["usual"] + points / 100 == pytest.approx(
            sell_through["estimate"], abs=1e-9
        )


def test_service_that_does_not_get_ready_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    with (
        pytest.raises(NotReadyError, match=r"no_model.*xuanpin serve --run"),
        run_service(tmp_path, timeout_seconds=8),
    ):
        pass


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0, 0, []),
        (0, 100, ["known later, when hardly any others did: 100."]),
        (1, 0, ["when hardly any others did: 1."]),
        (1, 2, ["known later, when hardly any others did: 2.", "known before 20"]),
    ],
)
def test_summary_says_the_cut_off_and_which_orders_cannot_move_it(
    outcome: RunResult, before: int, after: int, expected: list[str]
) -> None:
    covered = dataclasses.replace(outcome.covered, rows_before=before, rows_after=after)
    spoilt = dataclasses.replace(outcome, covered=covered)
    said = summary_words(spoilt)
    assert f"Cut-off {outcome.as_of:%Y-%m-%d}: the last day with complete orders." in said
    assert all(sentence in said for sentence in expected)
    assert said.count("hardly any others did") == (before > 0) + (after > 0)
    assert json.loads(encode_result(spoilt))["orders_long_after"] == after


def test_directory_without_a_run_cannot_be_demonstrated(tmp_path: Path) -> None:
    with pytest.raises(NoCandidatesError, match="Make a run"):
        read_candidates(tmp_path / CANDIDATES)


def test_published_snapshot_holds_the_training_rows_of_its_moment_bit_for_bit(
    outcome: RunResult,
) -> None:
    table = pq.read_table(outcome.job.out / "training_rows.parquet")
    cut_off = int(table.schema.metadata[CUT_OFF])
    rows = table.to_pandas()
    rows = rows[rows["as_of_day"] == cut_off]
    assert len(rows) > 50, "the market should end on a day of the spine, a Monday"
    snapshot = OnlineSnapshot.open(resolve(outcome.job.out / "snapshots"))
    names = (field.name for field in dataclasses.fields(LookupKeys))
    keys = {
        name: rows[name].astype(object).where(rows[name].notna(), None).tolist() for name in names
    }
    for name, values in snapshot.look_up(LookupKeys(**keys)).columns.items():
        assert values.tobytes() == rows[name].to_numpy(np.float64).tobytes(), name


def test_second_run_publishes_the_same_bundle_and_snapshot(
    outcome: RunResult, year_market: Path, new_run: Callable[[], Path]
) -> None:
    again = run(job_of(year_market, new_run()), ignore_progress)
    assert (again.bundle_id, again.snapshot_id) == (outcome.bundle_id, outcome.snapshot_id)


def summary_words(result: RunResult) -> str:
    """Return the summary of a run as it is printed, without line breaks."""
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(summarise_run(result))
    return " ".join(console.export_text().split())


def test_summary_says_how_earlier_origins_turned_out_or_how_to_find_out(
    outcome: RunResult,
) -> None:
    assert " ".join(BACKTEST_MISSING.split()) in summary_words(outcome)
    metrics = outcome.evaluations["sell_through"].overall
    judged = JudgedTarget(
        first_day="2024-01-01",
        last_day="2024-01-28",
        rows=10,
        known_rows=90,
        unseen_season=0.0,
        coverage_error=0.01,
        metrics=metrics,
        gains={},
        lists=(),
    )
    origin = JudgedOrigin(end="2024-03-01", targets={"sell_through": judged}, not_learned={})
    backtest = Backtest(key="", interval_coverage=0.8, origins=(origin,), skipped=())
    words = summary_words(dataclasses.replace(outcome, backtest=backtest))
    assert describe_range(backtest, "sell_through") in words
    assert f"{metrics['shrinkage'].log_loss:.4f} of shrinkage; its 80% intervals" in words


def test_summary_says_what_how_good_which_and_where(outcome: RunResult) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(summarise_run(outcome))
    text = console.export_text()
    for part in ("Learned from", "IMPUTED, not observed: stock", "shrinkage", "Best and worst"):
        assert part in text
    words = " ".join(text.split())
    for evaluation in outcome.evaluations.values():
        model = evaluation.overall["model"]
        for figure in (
            f"{model.log_loss:.4f}",
            f"{model.brier:.3f}",
            f"{model.coverage:.1%} of the",
        ):
            assert figure in words
        assert f"{evaluation.rows_not_final:,} for " in words
    assert max(len(line) for line in text.splitlines()) <= 80
    places = describe_locations(outcome)
    assert outcome.bundle_id in places
    assert outcome.run_id in places
    assert "xuanpin serve --run" in places
    document = json.loads(encode_result(outcome))
    assert document["bundle_id"] == outcome.bundle_id
    assert document["evaluations"]["sell_through"]["overall"]["shrinkage"]["log_loss"] > 0


@pytest.mark.parametrize(
    ("low", "high", "verdict", "line"),
    [
        (
            0.001,
            0.003,
            "Sell-through: the model is better than constant, category mean, shrinkage.",
            "shrinkage -0.0020 [-0.0030, -0.0010] better",
        ),
        (
            -0.001,
            0.003,
            (
                "Sell-through: the model is better than constant, category mean; not clearly "
                "better than shrinkage."
            ),
            "shrinkage -0.0010 [-0.0030, +0.0010] no clear difference",
        ),
        (
            -0.003,
            -0.001,
            "Sell-through: the model is better than constant, category mean; worse than shrinkage.",
            "shrinkage +0.0020 [+0.0010, +0.0030] worse",
        ),
    ],
)
def test_summary_begins_with_the_verdict_on_each_model(
    low: float, high: float, verdict: str, line: str, outcome: RunResult
) -> None:
    better = BootstrapInterval(0.1, 0.09, 0.11)
    gains = {"constant": better, "category_market_mean": better}
    gains["shrinkage"] = BootstrapInterval((low + high) / 2, low, high)
    changed = dataclasses.replace(
        outcome.evaluations["sell_through"],
        differences={name: {"log_loss": gain} for name, gain in gains.items()},
    )
    words = summary_words(dataclasses.replace(outcome, evaluations={"sell_through": changed}))
    assert words.startswith(verdict)
    assert line in words


def test_summary_names_the_group_in_which_intervals_cover_least(outcome: RunResult) -> None:
    evaluation = outcome.evaluations["sell_through"]
    cell = Coverage(
        rows=1200,
        listings=210,
        coverage=0.75,
        error=0.013,
        width=0.3,
        plain_coverage=0.7,
        plain_width=0.4,
        is_merged=False,
    )
    total = dataclasses.replace(cell, rows=3000, coverage=0.81)
    cells = {"all": total, "much US": dataclasses.replace(cell, coverage=0.8), "none DE": cell}
    changed = dataclasses.replace(evaluation, by_cell=cells)
    words = summary_words(dataclasses.replace(outcome, evaluations={"sell_through": changed}))
    assert (
        "80% intervals of the model: 81.0% of the outcomes lie inside, mean width 0.300. Plain "
        "split-conformal intervals: 70.0%, mean width 0.400. Lowest coverage among 2 large groups "
        "by market and own history: 75.0% (standard error 1.3%), for listings in DE with no "
        "history of their own: 1,200 decisions about 210 listings. Plain intervals there: 70.0%."
    ) in words


@pytest.mark.parametrize(
    ("unseen", "without", "said"),
    [
        (0.0, None, []),
        (0.5, None, ["Sell-through: 50.0% of the latest decisions", "Their season isn't known."]),
        (
            1.0,
            0.0417,
            ["Their season comes from the calendar in the settings:", "it, 0.042 without it."],
        ),
    ],
)
def test_summary_says_what_stood_in_for_a_season_never_seen(
    unseen: float, without: float | None, said: list[str], outcome: RunResult
) -> None:
    found = outcome.evaluations["sell_through"]
    plain = None
    if without is not None:
        plain = dataclasses.replace(found.overall["model"], calibration_error=without)
    changed = dataclasses.replace(found, unseen_season=unseen, without_calendar=plain)
    evaluations: dict[Target, Evaluation] = {"sell_through": changed}
    text = summary_words(dataclasses.replace(outcome, evaluations=evaluations))
    assert all(part in text for part in said)
    assert ("season" in text) is bool(said)


def test_broken_table_stops_the_run_and_what_was_published_stays(
    outcome: RunResult, year_market: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(year_market, broken)
    (broken / "orders.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError):
        run(job_of(broken, outcome.job.out), ignore_progress)
    assert resolve(outcome.job.out / "bundles").name == outcome.bundle_id


def test_too_short_a_history_is_refused_with_the_days_needed(
    year_market: Path, prepared_copy: Path
) -> None:
    job = job_of(year_market, prepared_copy)
    settings = SETTINGS.model_copy(update={"min_train_days": 400})
    job = dataclasses.replace(job, settings=settings)
    with pytest.raises(TooFewDaysError, match="days"):
        run(job, ignore_progress)
