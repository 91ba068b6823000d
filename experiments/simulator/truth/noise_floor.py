"""The noise floor: what a forecaster loses who knows everything but the dice."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from experiments.simulator.truth.reader import Truth
from features.runtime.arrays import BoolArray, FloatArray, IntArray

MIN_SHARE: Final = 1e-6
LATEST_DAYS: Final = 28


@dataclass(frozen=True)
class NoiseFloor:
    """The truth's own loss on a target over some moments.

    `log_loss` is the mean cross-entropy between what came true and what was to be expected,
    weighted by the units ordered for return risk; `constant_log_loss` that of the mean;
    `standard_error` is over listings.
    """

    target: str
    moments: str
    rows: int
    mean: float
    log_loss: float
    standard_error: float
    constant_log_loss: float

    @property
    def learnable(self) -> float:
        """Return the share of the constant's loss above the truth's: what a model can win."""
        return 1 - self.log_loss / self.constant_log_loss


def noise_floors(truth: Truth) -> list[NoiseFloor]:
    """Return the floors of both targets: over all final moments, and over the latest of them."""
    moments = truth.moments()
    ones = np.ones(moments.num_rows)
    units = moments["realised_units"].to_numpy()
    targets = {
        "sell_through": ("realised_sell_through", "expected_sell_through", ones),
        "return_risk": ("realised_return_risk", "expected_return_rate", units),
    }
    listing = moments["listing_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    day = moments["as_of_day"].to_numpy()
    floors = []
    for target, (came, expected, weight) in targets.items():
        every = JudgedRows(moments[came].to_numpy(), moments[expected].to_numpy(), weight, listing)
        is_final = ~np.isnan(every.label)
        is_latest = is_final & (day > day[is_final].max(initial=0) - LATEST_DAYS)
        floors.append(_floor(target, "all", every.select(is_final)))
        floors.append(_floor(target, "latest", every.select(is_latest)))
    return floors


@dataclass(frozen=True)
class JudgedRows:
    """What came true, what was to be expected, and how much each row counts."""

    label: FloatArray
    estimate: FloatArray
    weight: FloatArray
    listing: IntArray

    def select(self, chosen: BoolArray) -> JudgedRows:
        """Return some of the rows."""
        return JudgedRows(*(getattr(self, f.name)[chosen] for f in fields(self)))


def _floor(target: str, moments: str, judged: JudgedRows) -> NoiseFloor:
    """Average losses; the standard error counts the moments of a listing as one draw."""
    label, weight = judged.label, judged.weight
    losses = row_log_loss(label, judged.estimate)
    mean, loss = (float(np.average(values, weights=weight)) for values in (label, losses))
    excess = np.bincount(judged.listing, weights=weight * (losses - loss))
    constant = row_log_loss(label, np.full(label.size, mean))
    return NoiseFloor(
        target=target,
        moments=moments,
        rows=label.size,
        mean=mean,
        log_loss=loss,
        standard_error=float(np.sqrt((excess**2).sum()) / weight.sum()),
        constant_log_loss=float(np.average(constant, weights=weight)),
    )


def row_log_loss(label: FloatArray, estimate: FloatArray) -> FloatArray:
    """Return each row's cross-entropy between the share that came true and its estimate."""
    share = np.clip(estimate, MIN_SHARE, 1 - MIN_SHARE)
    return np.asarray(-(label * np.log(share) + (1 - label) * np.log1p(-share)), dtype=np.float64)
