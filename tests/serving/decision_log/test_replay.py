"""Replays: the same bits with the same bundle, flips with another."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.online.snapshot import OnlineSnapshot
from features.runtime.console import print_results
from features.runtime.pointer import resolve
from features.runtime.progress import ignore_progress
from serving.batch.score_file import score_file
from serving.bundle.bundle import Bundle
from serving.decision_log.comparison import Bounds
from serving.decision_log.errors import BrokenLogFileError, EmptyPeriodError, MissingSnapshotsError
from serving.decision_log.reading import Period
from serving.decision_log.replay import ReplayReport, ReplayRequest, replay
from serving.decision_log.replay_page import replay_html, replay_page
from serving.scoring.admission import admit_all
from serving.scoring.answers import ScoredCandidate
from serving.scoring.loading import LoadedArtefacts
from serving.scoring.score import score_with_inputs
from tests.worlds.logs.decisions import open_log, parse, random_candidates, record
from tests.worlds.logs.log_files import chain_files, read_log

CANDIDATES = random_candidates(300)
COMPANIES: list[list[list[dict[str, Any]]]] = [
    [CANDIDATES],
    [[candidate] for candidate in CANDIDATES[:60]],
    [CANDIDATES[start : start + 37] for start in range(0, 300, 37)],
]
"""The same candidates in requests of other sizes, each with another company and place."""


def shuffled(requests: Sequence[list[dict[str, Any]]], seed: int) -> Iterator[list[dict[str, Any]]]:
    draw = random.Random(seed)  # noqa: S311 - no secret
    for request in draw.sample(list(requests), len(requests)):
        yield draw.sample(request, len(request))


@pytest.fixture(scope="module")
def served(
    run_directory: Path, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LoadedArtefacts]:
    """The bundle and a snapshot of this module's own, with its run directory beside."""
    run = tmp_path_factory.mktemp("replay") / "run"
    shutil.copytree(run_directory, run)
    snapshot = OnlineSnapshot.open(resolve(run / "snapshots"))
    yield LoadedArtefacts(bundle, snapshot)
    snapshot.close()


