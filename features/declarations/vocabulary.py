"""Words of source tables that have features of their own, and when a return is none."""

from __future__ import annotations

from typing import Final

ATTRIBUTES: Final = ("language", "size_chart", "plug_voltage", "packaging", "imagery")
"""Attributes with a feature each; certificates and all others are counted together."""

CERTIFICATE: Final = "certificate:"
"""Prefix of attributes that are certificates."""

USUAL_CANCELLATION_DAYS: Final = 1
"""Days within which a return is a cancellation, unless the settings say otherwise."""
