"""The log of a worker: what it holds, what it costs a request that it can't log."""

from __future__ import annotations

import datetime as dt
import logging
import stat
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from features.online.snapshot import OnlineSnapshot
from features.runtime.progress import ignore_progress
from serving.bundle.bundle import Bundle
from serving.decision_log.decision_log import DecisionLog
from serving.decision_log.log_settings import LogSettings
from serving.decision_log.verify import ChainReport, verify_log
from serving.scoring.admission import admit_all
from serving.scoring.refusals import RequestRefusedError
from serving.scoring.score import Scoring, score_with_inputs
from tests.worlds.logs.decisions import open_log, parse, random_candidates, record, write_files
from tests.worlds.logs.log_files import chain_files, read_log, wait_until
from tests.worlds.processes import ROOT

HOUR_NS = 3_600 * 10**9
NOON_NS = 1_780_000_000 * 10**9 // HOUR_NS * HOUR_NS


class Clock:
    """A wall clock that anybody may set."""

    def __init__(self) -> None:
        self.now = NOON_NS

    def __call__(self) -> int:
        return self.now


def verify(directory: Path) -> list[ChainReport]:
    """Return the reports of all chains, which must be sound."""
    report = verify_log(directory, ignore_progress)
    assert [chain.faults for chain in report.chains] == [[]] * len(report.chains)
    return report.chains


def test_each_file_is_private_and_belongs_to_an_hour(tmp_path: Path, scoring: Scoring) -> None:
    clock = Clock()
    with open_log(tmp_path / "log", clock) as log:
        record(log, scoring)
        clock.now += HOUR_NS
        record(log, scoring)
    files = chain_files(tmp_path / "log")
    hours = [
        dt.datetime.fromtimestamp((NOON_NS + hours * HOUR_NS) / 1e9, dt.UTC) for hours in (0, 1)
    ]
    assert [file.name for file in files] == [
        f"{hour:%Y-%m-%dT%H}-0000000{number}.parquet" for number, hour in enumerate(hours, 1)
    ]
    modes = {
        stat.S_IMODE(path.stat().st_mode): path.is_dir()
        for path in (tmp_path / "log", *(tmp_path / "log").rglob("*"))
    }
    assert modes == {0o700: True, 0o600: False}


