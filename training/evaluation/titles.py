"""Titles of targets and predictors in everything that is printed or drawn."""

from __future__ import annotations

from typing import Final

from features.declarations.targets import Target

PREDICTOR_TITLES: Final = {
    "model": "model",
    "constant": "constant",
    "category_market_mean": "category mean",
    "shrinkage": "shrinkage",
}

TARGET_TITLES: Final[dict[Target, str]] = {
    "sell_through": "Sell-through: share of the units on offer that is ordered within the horizon",
    "return_risk": "Return risk: share of the ordered units that comes back",
}


def short_title(target: Target) -> str:
    """Return a target's name without its definition."""
    return TARGET_TITLES[target].partition(":")[0]