@pytest.fixture(scope="module")
def log(served: LoadedArtefacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All companies, in two coverages, logged as the service logs them."""
    directory = tmp_path_factory.mktemp("log") / "log"
    with open_log(directory) as opened:
        for seed, requests in enumerate(COMPANIES):
            for request in shuffled(requests, seed):
                admitted = admit_all(served.snapshot, parse(request))
                for coverage in (0.8, 0.95):
                    scoring = score_with_inputs(
                        served.bundle, served.snapshot, admitted, coverage=coverage
                    )
                    record(opened, scoring)
    return directory


def replay_with(log: Path, run: Path, bundle: Bundle, **changes: Any) -> ReplayReport:  # noqa: ANN401 - fields of a request
    request = ReplayRequest(
        log=log,
        period=Period(),
        bundle=bundle,
        snapshots=run / "snapshots",
        snapshot=None,
        bounds=Bounds(),
    )
    return replay(replace(request, **changes), ignore_progress)


def to_row(answer: ScoredCandidate) -> dict[str, Any]:
    """Return an answer as the log has it."""
    assert answer.return_risk is not None
    return {
        "candidate_id": answer.candidate_id,
        "sell_through": answer.sell_through.estimate,
        "sell_through_low": answer.sell_through.low,
        "sell_through_high": answer.sell_through.high,
        "return_risk": answer.return_risk.estimate,
        "return_risk_low": answer.return_risk.low,
        "return_risk_high": answer.return_risk.high,
        "score": answer.score,
        "flags": answer.flags,
    }


def test_batch_online_logged_and_replayed_are_the_same_bits_in_any_company(
    served: LoadedArtefacts, log: Path, run: Path, tmp_path: Path
) -> None:
    admitted = admit_all(served.snapshot, parse(CANDIDATES))
    online = score_with_inputs(served.bundle, served.snapshot, admitted, coverage=0.8).answer
    expected = {answer.candidate_id: to_row(answer) for answer in online.candidates}

    logged = [row for row in read_log(log) if row["coverage"] == 0.8]
    assert len(logged) == 660
    digests: dict[str, bytes] = {}
    for row in logged:
        name = row["candidate_id"]
        assert {column: row[column] for column in expected[name]} == expected[name]
        assert digests.setdefault(name, row["feature_digest"]) == row["feature_digest"]

    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.Table.from_pylist(CANDIDATES, parquet_schema()), source)
    score_file(served, source, target, coverage=0.8, progress=ignore_progress)
    for row in pq.read_table(target).to_pylist():
        wanted = expected[row["candidate_id"]]
        for column in ("sell_through", "sell_through_low", "return_risk", "return_risk_high"):
            assert row[column] == wanted[column]

    report = replay_with(log, run, served.bundle)
    (group,) = report.groups
    assert (group.must_repeat, group.rows) == (True, 1_320)
    assert (group.refused, group.differing, report.flip_count) == (0, 0, 0)


def parquet_schema() -> pa.Schema:
    names = dict.fromkeys(name for candidate in CANDIDATES for name in candidate)
    whole = {"list_price_minor", "units_offered"}
    return pa.schema([(name, pa.int64() if name in whole else pa.string()) for name in names])


def rewrite(log: Path, column: str, value: object) -> None:
    """Change a column of the first row in the first file, as a careful forger would."""
    path = chain_files(log)[0]
    table = pq.read_table(path)
    values = [value, *table.column(column).to_pylist()[1:]]
    field = table.schema.field(column)
    changed = table.set_column(
        table.column_names.index(column), field, pa.array(values, field.type)
    )
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


@pytest.mark.parametrize(
    ("column", "value", "note"),
    [
        ("sell_through", 0.123, "sell_through"),
        ("score", -0.0, "score"),
        ("return_risk", None, "return_risk"),
        ("feature_digest", b"0" * 16, "feature_digest"),
        ("flags", ["fine"], "flags"),
        ("market", "FR", "unsupported_market"),
        ("units_offered", 0, "out_of_range"),
    ],
)
def test_row_that_is_not_repeated_is_named_with_what_differs(
    column: str, value: object, note: str, log: Path, bundle: Bundle, run: Path, tmp_path: Path
) -> None:
    shutil.copytree(log, tmp_path / "log")
    rewrite(tmp_path / "log", column, value)
    report = replay_with(tmp_path / "log", run, bundle)
    assert report.failure_count == 1
    (failure,) = report.failures
    assert (failure.note, failure.sequence) == (note, 0)


def test_page_escapes_what_a_log_holds(
    log: Path, bundle: Bundle, run: Path, tmp_path: Path
) -> None:
    """H30."""
    shutil.copytree(log, tmp_path / "log")
    rewrite(tmp_path / "log", "product_id", "<script>alert(1)</script>\x1b[2J")
    report = replay_with(tmp_path / "log", run, bundle)
    page = replay_html(report)
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "\x1b" not in page


def test_other_bundle_shows_where_the_verdict_flips(
    log: Path, run: Path, bundle_without_returns: Bundle
) -> None:
    report = replay_with(log, run, bundle_without_returns)
    (group,) = report.groups
    assert (group.must_repeat, group.rows, report.failure_count) == (False, 1_320, 0)
    rows = read_log(log)
    # Sell-through comes from the same boosters; without return risk every bound on it is kept.
    flipped = [row for row in rows if row["sell_through"] >= 0.5 and row["return_risk"] > 0.2]
    assert group.became_worth == len(flipped) > 0
    assert (group.became_unworth, group.largest_change) == (0, 0.0)
    assert sum(sum(counts.values()) for counts in report.flips_of_market.values()) == len(flipped)
    assert {flip.note for flip in report.flips} == {"worth offering"}
    page = replay_html(report)
    assert f"{len(flipped):,} of 1,320 verdicts flip" in page
    assert msgspec.json.decode(msgspec.json.encode(report), type=ReplayReport) == report


def test_terminal_shows_the_groups_and_the_flips(
    log: Path, run: Path, bundle_without_returns: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    report = replay_with(log, run, bundle_without_returns)
    print_results(replay_page(report))
    text = capsys.readouterr().out
    for part in ("Replayed", "What flips become, by market", "Verdicts that flip", "0.5"):
        assert part in text
    assert text.count("worker-00") == min(report.flip_count, 10)


def test_file_that_is_no_part_of_a_log_is_refused(
    log: Path, run: Path, bundle: Bundle, tmp_path: Path
) -> None:
    shutil.copytree(log, tmp_path / "log")
    chain_files(tmp_path / "log")[0].write_bytes(b"PAR1")
    with pytest.raises(BrokenLogFileError, match="log verify"):
        replay_with(tmp_path / "log", run, bundle)


def test_bounds_are_the_callers_choice(
    log: Path, run: Path, bundle_without_returns: Bundle
) -> None:
    everything = Bounds(min_sell_through=0.0, max_return_risk=1.0)
    report = replay_with(log, run, bundle_without_returns, bounds=everything)
    assert report.flip_count == 0


def test_period_is_from_its_first_moment_to_before_its_last(
    log: Path, run: Path, bundle: Bundle
) -> None:
    times = sorted(row["time"] for row in read_log(log))
    first, middle = times[0], times[len(times) // 2]
    for period, count in (
        (Period(begin=first), len(times)),
        (Period(end=middle), sum(time < middle for time in times)),
        (Period(middle, times[-1]), sum(middle <= time < times[-1] for time in times)),
    ):
        assert replay_with(log, run, bundle, period=period).rows == count
    tomorrow = times[-1] + dt.timedelta(days=1)
    for empty in (Period(begin=tomorrow), Period(end=first), Period(times[-1], times[-1])):
        with pytest.raises(EmptyPeriodError):
            replay_with(log, run, bundle, period=empty)


def test_missing_snapshot_is_named_and_another_one_can_take_its_place(
    log: Path, run: Path, bundle: Bundle, snapshot: OnlineSnapshot, tmp_path: Path
) -> None:
    with pytest.raises(MissingSnapshotsError, match=snapshot.snapshot_id):
        replay_with(log, tmp_path, bundle)
    given = run / "snapshots" / snapshot.snapshot_id
    report = replay_with(log, tmp_path, bundle, snapshot=given)
    assert (report.rows, report.failure_count) == (1_320, 0)
    shutil.copytree(log, tmp_path / "log")
    rewrite(tmp_path / "log", "snapshot_id", "../snapshots")
    with pytest.raises(MissingSnapshotsError, match=r"\.\./snapshots"):
        replay_with(tmp_path / "log", run, bundle)
