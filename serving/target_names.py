"""Which targets models may be of: sell-through always, return risk where there were labels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from features.declarations.targets import TARGETS, Target
from serving.artefact_errors import BrokenFileError

REQUIRED: Final[Target] = "sell_through"
"""Every data set has orders; nothing can be ranked without it."""


def servable_targets(what: str, names: Collection[str]) -> tuple[Target, ...]:
    """Return the targets named by `what` in the order of `TARGETS`.

    Raises:
        BrokenFileError: one isn't known, or sell-through isn't among them.
    """
    if REQUIRED not in names or not set(names) <= set(TARGETS):
        raise BrokenFileError(what, f"targets {sorted(names)}")
    return tuple(target for target in TARGETS if target in names)
