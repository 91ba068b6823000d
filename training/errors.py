"""Refuse to train: one class for each failure, built from facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from features.declarations.targets import Target
from features.runtime.errors import SettingsError, TrainingError, XuanpinError
from features.runtime.text import join_names

_MAX_NAMES: Final = 5

_REBUILD: Final = "Build the training rows again with this version of the program."

_WORKAROUNDS: Final[Mapping[Target, str]] = {
    "sell_through": "",
    "return_risk": " Or leave the returns table out: sell-through is then trained alone.",
}
"""What else a user can do when a target can't be learned."""


class MissingColumnsError(TrainingError):
    """Refuse training rows without columns that the catalogue needs."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            problem=f"The training rows lack columns: {join_names(missing, _MAX_NAMES)}.",
            hint=_REBUILD,
        )


class CatalogueMismatchError(TrainingError):
    """Refuse training rows that were built from another catalogue."""

    def __init__(self, *, expected: str, actual: str) -> None:
        shown = f"{actual[:16]}…" if actual else "none"
        super().__init__(
            problem=f"Expected training rows of catalogue {expected[:16]}…; found {shown}.",
            hint=_REBUILD,
        )


class MissingKeysError(TrainingError):
    """Refuse training rows without a listing, product, category, market or moment."""

    def __init__(self, column: str, rows: int) -> None:
        super().__init__(
            problem=f"The {column} is missing in {rows:,} of the training rows.",
            hint="Check the data set with `xuanpin check DIR`.",
        )


class UnlearnableTargetError(TrainingError, ValueError):
    """Refuse a target that has outcomes in the data but can't be learned from them.

    Each subclass is one reason.
    """

    def __init__(self, target: Target, *, problem: str, hint: str) -> None:
        self.target = target
        super().__init__(problem=problem, hint=hint + _WORKAROUNDS[target])


class NoLabelsError(UnlearnableTargetError):
    """Refuse a target without a single final label."""

    def __init__(self, target: Target, mature_rows: int) -> None:
        super().__init__(
            target,
            problem=f"No row has a final {target} (the horizon of {mature_rows:,} rows is over).",
            hint="Add a longer history.",
        )


class InvalidLabelsError(TrainingError):
    """Refuse labels that aren't shares: LightGBM would train on them without a warning."""

    def __init__(self, target: Target, *, invalid: int, rows: int) -> None:
        super().__init__(
            problem=f"{invalid:,} of {rows:,} final {target} labels are missing or outside 0 and "
            "1.",
            hint="Build the training rows again. If it happens again, report it.",
        )


class TooFewDaysError(UnlearnableTargetError):
    """Refuse a history too short for a training, a calibration and a latest slice."""

    def __init__(self, target: Target, *, needed: int, days: int) -> None:
        super().__init__(
            target,
            problem=f"Training needs {needed:,} days of rows with a final {target}, but the data "
            f"have {days:,}.",
            hint="Add a longer history, or lower latest_days or min_train_days "
            "in section [training].",
        )


class TooFewRowsError(UnlearnableTargetError):
    """Refuse a slice with too few rows to learn from or to evaluate on."""

    def __init__(self, target: Target, slice_name: str, *, needed: int, rows: int) -> None:
        super().__init__(
            target,
            problem=f"The {slice_name} slice needs {needed:,} rows with a final {target}, but has "
            f"{rows:,}.",
            hint="Add more listings or a longer history.",
        )


class OneClassError(UnlearnableTargetError):
    """Refuse labels that are all the same: there is nothing to learn."""

    def __init__(self, target: Target, slice_name: str, value: float) -> None:
        super().__init__(
            target,
            problem=f"Every {target} in the {slice_name} slice is {value:g}.",
            hint="Check that the table of outcomes (orders or returns) is complete.",
        )


class TooFewPositivesError(UnlearnableTargetError):
    """Refuse a slice in which hardly any label is above 0."""

    def __init__(self, target: Target, slice_name: str, *, needed: int, positives: int) -> None:
        super().__init__(
            target,
            problem=f"The {slice_name} slice needs {needed:,} rows with a {target} above 0, but "
            f"has {positives:,}.",
            hint="Add a longer history or more listings.",
        )


class NoOriginError(TrainingError):
    """Refuse a backtest of data in which no model could have been trained at any origin."""

    def __init__(self, origins: int, reason: XuanpinError) -> None:
        super().__init__(
            problem=f"No model can be trained at any of {origins:,} origins. At the latest: "
            f"{reason.problem}",
            hint=reason.hint,
        )


class TimeoutWithoutTrialsError(SettingsError):
    """Refuse a time limit for a search that isn't requested."""

    def __init__(self) -> None:
        super().__init__(
            problem="The option --timeout ends a search for settings, and none is requested.",
            hint="Add --trials, or leave --timeout out.",
        )


class SchedulerWithoutDaskError(SettingsError):
    """Refuse the address of a cluster for a training on this machine."""

    def __init__(self) -> None:
        super().__init__(
            problem="The option --scheduler names a Dask cluster, but the training runs on this "
            "machine.",
            hint="Add --engine dask, or leave --scheduler out.",
        )
