"""What becomes of a line that isn't kept, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """Where a line goes that is kept neither as an order line nor as a return."""

    REMOVED = "removed"  # by its nature no sale of a product: counted
    QUARANTINED = "quarantined"  # may be one, but can't be told: counted, and kept to look at


@dataclass(frozen=True)
class Reason:
    """Why a line isn't kept: a name for tables, and the words for people."""

    name: str
    why: str
    fate: Fate


def removal_reason(name: str, why: str) -> Reason:
    """Return a reason to remove a line."""
    return Reason(name, why, Fate.REMOVED)


def quarantine_reason(name: str, why: str) -> Reason:
    """Return a reason to put a line into quarantine."""
    return Reason(name, why, Fate.QUARANTINED)
