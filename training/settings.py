"""How models are made: section [training] of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from features.contract.columns import MARKETS
from features.declarations.targets import Target
from serving.prediction.init_score import init_column
from serving.prediction.seasonality import MAX_UPLIFT, MAX_UPLIFTS, MIN_UPLIFT, Uplift

LEAP_YEAR: Final = 2024
"""In which every date of any year exists."""


def _check_month_day(text: str) -> str:
    """Refuse a month and day that no year has.

    Raises:
        ValueError: it is none.
    """
    try:
        date.fromisoformat(f"{LEAP_YEAR}-{text}")
    except ValueError as error:
        raise ValueError(f"no month and day such as 11-26: {text!r}") from error
    return text


def _check_market(code: str) -> str:
    """Refuse a market that no data can have: with `UK` the calendar would never speak.

    Raises:
        ValueError: it isn't a country's code.
    """
    if code not in MARKETS:
        raise ValueError(f"no ISO 3166 code of a country such as GB: {code!r}")
    return code


MonthDay = Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$"), AfterValidator(_check_month_day)]
Market = Annotated[str, AfterValidator(_check_market)]


class UpliftSetting(BaseModel):
    """Days of every year on which more, or less, sells: `[[training.seasonal_uplifts]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=60)
    first: MonthDay
    """The first day, as month and day, such as 11-26."""
    last: MonthDay
    """The last day, which counts; before `first`, the days span new year."""
    uplift: float = Field(ge=MIN_UPLIFT, le=MAX_UPLIFT)
    """How much more sells on such a day: 0.4 is 40 % more than on an ordinary one."""
    markets: tuple[Market, ...] = ()
    """Country codes; none is everywhere."""

    def to_uplift(self) -> Uplift:
        """Return the form that bundles hold."""
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
"""United States, sales of retailers without stores in December 2020: 114 billion dollars, 81
billion without the season, 1.41 times (Census Bureau, Monthly Retail Trade, as the press reported
it; a record). All online sales of that quarter were 245.3 billion, 206.7 without the season. That
the four weeks before Christmas are like such a December, and other markets like this one, is
assumed. It helps where about such a season comes and harms where none does: on the medium
simulated market of one year, whose own rises are 1.35 to 1.49, any from 0.2 to 0.5 keeps the
calibration error of sell-through below 0.02, and without such a season it rises from 0.015 to 0.061
(docs/benchmarks.md)."""


MAX_ROWS: Final = 1_000_000_000
"""More rows than any table has that is learned from: a setting beyond it is a slip."""


class TrainingSettings(BaseModel):
    """Slices in time, the boosters, the calendar, and where experiments are recorded.

    The boosters are small and strongly regularised, and averaged over seeds: on retail shares
    that beat one booster with the library's defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    latest_days: int = Field(default=28, ge=1, le=365)
    """Days of moments, the last with a final target, on which models are judged."""
    calibration_days: int = Field(default=42, ge=1, le=365)
    min_train_days: int = Field(default=28, ge=1, le=3650)
    min_rows: int = Field(default=100, ge=1, le=MAX_ROWS)
    """Rows that each slice, and each half of the calibration slice, needs."""
    min_positives: int = Field(default=20, ge=1, le=MAX_ROWS)
    """Rows with a label above 0 that the training slice needs."""

    boosters: int = Field(default=5, ge=1, le=20)
    """Models a target, each with a seed of its own; predictions are averaged. Of
    cross-entropy five lose less than three on sell-through, and three less than one, in each of
    nine rounds of `xuanpin bench objectives`, by 0.0001 and 0.0002 to 0.0003 in the mean."""
    tweedie_share: float = Field(default=0.2, ge=0, le=1)
    """Share of `boosters`, rounded (a half to the even number), that minimise the Tweedie deviance
    of units, where a target's inputs say the units, as those of sell-through do; one of five, by
    docs/models.md."""
    trees: int = Field(default=200, ge=1, le=5000)
    correcting_share: float = Field(default=0.1, gt=0, le=1)
    """Share of `trees` for a target whose trees only correct a formula, as those of return risk do.
    On three small simulated markets and on Online Retail, at six and three ends of the data, log
    loss of return risk is the same to 0.0001 with a tenth of them and with none, in the mean of
    either, though at single ends of Online Retail trees lose 0.0018 less to 0.0012 more. With a
    quarter of them, and the formula's numbers of one search, it was 0.0001 more in the mean, and
    0.0006 at one end. On the medium market (seeds 0, 1, 2) the share of the explainable gain was
    0.61, 0.62, 0.61 with a tenth, 0.60, 0.62, 0.62 with a quarter, and on seed 0 less with half,
    before a curve had to be sure (0.61, 0.63, 0.62 with a tenth since then)."""
    leaves: int = Field(default=15, ge=2, le=255)
    learning_rate: float = Field(default=0.04, gt=0, le=1)
    """Against 400 trees at 0.02, log loss on Online Retail was 0.477 instead of 0.476 without a
    calendar, for half the time of fit and score."""
    min_samples_leaf: int = Field(default=40, ge=1, le=1_000_000)
    leaf_ridge: float = Field(default=20.0, ge=0, le=1e6)
    """LightGBM's lambda_l2. On the medium simulated market it raises return risk's share of the
    explainable gain from 0.44 to 0.45, and leaves that of sell-through at 0.68."""
    feature_share: float = Field(default=0.6, gt=0, le=1)
    """Share of the inputs that each tree may use."""
    bagging_share: float = Field(default=0.7, gt=0, le=1)
    """Share of the rows that each tree is grown on."""
    bins: int = Field(default=63, ge=2, le=255)
    threads: int = Field(default=2, ge=1, le=256)
    """Boosters fitted side by side; the models don't depend on it."""
    random_state: int = Field(default=0, ge=0, le=2**31 - 1001)

    interval_coverage: float = Field(default=0.8, gt=0, lt=1)
    sell_through_threshold: float = Field(default=0.5, gt=0, le=1)
    """A sell-through from here on counts as a success."""
    return_risk_threshold: float = Field(default=0.2, gt=0, le=1)
    """A return risk from here on is one that platforms act on."""

    seasonal_uplifts: tuple[UpliftSetting, ...] = Field(
        default=(BEFORE_CHRISTMAS,), max_length=MAX_UPLIFTS
    )
    """What a calendar says of days that the data haven't shown yet; where several
    hold, the last of them counts."""

    tracking_uri: str | None = None
    """MLflow tracking server; without one, and without MLFLOW_TRACKING_URI, a SQLite file."""
    experiment: str = "xuanpin"

    def tree_count(self, target: Target, names: Sequence[str]) -> int:
        """Return how many trees each booster of a target has, on inputs of these names."""
        if init_column(target, names) is None:
            return self.trees
        return max(round(self.trees * self.correcting_share), 1)

    def threshold(self, target: Target) -> float:
        """Return from which share on a target's event has happened."""
        return {
            "sell_through": self.sell_through_threshold,
            "return_risk": self.return_risk_threshold,
        }[target]
