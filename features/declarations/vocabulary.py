"""Words of source tables that features tell apart: declared and counted by the same list."""

from __future__ import annotations

from typing import Final

RETURN_REASONS: Final = (
    "does_not_fit",
    "defective",
    "not_as_described",
    "wrong_plug",
    "arrived_late",
)
"""Reasons that are counted apart; any other word of a source counts among all returns only."""

ATTRIBUTES: Final = ("language", "size_chart", "plug_voltage", "packaging", "imagery")
"""Attributes that are features of their own; certificates and others count together."""

CERTIFICATE: Final = "certificate:"
"""How attributes begin that are certificates."""
