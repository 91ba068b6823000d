"""A training killed again and again, in every stage, and started again: it ends as if unbroken."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from features.runtime.temporary import PREFIX
from tests.worlds.training_process import finish, kill_when, read_files, start

BOOSTERS = ["return_risk_0", "return_risk_1", "sell_through_0", "sell_through_1"]


def is_checking(out: Path) -> bool:
    return any(out.glob(f"{PREFIX}*/*"))


def is_computing(out: Path) -> bool:
    return (out / "stages" / "check.json").exists()


def is_fitting(out: Path) -> bool:
    return any(out.glob("stages/booster_*.json"))


def is_recording(out: Path) -> bool:
    return any(out.glob("mlartifacts/*/artifacts/bundles/*/*"))


def finished(out: Path) -> dict[str, int]:
    """Return when each result with a record was written, by its path in the run directory."""
    records = sorted(out.glob("stages/*.json"))
    files = [name for record in records for name in json.loads(record.read_text())["files"]]
    return {name: (out / name).stat().st_mtime_ns for name in files}


def statuses(out: Path) -> list[str]:
    with closing(sqlite3.connect(out / "mlflow.db")) as database:
        return [row[0] for row in database.execute("SELECT status FROM runs ORDER BY start_time")]


@dataclass(frozen=True)
class Broken:
    """What was seen of a training that was killed four times."""

    out: Path
    left: dict[str, dict[str, int]]
    """What was finished after each kill."""
    statuses_left: list[str]
    document: dict[str, Any]
    told: str


@pytest.fixture(scope="module")
def broken(year_market: Path, tmp_path_factory: pytest.TempPathFactory) -> Broken:
    out = tmp_path_factory.mktemp("broken") / "run"
    left = {}
    for sign in (is_checking, is_computing, is_fitting, is_recording):
        kill_when(sign, out, start(year_market, out, threads=1))
        left[sign.__name__] = finished(out)
    statuses_left = statuses(out)
    return Broken(out, left, statuses_left, *finish(start(year_market, out, threads=1)))


@dataclass(frozen=True)
class Unbroken:
    """What was seen of a training that nothing happened to but a second one beside it."""

    out: Path
    document: dict[str, Any]
    process: int
    refused: tuple[int | None, str, str]
    """Exit code and output of the second."""


@pytest.fixture(scope="module")
def unbroken(year_market: Path, new_run: Callable[[], Path]) -> Unbroken:
    out = new_run()
    with start(year_market, out, threads=2) as first:
        first.wait_until(lambda: is_checking(out))
        with start(year_market, out, threads=2) as second:
            printed, told = second.communicate()
        document, _ = finish(first)
    return Unbroken(out, document, first.pid, (second.returncode, printed, told))


def test_killed_training_ends_with_the_bundle_of_an_unbroken_one(
    broken: Broken, unbroken: Unbroken
) -> None:
    out, document = unbroken.out, unbroken.document
    bundle_id = document["bundle_id"]
    assert broken.document["bundle_id"] == bundle_id
    assert read_files(broken.out / "bundles" / bundle_id) == read_files(out / "bundles" / bundle_id)
    assert (broken.out / "bundles" / "CURRENT").read_text() == f"{bundle_id}\n"
    told = {"report", "training_rows", "imputed", "evaluations"}
    assert {name: broken.document[name] for name in told} == {name: document[name] for name in told}


def test_killed_training_keeps_every_stage_that_was_finished(broken: Broken) -> None:
    tables, rows = "validated/orders.parquet", "training_rows.parquet"
    boosters = {f"stages/booster_{name}.txt" for name in BOOSTERS}
    left = broken.left
    assert left["is_checking"] == {}
    assert tables in left["is_computing"]
    assert rows not in left["is_computing"]
    assert {tables, rows} <= left["is_fitting"].keys()
    fitted = {name for name in left["is_fitting"] if "booster_" in name}  # those of origins first
    assert fitted
    assert not boosters <= fitted
    assert {tables, rows, *boosters} <= left["is_recording"].keys()
    at_last = finished(broken.out)
    for seen in left.values():
        assert seen.items() <= at_last.items()


def test_killed_training_tells_what_it_went_on_from(broken: Broken, unbroken: Unbroken) -> None:
    boosters = {path.stem for path in broken.out.glob("stages/booster_*.json")}
    assert {f"booster_{name}" for name in BOOSTERS} < boosters  # and those of each origin
    check, rows, *fits = broken.document["reused"]
    assert (check, rows) == ("check", "features")
    assert {f"booster_{name}" for name in fits} == boosters
    for line in ("check: reused", "features: reused", f"train: {len(fits)} boosters reused"):
        assert line in broken.told
    assert unbroken.document["reused"] == []


def test_killed_training_leaves_nothing_half_written(broken: Broken) -> None:
    names = {path.name for path in broken.out.iterdir()}
    expected = {"bundles", "mlartifacts", "mlflow.db", "stages", "training_rows.parquet"}
    assert names == {".lock", "validated", *expected}
    assert not list(broken.out.rglob(f"{PREFIX}*"))


def test_killed_trainings_runs_do_not_stay_open(broken: Broken) -> None:
    first, *others = broken.statuses_left
    # the last kill comes before or after the training has opened its child runs
    assert len(others) in {1, 2, 3}
    assert (first, set(others)) == ("KILLED", {"RUNNING"})
    assert statuses(broken.out) == ["KILLED", *("KILLED" for _ in others), *["FINISHED"] * 3]


def test_second_training_at_once_is_refused_and_harms_nothing(
    unbroken: Unbroken, broken: Broken
) -> None:
    exit_code, printed, told = unbroken.refused
    assert (exit_code, printed) == (6, "")
    assert f"Process {unbroken.process} is already training in" in told
    assert unbroken.document["bundle_id"] == broken.document["bundle_id"]
