"""The search space of tuning: settings of the boosters with their ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Range:
    """A setting of training/settings.py and the range of values to try, both ends included."""

    name: str
    low: float
    high: float
    is_log: bool = False
    """Whether values are spread evenly on a logarithmic scale."""
    is_integer: bool = False

    def clip(self, value: float) -> float:
        """Return the value in the range that is nearest to `value`."""
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
"""The number of boosters isn't searched: more are never worse, and cost time in proportion."""
