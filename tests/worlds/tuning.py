"""A search on the made-up market of the tests of training, and what its database holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import optuna

from features.runtime.progress import ignore_progress
from training.settings import TrainingSettings
from training.tuning.search import Search

STUDY: Final = "made-up market"
WEAK: Final = TrainingSettings(
    boosters=1, trees=50, leaves=4, learning_rate=0.01, min_rows=50, min_train_days=21
)
"""Settings that nearly any others are better than."""


def search(database: Path, trials: int, *, timeout: float | None = None) -> Search:
    """Return a search that reports nothing."""
    return Search(
        trials=trials,
        timeout_seconds=timeout,
        database=database,
        study=STUDY,
        progress=ignore_progress,
    )


def trials(database: Path) -> list[optuna.trial.FrozenTrial]:
    """Return the trials that ended, in order."""
    study = optuna.load_study(study_name=STUDY, storage=f"sqlite:///{database}")
    return [trial for trial in study.trials if trial.state.is_finished()]


def states(database: Path) -> list[str]:
    """Return the states of all trials as another process leaves them, none before it begins."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as connection:
        try:
            return [state for (state,) in connection.execute("SELECT state FROM trials")]
        except sqlite3.OperationalError:  # no table yet, or locked for a moment
            return []
