"""The time rule: which events a key may know of at a moment.

An event is visible when `event_time <= as_of` and `available_at <= as_of`, one that lasts only
while `as_of < ends_at` besides; a visible one is in a window when `as_of - days < event_time`.
Times are compared as day numbers (features/dataset/days.py), the day of an event being the first
midnight at or after it, so that events of one key, day and day of knowledge can be added up before
they are compared. Null `available_at` never gets this far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ibis.expr.types as ir

AS_OF: Final = "as_of_day"
END: Final = "end_day"
"""The day from which an event that lasts is over; null: no end is known."""


def event_key(key: str) -> str:
    """Return how a key of an event is called beside the same key of a row."""
    return f"event_{key}"


def join_visible(rows: ir.Table, events: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Pair each row with the events of its key that had happened and were known by then.

    Of events that last (they have `END`) only with those that had not ended.
    """
    same_key = [rows[key] == events[event_key(key)] for key in keys]
    pairs = rows.inner_join(
        events,
        [
            *same_key,
            events.available_day <= rows[AS_OF],
            events.event_day <= rows[AS_OF],
        ],
    )
    if END not in events.columns:
        return pairs
    return pairs.filter(pairs[END].isnull() | (pairs[END] > pairs[AS_OF]))


def is_in_window(pairs: ir.Table, days: int) -> ir.BooleanValue:
    """Tell of each visible event whether it happened within the last `days` days."""
    return pairs.event_day > pairs[AS_OF] - days
