"""Signals of localisation: settings of attributes, and requirements of markets."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.declarations.vocabulary import ATTRIBUTES
from features.signals.signal import Keys, add_level_keys, count_one


def localisation(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return settings of attributes, with the value (0…1) in the column of its attribute."""
    settings = add_level_keys(dataset, dataset.knowable_rows("localisation"), keys)
    return settings.select(
        *keys,
        "attribute",
        "value",
        "event_time",
        "available_at",
        changes=count_one(),
        **{name: _select_attribute(settings, name) for name in ATTRIBUTES},
    )


def _select_attribute(settings: ir.Table, attribute: str) -> ir.FloatingValue:
    return ibis.ifelse(settings.attribute == attribute, settings.value, ibis.null("float64"))


def requirements(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return requirements of listings, each in force from `event_time` to `ends_at`.

    `ends_at` is null if no end is known.
    """
    required = dataset.knowable_rows("requirements").select(
        "market",
        "category",
        "attribute",
        "available_at",
        event_time="valid_from",
        ends_at="valid_to",
    )
    columns = ("attribute", "event_time", "available_at", "ends_at")
    if set(keys) <= set(required.columns):
        return required.select(*keys, *columns)
    listings = dataset.listing_facts().select(*dict.fromkeys((*keys, "market", "category")))
    return listings.inner_join(required, ["market", "category"]).select(*keys, *columns)
