"""How many attributes a market requires of a key at a moment, and how many of them are met."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir

from features.declarations.kinds import Fulfilled, InForce, Required
from features.point_in_time.aggregations import find_latest
from features.point_in_time.visibility import AS_OF, join_visible

ATTRIBUTE = "attribute"
FULLY = 1.0


def count_requirements(
    rows: ir.Table, required: ir.Table, feature: InForce | Required, keys: Sequence[str]
) -> ir.Table:
    """Count the attributes required of each row's key, of those that a feature is about."""
    name = required[ATTRIBUTE]
    if isinstance(feature, Required):
        wanted = name == feature.attribute
    else:
        wanted = name.startswith(feature.prefix)
    attributes = _attributes(rows, required.filter(wanted), keys)
    return attributes.group_by(*keys, AS_OF).agg(**{feature.name: attributes.count()})


def count_met(
    rows: ir.Table, required: ir.Table, states: ir.Table, feature: Fulfilled, keys: Sequence[str]
) -> ir.Table:
    """Count the required attributes whose value, as set last, is full.

    `states` holds `value` by the level's keys and attribute, all renamed as keys of events.
    """
    wanted = required.filter(required[ATTRIBUTE].startswith(feature.prefix))
    attributes = _attributes(rows, wanted, keys)
    values = find_latest(attributes, states, "value", (*keys, ATTRIBUTE))
    full = values.filter(values["value"] >= FULLY)
    return full.group_by(*keys, AS_OF).agg(**{feature.name: full.count()})


def _attributes(rows: ir.Table, required: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Return each row with each attribute in force, once."""
    return join_visible(rows, required, keys).select(*keys, AS_OF, ATTRIBUTE).distinct()
