"""Settings of a training: section [training] of the configuration."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from features.contract.columns import MARKETS
from features.declarations.targets import Target
from serving.prediction.demand_curve import MAX_SHARPNESS, MIN_SHARPNESS
from serving.prediction.seasonality import MAX_UPLIFT, MAX_UPLIFTS, MIN_UPLIFT, Uplift

LEAP_YEAR: Final = 2024
"""A year that has every date."""


def _check_month_day(text: str) -> str:
    """Refuse a month and day that no year has.

    Raises:
        ValueError: `text` is no such month and day.
    """
    try:
        date.fromisoformat(f"{LEAP_YEAR}-{text}")
    except ValueError as error:
        raise ValueError("a month and day such as 11-26") from error
    return text


def _check_market(code: str) -> str:
    """Refuse a market that no data can have: an uplift of the market `UK` would never apply.

    Raises:
        ValueError: `code` is no code of a country.
    """
    if code not in MARKETS:
        raise ValueError("an ISO 3166 code such as GB")
    return code


MonthDay = Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$"), AfterValidator(_check_month_day)]
Market = Annotated[str, AfterValidator(_check_market)]


class UpliftSetting(BaseModel):
    """Days of each year on which more or less sells than usual: `[[training.seasonal_uplifts]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=60)
    first: MonthDay
    """First day as month and day, such as 11-26."""
    last: MonthDay
    """Last day, included; if it is before `first`, the days span the new year."""
    uplift: float = Field(ge=MIN_UPLIFT, le=MAX_UPLIFT)
    """Additional demand on such a day: 0.4 is 40 % more than on an ordinary day."""
    markets: tuple[Market, ...] = ()
    """Country codes; empty means all markets."""

    def to_uplift(self) -> Uplift:
        """Return the setting in the form that bundles hold."""
        return Uplift(**self.model_dump())


CHRISTMAS_MARKETS: Final = (
    *("AT", "AU", "BE", "BR", "CA", "CH", "CZ", "DE", "DK", "ES", "FI", "FR"),
    *("GB", "IE", "IT", "MX", "NL", "NO", "NZ", "PL", "PT", "SE", "US"),
)

BEFORE_CHRISTMAS: Final = UpliftSetting(
    name="before Christmas",
    first="11-26",
    last="12-23",
    uplift=0.4,
    markets=CHRISTMAS_MARKETS,
)
"""The default calendar. It improves sell-through where such a season comes, and harms where none
does (docs/decisions/seasonal-calendar.md and size-of-the-christmas-uplift.md)."""


CORRECTED_TARGETS: Final = ("return_risk",)
"""Targets whose trees only correct a formula (serving/prediction/init_score.py)."""

MAX_ROWS: Final = 1_000_000_000
"""More rows than any training has: a larger setting is a mistake."""


class TrainingSettings(BaseModel):
    """Slices in time, boosters, intervals, the seasonal calendar, and the experiment record."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    latest_days: int = Field(default=28, ge=1, le=365)
    """Days of the latest slice, on which models are evaluated: the last with a final target."""
    calibration_days: int = Field(default=84, ge=1, le=3650)
    """Days of the calibration slice, with one origin for each `latest_days` of them: at least one
    and at most 12, and fewer where the data are short (docs/decisions/forward-validation.md)."""
    min_train_days: int = Field(default=28, ge=1, le=3650)
    """Days that the training slice must have."""
    min_rows: int = Field(default=100, ge=1, le=MAX_ROWS)
    """Rows that each slice, and each half of the calibration slice, must have."""
    min_positives: int = Field(default=20, ge=1, le=MAX_ROWS)
    """Rows with a label above 0 that the training slice must have."""

    boosters: int = Field(default=2, ge=1, le=20)
    """Models for each target, each with its own seed; predictions are averaged
    (docs/decisions/number-of-boosters.md)."""
    fold_boosters: int = Field(default=1, ge=1, le=20)
    """Models for each target and origin of the calibration slice. They are only for calibration;
    the bundle holds `boosters` models for each target."""
    sharpness: float = Field(default=1.5, ge=MIN_SHARPNESS, le=MAX_SHARPNESS)
    """How close demand stays to what is expected: at 1 the share of a lot is logistic in its
    logarithm, above 1 it turns faster from all to little (serving/demand/lot_demand.py)."""
    trees: int = Field(default=200, ge=1, le=5000)
    """Trees of each booster."""
    correcting_share: float = Field(default=0.1, gt=0, le=1)
    """Share of `trees` for a target whose trees only correct a formula, as those of return risk
    (docs/decisions/trees-that-correct-a-formula.md)."""
    leaves: int = Field(default=31, ge=2, le=255)
    """LightGBM's num_leaves."""
    learning_rate: float = Field(default=0.04, gt=0, le=1)
    """LightGBM's learning_rate (docs/decisions/learning-rate.md)."""
    min_samples_leaf: int = Field(default=10, ge=1, le=1_000_000)
    """LightGBM's min_data_in_leaf."""
    leaf_ridge: float = Field(default=5.0, ge=0, le=1e6)
    """LightGBM's lambda_l2 (docs/decisions/leaf-ridge.md)."""
    feature_share: float = Field(default=0.6, gt=0, le=1)
    """Share of the inputs that each tree may use: LightGBM's feature_fraction."""
    bagging_share: float = Field(default=0.7, gt=0, le=1)
    """Share of the rows that each tree is grown on: LightGBM's bagging_fraction."""
    bins: int = Field(default=63, ge=2, le=255)
    """LightGBM's max_bin."""
    threads: int = Field(default=2, ge=1, le=256)
    """Boosters that are fitted at once; models don't depend on it."""
    random_state: int = Field(default=0, ge=0, le=2**31 - 1001)
    """Seed of the first booster; the others count on from it."""

    interval_coverage: float = Field(default=0.8, gt=0, lt=1)
    """Coverage of the intervals in evaluation and summary."""
    sell_through_threshold: float = Field(default=0.5, gt=0, le=1)
    """A sell-through of at least this share is a success."""
    return_risk_threshold: float = Field(default=0.2, gt=0, le=1)
    """Platforms act on a return risk of at least this share."""

    seasonal_uplifts: tuple[UpliftSetting, ...] = Field(
        default=(BEFORE_CHRISTMAS,), max_length=MAX_UPLIFTS
    )
    """Seasonal demand on days of the year that no model has learned from yet. If several uplifts
    hold on a day, the last one counts."""

    tracking_uri: str | None = None
    """MLflow tracking server; without it and without MLFLOW_TRACKING_URI, a SQLite file is used."""
    experiment: str = "xuanpin"
    """Name of the MLflow experiment."""

    def tree_count(self, target: Target) -> int:
        """Return the number of trees of a target's boosters."""
        if target not in CORRECTED_TARGETS:
            return self.trees
        return max(round(self.trees * self.correcting_share), 1)

    def threshold(self, target: Target) -> float:
        """Return the share from which a target's event counts as happened."""
        return {
            "sell_through": self.sell_through_threshold,
            "return_risk": self.return_risk_threshold,
        }[target]
