"""Draw localisation: which attributes of a candidate are met, and from which day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.clock import DAY_US, SECOND_US, Clock, sort_columns
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import take_names
from experiments.simulator.configuration.places import LANGUAGE_NEEDED
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.mechanisms.candidates import Candidates
from features.runtime.arrays import BoolArray, FloatArray, IntArray

ENGLISH_MET: Final = 0.97
HALF_MET: Final = 0.3
"""Share of the unmet attributes that are half met: a machine translation, a few own pictures."""
NEVER: Final = 1_000_000
WHOLE: Final = 1.0
LISTED_SECOND: Final = 9 * 3_600
"""Listings go live at nine o'clock UTC; sales start on the next day."""


@dataclass(frozen=True)
class AttributeSetting:
    """The values of an attribute for all candidates; a gap is closed on `repaired_day`.

    `value` holds from the first day on, 0 (missing) to 1 (met). An attribute that doesn't apply
    counts as met.
    """

    applies: BoolArray
    value: FloatArray
    repaired_day: IntArray

    def path(self, rows: IntArray, days: int) -> FloatArray:
        """Return the value on each day (rows, days); 1 where the attribute doesn't apply."""
        is_repaired = np.arange(days) >= self.repaired_day[rows][:, None]
        value = np.where(is_repaired, WHOLE, self.value[rows][:, None])
        return np.where(self.applies[rows][:, None], value, WHOLE)


LocalisationSettings = dict[str, AttributeSetting]


def list_certificates(market: Simulation) -> tuple[str, ...]:
    """Return all certificates that any market demands of any category."""
    names = (name for leaf in market.categories for name, _ in leaf.certificates)
    return tuple(dict.fromkeys(names))


def needs_certificate(market: Simulation, candidates: Candidates, certificate: str) -> BoolArray:
    """Return True for candidates whose market ever demands a certificate of their category."""
    groups = [place.group for place in market.market_places]
    demanded = np.array(
        [
            [group in dict(leaf.certificates).get(certificate, ()) for group in groups]
            for leaf in market.categories
        ]
    )
    return np.asarray(demanded[candidates.category, candidates.place], dtype=np.bool_)


def _list_attributes(market: Simulation, candidates: Candidates) -> dict[str, BoolArray]:
    everyone = np.ones(len(candidates), dtype=np.bool_)
    is_sized = np.array([leaf.is_sized for leaf in market.categories])[candidates.category]
    is_electric = np.array([leaf.is_electric for leaf in market.categories])[candidates.category]
    general = {
        "language": everyone,
        "size_chart": is_sized,
        "plug_voltage": is_electric,
        "packaging": everyone,
        "imagery": everyone,
    }
    needs = {
        name: needs_certificate(market, candidates, name) for name in list_certificates(market)
    }
    return {**general, **needs}


def draw_settings(market: Simulation, candidates: Candidates, chunk: int) -> LocalisationSettings:
    """Draw how far each attribute is met, and when its gaps are closed."""
    sizes = market.localisation
    is_foreign = np.array([code in LANGUAGE_NEEDED for code in market.markets])[candidates.place]
    settings = {}
    for name, applies in _list_attributes(market, candidates).items():
        rng = generator(market.seed, f"localisation of {name}", chunk)
        count = len(candidates)
        met_share = np.full(count, sizes.met_share)
        if name == "language":
            met_share = np.where(is_foreign, sizes.met_share, ENGLISH_MET)
        elif name.startswith("certificate:"):
            met_share = np.full(count, sizes.certificate_share)
        is_met = rng.random(count) < met_share
        is_half = (rng.random(count) < HALF_MET) & (name in {"language", "packaging", "imagery"})
        is_repaired = (rng.random(count) < sizes.repair_share) & ~is_met
        wait = rng.exponential(sizes.repair_days, count).astype(np.int64) + 1
        settings[name] = AttributeSetting(
            applies=applies,
            value=np.where(is_met, 1.0, np.where(is_half, 0.5, 0.0)),
            repaired_day=np.where(is_repaired, candidates.live_day + wait, NEVER),
        )
    return settings


def localisation_rows(
    clock: Clock, candidates: Candidates, settings: LocalisationSettings
) -> dict[str, pa.Array]:
    """Return the attributes of listed candidates as set at first and as repaired later.

    A missing certificate has no row, because sellers only record certificates that they have.
    """
    parts = []
    for index, (name, setting) in enumerate(settings.items()):
        is_shown = candidates.is_listed & setting.applies
        if name.startswith("certificate:"):
            is_shown &= setting.value > 0
        first = np.flatnonzero(is_shown)
        is_later = candidates.is_listed & setting.applies & (setting.repaired_day < clock.days)
        later = np.flatnonzero(is_later)
        start = (candidates.live_day - 1) * DAY_US + LISTED_SECOND * SECOND_US
        repaired = setting.repaired_day * DAY_US + 60 * SECOND_US
        parts.append((index, first, setting.value[first], start[first]))
        parts.append((index, later, np.ones(later.size), repaired[later]))
    columns = {
        "listing": np.concatenate([rows for _, rows, _, _ in parts]),
        "attribute": np.concatenate([np.full(rows.size, index) for index, rows, _, _ in parts]),
        "value": np.concatenate([value for _, _, value, _ in parts]),
        "time": np.concatenate([time for _, _, _, time in parts]),
    }
    ordered = sort_columns(columns, "time", "listing", "attribute")
    return {
        "listing": ordered["listing"],
        "attribute": take_names(list(settings), ordered["attribute"]),
        "value": pa.array(ordered["value"]),
        "event_time": pa.array(ordered["time"]),
    }
