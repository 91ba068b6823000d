"""The result of a backtest: plain values that JSON can hold, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from features.declarations.targets import TARGETS, Target
from features.runtime.refusals import raise_storage_errors
from training.evaluation.judge import MODEL
from training.metrics.bootstrap import BootstrapInterval
from training.metrics.metrics import Metrics

FORMAT: Final = "xuanpin-backtest/1"
RESULT: Final = "backtest.json"
"""File of a run directory that holds its latest backtest."""


@dataclass(frozen=True, kw_only=True)
class JudgedList:
    """A list that a user would have chosen, and how it turned out."""

    requested: float
    """Largest expected share of bad decisions that was asked for."""
    candidates: int
    chosen: int
    bad_share: float | None
    """Realised share of bad decisions; None for an empty list."""
    error: float | None
    """Standard error of that share with products as clusters."""


@dataclass(frozen=True, kw_only=True)
class JudgedTarget:
    """How a target's model of one origin did on the decisions that came after it."""

    first_day: str
    last_day: str
    """ISO dates of the first and the last decision that are judged; the first is the origin."""
    rows: int
    known_rows: int
    """Rows that the model learned from: all that were final at the origin, without copies."""
    unseen_season: float
    coverage_error: float
    """Standard error of the model's coverage with listings as clusters."""
    metrics: Mapping[str, Metrics]
    """By predictor: the model and each baseline."""
    gains: Mapping[str, BootstrapInterval]
    """By baseline: its log loss minus the model's."""
    lists: tuple[JudgedList, ...]

    @property
    def model(self) -> Metrics:
        """Return the metrics of the model."""
        return self.metrics[MODEL]


@dataclass(frozen=True, kw_only=True)
class JudgedOrigin:
    """A training on what was known by the end of a day, and its judgement by target."""

    end: str
    """ISO date of that day."""
    targets: Mapping[Target, JudgedTarget]
    not_learned: Mapping[Target, str]
    """Targets that can't be learned by then, with the reason."""


@dataclass(frozen=True, kw_only=True)
class SkippedOrigin:
    """An end of the data at which nothing can be trained, and why."""

    end: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """All origins of a backtest, the earliest first."""

    key: str
    """SHA-256 over the rows, the settings and the program that the result depends on."""
    interval_coverage: float
    origins: tuple[JudgedOrigin, ...]
    skipped: tuple[SkippedOrigin, ...]
    format: str = FORMAT

    @property
    def targets(self) -> tuple[Target, ...]:
        """Return the targets that were judged at one origin at least."""
        return tuple(target for target in TARGETS if self.judged(target))

    def judged(self, target: Target) -> tuple[JudgedTarget, ...]:
        """Return a target's judgements, the earliest first."""
        return tuple(origin.targets[target] for origin in self.origins if target in origin.targets)


def pooled_coverage(judged: Sequence[JudgedTarget]) -> float:
    """Return the share of all judged decisions whose outcome is within the model's interval."""
    rows = [each.rows for each in judged]
    return float(np.average([each.model.coverage for each in judged], weights=rows))


def worst_origin(judged: Sequence[JudgedTarget], baseline: str) -> JudgedTarget:
    """Return the judgement at which the model gains least over a baseline."""
    return min(judged, key=lambda each: each.gains[baseline].mean)


def metrics_by_origin(backtest: Backtest) -> list[dict[str, float]]:
    """Return the figures of each origin by dotted name, the earliest origin first."""
    return [
        {
            f"{target}.{name}": value
            for target, judged in origin.targets.items()
            for name, value in _flatten(judged).items()
        }
        for origin in backtest.origins
    ]


def _flatten(judged: JudgedTarget) -> dict[str, float]:
    losses = {f"{name}.log_loss": metrics.log_loss for name, metrics in judged.metrics.items()}
    model = {
        f"{MODEL}.{name}": getattr(judged.model, name)
        for name in ("calibration_error", "coverage", "width")
    }
    lists = {
        f"list_{judged_list.requested:g}.{name}": value
        for judged_list in judged.lists
        for name, value in (
            ("chosen", float(judged_list.chosen)),
            ("bad_share", judged_list.bad_share),
        )
        if value is not None
    }
    return {**losses, **model, **lists}


def encode_result(backtest: Backtest) -> bytes:
    """Return the result for a program, as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(backtest), indent=2) + b"\n"


def read_result(directory: Path, key: str) -> Backtest | None:
    """Return the backtest in a run directory, None if there is none with this key.

    A result of other data, settings or code says nothing about a training, and one that can't be
    read doesn't either.

    Raises:
        StorageError: the disk can't be read.
    """
    path = directory / RESULT
    with raise_storage_errors():
        if not path.is_file():
            return None
        data = path.read_bytes()
    try:
        backtest = msgspec.json.decode(data, type=Backtest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return backtest if backtest.key == key else None
