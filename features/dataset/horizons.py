"""The horizon of the targets and the days until a target is final."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from features.declarations.targets import Target
from features.declarations.vocabulary import USUAL_CANCELLATION_DAYS


class Horizons(BaseModel):
    """Set the lengths of time, in days, that define targets and censored rates.

    Training and serving must use the same values, so the training set, the bundle and the online
    snapshot each store them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizon_days: int = Field(default=28, ge=1, le=365)
    return_window_days: int = Field(default=30, ge=1, le=365)
    assumed_delivery_days: int = Field(default=7, ge=0, le=120)
    """Days from order to delivery where the data have no deliveries."""
    repurchase_window_days: int = Field(default=90, ge=1, le=730)
    cancellation_days: int = Field(default=USUAL_CANCELLATION_DAYS, ge=0, le=30)
    """Units whose return is known within so many days of their order were cancelled: they were
    neither sold nor returned. 0 where goods can be delivered and returned on the same day."""
    reporting_lag_days: int = Field(default=1, ge=0, le=60)
    """Days until all events of a day are known; targets are final only afterwards."""

    @property
    def sell_through_maturity_days(self) -> int:
        """Return how many days after `as_of` all orders and their cancellations are known."""
        return self.horizon_days + max(self.reporting_lag_days, self.cancellation_days)

    @property
    def return_risk_maturity_days(self) -> int:
        """Return how many days after `as_of` a return risk is final.

        The last order of the horizon is delivered after the assumed days. Its buyer may return it
        until the return window ends.
        """
        days_to_return = self.assumed_delivery_days + self.return_window_days
        return self.horizon_days + days_to_return + self.reporting_lag_days

    def maturity_days(self, target: Target) -> int:
        """Return how many days after `as_of` a target is final."""
        return {
            "sell_through": self.sell_through_maturity_days,
            "return_risk": self.return_risk_maturity_days,
        }[target]