def test_order_is_the_sequence_when_the_wall_clock_jumps(tmp_path: Path, scoring: Scoring) -> None:
    """H29."""
    clock = Clock()
    with open_log(tmp_path / "log", clock) as log:
        for jump in (0, -HOUR_NS, 2 * HOUR_NS, -HOUR_NS // 2, 0):
            clock.now += jump
            record(log, scoring)
    rows = read_log(tmp_path / "log")
    assert [row["sequence"] for row in rows] == list(range(15))
    assert [row["position"] for row in rows] == [0, 1, 2] * 5
    assert any(before["time"] > after["time"] for before, after in pairwise(rows))
    (chain,) = verify(tmp_path / "log")
    assert (chain.rows, chain.not_logged) == (15, 0)


def test_worker_continues_the_chain_of_one_that_ended(tmp_path: Path, scoring: Scoring) -> None:
    with open_log(tmp_path / "log") as log:
        record(log, scoring)
    with open_log(tmp_path / "log") as first, open_log(tmp_path / "log") as second:
        wait_until(lambda: len(list((tmp_path / "log").glob("worker-*/lock"))) == 2)
        record(first, scoring)
        record(second, scoring)
    assert sorted(chain.rows for chain in verify(tmp_path / "log")) == [3, 6]


@pytest.mark.parametrize("on_full", ["stop", "drop"])
def test_full_queue_refuses_or_counts(tmp_path: Path, scoring: Scoring, on_full: str) -> None:
    settings = LogSettings(directory=tmp_path / "log", on_full=on_full, queue_rows=4)  # type: ignore[arg-type] # a table
    log = DecisionLog(settings)  # its writer hasn't started
    record(log, scoring)
    if on_full == "stop":
        with pytest.raises(RequestRefusedError) as caught:
            record(log, scoring)
        assert caught.value.code == "log_unavailable"
    else:
        record(log, scoring)
    log.start()
    wait_until(lambda: log.rows_waiting == 0)
    record(log, scoring)
    log.close(60)
    dropped = 3 if on_full == "drop" else 0
    assert (log.rows_dropped, log.status.rows_written) == (dropped, 6)
    (chain,) = verify(tmp_path / "log")
    assert (chain.rows, chain.not_logged) == (6, dropped)


def test_request_that_fails_gives_its_room_back(tmp_path: Path, scoring: Scoring) -> None:
    log = DecisionLog(LogSettings(directory=tmp_path / "log", queue_rows=4))
    with pytest.raises(ZeroDivisionError), log.begin("r", "")(4):
        raise ZeroDivisionError
    record(log, scoring)
    assert log.rows_waiting == 3


def test_disk_that_refuses_is_asked_again_and_nothing_is_lost(
    tmp_path: Path, scoring: Scoring, caplog: pytest.LogCaptureFixture
) -> None:
    """H28: the place of the log isn't a directory, and becomes one later."""
    place = tmp_path / "place"
    place.write_text("a file")
    with open_log(place / "log", on_full="drop") as log:
        wait_until(lambda: log.status.is_failing)
        assert not log.is_blocked
        record(log, scoring)
        place.unlink()
        wait_until(lambda: not log.status.is_failing)
        record(log, scoring)
    assert [row["sequence"] for row in read_log(place / "log")] == list(range(6))
    verify(place / "log")
    assert len(caplog.records) == 1
    assert "exists already" in caplog.text


def test_log_whose_directory_vanishes_is_begun_anew(tmp_path: Path, scoring: Scoring) -> None:
    with open_log(tmp_path / "log", rotate_rows=1) as log:
        record(log, scoring)
        wait_until(lambda: log.status.rows_written == 3)
        (tmp_path / "log").rename(tmp_path / "moved")
        record(log, scoring)
        wait_until(lambda: log.status.rows_written == 6)
    assert [row["sequence"] for row in read_log(tmp_path / "log")] == [3, 4, 5]
    verify(tmp_path / "moved")


def test_log_that_cannot_be_written_at_the_end_says_how_many_rows_are_lost(
    tmp_path: Path, scoring: Scoring, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "place").write_text("a file")
    with open_log(tmp_path / "place" / "log", on_full="drop") as log:
        record(log, scoring)
    assert caplog.records[-1].getMessage() == "decision log: the last 3 rows are lost"


def test_dropped_rows_are_a_line_in_the_log_once_a_minute(
    tmp_path: Path, scoring: Scoring, caplog: pytest.LogCaptureFixture
) -> None:
    log = DecisionLog(LogSettings(directory=tmp_path / "log", on_full="drop", queue_rows=4))
    for _ in range(5):
        record(log, scoring)
    log.start()
    log.close(60)
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warnings == ["decision log: 12 rows were answered and not logged"]


def test_oldest_files_are_deleted_when_their_days_are_over(
    tmp_path: Path, scoring: Scoring
) -> None:
    clock = Clock()
    # A chain that no worker has any more, and one that goes on.
    with open_log(tmp_path / "log", clock), open_log(tmp_path / "log", clock) as other:
        record(other, scoring)
    for days in (0, 1, 40):
        clock.now = NOON_NS + days * 24 * HOUR_NS
        with open_log(tmp_path / "log", clock, keep_days=30) as log:
            record(log, scoring)
    chains = {chain.chain: chain for chain in verify(tmp_path / "log")}
    assert sum(chain.begins_after for chain in chains.values()) >= 2
    assert len(chain_files(tmp_path / "log")) == 1


KILLED = """
import sys
import time
from pathlib import Path
from tests.worlds.logs.decisions import make_up_scoring, open_log, record

scoring = make_up_scoring(3)
with open_log(Path(sys.argv[1]), rotate_rows=1) as log:
    while True:
        record(log, scoring)
        log._wake.set()
        while log.rows_waiting:
            time.sleep(0.0005)
        assert "pandas" not in sys.modules  # a worker hasn't the memory for it
"""


def test_killed_worker_leaves_whole_files_and_a_chain_that_goes_on(
    tmp_path: Path, scoring: Scoring
) -> None:
    directory = tmp_path / "log"
    with subprocess.Popen([sys.executable, "-c", KILLED, directory], cwd=ROOT) as program:
        wait_until(lambda: len(list(directory.glob("*/*.parquet"))) > 20 or bool(program.poll()))
        assert program.poll() is None
        program.kill()
    verify(directory)
    write_files(directory, scoring, 1)
    (chain,) = verify(directory)
    assert [row["sequence"] for row in read_log(directory)] == list(range(chain.rows))
    assert not list(directory.glob(".*"))  # what it was writing is swept


def test_row_holds_request_features_prediction_and_origin(
    tmp_path: Path, bundle: Bundle, snapshot: OnlineSnapshot
) -> None:
    (candidate,) = random_candidates(1, seed=4)
    admitted = admit_all(snapshot, parse([candidate]))
    scoring = score_with_inputs(bundle, snapshot, admitted, coverage=0.9)
    with open_log(tmp_path / "log") as log:
        record(log, scoring, "0123456789abcdef", "key-1")
    (row,) = read_log(tmp_path / "log")
    (answer,) = scoring.answer.candidates
    assert answer.return_risk is not None
    requested = {name: getattr(parse([candidate])[0], name) for name in candidate}
    expected = requested | {
        "request_id": "0123456789abcdef",
        "key_id": "key-1",
        "coverage": 0.9,
        "bundle_id": bundle.bundle_id,
        "snapshot_id": snapshot.snapshot_id,
        "sell_through": answer.sell_through.estimate,
        "sell_through_low": answer.sell_through.low,
        "sell_through_high": answer.sell_through.high,
        "return_risk": answer.return_risk.estimate,
        "return_risk_low": answer.return_risk.low,
        "return_risk_high": answer.return_risk.high,
        "score": answer.score,
        "flags": answer.flags,
    }
    assert {name: row[name] for name in expected} == expected
    assert len(row["feature_digest"]) == 16
    assert abs(row["time"] - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)
