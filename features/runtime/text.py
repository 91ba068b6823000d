"""How error messages and reports show names and numbers that somebody else chose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

MAX_NAMES: Final = 12
MAX_CHARACTERS: Final = 60


def escape(name: str) -> str:
    """Return a name fit for a terminal: control characters escaped, long names cut."""
    harmless = name if name.isprintable() else ascii(name)[1:-1]
    if len(harmless) <= MAX_CHARACTERS:
        return harmless
    return harmless[: MAX_CHARACTERS - 1] + "…"


def join_names(names: Iterable[str], limit: int = MAX_NAMES) -> str:
    """Return names as a bounded list in words: `a, b and 7 more`, or `nothing`."""
    every = list(names)
    if not every:
        return "nothing"
    head = ", ".join(escape(name) for name in every[:limit])
    rest = len(every) - limit
    return f"{head} and {rest:,} more" if rest > 0 else head


def closest_match(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that looks most like `name`, if any does."""
    close = difflib.get_close_matches(name.lower(), list(allowed), n=1, cutoff=0.6)
    return close[0] if close else None
