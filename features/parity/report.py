"""What `xuanpin features parity` says, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Column, Table

from features.declarations.kinds import FeatureFamily
from features.parity.compare import Difference, Parity

MAX_SHOWN: Final = 20
"""A table of differences stays readable; --json has them all."""


def parity_page(parity: Parity) -> RenderableType:
    """Return the largest difference of each family, the features that differ, and the sum of it."""
    lines: list[RenderableType] = [_families(parity)]
    if parity.different:
        lines.append(_differences(parity.different))
    more = len(parity.different) - MAX_SHOWN
    if more > 0:
        lines.append(f"… and {more} more: --json has them all.")
    return Group(*lines, summarise(parity))


def summarise(parity: Parity) -> str:
    """Return in one sentence what was compared, and the largest difference."""
    largest = max((one.bits for one in parity.features), default=0)
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
        "features": [asdict(one) for one in parity.features],
    }
    return json.dumps(facts, indent=2) + "\n"


def _families(parity: Parity) -> Table:
    """Return every feature's part: a line a family stays readable, one a feature wouldn't."""
    table = Table("family", "features", "that differ", "largest, bits", "largest, value")
    for family in FeatureFamily:
        its = [one for one in parity.features if one.family is family]
        if its:
            different = sum(one.bits > 0 for one in its)
            bits = max(one.bits for one in its)
            counts = f"{len(its):,}", f"{different:,}"
            table.add_row(family.value, *counts, f"{bits:.4g}", _format_value(_largest_value(its)))
    return table


def _differences(different: tuple[Difference, ...]) -> Table:
    name = Column("feature", no_wrap=True)
    table = Table(name, "rows that differ", "largest, bits", "largest, value")
    for one in different[:MAX_SHOWN]:
        table.add_row(one.feature, f"{one.rows:,}", f"{one.bits:.4g}", _format_value(one.value))
    return table


def _largest_value(differences: Sequence[Difference]) -> float | None:
    """Return the largest difference of values; None where one of them is null."""
    values = [one.value for one in differences]
    return None if None in values else max((value or 0.0 for value in values), default=0.0)


def _format_value(value: float | None) -> str:
    return "null" if value is None else f"{value:g}"
