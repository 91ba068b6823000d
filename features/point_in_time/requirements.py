"""Count the attributes that a market requires at a moment, and those that a listing meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ibis.expr.types as ir

from features.declarations.kinds import Fulfilled, InForce, Required
from features.point_in_time.aggregations import find_latest
from features.point_in_time.visibility import AS_OF, join_visible

ATTRIBUTE: Final = "attribute"
FULL_VALUE: Final = 1.0


def count_requirements(
    rows: ir.Table, required: ir.Table, feature: InForce | Required, keys: Sequence[str]
) -> ir.Table:
    """Count the attributes of a feature that are required of each row's key."""
    name = required[ATTRIBUTE]
    if isinstance(feature, Required):
        is_counted = name == feature.attribute
    else:
        is_counted = name.startswith(feature.prefix)
    attributes = _find_attributes(rows, required.filter(is_counted), keys)
    return attributes.group_by(*keys, AS_OF).agg(**{feature.name: attributes.count()})


def count_fulfilled(
    rows: ir.Table, required: ir.Table, states: ir.Table, feature: Fulfilled, keys: Sequence[str]
) -> ir.Table:
    """Count the required attributes whose last value is full (1).

    `states` holds `value` by the level's keys and attribute, with the names of event keys.
    """
    counted = required.filter(required[ATTRIBUTE].startswith(feature.prefix))
    attributes = _find_attributes(rows, counted, keys)
    values = find_latest(attributes, states, "value", (*keys, ATTRIBUTE))
    full = values.filter(values["value"] >= FULL_VALUE)
    return full.group_by(*keys, AS_OF).agg(**{feature.name: full.count()})


def _find_attributes(rows: ir.Table, required: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Return one row for each row and attribute in force."""
    return join_visible(rows, required, keys).select(*keys, AS_OF, ATTRIBUTE).distinct()
