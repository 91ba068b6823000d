"""The targets that a model predicts for a listing."""

from __future__ import annotations

from typing import Final, Literal

Target = Literal["sell_through", "return_risk"]
TARGETS: Final[tuple[Target, ...]] = ("sell_through", "return_risk")
