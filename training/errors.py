"""Refusals to train: one class a failure, each built from facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from features.declarations.targets import Target
from features.runtime.errors import TrainingError

_MAX_NAMED: Final = 5
"""Names listed in one message; the rest is counted."""

_WORKAROUND: Final[Mapping[Target, str]] = {
    "sell_through": "",
    "return_risk": " Or leave the returns table out: sell-through is then trained alone.",
}
"""What else can be done when a target can't be learned."""


class MissingColumnsError(TrainingError):
    """Refuse training rows without columns that the catalogue needs."""

    def __init__(self, missing: Sequence[str]) -> None:
        named = ", ".join(missing[:_MAX_NAMED])
        more = len(missing) - _MAX_NAMED
        super().__init__(
            expected="every column of the spine, the catalogue and the labels",
            found=f"none named {named}" + (f" and {more} more" if more > 0 else ""),
            way_out="Build the training rows again with this version of the program.",
        )


class CatalogueMismatchError(TrainingError):
    """Refuse training rows that were built from another catalogue."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            expected=f"training rows of catalogue {expected[:16]}…",
            found=f"{found[:16]}…" if found else "none named",
            way_out="Build the training rows again with this version of the program.",
        )


class MissingKeysError(TrainingError):
    """Refuse training rows that don't say what they are about."""

    def __init__(self, column: str, rows: int) -> None:
        super().__init__(
            expected=f"{column} in every training row",
            found=f"{rows} rows without",
            way_out="Check the data set with `xuanpin check DIR`.",
        )


class UnlearnableTargetError(TrainingError, ValueError):
    """Refuse a target that the data have outcomes of but can't teach; subclasses say why."""

    def __init__(self, target: Target, *, expected: str, found: str, way_out: str) -> None:
        way_out += _WORKAROUND[target]
        super().__init__(expected=expected, found=found, way_out=way_out)


class NoLabelsError(UnlearnableTargetError):
    """Refuse a target that has not one final label."""

    def __init__(self, target: Target, mature_rows: int) -> None:
        super().__init__(
            target,
            expected=f"rows with a final {target}",
            found=f"none among {mature_rows} rows whose horizon is over",
            way_out="Add a longer history.",
        )


class InvalidLabelsError(TrainingError):
    """Refuse labels that aren't shares; LightGBM would train on them without a word."""

    def __init__(self, target: Target, *, broken: int, rows: int) -> None:
        super().__init__(
            expected=f"final {target} labels within 0 and 1",
            found=f"{broken} of {rows} missing or outside",
            way_out="Build the training rows again; if it stays so, report it.",
        )


class TooFewDaysError(UnlearnableTargetError):
    """Refuse a history too short to hold training, calibration and latest slice apart."""

    def __init__(self, target: Target, *, needed: int, found: int) -> None:
        super().__init__(
            target,
            expected=f"{needed} days of moments with a final {target}",
            found=f"{found} days",
            way_out="Add a longer history, or lower latest_days, calibration_days or "
            "min_train_days in section [training].",
        )


class TooFewDaysToTuneError(UnlearnableTargetError):
    """Refuse to tune on a training slice too short to be divided once more."""

    def __init__(self, target: Target, *, needed: int, found: int) -> None:
        super().__init__(
            target,
            expected=f"{needed} days of training moments with a final {target}, to tune on",
            found=f"{found} days",
            way_out="Add a longer history, train without --trials, or lower latest_days or "
            "min_train_days in section [training].",
        )


class TooFewRowsError(UnlearnableTargetError):
    """Refuse a slice with too few rows to learn or to judge from."""

    def __init__(self, target: Target, slice_name: str, *, needed: int, found: int) -> None:
        super().__init__(
            target,
            expected=f"{needed} rows with a final {target} in the {slice_name} slice",
            found=f"{found} rows",
            way_out="Add more listings or a longer history.",
        )


class OneClassError(UnlearnableTargetError):
    """Refuse labels that are all the same: there is nothing to tell apart."""

    def __init__(self, target: Target, slice_name: str, value: float) -> None:
        super().__init__(
            target,
            expected=f"different values of {target} in the {slice_name} slice",
            found=f"{value:g} in every row",
            way_out="Check that the outcomes' table (orders or returns) is complete.",
        )


class TooFewPositivesError(UnlearnableTargetError):
    """Refuse labels of which hardly any is above 0."""

    def __init__(self, target: Target, slice_name: str, *, needed: int, found: int) -> None:
        super().__init__(
            target,
            expected=f"{needed} rows with a {target} above 0 in the {slice_name} slice",
            found=f"{found} rows",
            way_out="Add a longer history or more listings.",
        )
