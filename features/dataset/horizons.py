"""How far ahead targets look and how long until they are final."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from features.declarations.targets import Target


class Horizons(BaseModel):
    """The lengths of time, in days, that targets and censored rates rest on.

    The same values must hold in training and in serving, so they travel in the training set,
    the bundle and the online snapshot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizon_days: int = Field(default=28, ge=1, le=365)
    return_window_days: int = Field(default=30, ge=1, le=365)
    assumed_delivery_days: int = Field(default=7, ge=0, le=120)
    """Days from order to delivery where the data have no deliveries."""
    repurchase_window_days: int = Field(default=90, ge=1, le=730)
    reporting_lag_days: int = Field(default=1, ge=0, le=60)
    """Days until what happened on a day is known in full; targets wait for it."""

    @property
    def sell_through_maturity_days(self) -> int:
        """Return how many days after `as_of` a sell-through is final."""
        return self.horizon_days + self.reporting_lag_days

    @property
    def return_risk_maturity_days(self) -> int:
        """Return how many days after `as_of` a return risk is final.

        The last order of the horizon is delivered after the assumed days, and its buyer may send
        it back until the return window is over.
        """
        sent_back = self.assumed_delivery_days + self.return_window_days
        return self.horizon_days + sent_back + self.reporting_lag_days

    def maturity_days(self, target: Target) -> int:
        """Return how many days after `as_of` a target is final."""
        return {
            "sell_through": self.sell_through_maturity_days,
            "return_risk": self.return_risk_maturity_days,
        }[target]
