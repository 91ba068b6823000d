"""The markets that can be simulated: size, currency, certificates, parcels."""

from __future__ import annotations

from typing import Final

from experiments.simulator.configuration.section import Section

LANGUAGE_NEEDED: Final = frozenset({"DE", "FR", "IT", "ES"})


class Place(Section):
    """A market.

    `volume` is demand against the United States (log). `per_dollar` converts prices at a fixed
    rate. `group` names the rules on certificates. `parcel_days` is the median transit.
    """

    code: str
    currency: str
    volume: float
    per_dollar: float
    group: str
    parcel_days: float
    holiday: float = 0.3
    """Increase of demand (log) in the four weeks before Christmas."""


PLACES: Final = (
    Place(
        code="US",
        currency="USD",
        volume=0.0,
        per_dollar=1.0,
        group="US",
        parcel_days=6.0,
        holiday=0.4,
    ),
    Place(
        code="GB",
        currency="GBP",
        volume=-0.4,
        per_dollar=0.79,
        group="GB",
        parcel_days=5.0,
        holiday=0.35,
    ),
    Place(code="DE", currency="EUR", volume=-0.5, per_dollar=0.92, group="EU", parcel_days=5.5),
    Place(code="FR", currency="EUR", volume=-0.7, per_dollar=0.92, group="EU", parcel_days=6.5),
    Place(code="IT", currency="EUR", volume=-0.9, per_dollar=0.92, group="EU", parcel_days=7.5),
    Place(code="ES", currency="EUR", volume=-0.8, per_dollar=0.92, group="EU", parcel_days=7.0),
)
"""The sizes are assumed: volumes grow less than in proportion to the markets' online retail."""
