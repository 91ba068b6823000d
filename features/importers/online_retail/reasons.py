"""Reasons not to keep a line of the source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What the import does with a line that is neither an order line nor a return."""

    REMOVE = "remove"  # certainly no sale of a product: counted only
    QUARANTINE = "quarantine"  # perhaps a sale of a product: counted and kept in a file


@dataclass(frozen=True)
class Reason:
    """Why a line isn't kept: `name` for tables, `why` for people."""

    name: str
    why: str
    action: Action


def removal_reason(name: str, why: str) -> Reason:
    """Return a reason to remove a line."""
    return Reason(name, why, Action.REMOVE)


def quarantine_reason(name: str, why: str) -> Reason:
    """Return a reason to quarantine a line."""
    return Reason(name, why, Action.QUARANTINE)
