"""What tuning searches: the settings of the boosters, and from where to where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Range:
    """A setting of training/settings.py and the values tried, both ends included."""

    name: str
    low: float
    high: float
    is_log: bool = False
    """Whether a tenth and ten times as much are equally far away."""
    is_integer: bool = False

    def clip(self, value: float) -> float:
        """Return the value tried that is nearest to another."""
        return min(max(value, self.low), self.high)


SEARCH_SPACE: Final = (
    Range("trees", 50, 600, is_log=True, is_integer=True),
    Range("leaves", 4, 63, is_log=True, is_integer=True),
    Range("learning_rate", 0.01, 0.2, is_log=True),
    Range("min_samples_leaf", 10, 400, is_log=True, is_integer=True),
    Range("leaf_ridge", 0.1, 200.0, is_log=True),
    Range("feature_share", 0.2, 1.0),
    Range("bagging_share", 0.4, 1.0),
)
"""The number of boosters is left out: more of them are never worse, and cost time in proportion."""
