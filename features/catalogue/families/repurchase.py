"""Repurchase: the buyers of a listing who are expected to come back."""

from __future__ import annotations

from typing import Final

from features.declarations.functions import expect
from features.declarations.kinds import Derived, Feature, FeatureFamily
from features.declarations.shrinkage import REPURCHASE_RATE

REPURCHASE: Final[tuple[Feature, ...]] = (
    Derived(
        name="expected_repeat_buyers_84d",
        description="Buyers of the listing in the last 84 days who are expected to buy it again, "
        "at its pooled repurchase rate.",
        unit="buyers",
        family=FeatureFamily.REPURCHASE,
        inputs=("buyers_84d", f"pooled_{REPURCHASE_RATE.name}_{REPURCHASE_RATE.days}d"),
        function=expect,
    ),
)
