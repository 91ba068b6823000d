"""Report of `xuanpin features parity`, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table

from features.declarations.kinds import FeatureFamily
from features.parity.compare import Difference, Parity

MAX_SHOWN: Final = 20
"""Keeps the table readable; --json has all differences."""


def parity_page(parity: Parity) -> RenderableType:
    """Return the differences by family, the features that differ, and a summary."""
    lines: list[RenderableType] = [_families(parity)]
    if parity.different:
        lines.append(_differences(parity.different))
    more = len(parity.different) - MAX_SHOWN
    if more > 0:
        lines.append(f"… and {more} more: --json has them all.")
    return Group(*lines, summarise(parity))


def summarise(parity: Parity) -> str:
    """Summarise in one sentence what was compared, and the largest difference."""
    largest = max((difference.bits for difference in parity.features), default=0)
    value = _largest_value(parity.features)
    value_text = "null against a value" if value is None else f"{value:g} in value"
    return (
        f"Rows: {parity.rows:,}, moments: {', '.join(parity.moments)}, "
        f"features: {len(parity.features)}, different: {len(parity.different)}; "
        f"the largest difference is {largest:,} bits, {value_text}."
    )


def parity_json(parity: Parity) -> str:
    """Return the largest difference of every feature, with its family."""
    facts = {
        "rows": parity.rows,
        "moments": parity.moments,
        "different": len(parity.different),
        "features": [asdict(difference) for difference in parity.features],
    }
    return json.dumps(facts, indent=2) + "\n"


def _families(parity: Parity) -> Table:
    """Return one line a family: a line a feature would be too long to read."""
    table = Table("family", "features", "that differ", "largest, bits", "largest, value")
    for family in FeatureFamily:
        members = [difference for difference in parity.features if difference.family is family]
        if members:
            counts = f"{len(members):,}", f"{sum(member.bits > 0 for member in members):,}"
            bits = max(member.bits for member in members)
            value = _format_value(_largest_value(members))
            table.add_row(family.value, *counts, f"{bits:.4g}", value)
    return table


def _differences(different: tuple[Difference, ...]) -> Table:
    table = Table("feature", "rows that differ", "largest, bits", "largest, value")
    for item in different[:MAX_SHOWN]:
        table.add_row(item.feature, f"{item.rows:,}", f"{item.bits:.4g}", _format_value(item.value))
    return table


def _largest_value(differences: Sequence[Difference]) -> float | None:
    """Return the largest difference of values; None if one of them is null."""
    values = [difference.value for difference in differences]
    return None if None in values else max((value or 0.0 for value in values), default=0.0)


def _format_value(value: float | None) -> str:
    return "null" if value is None else f"{value:g}"
