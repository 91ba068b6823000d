"""A training killed within its search for settings, and started again: it ends as if unbroken."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serving.bundle.bundle import load_bundle
from tests.worlds.processes import Program
from tests.worlds.training_process import SETTINGS, finish, kill_when, read_files, start
from tests.worlds.tuning import states
from training.search_space import SEARCH_SPACE

TRIALS = 4
WEAK = {"trees": 50, "learning_rate": 0.01}
"""Settings that are tried first, and that another trial is better than."""


def states_in(out: Path) -> list[str]:
    """Return the states of the trials in a run directory."""
    return [state for path in out.glob("stages/tuning-*.db") for state in states(path)]


def is_tuning(out: Path) -> bool:
    """Tell whether a trial runs after another that is done."""
    now = states_in(out)
    return "RUNNING" in now and "COMPLETE" in now


def begin(source: Path, out: Path, *, threads: int) -> Program:
    flags = ["--trials", str(TRIALS)]
    return start(source, out, threads=threads, flags=flags, settings=WEAK)


@dataclass(frozen=True)
class Tuned:
    """What was seen of a training with trials."""

    out: Path
    document: dict[str, Any]
    told: str

    @property
    def bundle(self) -> Path:
        return self.out / "bundles" / str(self.document["bundle_id"])

    @property
    def card(self) -> str:
        return (self.bundle / "MODEL_CARD.md").read_text()


@dataclass(frozen=True)
class Broken(Tuned):
    """And what the process that was killed had left."""

    done: int
    files: set[str]


@pytest.fixture(scope="module")
def broken(
    year_market: Path, prepared_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Broken:
    out = tmp_path_factory.mktemp("broken") / "run"
    shutil.copytree(prepared_run, out)
    kill_when(is_tuning, out, begin(year_market, out, threads=1))
    done = states_in(out).count("COMPLETE")
    files = {path.name for path in (out / "stages").iterdir()}
    document, told = finish(begin(year_market, out, threads=1))
    return Broken(out, document, told, done, files)


@pytest.fixture(scope="module")
def unbroken(
    year_market: Path, prepared_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Tuned:
    out = tmp_path_factory.mktemp("unbroken") / "run"
    shutil.copytree(prepared_run, out)
    return Tuned(out, *finish(begin(year_market, out, threads=2)))


def test_training_killed_while_tuning_ends_with_the_bundle_of_an_unbroken_one(
    broken: Broken, unbroken: Tuned
) -> None:
    assert broken.document["bundle_id"] == unbroken.document["bundle_id"]
    assert read_files(broken.bundle) == read_files(unbroken.bundle)
    assert (broken.out / "bundles" / "CURRENT").read_text() == f"{broken.bundle.name}\n"
    assert broken.document["evaluations"] == unbroken.document["evaluations"]


def test_training_killed_while_tuning_makes_only_the_trials_that_were_not_done(
    broken: Broken, unbroken: Tuned
) -> None:
    assert 1 <= broken.done < TRIALS
    assert not any(name.startswith("booster_") for name in broken.files)
    numbers = range(1, TRIALS + 1)
    told_by = {
        one.out: [
            number for number in numbers if f"tuning: {number} of {TRIALS} trials" in one.told
        ]
        for one in (broken, unbroken)
    }
    assert told_by[unbroken.out] == [*numbers]
    assert told_by[broken.out] == [*numbers][broken.done :]
    assert sorted(states_in(unbroken.out)) == ["COMPLETE"] * TRIALS
    assert sorted(states_in(broken.out)) == ["COMPLETE"] * TRIALS + ["FAIL"]
    assert broken.document["reused"] == ["check", "features"]


def test_training_that_tuned_tells_the_settings_found(broken: Broken, unbroken: Tuned) -> None:
    assert f"the best of {TRIALS} trials" in unbroken.card
    found = recorded(unbroken.out)
    assert found == recorded(broken.out) | {"training.threads": "2"}
    assert found["tuning.trials"] == str(TRIALS)
    assert float(found["training.learning_rate"]) > WEAK["learning_rate"]
    for one in SEARCH_SPACE:
        assert f"| {one.name} | {found[f'training.{one.name}']} | yes |" in unbroken.card
    assert f"| boosters | {SETTINGS['boosters']} | no |" in unbroken.card


def test_training_that_tuned_has_boosters_of_the_settings_found(unbroken: Tuned) -> None:
    boosters = load_bundle(unbroken.bundle).models.targets["sell_through"].boosters
    assert len(boosters) == SETTINGS["boosters"]
    found = recorded(unbroken.out)
    for one in boosters:
        assert one.text.count("\nTree=") == int(found["training.trees"])
        assert f"[num_leaves: {found['training.leaves']}]" in one.text


def recorded(out: Path) -> dict[str, str]:
    """Return the parameters that MLflow has of the training that ended last."""
    with closing(sqlite3.connect(out / "mlflow.db")) as database:
        rows = database.execute(
            "SELECT key, value FROM params JOIN runs USING (run_uuid) "
            "WHERE name = 'training' AND status = 'FINISHED'"
        )
        return dict(rows)
