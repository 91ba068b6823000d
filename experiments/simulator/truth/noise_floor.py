"""The noise floor: the loss of a forecaster that knows everything but the dice."""

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
    """The loss of the true expectations of a target over some moments.

    `log_loss` is the mean cross-entropy between realised and expected shares; return risk is
    weighted by the units ordered. `constant_log_loss` is the loss of the mean share. Listings are
    the independent units of `standard_error`.
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
        """Return the share of the constant's loss that a model can gain."""
        return 1 - self.log_loss / self.constant_log_loss


def measure_noise_floors(truth: Truth) -> list[NoiseFloor]:
    """Return the floors of both targets: over all final moments, and over the latest ones."""
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
    for target, (realised, expected, weight) in targets.items():
        all_rows = JudgedRows(
            moments[realised].to_numpy(), moments[expected].to_numpy(), weight, listing
        )
        is_final = ~np.isnan(all_rows.label)
        is_latest = is_final & (day > day[is_final].max(initial=0) - LATEST_DAYS)
        floors.append(_floor(target, "all", all_rows.select(is_final)))
        floors.append(_floor(target, "latest", all_rows.select(is_latest)))
    return floors


@dataclass(frozen=True)
class JudgedRows:
    """Realised shares, their estimates, weights, and the listing of each row."""

    label: FloatArray
    estimate: FloatArray
    weight: FloatArray
    listing: IntArray

    def select(self, mask: BoolArray) -> JudgedRows:
        """Return some of the rows."""
        return JudgedRows(*(getattr(self, f.name)[mask] for f in fields(self)))


def _floor(target: str, moments: str, judged: JudgedRows) -> NoiseFloor:
    """Average the losses; the moments of a listing count as a single draw in the error."""
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
    """Return each row's cross-entropy between the realised share and its estimate."""
    share = np.clip(estimate, MIN_SHARE, 1 - MIN_SHARE)
    return np.asarray(-(label * np.log(share) + (1 - label) * np.log1p(-share)), dtype=np.float64)
